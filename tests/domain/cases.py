"""Cases in every stage, made by the rules themselves, and the setting they are made in."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from domain import certification, deposit, ending, opening, publication, review
from domain.case import Case, Event, Planned
from domain.commands import (
    Actor,
    Apply,
    Approve,
    Certify,
    Command,
    Missing,
    ReceiveDeposit,
    RequestSupplement,
)
from domain.records import Transition
from domain.setting import Setting
from domain.shanghai import midnight
from domain.stages import Role
from domain.submission import Submission
from store.reference import policy_book, shipped_calendar
from tests.office import example

APPLICANT = Actor(role=Role.APPLICANT, name="wang")
REVIEWER = Actor(role=Role.REVIEWER, name="li")
CERTIFIER = Actor(role=Role.CERTIFIER, name="zhao")
FINANCE = Actor(role=Role.FINANCE, name="qian")
OPERATOR = Actor(role=Role.OPERATOR, name="sun")

WORKFLOW_ID = "base:91330782MA2K7P3R1U:1"
OPENED = midnight(date(2026, 3, 2)) + timedelta(hours=10)
"""Monday 2026-03-02, 10:00 in Shanghai: no holiday near but Qingming (04-04 to 04-06)."""


def setting(now: datetime, list_revision: int = 1) -> Setting:
    return Setting(now, policy_book().in_force(date(2026, 3, 2)), shipped_calendar(), list_revision)


@cache
def submission(name: str = "passes") -> Submission:
    return example(name)


def payer() -> str:
    return submission().application.entity.name


def command(kind: type[Command], actor: Actor, **fields: Any) -> Any:
    return kind(request_id="r", workflow_id=WORKFLOW_ID, actor=actor, **fields)


def opened(now: datetime = OPENED) -> Transition:
    sent = submission()
    apply = command(Apply, APPLICANT, credit_code=sent.application.credit_code, ordinal=1, submission=sent.sha256)
    return opening.open_case(apply, "LB-2026-000001", sent, setting(now))


def in_review(now: datetime = OPENED) -> Case:
    return opened(now).case


def in_supplement(now: datetime = OPENED) -> Case:
    request = command(RequestSupplement, REVIEWER, revision=1, items=(Missing(condition="A4.area", what="floor plan"),))
    return review.request_supplement(in_review(now), request, setting(now)).case


def in_deposit(now: datetime = OPENED) -> Case:
    return review.approve(in_review(now), command(Approve, REVIEWER, revision=1), submission(), setting(now)).case


def paid(case: Case, amount: int, now: datetime = OPENED, **fields: Any) -> Transition:
    payment = {"reference": "B1", "payer": payer(), **fields}
    receive = command(ReceiveDeposit, FINANCE, amount=amount, **payment)
    return deposit.receive(case, receive, None, None, setting(now))


def in_certifying(now: datetime = OPENED) -> Case:
    return paid(in_deposit(now), 10_000_000, now).case


def in_publishing(now: datetime = OPENED) -> Case:
    return certification.certify(in_certifying(now), command(Certify, CERTIFIER), "LBC-2026-000001", setting(now)).case


def in_valid(now: datetime = OPENED) -> Case:
    return publication.published(in_publishing(now), setting(now)).case


def expired(now: datetime = OPENED) -> Case:
    case = in_valid(now)
    planned = planned_event(case, Event.EXPIRE_CERTIFICATION)
    return ending.expire(case, planned, setting(planned.at, 2)).case


def planned_event(case: Case, event: Event) -> Planned:
    return next(planned for planned in case.plan if planned.event is event)


STAGES = {
    "review": in_review,
    "supplement": in_supplement,
    "deposit": in_deposit,
    "certifying": in_certifying,
    "publishing": in_publishing,
    "valid": in_valid,
    "settling": expired,
}
