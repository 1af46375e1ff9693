"""What comes of itself, and when: one table from planned event to the rule that carries it out.

The workflow's timers, `livebase next` and the local server's fast-forward all follow this agenda.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from domain import (
    after_ending,
    appeal,
    approving,
    assessment_agenda,
    certification,
    deposit,
    expiry,
    next_term,
    publication,
    renewal,
    review,
    top_up,
)
from domain.case import Case
from domain.planning import Event, Planned
from domain.records import Transition
from domain.setting import SYSTEM, Setting, step

Rule = Callable[[Case, Planned, Setting], Transition]

RULES: dict[Event, Rule] = {
    Event.REMIND_REVIEWER: review.remind_reviewer,
    Event.ESCALATE_REVIEW: review.escalate_review,
    Event.REMIND_SUPPLEMENT: review.remind_supplement,
    Event.LAPSE_SUPPLEMENT: review.lapse_supplement,
    Event.REMIND_DEPOSIT: deposit.remind,
    Event.LAPSE_DEPOSIT: deposit.lapse,
    Event.REMIND_TOP_UP: top_up.remind,
    Event.SUSPEND_SHORT_DEPOSIT: top_up.suspend,
    Event.ESCALATE_CERTIFICATION: certification.escalate,
    Event.ESCALATE_PUBLICATION: publication.escalate,
    Event.RECORD_PUBLICATION_BREACH: publication.record_breach,
    Event.REMIND_RENEWAL: certification.remind_renewal,
    Event.REMIND_RENEWAL_REVIEWER: renewal.remind_reviewer,
    Event.ESCALATE_RENEWAL: renewal.escalate,
    Event.REMIND_RENEWAL_SUPPLEMENT: renewal.remind_supplement,
    Event.LAPSE_RENEWAL: renewal.lapse,
    Event.REMIND_FIGURES: assessment_agenda.remind_figures,
    Event.ESCALATE_FIGURES: assessment_agenda.escalate_figures,
    Event.END_OBJECTION: assessment_agenda.end_objection,
    Event.ESCALATE_ASSESSMENT: assessment_agenda.escalate,
    Event.BEGIN_TERM: next_term.begin_term,
    Event.EXPIRE_CERTIFICATION: expiry.expire,
    Event.CLOSE_LATE_RENEWAL: renewal.close_late,
    Event.EXPIRE_PROPOSAL: approving.expire,
    Event.ESCALATE_MARKS: after_ending.escalate_marks,
    Event.ESCALATE_SETTLEMENT: after_ending.escalate_settlement,
    Event.ESCALATE_APPEAL: appeal.escalate,
    Event.CLOSE_CASE: after_ending.close,
}
"""Event → rule. Three reach an outside party first, and the workflow carries them out: ASK_VERIFICATION,
ATTEMPT_PUBLICATION and SEND_REFUND."""

_TRANSITIONS = frozenset(
    {
        Event.LAPSE_SUPPLEMENT,
        Event.LAPSE_DEPOSIT,
        Event.SUSPEND_SHORT_DEPOSIT,
        Event.RECORD_PUBLICATION_BREACH,
        Event.LAPSE_RENEWAL,
        Event.BEGIN_TERM,
        Event.EXPIRE_CERTIFICATION,
        Event.CLOSE_LATE_RENEWAL,
        Event.EXPIRE_PROPOSAL,
        Event.CLOSE_CASE,
    }
)
_OVERTAKEN_BY: dict[Event, frozenset[Event]] = {
    Event.REMIND_REVIEWER: frozenset({Event.REMIND_REVIEWER, Event.ESCALATE_REVIEW}),
    Event.REMIND_SUPPLEMENT: frozenset({Event.REMIND_SUPPLEMENT}),
    Event.REMIND_DEPOSIT: frozenset({Event.REMIND_DEPOSIT}),
    Event.REMIND_TOP_UP: frozenset({Event.REMIND_TOP_UP, Event.SUSPEND_SHORT_DEPOSIT}),
    Event.REMIND_RENEWAL: frozenset({Event.REMIND_RENEWAL}),
    Event.REMIND_RENEWAL_REVIEWER: frozenset({Event.REMIND_RENEWAL_REVIEWER, Event.ESCALATE_RENEWAL}),
    Event.REMIND_RENEWAL_SUPPLEMENT: frozenset({Event.REMIND_RENEWAL_SUPPLEMENT}),
    Event.ESCALATE_PUBLICATION: frozenset({Event.ESCALATE_PUBLICATION}),
}


def legally_due(case: Case, now: datetime) -> Planned | None:
    """The earliest due event that changes what the case is: a term's begin or end, lapse, breach (decision 7)."""
    return _earliest(case, now, _TRANSITIONS)


def due(case: Case, now: datetime) -> Planned | None:
    """The event to carry out now, or None: what changes the case first, then the rest in their order."""
    return legally_due(case, now) or _earliest(case, now, frozenset(Event))


def moot(case: Case, planned: Planned, now: datetime) -> bool:
    """A notice is moot when its deadline is over, or a later one of its kind is due as well (decision 7)."""
    overtaken_by = _OVERTAKEN_BY.get(planned.event)
    if overtaken_by is None:
        return False
    if planned.event is Event.REMIND_RENEWAL and case.renewal is not None:
        return True  # it has been filed
    if planned.event is Event.ESCALATE_PUBLICATION and case.publication is not None and case.publication.breached:
        return True  # the deadline it warns of is missed: the breach came first
    if planned.event is Event.REMIND_DEPOSIT and case.due_at is not None and case.due_at <= now:
        return True
    return any(
        other != planned and other.event in overtaken_by and planned.at <= other.at <= now for other in case.plan
    )


def skip(case: Case, planned: Planned, setting: Setting) -> Transition:
    """A moot notice is skipped, on record, without a letter."""
    return step(
        case,
        setting,
        "notice_skipped",
        SYSTEM,
        legal_at=planned.at,
        detail={"event": planned.event, "what": planned.what},
        plan=case.plan_without(planned),
    )


def take(case: Case, planned: Planned, setting: Setting) -> Transition:
    """Carry out a due event, or skip it when it is moot."""
    if moot(case, planned, setting.now):
        return skip(case, planned, setting)
    return RULES[planned.event](case, planned, setting)


def _earliest(case: Case, now: datetime, events: frozenset[Event]) -> Planned | None:
    waiting = [planned for planned in case.plan if planned.event in events and planned.at <= now]
    return min(waiting, key=lambda planned: planned.at, default=None)
