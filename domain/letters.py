"""The letters a case writes: zh-CN, each with what, why, by when, what to do and how to appeal (decision 35).

A letter is stored in its stage's transaction; delivery follows later and can never undo the act. What each one
says is in `domain/wordings.py`.
"""

from __future__ import annotations

import unicodedata
from datetime import date, datetime

from domain.case import Case
from domain.records import Letter
from domain.setting import Setting
from domain.shanghai import last_day
from domain.stages import Role
from domain.wordings import WORDINGS, Wording

SIGNATURE = "淘宝直播基地认证"

_STAFF = {
    Role.REVIEWER: "审核员",
    Role.FINANCE: "财务",
    Role.CERTIFIER: "认证员",
    Role.COMPLIANCE: "合规",
    Role.AUDITOR: "审计",
    Role.OPERATOR: "运营",
}
_PARTIES = ("申请主体", "受托企业")
"""What the names of a case's parties are, in their order."""
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # control, bidirectional and line-breaking characters


def letter(
    case: Case,
    key: str,
    setting: Setting,
    *,
    until: datetime | None = None,
    provisional: bool = False,
    appeal_until: datetime | None = None,
    **facts: object,
) -> Letter:
    """The letter `key` (its kind, or `kind.variant`) about `case`, dated by the case's clock.

    `until` and `appeal_until` are midnights after the last day; `facts` are what its wording names besides. What can be
    appealed, `decision`, is named of itself: the id of what ended the case, or ends it now.
    A fact of several lines is a tuple. Raises KeyError for a fact that is missing.
    """
    wording = WORDINGS[key]
    filled = {name: _fact(value) for name, value in facts.items()}
    parties = [(party, seen(name)) for party, name in zip(_PARTIES, case.payer_names, strict=False)]
    filled |= {
        "case": case.case_number,
        "base": seen(case.name),
        "parties": "\n".join(f"{party}:{name}" for party, name in parties),
        "payers": "或".join(f"{party}({name})" for party, name in parties),
    }
    # Where the step this letter comes with decides the case's end, its own entry is the decision (domain/setting.py).
    filled.setdefault("decision", case.ending.decision if case.ending else f"{case.case_number}-{case.sequence + 1}")
    if until is not None:
        filled["until"] = before_end_of(until, provisional=provisional)
    if appeal_until is not None:
        filled["appeal_until"] = before_end_of(appeal_until, provisional=provisional)
    parts = [
        _greeting(wording, filled),
        wording.what.format_map(filled),
        "\n".join(f"{name}:{part.format_map(filled)}" for name, part in _parts(wording) if part),
        f"{SIGNATURE}\n{long_date(setting.today)}",
    ]
    return Letter(
        kind=key.partition(".")[0],
        recipient=wording.to,
        subject=f"{wording.subject}({case.case_number})",
        body="\n\n".join(parts),
    )


def before_end_of(due_at: datetime, *, provisional: bool = False) -> str:
    """A deadline given as the midnight after its last day, as people read it: 2026年3月2日24时前."""
    mark = "(暂定,待节假日安排公布后可能顺延)" if provisional else ""
    return f"{long_date(last_day(due_at))}24时前{mark}"


def long_date(day: date) -> str:
    """A date as people write it: 2026年3月2日."""
    return f"{day.year}年{day.month}月{day.day}日"


def _greeting(wording: Wording, filled: dict[str, str]) -> str:
    if wording.to is Role.APPLICANT:
        return f"{filled['base']}:\n案件编号:{filled['case']}\n{filled['parties']}"
    return f"{_STAFF[wording.to]}同事:\n案件编号:{filled['case']},基地:{filled['base']}"


def _parts(wording: Wording) -> tuple[tuple[str, str], ...]:
    return (
        ("原因", wording.why),
        ("期限", wording.by),
        ("办理", wording.do),
        ("申诉", wording.appeal),
        ("后续", wording.follows),
    )


def _fact(value: object) -> str:
    if isinstance(value, tuple):
        return "\n".join(seen(str(line)) for line in value)
    return seen(str(value))


def seen(text: str) -> str:
    """Text people typed, on one line: nothing in it passes for another part of the letter, or is there unseen."""
    return "".join(" " if unicodedata.category(char) in _UNSEEN else char for char in text)
