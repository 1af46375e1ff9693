"""Every test of the store runs on both databases, each on an empty one of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from store.cases import CaseStore
from store.engine import open_engine
from store.migrate import migrate
from store.queries import Reader
from tests.postgres import PostgresServer

_names = itertools.count(1)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without a schema."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'livebase.db'}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.url(f"store_{next(_names)}")


@pytest.fixture
def database_url(empty_url: str) -> str:
    """A local server's database with the present schema."""
    migrate(empty_url, local_server=True)
    return empty_url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def store(engine: Engine) -> CaseStore:
    return CaseStore(engine)


@pytest.fixture
def reader(database_url: str) -> Iterator[Reader]:
    engine = open_engine(database_url, read_only=True)
    yield Reader(engine)
    engine.dispose()
