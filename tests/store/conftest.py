"""Every test of the store runs on both databases, each on an empty one of its own."""

from __future__ import annotations

import itertools
import shutil
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
def kind(request: pytest.FixtureRequest) -> str:
    """Which database; a test for one of them says so with `only_on`."""
    name: str = request.param
    return name


def only_on(name: str) -> pytest.MarkDecorator:
    """For what the other database does not have."""
    return pytest.mark.parametrize("kind", [name], indirect=True)


@pytest.fixture
def empty_url(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database without a schema."""
    if kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'livebase.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = f"store_{next(_names)}"
    yield server.url(name)
    server.drop(name)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "livebase.db"
    migrate(f"sqlite:///{path}", local_server=True)
    return path


@pytest.fixture(scope="session")
def migrated_name(postgres: PostgresServer) -> str:
    migrate(postgres.url("migrated"), local_server=True)
    return "migrated"


@pytest.fixture
def database_url(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A local server's database with the present schema: a copy of one that was migrated."""
    if kind == "sqlite":
        copy = tmp_path / "livebase.db"
        shutil.copy(request.getfixturevalue("migrated_file"), copy)
        yield f"sqlite:///{copy}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = f"store_{next(_names)}"
    yield server.url(name, like=request.getfixturevalue("migrated_name"))
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
