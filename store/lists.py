"""Lists over all cases, for those who work on them."""

from __future__ import annotations

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from domain.names import same_name
from domain.stages import Role
from store import tables
from store.conflicts import again_after_conflict
from store.queries import FoundCase, found_case


@again_after_conflict
def waiting_cases(engine: Engine, role: Role | None = None, applicant: str | None = None) -> list[FoundCase]:
    """The cases somebody is waited for in: with `role` those with a task it may do, with `applicant` theirs."""
    statement = select(tables.CaseRow).where(tables.CaseRow.awaiting != Role.NOBODY.value)

    def wanted(row: tables.CaseRow) -> bool:  # before the whole case is made of it, which takes longer
        theirs = applicant is None or same_name(row.facts["applicant"], applicant)
        return theirs and (
            role is None or any(role in (task["role"], *task.get("also", ())) for task in row.facts["tasks"])
        )

    with Session(engine) as session:
        return [found_case(row) for row in session.scalars(statement) if wanted(row)]
