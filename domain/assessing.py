"""A batch of figures against the bases on record: what each line does, and whether a person must look first.

A line that is not for a base's quarter to be assessed is told with its reason and leaves nothing on record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.case import Case
from domain.figures import Figures, Metric, Result, missed
from domain.names import same_name
from domain.periods import Period, counting_term
from domain.policy import Policy, PolicyBook
from domain.refusals import Problem, Refusal, RefusalKind
from domain.stages import Stage, Standing

FAILED = "assessment_failed"
"""The cause of an ending by a failed assessment (R9)."""
MOST_TOLD = 100
_UNTOLD = "the base has not been told yet"
_CAN_BE_SET_ASIDE = "the certification ended by its fail, which can be set aside"
_CERTIFIED = (Standing.CERTIFIED, Standing.SUSPENDED)

Done = Literal["recorded", "corrected", "unchanged", "not_assessed", "unknown_base"]
DONE: tuple[Done, ...] = ("recorded", "corrected", "unchanged", "not_assessed", "unknown_base")


@dataclass(frozen=True)
class OnRecord:
    """The newest figures of a base's quarter on record."""

    revision: int
    content: tuple[int, int, int]


@dataclass(frozen=True)
class KnownBase:
    """One case of an enterprise, what its own clock says (decision 6), and its figures on record."""

    case: Case
    now: datetime
    on_record: OnRecord | None = None


class Line(BaseModel):
    """What one line of the file comes to; `revision` is the one it is on record as."""

    model_config = ConfigDict(extra="allow", frozen=True)

    line: int
    credit_code: str
    period: str
    outcome: Done
    case_number: str | None = None
    result: Result | None = None
    missed: tuple[Metric, ...] = ()
    why: str = ""
    revision: int = 0
    policy_version: str = ""


def assess(rows: Sequence[Figures], bases: Mapping[str, Sequence[KnownBase]], policies: PolicyBook) -> tuple[Line, ...]:
    """What each line does, in their order. `bases` are the cases by credit code, the newest last."""
    last = {(row.credit_code, row.period): row.line for row in rows}
    return tuple(
        _line(row, bases.get(row.credit_code, ()), policies)
        if last[row.credit_code, row.period] == row.line
        else _left_out(row, "a later line of the file corrects it")
        for row in rows
    )


def require_few_fails(lines: Sequence[Line], policy: Policy, *, looked_at: bool) -> None:
    """Refuse (5) a batch in which more than the policy's percentage fails, unless a person has looked at it.

    What is on record already has been looked at: a batch that brings no new fail is let through.
    """
    assessed = [line for line in lines if line.result is not None]
    fails = [line for line in assessed if line.result == "fail"]
    new = any(line.outcome != "unchanged" for line in fails)
    if looked_at or not new or len(fails) * 100 <= len(assessed) * policy.assessment_stop_percent:
        return
    told = tuple(Problem(f"line {line.line}", f"{line.credit_code} fails: {', '.join(line.missed)}") for line in fails)
    more = len(told) - MOST_TOLD
    raise Refusal(
        RefusalKind.MANY_FAILS,
        f"{len(fails)} of {len(assessed)} bases assessed would fail, more than {policy.assessment_stop_percent} %. "
        "Nothing was recorded.",
        "Look at the figures; when they are right, import them with --looked-at.",
        told[:MOST_TOLD] + ((Problem("", f"and {more} more"),) if more > 0 else ()),
    )


def _line(row: Figures, cases: Sequence[KnownBase], policies: PolicyBook) -> Line:
    period = Period.parse(row.period)
    if not cases:
        return _left_out(row, "", outcome="unknown_base")
    base = next((one for one in reversed(cases) if counting_term(one.case.terms, period)), cases[-1])
    term = counting_term(base.case.terms, period)
    if term is None or (why := _not_assessed(base, period)):
        why = why if term else "the base was not certified throughout the quarter"
        return _left_out(row, why, case_number=base.case.case_number)
    below = missed(row, policies.pinned(term.policy_version))
    before = base.on_record
    unchanged = before is not None and before.content == row.content
    return Line(
        line=row.line,
        credit_code=row.credit_code,
        period=row.period,
        outcome="unchanged" if unchanged else "corrected" if before else "recorded",
        case_number=base.case.case_number,
        result="fail" if below else "pass",
        missed=below,
        why=_CAN_BE_SET_ASIDE if _ended_by_a_fail(base.case) and not below else "",
        revision=(before.revision if before else 0) + (not unchanged),
        policy_version=term.policy_version,
    )


def _ended_by_a_fail(case: Case) -> bool:
    return case.ending is not None and case.ending.cause == FAILED


def _not_assessed(base: KnownBase, period: Period) -> str:
    """Why a quarter that counts is not assessed all the same; "" when it is."""
    if base.now < period.ends:
        return "the quarter is not over"
    case = base.case
    if case.standing(base.now) in _CERTIFIED or case.stage is Stage.RENEWAL_LATE:
        return ""
    at_stake = case.assessment(str(period))
    if _ended_by_a_fail(case) and at_stake is not None and at_stake.result == "fail":
        return ""  # corrected figures can set it aside
    return "the certification has ended"


def _left_out(row: Figures, why: str, *, outcome: Done = "not_assessed", case_number: str | None = None) -> Line:
    return Line(
        line=row.line,
        credit_code=row.credit_code,
        period=row.period,
        outcome=outcome,
        case_number=case_number,
        why=why,
    )


@dataclass(frozen=True)
class AssessedBase:
    """A case with a result of a quarter on record, at its own clock's instant.

    `hears`: something came on record that the case has still to hear of.
    """

    case: Case
    now: datetime
    hears: bool = False


class Ripe(BaseModel):
    """What a confirmation of the quarter comes to for one base."""

    model_config = ConfigDict(extra="allow", frozen=True)

    case_number: str
    credit_code: str
    period: str
    result: Result
    revision: int
    outcome: Literal["confirmed", "waiting"]
    why: str = ""


def confirm(bases: Sequence[AssessedBase], period: str, by: str, importers: Sequence[str]) -> tuple[Ripe, ...]:
    """What a person of compliance would confirm of a quarter; nothing that is being corrected just now.

    Refused (4) to whoever imported figures of the quarter, and (5) when nothing is ripe.
    """
    if any(same_name(one, by) for one in importers):
        raise Refusal(
            RefusalKind.SECOND_PERSON_REQUIRED,
            f"{by} has imported figures of {period}: another person confirms them (decision 22).",
            "Two roles are still one person.",
        )
    found = tuple(_ripe(base, period, by) for base in bases)
    if not any(one.outcome == "confirmed" for one in found):
        waiting = tuple(Problem(one.case_number, one.why) for one in found)
        raise Refusal(
            RefusalKind.NOTHING_TO_CONFIRM,
            f"No result of {period} is ripe to be confirmed.",
            "See a base's with: livebase assess show BASE",
            waiting[:MOST_TOLD],
        )
    return found


def _ripe(base: AssessedBase, period: str, by: str) -> Ripe:
    case, at_stake = base.case, base.case.assessment(period)
    why = _UNTOLD if base.hears else waits(case, period, base.now, by)
    return Ripe(
        case_number=case.case_number,
        credit_code=case.credit_code,
        period=period,
        result=at_stake.result if at_stake else "unknown",
        revision=at_stake.revision if at_stake else 0,
        outcome="waiting" if why else "confirmed",
        why=why,
    )


def under_assessment(case: Case, now: datetime) -> bool:
    """Whether a result of the base can still be confirmed. `now` is the case's clock."""
    return case.standing(now) in _CERTIFIED or case.stage is Stage.RENEWAL_LATE


def waits(case: Case, period: str, now: datetime, by: str) -> str:
    """Why a person can't confirm a base's result of a quarter; "" when they can. `now` is the case's clock."""
    at_stake = case.assessment(period)
    if at_stake is None:
        return _UNTOLD
    if at_stake.state == "confirmed":
        return "it has been confirmed before"
    if not under_assessment(case, now):
        return "the certification has ended"
    if at_stake.state == "unknown":
        return "compliance decides on what is unknown"
    if at_stake.state == "objected":
        return "compliance decides on the objection"
    if at_stake.state == "decided":
        mine = at_stake.decided_by is not None and same_name(at_stake.decided_by, by)
        return "who decided it does not confirm it" if mine else ""
    if at_stake.result == "pass":
        return ""
    until = at_stake.objection_until
    return "the base may still object" if until is None or now < until else ""
