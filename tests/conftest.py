"""Fixtures for the whole suite: one real Temporal server for all tests that need one, and both databases."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import settings
from temporalio.client import Client
from xdist.scheduler import LoadScopeScheduling

from connection.client import connect
from connection.local_server import LocalServer
from tests.databases import (  # noqa: F401
    database,
    database_url,
    migrated_name,
    place,
    place_on_postgresql,
    place_on_sqlite,
    postgres,
)

settings.register_profile("untimed", deadline=None)  # how long an example takes says nothing on a busy machine
settings.load_profile("untimed")

# Several Temporal servers share the machine: a sixth of their time is spent on handing work between threads and on
# collecting garbage early.
os.environ |= {"GOMAXPROCS": "1", "GOGC": "400"}
_OFFICE = re.compile(r"^tests/starter/.*\[(?:.*-)?(sqlite|postgresql)(?:-.*)?\]$")

_LONGEST = ("tests/starter/", "tests/path/test_server_kills.py", "tests/path/test_kills.py", "tests/test_readme.py",
            "tests/path/")  # fmt: skip


class TogetherScheduling(LoadScopeScheduling):
    """In several processes the tests of a file stay together; those of the command line's office, all of a database.

    An office takes long to set up. (A mark would say it better: xdist 3.8 loses its groups with pytest 9.2.)
    """

    def _split_scope(self, nodeid: str) -> str:
        office = _OFFICE.match(nodeid)
        return f"office on {office[1]}" if office else nodeid.split("::", 1)[0]


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A file that says `ONLY_ON = "sqlite"` or "postgresql" tests what others test on the other one, or neither has."""
    only = getattr(metafunc.module, "ONLY_ON", None)
    told = any("database" in mark.args[0] for mark in metafunc.definition.iter_markers("parametrize"))
    if only is not None and "database" in metafunc.fixturenames and not told:
        metafunc.definition.add_marker(pytest.mark.parametrize("database", [only], indirect=True))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first, so that in the end no process is left with it alone."""

    def rank(item: pytest.Item) -> int:
        return next((at for at, path in enumerate(_LONGEST) if item.nodeid.startswith(path)), len(_LONGEST))

    items.sort(key=rank)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return TogetherScheduling(config, log)


@pytest.fixture(scope="session")
async def server() -> AsyncIterator[LocalServer]:
    """A server in memory, without Temporal Web, shared by the session: use ids of your own."""
    async with await LocalServer.start(None, web=False) as started:
        yield started


@pytest.fixture(scope="session")
async def client(server: LocalServer) -> Client:
    """A client of `server`."""
    return await connect(server.target, identity="tests")
