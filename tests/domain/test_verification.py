"""The enterprise's real-name verification: asked for, weighed in the review, looked at again (A1, edge case 41)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain import next_term, opening, review, verification
from domain.case import Case
from domain.commands import AcceptVerification, Apply, Approve, ApproveRenewal, Supplement
from domain.findings import Finding, Outcome
from domain.planning import Event
from domain.records import Decision, Evidence, Letter, ScreeningResult, Transition
from domain.refusals import Refusal, RefusalKind
from domain.screening import screen
from domain.setting import Setting
from domain.stages import Role
from domain.tracing import unseen
from tests.domain import cases, refunds, verified
from tests.office import example

DAY = timedelta(days=1)
RESULTS = ("verified", "not_verified", "name_mismatch", "unknown", "unanswered")


def setting(now: datetime = cases.OPENED) -> Setting:
    return replace(cases.setting(now), verifies=True)


def applied(now: datetime = cases.OPENED) -> Case:
    submission = cases.submission()
    code = submission.application.credit_code
    command = cases.command(Apply, cases.APPLICANT, credit_code=code, ordinal=1, submission=submission.sha256)
    return opening.open_case(command, "LB-2026-000001", submission, setting(now)).case


def heard(case: Case, result: Any, at: datetime | None = None) -> Transition:
    planned = cases.planned_event(case, Event.ASK_VERIFICATION)
    return verification.answered(case, planned, verified.answer(result), setting(at or planned.at))


def a1(case: Case) -> Finding:
    application = cases.submission().application
    today = cases.setting(cases.OPENED)
    return screen(application, today.policy, as_of=today.today, verification=case.verification)[0]


def approve(case: Case, *accepted: str) -> Transition:
    given = [{"condition": condition, "reason": "the licence shows it"} for condition in accepted]
    command = cases.command(Approve, cases.REVIEWER, revision=case.revision, accepted=given)
    return review.approve(case, command, cases.submission(), setting())


class TestApplication:
    def test_it_is_asked_for_at_once_where_there_is_somebody_to_ask(self) -> None:
        case = applied()
        asking = cases.planned_event(case, Event.ASK_VERIFICATION)
        assert asking.at == cases.OPENED and case.verification is not None
        assert (case.verification.result, case.verification.name) == ("asked", cases.payer())
        assert cases.in_review().verification is None
        assert not any(one.event is Event.ASK_VERIFICATION for one in cases.in_review().plan)

    def test_of_an_overseas_entity_the_entrusted_enterprise_is_verified(self) -> None:
        submission = example("overseas")
        code = submission.application.credit_code
        fields = {"credit_code": code, "ordinal": 1, "submission": submission.sha256}
        command = cases.command(Apply, cases.APPLICANT, **fields).model_copy(update={"workflow_id": f"base:{code}:1"})
        case = opening.open_case(command, "LB-2026-000001", submission, setting()).case
        entrusted = submission.application.entrusted_enterprise
        assert entrusted is not None and case.verification is not None
        assert case.verification.name == entrusted.name != submission.application.entity.name

    @pytest.mark.parametrize(
        ("result", "outcome"),
        [
            ("asked", Outcome.PERSON),
            ("verified", Outcome.PASS),
            ("not_verified", Outcome.FAIL),
            ("name_mismatch", Outcome.PERSON),
            ("unknown", Outcome.PERSON),
            ("unanswered", Outcome.PERSON),
            ("accepted", Outcome.PERSON),
        ],
    )
    def test_the_answer_decides_whether_it_passes_fails_or_needs_a_person(self, result: str, outcome: Outcome) -> None:
        case = verified.with_known(cases.in_review(), result)
        finding = a1(case)
        assert (finding.condition, finding.outcome) == ("A1", outcome)
        assert "2026-03-02" in finding.message
        if outcome is Outcome.PERSON:
            with pytest.raises(Refusal) as info:
                approve(case)
            assert info.value.kind is RefusalKind.ACCEPTANCE_MISSING
            done = approve(case, "A1")
            (decision,) = [one for one in done.records if isinstance(one, Decision)]
            assert decision.detail == {"accepted": {"A1": "the licence shows it"}}
            (screening,) = [one for one in done.records if isinstance(one, ScreeningResult)]
            assert screening.findings[0] == finding.model_copy(update={"as_of": screening.as_of})
        elif outcome is Outcome.FAIL:
            with pytest.raises(Refusal) as info:
                approve(case, "A1")
            assert info.value.kind is RefusalKind.CONDITION_FAILED
        else:
            assert approve(case).event == "application_approved"

    def test_what_fails_by_its_documents_fails_whatever_is_said(self) -> None:
        application = cases.submission().application.model_copy(update={"alipay_verification": None})
        known = verified.with_known(cases.in_review()).verification
        today = cases.setting(cases.OPENED)
        finding = screen(application, today.policy, as_of=today.today, verification=known)[0]
        assert finding.outcome is Outcome.FAIL

    def test_verified_under_another_name_than_the_application_s_a_person_compares(self) -> None:
        assert a1(verified.with_known(cases.in_review(), name="another company")).outcome is Outcome.PERSON
        folded = cases.payer().replace("(", "（")
        assert a1(verified.with_known(cases.in_review(), name=f" {folded}")).outcome is Outcome.PASS

    @pytest.mark.parametrize("result", RESULTS)
    def test_what_was_heard_is_on_record_with_its_source_and_instant(self, result: str) -> None:
        at = cases.OPENED + timedelta(seconds=3)
        done = heard(applied(), result, at)
        known = done.case.verification
        assert known is not None and (known.result, known.source, known.at) == (result, "verifier.example", at)
        assert done.detail == {"result": result, "source": "verifier.example", "reference": "V-1", "why": ""}
        again = [one for one in done.case.plan if one.event is Event.ASK_VERIFICATION]
        assert bool(again) is (result == "unanswered")

    def test_without_an_answer_it_is_asked_again_ever_more_seldom_until_the_review_is_over(self) -> None:
        case, pauses = applied(), []
        for _ in range(7):
            before = cases.planned_event(case, Event.ASK_VERIFICATION)
            case = heard(case, "unanswered").case
            pauses.append(cases.planned_event(case, Event.ASK_VERIFICATION).at - before.at)
        assert [pause / timedelta(hours=1) for pause in pauses] == [1, 2, 4, 8, 16, 24, 24]
        approved = approve(case, "A1").case
        assert not any(one.event is Event.ASK_VERIFICATION for one in approved.plan)

    def test_a_supplement_asks_anew_but_not_for_who_was_verified_lately(self) -> None:
        submission = cases.submission()
        command = cases.command(Supplement, cases.APPLICANT, submission=submission.sha256)
        for result, asks in (("verified", False), ("not_verified", True), ("unanswered", True)):
            case = verified.with_known(cases.in_supplement(), result)
            done = review.supplement(case, command, submission, setting())
            assert any(one.event is Event.ASK_VERIFICATION for one in done.case.plan) is asks
        long_ago = verified.with_known(cases.in_supplement(), at=cases.OPENED - timedelta(days=185))
        done = review.supplement(long_ago, command, submission, setting())
        assert done.case.verification is not None and done.case.verification.result == "asked"


class TestCertified:
    def test_it_is_due_when_the_half_year_is_over_in_the_year_alone(self) -> None:
        case = verified.with_known(cases.in_valid())
        due_from = datetime.fromisoformat("2026-09-02T00:00+08:00")
        assert not verification.is_due(case, due_from - timedelta(seconds=1), 6)
        assert verification.is_due(case, due_from, 6)
        for other in (cases.in_review(), cases.expired(), cases.revoked(), cases.renewal_late()):
            assert not verification.is_due(verified.with_known(other), due_from + 400 * DAY, 6)
        assert not verification.is_due(cases.in_valid(), due_from + 400 * DAY, 6), "nobody was ever asked"

    def test_confirmed_it_leaves_the_base_s_run_asleep(self) -> None:
        case = verified.with_known(cases.in_valid())
        done = verified.looked_at(case, "verified")
        assert (done.event, done.records, done.case.tasks) == ("enterprise_verified", (), case.tasks)
        assert unseen(case, done.case, verified.HALF_A_YEAR_ON)
        assert done.case.verification is not None and done.case.verification.at == verified.HALF_A_YEAR_ON
        again = verification.rechecked(done.case, verified.answer("verified"), setting(verified.HALF_A_YEAR_ON))
        assert again is None, "tried again, it finds it done"

    @pytest.mark.parametrize("result", ["not_verified", "name_mismatch", "unknown"])
    def test_not_confirmed_it_takes_nothing_away_and_a_person_looks(self, result: str) -> None:
        case = verified.with_known(cases.in_valid())
        done = verified.looked_at(case, result)
        (task,) = done.case.tasks
        assert (task.kind, task.role, task.also) == ("check_verification", Role.COMPLIANCE, (Role.OPERATOR,))
        letters = [(one.kind, one.recipient) for one in done.records if isinstance(one, Letter)]
        assert letters == [("verification_failed", Role.COMPLIANCE), ("verification_failed", Role.APPLICANT)]
        before, after = case.model_dump(), done.case.model_dump()
        changed = {name for name in before if before[name] != after[name]}
        assert changed == {"sequence", "tasks", "verification"}
        assert not unseen(case, done.case, verified.HALF_A_YEAR_ON), "its run has to show it"

    def test_while_the_task_is_open_it_is_asked_for_daily_and_confirmed_it_is_over(self) -> None:
        failed = verified.failed()
        assert not verification.is_due(failed, verified.HALF_A_YEAR_ON + DAY - timedelta(seconds=1), 6)
        again = verified.looked_at(failed, "unknown")
        assert len(again.case.tasks) == 1 and not again.records
        done = verified.looked_at(again.case, "verified")
        assert not done.case.tasks and [one.kind for one in done.records if isinstance(one, Letter)] == [
            "verification_confirmed"
        ]

    def test_only_the_third_time_without_an_answer_a_person_looks(self) -> None:
        case, at = verified.with_known(cases.in_valid()), verified.HALF_A_YEAR_ON
        tasks = []
        for _ in range(4):
            case = verified.looked_at(case, "unanswered", at).case
            tasks.append([task.kind for task in case.tasks])
            at += DAY
        assert tasks == [[], [], ["check_verification"], ["check_verification"]]

    @pytest.mark.parametrize("end", [cases.ended, refunds.left])
    def test_its_task_ends_with_the_certification(self, end: Callable[[Case], Case]) -> None:
        failed = verified.failed()
        assert verification.TASK in {task.kind for task in failed.tasks}
        assert verification.TASK not in {task.kind for task in end(failed).tasks}

    def test_a_person_accepts_it_with_evidence_and_it_is_asked_for_after_the_next_half_year(self) -> None:
        at = verified.HALF_A_YEAR_ON + DAY
        command = cases.command(AcceptVerification, cases.COMPLIANCE, reason="renamed", evidence=("0" * 64,))
        done = verification.accept(verified.failed(), command, cases.setting(at))
        assert not done.case.tasks and done.actor == str(cases.COMPLIANCE)
        assert any(isinstance(one, Decision) and one.reason == "renamed" for one in done.records)
        assert Evidence("verification", ("0" * 64,)) in done.records
        known = done.case.verification
        assert known is not None and (known.result, known.source) == ("accepted", str(cases.COMPLIANCE))
        assert not verification.is_due(done.case, at + 170 * DAY, 6) and verification.is_due(
            done.case, at + 190 * DAY, 6
        )

    def test_at_the_renewal_the_last_answer_counts(self) -> None:
        case = verified.with_known(cases.renewing(), "not_verified")
        command = cases.command(ApproveRenewal, cases.REVIEWER, revision=case.revision)
        with pytest.raises(Refusal) as info:
            next_term.approve(case, command, cases.submission(), "LBC-2", cases.setting(cases.before_end(case, 40), 2))
        assert info.value.kind is RefusalKind.CONDITION_FAILED
