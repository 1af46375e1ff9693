"""Who may do what in PostgreSQL: three roles without a login, to be granted to the users of programs and people.

The owner of the tables, whom `workers.prepare` connects as, needs none of them. SQLite has no users.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from store.tables import (
    BenefitRow,
    CalendarNoticeRow,
    CaseRow,
    ComplaintRow,
    Counter,
    Installation,
    ListRow,
    NoticeRow,
    Table,
)

WORKER, READER, REGISTER = "livebase_worker", "livebase_reader", "livebase_register"
ROLES = {
    WORKER: "workers: read all, add to all, change what changes; delete nothing",
    READER: "the command line: read all",
    REGISTER: "the official list: read the list, and of a case its clock and if it has ended; add complaints",
}
_OF_A_CASE = ("case_number", "clock_offset_ms", "ended", "documents_erased")
_CHANGED = (CaseRow, NoticeRow, BenefitRow, Counter, CalendarNoticeRow)
"""What a worker changes in place; all else is only ever added to. Calendar notices it does not change either, but
locks, for which PostgreSQL wants the right to: the table's own trigger refuses it."""


def grant_rights(connection: Connection) -> list[str]:
    """Make the roles and give each exactly its rights on the tables there are; safe to repeat.

    Returns the roles that are missing and that this user may not make; what exists has its rights.
    """
    present = set(connection.scalars(text("SELECT rolname FROM pg_roles")))
    may_make = connection.scalar(text("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"))
    missing = [role for role in ROLES if role not in present]
    if may_make:
        for role in missing:
            connection.exec_driver_sql(f"CREATE ROLE {role} NOLOGIN")
        missing = []
    for role in ROLES:
        if role not in missing:
            _grant(connection, role)
    return missing


def _grant(connection: Connection, role: str) -> None:
    tables = ", ".join(table.name for table in Table.metadata.sorted_tables)
    connection.exec_driver_sql(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}")
    connection.exec_driver_sql(f"GRANT SELECT ON alembic_version TO {role}")
    if role == REGISTER:
        connection.exec_driver_sql(f"GRANT SELECT ON {ListRow.__tablename__}, {Installation.__tablename__} TO {role}")
        columns = ", ".join(_OF_A_CASE)
        connection.exec_driver_sql(f"GRANT SELECT ({columns}) ON {CaseRow.__tablename__} TO {role}")
        connection.exec_driver_sql(f"GRANT INSERT ON {ComplaintRow.__tablename__} TO {role}")
        return
    connection.exec_driver_sql(f"GRANT SELECT ON {tables} TO {role}")
    if role == WORKER:
        changed = ", ".join(table.__tablename__ for table in _CHANGED)
        connection.exec_driver_sql(f"GRANT INSERT ON {tables} TO {role}")
        connection.exec_driver_sql(f"GRANT UPDATE ON {changed} TO {role}")
        connection.exec_driver_sql(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}")
