"""What comes of itself in a conduct case: one activity per planned event, and reading the case it is part of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from temporalio import activity

from activities.desk import CaseDesk
from domain import conduct_agenda
from domain.case import Case
from domain.planning import Event, Planned
from store.cases import CaseStore


def conduct_activities(desk: CaseDesk) -> list[Callable[..., Any]]:
    """An activity for every event of `domain/conduct_agenda.py`, under the event's name."""

    def named(event: Event) -> Callable[..., Any]:
        @activity.defn(name=event.value)
        def carry_out(workflow_id: str, conduct: str, planned: Planned, now: datetime) -> Case:
            return desk.step(
                workflow_id, now, lambda case, setting: conduct_agenda.take(case, conduct, planned, setting)
            )

        return carry_out

    return [named(event) for event in conduct_agenda.RULES]


class CaseActivities:
    """Reading a case."""

    def __init__(self, cases: CaseStore) -> None:
        self._cases = cases

    @activity.defn
    def read_case(self, workflow_id: str) -> Case:
        """The case as it is on record. LookupError when there is none."""
        case = self._cases.case(workflow_id)
        if case is None:
            raise LookupError(f"{workflow_id} has no case in the store")
        return case
