"""A conduct case: a violation of R2 to R8 from its report to what is decided on it (decision 27).

report → the base's answer → decision → rectification and its check → closed

It is part of its certification case, where its tasks, letters and audit entries are; the workflow that waits for it is
its own (`workflows/conduct.py`). It outlives the certification, whose renewal an open serious one bars and whose
cooling-off its outcome sets (decisions 23 and 30).
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.planning import Planned


class Outcome(StrEnum):
    """What can be decided: the closed list. Which one when, says `OUTCOMES`."""

    DISMISSED = "dismissed"
    RECTIFICATION = "rectification"
    DEDUCTION = "deduction"
    SUSPENSION = "suspension"
    REVOCATION = "revocation"
    RECTIFIED = "rectified"
    UNCORRECTED = "uncorrected"


State = Literal["answer", "decision", "rectification", "check", "suspended", "closed"]
Severity = Literal["minor", "serious"]

OUTCOMES: dict[tuple[State, Severity], frozenset[Outcome]] = {
    ("decision", "minor"): frozenset({Outcome.DISMISSED, Outcome.RECTIFICATION, Outcome.DEDUCTION, Outcome.SUSPENSION}),
    ("decision", "serious"): frozenset(
        {Outcome.DISMISSED, Outcome.RECTIFICATION, Outcome.DEDUCTION, Outcome.SUSPENSION, Outcome.REVOCATION}
    ),
    ("check", "minor"): frozenset({Outcome.RECTIFIED, Outcome.UNCORRECTED}),
    ("check", "serious"): frozenset({Outcome.RECTIFIED, Outcome.UNCORRECTED, Outcome.REVOCATION}),
    ("suspended", "minor"): frozenset({Outcome.RECTIFIED, Outcome.REVOCATION}),
    ("suspended", "serious"): frozenset({Outcome.RECTIFIED, Outcome.REVOCATION}),
}
"""(where the conduct case is, its severity) → what compliance may decide then. A minor one leads to a revocation only
through a suspension that stayed uncorrected (`overdue`)."""

RULES: dict[str, str] = {
    "R2": "不得对平台扶持计划妄加评论、收费或夸大虚构宣传,并以此招募合作伙伴",
    "R3": "未列入官方名单的基地不得以认证基地名义开展活动",
    "R4": "不得代开、分配平台权限或以此向内容创作者收费",
    "R5": "未经事先书面授权,不得以平台名义开展商业活动或虚假宣传",
    "R6": "不得怂恿刷榜、刷数据等数据造假",
    "R7": "不得泄露基地、商家、主播的信息",
    "R8": "遵守合作协议及平台规则,并确保其引入的品牌、商家、主播遵守",
}
"""The rules a base can violate, as a letter tells them (requirements R2 to R8)."""

TRIGGERS: dict[str, frozenset[str]] = {rule: frozenset({"breach"}) for rule in RULES} | {
    "R8": frozenset({"breach", "account_violation"})
}
"""Rule → what can have set it off: an account's violation caused by the base falls under R8 (b) alone."""


class ConductCase(BaseModel):
    """One conduct case, now. `id` is `<case number>-C<n>`; what was reported is on record under it.

    `plan` is what comes of itself in it; `overdue` is set when a suspension for it has stayed uncorrected too long.
    `answered` within its time; what the answer says is in the entry that put it on record (`answer` of older ones).
    `suspended_since` and `suspended_for` are a suspension for it, whether or not there is a certification to suspend.
    `decided_by` are all who have decided anything on it, `acts` counts what people have done about it since its report.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    id: str
    rule: str
    trigger: Literal["breach", "account_violation"]
    severity: Severity
    found_on: date
    opened_at: datetime
    reported_by: str
    state: State = "answer"
    answer: str | None = None
    answered: bool = False
    overdue: bool = False
    outcome: Outcome | None = None
    closed_at: datetime | None = None
    suspended_since: datetime | None = None
    suspended_for: str = ""
    decided_by: tuple[str, ...] = ()
    acts: int = 0
    plan: tuple[Planned, ...] = ()

    @property
    def hold(self) -> str:
        """The kind of the hold a suspension for it places (`domain/suspension.py`)."""
        return f"conduct:{self.id}"

    def suspending(self, since: datetime, reason: str) -> ConductCase:
        """The conduct case with a suspension for it; one that is open goes on."""
        if self.suspended_since is not None:
            return self
        return self.model_copy(update={"suspended_since": since, "suspended_for": reason})

    @property
    def unanswered(self) -> bool:
        """Whether the base has let its time to answer pass."""
        return not self.answered and self.answer is None

    @property
    def next_event(self) -> Planned | None:
        """What comes of itself first."""
        return min(self.plan, key=lambda planned: planned.at) if self.plan else None

    @property
    def possible(self) -> frozenset[Outcome]:
        """What compliance may decide now."""
        allowed = OUTCOMES.get((self.state, self.severity), frozenset())
        early = self.state == "suspended" and self.severity == "minor" and not self.overdue
        return allowed - {Outcome.REVOCATION} if early else allowed


def conduct_workflow_id(case_workflow: str, conduct: str) -> str:
    """`conduct:<credit code>:<n>:C<m>`: the workflow that waits for a conduct case, beside its certification's."""
    return f"conduct:{case_workflow.removeprefix('base:')}:{conduct.rpartition('-')[2]}"
