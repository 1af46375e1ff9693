"""Bases a violation has cost some of their deposit, made by the rules themselves (decision 16)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from domain import agenda, certification, publication, review
from domain.case import Case
from domain.commands import Actor, Approve, Certify, DeductDeposit
from domain.planning import Event
from domain.records import Transition
from domain.shanghai import end_of_day
from domain.stages import Role
from tests.domain import cases

DAY = timedelta(days=1)
DECIDED = cases.OPENED + 3 * DAY
OTHER = Actor(role=Role.FINANCE, name="tang")
CONDUCT = "LB-2026-000001-C1"
DUE = end_of_day(date(2026, 3, 20))


def violation(outcome: str = "deduction", decided: datetime = DECIDED) -> Case:
    """A base in its year, a violation of it decided, three days after the base was certified."""
    return cases.conduct_decided(cases.undecided(decided - 3 * DAY), outcome, decided).case


def deduct(amount: int, actor: Actor = cases.FINANCE, conduct: str = CONDUCT) -> DeductDeposit:
    command: DeductDeposit = cases.command(
        DeductDeposit, actor, amount=amount, violation=conduct, reason="刷单,按协议扣除"
    )
    return command


def deducted(case: Case, amount: int, at: datetime = DECIDED) -> Transition:
    proposed = cases.done(case, deduct(amount), at).case
    return cases.done(proposed, cases.approval(proposed, OTHER), at)


def short(amount: int = 2_000_000, decided: datetime = DECIDED) -> Case:
    return deducted(violation(decided=decided), amount, decided).case


def suspended() -> Case:
    """The top-up was not made within its time and its grace."""
    case = short()
    planned = cases.planned_event(case, Event.SUSPEND_SHORT_DEPOSIT)
    return agenda.take(case, planned, cases.setting(planned.at, 2)).case


def proposed(decided: datetime = DECIDED) -> Case:
    """A deduction that waits for its second person."""
    return cases.done(violation(decided=decided), deduct(2_000_000), decided).case


def steps(amount: int = 2_000_000) -> Iterator[Transition]:
    """The same, each of its transitions from the application on."""
    opened = cases.opened()
    yield opened
    case = opened.case
    approve = cases.command(Approve, cases.REVIEWER, revision=1)
    yield (done := review.approve(case, approve, cases.submission(), cases.setting(cases.OPENED)))
    yield (done := cases.paid(done.case, 10_000_000))
    certify = cases.command(Certify, cases.CERTIFIER)
    yield (done := certification.certify(done.case, certify, "LBC-2026-000001", cases.setting(cases.OPENED)))
    yield (done := publication.published(done.case, cases.setting(cases.OPENED)))
    yield (done := cases.conduct_reported(done.case))
    yield (done := cases.conduct_answered(done.case, cases.OPENED + DAY))
    yield (done := cases.conduct_decided(done.case, "deduction", DECIDED))
    yield (done := cases.done(done.case, deduct(amount), DECIDED))
    yield cases.done(done.case, cases.approval(done.case, OTHER), DECIDED)
