from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client

from tests.databases import Place
from tests.office import Office, working_office


@pytest.fixture(scope="session")
async def office_on_sqlite(client: Client, place_on_sqlite: Place) -> AsyncIterator[Office]:
    async with working_office(client, place_on_sqlite) as working:
        yield working


@pytest.fixture(scope="session")
async def office_on_postgresql(client: Client, place_on_postgresql: Place) -> AsyncIterator[Office]:
    async with working_office(client, place_on_postgresql) as working:
        yield working


@pytest.fixture
def office(database: str, request: pytest.FixtureRequest) -> Office:
    """A working office shared by the session, on each database; every test has bases of its own."""
    shared: Office = request.getfixturevalue(f"office_on_{database}")
    return shared
