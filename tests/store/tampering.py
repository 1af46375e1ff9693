"""What someone with the database's password may do to the records."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, Engine, create_engine, select, text, update

from store.audit import entry_hash, genesis
from store.tables import AuditRow, Table

Act = Callable[[Connection], None]


def unprotected(engine: Engine) -> None:
    """Drop every trigger."""
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            names = text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            for name in connection.scalars(names).all():
                connection.execute(text(f"DROP TRIGGER {name}"))
            return
        triggers = text("SELECT tgname, tgrelid::regclass FROM pg_trigger WHERE NOT tgisinternal")
        for name, table in connection.execute(triggers).all():
            connection.execute(text(f"DROP TRIGGER {name} ON {table}"))


def run(*statements: str) -> Act:
    def act(connection: Connection) -> None:
        for statement in statements:
            connection.execute(text(statement))

    return act


def both(*acts: Act) -> Act:
    def act(connection: Connection) -> None:
        for one in acts:
            one(connection)

    return act


def hash_again(connection: Connection, case_number: str) -> None:
    """A case's chain hashed anew over its entries as they are, as whoever wrote them would."""
    previous = genesis(case_number)
    rows = select(AuditRow.__table__).where(AuditRow.case_number == case_number).order_by(AuditRow.sequence)
    for row in connection.execute(rows).mappings().all():
        own = entry_hash(previous, **{key: row[key] for key in row if key not in ("hash", "previous_hash")})
        of_it = AuditRow.case_number == case_number, AuditRow.sequence == row["sequence"]
        connection.execute(update(AuditRow).where(*of_it).values(previous_hash=previous, hash=own))
        previous = own


def remove_case(connection: Connection, case_number: str) -> None:
    """A case with all that is recorded of it, but what seals have."""
    for table in reversed(Table.metadata.sorted_tables):
        if "case_number" in table.c and table.name != "audit_heads":
            connection.execute(table.delete().where(table.c.case_number == case_number))


def remove_row_of_case(engine: Engine, case_number: str) -> None:
    """A case's row alone, though all the others refer to it."""
    unchecked = create_engine(engine.url)  # SQLite checks no keys unless it is told to
    with unchecked.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text("DELETE FROM cases WHERE case_number = :n"), {"n": case_number})
    unchecked.dispose()
