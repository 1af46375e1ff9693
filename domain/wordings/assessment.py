"""Quarterly assessment and what it can end in (decision 22)."""

from __future__ import annotations

from domain.stages import Role
from domain.wordings.wording import NOTHING_TO_DO, TO_APPEAL, Wording

_DECIDE = (
    "查看:livebase assess show {case};决定:"
    "livebase assess decide {case} --period {quarter} --outcome pass 或 fail --reason 理由"
)

ASSESSMENT: dict[str, Wording] = {
    "assessment_provisional.pass": Wording(
        Role.APPLICANT,
        "季度考核初步结果:合格",
        what="贵方{period}运营考核的初步结果为合格:\n{figures}",
        why="{source},系统按考核标准核对,各项均达标。",
        by="没有需要贵方办理的事项;如发现数据有误,请联系运营更正。",
        do="查看:livebase assess show {case}",
        follows="结果由另一人确认,确认后另行通知。",
    ),
    "assessment_provisional.fail": Wording(
        Role.APPLICANT,
        "季度考核初步结果:不合格",
        what="贵方{period}运营考核的初步结果为不合格:\n{figures}",
        why="{source},未达标:{missed}。",
        by="如有异议,请在{until}提出。",
        do="提出异议并附证明:livebase assess object {case} 异议文件",
        follows="提出异议的,由未参与导入的人员决定;未提出的,由另一人确认。确认不合格的,认证自动失效(R9),届时可以申诉。",
    ),
    "assessment_objected": Wording(
        Role.COMPLIANCE,
        "考核异议待决定",
        what="基地对{period}运营考核的初步结果提出异议。",
        why="异议在期限内提出,证明材料已存档。",
        by="请在{until}作出决定;导入数据的人员不得决定。",
        do=_DECIDE,
        follows="逾期未决定的,上报运营;结果不会因此自动成立。",
    ),
    "assessment_unknown": Wording(
        Role.COMPLIANCE,
        "考核数据缺失待决定",
        what="基地{period}的运营考核数据仍未收到,结果未知。",
        why="数据缺失不视为不合格;经提醒仍未导入,须由人决定。",
        by="请在{until}作出决定;其间导入数据的,按数据核对。",
        do=_DECIDE,
        follows="决定不合格的,须由另一人确认;逾期未决定的,上报运营。",
    ),
    "assessment_decided.pass": Wording(
        Role.APPLICANT,
        "季度考核合格",
        what="贵方{period}运营考核的结果为合格。",
        why="{reason}",
        by="没有需要贵方办理的期限。",
        do=NOTHING_TO_DO,
        follows="认证继续有效;记录可随时查看:livebase assess show {case}",
    ),
    "assessment_decided.fail": Wording(
        Role.APPLICANT,
        "季度考核决定:不合格",
        what="经人工决定,贵方{period}运营考核的结果为不合格,待另一人确认。",
        why="{reason}",
        by="另一人应在{until}确认。",
        do="目前无需办理。查看:livebase assess show {case}",
        follows="确认不合格的,认证自动失效(R9),届时可以申诉。",
    ),
    "assessment_confirmed.pass": Wording(
        Role.APPLICANT,
        "季度考核合格",
        what="贵方{period}运营考核的结果已确认为合格。",
        why="各项指标达标,并经另一人确认。",
        by="没有需要贵方办理的期限。",
        do=NOTHING_TO_DO,
        follows="认证继续有效;记录可随时查看:livebase assess show {case}",
    ),
    "assessment_confirmed.fail": Wording(
        Role.APPLICANT,
        "季度考核不合格",
        what="贵方{period}运营考核的结果已确认为不合格。",
        why="指标未达标,并经另一人确认。",
        by="没有需要贵方办理的期限。",
        do="请改进运营;记录可随时查看:livebase assess show {case}",
        follows="按现行政策,认证目前继续有效;连续不合格达到政策规定次数的,认证自动失效(R9)。续签时最近一次考核须合格。",
    ),
    "certification_invalid": Wording(
        Role.APPLICANT,
        "考核不合格,认证失效",
        what="证书 {certificate} 自即日起失效。请立即停止使用一切标识、商标,停止以淘宝直播基地名义的宣传和活动。",
        why="{period}运营考核不合格,已经另一人确认(R9)。",
        by="请在{until}提交停用证明;如有异议,应在{appeal_until}提出申诉。",
        do="确认停用并附证明:livebase marks confirm {case} 文件",
        appeal=TO_APPEAL,
        follows="该基地已移出官方名单,权益已收回,书面授权同时终止;{closed}停用情况将抽查。保证金人民币{held}元在{settle_by}结算。"
        "重新申请:{again}起可以提出。",
    ),
    "assessment_to_set_aside": Wording(
        Role.COMPLIANCE,
        "考核数据更正,请复核失效决定",
        what="{period}的运营考核数据已更正,按更正后的数据为合格:\n{figures}",
        why="认证因该季度考核不合格而失效;更正后的数据可能推翻这一结果。",
        by="请在{until}复核。",
        do="查看:livebase assess show {case};撤销失效决定须由两人办理:"
        "livebase set-aside {case} --decision 决定编号 --reason 理由",
        follows="撤销之前,认证仍为失效,官方名单不变。",
    ),
    "remind_figures": Wording(
        Role.OPERATOR,
        "考核数据待导入",
        what="基地{period}的运营考核数据尚未导入。",
        why="该季度已结束,导入期限已到。",
        by="请在{until}导入。",
        do="导入:livebase assess import 数据文件",
        follows="届时仍未导入的,结果为未知,上报并由合规决定;数据缺失不视为不合格。",
    ),
    "figures_escalated": Wording(
        Role.OPERATOR,
        "考核数据缺失上报",
        what="基地{period}的运营考核数据经提醒仍未导入,结果未知。",
        why="导入期限和提醒期限均已过。",
        by="合规应在{until}作出决定。",
        do="数据一到即可导入:livebase assess import 数据文件",
        follows="决定之前导入的,按数据核对;数据缺失不视为不合格。",
    ),
    "assessment_escalated": Wording(
        Role.OPERATOR,
        "季度考核待办逾期",
        what="基地{period}的运营考核仍待合规决定或确认。",
        why="办理期限已过。",
        by="请督促合规在{until}办理。",
        do="查看:livebase assess show {case};合规决定或确认:livebase assess decide {case} --period {quarter} 或 "
        "livebase assess confirm {quarter}",
        follows="届时仍未办理的,再次上报;结果不会因此自动成立。",
    ),
}
