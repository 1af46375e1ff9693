"""Appeals, and decisions set aside."""

from __future__ import annotations

from domain.stages import Role
from domain.wordings.wording import NOTHING_TO_DO, Wording

APPEAL: dict[str, Wording] = {
    "appeal_filed": Wording(
        Role.CERTIFIER,
        "申诉待裁决",
        what="申请主体对决定 {decision} 提出申诉:\n{statement}",
        why="申诉在期限内提出;由未参与该决定的认证员或合规人员裁决。",
        by="请在{until}作出裁决。",
        do="查看:livebase why {case};裁决:livebase appeal decide {case} --outcome uphold 或 set-aside --reason 理由",
        follows="逾期未裁决的,上报运营;裁决之前,原决定有效。",
    ),
    "appeal_escalated": Wording(
        Role.OPERATOR,
        "申诉逾期未裁决",
        what="本案的申诉已超过裁决期限。",
        why="认证员或合规人员未在期限内作出裁决。",
        by="请督促在{until}作出裁决。",
        do="查看:livebase why {case}",
        follows="届时仍未裁决的,再次上报。",
    ),
    "appeal_upheld": Wording(
        Role.APPLICANT,
        "申诉裁决:维持原决定",
        what="对决定 {decision} 的申诉已裁决,维持原决定。",
        why="{reason}",
        by="没有需要贵方办理的期限;此前通知的停用和结算期限不变。",
        do=NOTHING_TO_DO,
        follows="申诉只有一次;重新申请的时间见原决定的通知。",
    ),
    "appeal_set_aside": Wording(
        Role.APPLICANT,
        "申诉裁决:撤销原决定",
        what="对决定 {decision} 的申诉成立,原决定已撤销。",
        why="{reason}",
        by="没有需要贵方办理的期限;恢复后的期限见案件现状。",
        do=NOTHING_TO_DO,
        follows="案件恢复到没有该决定时应有的状态,认证有效期不变,不因此延长;原在官方名单上的,重新列入,书面授权在原期限内恢复。",
    ),
    "decision_set_aside": Wording(
        Role.APPLICANT,
        "原决定已撤销",
        what="决定 {decision} 经复核有误,已由我方撤销。",
        why="{reason}",
        by="没有需要贵方办理的期限;恢复后的期限见案件现状。",
        do=NOTHING_TO_DO,
        follows="案件恢复到没有该决定时应有的状态,认证有效期不变,不因此延长;原在官方名单上的,重新列入,书面授权在原期限内恢复。",
    ),
    "approval_asked.set_aside": Wording(
        Role.COMPLIANCE,
        "待复核:撤销原决定",
        what="{by} 提请撤销决定 {decision}(编号 {id})。",
        why="{reason}",
        by="请在{until}复核。",
        do="查看:livebase approvals show {id};同意或否决:livebase approvals approve、deny {id}",
        follows="须由提请人以外的合规人员或认证员同意;逾期未复核的,提请失效。",
    ),
    "approval_denied.set_aside": Wording(
        Role.COMPLIANCE,
        "复核否决:撤销原决定",
        what="提请撤销原决定(编号 {id})已被 {by} 否决。",
        why="{reason}",
        by="没有期限。",
        do="查看:livebase show {case}",
        follows="原决定有效;情况变化的,可以重新提请。",
    ),
    "approval_expired.set_aside": Wording(
        Role.COMPLIANCE,
        "复核逾期:撤销原决定",
        what="{by} 提请撤销原决定(编号 {id})已逾期失效。",
        why="没有第二人在期限内复核。",
        by="期限已过。",
        do="查看:livebase show {case};需要的,可以重新提请",
        follows="原决定有效。",
    ),
}
