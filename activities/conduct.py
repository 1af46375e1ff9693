"""What comes of itself in a conduct case: one activity per planned event; its workflow, and the case it is part of."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy

from activities.desk import CaseDesk
from domain import conduct_agenda
from domain.case import Case
from domain.conduct import conduct_workflow_id
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


WORKFLOW = "Conduct"
"""The workflow of a conduct case (`workflows/conduct.py`)."""
SIGNAL = "case_changed"
"""What it is told by when its certification case has changed."""
Ahead = Callable[[timedelta], Client]
"""A client whose workflows start so far ahead of the wall clock: on the local server alone it is another one."""


class ConductActivities:
    """What runs beside a case, and reading it."""

    def __init__(self, cases: CaseStore, ahead: Ahead) -> None:
        self._cases = cases
        self._ahead = ahead

    @activity.defn
    async def run_conduct(self, workflow_id: str, conduct: str, now: datetime) -> None:
        """A conduct case that is open again has its workflow again, whether or not the one before has ended.

        `now` is the case's clock: before it the new one counts nothing. Started or told twice it is one.
        """
        offset = await asyncio.to_thread(self._cases.clock_offset, workflow_id)
        await self._ahead(offset).start_workflow(
            WORKFLOW,
            {"case_workflow": workflow_id, "conduct": conduct, "opens_at": now},
            id=conduct_workflow_id(workflow_id, conduct),
            task_queue=activity.info().task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_signal=SIGNAL,
            static_summary=f"违规案件 {conduct}",
        )

    @activity.defn
    def read_case(self, workflow_id: str) -> Case:
        """The case as it is on record. LookupError when there is none."""
        case = self._cases.case(workflow_id)
        if case is None:
            raise LookupError(f"{workflow_id} has no case in the store")
        return case
