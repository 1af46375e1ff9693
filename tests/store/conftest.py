"""Every test of the store runs on both databases, each on one that is as if it were new."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Row, insert, make_url, select

from store.cases import CaseStore
from store.engine import open_engine
from store.queries import Reader
from store.tables import Table
from tests.databases import migrated_sqlite
from tests.documents import pseudonym
from tests.postgres import PostgresServer

_names = itertools.count(1)
_TABLES = Table.metadata.sorted_tables


class Kept:
    """A database that is used again and emptied before: a new one costs more than most tests.

    With its engines: each of them works out every statement anew.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = open_engine(url)
        self.reading = open_engine(url, read_only=True)

    def empty(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        self.engine.dispose()
        self.reading.dispose()


class KeptOnSqlite(Kept):
    def empty(self) -> None:
        self.close()
        file = Path(make_url(self.url).database or "")
        for beside in file.parent.glob(f"{file.name}-*"):
            beside.unlink()
        file.write_bytes(migrated_sqlite())


class KeptOnPostgresql(Kept):
    """One whose schema or rights a test has changed is made anew."""

    _NAME = "kept"

    def __init__(self, server: PostgresServer, template: str) -> None:
        super().__init__(server.url(self._NAME, like=template))
        self._server, self._template = server, template
        self._schema_at_first = self._schema()
        with self.engine.connect() as connection:
            rows = {table: connection.execute(select(table)).mappings().all() for table in _TABLES}
        self._rows_at_first = {table: [dict(row) for row in found] for table, found in rows.items() if found}

    def empty(self) -> None:
        if self._schema() != self._schema_at_first:
            self.close()
            self._server.drop(self._NAME)
            self._server.url(self._NAME, like=self._template)
            self._schema_at_first = self._schema()
            return
        with self.engine.begin() as connection:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")  # some are append-only
            connection.exec_driver_sql(f"TRUNCATE {', '.join(table.name for table in _TABLES)} RESTART IDENTITY")
            for table, rows in self._rows_at_first.items():
                connection.execute(insert(table), rows)

    def _schema(self) -> list[Row[Any]]:
        """What tells one schema from another, and who may do what in it."""
        with self.engine.connect() as connection:
            return list(
                connection.exec_driver_sql("""
                    SELECT oid::text FROM pg_trigger UNION ALL SELECT oid::text FROM pg_constraint
                    UNION ALL SELECT concat_ws(' ', relname, relnatts, relacl) FROM pg_class
                        WHERE relnamespace = 'public'::regnamespace
                    ORDER BY 1
                """)
            )


@pytest.fixture(scope="session")
def kept_on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    kept = KeptOnSqlite(f"sqlite:///{tmp_path_factory.mktemp('kept') / 'livebase.db'}")
    yield kept
    kept.close()


@pytest.fixture(scope="session")
def kept_on_postgresql(postgres: PostgresServer, migrated_name: str) -> Iterator[Kept]:
    kept = KeptOnPostgresql(postgres, migrated_name)
    yield kept
    kept.close()


@pytest.fixture
def kept(database: str, request: pytest.FixtureRequest) -> Kept:
    empty: Kept = request.getfixturevalue(f"kept_on_{database}")
    empty.empty()
    return empty


@pytest.fixture
def url(kept: Kept) -> str:
    """Where the database of `engine`, `store` and `reader` is."""
    return kept.url


@pytest.fixture
def engine(kept: Kept) -> Engine:
    return kept.engine


@pytest.fixture
def store(engine: Engine) -> CaseStore:
    return CaseStore(engine, pseudonym)


@pytest.fixture
def reader(kept: Kept) -> Reader:
    return Reader(kept.reading)


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
