"""Payments across all cases: what is on record under a reference, and money of no case (decision 15).

A payment is one row for each edition, append-only; where its money has come since, and what of it was taken back, are
rows of their own. What of it waits on a case says the case.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import date, datetime, timedelta
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Engine, and_, func, or_, select
from sqlalchemy.orm import Session

from domain.commands import Command, RecordUnplaced
from domain.ledger import Account, Transfer
from domain.names import person
from domain.placing import is_due, named_in, payers, place, refund_in, return_in
from domain.reconciling import PaidOut
from domain.records import Approval, Payment, Reported
from domain.returning import Done, Step, Unplaced, order_of, proposal_of, steps_by_reference
from domain.shanghai import end_of_day, midnight, shanghai_date
from domain.stages import Role
from domain.working_days import Calendar
from store import actors, answers, tables
from store.calendar import calendar_in
from store.conflicts import again_after_conflict
from store.office import record_for_office
from store.queries import FoundCase, found_case

_PAYMENT, _MOVE, _BACK = tables.PaymentRow, tables.PaymentMoveRow, tables.PaymentReversalRow
_RETURN, _LINE = tables.PaymentReturnRow, tables.LedgerLine
_AT_ONCE = 500

_placed = select(_MOVE.reference).where(_MOVE.reference == _PAYMENT.reference, _MOVE.edition == _PAYMENT.edition)
_UNPLACED = select(_PAYMENT).where(_PAYMENT.case_number.is_(None), ~_placed.exists())
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

    @again_after_conflict
    def unplaced(self, reference: str) -> Unplaced | None:
        """A payment, and what has happened to its return."""
        with Session(self._engine) as session:
            return unplaced_in(session, reference)


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

    def unplaced(self, reference: str) -> Unplaced | None:
        """As `unplaced_in`."""
        return unplaced_in(self._session, reference)

    def reference_of(self, proposal: str) -> str | None:
        """The payment whose return a proposal is of; None for an unknown one."""
        return self._session.scalar(select(_RETURN.reference).where(_RETURN.proposal == proposal).limit(1))

    def require_still(self, name: str, role: str) -> None:
        """As `store.actors.require_still`."""
        actors.require_still(self._session, name, role)

    def calendar(self) -> Calendar:
        """The calendar to decide with, imported notices included."""
        return calendar_in(self._session)

    def carry_out(self, unplaced: Unplaced, done: Done) -> Unplaced:
        """Put a step of a payment's return on record with its transfers: the payment after it.

        ValueError when an account of no case would be below zero (invariant L4).
        """
        payment, step = unplaced.payment, done.step
        if done.approval is not None:
            self._add(_approval_row(done.approval, step.at))
        self._add(
            _RETURN(
                reference=payment.reference,
                edition=payment.edition,
                number=len(unplaced.steps) + 1,
                case_number=None,
                approval=done.approval.id if done.approval else None,
                **vars(step),
            ),
            *(_line(transfer, step.at) for transfer in done.transfers),
        )
        for account in (Account.UNPLACED, Account.RETURN_PENDING):
            if (stands := _stands(self._session, account)) < 0:
                raise ValueError(f"the account {account} would stand at {stands} fen")
        return replace(unplaced, steps=(*unplaced.steps, step))

    def record(self, event: str, unplaced: Unplaced, step: Step) -> None:
        """Chain what came of itself; what a person did is chained with its answer (`remember`)."""
        detail = {
            "reference": unplaced.payment.reference,
            "proposal": step.proposal,
            "amount": {"fen": step.amount},
            "bank_reference": step.bank_reference,
            "why": step.reason,
        }
        record_for_office(self._session, step.by, event, detail, step.at, self._added)

    def _add(self, *rows: tables.Table) -> None:
        self._added += rows
        self._session.add_all(rows)
        self._session.flush()

    def remember(self, command: Command, answer: BaseModel, at: datetime) -> None:
        """Keep the answer for good, with an entry in the office's chain."""
        answers.remember(self._session, command, None, answer, at, self._added)


def _approval_row(approval: Approval, at: datetime) -> tables.ApprovalRow:
    return tables.ApprovalRow(
        **vars(approval),
        case_number=None,
        proposer=person(approval.proposed_by),
        approver=person(approval.approved_by),
        at=at,
    )


def _line(transfer: Transfer, at: datetime) -> tables.LedgerLine:
    return tables.LedgerLine(
        transfer_key=transfer.key,
        case_number=None,
        sequence=0,
        debit_account=transfer.debit.value,
        credit_account=transfer.credit.value,
        amount=transfer.amount,
        reference=transfer.reference,
        approval=transfer.approval,
        at=at,
    )


def _stands(session: Session, account: Account) -> int:
    """What stands on an account of no case, in fen."""
    came, went = (
        session.scalar(select(func.coalesce(func.sum(_LINE.amount), 0)).where(side == account.value))
        for side in (_LINE.credit_account, _LINE.debit_account)
    )
    return int(came or 0) - int(went or 0)


def unplaced_in(session: Session, reference: str) -> Unplaced | None:
    """What is on record under a bank reference, with what has happened to its return; None for nothing."""
    known = payment_in(session, reference)
    return unplaced_of(session, known) if known else None


def unplaced_of(session: Session, known: Reported) -> Unplaced:
    """A payment on record, with what has happened to its return."""
    payment = known.payment
    return Unplaced(known, _steps(session, [payment.reference]).get((payment.reference, payment.edition), ()))


def unplaced_payments(session: Session) -> list[tuple[tables.PaymentRow, Unplaced]]:
    """The payments that are no case's, with what has happened to their return, whatever is left of them."""
    rows = session.scalars(_UNPLACED).all()
    steps = _steps(session, [row.reference for row in rows])
    known = known_payments(session, [row.reference for row in rows])
    return [(row, Unplaced(known[row.reference], steps.get((row.reference, row.edition), ()))) for row in rows]


def _steps(session: Session, references: Sequence[str]) -> dict[tuple[str, int], tuple[Step, ...]]:
    found: list[tuple[str, int, Step]] = []
    for part in _parts(references):
        rows = select(_RETURN).where(_RETURN.reference.in_(part))
        for row in session.scalars(rows.order_by(_RETURN.reference, _RETURN.edition, _RETURN.number)):
            names = (field.name for field in fields(Step))
            found.append((row.reference, row.edition, Step(**{name: getattr(row, name) for name in names})))
    return steps_by_reference(found)


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
            first_case=row.case_number,
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
def returned_again(engine: Engine, note: str, amount: int) -> bool:
    """Whether the note names the return of a payment of no case that is on record as having come back."""
    if (order := return_in(note)) is None:
        return False
    back = select(_RETURN.amount).where(_RETURN.proposal == proposal_of(order), _RETURN.what == "returned")
    with Session(engine) as session:
        return session.scalar(back.limit(1)) == amount


@again_after_conflict
def unplaced_named(engine: Engine, proposal: str) -> Unplaced | None:
    """The payment of no case whose return a proposal is of."""
    with Session(engine) as session:
        reference = session.scalar(select(_RETURN.reference).where(_RETURN.proposal == proposal).limit(1))
        return unplaced_in(session, reference) if reference else None


@again_after_conflict
def open_returns(engine: Engine, at: datetime) -> list[Unplaced]:
    """The payments of no case whose return waits for a second person at an instant."""
    asked = select(_RETURN.reference).where(_RETURN.what == "proposed", _RETURN.expires_at > at).distinct()
    with Session(engine) as session:
        found = [unplaced_in(session, reference) for reference in session.scalars(asked)]
    return [one for one in found if one is not None and one.open is not None]


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
    out = or_(line.debit_account.like("refund_pending:%"), line.debit_account.like("return_pending%"))
    statement = (
        select(line.reference, line.amount, line.at, line.case_number, row.facts, _RETURN.bank_reference)
        .join(row, row.case_number == line.case_number, isouter=True)
        .join(
            _RETURN,
            and_(line.case_number.is_(None), _RETURN.proposal + order_of("") == line.reference, _RETURN.what == "paid"),
            isouter=True,
        )
        .where(out, line.credit_account == Account.BANK.value, line.at >= midnight(first), line.at < end_of_day(last))
        .order_by(line.number)
    )
    with Session(engine) as session:
        return [
            PaidOut(id, of_none or _bank_reference(facts or {}, id), amount, shanghai_date(at), number)
            for id, amount, at, number, facts, of_none in session.execute(statement)
        ]


def _bank_reference(facts: dict[str, Any], id: str) -> str:
    return next((one.get("bank_reference") or "" for one in facts.get("refunds", ()) if one["id"] == id), "")


@again_after_conflict
def count_unplaced(engine: Engine) -> int:
    """How many payments wait that are no case's yet."""
    with Session(engine) as session:
        return sum(bool(unplaced.left) for _, unplaced in unplaced_payments(session))


@again_after_conflict
def furthest_clock(engine: Engine) -> timedelta:
    """How far the case whose clock is furthest ahead is: nothing but on a local server (decision 6)."""
    with Session(engine) as session:
        return timedelta(milliseconds=session.scalar(select(func.max(tables.CaseRow.clock_offset_ms))) or 0)


def _parts(items: Sequence[str]) -> Iterator[Sequence[str]]:
    """Few enough at once for one statement."""
    for first in range(0, len(items), _AT_ONCE):
        yield items[first : first + _AT_ONCE]
