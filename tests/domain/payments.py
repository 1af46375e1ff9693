"""Payments taken back, and payments that have waited elsewhere, made by the rules themselves (decision 15)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from domain import deciding
from domain.case import Case
from domain.commands import AssignPayment, ReversePayment
from domain.records import Payment, Reported, Transition
from domain.unmatched import Elsewhere
from tests.domain import cases
from tests.domain.deductions import OTHER

PAID_ON = date(2026, 3, 2)


class Book(cases.NothingOnRecord):
    """What is on record of payments beside a case: one under whatever reference, perhaps waiting elsewhere."""

    def __init__(self, amount: int = 10_000_000, stands: Elsewhere | None = None) -> None:
        self.amount = amount
        self.stands = stands

    def payment(self, reference: str) -> Reported:
        return Reported(Payment(reference, self.amount, "p", PAID_ON, self.amount, 0), "LB-2026-000001")

    def elsewhere(self, _: str) -> Elsewhere | None:
        return self.stands


def reverse(reference: str = "B1") -> Any:
    return cases.command(ReversePayment, cases.FINANCE, reference=reference, reason="银行退票")


def _decide(case: Case, command: Any, at: datetime, book: Any) -> Transition:
    return deciding.decide(case, command, cases.setting(at, 2), book)


def propose(case: Case, reference: str = "B1", at: datetime | None = None) -> Transition:
    return _decide(case, reverse(reference), at or cases.OPENED, Book())


def proposed(case: Case, reference: str = "B1", at: datetime | None = None) -> Case:
    return propose(case, reference, at).case


def reversed_(case: Case, reference: str = "B1", at: datetime | None = None) -> Transition:
    """Taken back by two people."""
    waiting = proposed(case, reference, at)
    return _decide(waiting, cases.approval(waiting, OTHER), at or cases.OPENED, Book())


def assign(reference: str = "E1") -> Any:
    return cases.command(AssignPayment, cases.FINANCE, reference=reference, reason="付款人来函说明")


def of_none(amount: int) -> Elsewhere:
    """Money of no case."""
    return Elsewhere(Payment("E1", amount, "somebody", PAID_ON, 0, amount))


def on_another(amount: int) -> Elsewhere:
    """Money that waits on another case."""
    other = cases.in_deposit().model_copy(update={"case_number": "LB-2026-000002", "workflow_id": "base:other:1"})
    case = cases.paid(other, amount, reference="E1", payer="somebody").case
    return Elsewhere(Payment("E1", amount, "somebody", PAID_ON, 0, amount), case, cases.setting(cases.OPENED))


def taken_over(case: Case, amount: int, stands: Elsewhere | None = None, at: datetime | None = None) -> Transition:
    return _decide(case, assign(), at or cases.OPENED, Book(stands=stands or on_another(amount)))
