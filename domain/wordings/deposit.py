"""The deposit."""

from __future__ import annotations

from domain.stages import Role
from domain.wordings.wording import NOTHING_TO_DO, Wording

DEPOSIT: dict[str, Wording] = {
    "deposit_received.part": Wording(
        Role.APPLICANT,
        "保证金部分到账",
        what="已收到保证金人民币{credited}元,尚缺人民币{missing}元。",
        why="银行流水号{reference}的款项已入账。",
        by="以银行起息日计,应在{until}足额缴纳。",
        do="请缴纳其余款项;查看:livebase deposit show {case}",
        follows="足额到账后由认证员作出认证决定;逾期未足额缴纳的,申请自动终止,已缴款项退还。",
    ),
    "deposit_received.part_early": Wording(
        Role.APPLICANT,
        "保证金部分到账",
        what="已收到保证金人民币{credited}元,尚缺人民币{missing}元。",
        why="银行流水号{reference}的款项已入账。",
        by="缴纳期限自资质审核通过起算,届时另行通知。",
        do="其余款项可以现在缴纳,也可以在审核通过后缴纳;查看:livebase deposit show {case}",
        follows="资质审核继续进行;未通过的,已缴款项退还。",
    ),
    "deposit_received.part_supplement": Wording(
        Role.APPLICANT,
        "保证金部分到账",
        what="已收到保证金人民币{credited}元,尚缺人民币{missing}元。",
        why="银行流水号{reference}的款项已入账。",
        by="补充材料仍应在{until}提交;保证金的缴纳期限自资质审核通过起算,届时另行通知。",
        do="请先提交补充材料:livebase supplement {case} 补充材料文件;其余款项可以现在或审核通过后缴纳",
        follows="逾期未提交补充材料的,申请自动终止,已缴款项退还。",
    ),
    "deposit_received.full": Wording(
        Role.APPLICANT,
        "保证金已足额到账",
        what="已收到保证金人民币{credited}元,保证金已足额到账。",
        why="银行流水号{reference}的款项已入账。",
        by="认证员应在{until}作出认证决定。",
        do=NOTHING_TO_DO,
        follows="认证决定将另行通知;未通过的,保证金退还。",
    ),
    "deposit_received.full_supplement": Wording(
        Role.APPLICANT,
        "保证金已足额到账",
        what="已收到保证金人民币{credited}元,保证金已足额到账。",
        why="银行流水号{reference}的款项已入账。",
        by="补充材料仍应在{until}提交。",
        do="请提交补充材料:livebase supplement {case} 补充材料文件",
        follows="逾期未提交补充材料的,申请自动终止,保证金退还。",
    ),
    "deposit_received.full_early": Wording(
        Role.APPLICANT,
        "保证金已足额到账",
        what="已收到保证金人民币{credited}元,保证金已足额到账。",
        why="银行流水号{reference}的款项已入账。",
        by="保证金没有其他缴纳期限;审核期限见受理通知。",
        do=NOTHING_TO_DO,
        follows="资质审核继续进行,通过后直接由认证员作出认证决定;未通过的,保证金退还。",
    ),
    "payment_unmatched": Wording(
        Role.FINANCE,
        "待核对款项",
        what="收到一笔人民币{amount}元的款项(流水号 {reference}),其中人民币{unmatched}元未能入账。",
        why="{reason}。",
        by="没有法定期限,请尽快核对;款项在处理前一直保留在待办中。",
        do="查看:livebase deposit show {case};本案的付款方应为{payers};核对付款方、金额与起息日,"
        "转入应属的案件或退还付款方",
        follows="未入账的款项不计入本案保证金,单独列示,不会丢失。",
    ),
    "remind_deposit": Wording(
        Role.APPLICANT,
        "保证金缴纳提醒",
        what="保证金尚缺人民币{missing}元。",
        why="资质审核已通过,保证金须足额缴纳(A3)。",
        by="请在{until}足额缴纳,以银行起息日为准。",
        do="请从{payers}的账户转账;查看:livebase deposit show {case}",
        follows="足额到账后由认证员作出认证决定;逾期未足额缴纳的,申请自动终止,已缴款项退还。",
    ),
}
