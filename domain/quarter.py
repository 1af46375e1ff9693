"""One quarter on a case: how it stands, its tasks and events, and what opens with them (decision 22).

Several quarters can be under way at once; `subject` tells their tasks and events apart.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from domain.case import Assessment, Case, Interrupted
from domain.letters import letter
from domain.periods import Period
from domain.planning import Event, Planned, Task
from domain.records import Record, Transition
from domain.setting import Due, Setting, step
from domain.stages import Role

TASKS = ("import_figures", "decide_assessment", "confirm_assessment", "set_aside_assessment")
EVENTS = (Event.REMIND_FIGURES, Event.ESCALATE_FIGURES, Event.END_OBJECTION, Event.ESCALATE_ASSESSMENT)


def to_be_decided(
    case: Case,
    after: Assessment,
    event: str,
    actor: object,
    setting: Setting,
    *records: Record,
    detail: dict[str, Any] | None = None,
    legal_at: datetime | None = None,
    also: tuple[str, ...] = (),
) -> Transition:
    """Compliance must decide: its task, its letter, and the escalation when it is overdue.

    A task about missing figures has no deadline: no right hangs on it, and whatever else is due comes first.
    """
    period = after.period
    due = setting.working_days(setting.policy.assessment_decision_working_days)
    kind = "assessment_unknown" if after.state == "unknown" else "assessment_objected"
    notes = (
        letter(case, key, setting, until=due.at, provisional=due.provisional, **facts(period)) for key in (*also, kind)
    )
    task = due.task("decide_assessment", Role.COMPLIANCE, period)
    if after.state == "unknown":
        task = Task(kind=task.kind, role=task.role, subject=period)
    escalation = due.event(Event.ESCALATE_ASSESSMENT, f"the missing decision on {period} is escalated", period)
    return step(
        case,
        setting,
        event,
        actor,
        *records,
        *notes,
        legal_at=legal_at,
        detail={"period": period, **(detail or {})},
        assessments=with_(case, after),
        tasks=(*tasks_without(case, period), task),
        plan=(*_escalated_once(case, period), escalation),
    )


def to_be_confirmed(case: Case, period: str, due: Due) -> dict[str, Any]:
    escalation = due.event(Event.ESCALATE_ASSESSMENT, f"the missing confirmation of {period} is escalated", period)
    return {
        "tasks": (*tasks_without(case, period), due.task("confirm_assessment", Role.COMPLIANCE, period)),
        "plan": (*_escalated_once(case, period), escalation),
    }


def passed(case: Case, period: str, due: Due) -> tuple[Planned, ...]:
    """The plan of a base that has passed: nothing to object to, nothing to do for anybody in its own case.

    All that passed are confirmed at once, for the quarter. Whether it has been done is looked at when the case wakes
    for the quarter anyway, to remind of figures; never before it is due.
    """
    reminder = (one.at for one in case.plan if one.event is Event.REMIND_FIGURES and one.subject == period)
    what = f"the missing confirmation of {period} is escalated"
    escalation = due.event(Event.ESCALATE_ASSESSMENT, what, period)
    if (looked_at := next(reminder, due.at)) > due.at:
        escalation = Planned(event=Event.ESCALATE_ASSESSMENT, at=looked_at, what=what, subject=period)
    return (*plan_without(case, period), escalation)


def _escalated_once(case: Case, period: str) -> tuple[Planned, ...]:
    """The plan without what the quarter's own escalation takes the place of: its own before, and those of earlier
    quarters whose figures never came. They stay open tasks; nobody is told of each of them again and again."""
    unknown = {one.period for one in case.assessments if one.state == "unknown"}
    return tuple(
        planned
        for planned in plan_without(case, period)
        if planned.event is not Event.ESCALATE_ASSESSMENT or planned.subject not in unknown
    )


def tasks_without(case: Case, period: str) -> tuple[Task, ...]:
    return tuple(task for task in case.tasks if task.kind not in TASKS or task.subject != period)


def plan_without(case: Case, period: str) -> tuple[Planned, ...]:
    return tuple(planned for planned in case.plan if planned.event not in EVENTS or planned.subject != period)


def with_(case: Case, after: Assessment) -> tuple[Assessment, ...]:
    others = [one for one in case.assessments if one.period != after.period]
    return tuple(sorted((*others, after), key=lambda one: Period.parse(one.period)))


def goes_on(case: Case | Interrupted) -> dict[str, Any]:
    """What of its assessments goes on past the end of a term whose renewal is undecided."""
    return {
        "tasks": tuple(task for task in case.tasks if task.kind in TASKS),
        "plan": tuple(planned for planned in case.plan if planned.event in EVENTS),
    }


def with_windows(assessments: tuple[Assessment, ...], plan: tuple[Planned, ...]) -> tuple[Assessment, ...]:
    """Assessments with the time to object as it ends by a plan."""
    ends = {planned.subject: planned.at for planned in plan if planned.event is Event.END_OBJECTION}
    return tuple(
        one.model_copy(update={"objection_until": ends.get(one.period, one.objection_until)}) for one in assessments
    )


def facts(period: str) -> dict[str, Any]:
    """What every letter about a quarter names: as people say it, and as it is typed."""
    return {"period": Period.parse(period).chinese, "quarter": period}
