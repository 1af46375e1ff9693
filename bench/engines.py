"""Paths per second against DBOS: the same business on the same PostgreSQL server in the same run, by turns."""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from bench import dbos_peer, histories, records
from bench.costs import Costs, costs
from bench.paths import Application, Round, Send, carried, handed_over
from bench.temporal_on_postgres import DATABASES, temporal_on
from connection.client import connect
from connection.go_build import SERVER, BuildFailed
from connection.guarded_process import GuardedProcess
from domain.commands import Answer, Apply, Command
from starter.output import print_table
from store.engine import open_engine
from store.migrate import migrate
from tests.databases import Place
from tests.documents import document_store
from tests.office import Base, Office, until
from tests.postgres import PostgresServer
from tests.workers.processes import worker_process
from workflows.state import CertificationState

AT_ONCE = 16  # paths
WARM_UP = 32  # paths of each engine before it counts
PATHS = 48  # in a round
ROUNDS = 3  # of each engine, by turns
WORKERS = 1  # processes of each engine
GOAL = 1.0
DURABLE = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
_START_SECONDS = 60.0
_ROOM = {"max_connections": "300"}


@dataclass
class Engine:
    """One that is up: `databases` and `processes` (by name) are its own; `left` tells what a path left in it."""

    name: str
    send: Send
    store: str
    databases: Sequence[str]
    processes: Mapping[str, Sequence[int]]
    left: Callable[[], Awaitable[str]]
    rounds: list[Round] = field(default_factory=list)
    spent: list[Costs] = field(default_factory=list)

    @property
    def paths(self) -> int:
        return sum(one.paths for one in self.rounds)

    @property
    def per_second(self) -> float:
        return self.paths / sum(one.seconds for one in self.rounds)


async def compare() -> None:
    """Print the comparison. Raises AssertionError when the two did not do the same work."""
    load = os.getloadavg()[0]
    # Enough threads for everybody who waits, whatever the number of processors.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(4 * AT_ONCE))
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="livebase-bench-")))
        postgres = stack.enter_context(PostgresServer({**DURABLE, **_ROOM}))
        documents = document_store(folder)
        try:
            ours = await stack.enter_async_context(_ours(postgres, folder))
        except BuildFailed as why:
            print(f"Paths per second against DBOS: not measured. Temporal on PostgreSQL is built with Go: {why}.")
            return
        engines = [ours, await stack.enter_async_context(_dbos(postgres, folder))]
        for engine in engines:
            applications = handed_over(documents, WARM_UP)
            await _round(engine, applications)
            for act in applications[0].acts:
                await engine.send(act)  # again: nothing may come of it
        for _ in range(ROUNDS):
            for engine in engines:
                applications = handed_over(documents, PATHS)
                before = await _costs(engine, postgres)
                engine.rounds.append(await _round(engine, applications))
                engine.spent.append((await _costs(engine, postgres)).since(before))
        for engine in engines:
            records.check_books(engine.store, WARM_UP + engine.paths)
        records.require_same({engine.name: records.counted(engine.store) for engine in engines})
        _print(engines, [await engine.left() for engine in engines], postgres.version, load)


async def _round(engine: Engine, applications: Sequence[Application]) -> Round:
    store = open_engine(engine.store, read_only=True)
    try:
        return await carried(engine.send, store, applications, at_once=AT_ONCE)
    finally:
        store.dispose()


async def _costs(engine: Engine, postgres: PostgresServer) -> Costs:
    databases = [str(make_url(engine.store).database), *engine.databases]
    return await asyncio.to_thread(
        costs, engine.store, databases, {**engine.processes, "PostgreSQL": [postgres.pid], "people": [os.getpid()]}
    )


@asynccontextmanager
async def _ours(postgres: PostgresServer, folder: Path) -> AsyncIterator[Engine]:
    """The product as it is: Temporal on PostgreSQL, worker processes, acts sent as updates."""
    store = postgres.url("livebase")
    migrate(store, local_server=True)  # nothing is signed or sealed
    async with AsyncExitStack() as stack:
        temporal = await stack.enter_async_context(temporal_on(postgres))
        client = await connect(temporal.target, identity="bench")
        office = Office(client, Place(folder, store))
        stack.callback(office.engine.dispose)
        workers = []
        for _ in range(WORKERS):
            entering = worker_process(office, temporal.target.address, **_compiled(folder))
            worker = await stack.enter_async_context(entering)
            await _up(worker.process, worker.log, "starting")
            workers.append(worker.process.pid)

        async def send(command: Command) -> Answer:
            base = Base(office, command.workflow_id.split(":")[1], 1)
            if isinstance(command, Apply):
                return await base.send_with_start(command, CertificationState())
            return await base.send(command)

        async def left() -> str:
            events, _ = await histories.count(client, await asyncio.to_thread(records.last_case, store))
            return f"{events} history events"

        processes = {"Temporal server": [temporal.pid], "workers": workers}
        name = f"livebase on Temporal {SERVER.version}"
        yield Engine(name, send, store, list(DATABASES), processes, left)


@asynccontextmanager
async def _dbos(postgres: PostgresServer, folder: Path) -> AsyncIterator[Engine]:
    """The peer: its worker processes, and people who send from this process, as they do to ours."""
    store, system = postgres.url("peer"), postgres.url("peer_system")
    plain = system.replace("+psycopg", "")  # as DBOS takes it
    migrate(store, local_server=True)
    async with AsyncExitStack() as stack:
        workers = []
        for number in range(WORKERS):
            log = folder / f"dbos-{number}.log"
            worker = await asyncio.to_thread(
                GuardedProcess.spawn,
                [sys.executable, "-m", "bench.dbos_peer", store, plain, str(folder / "documents"), str(number)],
                log=log,
                cwd=Path(__file__).parents[1],
                environ={**os.environ, **_compiled(folder)},
            )
            stack.callback(worker.kill)
            await _up(worker, log, "working")
            workers.append(worker.pid)
        people = stack.enter_context(closing(dbos_peer.People(plain)))

        async def left() -> str:
            return await asyncio.to_thread(dbos_peer.left, store, system, records.last_case(store))

        yield Engine(f"DBOS {version('dbos')}", people.send, store, ["peer_system"], {"workers": workers}, left)


async def _up(worker: GuardedProcess, log: Path, word: str) -> None:
    """Wait for the word in the worker's log."""
    await until(lambda: word in log.read_text() or not worker.running, f"{word} in {log}", _START_SECONDS)
    assert worker.running, log.read_text()


def _compiled(folder: Path) -> dict[str, Any]:
    """Python's environment with modules compiled, as installed ones are: every run loads its workflow's anew."""
    return {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "compiled")}


def _print(engines: Sequence[Engine], left: Sequence[str], postgres: str, load: float) -> None:
    ours, peer = engines
    settings = ", ".join(f"{name} {value}" for name, value in DURABLE.items())
    title = (
        f"Paths from application to publication, {AT_ONCE} at a time, against DBOS. PostgreSQL {postgres} for both "
        f"({settings}); worker processes each: {WORKERS}; {os.cpu_count()} processors, load {load:.1f} before"
    )
    rows: list[tuple[str, ...]] = [
        ("paths per second", *(f"{engine.per_second:.2f}" for engine in engines), ""),
        ("ours to theirs", f"{ours.per_second / peer.per_second:.2f}", "1", f"{GOAL:.1f}"),
    ]
    for turn in range(ROUNDS):
        speeds = [engine.rounds[turn].paths / engine.rounds[turn].seconds for engine in engines]
        rows.append((f"paths per second, round {turn + 1}", *(f"{speed:.2f}" for speed in speeds), ""))
    acts = [statistics.quantiles((took for one in engine.rounds for took in one.acts), n=100) for engine in engines]
    for percent in (50, 99):
        rows.append((f"an act answered, p{percent}", *(f"{cuts[percent - 1] * 1000:.0f} ms" for cuts in acts), ""))
    rows.append(("a path left", *left, ""))
    rows += _spent(engines)
    print_table(("", *(engine.name for engine in engines), "goal"), rows, title=title)


def _spent(engines: Sequence[Engine]) -> list[tuple[str, ...]]:
    """Rows of what a path cost each."""

    def row(name: str, cost: Callable[[Costs], float], unit: str = "") -> tuple[str, ...]:
        return (f"a path took, {name}", *(f"{sum(map(cost, one.spent)) / one.paths:.0f}{unit}" for one in engines), "")

    def processor(name: str) -> tuple[str, ...]:
        return row(f"processor: {name}", lambda one: one.cpu.get(name, 0) * 1000, " ms")

    names = dict.fromkeys(name for engine in engines for name in engine.spent[0].cpu)
    return [
        *map(processor, names),
        row("processor: in all", lambda one: sum(one.cpu.values()) * 1000, " ms"),
        row("transactions", lambda one: sum(one.commits.values())),
        row("write-ahead log", lambda one: one.wal / 1024, " KiB"),
    ]
