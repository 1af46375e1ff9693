from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client

from tests.office import Office, working_office


@pytest.fixture(scope="session")
async def office(client: Client, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """A working office shared by the session; every test has bases of its own."""
    async with working_office(client, tmp_path_factory.mktemp("office")) as working:
        yield working
