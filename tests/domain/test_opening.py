"""When an enterprise may apply: one live case at a time, a cooling-off after the last one (decisions 8 and 30)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pytest

from domain.case import Case, Ending
from domain.commands import WaiveCoolingOff
from domain.conduct import ConductCase, Outcome
from domain.opening import require_possible
from domain.records import Decision, Transition
from domain.refusals import Refusal, RefusalKind
from domain.shanghai import midnight
from domain.stages import Stage, Standing
from tests.domain import cases

ENDED = midnight(date(2026, 3, 2)) + timedelta(hours=23)


def refused(others: Sequence[Case], on: date) -> Refusal:
    with pytest.raises(Refusal) as info:
        require_possible(others, cases.setting(midnight(on)))
    return info.value


@pytest.mark.parametrize("stage", [stage for stage, make in cases.STAGES.items() if make().ending is None])
def test_beside_a_live_case_there_is_no_other_whatever_its_stage(stage: str) -> None:
    live = cases.STAGES[stage]()
    refusal = refused([cases.expired(), live], date(2026, 3, 9))
    assert refusal.kind is RefusalKind.CASE_EXISTS
    assert live.case_number in refusal.message and live.stage in refusal.message


def ended_as(kind: Standing, days_later: int = 0, *conduct: ConductCase) -> Case:
    at = ENDED + timedelta(days=days_later)
    ending = Ending(kind=kind, cause="a cause", legal_at=at, observed_at=at, reason="a reason")
    return cases.in_review().model_copy(update={"stage": Stage.CLOSED, "ending": ending, "conduct": conduct})


def violation(outcome: Outcome | None, days_later: int = 0) -> ConductCase:
    """Decided so many days after the ending; undecided without an outcome."""
    given = cases.undecided().conduct[0]
    if outcome is None:
        return given
    closed = {"state": "closed", "outcome": outcome, "closed_at": ENDED + timedelta(days=days_later)}
    return given.model_copy(update=closed)


@pytest.mark.parametrize(
    ("kind", "earliest"),
    [
        (Standing.WITHDRAWN, "2026-03-02"),
        (Standing.LAPSED, "2026-03-02"),
        (Standing.EXPIRED, "2026-03-02"),
        (Standing.SURRENDERED, "2026-03-02"),
        (Standing.DISSOLVED, "2026-03-02"),
        (Standing.REJECTED, "2026-04-02"),  # 30 days, the last of them 04-01
        (Standing.INVALID, "2026-08-30"),
        (Standing.REVOKED, "2027-03-03"),
    ],
)
def test_how_the_last_case_ended_says_when_the_next_may_come(kind: Standing, earliest: str) -> None:
    last, day = ended_as(kind), date.fromisoformat(earliest)
    require_possible([last], cases.setting(midnight(day)))
    if day == date(2026, 3, 2):
        return  # the day of the ending itself is free
    refusal = refused([last], day - timedelta(days=1))
    assert refusal.kind is RefusalKind.COOLING_OFF
    assert earliest in refusal.message


@pytest.mark.parametrize(
    ("others", "earliest"),
    [
        ((ended_as(Standing.REVOKED), ended_as(Standing.REJECTED, 40)), "2027-03-03"),
        ((ended_as(Standing.REVOKED), ended_as(Standing.WITHDRAWN, 100)), "2027-03-03"),
        ((ended_as(Standing.INVALID), ended_as(Standing.REJECTED, 170)), "2026-09-19"),
        (
            (ended_as(Standing.EXPIRED, 0, violation(Outcome.REVOCATION, 20)), ended_as(Standing.LAPSED, 60)),
            "2027-03-23",
        ),
        (
            (ended_as(Standing.SURRENDERED, 0, violation(Outcome.DEDUCTION, 20)), ended_as(Standing.LAPSED)),
            "2026-03-02",
        ),
    ],
    ids=["a rejection after a revocation", "a withdrawal", "a rejection later than it", "a violation", "none"],
)
def test_of_all_earlier_cases_the_longest_cooling_off_counts(others: tuple[Case, ...], earliest: str) -> None:
    """E47: nobody gets past it by an application that is refused."""
    day = date.fromisoformat(earliest)
    for order in (others, others[::-1]):
        require_possible(order, cases.setting(midnight(day)))
        if day != date(2026, 3, 2):
            assert earliest in refused(order, day - timedelta(days=1)).message


def test_a_violation_open_on_any_of_them_is_waited_for() -> None:
    others = [ended_as(Standing.SURRENDERED, 0, violation(None)), ended_as(Standing.WITHDRAWN, 30)]
    refusal = refused(others, date(2028, 1, 1))
    assert refusal.kind is RefusalKind.COOLING_OFF and "LB-2026-000001-C1" in refusal.message


class TestWaiver:
    """Two people let an enterprise apply again at once (decisions 29 and 30, E47)."""

    AT = ENDED + timedelta(days=10)

    def proposed(self, case: Case, at: datetime = AT) -> Case:
        return cases.done(case, cases.command(WaiveCoolingOff, cases.COMPLIANCE, reason="误报,已澄清"), at).case

    def waived(self, case: Case, at: datetime = AT) -> Transition:
        case = self.proposed(case, at)
        return cases.done(case, cases.approval(case), at)

    @pytest.mark.parametrize("kind", [Standing.REJECTED, Standing.REVOKED, Standing.INVALID])
    def test_the_next_application_is_possible_at_once(self, kind: Standing) -> None:
        case, at = ended_as(kind), cases.setting(self.AT)
        assert refused([case], at.today).kind is RefusalKind.COOLING_OFF
        assert refused([self.proposed(case)], at.today).kind is RefusalKind.COOLING_OFF, "one person's word is none"
        waived = self.waived(case)
        require_possible([waived.case], at)
        assert waived.case.ending == case.ending, "the decision stands"
        (decision,) = (record for record in waived.records if isinstance(record, Decision))
        assert (decision.kind, decision.reason) == ("cooling_off_waived", "误报,已澄清")

    def test_of_two_cases_the_other_one_still_counts(self) -> None:
        first, second = ended_as(Standing.REVOKED), ended_as(Standing.REJECTED, 5)
        assert refused([first, self.waived(second).case], cases.setting(self.AT).today).message.count("revoked")
        require_possible([self.waived(first).case, self.waived(second).case], cases.setting(self.AT))

    def test_a_violation_decided_on_afterwards_counts_again(self) -> None:
        case = ended_as(Standing.SURRENDERED, 0, violation(Outcome.REVOCATION, 20))
        waived = case.model_copy(update={"cooling_off_waived": self.AT})
        assert "deserved a revocation" in refused([waived], date(2027, 3, 22)).message
        later = ENDED + timedelta(days=30)
        require_possible([self.waived(waived, later).case], cases.setting(later))

    @pytest.mark.parametrize(
        ("case", "days", "kind"),
        [
            (ended_as(Standing.WITHDRAWN), 0, RefusalKind.NOTHING_TO_WAIVE),
            (ended_as(Standing.REVOKED), 367, RefusalKind.NOTHING_TO_WAIVE),
            (ended_as(Standing.SURRENDERED, 0, violation(None)), 1, RefusalKind.COOLING_OFF),
            (cases.in_valid(), 0, RefusalKind.WRONG_STAGE),
        ],
        ids=["none", "over", "a violation is open", "not ended"],
    )
    def test_where_there_is_nothing_to_waive(self, case: Case, days: int, kind: RefusalKind) -> None:
        with pytest.raises(Refusal) as info:
            self.proposed(case, ENDED + timedelta(days=days))
        assert info.value.kind is kind
