"""Moves the time of one case forward; the only file that uses Temporal's experimental time skipping.

Seen on server 1.32.0 (started by `connection.local_server`) with SDK 1.35.0:

* **Any process can move any running workflow, however it was started**: by a plain client, by
  update-with-start, by another process long gone. Nothing need be stamped on the start.
* Each workflow id has a clock of its own. Its offset from the wall clock stays through continue-as-new, worker
  and server restarts; between jumps it runs at normal pace. `workflow.now()` follows it, in update handlers too.
* A jump goes from one due timer to the next, and stops at each for the workflow task and its activities: an
  open activity, a task no worker takes or an open child hold it up. The reply comes when the time is reached,
  not when what fell due at that instant is done.
* A jump aimed at a due timer itself may go past it: when the aim passes while the workflow's task is under way, or
  the run is continued as new just then, the server goes on (seen: by the next timer's distance, and by the whole
  offset again). Hence `MARGIN`: aim that much short of what is due, and let the clock run on to it. On a busy machine
  a jump far from anything due was seen to go on to the next timer too: whoever moves a clock looks where it stands.
* A jump nobody waits for any more still happens as soon as nothing holds it up. Hence `fast_forward` calls it
  off when cancelled.
* A workflow that is about to start is at the wall clock; `CaseClock.ahead` starts one with a head start. Its
  first workflow task (and an update sent with the start) still sees the wall clock; its first wait is jumped.
* Each jump leaves two events in the history. Histories with them replay as any other.
"""

from __future__ import annotations

import asyncio
import uuid
from datetime import datetime, timedelta

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import TimeSkipper, TimeSkippingConfig
from temporalio.testing._timeskipping import FastForwardConfig

from connection.errors import ClockRefused

MARGIN = timedelta(milliseconds=100)
"""How far short of a due timer a jump aims."""
HEAD_START_MARGIN = timedelta(seconds=1)
"""The same for a workflow that starts ahead: who starts it read the clock some time before it has started."""


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
        that wait, but for its last second. A smaller offset than that gives the plain client.
        """
        if offset <= HEAD_START_MARGIN:
            return self._client
        jump = FastForwardConfig(id=str(uuid.uuid4()), duration=offset - HEAD_START_MARGIN)
        return TimeSkipper(self._client, config=TimeSkippingConfig(enabled=True, fast_forward_config=jump)).client

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
        handle = self._client.get_workflow_handle(workflow_id)
        before = await self.now(workflow_id)
        try:
            if await self._skipper.fast_forward(handle, delta):
                return True
        except asyncio.CancelledError:
            await asyncio.shield(self._call_off(workflow_id))
            raise
        except RPCError as error:
            if error.status == RPCStatusCode.UNIMPLEMENTED:
                raise ClockRefused(
                    "This Temporal server does not move the time of a case.",
                    "Fast-forward works on the local server: livebase dev",
                ) from error
            if error.status != RPCStatusCode.NOT_FOUND or await self._running(workflow_id):
                raise
            return False
        except RuntimeError:
            # "overridden by a later fast-forward". Said also when the time was reached and the workflow was
            # continued as new before we could ask: the new run no longer knows of the jump.
            if await self.now(workflow_id) >= before + delta:
                return True
        if not await self._running(workflow_id):
            return False
        raise ClockRefused(
            f"The clock of {workflow_id} was moved or stopped by someone else meanwhile.",
            "Look at where the case stands, then move it again.",
        )

    async def _running(self, workflow_id: str) -> bool:
        description = await self._client.get_workflow_handle(workflow_id).describe()
        return description.status == WorkflowExecutionStatus.RUNNING

    async def _call_off(self, workflow_id: str) -> None:
        handle = self._client.get_workflow_handle(workflow_id)
        try:
            await self._skipper._update_time_skipping_config(handle, TimeSkippingConfig(enabled=False))
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:  # ended: nothing left to call off
                raise
