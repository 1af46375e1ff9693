"""The census: every workflow that should run for a live case is looked for on the server (`domain/census.py`)."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import cast

from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from activities.desk import CaseDesk
from domain.census import Census, How, expected, stopped
from store.calendar import CalendarStore, LiveCase

_PAGE = 200
MOST_TOLD = 20
"""So many at once are people's mistakes; more are a server that is not this database's, and no case's matter."""
_LOOKED_BACK = timedelta(hours=1)
_OURS = "WorkflowType IN ('Certification', 'Conduct')"
SIGNAL = "case_changed"
"""By which a run that went on from an earlier point reads its case again."""


class CensusActivities:
    """`now` is the true time; each case is written to at its own clock's."""

    def __init__(self, desk: CaseDesk, cases: CalendarStore, client: Client) -> None:
        self._desk = desk
        self._cases = cases
        self._client = client

    @activity.defn
    async def take_census(self, now: datetime) -> Census:
        """Look for every live case's workflows; tell of those that have ended, and of those that run again."""
        running = {run.id async for run in self._client.list_workflows(f"{_OURS} AND ExecutionStatus = 'Running'")}
        activity.heartbeat()
        again = await self._ended_lately(now)
        count, found = 0, list[tuple[LiveCase, str, str, How]]()
        after = ""
        while batch := await asyncio.to_thread(self._cases.live_cases, after, _PAGE):
            count, after = count + len(batch), batch[-1].workflow_id
            for live in batch:
                for workflow in expected(live.case):
                    if workflow in running:
                        found += [(live, workflow, run, "runs_again") for run in again.get(workflow, ())]
                    elif (ended := await self._ended(workflow)) is not None:
                        found.append((live, workflow, *ended))
                    activity.heartbeat()
        if len(found) > MOST_TOLD:
            activity.logger.error("%d workflows of live cases do not run: is it the database's own server?", len(found))
            return Census(cases=count, stopped=len(found))
        told = [await self._tell(*one, now) for one in found]
        return Census(cases=count, stopped=sum(how != "runs_again" for *_, how in found), told=sum(told))

    async def _ended_lately(self, now: datetime) -> dict[str, list[str]]:
        """The runs that were terminated lately, as a reset does too, by workflow."""
        since = (now - _LOOKED_BACK).isoformat()
        query = f"{_OURS} AND ExecutionStatus = 'Terminated' AND CloseTime > '{since}'"
        found: dict[str, list[str]] = {}
        async for run in self._client.list_workflows(query):
            found.setdefault(run.id, []).append(run.run_id)
        return found

    async def _ended(self, workflow: str) -> tuple[str, How] | None:
        """The newest run and how it has ended; None when it runs, which the list may not say yet."""
        try:
            described = await self._client.get_workflow_handle(workflow).describe()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return "", "unknown"
        if described.status is WorkflowExecutionStatus.RUNNING or described.status is None:
            return None
        return described.run_id, cast(How, described.status.name.lower())

    async def _tell(self, live: LiveCase, workflow: str, run: str, how: How, now: datetime) -> bool:
        before = live.case.sequence
        case = await asyncio.to_thread(
            self._desk.step,
            live.workflow_id,
            now + live.clock_offset,
            lambda case, setting: stopped(case, workflow, run, how, setting),
        )
        told = run in case.stopped_runs and case.sequence > before
        if told:
            activity.logger.error("a workflow of a live case does not run", extra={"workflow": workflow, "how": how})
        if told and how == "runs_again":
            await self._client.get_workflow_handle(workflow).signal(SIGNAL)
        return told
