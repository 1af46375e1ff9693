"""Bringing a database to the present schema."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from store.engine import open_engine
from store.tables import Installation

_MIGRATIONS = Path(__file__).with_name("migrations")


def migrate(url: str, *, local_server: bool) -> None:
    """Upgrade to the newest schema and note, once, whether the database is a local server's (decision 6).

    Runs again without effect. ValueError when the database is noted as the other kind.
    """
    engine = open_engine(url)
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            # Two at once wait for each other; SQLite's write lock does the same.
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(5201314)")
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        with Session(connection) as session:
            noted = session.scalar(select(Installation))
            if noted is None:
                session.add(Installation(only=1, local_server=local_server))
                session.flush()
            elif noted.local_server != local_server:
                raise ValueError("this database belongs to another kind of server; it cannot change its kind")
            session.commit()
    engine.dispose()


def is_current(engine: Engine) -> bool:
    """Whether the database has the newest schema."""
    with engine.connect() as connection:
        present = MigrationContext.configure(connection).get_current_revision()
    return present == ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config
