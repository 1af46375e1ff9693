"""Endings and what follows them."""

from __future__ import annotations

from domain.stages import Role
from domain.wordings.wording import TO_APPEAL, Wording


def _lapsed(why: str) -> Wording:
    return Wording(
        Role.APPLICANT,
        "认证申请已终止",
        what="贵方的认证申请已自动终止。",
        why=why,
        by="原期限已过,没有其他需要贵方办理的期限。",
        do="无需办理。记录可随时查看:livebase show {case}",
        follows="{money}重新申请:{again}起可以提出。",
    )


ENDING: dict[str, Wording] = {
    "application_rejected": Wording(
        Role.APPLICANT,
        "认证申请未通过",
        what="贵方的认证申请未通过,本次申请已结束。",
        why="{reason}",
        by="如有异议,应在{appeal_until}提出申诉。",
        do="不申诉的,无需办理。决定及依据:livebase show {case}",
        appeal=TO_APPEAL,
        follows="{money}重新申请:{again}起可以提出。",
    ),
    "application_withdrawn": Wording(
        Role.APPLICANT,
        "认证申请已撤回",
        what="贵方的认证申请已撤回,本次申请已结束。",
        why="{reason}",
        by="没有需要贵方办理的期限。",
        do="无需办理。记录可随时查看:livebase show {case}",
        follows="{money}重新申请:{again}起可以提出。",
    ),
    "application_lapsed.supplement_overdue": _lapsed("补充材料逾期未提交。"),
    "application_lapsed.deposit_overdue": _lapsed("保证金逾期未足额缴纳。"),
    "application_dissolved": Wording(
        Role.APPLICANT,
        "认证申请因主体注销结束",
        what="申请主体已注销或不复存在,本次申请已结束。",
        why="{reason}",
        by="没有需要贵方办理的期限。",
        do="情况不实的,请立即与我们联系。记录可随时查看:livebase show {case}",
        follows="{money}重新申请:{again}起可以提出。",
    ),
    "certification_surrendered": Wording(
        Role.APPLICANT,
        "已退出认证",
        what="按贵方的要求,证书 {certificate} 自{ended}起失效。"
        "请立即停止使用一切标识、商标,停止以淘宝直播基地名义的宣传和活动,并告知基地内的商家、主播和合作方。",
        why="{reason}",
        by="请在{until}提交停用证明。",
        do="确认停用并附证明:livebase marks confirm {case} 文件",
        follows="该基地已移出官方名单,权益已收回,书面授权同时终止;停用情况将抽查。{closed}保证金人民币{held}元在{settle_by}结算,"
        "未结的违规案件或未履行的停用义务可能扣留其中一部分。重新申请:{again}起可以提出。",
    ),
    "certification_dissolved": Wording(
        Role.APPLICANT,
        "认证因主体注销终止",
        what="认证主体已注销或不复存在,证书 {certificate} 自{ended}起失效。"
        "请立即停止使用一切标识、商标,停止以淘宝直播基地名义的宣传和活动,并告知基地内的商家、主播和合作方。",
        why="{reason}",
        by="请在{until}提交停用证明。",
        do="确认停用并附证明:livebase marks confirm {case} 文件;情况不实的,请立即与我们联系。",
        follows="该基地已移出官方名单,权益已收回,书面授权同时终止;停用情况将抽查。{closed}保证金人民币{held}元在{settle_by}结算,"
        "未结的违规案件或未履行的停用义务可能扣留其中一部分。重新申请:{again}起可以提出。",
    ),
    "certification_revoked": Wording(
        Role.APPLICANT,
        "认证已撤销",
        what="证书 {certificate} 自{ended}起撤销。"
        "请立即停止使用一切标识、商标,停止以淘宝直播基地名义的宣传和活动,并告知基地内的商家、主播和合作方。",
        why="{reason}",
        by="请在{until}提交停用证明;如有异议,应在{appeal_until}提出申诉。",
        do="确认停用并附证明:livebase marks confirm {case} 文件",
        appeal=TO_APPEAL,
        follows="该基地已移出官方名单,权益已收回,书面授权同时终止;停用情况将抽查。{closed}保证金人民币{held}元在{settle_by}结算,"
        "未结的违规案件或未履行的停用义务可能扣留其中一部分;商家损失由基地自行承担(R8)。"
        "重新申请:{again}起可以提出。",
    ),
    "revocation_to_be_told": Wording(
        Role.OPERATOR,
        "认证已撤销,请告知相关方",
        what="证书 {certificate} 自{ended}起撤销。记录在案、与该基地有关的如下。\n"
        "违规案件所涉账号:\n{accounts}\n随之终止的书面授权:\n{authorisations}\n收回的权益:{benefits}",
        why="{reason}",
        by="请立即办理。",
        do="请逐一告知上述账号的商家、主播,并停止上述授权项下的活动。查看:livebase show {case}",
        follows="其余商家、主播和合作方由基地自行告知。撤销决定日后被推翻的,授权在原期限内恢复,届时请再告知。",
    ),
    "certification_expired": Wording(
        Role.APPLICANT,
        "认证到期失效",
        what="证书 {certificate} 已于{ended}24时到期失效。"
        "请立即停止使用一切标识、商标,停止以淘宝直播基地名义的宣传和活动。",
        why="认证期满未通过续签(R9)。",
        by="请在{until}提交停用证明。",
        do="确认停用并附证明:livebase marks confirm {case} 文件",
        follows="该基地已移出官方名单,权益已收回,书面授权同时终止;停用情况将抽查。保证金人民币{held}元在{settle_by}结算,"
        "未结的违规案件或未履行的停用义务可能扣留其中一部分。",
    ),
    "certification_expired.platform_delay": Wording(
        Role.APPLICANT,
        "认证到期,续签待决定",
        what="证书 {certificate} 已于{ended}24时到期失效。续签申请仍在审核,因平台原因未能在到期前作出决定。",
        why="认证期满时续签尚未通过(R9);贵方及时提交,延误由平台承担。",
        by="没有需要贵方办理的期限;续签将尽快决定。",
        do="在续签通过并公示之前,请暂停使用一切标识、商标和以淘宝直播基地名义的宣传、活动。",
        follows="该基地已移出官方名单,权益暂时收回,书面授权终止。停用证明和保证金(人民币{held}元)的结算待续签决定后再定;"
        "续签通过的,新的认证期自通过之日起算。",
    ),
    "marks_escalated": Wording(
        Role.OPERATOR,
        "停用标识确认逾期",
        what="基地尚未确认停用标识和商标。",
        why="认证已于{ended}24时结束,停用证明未在期限内提交(R9)。",
        by="确认期限已过,请立即办理。",
        do="联系基地提交证明:livebase marks confirm {case} 文件",
        follows="义务在确认之前一直有效,结算保证金时可能扣留一部分。",
    ),
    "settlement_escalated": Wording(
        Role.OPERATOR,
        "保证金结算待办",
        what="本案的保证金人民币{held}元尚未{act},请财务处理。",
        why="保证金{act}期限已到。",
        by="请在{until}处理完毕。",
        do="查看:livebase deposit show {case};财务提出、另一人复核后退还:livebase deposit refund {case} "
        "--amount 金额 --reason 理由",
        follows="届时仍未处理的,再次上报。",
    ),
}
