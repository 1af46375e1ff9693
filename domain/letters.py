"""The letters a case writes: zh-CN, each with what, why, by when, and how to appeal (decision 35).

A letter is stored in its stage's transaction; delivery follows later and can never undo the act.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.case import Case
from domain.records import Letter
from domain.shanghai import shanghai_date
from domain.stages import Role


def last_day(due_at: datetime) -> str:
    """The last day of a deadline given as the midnight after it, as people write it: 2026年3月2日."""
    day = shanghai_date(due_at - timedelta(microseconds=1))
    return f"{day.year}年{day.month}月{day.day}日"


def letter(
    case: Case,
    kind: str,
    recipient: Role,
    subject: str,
    what: str,
    *,
    why: str = "",
    until: datetime | None = None,
    appeal_until: datetime | None = None,
    provisional: bool = False,
) -> Letter:
    """One letter about `case`. `until` and `appeal_until` are midnights after the last day."""
    lines = [f"{case.name}(案件 {case.case_number}):", "", what]
    if why:
        lines.append(f"原因:{why}")
    if until is not None:
        mark = "(暂定,待节假日安排公布后可能顺延)" if provisional else ""
        lines.append(f"期限:{last_day(until)}24时前{mark}。")
    if appeal_until is not None:
        lines.append(f"如有异议,可在{last_day(appeal_until)}24时前提出一次申诉。")
    return Letter(kind=kind, recipient=recipient, subject=subject, body="\n".join(lines))
