"""From when on an enterprise may apply again after a case has ended, and the waiver by two people (decision 30)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from domain.case import Case
from domain.commands import WaiveCoolingOff
from domain.conduct import Outcome
from domain.judging import judge
from domain.letters import letter, long_date
from domain.policy import Policy
from domain.records import Decision, Transition
from domain.refusals import Refusal, RefusalKind
from domain.setting import Setting, step
from domain.shanghai import shanghai_date
from domain.stages import Standing


def earliest_new_application(kind: Standing, ended_at: datetime, policy: Policy) -> date:
    """From which Shanghai date the enterprise may apply again after a case that ended so (decision 30)."""
    days = policy.cooling_off_days.get(kind, 0)
    # A period of days ends with its last day (decision 2); no cooling-off at all leaves the day itself free.
    return shanghai_date(ended_at) + timedelta(days=days + 1 if days else 0)


def require_over(case: Case, setting: Setting) -> None:
    """Refuse (5) an application while a case that has ended still stands in its way."""
    _require_no_open_conduct(case)
    until, as_what = ends(case, setting.policy)
    if setting.today < until:
        raise Refusal(
            RefusalKind.COOLING_OFF,
            f"Case {case.case_number} {as_what}; a new application is possible from {until}.",
            f"Apply again on {until} or later (decision 30).",
        )


def ends(case: Case, policy: Policy) -> tuple[date, str]:
    """From which Shanghai date on a case that has ended bars no application any more, and what sets that date.

    A waiver takes away what had been set by then; a violation decided on later counts again.
    """
    waived = case.cooling_off_waived
    left = [(until, as_what) for at, until, as_what in _set_by(case, policy) if waived is None or at > waived]
    return max(left, default=(date.min, "bars no application"), key=lambda one: one[0])


def _set_by(case: Case, policy: Policy) -> Iterator[tuple[datetime, date, str]]:
    """(since when, until, what it is): how the case ended, and what was decided on its violations since."""
    ending = case.ending
    assert ending is not None
    ended = f"ended as {ending.kind}"
    yield ending.legal_at, earliest_new_application(ending.kind, ending.legal_at, policy), ended
    for conduct in case.conduct:
        if conduct.outcome is Outcome.REVOCATION and conduct.closed_at is not None:
            until = earliest_new_application(Standing.REVOKED, conduct.closed_at, policy)
            yield conduct.closed_at, until, f"{ended}, its violation deserved a revocation"


def waive(case: Case, command: WaiveCoolingOff, setting: Setting) -> Transition:
    """Let the enterprise apply again at once. Carried out when a second person approves (`domain/approving.py`).

    Refused (5) while a conduct case is open, whose outcome may set another end, and where nothing bars an application.
    """
    judge(case, command)
    _require_no_open_conduct(case)
    until, _ = ends(case, setting.policy)
    if setting.today >= until:
        raise Refusal(
            RefusalKind.NOTHING_TO_WAIVE,
            f"Case {case.case_number} bars no new application any more.",
            "The enterprise can apply: livebase apply FILE",
        )
    return step(
        case,
        setting,
        "cooling_off_waived",
        command.actor,
        Decision("cooling_off_waived", command.actor.name, command.actor.role, case.revision, command.reason),
        letter(case, "cooling_off_waived", setting, reason=command.reason, otherwise=long_date(until)),
        detail={"reason": command.reason, "otherwise": until.isoformat()},
        cooling_off_waived=setting.now,
    )


def _require_no_open_conduct(case: Case) -> None:
    for conduct in case.open_conduct:
        raise Refusal(
            RefusalKind.COOLING_OFF,
            f"The conduct case {conduct.id} of case {case.case_number} is still open; from when a new application "
            "is possible depends on its outcome.",
            "Apply again when it is closed (decision 30).",
        )
