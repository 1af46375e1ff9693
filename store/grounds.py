"""What a case's state rests on, beside the case itself: decisions, the newest screening, money that fits nowhere."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from store import tables
from store.conflicts import again_after_conflict
from store.payments import newest_payments
from store.queries import shown


@again_after_conflict
def grounds(engine: Engine, case_number: str) -> dict[str, Any]:
    """`decisions` first to last, `screening` {revision, as_of, policy_version} or None, `unmatched` payments."""
    decision, finding = tables.DecisionRow, tables.FindingRow
    decisions = select(decision).where(decision.case_number == case_number).order_by(decision.sequence)
    newest = (
        select(finding)
        .where(finding.case_number == case_number)
        .order_by(finding.sequence.desc(), finding.place)
        .limit(1)
    )
    with Session(engine) as session:
        screened = session.scalar(newest)
        return {
            "decisions": [
                {
                    "sequence": row.sequence,
                    "kind": row.kind,
                    "by": row.by,
                    "role": row.role,
                    "revision": row.revision,
                    "reason": row.reason,
                    "detail": row.detail,
                    "at": shown(row.at),
                }
                for row in session.scalars(decisions)
            ],
            "screening": screened
            and {
                "revision": screened.revision,
                "as_of": screened.as_of.isoformat(),
                "policy_version": screened.policy_version,
            },
            "unmatched": [
                {
                    "reference": row.reference,
                    "payer": row.payer,
                    "amount": {"fen": amount},
                    "value_date": row.value_date.isoformat(),
                    "why": row.why,
                    "at": shown(row.at),
                }
                for row, amount in _unmatched(session, case_number)
            ],
        }


def _unmatched(session: Session, case_number: str) -> list[tuple[tables.PaymentRow, int]]:
    """The payments of which something fits nowhere on the case, the oldest first, with how much does."""
    case = session.get(tables.CaseRow, case_number)
    waiting = {one["reference"]: one["amount"] for one in case.facts.get("unmatched_payments", ())} if case else {}
    rows = newest_payments(session, list(waiting))
    return [(row, waiting[row.reference]) for row in sorted(rows, key=lambda row: (row.at, row.reference))]


@again_after_conflict
def notes(engine: Engine, case_number: str) -> list[dict[str, Any]]:
    """The staff's notes on a case, oldest first: `{sequence, at, by, text}`."""
    note = tables.NoteRow
    with Session(engine) as session:
        rows = session.scalars(select(note).where(note.case_number == case_number).order_by(note.sequence))
        return [{"sequence": row.sequence, "at": shown(row.at), "by": row.by, "text": row.text} for row in rows]
