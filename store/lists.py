"""Lists over all cases, for those who work on them."""

from __future__ import annotations

from typing import Any

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


@again_after_conflict
def unmatched_payments(engine: Engine) -> list[dict[str, Any]]:
    """All money that fits nowhere and waits for a person, the oldest first (decision 15)."""
    statement = (
        select(tables.PaymentRow, tables.CaseRow)
        .join(tables.CaseRow, tables.CaseRow.case_number == tables.PaymentRow.case_number)
        .where(tables.PaymentRow.unmatched > 0)
        .order_by(tables.PaymentRow.at, tables.PaymentRow.reference)
    )
    with Session(engine) as session:
        return [
            {
                "reference": payment.reference,
                "amount": {"fen": one["amount"]},
                "payer": payment.payer,
                "value_date": payment.value_date.isoformat(),
                "why": payment.why,
                "case_number": row.case_number,
                "credit_code": row.credit_code,
                "name": row.name,
            }
            for payment, row in session.execute(statement)
            for one in row.facts.get("unmatched_payments", ())
            if one["reference"] == payment.reference
        ]


@again_after_conflict
def case_of_payment(engine: Engine, reference: str) -> str | None:
    """The number of the case a payment is on record for."""
    with Session(engine) as session:
        row = session.get(tables.PaymentRow, reference)
        return row.case_number if row else None
