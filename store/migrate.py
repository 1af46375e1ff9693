"""Bringing a database to the present schema."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, insert, select

from store.engine import open_engine
from store.roles import grant_rights
from store.tables import Installation

_MIGRATIONS = Path(__file__).with_name("migrations")
_LOCK = 5201314  # any number, as long as nobody else uses it in this database


def migrate(url: str, *, local_server: bool) -> list[str]:
    """Upgrade to the newest schema and note, once, whether the database is a local server's (decision 6).

    On PostgreSQL the roles of `store.roles` get their rights; returns those that are missing and that this user may
    not make. Runs again without effect. ValueError when the database is noted as the other kind.
    """
    engine = open_engine(url)
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                _wait_for_others(connection)
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            _note_kind(connection, local_server)
            return grant_rights(connection) if connection.dialect.name == "postgresql" else []
    finally:
        engine.dispose()


def is_current(engine: Engine) -> bool:
    """Whether the database has the newest schema."""
    with engine.connect() as connection:
        present = MigrationContext.configure(connection).get_current_revision()
    return present == ScriptDirectory.from_config(_config()).get_current_head()


def _wait_for_others(connection: Connection) -> None:
    """Two migrations at once wait for each other, however long one takes; SQLite's write lock does the same."""
    for statement in (
        "SET LOCAL statement_timeout = 0",
        "SET LOCAL lock_timeout = 0",
        f"SELECT pg_advisory_xact_lock({_LOCK})",
        # A table in use is not waited for without end: everybody else would queue behind us.
        "SET LOCAL lock_timeout TO DEFAULT",
    ):
        connection.exec_driver_sql(statement)


def _note_kind(connection: Connection, local_server: bool) -> None:
    noted = connection.scalar(select(Installation.local_server))
    if noted is None:
        connection.execute(insert(Installation).values(id=1, local_server=local_server, name=str(uuid.uuid4())))
    elif noted != local_server:
        raise ValueError("this database belongs to another kind of server; it cannot change its kind")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config


if __name__ == "__main__":
    migrate(os.environ["LIVEBASE_DATABASE_URL"], local_server=False)
