"""What outlives an ending: money still held is looked at by a person until it is settled (decision 17)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from domain import agenda, ending
from domain.case import Case
from domain.commands import Withdraw
from domain.planning import Event
from domain.shanghai import midnight
from domain.stages import Stage
from tests.domain import cases


def withdrawn_with_money() -> Case:
    paid = cases.paid(cases.in_review(), 500).case
    command = cases.command(Withdraw, cases.APPLICANT, reason="other plans")
    return ending.withdraw(paid, command, cases.setting(cases.OPENED)).case


@pytest.mark.parametrize(
    ("make", "first"),
    [
        (cases.expired, date(2027, 4, 2)),  # 30 days after the term's last day
        (withdrawn_with_money, date(2026, 3, 16)),  # 10 working days
    ],
    ids=["certified once", "never certified"],
)
def test_money_still_held_is_escalated_again_each_review_period_and_closes_no_case(
    make: Callable[[], Case], first: date
) -> None:
    ended = make()
    due = midnight(first + timedelta(days=1))
    for number in range(3):
        planned = cases.planned_event(ended, Event.ESCALATE_SETTLEMENT)
        assert planned.at == due + timedelta(days=90 * number)
        escalated = agenda.take(ended, planned, cases.setting(planned.at))
        assert escalated.event == "settlement_escalated"
        ended = escalated.case
        assert ended.stage is Stage.SETTLING
        assert ended.deposit.held > 0
