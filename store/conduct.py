"""Conduct cases as they are shown: what was reported, what was decided, what was authorised (R2 to R8)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from domain.case import Case
from domain.conduct import RULES, ConductCase
from domain.dependants import Authorised, Dependants, dependants, ended_at, in_force
from store import tables
from store.conflicts import again_after_conflict
from store.queries import shown


@again_after_conflict
def conduct_view(engine: Engine, case: Case, id: str, now: datetime, *, staff: bool) -> dict[str, Any]:
    """One conduct case with its report; whose accounts and what losses only for `staff`. KeyError for another id.

    An authorisation is in force or not at `now`, an instant of the case's clock: none outlives the certification,
    whether or not a worker has got to its end.
    """
    conduct = case.conduct_case(id)
    if conduct is None:
        raise KeyError(id)
    with Session(engine) as session:
        report = session.get_one(tables.ConductReportRow, id)
        answer = _answer(session, case, id)
        authorisations = [
            {
                "activity": row.activity,
                "until": row.until.isoformat(),
                "by": row.by,
                "in_force": in_force(case, _given(row), now),
                "ended_at": shown(ended_at(case, _given(row), now)),
            }
            for row in _authorisations(session, case)
        ]
    return {
        **conduct_summary(case, conduct),
        "says": RULES[conduct.rule],
        "reported_by": report.by,
        "facts": report.facts,
        "affected_accounts": report.affected_accounts if staff else [],
        "losses": report.losses if staff else [],
        "answer": conduct.answer or answer,
        "authorisations": authorisations if conduct.rule == "R5" else [],
        "possible": sorted(conduct.possible),
    }


def _answer(session: Session, case: Case, id: str) -> str | None:
    """What the base stated in its answer, as the entry has it."""
    entry = tables.AuditRow
    rows = select(entry.detail).where(entry.case_number == case.case_number, entry.event == "conduct_answered")
    return next((str(detail["statement"]) for detail in session.scalars(rows) if detail["conduct"] == id), None)


def dependants_of(session: Session, case: Case) -> Dependants:
    """Who and what depends on a base, as far as it is on record."""
    report = tables.ConductReportRow
    rows = select(report).where(report.case_number == case.case_number).order_by(report.sequence)
    accounts = [(row.conduct, row.affected_accounts) for row in session.scalars(rows)]
    return dependants(case, accounts, map(_given, _authorisations(session, case)))


def _authorisations(session: Session, case: Case) -> Sequence[tables.AuthorisationRow]:
    row = tables.AuthorisationRow
    return session.scalars(select(row).where(row.case_number == case.case_number).order_by(row.sequence)).all()


def _given(row: tables.AuthorisationRow) -> Authorised:
    return Authorised(row.activity, row.until, row.at)


def conduct_list(cases: Iterable[Case], *, closed: bool) -> list[dict[str, Any]]:
    """The conduct cases of some certifications, what is due first at the top."""
    rows = [
        conduct_summary(case, conduct) for case in cases for conduct in (case.conduct if closed else case.open_conduct)
    ]
    return sorted(rows, key=lambda row: (row["due_at"] is None, row["due_at"] or "", row["id"]))


def conduct_summary(case: Case, conduct: ConductCase) -> dict[str, Any]:
    """A conduct case as one line."""
    task = next((task for task in case.tasks if task.subject == conduct.id), None)
    due: datetime | None = task.due_at if task else None
    return {
        "id": conduct.id,
        "case_number": case.case_number,
        "name": case.name,
        "rule": conduct.rule,
        "trigger": conduct.trigger,
        "severity": conduct.severity,
        "found_on": conduct.found_on.isoformat(),
        "opened_at": shown(conduct.opened_at),
        "state": conduct.state,
        "awaiting": task.role.value if task else None,
        "due_at": shown(due),
        "outcome": conduct.outcome.value if conduct.outcome else None,
        "closed_at": shown(conduct.closed_at),
    }
