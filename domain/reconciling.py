"""A bank's statement against our own book, in both directions, for the days the statement covers (invariant L5).

By reference: what came in against payments, what went out against refunds and returns. A line that went out under the
reference of a payment is the bank taking that payment back. Without any line that went out, nothing is said about it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.bank_statement import StatementLine
from domain.names import folded, same_company
from domain.records import Reported

TAKEN_BACK_BY_THEM = "the bank has taken it back"
TAKEN_BACK_BY_US = "it was taken back with us"
Kind = Literal["missing_with_us", "missing_at_bank", "differs"]


@dataclass(frozen=True)
class PaidOut:
    """A refund or return the bank has confirmed: its id with us, the bank's reference, the Shanghai date, fen.

    `case_number` is None for money of no case.
    """

    id: str
    bank_reference: str
    amount: int
    paid_on: date
    case_number: str | None


class Side(BaseModel):
    """What one side says. Fen; below zero when it went out."""

    model_config = ConfigDict(extra="allow", frozen=True)

    amount: int
    payer: str
    date: date


class Difference(BaseModel):
    """One thing in which the two differ: `fields` of what both have, `why` where something was taken back."""

    model_config = ConfigDict(extra="allow", frozen=True)

    kind: Kind
    reference: str
    line: int | None = None
    case_number: str | None = None
    fields: tuple[str, ...] = ()
    why: str = ""
    bank: Side | None = None
    ours: Side | None = None


def days_of(lines: Sequence[StatementLine]) -> tuple[date, date]:
    """The first and the last day a statement covers."""
    days = [line.paid_on for line in lines]
    return min(days), max(days)


def goes_out(lines: Sequence[StatementLine]) -> bool:
    """Whether the statement tells of money that went out."""
    return any(line.amount < 0 for line in lines)


def compare(
    lines: Sequence[StatementLine], payments: Sequence[Reported], paid_out: Sequence[PaidOut]
) -> tuple[Difference, ...]:
    """Every difference, in the order of the statement's lines, then what only we have.

    `payments` and `paid_out` may reach beyond the days of the statement: outside them nothing is missed.
    """
    first, last = days_of(lines)
    ours = {known.payment.reference: known for known in payments}
    came = {line.reference: line for line in lines if line.amount > 0}
    went = {line.reference: line for line in lines if line.amount < 0}
    back = {reference: line for reference, line in went.items() if reference in came or reference in ours}
    found = [*_incoming(came, back, ours, first, last)]
    if went:
        rest = [line for reference, line in went.items() if reference not in back]
        found += _outgoing(rest, paid_out, first, last)
    return tuple(sorted(found, key=lambda one: (one.line is None, one.line or 0, one.reference)))


def _incoming(
    came: dict[str, StatementLine],
    back: dict[str, StatementLine],
    ours: dict[str, Reported],
    first: date,
    last: date,
) -> Iterator[Difference]:
    for reference in dict.fromkeys((*came, *back, *ours)):
        line, reversal, known = came.get(reference), back.get(reference), ours.get(reference)
        with_us = known if known is not None and not known.taken_back else None
        if reversal is not None:
            yield from _taken_back(line, reversal, with_us)
        elif line is None:
            if with_us is not None and first <= with_us.payment.value_date <= last:
                yield _missing_at_bank(with_us)
        elif with_us is None:
            why = TAKEN_BACK_BY_US if known else ""
            number = known.case_number if known else None
            yield Difference(
                kind="missing_with_us",
                reference=reference,
                line=line.line,
                case_number=number,
                why=why,
                bank=_theirs(line),
            )
        elif fields := tuple(_differing(line, with_us)):
            yield Difference(
                kind="differs",
                reference=reference,
                line=line.line,
                case_number=with_us.case_number,
                fields=fields,
                bank=_theirs(line),
                ours=_of_us(with_us),
            )


def _taken_back(line: StatementLine | None, reversal: StatementLine, with_us: Reported | None) -> Iterator[Difference]:
    """The bank has taken a payment back: all of it, and it must not stand in our book any more."""
    whole = line.amount if line else with_us.payment.amount if with_us else -reversal.amount
    if with_us is not None:
        fields = () if whole == -reversal.amount else ("amount",)
        yield Difference(
            kind="missing_at_bank",
            reference=reversal.reference,
            line=reversal.line,
            case_number=with_us.case_number,
            fields=fields,
            why=TAKEN_BACK_BY_THEM,
            bank=_theirs(reversal),
            ours=_of_us(with_us),
        )
    elif whole != -reversal.amount:
        yield Difference(
            kind="missing_with_us",
            reference=reversal.reference,
            line=reversal.line,
            fields=("amount",),
            why=TAKEN_BACK_BY_US,
            bank=_theirs(reversal),
        )


def _outgoing(
    lines: Sequence[StatementLine], paid_out: Sequence[PaidOut], first: date, last: date
) -> Iterator[Difference]:
    left = {one.id: one for one in paid_out}
    for line in lines:
        one = next((one for one in left.values() if _tells_of(line, one)), None)
        if one is None:
            yield Difference(kind="missing_with_us", reference=line.reference, line=line.line, bank=_theirs(line))
            continue
        del left[one.id]
        if -line.amount != one.amount:
            yield Difference(
                kind="differs",
                reference=line.reference,
                line=line.line,
                case_number=one.case_number,
                fields=("amount",),
                bank=_theirs(line),
                ours=_out(one),
            )
    for one in left.values():
        if first <= one.paid_on <= last:
            yield Difference(
                kind="missing_at_bank",
                reference=one.bank_reference or one.id,
                case_number=one.case_number,
                ours=_out(one),
            )


def _tells_of(line: StatementLine, one: PaidOut) -> bool:
    """By the bank's own reference, or our id as its reference or in its note."""
    named = {folded(one.bank_reference), folded(one.id)} - {""}
    return line.reference in named or folded(one.id) in _words(line.note)


def _words(note: str) -> set[str]:
    """The words of a note."""
    return {folded(word) for word in note.replace(",", " ").replace(";", " ").split()}


def _differing(line: StatementLine, known: Reported) -> Iterator[str]:
    payment = known.payment
    if line.amount != payment.amount:
        yield "amount"
    if not same_company(line.payer, payment.payer):
        yield "payer"
    if line.paid_on != payment.value_date:
        yield "date"


def _missing_at_bank(known: Reported) -> Difference:
    return Difference(
        kind="missing_at_bank",
        reference=known.payment.reference,
        case_number=known.case_number,
        ours=_of_us(known),
    )


def _theirs(line: StatementLine) -> Side:
    return Side(amount=line.amount, payer=line.payer, date=line.paid_on)


def _of_us(known: Reported) -> Side:
    payment = known.payment
    return Side(amount=payment.amount, payer=payment.payer, date=payment.value_date)


def _out(one: PaidOut) -> Side:
    return Side(amount=-one.amount, payer="", date=one.paid_on)
