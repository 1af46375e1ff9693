"""Workers killed around a commit, and the server with them: one effect, and everybody agrees within 30 s."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.service import RPCError

from connection.client import connect
from connection.guarded_process import GuardedProcess
from connection.local_server import LocalServer
from domain.commands import Answer, Approve, Certify, Command
from domain.stages import Stage
from tests.killing_worker import KILLED, READY
from tests.office import CERTIFIER, REVIEWER, Base, Office
from tests.path import acts

ROOT = Path(__file__).parents[2]
RECOVERY = 30.0
"""Seconds from the workers' return until workflow and store agree."""
AT_ONCE = 10


@dataclass(frozen=True)
class Kill:
    """A base brought to a point, the command that leads to the deadly transition (None: it comes of itself)."""

    event: str
    reach: Callable[[Office], Awaitable[Base]]
    command: Callable[[Base], Command] | None
    left: Stage


async def over(office: Office) -> Base:
    """A published base whose term has ended while nobody was there."""
    return await acts.resumed(office, datetime.now(UTC) - timedelta(days=367), published=True)


def approve(base: Base) -> Command:
    command: Command = base.command(Approve, REVIEWER, revision=1)
    return command


def certify(base: Base) -> Command:
    command: Command = base.command(Certify, CERTIFIER)
    return command


KILLS = {
    "approve": Kill("application_approved", acts.in_review, approve, Stage.DEPOSIT),
    "receive_deposit": Kill("deposit_received", acts.in_deposit, acts.payment, Stage.CERTIFYING),
    "certify": Kill("base_certified", acts.in_certifying, certify, Stage.VALID),
    "record_publication": Kill("base_published", acts.in_certifying, certify, Stage.VALID),
    "expire_certification": Kill("certification_expired", over, None, Stage.SETTLING),
}


@asynccontextmanager
async def worker_process(office: Office, address: str, *arguments: str) -> AsyncIterator[GuardedProcess]:
    """A worker process; with arguments (`before`|`after`, event) one that dies there. Yields when it is up."""
    folder = Path(office.settings.documents).parent
    if arguments:
        command = [sys.executable, "-m", "tests.killing_worker", address, *arguments]
    else:
        command = [sys.executable, "-m", "starter.main", "worker", "--address", address]
    environ = {
        **os.environ,
        "LIVEBASE_DATABASE_URL": office.settings.database_url,
        "LIVEBASE_DOCUMENTS": office.settings.documents,
        "LIVEBASE_TASK_QUEUE": office.settings.task_queue,
        "LIVEBASE_DATA_DIR": str(folder),
    }
    log = folder / "worker.log"
    process = await asyncio.to_thread(GuardedProcess.spawn, command, log=log, cwd=ROOT, environ=environ)
    try:
        if arguments:
            await real_time(lambda: READY in log.read_text() or not process.running, "the worker is up")
        yield process
    finally:
        await asyncio.to_thread(process.kill)


async def real_time(condition: Callable[[], object], what: str, seconds: float = RECOVERY) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        await asyncio.sleep(0.05)


async def agreed(base: Base, left: Stage) -> None:
    """Wait until the case is in the stage and the workflow knows exactly what the store has."""
    deadline = time.monotonic() + RECOVERY
    while True:
        case = base.case
        if case.stage is left:
            try:
                known = await base.handle.query("case", result_type=type(case), rpc_timeout=timedelta(seconds=5))
            except RPCError:
                known = None
            if known == base.case:
                return
        assert time.monotonic() < deadline, f"{case.stage} {case.sequence}: no agreement in {RECOVERY} s"
        await asyncio.sleep(0.1)


async def killed_and_returned(client: Client, address: str, folder: Path, kill: Kill, when: str) -> None:
    office = Office(client, folder)
    async with office.worker():
        base = await kill.reach(office) if kill.command else None
    base = base or await kill.reach(office)
    sequence = base.case.sequence
    sending: asyncio.Task[Answer] | None = None
    async with worker_process(office, address, when, kill.event) as worker:
        if kill.command:
            sending = asyncio.create_task(base.send(kill.command(base)))
        assert await asyncio.to_thread(worker.wait) == KILLED
    committed = acts.events(base).count(kill.event)
    assert committed == (when == "after")
    if kill.event in ("application_approved", "deposit_received", "base_certified", "certification_expired"):
        assert base.case.sequence == sequence + committed

    async with office.worker():
        await agreed(base, kill.left)
        if sending is not None:
            answer = await asyncio.wait_for(sending, RECOVERY)
            assert answer.case_number == base.case.case_number
        assert acts.events(base).count(kill.event) == 1
        acts.check_books(base)
        if kill.left is Stage.VALID:
            assert acts.list_revisions(base) == [(1, "published")]
            assert len(base.case.terms) == 1
        if kill.left is Stage.SETTLING:
            assert acts.list_revisions(base) == [(1, "published"), (2, "withdrawn")]


@pytest.fixture(scope="module")
async def kills(
    client: Client, server: LocalServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[tuple[str, str], asyncio.Task[None]]]:
    """All kills under way at once, a few at a time: each spends its time waiting for the server's timeouts."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def run(name: str, when: str) -> None:
        async with turn:
            folder = tmp_path_factory.mktemp(f"{name}-{when}")
            await killed_and_returned(client, server.address, folder, KILLS[name], when)

    tasks = {(name, when): asyncio.create_task(run(name, when)) for when in ("before", "after") for name in KILLS}
    yield tasks
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", list(KILLS))
async def test_a_worker_killed_around_the_commit_leaves_one_effect(
    kills: dict[tuple[str, str], asyncio.Task[None]], name: str, when: str
) -> None:
    await kills[name, when]


async def test_worker_and_server_killed_after_a_commit_agree_on_it_when_they_return(tmp_path: Path) -> None:
    async with await LocalServer.start(tmp_path / "server", web=False) as server:
        client = await connect(server.target, identity="tests")
        folder = tmp_path / "office"
        folder.mkdir()
        office = Office(client, folder)
        async with office.worker():
            base = await acts.in_deposit(office)
        command = acts.payment(base)
        async with worker_process(office, server.address, "after", "deposit_received") as worker:
            sending = asyncio.create_task(base.send(command))
            assert await asyncio.to_thread(worker.wait) == KILLED
        await server.kill()
        sending.cancel()  # the client is gone as well
        await asyncio.gather(sending, return_exceptions=True)
        assert base.case.deposit.received == acts.FULL

        await server.restart()
        office.client = await connect(server.target, identity="tests")
        async with worker_process(office, server.address):
            await agreed(base, Stage.CERTIFYING)
            again = await asyncio.wait_for(base.send(command), RECOVERY)
            assert again.stage is Stage.CERTIFYING
        assert base.case.deposit.received == acts.FULL
        assert acts.events(base).count("deposit_received") == 1
        assert acts.remembered(base, command.request_id) == 1
        acts.check_books(base)
