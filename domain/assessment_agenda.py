"""What comes of itself in a quarter's assessment: reminders of what is missing, never a decision (decision 22, E42)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from domain.case import Assessment, Case
from domain.letters import letter
from domain.periods import Period
from domain.planning import Event, Planned, Task
from domain.quarter import facts, plan_without, tasks_without, to_be_confirmed, to_be_decided
from domain.records import Transition
from domain.setting import SYSTEM, Setting, step
from domain.stages import Role


def year_plan(setting: Setting, periods: Iterable[Period]) -> tuple[Planned, ...]:
    """The reminders of figures that are missing, one for each quarter: it falls away when they come."""
    days = timedelta(days=setting.policy.assessment_import_days)
    return tuple(
        Planned(
            event=Event.REMIND_FIGURES,
            at=period.ends + days,
            what=f"the operator is reminded of the figures of {period} if they are missing",
            subject=str(period),
        )
        for period in periods
    )


def remind_figures(case: Case, planned: Planned, setting: Setting) -> Transition:
    """The quarter's figures are missing: the operator is reminded."""
    due = setting.working_days(setting.policy.assessment_unknown_working_days)
    escalation = due.event(
        Event.ESCALATE_FIGURES,
        f"the missing figures of {_quarter(planned)} are escalated, and a person decides",
        _quarter(planned),
    )
    return step(
        case,
        setting,
        "remind_figures",
        SYSTEM,
        letter(case, "remind_figures", setting, until=due.at, provisional=due.provisional, **facts(_quarter(planned))),
        legal_at=planned.at,
        detail={"period": _quarter(planned)},
        tasks=(
            *tasks_without(case, _quarter(planned)),
            Task(kind="import_figures", role=Role.OPERATOR, subject=_quarter(planned)),
        ),
        plan=(*plan_without(case, _quarter(planned)), escalation),
    )


def escalate_figures(case: Case, planned: Planned, setting: Setting) -> Transition:
    """Still missing: the result is unknown, never a fail (E42). It is escalated, and compliance decides."""
    known = case.assessment(_quarter(planned)) or Assessment(
        period=_quarter(planned), state="unknown", result="unknown"
    )
    return to_be_decided(
        case, known, "figures_escalated", SYSTEM, setting, legal_at=planned.at, also=("figures_escalated",)
    )


def end_objection(case: Case, planned: Planned, setting: Setting) -> Transition:
    """Nobody has objected: a second person of compliance confirms."""
    due = setting.working_days(setting.policy.assessment_decision_working_days)
    return step(
        case,
        setting,
        "objection_window_ended",
        SYSTEM,
        legal_at=planned.at,
        detail={"period": _quarter(planned)},
        **to_be_confirmed(case, _quarter(planned), due),
    )


def escalate(case: Case, planned: Planned, setting: Setting) -> Transition:
    """A decision or a confirmation is overdue: told to the operator, and again each further period."""
    again = setting.days(setting.policy.assessment_escalation_days)
    note = letter(
        case,
        "assessment_escalated",
        setting,
        until=again.at,
        provisional=again.provisional,
        **facts(_quarter(planned)),
    )
    return step(
        case,
        setting,
        "assessment_escalated",
        SYSTEM,
        note,
        legal_at=planned.at,
        detail={"period": _quarter(planned)},
        plan=(*case.plan_without(planned), again.event(planned.event, planned.what, _quarter(planned))),
    )


def _quarter(planned: Planned) -> str:
    assert planned.subject is not None
    return planned.subject
