"""Certification, the official list and the valid year."""

from __future__ import annotations

from domain.stages import Role
from domain.wordings.wording import Wording

CERTIFICATION: dict[str, Wording] = {
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
}
