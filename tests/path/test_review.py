"""Document review on the real server: supplements, deadlines, decisions that meet, and how a review ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session
from temporalio.client import WorkflowExecutionStatus

from domain.case import Case
from domain.commands import (
    Acceptance,
    Actor,
    Approve,
    Certify,
    RefuseCertification,
    Reject,
    ReleaseReview,
    RequestSupplement,
    Supplement,
    TakeReview,
    Withdraw,
)
from domain.refusals import Refusal, RefusalKind
from domain.stages import Role, Stage, Standing
from domain.terms import add_months
from store import tables
from tests.office import APPLICANT, CERTIFIER, OPERATOR, REVIEWER, Base, Office, example, refused
from tests.path import acts

ONLY_ON = "postgresql"
"""What differs between the databases is tested in tests/store, and by requests and payments at once on both."""

OTHER_REVIEWER = Actor(role=Role.REVIEWER, name="zhou")
OTHER_APPLICANT = Actor(role=Role.APPLICANT, name="ma")


async def test_a_supplement_makes_a_new_revision_and_may_change_the_name(office: Office) -> None:
    base = await acts.in_supplement(office)
    assert (base.case.stage, base.case.awaiting) == (Stage.SUPPLEMENT, Role.APPLICANT)
    answer = await acts.supplement(base, base_name="义乌北苑二期直播基地")
    assert (answer.stage, answer.revision, answer.awaiting) == (Stage.REVIEW, 2, Role.REVIEWER)
    case = base.case
    assert case.name == "义乌北苑二期直播基地"
    assert case.credit_code == base.credit_code
    assert [planned.event for planned in case.plan] == ["remind_reviewer", "escalate_review"]
    approved = await base.do(Approve, REVIEWER, revision=2)
    assert approved.stage is Stage.DEPOSIT
    acts.check_books(base)


async def test_a_supplement_cannot_change_the_enterprise(office: Office) -> None:
    base = await acts.in_supplement(office)
    before = base.case
    other = base.hand_over(example("passes"))
    async with refused(RefusalKind.INVALID_VALUE):
        await base.do(Supplement, APPLICANT, submission=other)
    assert base.case == before


async def test_there_are_three_rounds_of_supplements_and_no_fourth(office: Office) -> None:
    base = await acts.in_review(office)
    for round_number in (1, 2, 3):
        asked = await base.do(RequestSupplement, REVIEWER, revision=round_number, items=acts.FLOOR_PLAN)
        assert asked.stage is Stage.SUPPLEMENT
        await acts.supplement(base)
    before = base.case
    assert (before.revision, before.supplement_round) == (4, 3)
    async with refused(RefusalKind.ROUNDS_USED_UP):
        await base.do(RequestSupplement, REVIEWER, revision=4, items=acts.FLOOR_PLAN)
    assert base.case == before
    assert (await base.do(Approve, REVIEWER, revision=4)).stage is Stage.DEPOSIT


async def test_silence_past_the_supplement_s_deadline_closes_the_case(office: Office) -> None:
    base = await acts.in_supplement(office)
    task = base.case.task
    assert task is not None and task.due_at is not None
    await base.forward_to(task.due_at - timedelta(minutes=1))
    assert base.case.stage is Stage.SUPPLEMENT
    assert len(acts.letters(base, "remind_supplement")) == 2, "5 days and 1 day before, each once"

    await base.forward_to(task.due_at)
    case = base.case
    assert (case.stage, case.awaiting, case.plan) == (Stage.CLOSED, Role.NOBODY, ())
    assert case.ending is not None
    assert (case.ending.kind, case.ending.cause) == (Standing.LAPSED, "supplement_overdue")
    assert case.ending.legal_at == task.due_at
    assert await acts.ended(base) is WorkflowExecutionStatus.COMPLETED
    assert (await base.handle.result())["outcome"] == "lapsed"
    acts.check_books(base)


async def test_a_supplement_after_its_deadline_is_refused_as_too_late(office: Office) -> None:
    base = await acts.in_supplement(office)
    await acts.pay(base, 100)  # money held keeps the case open
    due_at = base.case.due_at
    assert due_at is not None
    await base.forward_to(due_at)
    before = base.case
    assert before.stage is Stage.SETTLING and before.ending is not None
    assert (before.ending.kind, before.ending.cause) == (Standing.LAPSED, "supplement_overdue")
    submission = acts.changed(base)
    async with refused(RefusalKind.TOO_LATE):
        await base.do(Supplement, APPLICANT, submission=submission)
    assert base.case == before, "the outcome already reached stands"
    assert base.documents.has(submission), "what came too late is kept all the same"
    async with refused(RefusalKind.ALREADY_ENDED):
        await base.do(Withdraw, APPLICANT, reason="too late as well")


async def test_the_reviewer_is_reminded_once_and_the_overdue_review_escalated_again_and_again(office: Office) -> None:
    base = await acts.in_review(office)
    first = base.case.plan[-1].at
    await base.forward_to(first)
    assert acts.events(base)[1:] == ["remind_reviewer", "review_escalated"]
    second = base.case.plan[-1].at
    assert second > first
    await base.forward_to(second)
    assert acts.events(base)[1:] == ["remind_reviewer", "review_escalated", "review_escalated"]
    assert base.case.stage is Stage.REVIEW, "never a silent default"
    assert (await base.do(Approve, REVIEWER, revision=1)).stage is Stage.DEPOSIT


async def test_a_decision_on_an_older_revision_is_stale(office: Office) -> None:
    base = await acts.in_supplement(office)
    await acts.supplement(base)
    before = base.case
    for kind, fields in (
        (Approve, {}),
        (Reject, {"reason": "no"}),
        (RequestSupplement, {"items": acts.FLOOR_PLAN}),
    ):
        async with refused(RefusalKind.REVISION_STALE) as info:
            await base.do(kind, REVIEWER, revision=1, **fields)
        assert info.value.kind.exit_code == 8
    assert base.case == before


async def test_a_decision_after_another_on_the_same_revision_is_refused_as_decided(office: Office) -> None:
    base = await acts.in_deposit(office)
    before = base.case
    async with refused(RefusalKind.ALREADY_DECIDED) as info:
        await base.do(Reject, OTHER_REVIEWER, revision=1, reason="no")
    assert info.value.kind.exit_code == 8
    assert base.case == before


async def test_a_review_taken_is_its_holder_s_until_released(office: Office) -> None:
    base = await acts.in_review(office)
    await base.do(TakeReview, REVIEWER)
    assert base.case.review_held_by == "li"
    assert [task.assignee for task in base.case.tasks] == ["li"]
    before = base.case
    for kind, fields in ((TakeReview, {}), (ReleaseReview, {}), (Approve, {"revision": 1})):
        async with refused(RefusalKind.REVIEW_HELD):
            await base.do(kind, OTHER_REVIEWER, **fields)
    assert base.case == before
    await base.do(ReleaseReview, REVIEWER)
    assert base.case.review_held_by is None
    assert [task.assignee for task in base.case.tasks] == [None]
    await base.do(TakeReview, OTHER_REVIEWER)
    assert (await base.do(Approve, OTHER_REVIEWER, revision=1)).stage is Stage.DEPOSIT
    assert base.case.review_held_by is None


async def test_approval_with_a_failing_condition_is_refused_with_every_problem(office: Office) -> None:
    base = await office.applied("deficient")
    before = base.case
    async with refused(RefusalKind.CONDITION_FAILED) as info:
        await base.do(Approve, REVIEWER, revision=1)
    failed = {"A1", "A2.taxpayer", "A2.capital", "A4.live_rooms", "A4.area", "B1", "B2", "R8"}
    assert failed <= {problem.path for problem in info.value.problems}
    assert all(problem.message for problem in info.value.problems)
    assert base.case == before, "a refusal changes nothing"
    acts.check_books(base)


async def test_what_needs_a_person_is_accepted_by_name_with_a_reason(office: Office) -> None:
    base = office.base()
    await base.apply("seven-months")
    # Registered seven months ago whatever the day this test runs.
    await base.do(RequestSupplement, REVIEWER, revision=1, items=acts.FLOOR_PLAN)
    submission = acts.changed(base, "seven-months", registered_on=add_months(acts.today(base), -7))
    await base.do(Supplement, APPLICANT, submission=submission)
    before = base.case
    async with refused(RefusalKind.ACCEPTANCE_MISSING) as info:
        await base.do(Approve, REVIEWER, revision=2)
    assert [problem.path for problem in info.value.problems] == ["A2.age"]
    async with refused(RefusalKind.INVALID_VALUE):
        accepted = tuple(Acceptance(condition=name, reason="fine") for name in ("A2.age", "A4.area"))
        await base.do(Approve, REVIEWER, revision=2, accepted=accepted)
    assert base.case == before
    accepted = (Acceptance(condition="A2.age", reason="strong supply chain"),)
    answer = await base.do(Approve, REVIEWER, revision=2, accepted=accepted)
    assert answer.stage is Stage.DEPOSIT
    assert acts.timeline(base)[-1]["detail"]["accepted"] == {"A2.age": "strong supply chain"}


async def test_a_rejected_case_waits_for_an_appeal_and_closes_when_its_window_ends(office: Office) -> None:
    base = await acts.in_review(office)
    answer = await base.do(Reject, REVIEWER, revision=1, reason="the documents contradict each other")
    assert (answer.stage, answer.standing) == (Stage.SETTLING, Standing.REJECTED)
    case = base.case
    assert case.appeal_until is not None
    assert [planned.event for planned in case.plan] == ["close_case"]
    await base.forward_to(case.appeal_until - timedelta(minutes=1))
    assert base.case.stage is Stage.SETTLING
    await base.forward_to(case.appeal_until)
    assert base.case.stage is Stage.CLOSED
    assert await acts.ended(base) is WorkflowExecutionStatus.COMPLETED
    assert (await base.handle.result())["outcome"] == "rejected"
    assert acts.events(base) == ["application_received", "application_rejected", "appeal_window_ended"]


async def test_a_certifier_s_refusal_ends_as_a_rejection(office: Office) -> None:
    base = await acts.in_certifying(office)
    answer = await base.do(RefuseCertification, CERTIFIER, reason="the site visit failed")
    assert (answer.stage, answer.standing, answer.awaiting) == (Stage.SETTLING, Standing.REJECTED, Role.FINANCE)
    assert base.case.deposit.held == acts.FULL


@pytest.mark.parametrize(
    ("reach", "left"),
    [
        (acts.in_review, Stage.CLOSED),
        (acts.in_supplement, Stage.CLOSED),
        (acts.in_deposit, Stage.CLOSED),
        (acts.in_certifying, Stage.SETTLING),  # money is held
    ],
    ids=["review", "supplement", "deposit", "certifying"],
)
async def test_the_applicant_may_withdraw_until_certification(
    office: Office, reach: Callable[[Office], Awaitable[Base]], left: Stage
) -> None:
    base = await reach(office)
    answer = await base.do(Withdraw, APPLICANT, reason="other plans")
    assert (answer.stage, answer.standing) == (left, Standing.WITHDRAWN)
    if left is Stage.CLOSED:
        assert await acts.ended(base) is WorkflowExecutionStatus.COMPLETED
    acts.check_books(base)


async def test_nobody_withdraws_after_certification(office: Office) -> None:
    base = await acts.in_valid(office)
    async with refused(RefusalKind.WRONG_STAGE):
        await base.do(Withdraw, APPLICANT, reason="too late")


async def test_an_applicant_acts_on_their_own_case_only(office: Office) -> None:
    base = await acts.in_supplement(office)
    before = base.case
    for actor in (OTHER_APPLICANT, OPERATOR.model_copy(update={"on_behalf": "ma"})):
        async with refused(RefusalKind.NOT_OWN_CASE) as info:
            await base.do(Withdraw, actor, reason="not mine")
        assert info.value.kind.exit_code == 4
    async with refused(RefusalKind.ROLE_NOT_ALLOWED):
        await base.do(Withdraw, OPERATOR, reason="for nobody")
    async with refused(RefusalKind.ROLE_NOT_ALLOWED):
        await base.do(Approve, CERTIFIER, revision=1)
    assert base.case == before
    answer = await base.do(Withdraw, OPERATOR.model_copy(update={"on_behalf": "wang"}), reason="by telephone")
    assert answer.standing is Standing.WITHDRAWN
    assert acts.timeline(base)[-1]["actor"] == "operator:sun for wang"


async def test_who_approved_does_not_certify(office: Office) -> None:
    base = await acts.in_certifying(office)
    async with refused(RefusalKind.SECOND_PERSON_REQUIRED):
        await base.do(Certify, Actor(role=Role.CERTIFIER, name=" LI "))
    assert base.case.stage is Stage.CERTIFYING


async def test_a_refused_application_leaves_no_case_and_its_workflow_ends(office: Office) -> None:
    base = office.base()
    async with refused(RefusalKind.ROLE_NOT_ALLOWED):  # refused by the validator
        await base.apply(actor=REVIEWER)
    assert base.no_case
    assert not await office.clock.fast_forward(base.workflow_id, timedelta(minutes=2)), "it waits no longer"
    assert await acts.ended(base) is WorkflowExecutionStatus.COMPLETED
    other = office.base()
    command = acts.apply_command(other, submission="0" * 64)  # refused by the transaction
    async with refused(RefusalKind.INVALID_FILE):
        await acts.start(other, command)
    assert other.no_case
    assert await acts.ended(other) is WorkflowExecutionStatus.COMPLETED
    assert (await other.handle.result())["case_number"] is None
    assert (await other.apply()).stage is Stage.REVIEW, "under the same number, when it is in order"


async def test_a_second_application_beside_a_live_case_is_refused_naming_it(office: Office) -> None:
    base = await acts.in_review(office)
    again = office.base(credit_code=base.credit_code, ordinal=2)
    async with refused(RefusalKind.CASE_EXISTS) as info:
        await again.apply()
    assert base.case.case_number in info.value.message
    assert again.no_case
    async with refused(RefusalKind.CASE_EXISTS) as info:
        await base.apply()  # meets the live case itself
    assert base.case.case_number in info.value.message
    assert base.case.sequence == 1


async def test_of_two_applications_at_the_same_instant_one_opens_a_case(office: Office) -> None:
    base = office.base()
    other = office.base(credit_code=base.credit_code, ordinal=2)
    results = await asyncio.gather(base.apply(), base.apply(), other.apply(), return_exceptions=True)
    won = [result for result in results if not isinstance(result, BaseException)]
    assert len(won) == 1, results
    lost = [result for result in results if isinstance(result, Refusal)]
    assert [refusal.kind for refusal in lost] == [RefusalKind.CASE_EXISTS] * 2
    assert base.no_case is not other.no_case


async def test_after_a_rejection_a_new_application_waits_for_the_cooling_off(office: Office) -> None:
    base = await acts.in_review(office)
    await base.do(Reject, REVIEWER, revision=1, reason="no")
    again = office.base(credit_code=base.credit_code, ordinal=2)
    async with refused(RefusalKind.COOLING_OFF):
        await again.apply()
    assert again.no_case

    rejected_days_ago(base, 30)
    async with refused(RefusalKind.COOLING_OFF):
        await again.apply()
    rejected_days_ago(base, 31)
    answer = await again.apply()
    assert (answer.stage, answer.standing) == (Stage.REVIEW, Standing.APPLICANT)
    assert again.case.case_number != base.case.case_number
    assert base.case.stage is Stage.SETTLING, "the old case's appeal window is its own"


def rejected_days_ago(base: Base, days: int) -> None:
    """As if the rejection had been that many days ago: a new case starts at the wall clock."""
    case = base.case
    assert case.ending is not None
    legal_at = case.opened_at - timedelta(days=days)
    past: Case = case.model_copy(update={"ending": case.ending.model_copy(update={"legal_at": legal_at})})
    with Session(base.office.engine) as session, session.begin():
        row = session.get_one(tables.CaseRow, case.case_number)
        row.facts = past.model_dump(mode="json")
