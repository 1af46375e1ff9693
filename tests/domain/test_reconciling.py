"""A bank's statement against our book, in both directions (invariant L5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

import pytest

from domain.bank_statement import StatementLine
from domain.reconciling import TAKEN_BACK_BY_THEM, TAKEN_BACK_BY_US, PaidOut, compare
from domain.records import Payment, Reported

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)
CASE = "LB-2026-000001"


def line(number: int, reference: str, amount: int = 500, paid_on: date = FIRST, **fields: Any) -> StatementLine:
    return StatementLine(
        line=number, reference=reference, amount=amount, paid_on=paid_on, **{"payer": "云集", **fields}
    )


def ours(reference: str, amount: int = 500, paid_on: date = FIRST, *, taken_back: bool = False) -> Reported:
    return Reported(Payment(reference, amount, "云集", paid_on, amount, 0), CASE, taken_back)


def paid(id: str = f"{CASE}-9-R1", amount: int = 300, paid_on: date = LAST) -> PaidOut:
    return PaidOut(id, f"BANK-{id}", amount, paid_on, CASE)


EDGES = [line(98, "first"), line(99, "last", paid_on=LAST)]
"""So that the statement covers the month."""
OURS = [ours("first"), ours("last", paid_on=LAST)]
Difference = tuple[str, str, tuple[str, ...], str]

TABLE: dict[str, tuple[Sequence[StatementLine], Sequence[Reported], Sequence[PaidOut], list[Difference]]] = {
    "the same": ([line(2, "B1", payer=" 云 集 ")], [ours("B1")], [], []),
    "missing with us": ([line(2, "B1")], [], [], [("missing_with_us", "B1", (), "")]),
    "missing at the bank": ([], [ours("B1")], [], [("missing_at_bank", "B1", (), "")]),
    "not of these days": ([], [ours("B1", paid_on=FIRST - timedelta(days=1))], [], []),
    "another date": (
        [line(2, "B1")], [ours("B1", paid_on=FIRST - timedelta(days=9))], [], [("differs", "B1", ("date",), "")]),
    "another amount and payer": (
        [line(2, "B1", 501, payer="别家")], [ours("B1")], [], [("differs", "B1", ("amount", "payer"), "")],
    ),
    "taken back by both": ([line(2, "B1"), line(3, "B1", -500)], [ours("B1", taken_back=True)], [], []),
    "taken back by both, the payment of a month before": ([line(3, "B1", -500)], [ours("B1", taken_back=True)], [], []),
    "taken back by the bank alone": (
        [line(2, "B1"), line(3, "B1", -500)], [ours("B1")], [], [("missing_at_bank", "B1", (), TAKEN_BACK_BY_THEM)],
    ),
    "a part taken back by the bank": (
        [line(2, "B1"), line(3, "B1", -1)], [ours("B1")], [],
        [("missing_at_bank", "B1", ("amount",), TAKEN_BACK_BY_THEM)],
    ),
    "taken back by us alone": (
        [line(2, "B1")], [ours("B1", taken_back=True)], [], [("missing_with_us", "B1", (), TAKEN_BACK_BY_US)],
    ),
    "taken back by us, and never there": ([], [ours("B1", taken_back=True)], [], []),
    "in and out again, and never with us": ([line(2, "B1"), line(3, "B1", -500)], [], [], []),
    "a refund by the bank's reference": ([line(2, f"BANK-{CASE}-9-R1", -300)], [], [paid()], []),
    "a refund by our id in the note": ([line(2, "O1", -300, note=f"退还 {CASE}-9-R1")], [], [paid()], []),
    "a refund of another amount": (
        [line(2, f"{CASE}-9-R1", -301)], [], [paid()], [("differs", f"{CASE}-9-R1", ("amount",), "")],
    ),
    "a refund twice": (
        [line(2, f"{CASE}-9-R1", -300), line(3, "O1", -300, note=f"{CASE}-9-R1")],
        [], [paid()], [("missing_with_us", "O1", (), "")],
    ),
    "money went out that we know nothing of": ([line(2, "O1", -300)], [], [], [("missing_with_us", "O1", (), "")]),
    "a refund the bank does not tell of": (
        [line(2, f"BANK-{CASE}-9-R1", -300)], [], [paid(), paid(f"{CASE}-9-R2")],
        [("missing_at_bank", f"BANK-{CASE}-9-R2", (), "")],
    ),
    "a refund of another month": (
        [line(2, f"BANK-{CASE}-9-R1", -300)], [], [paid(), paid("R3", paid_on=LAST + timedelta(days=1))], [],
    ),
    "a statement of what came in alone": ([], [], [paid()], []),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_what_differs(name: str) -> None:
    lines, payments, paid_out, differences = TABLE[name]
    found = compare([*lines, *EDGES], [*payments, *OURS], paid_out)
    assert [(one.kind, one.reference, one.fields, one.why) for one in found] == differences


def test_both_sides_are_told() -> None:
    (one,) = compare([line(2, "B1", 501)], [ours("B1")], [])
    assert one.bank is not None and one.ours is not None
    assert (one.line, one.case_number, one.bank.amount, one.ours.amount) == (2, CASE, 501, 500)


@pytest.mark.parametrize("change", [lambda one: one, lambda one: one[::-1]])
def test_the_order_of_the_file_is_kept(change: Callable[[list[StatementLine]], list[StatementLine]]) -> None:
    lines = change([line(2, "B1"), line(3, "B2"), line(4, "O1", -5)])
    assert [one.line for one in compare(lines, [ours("B0")], [])] == [2, 3, 4, None]
