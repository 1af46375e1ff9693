"""Deadlines that have moved: extended by the staff, or counted again after a calendar notice (decision 5)."""

from __future__ import annotations

from domain.stages import Role
from domain.wordings.wording import TO_APPEAL, Wording


def _deadline_moved(to: Role, what: str, by: str, do: str, appeal: str = "") -> Wording:
    """A deadline counted again after a calendar notice (decision 5)."""
    return Wording(
        to,
        "期限调整",
        what=what + "的期限由{before}24时调整为{after}24时。",
        why="{source}({published_on})已公布,工作日据此重新计算。",
        by=by,
        do=do,
        appeal=appeal,
        follows="此前通知中的该项期限以本通知为准,其他事项不变。",
    )


EXTENDED: dict[str, Wording] = {
    "deadline_extended.supplement": Wording(
        Role.APPLICANT,
        "补充材料期限延长",
        what="提交补充材料的期限已延长。",
        why="{reason}",
        by="请在{until}提交。",
        do="请一次交齐:livebase supplement {case} 补充材料文件",
        follows="收到后重新审核;逾期未提交的,申请自动终止。",
    ),
    "deadline_extended.renewal_supplement": Wording(
        Role.APPLICANT,
        "续签补充材料期限延长",
        what="提交续签补充材料的期限已延长。",
        why="{reason}",
        by="请在{until}提交。",
        do="请一次交齐:livebase supplement {case} 补充材料文件",
        follows="收到后重新审核;逾期未提交的,本次续签终止;本期认证未届满的,至到期日仍然有效。",
    ),
    "deadline_extended.rectify": Wording(
        Role.APPLICANT,
        "改正期限延长",
        what="改正违规的期限已延长。",
        why="{reason}",
        by="请在{until}改正并提交说明。",
        do="提交说明及证据:livebase conduct respond 编号 说明文件",
        follows="核查认定已改正的,案件了结;逾期未改正的,认证暂停,已暂停的提请撤销。",
    ),
    "deadline_extended.deposit": Wording(
        Role.APPLICANT,
        "保证金缴纳期限延长",
        what="缴纳保证金的期限已延长。",
        why="{reason}",
        by="请在{until}足额缴纳,以银行起息日为准。",
        do="请从{payers}的账户转账;查看:livebase deposit show {case}",
        follows="足额到账后由认证员作出认证决定;逾期未足额缴纳的,申请自动终止,已缴款项退还。",
    ),
    "deadline_extended.confirm_marks": Wording(
        Role.APPLICANT,
        "停用标识确认期限延长",
        what="提交停用标识证明的期限已延长;停止使用标识、商标的义务不变。",
        why="{reason}",
        by="请在{until}提交停用证明。",
        do="确认停用并附证明:livebase marks confirm {case} 文件",
        follows="逾期未确认的,上报运营;义务在确认之前一直有效。",
    ),
}

MOVED: dict[str, Wording] = {
    "deadline_moved.review": _deadline_moved(
        Role.REVIEWER,
        "资质审核",
        "请在{until}作出决定。",
        "查看材料:livebase application show {case};作出决定:livebase review approve、request 或 reject {case}",
    ),
    "deadline_moved.supplement": _deadline_moved(
        Role.APPLICANT, "提交补充材料", "请在{until}提交。", "请一次交齐:livebase supplement {case} 补充材料文件"
    ),
    "deadline_moved.deposit": _deadline_moved(
        Role.APPLICANT,
        "缴纳保证金",
        "请在{until}足额缴纳,以银行起息日为准。",
        "请从{payers}的账户转账;查看:livebase deposit show {case}",
    ),
    "deadline_moved.top_up": _deadline_moved(
        Role.APPLICANT,
        "补缴保证金",
        "请在{until}补足,以银行起息日为准。",
        "请从{payers}的账户转账;查看:livebase deposit show {case}",
    ),
    "deadline_moved.approve_deduction": _deadline_moved(
        Role.FINANCE,
        "复核扣除保证金",
        "请在{until}复核。",
        "查看编号和案件:livebase show {case};同意或否决:livebase approvals approve、deny 编号",
    ),
    "deadline_moved.approve_refund": _deadline_moved(
        Role.FINANCE,
        "复核退还保证金",
        "请在{until}复核。",
        "查看编号和案件:livebase show {case};同意或否决:livebase approvals approve、deny 编号",
    ),
    "deadline_moved.approve_return": _deadline_moved(
        Role.FINANCE,
        "复核退回款项",
        "请在{until}复核。",
        "查看编号和案件:livebase show {case};同意或否决:livebase approvals approve、deny 编号",
    ),
    "deadline_moved.approve_reversal": _deadline_moved(
        Role.FINANCE,
        "复核冲销款项",
        "请在{until}复核。",
        "查看编号和案件:livebase show {case};同意或否决:livebase approvals approve、deny 编号",
    ),
    "deadline_moved.renewal_review": _deadline_moved(
        Role.REVIEWER,
        "续签审核",
        "请在{until}作出决定。",
        "查看材料:livebase application show {case};作出决定:livebase renewal approve、request 或 reject {case}",
    ),
    "deadline_moved.renewal_supplement": _deadline_moved(
        Role.APPLICANT, "提交续签补充材料", "请在{until}提交。", "请一次交齐:livebase supplement {case} 补充材料文件"
    ),
    "deadline_moved.certify": _deadline_moved(
        Role.CERTIFIER,
        "作出认证决定",
        "请在{until}作出决定。",
        "查看案件:livebase show {case};作出决定:livebase certify {case}",
    ),
    "deadline_moved.publish": _deadline_moved(
        Role.OPERATOR,
        "官方名单公示",
        "官方名单应在{until}公示(R3)。",
        "再次公示或登记凭据:livebase publish {case}",
    ),
    "deadline_moved.confirm_marks": _deadline_moved(
        Role.APPLICANT,
        "确认停用标识",
        "请在{until}提交停用证明。",
        "确认停用并附证明:livebase marks confirm {case} 文件",
    ),
    "deadline_moved.return_deposit": _deadline_moved(
        Role.FINANCE, "退还保证金", "请在{until}退还。", "查看:livebase deposit show {case}"
    ),
    "deadline_moved.approve_revocation": _deadline_moved(
        Role.COMPLIANCE,
        "复核撤销认证",
        "请在{until}复核。",
        "查看编号和案件:livebase show {case};同意或否决:livebase approvals approve、deny 编号",
    ),
    "deadline_moved.objection": _deadline_moved(
        Role.APPLICANT,
        "对季度考核初步结果提出异议",
        "如有异议,请在{until}提出。",
        "提出异议并附证明:livebase assess object {case} 异议文件",
    ),
    "deadline_moved.decide_assessment": _deadline_moved(
        Role.COMPLIANCE,
        "季度考核决定",
        "请在{until}作出决定。",
        "查看:livebase assess show {case};决定:livebase assess decide {case} --period 季度 --outcome pass 或 fail",
    ),
    "deadline_moved.confirm_assessment": _deadline_moved(
        Role.COMPLIANCE,
        "季度考核确认",
        "请在{until}确认。",
        "查看:livebase assess show {case};确认:livebase assess confirm 季度",
    ),
    "deadline_moved.set_aside_assessment": _deadline_moved(
        Role.COMPLIANCE, "失效决定复核", "请在{until}复核。", "查看:livebase assess show {case}"
    ),
    "deadline_moved.answer_conduct": _deadline_moved(
        Role.APPLICANT, "答复违规通知", "请在{until}答复。", "提交答复及证据:livebase conduct respond 编号 答复文件"
    ),
    "deadline_moved.decide_conduct": _deadline_moved(
        Role.COMPLIANCE, "决定违规案件", "请在{until}作出决定。", "查看:livebase conduct list"
    ),
    "deadline_moved.check_rectification": _deadline_moved(
        Role.COMPLIANCE, "核查整改", "请在{until}核查并决定。", "查看:livebase conduct list"
    ),
    "deadline_moved.rectify": _deadline_moved(
        Role.APPLICANT,
        "改正违规",
        "请在{until}改正并提交说明。",
        "提交说明及证据:livebase conduct respond 编号 说明文件",
    ),
    "deadline_moved.decide_appeal": _deadline_moved(
        Role.CERTIFIER,
        "裁决申诉",
        "请在{until}作出裁决。",
        "查看:livebase why {case};裁决:livebase appeal decide {case}",
    ),
    "deadline_moved.approve_set_aside": _deadline_moved(
        Role.COMPLIANCE,
        "复核撤销原决定",
        "请在{until}复核。",
        "查看编号和案件:livebase show {case};同意或否决:livebase approvals approve、deny 编号",
    ),
    "deadline_moved.approve_waiver": _deadline_moved(
        Role.COMPLIANCE,
        "复核免除再次申请间隔期",
        "请在{until}复核。",
        "查看编号和案件:livebase show {case};同意或否决:livebase approvals approve、deny 编号",
    ),
    "deadline_moved.approve_erasure": _deadline_moved(
        Role.COMPLIANCE,
        "复核删除申请材料",
        "请在{until}复核。",
        "查看编号和案件:livebase show {case};同意或否决:livebase approvals approve、deny 编号",
    ),
    "deadline_moved.appeal": _deadline_moved(
        Role.APPLICANT,
        "提出申诉",
        "如有异议,应在{appeal_until}提出申诉。",
        "不申诉的,无需办理。决定及依据:livebase show {case}",
        appeal=TO_APPEAL,
    ),
}
