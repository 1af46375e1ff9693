"""What staff do to a case beside deciding it."""

from __future__ import annotations

from datetime import datetime

from temporalio import activity

from activities.desk import CaseDesk, stored_case
from domain import casework
from domain.commands import AddNote, Assign, ExtendDeadline, Outcome


class CaseworkActivities:
    """`now` is the case's clock."""

    def __init__(self, desk: CaseDesk) -> None:
        self._desk = desk

    @activity.defn
    def assign(self, command: Assign, now: datetime) -> Outcome:
        return self._desk.decide(command, now, lambda tx, at: casework.assign(stored_case(tx), command, at))

    @activity.defn
    def extend_deadline(self, command: ExtendDeadline, now: datetime) -> Outcome:
        return self._desk.decide(command, now, lambda tx, at: casework.extend(stored_case(tx), command, at))

    @activity.defn
    def add_note(self, command: AddNote, now: datetime) -> Outcome:
        return self._desk.decide(command, now, lambda tx, at: casework.add_note(stored_case(tx), command, at))
