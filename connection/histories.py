"""Reading a workflow's whole history: every run of it, without what the local server's moved clock leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from temporalio.api.enums.v1 import EventType

if TYPE_CHECKING:
    from temporalio.api.history.v1 import HistoryEvent
    from temporalio.client import Client

_LEFT_BY_A_JUMP = frozenset(
    {
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED,
    }
)


async def runs(client: Client, workflow_id: str) -> AsyncIterator[list[HistoryEvent]]:
    """The events of each run, first run first, following continue-as-new from the chain's first run."""
    described = await client.get_workflow_handle(workflow_id).describe()
    run_id: str = described.raw_description.workflow_execution_info.first_run_id
    while run_id:
        following = ""
        events: list[HistoryEvent] = []
        async for event in client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history_events():
            if event.event_type not in _LEFT_BY_A_JUMP:
                events.append(event)
            following = event.workflow_execution_continued_as_new_event_attributes.new_execution_run_id or following
        yield events
        run_id = following
