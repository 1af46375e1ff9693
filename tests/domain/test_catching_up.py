"""What has come about comes before what is decided, in the order of its instants, whoever is late (decision 7)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from domain import catching_up
from domain.assessment import News, ResultConfirmed, unheard
from domain.case import Case
from domain.stages import Standing
from tests.domain import cases

NOW = cases.OPENED
DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)


def caught_up(case: Case, now: datetime, *news: News) -> tuple[Case, list[str]]:
    """The case with all that has come about, and what that was."""
    events: list[str] = []
    while (overdue := catching_up.first(case, _unheard(case, news), cases.setting(now, len(events) + 2))) is not None:
        case = overdue.case
        events.append(overdue.event)
    return case, events


def _unheard(case: Case, news: Sequence[News]) -> list[News]:
    return [one for one in news if unheard(case, one)]


def end(case: Case) -> datetime:
    return case.terms[-1].until


def in_the_last_days(**fields: object) -> Case:
    """A violation reported three days before the term's end; the time to answer goes on after it."""
    valid = cases.in_valid()
    return cases.conduct_reported(valid, cases.before_end(valid, 3), **fields).case


def test_nothing_due_is_nothing_done() -> None:
    for case in (cases.in_valid(), cases.accused(), cases.in_review()):
        assert catching_up.first(case, (), cases.setting(NOW)) is None


def test_the_term_s_end_comes_before_a_decision_on_a_violation() -> None:
    """Whoever's workflow is late: at its last instant the certification is in force, at the next it has expired."""
    valid = cases.in_valid()
    reported = cases.conduct_reported(valid, cases.before_end(valid, 3), severity="serious").case
    case = cases.conduct_answered(reported, cases.before_end(valid, 2)).case
    assert caught_up(case, end(case) - INSTANT)[1] == []
    after, events = caught_up(case, end(case))
    assert events == ["certification_expired"]
    decided = cases.conduct_decided(after, "revocation", end(case))
    assert decided.case.ending == after.ending and not decided.case.open_proposals


def test_both_agendas_are_taken_in_the_order_of_their_instants() -> None:
    late = in_the_last_days()
    assert caught_up(late, end(late) + 20 * DAY)[1][:2] == ["certification_expired", "conduct_unanswered"]
    early = cases.ordered_to_rectify()
    after, events = caught_up(early, end(early) + DAY)
    assert events[:2] == ["conduct_uncorrected", "certification_expired"]
    assert after.ending is not None and after.ending.interrupted is not None
    assert after.ending.interrupted.holds, "suspended when it expired"


@pytest.mark.parametrize(("before_the_end", "standing"), [(INSTANT, Standing.INVALID), (timedelta(), Standing.EXPIRED)])
def test_a_confirmed_fail_ends_what_has_not_ended_by_its_instant(before_the_end: timedelta, standing: Standing) -> None:
    case = cases.failing()
    known = case.assessment(cases.QUARTER)
    assert known is not None
    at = end(case) - before_the_end
    fail = ResultConfirmed(cases.QUARTER, known.revision, "fail", cases.COMPLIANCE.name, at)
    after, _ = caught_up(case, end(case) + DAY, fail)
    assert after.ending is not None and after.ending.kind is standing
    assert after.ending.legal_at == (at if standing is Standing.INVALID else end(case))


def test_a_proposal_nobody_approved_in_time_is_over() -> None:
    case = cases.revocation_proposed()
    (planned,) = (one for one in case.plan if one.subject == case.open_proposals[0].id)
    after, events = caught_up(case, planned.at)
    assert events == ["proposal_expired"] and not after.open_proposals
