"""What each letter says, one entry per letter: zh-CN, every entry with all its parts (decision 35).

A key is a letter's kind, or `kind.variant` where the same event is told differently. The fields of a wording are
the parts of the letter, in its order; what stands in braces is filled in by `domain/letters.py`:

* always there: `{case}` (the case number), `{base}` (the base's name), `{parties}` (the entity and, where there is
  one, its entrusted enterprise; a line each), `{payers}` (the same, as whose money counts);
* `{until}` and `{appeal_until}`: the last day of a deadline as 2026年3月2日24时前, marked when it is provisional;
* anything else is a fact the rule that writes the letter gives by name.
"""

from __future__ import annotations

from dataclasses import dataclass

from domain.stages import Role

_NOTHING_TO_DO = "目前无需办理。进度可随时查看:livebase show {case}"


@dataclass(frozen=True)
class Wording:
    """A letter's recipient, subject and parts. `appeal` is empty where no appeal exists (decision 28)."""

    to: Role
    subject: str
    what: str
    why: str
    by: str
    do: str
    follows: str
    appeal: str = ""


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


WORDINGS: dict[str, Wording] = {
    # ------------------------------------------------------------------------------------ document review
    "application_received": Wording(
        Role.APPLICANT,
        "认证申请已受理",
        what="贵方的淘宝直播基地认证申请已受理,进入资质审核。",
        why="贵方提交了认证申请(第1版材料),系统已按现行政策({policy})逐项核验,结果供审核员核对。",
        by="审核员应在{until}作出决定。",
        do=_NOTHING_TO_DO + ";如需撤回:livebase withdraw {case} --reason 理由",
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
        do=_NOTHING_TO_DO,
        follows="认证决定将另行通知;通过的,在官方名单公示。",
    ),
    # -------------------------------------------------------------------------------------------- deposit
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
        do=_NOTHING_TO_DO,
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
        do=_NOTHING_TO_DO,
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
    # ------------------------------------------------------------------------ certification, official list
    "certification_escalated": Wording(
        Role.OPERATOR,
        "认证决定已逾期",
        what="本案的认证决定已超过期限。",
        why="保证金已足额到账,认证员未在期限内作出决定。",
        by="请督促认证员在{until}作出决定。",
        do="认证员(审核通过本案的审核员除外)作出决定:livebase certify {case},或 "
        "livebase certify {case} --refuse --reason 理由",
        follows="届时仍未决定的,再次上报。",
    ),
    "base_certified": Wording(
        Role.APPLICANT,
        "淘宝直播基地认证通过",
        what="贵方已通过认证,证书编号 {certificate},有效期至{last_day}24时。",
        why="资质审核已通过,保证金已足额到账,认证员决定予以认证。",
        by="官方名单应在{until}公示。",
        do="公示之前请勿使用淘宝直播基地的名称、标识和商标:不在官方名单上的基地不是认证基地(R3)。",
        follows="名称和标识的使用权自官方名单公示之日起生效,公示后另行通知;其余权益自即日起生效。",
    ),
    "base_published": Wording(
        Role.APPLICANT,
        "已列入官方名单",
        what="贵方已列入淘宝直播基地官方名单,名称和标识的使用权即日生效。",
        why="证书 {certificate} 已在官方渠道公示(R3)。",
        by="认证有效期至{last_day}24时。",
        do="请遵守运营规范(R1至R8):对外合作以独立第三方身份,未经书面授权不以平台名义开展商业活动,不刷榜刷数据。",
        follows="有效期内进行运营考核;到期前发出续签提醒,到期未通过续签的,认证自动失效(R9)。",
    ),
    "publication_escalated": Wording(
        Role.OPERATOR,
        "公示即将逾期",
        what="本案尚未在官方名单公示。",
        why="证书 {certificate} 已认证,公示尚未成功。",
        by="应在{until}公示(R3)。",
        do="再次公示:livebase publish {case};已在官方渠道公示的,登记证明:livebase publish {case} --evidence 文件",
        follows="逾期的,记录为违反R3并再次上报;公示继续进行。",
    ),
    "publication_breached": Wording(
        Role.OPERATOR,
        "公示已逾期",
        what="本案未在{days}个工作日内公示,违反R3,已记录。",
        why="证书 {certificate} 已认证,官方渠道至今没有公示成功。",
        by="公示期限已过,请立即办理。",
        do="再次公示:livebase publish {case};已在官方渠道公示的,登记证明:livebase publish {case} --evidence 文件",
        follows="公示继续进行;公示之前该基地的名称和标识使用权不生效。",
    ),
    "remind_renewal": Wording(
        Role.APPLICANT,
        "认证即将到期",
        what="证书 {certificate} 即将到期。",
        why="认证有效期一年;到期未通过续签的,认证自动失效(R9)。",
        by="请在{until}通过续签;审核需要时间,请尽早提交。",
        do="提交续签:livebase renew {case} --from {last_day}",
        follows="到期失效的,须立即停止使用一切标识、商标和以淘宝直播基地名义的宣传、活动,并移出官方名单。",
    ),
    # ------------------------------------------------------------------------------------------- endings
    "application_rejected": Wording(
        Role.APPLICANT,
        "认证申请未通过",
        what="贵方的认证申请未通过,本次申请已结束。",
        why="{reason}",
        by="如有异议,应在{appeal_until}提出申诉。",
        do="不申诉的,无需办理。决定及依据:livebase show {case}",
        appeal="可在{appeal_until}提出一次申诉,由未参与该决定的人员裁决:livebase appeal file {case} 申诉文件",
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
    "application_lapsed": Wording(
        Role.APPLICANT,
        "认证申请已终止",
        what="贵方的认证申请已自动终止。",
        why="{reason}。",
        by="原期限已过,没有其他需要贵方办理的期限。",
        do="无需办理。记录可随时查看:livebase show {case}",
        follows="{money}重新申请:{again}起可以提出。",
    ),
    "certification_expired": Wording(
        Role.APPLICANT,
        "认证到期失效",
        what="证书 {certificate} 已于{ended}24时到期失效。"
        "请立即停止使用一切标识、商标,停止以淘宝直播基地名义的宣传和活动。",
        why="认证期满未通过续签(R9)。",
        by="请在{until}提交停用证明。",
        do="确认停用并附证明:livebase marks confirm {case} 文件",
        follows="该基地已移出官方名单,权益已收回;停用情况将抽查。保证金人民币{held}元在{settle_by}结算,"
        "未结的违规案件或未履行的停用义务可能扣留其中一部分。",
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
    # ------------------------------------------------------------------------------ an extension by the staff
    "deadline_extended.supplement": Wording(
        Role.APPLICANT,
        "补充材料期限延长",
        what="提交补充材料的期限已延长。",
        why="{reason}",
        by="请在{until}提交。",
        do="请一次交齐:livebase supplement {case} 补充材料文件",
        follows="收到后重新审核;逾期未提交的,申请自动终止。",
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
    "deadline_extended.marks": Wording(
        Role.APPLICANT,
        "停用标识确认期限延长",
        what="提交停用标识证明的期限已延长;停止使用标识、商标的义务不变。",
        why="{reason}",
        by="请在{until}提交停用证明。",
        do="确认停用并附证明:livebase marks confirm {case} 文件",
        follows="逾期未确认的,上报运营;义务在确认之前一直有效。",
    ),
    # ---------------------------------------------------------------------------------- a calendar notice
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
    "deadline_moved.appeal": _deadline_moved(
        Role.APPLICANT,
        "提出申诉",
        "如有异议,应在{appeal_until}提出申诉。",
        "不申诉的,无需办理。决定及依据:livebase show {case}",
        appeal="可在{appeal_until}提出一次申诉,由未参与该决定的人员裁决:livebase appeal file {case} 申诉文件",
    ),
}
