"""Moves the time of one case forward; the only file that uses Temporal's experimental time skipping.

Seen on server 1.32.0 (started by `connection.local_server`) with SDK 1.35.0:

* **Any process can move any running workflow, however it was started**: by a plain client, by
  update-with-start, by another process long gone. Nothing need be stamped on the start.
* Each workflow id has a clock of its own. Its offset from the wall clock stays through continue-as-new, worker
  and server restarts; between jumps it runs at normal pace. `workflow.now()` follows it, in update handlers too.
* A jump skips to the next due timer or to its goal, whichever comes first, and only while nothing is under way: an
  open activity, a task no worker takes or an open child hold it up. On an idle workflow it happens in the very
  transaction that asks for it.
* A goal that passes while something is under way is lost: when the workflow is idle again, the server skips to the
  next timer, be it months away (`findNextSkipTarget` drops a goal in the past and keeps the timer). Hence each jump
  is allowed one skip, none is asked for whose goal may pass meanwhile (`_RUN_ON`, `_SHORT`), and `fast_forward` goes
  on jump by jump.
* What has fallen due and has not fired yet is lost on a jump asked for just then: the server looks at timers to come
  alone, and what was due is late by the whole jump. Hence `fast_forward` goes on, and returns, only once the timer it
  has stopped at has fired; whoever moves a clock again first waits for what comes of it.
* A jump nobody waits for any more still happens as soon as nothing holds it up. Hence `fast_forward` calls it
  off when cancelled.
* A workflow that is about to start is at the wall clock; `CaseClock.ahead` starts one with a head start. Its
  first workflow task (and an update sent with the start) still sees the wall clock; its first wait is jumped.
* Each jump leaves two events in the history. Histories with them replay as any other.
"""

from __future__ import annotations

import asyncio
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, PendingWorkflowTaskState
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryReverseRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import TimeSkipper, TimeSkippingConfig
from temporalio.testing._timeskipping import FastForwardConfig

from connection.errors import ClockRefused

_RUN_ON = timedelta(seconds=2)
"""Less than this is waited for instead of jumped."""
_SHORT = timedelta(minutes=1)
"""Less than this is jumped only by an idle workflow."""
_PAUSE = 0.02
"""Seconds between two looks at a workflow that is busy."""
_SKIPPED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED


class CaseClock:
    """The clocks of the workflows behind one client. Needs a server with time skipping on, as ours is."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._skipper = TimeSkipper(client)  # only to ask and to move: its own client would skip without end

    @property
    def client(self) -> Client:
        """The client as given: whatever it starts can be moved later."""
        return self._client

    def ahead(self, offset: timedelta) -> Client:
        """A client that starts workflows `offset` ahead of the wall clock, for what starts beside a moved case.

        The workflow must first wait until the instant it is told it was opened at: the offset is jumped in
        that wait. A few seconds' offset gives the plain client.
        """
        if offset < _RUN_ON:
            return self._client
        return TimeSkipper(self._client, config=_one_skip(str(uuid.uuid4()), offset)).client

    async def now(self, workflow_id: str) -> datetime:
        """The workflow's time, UTC. For one never moved that is the wall clock; after its end it runs on.

        Raises `RPCError` (NOT_FOUND) for an unknown workflow.
        """
        return await self._skipper.get_current_time(self._client.get_workflow_handle(workflow_id))

    async def fast_forward(self, workflow_id: str, delta: timedelta) -> bool:
        """Move the workflow's time forward by `delta`; True when reached, False when the workflow ended first.

        A run continued as new on the way may begin at the goal already: what a run is to keep must be an absolute
        instant, not a length counted from its start.
        Follows continue-as-new. Waits as long as something holds the jump up (no worker, a failing activity):
        put an `asyncio.timeout` around it. Cancelled, the rest of the jump is called off.

        Raises `ClockRefused` when this server does not move clocks or another process moved this one
        meanwhile, `RPCError` (NOT_FOUND) for an unknown workflow, `ValueError` for a `delta` not positive.
        """
        if delta <= timedelta(0):
            raise ValueError(f"time moves forward only, not by {delta}")
        goal, jump = await self.now(workflow_id) + delta, ""
        try:
            while True:
                seen = await self._look(workflow_id)
                left = goal - seen.now
                under_way = seen.skipping and seen.jump == jump
                if under_way and left < _RUN_ON:  # by now its goal could pass
                    await self.call_off(workflow_id)
                    jump = ""
                    continue
                if jump and not seen.busy and await self._is_to_fire(workflow_id):
                    await asyncio.sleep(_PAUSE)
                    continue
                if left <= timedelta(0):
                    return True
                if not seen.running:
                    return False
                if jump and seen.jump not in (None, jump):
                    raise ClockRefused(
                        f"The clock of {workflow_id} was moved or stopped by someone else meanwhile.",
                        "Look at where the case stands, then move it again.",
                    )
                if under_way or seen.at_task or (seen.busy and left < _SHORT):
                    await asyncio.sleep(_PAUSE)
                elif left < _RUN_ON:
                    await asyncio.sleep(left.total_seconds())
                else:
                    jump = str(uuid.uuid4())
                    await self._set(workflow_id, _one_skip(jump, left))
        except ClockRefused:
            raise
        except BaseException:  # nobody waits for it any more
            if jump:
                with suppress(RPCError):
                    await asyncio.shield(self.call_off(workflow_id))
            raise

    async def call_off(self, workflow_id: str) -> None:
        """Call off whatever jump is under way, or nothing."""
        await self._set(workflow_id, TimeSkippingConfig(enabled=False))

    async def _look(self, workflow_id: str) -> _Seen:
        description = await self._client.get_workflow_handle(workflow_id).describe()
        raw = description.raw_description
        skipping = raw.workflow_extended_info.time_skipping_info
        moved = raw.workflow_extended_info.HasField("time_skipping_info")
        config = skipping.effective_config if skipping.HasField("effective_config") else None
        return _Seen(
            now=skipping.current_time.ToDatetime(UTC) if moved else datetime.now(UTC),
            running=description.status == WorkflowExecutionStatus.RUNNING,
            at_task=raw.pending_workflow_task.state == PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_STARTED,
            busy=raw.HasField("pending_workflow_task") or bool(raw.pending_activities),
            jump=None if config is None else config.fast_forward_config.id,
            skipping=config is not None and config.enabled,
        )

    async def _is_to_fire(self, workflow_id: str) -> bool:
        """Whether the newest that has happened is a jump to a timer, which is yet to fire."""
        request = GetWorkflowExecutionHistoryReverseRequest(
            namespace=self._client.namespace, execution=WorkflowExecution(workflow_id=workflow_id), maximum_page_size=1
        )
        history = await self._client.workflow_service.get_workflow_execution_history_reverse(request, retry=True)
        newest = history.history.events[0]
        skipped = newest.workflow_execution_time_skipping_transitioned_event_attributes
        return newest.event_type == _SKIPPED and not skipped.disabled_after_fast_forward

    async def _set(self, workflow_id: str, config: TimeSkippingConfig) -> None:
        """What an ended workflow is told of its clock goes unheard."""
        handle = self._client.get_workflow_handle(workflow_id)
        try:
            await self._skipper._update_time_skipping_config(handle, config)
        except RPCError as error:
            if error.status == RPCStatusCode.UNIMPLEMENTED:
                raise ClockRefused(
                    "This Temporal server does not move the time of a case.",
                    "Fast-forward works on the local server: livebase dev",
                ) from error
            if error.status != RPCStatusCode.NOT_FOUND:
                raise


@dataclass(frozen=True)
class _Seen:
    """How a workflow's newest run and its clock stand."""

    now: datetime
    running: bool
    at_task: bool
    """A jump asked for meanwhile would be an event of its own to work on."""
    busy: bool
    jump: str | None
    """The jump it was told of last; None for a run that was told of none."""
    skipping: bool


def _one_skip(jump: str, delta: timedelta) -> TimeSkippingConfig:
    return TimeSkippingConfig(
        enabled=True, fast_forward_config=FastForwardConfig(id=jump, duration=delta), max_session_skip_count=1
    )
