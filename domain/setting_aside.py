"""Setting aside the decision that ended a case: the standing is what it would have been (decisions 28 and 34).

What was under way goes on where it was; what has fallen due since comes at its own legal instant, so that no standing
reaches beyond its term. The deposit must be whole again first.
"""

from __future__ import annotations

from typing import Any

from domain import official_list, quarter, suspension, top_up
from domain.after_ending import EVENTS_OF_THE_END, TASKS_OF_THE_END
from domain.assessing import FAILED
from domain.assessment import failed_last
from domain.case import Appeal, Assessment, Case, Ending, Interrupted
from domain.commands import SetAside
from domain.conduct import ConductCase, Outcome
from domain.deposit import full_deposit
from domain.judging import judge, require_whole
from domain.letters import letter
from domain.permissions import SECOND_PERSON
from domain.planning import Event, Planned, Task
from domain.records import BenefitsRestored, Decision, Record, Transition
from domain.setting import Setting, step
from domain.shanghai import last_day
from domain.stages import Stage
from domain.time_left import TimeLeft
from domain.violation import waits_for_compliance

OF_THE_ENDING = (
    *EVENTS_OF_THE_END,
    Event.CLOSE_CASE,
    Event.ESCALATE_APPEAL,
    Event.EXPIRE_PROPOSAL,
)
_TASKS_OF_THE_ENDING = (*TASKS_OF_THE_END, "return_deposit", "decide_appeal", "set_aside_assessment")

_APPROVALS = frozenset(second.task for second in SECOND_PERSON.values())
_NOT_AGAIN = (Event.EXPIRE_PROPOSAL, Event.SEND_REFUND)
"""What is not planned anew: proposals do not come back, and money on its way out has gone on meanwhile."""
_STILL_TO_BE_PAID = (Stage.REVIEW, Stage.SUPPLEMENT, Stage.DEPOSIT)


def set_aside(case: Case, command: SetAside, setting: Setting) -> Transition:
    """Undo our own mistake. Carried out when a second person approves (`domain/approving.py`)."""
    judge(case, command)
    decision = Decision(
        "set_aside",
        command.actor.name,
        command.actor.role,
        case.revision,
        command.reason,
        detail={"decision": command.decision},
    )
    return undone(case, setting, "decision_set_aside", command.actor, decision, reason=command.reason)


def undone(
    case: Case,
    setting: Setting,
    event: str,
    actor: object,
    *records: Record,
    reason: str,
    appeal: Appeal | None = None,
) -> Transition:
    """The case as if the decision that ended it had not been made."""
    ending = case.ending
    assert ending is not None and ending.interrupted is not None
    before = ending.interrupted
    if before.stage not in _STILL_TO_BE_PAID:
        require_whole(case, "again first (decision 28)")
    restored, changes = _restored(case, ending, before, setting)
    listed: tuple[Record, ...] = ()
    if before.publication is not None and before.publication.state == "published":
        listed = official_list.entries(restored, setting)
        publication = before.publication.model_copy(update={"register_revision": setting.list_revision})
        changes["publication"] = publication
    return step(
        case,
        setting,
        event,
        actor,
        *records,
        *(BenefitsRestored(term.ordinal) for term in restored.terms if term.until > setting.now),
        *listed,
        letter(case, event, setting, decision=ending.decision, reason=reason),
        detail={
            "decision": ending.decision,
            "reason": reason,
            "ended_as": ending.kind.value,
            "reopened": [one.id for one in restored.open_conduct if case.conduct_case(one.id) != one],
            "gap": _gap(ending, setting),
        },
        **changes,
        appeal=appeal or _without_object(case, setting),
    )


def _without_object(case: Case, setting: Setting) -> Appeal | None:
    """An appeal nobody has decided on yet has what it asked for; nothing is left to decide."""
    if case.open_appeal is None:
        return case.appeal
    return case.open_appeal.model_copy(update={"outcome": "set-aside", "decided_at": setting.now})


def _restored(case: Case, ending: Ending, before: Interrupted, setting: Setting) -> tuple[Case, dict[str, Any]]:
    """What the decision interrupted, with what has come since and does not belong to it."""
    left = TimeLeft(ending.legal_at, setting)
    decided_anew = _decided_anew(case, ending, before, setting)
    reopened = {one.id: left.of_conduct(one) for one in before.conduct} | {one.id: one for one, _ in decided_anew}
    conduct = tuple(reopened.get(one.id, one) for one in case.conduct)
    going_on = {one.id for one in case.conduct} - set(reopened)
    kept = case.tasks_without(*_TASKS_OF_THE_ENDING)
    over = _APPROVALS if case.deposit.missing else _APPROVALS | {top_up.TASK}
    moot = () if case.deposit.missing else top_up.EVENTS
    known = {(task.kind, task.subject) for task in kept}
    back = tuple(
        # Whoever decided it has it no longer.
        left.of_task(task.model_copy(update={"assignee": None}) if task.kind == "review" else task)
        for task in before.tasks
        if (task.kind, task.subject) not in known and task.subject not in going_on and task.kind not in over
    )
    since = case.plan_without(*OF_THE_ENDING, *moot)
    plan = tuple(
        left.of_planned(planned)
        for planned in before.plan
        if planned.event not in (*_NOT_AGAIN, *moot) and planned not in since
    )
    changes: dict[str, Any] = {
        "stage": before.stage,
        "ending": None,
        "marks": None,
        "appeal_until": None,
        "resumed_at": setting.now,
        "terms": (*case.terms, before.unbegun) if before.unbegun else case.terms,
        "conduct": conduct,
        "publication": before.publication,
        "renewal": before.renewal,
        "decided": before.decided,
        "deposit_due_on": next(
            (last_day(task.due_at) for task in back if task.kind == "deposit" and task.due_at), case.deposit_due_on
        ),
        "assessments": _assessments(case, ending, before, plan),
        "tasks": (*back, *kept, *(task for _, task in decided_anew)),
        "plan": (*plan, *since),
        "cooling_off_waived": None,
    }
    if before.stage is Stage.DEPOSIT and not case.deposit.missing:  # what was lacking has come meanwhile
        full = full_deposit(setting)
        without = case.model_copy(update=changes)
        changes |= {
            "stage": full["stage"],
            "tasks": (*without.tasks_without("deposit"), *full["tasks"]),
            "plan": (*without.plan_without(Event.REMIND_DEPOSIT, Event.LAPSE_DEPOSIT), *full["plan"]),
        }
    changes |= suspension.grounded(case.model_copy(update=changes), before.holds, before.suspended_since)
    return case.model_copy(update=changes), changes


def _decided_anew(case: Case, ending: Ending, before: Interrupted, setting: Setting) -> list[tuple[ConductCase, Task]]:
    """The violations that deserved a revocation by a decision made after the end, with compliance's task on each.

    One person was enough for it there. A certification that goes on after all is revoked by two (decision 29).
    """
    closed_by_it = {one.id for one in before.conduct}
    held = {hold.kind: hold for hold in before.holds}
    anew = []
    for one in case.conduct:
        late = one.closed_at is not None and one.closed_at >= ending.legal_at
        if one.outcome is not Outcome.REVOCATION or not late or one.id in closed_by_it:
            continue
        task, plan = waits_for_compliance(one, setting, "decide_conduct")
        opened: dict[str, Any] = {
            "state": "decision",
            "outcome": None,
            "closed_at": None,
            "plan": plan,
            "acts": one.acts + 1,
        }
        if (hold := held.get(one.hold)) is not None:
            opened |= {"suspended_since": hold.since, "suspended_for": hold.reason}
        anew.append((one.model_copy(update=opened), task))
    return anew


def _assessments(case: Case, ending: Ending, before: Interrupted, plan: tuple[Planned, ...]) -> tuple[Assessment, ...]:
    """The quarters as they were: what has come on record of them meanwhile is heard of now, in its order.

    A fail that ended the certification is none any more, and its quarter without a result until figures are corrected.
    """
    if before.assessments is None:
        return case.assessments
    failed = failed_last(before.assessments) if ending.cause == FAILED else ()
    return tuple(
        one.model_copy(update={"result": "unknown"}) if one in failed else with_window
        for one, with_window in zip(before.assessments, quarter.with_windows(before.assessments, plan), strict=True)
    )


def _gap(ending: Ending, setting: Setting) -> dict[str, Any]:
    """For how long the case stood as ended: on record, and not made up for."""
    return {"from": ending.legal_at.isoformat(), "until": setting.now.isoformat()}
