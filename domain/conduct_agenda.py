"""What comes of itself in a conduct case, and when: its own small agenda, carried out by its own workflow."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from domain import rectification, violation
from domain.case import Case
from domain.conduct import ConductCase
from domain.planning import Event, Planned
from domain.records import Transition
from domain.setting import Setting

Rule = Callable[[Case, ConductCase, Planned, Setting], Transition]

RULES: dict[Event, Rule] = {
    Event.END_ANSWER: violation.end_answer,
    Event.ESCALATE_CONDUCT: violation.escalate,
    Event.SUSPEND_UNCORRECTED: rectification.suspend_uncorrected,
    Event.ASK_FOR_REVOCATION: rectification.ask_for_revocation,
}
_TRANSITIONS = frozenset(RULES) - {Event.ESCALATE_CONDUCT}


def due(conduct: ConductCase, now: datetime) -> Planned | None:
    """The event to carry out now, or None."""
    first = conduct.next_event
    return first if first is not None and first.at <= now else None


def legally_due(conduct: ConductCase, now: datetime) -> Planned | None:
    """The same, if it changes what the conduct case waits for: it comes before any command (decision 7)."""
    first = due(conduct, now)
    return first if first is not None and first.event in _TRANSITIONS else None


def take(case: Case, id: str, planned: Planned, setting: Setting) -> Transition | None:
    """Carry out a due event; None when it is no longer planned: it has been carried out, or the plan has moved."""
    conduct = case.conduct_case(id)
    if conduct is None or planned not in conduct.plan:
        return None
    return RULES[planned.event](case, conduct, planned, setting)
