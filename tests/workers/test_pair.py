"""The pair of workers works while its block runs, and does not survive one of the two."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from temporalio.client import Client

from connection.client import connect
from connection.local_server import LocalServer
from connection.profile import Target
from tests.office import Office, until


async def test_it_polls_while_its_block_runs(client: Client, tmp_path: Path) -> None:
    workers = Office(client, tmp_path).worker()
    assert not workers.polling
    async with workers:
        await until(lambda: workers.polling, "both poll")
    assert not workers.polling
    assert all(worker.is_shutdown for worker in workers.both)


async def test_a_failure_for_good_ends_the_block_and_comes_out_of_it(server: LocalServer, tmp_path: Path) -> None:
    client = await connect(Target(server.address, "nobody-made-it", "flag"), identity="tests")
    with pytest.raises(RuntimeError, match="Namespace nobody-made-it was not found"):
        async with Office(client, tmp_path).worker():
            await asyncio.Event().wait()
    me = asyncio.current_task()
    assert me is not None and me.cancelling() == 0, "what follows is not cancelled"


async def test_an_error_of_the_block_comes_out_after_the_drain(client: Client, tmp_path: Path) -> None:
    workers = Office(client, tmp_path).worker()
    with pytest.raises(LookupError, match="the block's own"):
        async with workers:
            raise LookupError("the block's own")
    assert all(worker.is_shutdown for worker in workers.both)
