"""From the application to the reviewer's decision."""

from __future__ import annotations

from domain.stages import Role
from domain.wordings.wording import NOTHING_TO_DO, Wording

REVIEW: dict[str, Wording] = {
    "application_received": Wording(
        Role.APPLICANT,
        "认证申请已受理",
        what="贵方的淘宝直播基地认证申请已受理,进入资质审核。",
        why="贵方提交了认证申请(第1版材料),系统已按现行政策({policy})逐项核验,结果供审核员核对。",
        by="审核员应在{until}作出决定。",
        do=NOTHING_TO_DO + ";如需撤回:livebase withdraw {case} --reason 理由",
        follows="审核结果(通过、要求补充材料或不予通过)将另行通知;通过后须缴足保证金人民币{required}元。",
    ),
    "remind_reviewer": Wording(
        Role.REVIEWER,
        "资质审核待办提醒",
        what="本案第{revision}版材料的资质审核尚未作出决定。",
        why="审核期限临近。",
        by="请在{until}作出决定。",
        do="查看材料:livebase application show {case};作出决定:livebase review approve、request 或 reject "
        "{case} --revision {revision}",
        follows="逾期未决定的,上报运营;申请不会因此自动通过或终止。",
    ),
    "review_escalated": Wording(
        Role.OPERATOR,
        "资质审核已逾期",
        what="本案第{revision}版材料的资质审核已超过审核期限。",
        why="审核员未在期限内作出决定。",
        by="请督促审核员在{until}作出决定。",
        do="查看案件:livebase show {case};审核员作出决定:livebase review approve、request 或 reject "
        "{case} --revision {revision}",
        follows="届时仍未决定的,再次上报;申请不会因此自动通过或终止。",
    ),
    "supplement_requested": Wording(
        Role.APPLICANT,
        "请补充申请材料",
        what="请补充以下材料:\n{items}",
        why="审核员核对第{revision}版材料后,认为尚不足以作出决定(第{round}轮补充,最多{rounds}轮)。",
        by="请在{until}提交。",
        do="请一次交齐:livebase supplement {case} 补充材料文件",
        follows="收到后重新审核;逾期未提交的,申请自动终止。",
    ),
    "supplement_received": Wording(
        Role.REVIEWER,
        "补充材料已提交",
        what="申请主体已提交补充材料(第{revision}版),请继续审核。",
        why="这是对第{round}轮补充要求的答复。",
        by="请在{until}作出决定。",
        do="查看变更:livebase application show {case} --revision {revision} --diff {before};作出决定:"
        "livebase review approve、request 或 reject {case} --revision {revision}",
        follows="逾期未决定的,上报运营;申请不会因此自动通过或终止。",
    ),
    "remind_supplement": Wording(
        Role.APPLICANT,
        "补充材料提醒",
        what="审核员要求的补充材料尚未收到。",
        why="所缺材料见此前的补充通知(针对第{revision}版材料)。",
        by="请在{until}提交。",
        do="请一次交齐:livebase supplement {case} 补充材料文件",
        follows="收到后重新审核;逾期未提交的,申请自动终止。",
    ),
    "application_approved": Wording(
        Role.APPLICANT,
        "资质审核通过,请缴纳保证金",
        what="资质审核已通过。请缴纳保证金,尚缺人民币{missing}元。",
        why="审核员已核对第{revision}版材料,准入条件均已符合或经人工认可;保证金须足额缴纳(A3)。",
        by="请在{until}足额缴纳,以银行起息日为准。",
        do="请从{payers}的账户转账,可分次缴纳,到账由财务登记;查看:livebase deposit show {case}",
        follows="足额到账后由认证员作出认证决定;逾期未足额缴纳的,申请自动终止,已缴款项退还。",
    ),
    "application_approved.paid": Wording(
        Role.APPLICANT,
        "资质审核通过",
        what="资质审核已通过。保证金已足额到账。",
        why="审核员已核对第{revision}版材料,准入条件均已符合或经人工认可。",
        by="认证员应在{until}作出认证决定。",
        do=NOTHING_TO_DO,
        follows="认证决定将另行通知;通过的,在官方名单公示。",
    ),
}
