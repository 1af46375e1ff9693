"""Ended bases whose deposit is settled, made by the rules themselves (decision 17)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from domain import refund
from domain.bank import BankAnswer
from domain.case import Case
from domain.commands import Actor, ConfirmMarks, RefundDeposit, ReportRefund, ReturnPayment, Surrender
from domain.planning import Event
from domain.records import Transition
from domain.stages import Role
from tests.domain import cases
from tests.domain.deductions import OTHER

DAY = timedelta(days=1)
THE_BANK = Actor(role=Role.BANK, name="callback")
LEFT = cases.OPENED + DAY
PAID = BankAnswer(state="paid", reference="BANK-1")
PROCESSING = BankAnswer(state="processing")
UNREACHABLE = BankAnswer(state="unreachable", why="connection refused")
REFUSED = BankAnswer(state="refused", why="the account is closed")


def left(case: Case | None = None, *, marks: bool = True) -> Case:
    """A base that has left, its marks confirmed out of use unless said otherwise."""
    leave = cases.command(Surrender, cases.APPLICANT, reason="r")
    case = cases.done(case or cases.in_valid(), leave, LEFT).case
    if not marks:
        return case
    return cases.decided(case, cases.command(ConfirmMarks, cases.APPLICANT, evidence=("0" * 64,)), LEFT).case


def settled_on(case: Case) -> datetime:
    """When the settlement period is over."""
    settle = next(task.due_at for task in case.tasks if task.kind == "settle_deposit")
    assert settle is not None
    return settle


def refund_of(amount: int, reason: str = "结算退还") -> Any:
    return cases.command(RefundDeposit, cases.FINANCE, amount=amount, reason=reason)


def approved(case: Case, command: Any, at: datetime) -> Transition:
    proposed = cases.done(case, command, at).case
    return cases.done(proposed, cases.approval(proposed, OTHER), at)


def ordered(amount: int = 10_000_000, case: Case | None = None) -> Transition:
    """The refund of a base that has left, approved on the day it may be."""
    case = case or left()
    return approved(case, refund_of(amount), settled_on(case))


def answered(case: Case, answer: BankAnswer, at: datetime | None = None) -> Transition:
    """What the bank says of the first order it is asked for."""
    planned = cases.planned_event(case, Event.SEND_REFUND)
    return refund.answered(case, planned, answer, cases.setting(at or planned.at, 3))


def told(case: Case, state: str, at: datetime | None = None, **fields: Any) -> Transition:
    """What the bank tells unasked of the newest refund; a month after it was ordered, unless said otherwise."""
    one = case.refunds[-1]
    given = {"refund": one.id, "state": state, "amount": one.amount, "reference": "BANK-1"} | fields
    return cases.done(case, cases.command(ReportRefund, THE_BANK, **given), at or LEFT + 60 * DAY)


def with_unmatched(amount: int = 500, case: Case | None = None) -> Case:
    """A case with money from somebody else."""
    return cases.paid(case or cases.in_deposit(), amount, reference="U1", payer="somebody else").case


def give_back(reference: str = "U1") -> Any:
    return cases.command(ReturnPayment, cases.FINANCE, reference=reference, reason="退回原账户")


def returning(case: Case | None = None) -> Transition:
    return approved(case or with_unmatched(), give_back(), cases.OPENED)
