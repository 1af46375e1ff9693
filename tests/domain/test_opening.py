"""When an enterprise may apply: one live case at a time, a cooling-off after the last one (decisions 8 and 30)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from domain.case import Case, Ending
from domain.opening import require_possible
from domain.refusals import Refusal, RefusalKind
from domain.shanghai import midnight
from domain.stages import Stage, Standing
from tests.domain import cases

ENDED = midnight(date(2026, 3, 2)) + timedelta(hours=23)


def refused(live: Case | None, last: Case | None, on: date) -> Refusal:
    with pytest.raises(Refusal) as info:
        require_possible(live, last, cases.setting(midnight(on)))
    return info.value


@pytest.mark.parametrize("stage", [stage for stage in cases.STAGES if stage not in ("settling", "renewal_late")])
def test_beside_a_live_case_there_is_no_other_whatever_its_stage(stage: str) -> None:
    live = cases.STAGES[stage]()
    refusal = refused(live, live, date(2026, 3, 9))
    assert refusal.kind is RefusalKind.CASE_EXISTS
    assert live.case_number in refusal.message and live.stage in refusal.message


def ended_as(kind: Standing) -> Case:
    ending = Ending(kind=kind, cause="a cause", legal_at=ENDED, observed_at=ENDED, reason="a reason")
    return cases.in_review().model_copy(update={"stage": Stage.CLOSED, "ending": ending})


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
    require_possible(None, last, cases.setting(midnight(day)))
    if day == date(2026, 3, 2):
        return  # the day of the ending itself is free
    refusal = refused(None, last, day - timedelta(days=1))
    assert refusal.kind is RefusalKind.COOLING_OFF
    assert earliest in refusal.message
