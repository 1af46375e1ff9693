"""A case is judged all its life by the policy it was opened under (decision 10)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from temporalio.client import Client

from activities.desk import CaseDesk
from domain.commands import Approve
from domain.policy import PolicyBook
from domain.refusals import RefusalKind
from store.reference import policy_book
from tests.databases import Place
from tests.domain import cases
from tests.office import REVIEWER, Base, Office, example
from tests.path import acts


def a_stricter_one_from(day: date) -> PolicyBook:
    """The shipped policy, and one with more live rooms than the example has."""
    shipped = policy_book().versions[0]
    rooms = shipped.figures["live_rooms"].model_copy(update={"value": 13})
    stricter = {"version": "stricter", "effective_from": day, "figures": {**shipped.figures, "live_rooms": rooms}}
    return PolicyBook(versions=(shipped, shipped.model_copy(update=stricter)))


async def test_a_policy_that_comes_later_is_for_cases_opened_later(client: Client, place: Place) -> None:
    office = Office(client, place)
    later = cases.OPENED + timedelta(days=5)
    desk = CaseDesk(office.cases, office.documents, a_stricter_one_from(later.date()))

    def opened(base: Base, now: Any) -> Base:
        submission = base.hand_over(example(credit_code=base.credit_code))
        assert desk.decide(acts.apply_command(base, submission=submission), now).refusal is None
        return base

    before, after = opened(office.base(), cases.OPENED), opened(office.base(), later)
    assert [base.case.policy_version for base in (before, after)] == ["2026.1", "stricter"]
    assert desk.decide(before.command(Approve, REVIEWER, revision=1), later).refusal is None
    refusal = desk.decide(after.command(Approve, REVIEWER, revision=1), later).refusal
    assert refusal is not None and refusal.kind is RefusalKind.CONDITION_FAILED
    assert [problem.path for problem in refusal.refusal().problems] == ["A4.live_rooms"]
