"""Every test of the store runs on both databases, each on an empty one of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from store.cases import CaseStore
from store.engine import open_engine
from store.queries import Reader
from tests.postgres import PostgresServer

_names = itertools.count(1)


@pytest.fixture
def empty_url(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database without a schema."""
    if database == "sqlite":
        yield f"sqlite:///{tmp_path / 'livebase.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = f"store_{next(_names)}"
    yield server.url(name)
    server.drop(name)


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
