"""Setting aside the decision that ended a case: the standing is what it would have been (decisions 28 and 34).

What was under way goes on where it was; what has fallen due since comes at its own legal instant, so that no standing
reaches beyond its term. The deposit must be whole again first.
"""

from __future__ import annotations

from typing import Any

from domain import official_list
from domain.assessing import FAILED
from domain.case import Appeal, Assessment, Case, Ending, Interrupted
from domain.commands import SetAside
from domain.conduct import ConductCase, Outcome
from domain.judging import judge, require_whole
from domain.letters import letter
from domain.planning import Event
from domain.records import BenefitsRestored, Decision, Record, Transition
from domain.setting import Setting, step
from domain.stages import Stage

_OF_THE_ENDING = (
    Event.ESCALATE_MARKS,
    Event.ESCALATE_SETTLEMENT,
    Event.CLOSE_CASE,
    Event.ESCALATE_APPEAL,
)
_TASKS_OF_THE_ENDING = ("confirm_marks", "settle_deposit", "return_deposit", "decide_appeal", "set_aside_assessment")

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
    restored, changes = _restored(case, before)
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


def _restored(case: Case, before: Interrupted) -> tuple[Case, dict[str, Any]]:
    """What the decision interrupted, with what has come since and does not belong to it."""
    conduct = {one.id for one in case.conduct}
    closed = {one.hold for one in case.conduct if one.state == "closed"}
    holds = tuple(hold for hold in before.holds if hold.kind not in closed)
    kept = tuple(task for task in case.tasks_without(*_TASKS_OF_THE_ENDING))
    known = {(task.kind, task.subject) for task in kept}
    back = tuple(
        task for task in before.tasks if (task.kind, task.subject) not in known and task.subject not in conduct
    )
    since = case.plan_without(*_OF_THE_ENDING)
    changes: dict[str, Any] = {
        "stage": before.stage,
        "ending": None,
        "marks": None,
        "appeal_until": None,
        "terms": (*case.terms, before.unbegun) if before.unbegun else case.terms,
        "holds": holds,
        "suspended_since": before.suspended_since if holds else None,
        "conduct": tuple(_not_held_against_it(one, case) for one in case.conduct),
        "assessments": tuple(_no_fail_any_more(one, case) for one in case.assessments),
        "publication": before.publication,
        "renewal": before.renewal,
        "decided": before.decided,
        "tasks": (*back, *kept),
        "plan": (*(one for one in before.plan if one.event is not Event.EXPIRE_PROPOSAL and one not in since), *since),
    }
    return case.model_copy(update=changes), changes


def _not_held_against_it(conduct: ConductCase, case: Case) -> ConductCase:
    """The conduct case the certification was revoked for: what is set aside is not held against it (decision 30)."""
    led_to_it = case.ending is not None and conduct.closed_at == case.ending.legal_at
    if not led_to_it or conduct.outcome is not Outcome.REVOCATION:
        return conduct
    return conduct.model_copy(update={"outcome": Outcome.DISMISSED})


def _no_fail_any_more(one: Assessment, case: Case) -> Assessment:
    """The assessment the certification became invalid by: its fail is set aside too, and bars no renewal (23)."""
    ending = case.ending
    if ending is None or ending.cause != FAILED or (one.state, one.result) != ("confirmed", "fail"):
        return one
    led_to_it = one.confirmed_at is not None and one.confirmed_at >= ending.legal_at
    return one.model_copy(update={"result": "pass"}) if led_to_it else one


def _gap(ending: Ending, setting: Setting) -> dict[str, Any]:
    """For how long the case stood as ended: on record, and not made up for."""
    return {"from": ending.legal_at.isoformat(), "until": setting.now.isoformat()}
