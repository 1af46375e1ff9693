"""What comes of itself: one activity per planned event, named for what it does, so that Temporal Web tells."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from temporalio import activity

from activities.desk import CaseDesk
from domain import agenda
from domain.case import Case
from domain.planning import Event, Planned
from store.cases import CaseStore


def agenda_activities(desk: CaseDesk) -> list[Callable[..., Any]]:
    """An activity for every event of `domain/agenda.py`, under the event's name."""

    def named(event: Event) -> Callable[..., Any]:
        @activity.defn(name=event.value)
        def carry_out(workflow_id: str, planned: Planned, now: datetime) -> Case:
            return desk.follow(workflow_id, planned, now, agenda.take)

        return carry_out

    return [named(event) for event in agenda.RULES]


class ClockActivities:
    """The local server's moved clocks, on record beside the case (decision 6)."""

    def __init__(self, cases: CaseStore) -> None:
        self._cases = cases

    @activity.defn
    def record_clock(self, workflow_id: str, offset_ms: int) -> None:
        self._cases.record_clock(workflow_id, timedelta(milliseconds=offset_ms))
