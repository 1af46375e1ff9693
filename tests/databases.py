"""Both databases, SQLite and PostgreSQL: what asks for one of these fixtures runs on each, with one of its own."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from store.migrate import migrate
from tests.postgres import PostgresServer

_names = itertools.count(1)


@dataclass(frozen=True)
class Place:
    """Where an office keeps what it has: its documents in the folder, its records in a database with the schema."""

    folder: Path
    database_url: str


def only_on(name: str) -> pytest.MarkDecorator:
    """For what the other database does not have."""
    return pytest.mark.parametrize("database", [name], indirect=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """Which database; a test for one of them says so with `only_on`."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server shared by the session: use databases of your own."""
    with PostgresServer() as started:
        yield started


@cache
def migrated_sqlite() -> bytes:
    """The file of a local server's database with the present schema."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "livebase.db")
        migrate(f"sqlite:///{file}", local_server=True)
        return file.read_bytes()


@pytest.fixture(scope="session")
def migrated_name(postgres: PostgresServer) -> str:
    migrate(postgres.url("migrated"), local_server=True)
    return "migrated"


@pytest.fixture
def database_url(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A local server's database with the present schema: a copy of one that was migrated."""
    if database == "sqlite":
        yield _on_sqlite(tmp_path)
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = f"test_{next(_names)}"
    yield server.url(name, like=request.getfixturevalue("migrated_name"))
    server.drop(name)


@pytest.fixture
def place(tmp_path: Path, database_url: str) -> Place:
    """A place of the test's own."""
    return Place(tmp_path, database_url)


@pytest.fixture(scope="session")
def place_on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """One shared by the session."""
    folder = tmp_path_factory.mktemp("office")
    return Place(folder, _on_sqlite(folder))


@pytest.fixture(scope="session")
def place_on_postgresql(
    tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer, migrated_name: str
) -> Place:
    """One shared by the session."""
    return Place(tmp_path_factory.mktemp("office"), postgres.url("shared", like=migrated_name))


def _on_sqlite(folder: Path) -> str:
    file = folder / "livebase.db"
    file.write_bytes(migrated_sqlite())
    return f"sqlite:///{file}"
