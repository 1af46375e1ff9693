"""Workers as processes that cost next to nothing to start, and die as by SIGKILL where they are told to.

A process is a fork of one that has imported everything and started nothing (`tests/forks.py`). It runs the
product's workers as they are. A death is arranged beside them: SQLAlchemy tells of every commit and the SDK of every
activity, in that process only.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session
from temporalio import activity
from temporalio.client import Client, Interceptor
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput
from temporalio.worker import Interceptor as WorkerInterceptor

from activities.bank import Bank
from activities.letters import MailRoom
from activities.publication import Announcer
from activities.verification import Verifier
from connection.client import connect
from connection.profile import Target
from tests.forks import FORKS, require_preloaded
from tests.office import Office
from workers.main import build_workers
from workers.settings import WorkerSettings

KILLED = 137

_reaper = ThreadPoolExecutor(1)
"""The one thread that starts forks and takes their exit codes: of two, one would find the other has taken it."""


@dataclass(frozen=True)
class Death:
    """Where a worker dies: in the first attempt at an activity that it gets.

    `before` and `after` are around a commit, the first one of the activity or a later one: in the open transaction with
    everything written, and as soon as it is durable. `begin` is before the activity has done anything, `end` when it
    has done all and its result goes nowhere. With a `workflow_id` no other workflow's activity is meant.
    """

    activity: str
    when: Literal["begin", "before", "after", "end"]
    commit: int = 1
    workflow_id: str | None = None

    @property
    def done(self) -> bool:
        """Whether what it was about to do is done."""
        return self.when in ("after", "end")

    @property
    def here(self) -> bool:
        """Whether what runs is the activity."""
        if not activity.in_activity() or activity.info().activity_type != self.activity:
            return False
        return self.workflow_id in (None, activity.info().workflow_id)


class WorkerFork:
    """A worker process that runs, or has run."""

    def __init__(self, process: Any, log: Path) -> None:
        self._process = process
        self._log = log
        self._over = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(process.sentinel, self._gone)

    def _gone(self) -> None:
        self._loop.remove_reader(self._process.sentinel)
        self._over.set()

    @property
    def running(self) -> bool:
        return not self._over.is_set()

    def kill(self) -> None:
        self._process.kill()

    async def ended(self) -> int:
        """Wait for the end; the exit code, or minus the signal's number."""
        await self._over.wait()
        await self._loop.run_in_executor(_reaper, self._process.join)
        code: int = self._process.exitcode
        return code

    async def died(self) -> None:
        """Wait for the death that was arranged."""
        code = await self.ended()
        assert code == KILLED, f"exit code {code}: {self._log.read_text('utf-8')[-2000:]}"


@asynccontextmanager
async def worker_fork(
    office: Office,
    address: str,
    death: Death | None = None,
    *,
    announcer: Announcer | None = None,
    room: MailRoom | None = None,
    bank: Bank | None = None,
    verifier: Verifier | None = None,
) -> AsyncIterator[WorkerFork]:
    """A worker process of the office, killed when the block ends. The parties outside are handed over as copies."""
    log = Path(office.settings.documents).parent / "workers.log"
    given = (address, office.settings, log, death, announcer, room, bank, verifier)
    process: Any = FORKS.Process(target=_work, args=given)
    await asyncio.get_running_loop().run_in_executor(_reaper, process.start)
    fork = WorkerFork(process, log)
    try:
        yield fork
    finally:
        if fork.running:
            fork.kill()
        await fork.ended()


def _work(address: str, settings: WorkerSettings, log: Path, *given: Any) -> None:
    with log.open("ab") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    require_preloaded()
    threading.Thread(target=_end_with_the_tests, daemon=True).start()
    asyncio.run(_run(address, settings, *given))


def _end_with_the_tests() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


async def _run(
    address: str,
    settings: WorkerSettings,
    death: Death | None,
    announcer: Announcer | None,
    room: MailRoom | None,
    bank: Bank | None,
    verifier: Verifier | None,
) -> None:
    client = await connect(Target(address, "default", "flag"), identity=f"fork:{os.getpid()}")
    if death is not None:
        _arrange(death)
        config = client.config()
        config["interceptors"] = [_Deadly(death)]
        client = Client(**config)
    async with build_workers(client, settings, announcer=announcer, room=room, bank=bank, verifier=verifier):
        await asyncio.Event().wait()


def _arrange(death: Death) -> None:
    """This process's death around a commit."""
    begun = done = 0

    @event.listens_for(Engine, "commit")
    def commits(_: Connection) -> None:
        nonlocal begun
        begun += death.here
        if death.here and death.when == "before" and begun == death.commit:
            os._exit(KILLED)

    @event.listens_for(Session, "after_commit")
    def committed(_: Session) -> None:
        nonlocal done
        done += death.here
        if death.here and death.when == "after" and done == death.commit:
            os._exit(KILLED)


class _Deadly(Interceptor, WorkerInterceptor):
    """This process's death around an activity. A client's interceptor that can be a worker's becomes one."""

    def __init__(self, death: Death) -> None:
        self._death = death

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _DeadlyActivity(next, self._death)


class _DeadlyActivity(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, death: Death) -> None:
        super().__init__(next)
        self._death = death

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        if self._death.here and self._death.when == "begin":
            os._exit(KILLED)
        result = await self.next.execute_activity(input)
        if self._death.here and self._death.when == "end":
            os._exit(KILLED)
        return result
