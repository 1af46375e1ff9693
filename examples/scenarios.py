"""Makes the files that docs/scenarios.md hands in: a folder for each scenario, under `scenarios/` of the current one.

Run from the project's folder: `python examples/scenarios.py`. Each scenario has an enterprise of its own; what is dated
is dated as of today, so that the scenarios hold on any day.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from domain.periods import Period
from domain.shanghai import shanghai_date

PASSES = Path(__file__).parent / "passes"
SCENARIOS = Path("scenarios")


@dataclass(frozen=True)
class Enterprise:
    """Who applies: in the place's name, represented by somebody of its own."""

    code: str
    place: str
    representative: str


ENTERPRISES: dict[str, Enterprise] = {
    "rejected": Enterprise("91330782MA2KA0100L", "青岩", "陈立"),
    "withdrawn": Enterprise("91330782MA2KA0200A", "福田", "林晓"),
    "silent": Enterprise("91330782MA2KA03000", "江东", "何平"),
    "unpaid": Enterprise("91330782MA2KA0400M", "稠城", "吴敏"),
    "refused": Enterprise("91330782MA2KA0500B", "后宅", "朱军"),
    "expired": Enterprise("91330782MA2KA06001", "城西", "傅红"),
    "late": Enterprise("91330782MA2KA0700N", "廿三里", "楼志"),
    "failed": Enterprise("91330782MA2KA0800C", "苏溪", "金秀"),
    "suspended": Enterprise("91330782MA2KA09002", "大陈", "骆伟"),
    "uncorrected": Enterprise("91330782MA2KA10006", "佛堂", "虞琴"),
    "serious": Enterprise("91330782MA2KA1100U", "赤岸", "冯刚"),
    "appealed": Enterprise("91330782MA2KA1200H", "义亭", "龚华"),
    "mistaken": Enterprise("91330782MA2KA13007", "上溪", "毛宁"),
    "surrendered": Enterprise("91330782MA2KA1400W", "稠江", "方圆"),
    "dissolved": Enterprise("91330782MA2KA1500J", "丹溪", "童安"),
    "settled": Enterprise("91330782MA2KA16008", "夏演", "丁洁"),
    "again": Enterprise("91330782MA2KA1700X", "毛店", "施远"),
}

_REPORT = """\
rule: R6
trigger: breach
severity: {severity}
found_on: {found_on}
facts: 组织商家刷单,刷高直播间成交数据
affected_accounts: [anchor-1]
losses: [{{kind: frozen_permissions, description: 两个账号被限流}}]
evidence: [documents/policy.pdf]
"""
_ANSWER = "statement: 已停止刷单,并处分了责任人\nevidence: [documents/policy.pdf]\n"
_APPEAL = "decision: DECISION\nstatement: 决定所依据的材料有误,现附新材料\nevidence: [documents/policy.pdf]\n"
_FIGURES = "credit_code,period,live_merchants,active_merchants,gmv\n{code},{period},{figures}\n"


def application(enterprise: Enterprise) -> str:
    """The application of `passes`, handed in by another enterprise."""
    text = (PASSES / "application.yaml").read_text("utf-8")
    for before, after in (
        ("91330782MA2K7P3R1U", enterprise.code),
        ("义乌北苑直播基地", f"义乌{enterprise.place}直播基地"),
        ("义乌云集电子商务有限公司", f"义乌{enterprise.place}电子商务有限公司"),
        ("王建国", enterprise.representative),
    ):
        text = text.replace(before, after)
    return re.sub(r"yunji\b", enterprise.code.lower(), text)


def papers(enterprise: Enterprise, today: date) -> dict[str, str]:
    """Name → content of what may be handed in after the application.

    A violation is found in four days from today: the scenarios report one five days after the application. The
    quarter is the first that counts. DECISION in an appeal is the decision's id, which only the scenario brings.
    """
    quarter, found_on = Period.of(today).next, today + timedelta(days=4)
    return {
        "minor.yaml": _REPORT.format(severity="minor", found_on=found_on),
        "serious.yaml": _REPORT.format(severity="serious", found_on=found_on),
        "answer.yaml": _ANSWER,
        "appeal.yaml": _APPEAL,
        "figures.csv": _FIGURES.format(code=enterprise.code, period=quarter, figures="32,21,450000.00"),
        "corrected.csv": _FIGURES.format(code=enterprise.code, period=quarter, figures="32,21,2450000.00"),
    }


def main(today: date) -> None:
    for name, enterprise in ENTERPRISES.items():
        folder = SCENARIOS / name
        shutil.copytree(PASSES, folder, dirs_exist_ok=True)
        for file, text in {"application.yaml": application(enterprise), **papers(enterprise, today)}.items():
            (folder / file).write_text(text, "utf-8")
    print(f"{SCENARIOS}/: {len(ENTERPRISES)} scenarios as of {today}")


if __name__ == "__main__":
    main(shanghai_date(datetime.now(UTC)))
