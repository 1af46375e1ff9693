"""Opening the database: SQLite (WAL, synchronous FULL) by default, PostgreSQL in production."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, create_engine, event

_BUSY_SECONDS = 2.0
_STATEMENT_TIMEOUT_MS = 4000


def open_engine(url: str, *, read_only: bool = False) -> Engine:
    """An engine for a SQLAlchemy URL. `read_only` refuses writes in the database itself.

    SQLite writers take the write lock as they begin, so that two never find out at commit; a busy database
    or a lost one raises `sqlalchemy.exc.OperationalError`.
    """
    if url.startswith("sqlite"):
        engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False})
        _prepare_sqlite(engine, read_only)
        return engine
    options = f"-c statement_timeout={_STATEMENT_TIMEOUT_MS} -c lock_timeout={_STATEMENT_TIMEOUT_MS} -c timezone=UTC"
    if read_only:
        options += " -c default_transaction_read_only=on"
    return create_engine(
        url, pool_size=8, max_overflow=2, pool_pre_ping=True, connect_args={"options": options, "connect_timeout": 3}
    )


def _prepare_sqlite(engine: Engine, read_only: bool) -> None:
    @event.listens_for(engine, "connect")
    def configure(connection: Any, _: object) -> None:
        # The driver's own transaction handling begins too late; we begin them ourselves.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        if read_only:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
