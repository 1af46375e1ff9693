"""What the case clock does on a real server: the facts that `connection.clock` states."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio import activity, workflow
from temporalio.client import Client, WithStartWorkflowOperation, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer, Worker

with workflow.unsafe.imports_passed_through():
    from connection.client import connect
    from connection.clock import CaseClock
    from connection.errors import ClockRefused
    from connection.local_server import LocalServer

ROOT = Path(__file__).parents[2]
DAY = timedelta(days=1)
SLACK = timedelta(minutes=5)  # a loaded machine; jumps are of days
QUEUE = "clock"


@activity.defn
async def two_seconds() -> None:
    await asyncio.sleep(2)


@workflow.defn
class Terms:
    """Terms of ten days each, a run per term, as a case has them."""

    def __init__(self) -> None:
        self.seen: list[datetime] = []

    @workflow.run
    async def run(self, terms: int) -> datetime:
        end = workflow.now() + 10 * DAY
        while (left := end - workflow.now()) > timedelta(0):
            await workflow.sleep(left)
        await workflow.wait_condition(workflow.all_handlers_finished)
        if terms > 1:
            workflow.continue_as_new(terms - 1)
        return workflow.now()

    @workflow.update
    async def ask(self) -> datetime:
        return workflow.now()

    @workflow.update
    async def work(self) -> datetime:
        await workflow.execute_activity(two_seconds, start_to_close_timeout=timedelta(seconds=10))
        return workflow.now()


@workflow.defn
class Stops:
    """Something every day; how late the latest of them was."""

    @workflow.run
    async def run(self, days: int) -> timedelta:
        began, latest = workflow.now(), timedelta(0)
        for day in range(1, days + 1):
            await workflow.sleep(began + day * DAY - workflow.now())
            latest = max(latest, workflow.now() - (began + day * DAY))
        return latest

    @workflow.update
    async def ask(self) -> datetime:
        return workflow.now()


@workflow.defn
class Side:
    """Opened beside a moved case: waits until it was opened, then runs for a month."""

    @workflow.run
    async def run(self, opened_at: datetime) -> datetime:
        while (left := opened_at - workflow.now()) > timedelta(0):
            await workflow.sleep(left)
        self.opened = True
        await workflow.sleep(30 * DAY)
        return workflow.now()

    @workflow.update
    async def ask(self) -> datetime:
        return workflow.now()


@pytest.fixture(scope="module", autouse=True)
async def worker(client: Client) -> AsyncIterator[None]:
    async with Worker(client, task_queue=QUEUE, workflows=[Terms, Stops, Side], activities=[two_seconds]):
        yield


@pytest.fixture
def clock(client: Client) -> CaseClock:
    return CaseClock(client)


def new_id() -> str:
    return f"clock:{uuid.uuid4()}"


async def start(client: Client, terms: int = 1) -> WorkflowHandle[Any, datetime]:
    return await client.start_workflow(Terms.run, terms, id=new_id(), task_queue=QUEUE)


def near(instant: datetime, expected: datetime) -> bool:
    return abs(instant - expected) < SLACK


async def test_a_workflow_of_a_plain_client_can_be_moved(client: Client, clock: CaseClock) -> None:
    handle = await start(client)
    began = datetime.now(UTC)
    assert near(await clock.now(handle.id), began)
    assert await clock.fast_forward(handle.id, 8 * DAY)
    assert near(await clock.now(handle.id), began + 8 * DAY)
    assert near(await handle.execute_update(Terms.ask), began + 8 * DAY), "an update handler sees the moved time"


async def test_one_of_update_with_start_too(client: Client, clock: CaseClock) -> None:
    began = datetime.now(UTC)
    beginning = WithStartWorkflowOperation(
        Terms.run, 1, id=new_id(), task_queue=QUEUE, id_conflict_policy=WorkflowIDConflictPolicy.FAIL
    )
    assert near(await client.execute_update_with_start_workflow(Terms.ask, start_workflow_operation=beginning), began)
    handle = await beginning.workflow_handle()
    assert await clock.fast_forward(handle.id, 8 * DAY)
    assert near(await handle.execute_update(Terms.ask), began + 8 * DAY)


async def test_from_another_process(client: Client, server: LocalServer) -> None:
    handle = await start(client, terms=2)
    began = datetime.now(UTC)
    code = f"""
import asyncio
from datetime import timedelta
from connection.client import connect
from connection.clock import CaseClock
from connection.profile import Target
async def main():
    client = await connect(Target({server.address!r}, {server.namespace!r}, "flag"), identity="another process")
    print(await CaseClock(client).fast_forward({handle.id!r}, timedelta(days=12)))
asyncio.run(main())
"""
    for moved in (12, 24):
        done = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60
        )
        if moved == 12:
            assert done.stdout.strip() == "True", done.stderr
            assert near(await handle.execute_update(Terms.ask), began + 12 * DAY)
        else:
            assert done.stdout.strip() == "False", "it ended on the way"


async def test_across_many_terms_in_one_jump(client: Client, clock: CaseClock) -> None:
    handle = await start(client, terms=6)
    began = datetime.now(UTC)
    assert await clock.fast_forward(handle.id, 55 * DAY)
    assert near(await handle.execute_update(Terms.ask), began + 55 * DAY)
    description = await client.get_workflow_handle(handle.id).describe()
    assert description.run_id != handle.first_execution_run_id


@pytest.mark.parametrize("delta", [timedelta(microseconds=1), timedelta(milliseconds=5), timedelta(seconds=3)])
async def test_a_short_jump_ends_at_its_goal(client: Client, clock: CaseClock, delta: timedelta) -> None:
    """Asked for as it stands, the first goal has passed when the server looks, and it goes on to the timer."""
    handle = await start(client)
    await handle.execute_update(Terms.ask)
    assert await clock.fast_forward(handle.id, delta)
    assert near(await clock.now(handle.id), datetime.now(UTC))


async def test_jumps_aimed_at_what_is_due_stop_there(client: Client, clock: CaseClock) -> None:
    """The goal passes while the workflow is at work or is continued as new."""
    handle = await start(client, terms=20)
    began = datetime.now(UTC)
    for term in range(1, 20):
        await clock.fast_forward(handle.id, began + term * 10 * DAY - await clock.now(handle.id))
        assert near(await clock.now(handle.id), began + term * 10 * DAY)


async def test_what_is_due_on_the_way_is_never_late(client: Client, clock: CaseClock) -> None:
    """A jump asked for while a timer is due, and has not fired, passes it over."""
    handle = await client.start_workflow(Stops.run, 40, id=new_id(), task_queue=QUEUE)
    began = datetime.now(UTC)
    await asyncio.gather(*(handle.execute_update(Stops.ask) for _ in range(3)))
    assert await clock.fast_forward(handle.id, 30 * DAY + timedelta(hours=1))
    for day in range(31, 41):
        await clock.fast_forward(handle.id, began + day * DAY + timedelta(hours=1) - await clock.now(handle.id))
    assert await handle.result() < timedelta(minutes=5)


async def test_an_open_activity_holds_time_still(client: Client, clock: CaseClock) -> None:
    handle = await start(client)
    began = datetime.now(UTC)
    working = asyncio.create_task(handle.execute_update(Terms.work))
    await asyncio.sleep(0.5)
    jump = asyncio.create_task(clock.fast_forward(handle.id, 5 * DAY))
    await asyncio.sleep(0.5)
    assert near(await clock.now(handle.id), began)
    assert not jump.done()
    assert near(await working, began)
    assert await jump
    assert near(await clock.now(handle.id), began + 5 * DAY)


async def test_a_jump_given_up_does_not_happen_later(client: Client, clock: CaseClock) -> None:
    handle = await start(client)
    began = datetime.now(UTC)
    working = asyncio.create_task(handle.execute_update(Terms.work))
    await asyncio.sleep(0.5)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await clock.fast_forward(handle.id, 5 * DAY)
    await working
    await asyncio.sleep(0.5)
    assert near(await clock.now(handle.id), began)


async def test_a_second_jump_takes_over(client: Client, clock: CaseClock) -> None:
    handle = await start(client)
    working = asyncio.create_task(handle.execute_update(Terms.work))
    await asyncio.sleep(0.5)
    first = asyncio.create_task(clock.fast_forward(handle.id, 5 * DAY))
    await asyncio.sleep(0.5)
    assert await clock.fast_forward(handle.id, DAY)
    with pytest.raises(ClockRefused, match="someone else"):
        await first
    await working


async def test_clocks_are_each_workflow_s_own(client: Client, clock: CaseClock) -> None:
    moved, other = await start(client), await start(client)
    began = datetime.now(UTC)
    assert await clock.fast_forward(moved.id, 5 * DAY)
    assert near(await clock.now(other.id), began)
    assert near(await other.execute_update(Terms.ask), began)


@pytest.mark.parametrize("with_update", [False, True])
async def test_a_start_ahead(client: Client, clock: CaseClock, with_update: bool) -> None:
    began = datetime.now(UTC)
    opened_at = began + 100 * DAY
    ahead = clock.ahead(100 * DAY)
    if with_update:
        beginning = WithStartWorkflowOperation(
            Side.run, opened_at, id=new_id(), task_queue=QUEUE, id_conflict_policy=WorkflowIDConflictPolicy.FAIL
        )
        first = await ahead.execute_update_with_start_workflow(Side.ask, start_workflow_operation=beginning)
        assert near(first, began), "before its first wait it is at the wall clock"
        handle: WorkflowHandle[Any, datetime] = await beginning.workflow_handle()
    else:
        handle = await ahead.start_workflow(Side.run, opened_at, id=new_id(), task_queue=QUEUE)
    while not near(await clock.now(handle.id), opened_at):
        await asyncio.sleep(0.05)
    assert near(await handle.execute_update(Side.ask), opened_at)
    assert not await clock.fast_forward(handle.id, 31 * DAY)
    assert near(await handle.result(), opened_at + 30 * DAY)


def test_no_start_ahead_needed(client: Client, clock: CaseClock) -> None:
    assert clock.ahead(timedelta(0)) is client
    assert clock.client is client


async def test_what_it_refuses(client: Client, clock: CaseClock) -> None:
    with pytest.raises(RPCError) as caught:
        await clock.fast_forward("clock:unknown", DAY)
    assert caught.value.status == RPCStatusCode.NOT_FOUND
    with pytest.raises(ValueError, match="forward only"):
        await clock.fast_forward((await start(client)).id, -DAY)


async def test_a_moved_history_replays(client: Client, clock: CaseClock) -> None:
    handle = await start(client, terms=2)
    assert await clock.fast_forward(handle.id, 15 * DAY)
    await handle.execute_update(Terms.work)
    assert not await clock.fast_forward(handle.id, 15 * DAY)
    replayer = Replayer(workflows=[Terms], data_converter=pydantic_data_converter)
    async for history in client.list_workflows(f"WorkflowId = '{handle.id}'").map_histories():
        await replayer.replay_workflow(history)


async def test_the_offset_survives_the_server(tmp_path: Path) -> None:
    async with await LocalServer.start(tmp_path, web=False) as server:
        client = await connect(server.target, identity="tests")
        async with Worker(client, task_queue=QUEUE, workflows=[Terms], activities=[two_seconds]):
            handle = await start(client, terms=3)
            began = datetime.now(UTC)
            assert await CaseClock(client).fast_forward(handle.id, 12 * DAY)
            await server.kill()
            await server.restart()
            assert near(await CaseClock(client).now(handle.id), began + 12 * DAY)
            assert near(await handle.execute_update(Terms.ask), began + 12 * DAY)
            assert await CaseClock(client).fast_forward(handle.id, 12 * DAY)
            assert near(await handle.execute_update(Terms.ask), began + 24 * DAY)


async def test_a_server_that_does_not_move_clocks() -> None:
    off = {"frontend.WorkflowTimeSkippingEnabled": False}
    async with await LocalServer.start(None, web=False, dynamic_config=off) as server:
        client = await connect(server.target, identity="tests")
        handle = await start(client)
        with pytest.raises(ClockRefused, match="does not move") as caught:
            await CaseClock(client).fast_forward(handle.id, DAY)
        assert "livebase dev" in caught.value.hint
