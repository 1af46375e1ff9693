"""Fixtures for the whole suite: one real Temporal server for all tests that need one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from temporalio.client import Client

from connection.client import connect
from connection.local_server import LocalServer
from tests.postgres import PostgresServer


@pytest.fixture(scope="session")
async def server() -> AsyncIterator[LocalServer]:
    """A server in memory, without Temporal Web, shared by the session: use ids of your own."""
    async with await LocalServer.start(None, web=False) as started:
        yield started


@pytest.fixture(scope="session")
async def client(server: LocalServer) -> Client:
    """A client of `server`."""
    return await connect(server.target, identity="tests")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server shared by the session: use databases of your own."""
    with PostgresServer() as started:
        yield started
