"""Workers killed at every kind of activity, around its commit, and the server with them: as if nothing had happened."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio import activity
from temporalio.client import Client

from connection.client import connect
from connection.local_server import LocalServer
from domain.agenda import RULES
from domain.stages import Stage
from tests.killing_worker import Death, worker_fork
from tests.office import Office
from tests.path import acts
from tests.path.kill_kinds import RECOVERY
from tests.path.kills import COMMANDS, KILLS, RETURNS
from tests.path.stand import Chosen, Stand, agreed
from tests.postgres import PostgresServer

ALIKE = [*(name for name in COMMANDS if name != "erasure_approved"), *(event.value for event in RULES), *RETURNS]


def tried(name: str, death: Death) -> bool:
    """One function makes the activities of all commands, one those of all that comes of itself, one those of a return.

    A sixth of them is killed before its commit; after it every fourth command and all else.
    """
    every = (4 if name in COMMANDS else 1) if death.done else 6
    return name not in ALIKE or ALIKE.index(name) % every == 0


DEATHS = [(name, death) for name, kill in KILLS.items() for death in kill.deaths if tried(name, death)]
_IDS = [f"{name}-{death.when}" + (f"-{death.commit}" if death.commit > 1 else "") for name, death in DEATHS]


@pytest.fixture(scope="module")
async def kills(
    request: pytest.FixtureRequest,
    client: Client,
    server: LocalServer,
    postgres: PostgresServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[dict[Chosen, asyncio.Future[None]]]:
    """All kills that were chosen, under way."""
    parameters = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    chosen = [(each["name"], each["death"]) for each in parameters if isinstance(each.get("death"), Death)]
    stand = Stand(client, server.address, tmp_path_factory.mktemp("kills"), postgres)
    async with stand.under_way(chosen) as outcomes:
        yield outcomes


@pytest.mark.timeout(900)  # the first ones come back in a minute, where nothing else runs
@pytest.mark.parametrize(("name", "death"), DEATHS, ids=_IDS)
async def test_a_worker_killed_around_the_commit_leaves_one_effect(
    kills: dict[Chosen, asyncio.Future[None]], name: str, death: Death
) -> None:
    await kills[name, death]


async def test_every_kind_of_activity_is_killed(client: Client, tmp_path: Path) -> None:
    offered = [one for worker in Office(client, tmp_path).worker().both for one in worker.config()["activities"]]
    names = {activity._Definition.must_from_callable(one).name for one in offered}
    assert names == {kill.activity for kill in KILLS.values()}


async def test_worker_and_server_killed_after_a_commit_agree_on_it_when_they_return(tmp_path: Path) -> None:
    async with await LocalServer.start(tmp_path / "server", web=False) as server:
        client = await connect(server.target, identity="tests")
        folder = tmp_path / "office"
        folder.mkdir()
        office = Office(client, folder)
        async with office.worker():
            base = await acts.in_deposit(office)
        command = acts.payment(base)
        async with worker_fork(office, server.address, Death("receive_deposit", "after")) as worker:
            sending = asyncio.create_task(base.send(command))
            await worker.died()
        await server.kill()
        sending.cancel()  # the client is gone as well
        await asyncio.gather(sending, return_exceptions=True)
        assert base.case.deposit.received == acts.FULL

        await server.restart()
        office.client = await connect(server.target, identity="tests")
        async with worker_fork(office, server.address):
            await agreed(base, Stage.CERTIFYING)
            again = await asyncio.wait_for(base.send(command), RECOVERY)
            assert again.stage is Stage.CERTIFYING
        assert base.case.deposit.received == acts.FULL
        assert acts.events(base).count("deposit_received") == 1
        assert acts.remembered(base, command.request_id) == 1
        acts.check_books(base)
