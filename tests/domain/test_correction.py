"""Corrections after certification: a new revision, the list corrected, R3's clock untouched (decisions 12, 19)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain import correction, publication
from domain.case import Case
from domain.commands import Correct
from domain.records import ApplicationRevision, KnownBy, ListRevision, ScreeningResult, Transition
from domain.refusals import Refusal, RefusalKind
from domain.submission import Submission
from tests.domain import cases

NOW = cases.OPENED
DAY = timedelta(days=1)


def changed(**sections: dict[str, Any]) -> Submission:
    """What is on record, with fields of sections changed."""
    application = cases.submission().application
    update = {name: getattr(application, name).model_copy(update=fields) for name, fields in sections.items()}
    return cases.submission().model_copy(update={"application": application.model_copy(update=update)})


def corrected(case: Case, submission: Submission, at: Any = NOW + DAY, list_revision: int = 2) -> Transition:
    command = cases.command(Correct, cases.OPERATOR, submission=submission.sha256)
    return correction.correct(case, command, submission, cases.submission(), cases.setting(at, list_revision))


def entries(transition: Transition) -> list[ListRevision]:
    return [record for record in transition.records if isinstance(record, ListRevision)]


def test_a_new_name_is_a_new_revision_of_both_and_the_clock_goes_on() -> None:
    """E11, E49."""
    case = cases.in_valid()
    submission = changed(base={"name": "义乌新北苑直播基地", "address": "云集路1号"})
    done = corrected(case, submission)
    assert done.detail["corrected"] == ["base.name", "base.address"]
    assert (done.case.name, done.case.revision) == ("义乌新北苑直播基地", 2)
    (entry,) = entries(done)
    assert (entry.revision, entry.state, entry.name) == (2, "published", "义乌新北苑直播基地")
    assert not any(isinstance(record, ScreeningResult) for record in done.records), "conditions are not judged again"
    (revision,) = [record for record in done.records if isinstance(record, ApplicationRevision)]
    assert (revision.revision, revision.submission) == (2, submission.sha256)
    (known,) = [record for record in done.records if isinstance(record, KnownBy)]
    assert known.names["base"] == "义乌新北苑直播基地", "beside the name it had"
    assert (done.case.plan, done.case.tasks, done.case.terms) == (case.plan, case.tasks, case.terms)


def test_while_publication_is_pending_it_is_published_under_the_new_name_within_the_old_time() -> None:
    """E11: seven working days from the certification, not from the correction."""
    case = cases.in_publishing()
    done = corrected(case, changed(base={"name": "新名"}), list_revision=1)
    assert entries(done) == []
    assert done.case.publication == case.publication and done.case.plan == case.plan
    (entry,) = entries(publication.published(done.case, cases.setting(NOW + 2 * DAY, 1)))
    assert entry.name == "新名"


def test_a_suspended_base_stays_suspended_under_its_new_name() -> None:
    (entry,) = entries(corrected(cases.suspended(), changed(base={"name": "新名"}), list_revision=3))
    assert (entry.state, entry.suspended_since, entry.category) == ("suspended", NOW, "compliance")


def test_the_next_term_that_waits_has_the_new_name_too() -> None:
    case = cases.renewed()
    now, waiting = entries(corrected(case, changed(base={"name": "新名"}), cases.before_end(case, 5), 3))
    assert (now.revision, waiting.revision) == (3, 4)
    assert {now.name, waiting.name} == {"新名"} and waiting.effective_from == case.terms[-1].from_


def test_what_the_list_does_not_show_makes_no_revision_of_it() -> None:
    done = corrected(cases.in_valid(), changed(contact={"phone": "13900000000"}))
    assert entries(done) == [] and done.case.revision == 2
    assert "13900000000" not in str(done.detail)


@pytest.mark.parametrize(
    ("sections", "paths"),
    [
        ({"entity": {"name": "别的公司"}}, ["entity"]),
        ({"base": {"name": "新名", "platform_account": "other"}}, ["base.platform_account"]),
        (
            {"facilities": {"live_rooms": 20}, "contact": {"name": "李"}, "experience": {"kind": "related"}},
            ["facilities", "experience"],
        ),
        ({}, []),
    ],
)
def test_anything_else_is_no_correction(sections: dict[str, Any], paths: list[str]) -> None:
    with pytest.raises(Refusal) as info:
        corrected(cases.in_valid(), changed(**sections))
    assert info.value.kind is RefusalKind.INVALID_VALUE
    assert [problem.path for problem in info.value.problems] == paths
