"""The top-up of a deposit that a deduction has left short: its time, and the suspension that follows it (decision 16).

Made good, whenever, the suspension is lifted. Like the deposit's own due date, the value date counts and a grace waits
for the bank's report.
"""

from __future__ import annotations

from typing import Any

from domain import suspension
from domain.case import Case
from domain.letters import letter
from domain.money import format_cny
from domain.planning import Event, Planned
from domain.records import Letter, Payment, Transition
from domain.setting import SYSTEM, Setting, step
from domain.stages import Role, Stage

HOLD = suspension.DEPOSIT
"""The kind of the hold a top-up that was not made places."""

TASK = "top_up"
EVENTS = (Event.REMIND_TOP_UP, Event.SUSPEND_SHORT_DEPOSIT)
_IN_TERM = frozenset({Stage.PUBLISHING, Stage.VALID})


def opened(case: Case, setting: Setting) -> dict[str, Any]:
    """What a deposit that has become short opens on a certification in its term: the base's task, and what follows.

    A second deduction within the time gives the whole time anew; suspended for it already, the base owes the more.
    """
    if case.stage not in _IN_TERM or case.hold(HOLD) is not None:
        return {}
    policy = setting.policy
    due = setting.days(policy.top_up_days)
    grace = setting.grace(due, policy.deposit_grace_working_days)
    reminders = tuple(
        setting.before(due, days).event(
            Event.REMIND_TOP_UP, f"the base is reminded to top up its deposit (days left: {days})"
        )
        for days in policy.deposit_reminder_days_before
    )
    suspend = grace.event(Event.SUSPEND_SHORT_DEPOSIT, "a deposit that was not topped up suspends the base")
    return {
        "tasks": (*case.tasks_without(TASK), due.task(TASK, Role.APPLICANT)),
        "plan": (*case.plan_without(*EVENTS), *reminders, suspend),
    }


def is_due(case: Case) -> bool:
    """Whether the base owes a top-up, suspended for it or not yet."""
    return any(task.kind == TASK for task in case.tasks)


def made(case: Case, setting: Setting) -> suspension.Held:
    """The deposit is whole again: nothing is owed, and a suspension for it ends."""
    records, changes = suspension.lift(case, HOLD, setting) if case.hold(HOLD) else ((), {})
    return records, {**changes, "tasks": case.tasks_without(TASK), "plan": case.plan_without(*EVENTS)}


def remind(case: Case, planned: Planned, setting: Setting) -> Transition:
    """Remind the base of what its deposit lacks."""
    task = next(task for task in case.tasks if task.kind == TASK)
    note = letter(
        case,
        "remind_top_up",
        setting,
        until=task.due_at,
        provisional=task.provisional,
        missing=format_cny(case.deposit.missing),
    )
    plan = case.plan_without(planned)
    return step(case, setting, "remind_top_up", SYSTEM, note, legal_at=planned.at, plan=plan)


def suspend(case: Case, planned: Planned, setting: Setting) -> Transition:
    """The time and its grace are over: the base is suspended by itself until the deposit is whole."""
    missing = format_cny(case.deposit.missing)
    reason = f"CNY {missing} of the deposit is lacking"
    records, changes = suspension.place(case, HOLD, reason, setting, since=planned.at)
    task = next(task for task in case.tasks if task.kind == TASK)
    owed = task.model_copy(update={"due_at": None, "provisional": False, "counted": None})
    return step(
        case,
        setting,
        "deposit_short_suspended",
        SYSTEM,
        *records,
        letter(case, "deposit_short_suspended", setting, missing=missing),
        legal_at=planned.at,
        detail={"hold": HOLD, "missing": {"fen": case.deposit.missing}},
        **changes,
        tasks=tuple(owed if one == task else one for one in case.tasks),
        plan=case.plan_without(*EVENTS),
    )


def receipt(case: Case, payment: Payment, missing: int, setting: Setting) -> Letter:
    """What a payment has done to the deposit of a certified base, as the base is told."""
    holds = [hold for hold in case.holds if hold.kind != HOLD]
    whole = "suspended" if holds else "whole"
    return letter(
        case,
        f"deposit_topped_up.{'part' if missing else whole}",
        setting,
        credited=format_cny(payment.credited),
        missing=format_cny(missing),
        reference=payment.reference,
        left=len(holds),
    )
