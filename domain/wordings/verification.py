"""The enterprise's real-name verification, looked at again."""

from __future__ import annotations

from domain.stages import Role
from domain.wordings.wording import NOTHING_TO_DO, Wording

VERIFICATION: dict[str, Wording] = {
    "verification_failed": Wording(
        Role.COMPLIANCE,
        "企业实名认证复核未通过",
        what="定期复核基地主体的企业实名认证,未能确认其仍然有效。认证不因此受影响。",
        why="{why}。",
        by="请在{until}核实。",
        do="核实后仍可认可的:livebase verification accept {case} 证明文件 --reason 理由;"
        "不能认可的,按违规或暂停处理;查看:livebase why {case}",
        follows="在此期间每日再次查询,一经确认即自动了结。",
    ),
    "verification_failed.base": Wording(
        Role.APPLICANT,
        "企业实名认证需要核实",
        what="定期复核贵方的企业实名认证,未能确认其仍然有效。认证不因此受影响。",
        why="{why}。",
        by="请在{until}处理。",
        do="请核对支付宝企业实名认证的状态和名称并予以恢复或更正;名称变更的,与运营人员联系",
        follows="在此期间每日再次查询,一经确认即自动了结;未能了结的,由合规人员处理。",
    ),
    "verification_confirmed": Wording(
        Role.APPLICANT,
        "企业实名认证已确认",
        what="贵方的企业实名认证已再次确认有效。",
        why="认证平台答复:已完成企业实名认证。",
        by="没有需要贵方办理的期限。",
        do=NOTHING_TO_DO,
        follows="此后仍定期复核。",
    ),
}
