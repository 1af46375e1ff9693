"""SIGTERM: what is under way is finished, nothing new is taken, and the process ends by itself."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from connection.histories import runs
from connection.local_server import LocalServer
from domain.stages import Stage
from tests.office import Base, Office, until
from tests.path import acts
from tests.workers.processes import WorkerProcess, eventually, free_port, worker_process


@asynccontextmanager
async def announcing(
    client: Client, server: LocalServer, folder: Path, **environ: str
) -> AsyncIterator[tuple[Base, WorkerProcess]]:
    """A base, and a worker process that is at asking the channel to announce it."""
    office = Office(client, folder)
    os.mkfifo(folder / "answer")
    program = ("-m", "tests.workers.waiting_worker", str(folder), "worker")
    async with worker_process(office, server.address, *program, **environ) as worker:
        base = await acts.in_publishing(office)
        await until((folder / "asked").exists, "the channel is asked")
        yield base, worker


async def test_what_is_under_way_is_finished_and_nothing_new_is_taken(
    client: Client, server: LocalServer, tmp_path: Path
) -> None:
    port = free_port()
    async with announcing(client, server, tmp_path, LIVEBASE_HEALTH_PORT=str(port)) as (base, worker):
        await eventually(port, "/readyz", 200)
        worker.terminate()
        await worker.said("draining")
        state = json.loads(await eventually(port, "/readyz", 503))
        assert state == {"temporal": True, "schema": True, "polling": False}
        await eventually(port, "/livez", 200)

        newcomer = base.office.base()
        applying = asyncio.create_task(newcomer.apply())
        await until_started(client, newcomer)
        assert worker.process.running, "it waits for what is under way"
        (tmp_path / "answer").write_text("published")
        assert await worker.ended() == 0
        await worker.said("stopped")
        assert newcomer.no_case and not applying.done(), "nobody took it"

    async with base.office.worker():
        assert (await applying).stage is Stage.REVIEW
        await until(lambda: base.case.stage is Stage.VALID, "published")
    pid = worker.process.pid
    assert acts.timeline(base)[-1]["detail"]["evidence"] == f"told by {pid}"
    assert await done_by(client, base, "announce_base") == [(1, f"worker:{pid}@{os.uname().nodename}")]


async def test_a_party_outside_that_never_answers_does_not_keep_the_process_alive(
    client: Client, server: LocalServer, tmp_path: Path
) -> None:
    async with announcing(client, server, tmp_path, LIVEBASE_GRACEFUL_SECONDS="0") as (base, worker):
        worker.terminate()
        assert await worker.ended() == 1
        assert "was left" in worker.lines[-2] and "pending activity" in worker.lines[-1]
    assert base.case.stage is Stage.PUBLISHING


async def until_started(client: Client, base: Base) -> None:
    """Wait until the server has the base's workflow."""
    for _ in range(400):
        found = [one async for one in client.list_workflows(f"WorkflowId = '{base.workflow_id}'")]
        if found:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it was not started")


async def done_by(client: Client, base: Base, name: str) -> list[tuple[int, str]]:
    """Every completed activity of that name: (the attempt, who did it)."""
    events = [event async for run in runs(client, base.workflow_id) for event in run]
    scheduled = {
        event.event_id for event in events if event.activity_task_scheduled_event_attributes.activity_type.name == name
    }
    attempts = {
        event.event_id: event.activity_task_started_event_attributes.attempt
        for event in events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED
    }
    completed = [event.activity_task_completed_event_attributes for event in events]
    return [(attempts[one.started_event_id], one.identity) for one in completed if one.scheduled_event_id in scheduled]
