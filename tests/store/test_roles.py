"""What a worker, the command line and the official list may do in PostgreSQL, and that none may do more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import ProgrammingError

from store import tables
from store.cases import CaseStore
from store.engine import open_engine
from store.migrate import is_current, migrate
from store.queries import Reader
from store.roles import READER, REGISTER, ROLES, WORKER
from tests.databases import only_on
from tests.documents import pseudonym
from tests.postgres import PostgresServer
from tests.store.first_year import Enterprise, write

pytestmark = only_on("postgresql")
TABLES = [table.name for table in tables.Table.metadata.sorted_tables]
WRITES = ("INSERT INTO {} DEFAULT VALUES", "UPDATE {} SET at = at", "DELETE FROM {}", "TRUNCATE {} CASCADE")


@pytest.fixture(params=list(ROLES))
def role(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def engine_of(role: str, url: str, postgres: PostgresServer) -> Engine:
    return open_engine(postgres.url_as(role, url))


@pytest.fixture
def worker(url: str, postgres: PostgresServer) -> Iterator[Engine]:
    engine = engine_of(WORKER, url, postgres)
    yield engine
    engine.dispose()


def rights(engine: Engine, role: str) -> dict[str, set[str]]:
    """Table → what the role may do with it, as the database has it."""
    held = text(
        "SELECT table_name, privilege_type FROM information_schema.role_table_grants "
        "WHERE grantee = :role AND table_schema = 'public'"
    )
    found: dict[str, set[str]] = {}
    with engine.connect() as connection:
        for table, right in connection.execute(held, {"role": role}):
            found.setdefault(table, set()).add(right)
    return found


def test_a_worker_writes_a_whole_first_year(worker: Engine) -> None:
    transitions = list(Enterprise().first_year())
    for transition in transitions:
        write(CaseStore(worker, pseudonym), transition)
    assert Reader(worker).timeline(transitions[0].case.case_number)[-1]["sequence"] == len(transitions)


def test_a_worker_takes_nothing_away(worker: Engine, engine: Engine) -> None:
    held = rights(engine, WORKER)
    assert set(held) == {*TABLES, "alembic_version"}
    assert all(not having & {"DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"} for having in held.values())
    for record in ("audit_entries", "ledger_lines", "payments", "decisions", "list_revisions", "terms"):
        assert held[record] == {"SELECT", "INSERT"}
    for statement in ("DROP TABLE audit_entries", "CREATE TABLE more (id int)", "ALTER TABLE cases DROP COLUMN name"):
        with pytest.raises(ProgrammingError), worker.begin() as connection:
            connection.execute(text(statement))


def test_the_command_line_reads_everything_and_writes_nothing(
    engine: Engine, url: str, postgres: PostgresServer
) -> None:
    reader = engine_of(READER, url, postgres)
    assert rights(engine, READER) == {table: {"SELECT"} for table in (*TABLES, "alembic_version")}
    assert is_current(reader)
    for table in TABLES:
        with reader.connect() as connection:
            connection.execute(text(f"SELECT * FROM {table}"))
        for statement in WRITES:
            with pytest.raises(ProgrammingError, match="permission denied|does not exist"), reader.begin() as writing:
                writing.execute(text(statement.format(table)))
    reader.dispose()


def test_the_official_list_reads_the_list_and_nothing_else(
    store: CaseStore, engine: Engine, url: str, postgres: PostgresServer
) -> None:
    for transition in Enterprise().first_year():
        write(store, transition)
    register = engine_of(REGISTER, url, postgres)
    read = {table: {"SELECT"} for table in ("list_revisions", "installation", "alembic_version")}
    assert rights(engine, REGISTER) == {**read, "complaints": {"INSERT"}}
    with register.connect() as connection:
        assert len(connection.execute(select(tables.ListRow.state)).all()) == 2
    for table in set(TABLES) - {"list_revisions", "installation"}:
        with pytest.raises(ProgrammingError, match="permission denied"), register.connect() as connection:
            connection.execute(text(f"SELECT * FROM {table}"))
    register.dispose()


def test_what_somebody_granted_by_hand_is_taken_back(engine: Engine, url: str, role: str) -> None:
    before = rights(engine, role)
    with engine.begin() as connection:
        connection.execute(text(f"GRANT DELETE ON audit_entries TO {role}"))
    assert migrate(url, local_server=True) == []
    assert rights(engine, role) == before


def test_an_owner_who_may_not_make_roles_is_told_which_are_missing(database: str) -> None:
    """On a server of its own: roles are the whole server's."""
    with PostgresServer() as other:
        own = other.url("owned")
        engine = open_engine(own)
        with engine.begin() as connection:
            connection.execute(text(f"CREATE ROLE {READER} NOLOGIN"))
            connection.execute(text("CREATE ROLE owner_user LOGIN PASSWORD 'owner'"))
            connection.execute(text("GRANT ALL ON SCHEMA public TO owner_user"))
        limited = engine.url.set(username="owner_user", password="owner").render_as_string(hide_password=False)
        assert migrate(limited, local_server=False) == [WORKER, REGISTER]
        assert set(rights(engine, READER)) == {*TABLES, "alembic_version"}
        with engine.begin() as connection:
            connection.execute(text(f"CREATE ROLE {WORKER} NOLOGIN"))
        assert migrate(limited, local_server=False) == [REGISTER]
        assert rights(engine, WORKER)["audit_entries"] == {"SELECT", "INSERT"}
        engine.dispose()
