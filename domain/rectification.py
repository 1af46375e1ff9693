"""What is decided on a violation, and what follows from it: rectification, suspension, revocation (decision 27).

A minor one is put right or suspended for; a suspension uncorrected too long asks for the revocation, which a person
decides and a second one confirms.
"""

from __future__ import annotations

from typing import Any

from domain import suspension
from domain.case import Case
from domain.commands import DecideConduct
from domain.conduct import ConductCase, Outcome
from domain.judging import judge
from domain.letters import letter
from domain.planning import Event, Planned, Task
from domain.records import Decision, Record, Transition
from domain.setting import SYSTEM, Due, Setting, step
from domain.stages import Role
from domain.violation import waits_for_compliance

_ENDS = frozenset({Outcome.DISMISSED, Outcome.DEDUCTION, Outcome.RECTIFIED, Outcome.REVOCATION})


def decide(case: Case, command: DecideConduct, setting: Setting) -> Transition:
    """Compliance decides. The outcome must be one of those open now (`ConductCase.possible`).

    A revocation of a certification in force comes through its proposal and its second person instead
    (`domain/deciding.py`); on one that has ended it stays on record and sets the cooling-off (decision 30).
    """
    judge(case, command)
    conduct = case.conduct_case(command.conduct)
    assert conduct is not None
    outcome = command.outcome
    by_now = {"decided_by": (*conduct.decided_by, command.actor.name), "acts": conduct.acts + 1}
    conduct = conduct.model_copy(update=by_now)
    records, changes = _by_outcome(case, conduct, outcome, command.reason, setting)
    after: ConductCase = changes.pop("after")
    until = after.next_event.at if after.state in ("rectification", "suspended") and after.next_event else None
    return step(
        case,
        setting,
        f"conduct_{outcome}",
        command.actor,
        Decision(
            f"conduct_{outcome}",
            command.actor.name,
            command.actor.role,
            case.revision,
            command.reason,
            detail={"conduct": conduct.id, "rule": conduct.rule},
        ),
        *records,
        letter(
            case,
            f"conduct_{outcome}",
            setting,
            until=until,
            conduct=conduct.id,
            rule=conduct.rule,
            reason=command.reason,
        ),
        detail={"conduct": conduct.id, "outcome": outcome.value, "reason": command.reason},
        conduct=case.with_conduct(after),
        **changes,
    )


def revoked(conduct: ConductCase, setting: Setting) -> ConductCase:
    """The conduct case that has led to the revocation: it is closed with that."""
    return _closed(conduct, Outcome.REVOCATION, setting)


def suspend_uncorrected(case: Case, conduct: ConductCase, planned: Planned, setting: Setting) -> Transition:
    """The rectification is overdue: the base is suspended by itself, as of the day it was due."""
    return _suspended(case, conduct, setting, "conduct_uncorrected", SYSTEM, legal_at=planned.at)


def ask_for_revocation(case: Case, conduct: ConductCase, planned: Planned, setting: Setting) -> Transition:
    """Suspended and uncorrected too long: revocation is proposed to compliance; a person decides."""
    waiting, plan = waits_for_compliance(conduct, setting, "decide_conduct")
    after = conduct.model_copy(update={"overdue": True, "plan": plan})
    return step(
        case,
        setting,
        "revocation_asked_for",
        SYSTEM,
        letter(
            case,
            "revocation_asked_for",
            setting,
            until=waiting.due_at,
            provisional=waiting.provisional,
            conduct=conduct.id,
            rule=conduct.rule,
        ),
        legal_at=planned.at,
        detail={"conduct": conduct.id},
        conduct=case.with_conduct(after),
        tasks=(*case.tasks, waiting),
    )


def rectify_by(case: Case, task: Task, due: Due) -> dict[str, Any]:
    """What hangs on the deadline to put a violation right, by its new day."""
    conduct = case.conduct_case(task.subject or "")
    assert conduct is not None
    plan = tuple(due.event(planned.event, planned.what) for planned in conduct.plan)
    moved = due.task(task.kind, task.role).model_copy(update={"subject": task.subject})
    return {
        "tasks": tuple(moved if one == task else one for one in case.tasks),
        "conduct": case.with_conduct(conduct.model_copy(update={"plan": plan})),
    }


def _by_outcome(
    case: Case, conduct: ConductCase, outcome: Outcome, reason: str, setting: Setting
) -> tuple[tuple[Record, ...], dict[str, Any]]:
    """What an outcome leaves on record, and changes: `after` is the conduct case after it."""
    tasks = case.tasks_of_others(conduct.id)
    if outcome is Outcome.RECTIFICATION:
        due = setting.days(setting.policy.rectification_days)
        task = due.task("rectify", Role.APPLICANT).model_copy(update={"subject": conduct.id})
        plan = (due.event(Event.SUSPEND_UNCORRECTED, "a violation not put right suspends the base"),)
        after = conduct.model_copy(update={"state": "rectification", "outcome": outcome, "plan": plan})
        return (), {"after": after, "tasks": (*tasks, task)}
    if outcome in _ENDS:
        records, changes = _lifted(case, conduct, setting)
        return records, {**changes, "after": _closed(conduct, outcome, setting), "tasks": tasks}
    conduct = conduct.suspending(setting.now, reason)
    records, changes = _placed(case, conduct, setting)
    after, task = _correcting(conduct, setting)
    return records, {**changes, "after": after, "tasks": (*tasks, task)}


def _suspended(
    case: Case, conduct: ConductCase, setting: Setting, event: str, actor: object, *, legal_at: Any
) -> Transition:
    conduct = conduct.suspending(legal_at, f"the violation of {conduct.rule} was not put right")
    records, changes = _placed(case, conduct, setting)
    after, task = _correcting(conduct, setting)
    return step(
        case,
        setting,
        event,
        actor,
        *records,
        letter(case, event, setting, until=task.due_at, conduct=conduct.id, rule=conduct.rule),
        legal_at=legal_at,
        detail={"conduct": conduct.id},
        conduct=case.with_conduct(after),
        tasks=(*case.tasks_of_others(conduct.id), task),
        **changes,
    )


def _correcting(conduct: ConductCase, setting: Setting) -> tuple[ConductCase, Any]:
    """Suspended until it is put right; after so many days a revocation is asked for."""
    due = setting.days(setting.policy.conduct_suspension_days)
    task = due.task("rectify", Role.APPLICANT).model_copy(update={"subject": conduct.id})
    plan = (due.event(Event.ASK_FOR_REVOCATION, "a suspension uncorrected so long asks for the revocation"),)
    return conduct.model_copy(update={"state": "suspended", "outcome": Outcome.SUSPENSION, "plan": plan}), task


def _placed(case: Case, conduct: ConductCase, setting: Setting) -> suspension.Held:
    """The conduct case's own hold, unless it is open already or there is nothing left to suspend."""
    if case.ending is not None or case.hold(conduct.hold) is not None:
        return (), {}
    return suspension.place(case, conduct.hold, conduct.suspended_for, setting, since=conduct.suspended_since)


def _lifted(case: Case, conduct: ConductCase, setting: Setting) -> suspension.Held:
    if case.hold(conduct.hold) is None:
        return (), {}
    return suspension.lift(case, conduct.hold, setting)


def _closed(conduct: ConductCase, outcome: Outcome, setting: Setting) -> ConductCase:
    over = {"plan": (), "overdue": False, "suspended_since": None, "suspended_for": ""}
    return conduct.model_copy(update={"state": "closed", "outcome": outcome, "closed_at": setting.now, **over})
