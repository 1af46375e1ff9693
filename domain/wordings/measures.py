"""Suspension, what waits for a second person, and corrections."""

from __future__ import annotations

from domain.stages import Role
from domain.wordings.wording import NOTHING_TO_DO, Wording

MEASURES: dict[str, Wording] = {
    "base_suspended": Wording(
        Role.APPLICANT,
        "认证已暂停",
        what="贵方的认证自{since}起暂停。暂停期间请停止使用一切标识、商标和以淘宝直播基地名义的宣传、活动。",
        why="{reason}",
        by="恢复之日另行通知。暂停不延长有效期,认证有效期仍至{last_day}24时。",
        do="请消除上述原因,并与您的专属小二联系。进度:livebase show {case}",
        follows="全部权益和书面授权暂停。官方名单标注为暂停,只公布日期和类别。续签不解除暂停,暂停期间仍应按期提交续签。",
    ),
    "workflow_stopped": Wording(
        Role.OPERATOR,
        "案件流程已停止",
        what="案件的流程 {workflow} 没有在Temporal上运行:{how}。在恢复之前,期限、提醒和自动事项都不再进行。",
        why="系统每隔几分钟核对一次:登记为未结束的案件,其流程都应在运行。",
        by="请立即处理。",
        do="恢复:livebase note add {case} --text 恢复运行;违规案件的流程由下一条违规办理命令恢复。",
        follows="恢复后,已到期的事项按其应有的时间补办。官方名单只看登记,不受影响。",
    ),
    "workflow_stopped.again": Wording(
        Role.OPERATOR,
        "案件流程曾被终止或重置",
        what="案件的流程 {workflow} {how}。",
        why="系统每隔几分钟核对一次:登记为未结束的案件,其流程不应被人工终止或重置。",
        by="请尽快核实。",
        do="核实由谁操作、原因为何。查看:livebase show {case}",
        follows="流程已按登记重新读取案件,已登记的事项不受影响。",
    ),
    "base_reinstated": Wording(
        Role.APPLICANT,
        "认证已恢复",
        what="贵方的认证自即日起恢复,可以重新使用名称、标识和商标。",
        why="{reason}",
        by="认证有效期至{last_day}24时,不因暂停延长。",
        do=NOTHING_TO_DO,
        follows="全部权益恢复,官方名单不再标注暂停。",
    ),
    "base_reinstated.still_suspended": Wording(
        Role.APPLICANT,
        "一项暂停已解除",
        what="对贵方认证的一项暂停已解除;另有{left}项暂停仍然有效,认证仍处于暂停状态。",
        why="{reason}",
        by="恢复之日另行通知。认证有效期至{last_day}24时,不因暂停延长。",
        do="请消除其余各项的原因。查看:livebase show {case}",
        follows="全部权益仍然暂停;最后一项解除后恢复。",
    ),
    "base_published.suspended": Wording(
        Role.APPLICANT,
        "已列入官方名单(暂停)",
        what="贵方已列入淘宝直播基地官方名单,因认证处于暂停状态,名单标注为暂停。",
        why="证书 {certificate} 已在官方渠道公示(R3),暂停尚未解除。",
        by="认证有效期至{last_day}24时,不因暂停延长。",
        do="暂停解除之前,请勿使用名称、标识和商标。查看:livebase show {case}",
        follows="暂停解除后,名称和标识的使用权与其他权益一并恢复。",
    ),
    "approval_asked.revoke": Wording(
        Role.COMPLIANCE,
        "撤销认证待复核",
        what="{by}提出撤销本案的认证,须由另一名合规人员或认证员复核(编号 {id})。",
        why="{reason}",
        by="请在{until}复核。",
        do="查看:livebase approvals show {id};同意:livebase approvals approve {id};"
        "否决:livebase approvals deny {id} --reason 理由",
        follows="同意即撤销;案件情况有变的须重新提出,逾期未复核的自动失效。",
    ),
    "approval_denied.revoke": Wording(
        Role.COMPLIANCE,
        "撤销认证未获同意",
        what="撤销本案认证的提议(编号 {id})已被{by}否决。",
        why="{reason}",
        by="没有需要办理的期限。",
        do="无需办理。查看:livebase why {case}",
        follows="认证照常有效;有新的事实的,可以重新提出。",
    ),
    "approval_expired.revoke": Wording(
        Role.COMPLIANCE,
        "撤销认证的提议已失效",
        what="{by}提出的撤销本案认证的提议(编号 {id})已失效。",
        why="期限内没有第二人复核。",
        by="复核期限已过。",
        do="仍需撤销的,重新提出:livebase revoke {case} --reason 理由",
        follows="认证照常有效。",
    ),
    "base_corrected": Wording(
        Role.APPLICANT,
        "基地信息已更正",
        what="贵方的基地信息已更正:{corrected}。更正前的名称:{before}。",
        why="按贵方提供的情况更正,申请材料为第{revision}版,此前的版本保留。",
        by="没有需要贵方办理的期限;公示期限和认证有效期不变。",
        do="请核对:livebase application show {case}",
        follows="已公示的名称有变的,官方名单同时更正。",
    ),
}
