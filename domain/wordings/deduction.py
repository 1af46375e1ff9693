"""Deductions and the top-up that follows."""

from __future__ import annotations

from domain.stages import Role
from domain.wordings.wording import NOTHING_TO_DO, Wording

DEDUCTION: dict[str, Wording] = {
    "deposit_deducted.top_up": Wording(
        Role.APPLICANT,
        "保证金已扣除,请补缴",
        what="已从贵方的保证金中扣除人民币{amount}元;保证金现有人民币{left}元,尚缺人民币{missing}元。",
        why="违反{rule}(违规案件 {conduct}):{reason}",
        by="以银行起息日计,应在{until}补足。",
        do="请从{payers}的账户转账;查看:livebase deposit show {case}",
        follows="逾期未补足的,认证自动暂停,补足后恢复。",
    ),
    "deposit_deducted.suspended": Wording(
        Role.APPLICANT,
        "保证金再次扣除",
        what="已从贵方的保证金中扣除人民币{amount}元;保证金现有人民币{left}元,尚缺人民币{missing}元。",
        why="违反{rule}(违规案件 {conduct}):{reason}",
        by="补缴期限已过;认证暂停至补足之日。",
        do="请从{payers}的账户转账;查看:livebase deposit show {case}",
        follows="补足后暂停解除。",
    ),
    "deposit_deducted.ended": Wording(
        Role.APPLICANT,
        "保证金已扣除",
        what="已从贵方的保证金中扣除人民币{amount}元;保证金现有人民币{left}元。",
        why="违反{rule}(违规案件 {conduct}):{reason}",
        by="没有需要贵方办理的期限。",
        do="无需办理;查看:livebase deposit show {case}",
        follows="其余的保证金照常结算。",
    ),
    "remind_top_up": Wording(
        Role.APPLICANT,
        "保证金补缴提醒",
        what="保证金尚缺人民币{missing}元。",
        why="保证金因扣除而不足,须补足(A3)。",
        by="请在{until}补足,以银行起息日为准。",
        do="请从{payers}的账户转账;查看:livebase deposit show {case}",
        follows="逾期未补足的,认证自动暂停,补足后恢复。",
    ),
    "deposit_short_suspended": Wording(
        Role.APPLICANT,
        "认证因保证金不足暂停",
        what="保证金尚缺人民币{missing}元,贵方的认证已暂停。暂停期间请停止使用一切标识、商标和以淘宝直播基地名义的宣传、活动。",
        why="保证金扣除后未在期限内补足(A3)。",
        by="恢复之日取决于补足之日。暂停不延长有效期。",
        do="请从{payers}的账户转账;查看:livebase deposit show {case}",
        follows="全部权益和书面授权暂停,官方名单标注为暂停;补足后恢复。",
    ),
    "deposit_topped_up.part": Wording(
        Role.APPLICANT,
        "保证金补缴款已到账",
        what="已收到补缴的保证金人民币{credited}元,尚缺人民币{missing}元。",
        why="银行流水号{reference}的款项已入账。",
        by="补缴期限不变,见扣除通知。",
        do="请缴纳其余款项;查看:livebase deposit show {case}",
        follows="未补足的,认证暂停至补足之日。",
    ),
    "deposit_topped_up.whole": Wording(
        Role.APPLICANT,
        "保证金已补足",
        what="已收到补缴的保证金人民币{credited}元,保证金已补足。",
        why="银行流水号{reference}的款项已入账。",
        by="没有需要贵方办理的期限。",
        do=NOTHING_TO_DO,
        follows="因保证金不足而暂停的,暂停即日解除。",
    ),
    "deposit_topped_up.suspended": Wording(
        Role.APPLICANT,
        "保证金已补足",
        what="已收到补缴的保证金人民币{credited}元,保证金已补足。",
        why="银行流水号{reference}的款项已入账。",
        by="没有需要贵方办理的期限。",
        do="请消除其余暂停的原因。查看:livebase show {case}",
        follows="因保证金不足的暂停已解除;另有{left}项暂停仍然有效,认证仍处于暂停状态。",
    ),
    "approval_asked.deduct_deposit": Wording(
        Role.FINANCE,
        "扣除保证金待复核",
        what="{by}提出就违规案件 {violation} 从本案的保证金中扣除 {cny} 元,须由另一名财务或合规人员复核(编号 {id})。",
        why="{reason}",
        by="请在{until}复核。",
        do="查看:livebase approvals show {id};同意:livebase approvals approve {id};"
        "否决:livebase approvals deny {id} --reason 理由",
        follows="同意即扣除;案件情况有变的须重新提出,逾期未复核的自动失效。",
    ),
    "approval_denied.deduct_deposit": Wording(
        Role.FINANCE,
        "扣除保证金未获同意",
        what="扣除本案保证金的提议(编号 {id})已被{by}否决。",
        why="{reason}",
        by="没有需要办理的期限。",
        do="无需办理。查看:livebase deposit show {case}",
        follows="保证金不变;有新的理由的,可以重新提出。",
    ),
    "approval_expired.deduct_deposit": Wording(
        Role.FINANCE,
        "扣除保证金的提议已失效",
        what="{by}提出的扣除本案保证金的提议(编号 {id})已失效。",
        why="期限内没有第二人复核。",
        by="复核期限已过。",
        do="仍需扣除的,重新提出:livebase deposit deduct {case} --amount 金额 --case 违规案件 --reason 理由",
        follows="保证金不变。",
    ),
}
