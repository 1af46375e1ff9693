"""Lists over all cases, for those who work on them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from domain.names import same_name
from domain.stages import Role
from store import tables
from store.conflicts import again_after_conflict
from store.payments import EVER_UNMATCHED, newest_payments, unplaced_payments
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


@again_after_conflict
def unmatched_payments(engine: Engine) -> list[dict[str, Any]]:
    """All money that fits nowhere and waits for a person, the oldest first (decision 15).

    What is of no case has no `case_number`, `credit_code` and `name`, and the statement's `note`.
    """
    row = tables.CaseRow
    statement = select(row).where(row.awaiting != Role.NOBODY.value, row.case_number.in_(EVER_UNMATCHED))
    with Session(engine) as session:
        waiting = session.scalars(statement).all()
        cases = {one["reference"]: (case, one) for case in waiting for one in case.facts.get("unmatched_payments", ())}
        found = {known.reference: known for known in newest_payments(session, list(cases))}
        here = [(found[reference], case, one["amount"]) for reference, (case, one) in cases.items()]
        unplaced: list[tuple[tables.PaymentRow, tables.CaseRow | None, int]] = [
            (known, None, unplaced.left) for known, unplaced in unplaced_payments(session) if unplaced.left
        ]
    return [
        {
            "reference": known.reference,
            "amount": {"fen": amount},
            "payer": known.payer,
            "value_date": known.value_date.isoformat(),
            "why": known.why,
            "case_number": case.case_number if case else None,
            "credit_code": case.credit_code if case else None,
            "name": case.name if case else None,
            "note": known.note,
        }
        for known, case, amount in sorted([*here, *unplaced], key=lambda one: (one[0].at, one[0].reference))
    ]
