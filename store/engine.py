"""Opening the database: SQLite (WAL, synchronous FULL) by default, PostgreSQL in production."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

from sqlalchemy import Engine, create_engine, event

from store.canonical import canonical_text

_BUSY_SECONDS = 2.0
_STATEMENT_TIMEOUT_MS = 4000
_IDLE_TIMEOUT_MS = 10_000


def open_engine(url: str, *, read_only: bool = False) -> Engine:
    """An engine for a SQLAlchemy URL. `read_only` refuses writes in the database itself.

    SQLite writers take the write lock as they begin, so that two never find out at commit; a busy database
    or a lost one raises `sqlalchemy.exc.OperationalError`.
    """
    if url.startswith("sqlite"):
        engine = create_engine(
            url,
            connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
            hide_parameters=True,
            json_serializer=canonical_text,
        )
        _prepare_sqlite(engine, read_only)
        return engine
    settings = {
        "statement_timeout": _STATEMENT_TIMEOUT_MS,
        "lock_timeout": _STATEMENT_TIMEOUT_MS,
        # A worker that is stopped or cut off inside a transaction must not hold its case for good.
        "idle_in_transaction_session_timeout": _IDLE_TIMEOUT_MS,
        "timezone": "UTC",
        "default_transaction_read_only": "on" if read_only else "off",
    }
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    return create_engine(
        url,
        pool_size=8,
        max_overflow=2,
        pool_pre_ping=True,
        hide_parameters=True,  # errors go into logs and histories, where nothing personal belongs
        json_serializer=canonical_text,
        connect_args={"options": options, "connect_timeout": 3},
    )


def _prepare_sqlite(engine: Engine, read_only: bool) -> None:
    @event.listens_for(engine, "connect")
    def configure(connection: Any, _: object) -> None:
        # The driver's own transaction handling begins too late; we begin them ourselves.
        connection.isolation_level = None
        cursor = connection.cursor()
        if read_only:
            cursor.execute("PRAGMA query_only=ON")
        else:
            _write_ahead(cursor)
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def _write_ahead(cursor: sqlite3.Cursor) -> None:
    """Switch a new database to WAL; it stays so. SQLite fails at once when two switch together: try again."""
    for pause in (0.02, 0.05, 0.1, 0.2, 0.5, None):
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if pause is None:
                raise
            time.sleep(pause)
