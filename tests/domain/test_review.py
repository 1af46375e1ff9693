"""Document review's rules: what is judged again, and as of which day (decisions 10 and 12)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from domain import review
from domain.commands import Approve, Supplement
from domain.findings import Outcome
from domain.records import ScreeningResult, Transition
from domain.refusals import Refusal, RefusalKind
from domain.shanghai import midnight
from domain.submission import Submission
from tests.domain import cases


def handed_in(**entity: Any) -> Submission:
    """The example that passes, with something put otherwise about its entity."""
    application = cases.submission().application
    update = {"entity": application.entity.model_copy(update=entity)}
    return cases.submission().model_copy(update={"application": application.model_copy(update=update)})


def with_policy_until(day: date) -> Submission:
    """The example that passes, its one government policy in force through that day."""
    application = cases.submission().application
    (policy,) = application.government_policies
    update = {"government_policies": (policy.model_copy(update={"valid_until": day}),)}
    return cases.submission().model_copy(update={"application": application.model_copy(update=update)})


def approved_on(day: str, submission: Submission) -> Transition:
    """Opened on 2026-03-02 and approved at the last moment of that Shanghai date."""
    now = midnight(date.fromisoformat(day) + timedelta(days=1)) - timedelta(microseconds=1)
    command = cases.command(Approve, cases.REVIEWER, revision=1)
    return review.approve(cases.in_review(), command, submission, cases.setting(now))


def screened(transition: Transition) -> ScreeningResult:
    (result,) = (record for record in transition.records if isinstance(record, ScreeningResult))
    return result


@pytest.mark.parametrize(
    ("condition", "submission", "fails_on", "passes_on"),
    [
        ("B1", with_policy_until(date(2026, 3, 10)), "2026-03-11", "2026-03-10"),
        ("A2.age", handed_in(registered_on=date(2025, 3, 5)), "2026-03-04", "2026-03-05"),
    ],
    ids=["passed when handed in, no longer", "failed when handed in, no longer"],
)
def test_an_approval_judges_every_condition_again_as_of_its_own_day(
    condition: str, submission: Submission, fails_on: str, passes_on: str
) -> None:
    with pytest.raises(Refusal) as info:
        approved_on(fails_on, submission)
    assert info.value.kind is RefusalKind.CONDITION_FAILED
    assert [problem.path for problem in info.value.problems] == [condition]
    result = screened(approved_on(passes_on, submission))
    assert result.as_of == date.fromisoformat(passes_on)
    assert {finding.as_of for finding in result.findings} == {result.as_of}


def test_a_supplement_is_judged_as_of_the_day_it_comes() -> None:
    case = cases.in_supplement()
    command = cases.command(Supplement, cases.APPLICANT, submission="0" * 64)
    answered = review.supplement(
        case, command, with_policy_until(date(2026, 3, 10)), cases.setting(midnight(date(2026, 3, 11)))
    )
    result = screened(answered)
    assert (result.revision, result.as_of) == (2, date(2026, 3, 11))
    failed = [finding.condition for finding in result.findings if finding.outcome is Outcome.FAIL]
    assert failed == ["B1"], "told at once; no machine rejects"
    assert answered.case.stage == "review"
