"""Where kills take place, and what a base must come to afterwards: what one comes to whose worker is spared."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError

from domain import agenda
from domain.stages import Stage
from store import tables
from store.migrate import migrate
from tests.databases import Place
from tests.killing_worker import Death, worker_fork
from tests.mail_server import MailServer
from tests.office import Base, Office
from tests.path import acts
from tests.path.kill_kinds import RECOVERY, Channel, Kill, Paymaster, Registrar, Scene
from tests.path.kills import KILLS
from tests.postgres import PostgresServer

DATABASES = ("sqlite", "postgresql")
AT_WORK = 3
"""How many workers are brought to their death at the same moment."""
OF_A_ROW = 8
"""How many of them share a row: whoever comes last has all that they left to take up within `RECOVERY`."""
ROWS = 5
"""How many rows are under way at once."""
LOOK = 0.5
"""Seconds between two looks: dozens are waited for at once."""
DEATH = 240.0
"""Seconds within which a worker comes to the activity it is to die in, on the busiest machine."""
_TEMPLATE = "kills"

Chosen = tuple[str, Death]
"""A kill's name and how its worker dies."""


class Stand:
    """Kills on both databases, in rows of one task queue each, some rows at once: most of their time they wait.

    In a row a worker is brought to its death, then the next one comes, takes up what the one before left and dies in
    its turn at another base's activity; the last one stays. So whoever dies may take others' work down with it.
    """

    def __init__(self, client: Client, address: str, folder: Path, postgres: PostgresServer) -> None:
        self._client = client
        self._address = address
        self._folder = folder
        self._postgres = postgres
        self._work = asyncio.Semaphore(AT_WORK)
        self._rows = asyncio.Semaphore(ROWS)
        self._spare: Scene
        self._spared: dict[str, asyncio.Task[dict[str, Any]]] = {}
        self._tasks: list[asyncio.Task[Any]] = []

    @asynccontextmanager
    async def under_way(self, chosen: Sequence[Chosen]) -> AsyncIterator[dict[Chosen, asyncio.Future[None]]]:
        """Start all that are chosen; each one's outcome."""
        migrate(f"sqlite:///{self._folder / 'template.db'}", local_server=True)
        migrate(self._postgres.url(_TEMPLATE), local_server=True)
        outcomes: dict[Chosen, asyncio.Future[None]] = {one: asyncio.Future() for one in chosen}
        rows: dict[str, dict[Chosen, asyncio.Future[None]]] = {}
        placed: Counter[str] = Counter()
        for (name, death), outcome in outcomes.items():
            if KILLS[name].alone:
                row = f"{_plain(name)}_{death.when}_{death.commit}"
            else:
                like = f"{_database(name, death)}_{death.done:d}"
                row = f"row_{like}_{placed[like] // OF_A_ROW}"
                placed[like] += 1
            rows.setdefault(row, {})[name, death] = outcome
        async with AsyncExitStack() as stack:
            self._spare = await self._scene(stack, "spared", "sqlite")
            await stack.enter_async_context(worker_fork(self._spare.office, self._address, **self._spare.hands))
            for row, kills in rows.items():
                self._go_on(self._row(row, kills))
            try:
                yield outcomes
            finally:
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)

    def _go_on(self, what: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(what)
        self._tasks.append(task)
        return task

    async def _row(self, row: str, kills: dict[Chosen, asyncio.Future[None]]) -> None:
        name, death = next(iter(kills))
        async with AsyncExitStack() as stack:
            stack.enter_context(_kept(*kills.values()))
            await stack.enter_async_context(self._rows)
            place = await self._scene(stack, row, _database(name, death), KILLS[name])
            killed: list[tuple[Chosen, Scene, asyncio.Task[Any]]] = []
            for one, outcome in kills.items():
                scene = replace(place, base=place.office.base())
                with _kept(outcome):
                    async with self._work:
                        killed.append((one, scene, await self._dead(scene, *one)))
            async with worker_fork(place.office, self._address, **place.hands):
                await asyncio.gather(*(self._returned(*each, kills[each[0]]) for each in killed))

    async def _dead(self, scene: Scene, name: str, death: Death) -> asyncio.Task[Any]:
        """Bring a worker to its death. Whoever acts goes on waiting, and is answered when another worker comes."""
        kill = KILLS[name]
        await kill.reach(scene)
        before = kill.effect(scene)
        there = replace(death, workflow_id=kill.workflow_id(scene))
        async with worker_fork(scene.office, self._address, there, **scene.hands) as worker:
            acting = self._go_on(kill.act(scene))
            died = self._go_on(asyncio.wait_for(worker.died(), DEATH))
            await asyncio.wait({acting, died}, return_when=asyncio.FIRST_COMPLETED)
            if not died.done():
                acting.result()  # refused
            await died
        assert kill.effect(scene) == kill.effect_at(death, before)
        return acting

    async def _returned(
        self, one: Chosen, scene: Scene, acting: asyncio.Task[Any], outcome: asyncio.Future[None]
    ) -> None:
        """It must be as if nothing had happened."""
        name, death = one
        with _kept(outcome):
            if name not in self._spared:
                self._spared[name] = self._go_on(self._never_killed(name))
            spared = await self._spared[name]
            answer = await asyncio.wait_for(acting, RECOVERY)
            assert await self._over(scene, KILLS[name], answer, death) == spared
            outcome.set_result(None)

    async def _never_killed(self, name: str) -> dict[str, Any]:
        """What a base comes to whose worker is spared."""
        kill = KILLS[name]
        async with AsyncExitStack() as stack:
            scene = replace(self._spare, base=self._spare.office.base())
            if kill.alone:
                scene = await self._scene(stack, f"{_plain(name)}_spared", "sqlite", kill)
                await stack.enter_async_context(worker_fork(scene.office, self._address, **scene.hands))
            await kill.reach(scene)
            return await self._over(scene, kill, await kill.act(scene), None)

    async def _over(self, scene: Scene, kill: Kill, answer: Any, death: Death | None) -> dict[str, Any]:
        """Wait until nothing is due any more and workflow and store agree; what the base has come to."""
        base, now, deadline = scene.base, datetime.now(UTC), time.monotonic() + RECOVERY
        while agenda.due(base.case, now) is not None:
            assert time.monotonic() < deadline, f"not within {RECOVERY} s: all that is due"
            await asyncio.sleep(LOOK)
        await kill.left(scene, answer, death)
        await agreed(base, base.case.stage)
        acts.check_books(base)
        return _outline(base)

    async def _scene(self, stack: AsyncExitStack, name: str, database: str, kill: Kill | None = None) -> Scene:
        """An office with a database, a task queue and parties outside of its own."""
        folder = self._folder / name
        folder.mkdir()
        if database == "postgresql":
            url = await asyncio.to_thread(self._postgres.url, name.lower(), like=_TEMPLATE)
        else:
            shutil.copy(self._folder / "template.db", folder / "livebase.db")
            url = f"sqlite:///{folder / 'livebase.db'}"
        public = kill is not None and kill.public
        office = Office(self._client, Place(folder, url), channel_url=str(folder / "channel") if public else "")
        stack.callback(office.close)
        mail = await stack.enter_async_context(MailServer())
        return Scene(
            office,
            office.base(),
            mail,
            Channel(folder / "asked", kill is not None and kill.channel_down),
            Paymaster(folder / "paid"),
            Registrar(folder / "verified") if kill is not None and kill.verifies else None,
        )


def _database(name: str, death: Death) -> str:
    """Before a commit and after it another one, and from each kind to the next."""
    return DATABASES[(list(KILLS).index(name) + death.commit + death.done) % 2]


@contextmanager
def _kept(*outcomes: asyncio.Future[None]) -> Iterator[None]:
    """What fails is the outcome of these kills; others go on."""
    try:
        yield
    except Exception as error:
        for outcome in outcomes:
            if not outcome.done():
                outcome.set_exception(error)


async def agreed(base: Base, left: Stage) -> None:
    """Wait until the case is in the stage and the workflow knows exactly what the store has, or has ended with it."""
    deadline = time.monotonic() + RECOVERY
    while base.case.stage is not left or not await _knows(base):
        case = base.case
        assert time.monotonic() < deadline, f"{case.stage} {case.sequence}: no agreement in {RECOVERY} s"
        await asyncio.sleep(LOOK)


async def _knows(base: Base) -> bool:
    try:
        if base.case.stage is Stage.CLOSED:
            return (await base.handle.describe()).status is WorkflowExecutionStatus.COMPLETED
        known = await base.handle.query("case", result_type=type(base.case), rpc_timeout=timedelta(seconds=5))
    except RPCError:
        return False
    same: bool = known == base.case
    return same


def _outline(base: Base) -> dict[str, Any]:
    """What a base has come to, alike for two that were treated alike: its records are counted in every table."""
    case = base.case
    with Session(base.office.reading) as session:
        letters = session.scalars(
            select(tables.NoticeRow)
            .where(tables.NoticeRow.case_number == case.case_number)
            .order_by(tables.NoticeRow.sequence, tables.NoticeRow.place)
        )
        delivered = [(row.kind, row.recipient, row.state, row.edition) for row in letters]
        counts = {
            name: session.scalar(select(func.count()).where(table.c.case_number == case.case_number))
            for name, table in tables.Table.metadata.tables.items()
            if "case_number" in table.c
        }
    return {
        "rows": counts,
        "events": acts.events(base),
        "letters": delivered,
        "list": acts.list_revisions(base),
        "stands": (case.stage, case.ending and case.ending.cause, case.awaiting, case.deposit),
    }


def _plain(name: str) -> str:
    """Fit for a file's and a database's name."""
    return "".join(letter if letter.isalnum() else "_" for letter in name)
