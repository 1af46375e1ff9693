"""Payments across all cases: what is on record under a reference, and money of no case (decision 15).

A payment is one row for each edition, append-only; where its money has come since, and what of it was taken back, are
rows of their own. What of it waits on a case says the case.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Engine, func, or_, select
from sqlalchemy.orm import Session

from domain.commands import Command, RecordUnplaced
from domain.ledger import Account
from domain.placing import is_due, named_in, payers, place, refund_in
from domain.reconciling import PaidOut
from domain.records import Payment, Reported
from domain.shanghai import end_of_day, midnight, shanghai_date
from domain.stages import Role
from store import actors, answers, tables
from store.conflicts import again_after_conflict
from store.queries import FoundCase, found_case

_PAYMENT, _MOVE, _BACK = tables.PaymentRow, tables.PaymentMoveRow, tables.PaymentReversalRow
_AT_ONCE = 500

_placed = select(_MOVE.reference).where(_MOVE.reference == _PAYMENT.reference, _MOVE.edition == _PAYMENT.edition)
UNPLACED = select(_PAYMENT).where(_PAYMENT.case_number.is_(None), ~_placed.exists())
"""The payments that are no case's yet."""
EVER_UNMATCHED = select(_PAYMENT.case_number).where(_PAYMENT.unmatched > 0).union(select(_MOVE.case_number))
"""The cases on which money has ever fitted nowhere, among them all on which some does now."""


class PaymentStore:
    """Payments on one engine. Instants come from the caller."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def transaction(self) -> Iterator[PaymentTransaction]:
        """One transaction about a payment of no case."""
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            yield PaymentTransaction(session)

    @again_after_conflict
    def known(self, references: Sequence[str]) -> dict[str, Reported]:
        """What is on record under these references."""
        with Session(self._engine) as session:
            return known_payments(session, references)


class PaymentTransaction(actors.CommandTransaction):
    """What a transaction about a payment of no case sees and does."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._added: list[tables.Table] = []

    def payment(self, reference: str) -> Reported | None:
        """As `payment_in`."""
        return payment_in(self._session, reference)

    def add(self, command: RecordUnplaced, at: datetime) -> None:
        """Put money of no case on record, with its ledger line."""
        self._added += [
            _PAYMENT(
                reference=command.reference,
                edition=1,
                case_number=None,
                amount=command.amount,
                payer=command.payer,
                value_date=command.paid_on,
                credited=0,
                unmatched=command.amount,
                why=command.why,
                note=command.note,
                at=at,
            ),
            tables.LedgerLine(
                transfer_key=f"payment:{command.reference}:{Account.UNPLACED}",
                case_number=None,
                sequence=0,
                debit_account=Account.BANK.value,
                credit_account=Account.UNPLACED.value,
                amount=command.amount,
                reference=command.reference,
                approval=None,
                at=at,
            ),
        ]
        self._session.add_all(self._added)
        self._session.flush()

    def remember(self, command: Command, answer: BaseModel, at: datetime) -> None:
        """Keep the answer for good, with an entry in the office's chain."""
        answers.remember(self._session, command, None, answer, at, self._added)


def payment_in(session: Session, reference: str) -> Reported | None:
    """What is on record under a bank reference: its newest edition, and where it is by now."""
    return known_payments(session, [reference]).get(reference)


def newest_payments(session: Session, references: Sequence[str]) -> list[tables.PaymentRow]:
    """The newest edition of each of these payments that is on record."""
    newest: dict[str, tables.PaymentRow] = {}
    for part in _parts(references):
        rows = select(_PAYMENT).where(_PAYMENT.reference.in_(part)).order_by(_PAYMENT.edition)
        newest |= {row.reference: row for row in session.scalars(rows)}
    return list(newest.values())


def known_payments(session: Session, references: Sequence[str]) -> dict[str, Reported]:
    """What is on record under these references."""
    rows = newest_payments(session, references)
    moved: dict[tuple[str, int], str] = {}
    back: dict[tuple[str, int], int] = {}
    for part in _parts([row.reference for row in rows]):
        moves = select(_MOVE.reference, _MOVE.edition, _MOVE.case_number).where(_MOVE.reference.in_(part))
        for reference, edition, case_number in session.execute(moves.order_by(_MOVE.at, _MOVE.sequence)):
            moved[reference, edition] = case_number
        sums = select(_BACK.reference, _BACK.edition, func.sum(_BACK.amount)).where(_BACK.reference.in_(part))
        for reference, edition, amount in session.execute(sums.group_by(_BACK.reference, _BACK.edition)):
            back[reference, edition] = int(amount)
    return {
        row.reference: Reported(
            Payment(
                row.reference,
                row.amount,
                row.payer,
                row.value_date,
                row.credited,
                row.unmatched,
                row.why,
                row.edition,
                row.note,
            ),
            moved.get((row.reference, row.edition), row.case_number),
            taken_back=back.get((row.reference, row.edition), 0) == row.amount,
        )
        for row in rows
    }


@again_after_conflict
def where_it_waits(engine: Engine, reference: str) -> tuple[Reported | None, str | None]:
    """What is on record under a reference, and the number of the case on which something of it is unmatched."""
    with Session(engine) as session:
        known = payment_in(session, reference)
        return known, waits_on(session, known) if known else None


def waits_on(session: Session, known: Reported) -> str | None:
    """The number of the case on which something of a payment is unmatched; None for none."""
    row, reference = tables.CaseRow, known.payment.reference
    first = select(_PAYMENT.case_number).where(_PAYMENT.reference == reference)
    then = select(_MOVE.case_number).where(_MOVE.reference == reference)
    rows = select(row.case_number, row.facts).where(row.case_number.in_(first.union(then)))
    return next(
        (
            number
            for number, facts in session.execute(rows)
            if any(one["reference"] == reference for one in facts.get("unmatched_payments", ()))
        ),
        None,
    )


@again_after_conflict
def case_of_payment(engine: Engine, reference: str, note: str, payer: str) -> tuple[FoundCase | None, str]:
    """The case a payment is for, and for none why: where its reference is on record, else as a statement's line is."""
    with Session(engine) as session:
        known = payment_in(session, reference)
    on_record = known.case_number if known else None
    named = [on_record] if on_record else list(named_in(note))
    found = cases_named(engine, named)
    if on_record:
        return found[on_record], ""
    due = deposits_due(engine)
    by_number = {one.case.case_number: one for one in (*found.values(), *due)}
    placed = place(note, payer, {name: one.case for name, one in found.items()}, payers(one.case for one in due))
    return (by_number[placed.case_number] if placed.case_number else None), placed.why


def came_back(engine: Engine, note: str, amount: int) -> str | None:
    """The number of the case whose refund the note names, when it is on record as having come back; else None."""
    if (named := refund_in(note)) is None:
        return None
    refund, number = named
    found = cases_named(engine, [number]).get(number)
    refunds = found.case.refunds if found else ()
    same = (one.id == refund and one.state == "returned" and one.amount == amount for one in refunds)
    return number if any(same) else None


@again_after_conflict
def cases_named(engine: Engine, names: Sequence[str]) -> dict[str, FoundCase]:
    """The cases that go by these numbers and credit codes; by a credit code its enterprise's newest."""
    row = tables.CaseRow
    found: dict[str, FoundCase] = {}
    with Session(engine) as session:
        for part in _parts(names):
            rows = select(row).where(or_(row.case_number.in_(part), row.credit_code.in_(part))).order_by(row.ordinal)
            for case in session.scalars(rows):
                found[case.case_number] = found[case.credit_code] = found_case(case)
    return found


@again_after_conflict
def deposits_due(engine: Engine) -> list[FoundCase]:
    """The cases that wait for money of the deposit, in the order of their numbers."""
    row = tables.CaseRow
    waiting = select(row).where(row.awaiting != Role.NOBODY.value, ~row.ended).order_by(row.case_number)
    with Session(engine) as session:
        return [found_case(case) for case in session.scalars(waiting) if is_due(case.facts["tasks"])]


@again_after_conflict
def payments_of(engine: Engine, first: date, last: date, references: Sequence[str]) -> list[Reported]:
    """The payments with a value date among these days, and those under these references."""
    with Session(engine) as session:
        within = select(_PAYMENT.reference).where(_PAYMENT.value_date >= first, _PAYMENT.value_date <= last)
        meant = dict.fromkeys((*session.scalars(within.order_by(_PAYMENT.reference)), *references))
        return list(known_payments(session, list(meant)).values())


@again_after_conflict
def refunds_paid(engine: Engine, first: date, last: date) -> list[PaidOut]:
    """The refunds and returns the bank confirmed on these days, in the order it did."""
    line, row = tables.LedgerLine, tables.CaseRow
    out = or_(line.debit_account.like("refund_pending:%"), line.debit_account.like("return_pending:%"))
    statement = (
        select(line.reference, line.amount, line.at, line.case_number, row.facts)
        .join(row, row.case_number == line.case_number)
        .where(out, line.credit_account == Account.BANK.value, line.at >= midnight(first), line.at < end_of_day(last))
        .order_by(line.number)
    )
    with Session(engine) as session:
        return [
            PaidOut(id, _bank_reference(facts, id), amount, shanghai_date(at), number)
            for id, amount, at, number, facts in session.execute(statement)
        ]


def _bank_reference(facts: dict[str, Any], id: str) -> str:
    return next((one.get("bank_reference") or "" for one in facts.get("refunds", ()) if one["id"] == id), "")


@again_after_conflict
def count_unplaced(engine: Engine) -> int:
    """How many payments are no case's yet."""
    with Session(engine) as session:
        return session.scalar(select(func.count()).select_from(UNPLACED.subquery())) or 0


@again_after_conflict
def furthest_clock(engine: Engine) -> timedelta:
    """How far the case whose clock is furthest ahead is: nothing but on a local server (decision 6)."""
    with Session(engine) as session:
        return timedelta(milliseconds=session.scalar(select(func.max(tables.CaseRow.clock_offset_ms))) or 0)


def _parts(items: Sequence[str]) -> Iterator[Sequence[str]]:
    """Few enough at once for one statement."""
    for first in range(0, len(items), _AT_ONCE):
        yield items[first : first + _AT_ONCE]
