"""Renewal by the rules alone: its window, its decision, in time, late, through our own delay (decisions 23 to 26)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from domain import agenda, next_term, renewal
from domain.case import Case, Hold
from domain.commands import ApproveRenewal, DenyProposal, RejectRenewal, Renew, Revoke, Supplement
from domain.judging import judge
from domain.planning import Event
from domain.policy import Policy
from domain.records import (
    BenefitsGranted,
    BenefitsWithdrawn,
    KnownBy,
    ListRevision,
    ScreeningResult,
    TermBegun,
    Transition,
)
from domain.refusals import Refusal, RefusalKind
from domain.stages import Role, Stage, Standing
from domain.submission import Submission
from tests.domain import cases

LAST_DAY = date(2027, 3, 2)
DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)


def filed(case: Case, at: datetime, *, from_last_day: date | None = None) -> Transition:
    command = cases.command(Renew, cases.APPLICANT, from_last_day=from_last_day or case.terms[-1].last_day)
    return renewal.renew(case, command, cases.submission(), cases.setting(at, 2))


def refusal(*args: object, **fields: object) -> Refusal:
    with pytest.raises(Refusal) as info:
        filed(*args, **fields)  # type: ignore[arg-type]
    return info.value


def records(transition: Transition, kind: type) -> list[Any]:
    return [record for record in transition.records if isinstance(record, kind)]


def approved(case: Case, sent: Submission) -> Transition:
    command = cases.command(ApproveRenewal, cases.REVIEWER, revision=case.revision)
    return next_term.approve(case, command, sent, "LBC-2027-000002", cases.setting(cases.before_end(case, 38), 2))


def rejected(case: Case, days_before: int) -> Transition:
    command = cases.command(RejectRenewal, cases.REVIEWER, revision=case.revision, reason="rooms given up")
    return renewal.reject(case, command, cases.setting(cases.before_end(case, days_before)))


class TestTheWindow:
    def test_it_opens_sixty_days_before_the_end_the_first_instant_included(self) -> None:
        """E25: refused before with the day it opens."""
        case = cases.in_valid()
        opens = cases.before_end(case, 60)
        early = refusal(case, opens - INSTANT)
        assert early.kind is RefusalKind.TOO_EARLY and "opens on 2027-01-02" in early.message
        assert filed(case, opens).case.renewal is not None

    def test_it_closes_thirty_days_after_the_end(self) -> None:
        """E19: after the late window only a new application."""
        case = cases.expired()
        closes = cases.before_end(case, -30)
        assert filed(case, closes - INSTANT).case.stage is Stage.RENEWAL_LATE
        assert refusal(case, closes).kind is RefusalKind.TOO_LATE

    @pytest.mark.parametrize("day", [LAST_DAY - timedelta(days=1), LAST_DAY + timedelta(days=1), date(2026, 3, 2)])
    def test_it_names_the_day_it_renews_from(self, day: date) -> None:
        case = cases.in_valid()
        stale = refusal(case, cases.before_end(case, 40), from_last_day=day)
        assert stale.kind is RefusalKind.END_DATE_STALE and "runs through 2027-03-02" in stale.message

    def test_of_two_the_second_is_refused(self) -> None:
        case = cases.renewing()
        again = refusal(case, cases.before_end(case, 30))
        assert again.kind is RefusalKind.RENEWAL_PENDING and "One renewal at a time" in again.hint

    def test_one_approved_in_advance_is_not_filed_again(self) -> None:
        case = cases.renewed()
        assert refusal(case, cases.before_end(cases.in_valid(), 10), from_last_day=LAST_DAY).kind is (
            RefusalKind.END_DATE_STALE
        )
        assert refusal(case, cases.before_end(cases.in_valid(), 10)).kind is RefusalKind.TOO_EARLY

    def test_only_what_has_expired_is_renewed_late(self) -> None:
        case = cases.expired()
        assert case.ending is not None
        revoked = case.model_copy(update={"ending": case.ending.model_copy(update={"kind": Standing.REVOKED})})
        assert refusal(revoked, cases.before_end(case, -3)).kind is RefusalKind.ALREADY_ENDED


class TestReview:
    def test_it_is_screened_at_once_under_the_policy_in_force(self) -> None:
        case = cases.in_valid()
        at = cases.setting(cases.before_end(case, 40))
        stricter = replace(at, in_force=_policy(at.in_force, version="2027.1", live_rooms=13))
        command = cases.command(Renew, cases.APPLICANT, from_last_day=LAST_DAY)
        transition = renewal.renew(case, command, cases.submission(), stricter)
        (screened,) = records(transition, ScreeningResult)
        assert isinstance(screened, ScreeningResult)
        assert screened.policy_version == "2027.1"
        assert [f.outcome for f in screened.findings if f.condition == "A4.live_rooms"] == ["fail"]
        with pytest.raises(Refusal) as info:
            next_term.approve(
                transition.case,
                cases.command(ApproveRenewal, cases.REVIEWER, revision=1),
                cases.submission(),
                "LBC-2027-000002",
                stricter,
            )
        assert info.value.kind is RefusalKind.CONDITION_FAILED

    def test_a_new_name_of_the_enterprise_comes_with_the_renewal_e49(self) -> None:
        """The same credit code: a new revision, known by both names, reviewed before the next term."""
        case, before = cases.in_valid(), cases.submission()
        entity = before.application.entity.model_copy(update={"name": "义乌云集科技有限公司"})
        sent = before.model_copy(update={"application": before.application.model_copy(update={"entity": entity})})
        renew = cases.command(Renew, cases.APPLICANT, from_last_day=LAST_DAY, submission=sent.sha256)
        transition = renewal.renew(case, renew, sent, cases.setting(cases.before_end(case, 40), 2))
        after = transition.case
        assert (after.revision, after.payer_names) == (2, case.payer_names), "not before somebody has looked at it"
        assert [one.names["entity"] for one in records(transition, KnownBy)] == ["义乌云集科技有限公司"]
        assert (after.terms, after.publication, after.ending) == (case.terms, case.publication, None)
        assert records(transition, ListRevision) == [], "the list names the base"
        assert after.renewal is not None and after.renewal.awaits == "review"
        assert approved(after, sent).case.payer_names == ("义乌云集科技有限公司",)

    def test_a_new_name_of_the_base_is_listed_when_the_renewal_is_approved_and_never_of_one_rejected(self) -> None:
        case, before = cases.in_valid(), cases.submission()
        base = before.application.base.model_copy(update={"name": "义乌新北苑直播基地"})
        sent = before.model_copy(update={"application": before.application.model_copy(update={"base": base})})
        renew = cases.command(Renew, cases.APPLICANT, from_last_day=LAST_DAY, submission=sent.sha256)
        waiting = renewal.renew(case, renew, sent, cases.setting(cases.before_end(case, 40), 2)).case
        assert waiting.name == rejected(waiting, 39).case.name == case.name
        transition = approved(waiting, sent)
        assert transition.case.name == "义乌新北苑直播基地"
        assert [entry.name for entry in records(transition, ListRevision)] == ["义乌新北苑直播基地"]

    def test_a_supplement_is_asked_for_handed_in_and_reviewed(self) -> None:
        asked = cases.in_renewal_supplement()
        assert asked.stage is Stage.VALID and asked.awaiting is Role.APPLICANT
        sent = cases.submission()
        command = cases.command(Supplement, cases.APPLICANT, submission=sent.sha256)
        case = renewal.supplement(asked, command, sent, cases.setting(cases.before_end(asked, 35))).case
        assert (case.revision, case.awaiting) == (2, Role.REVIEWER)
        assert Event.LAPSE_RENEWAL not in {planned.event for planned in case.plan}
        with pytest.raises(Refusal) as info:
            judge(case, cases.command(ApproveRenewal, cases.REVIEWER, revision=1))
        assert info.value.kind is RefusalKind.REVISION_STALE

    def test_three_rounds_and_no_more(self) -> None:
        case = cases.renewing()
        for round_ in range(3):
            asked = cases.renewal_asked(case, 40 - round_).case
            command = cases.command(Supplement, cases.APPLICANT, submission="0")
            case = renewal.supplement(
                asked, command, cases.submission(), cases.setting(cases.before_end(asked, 39 - round_))
            ).case
        with pytest.raises(Refusal) as info:
            cases.renewal_asked(case, 30)
        assert info.value.kind is RefusalKind.ROUNDS_USED_UP

    def test_silence_ends_the_renewal_and_not_the_term(self) -> None:
        case = cases.in_renewal_supplement()
        lapse = cases.planned_event(case, Event.LAPSE_RENEWAL)
        after = agenda.take(case, lapse, cases.setting(lapse.at)).case
        assert after.renewal is None and after.stage is Stage.VALID and after.awaiting is Role.NOBODY
        assert after.standing(lapse.at) is Standing.CERTIFIED
        assert filed(after, lapse.at).case.renewal is not None, "it may be filed again"

    def test_a_rejection_leaves_the_term_and_a_second_attempt(self) -> None:
        """E24: rejected 60 days early, the certificate stays valid to its end; attempts are counted."""
        case = filed(cases.in_valid(), cases.before_end(cases.in_valid(), 60)).case
        once = rejected(case, 59).case
        assert once.standing(cases.before_end(case, 59)) is Standing.CERTIFIED
        assert Event.EXPIRE_CERTIFICATION in {planned.event for planned in once.plan}
        twice = rejected(filed(once, cases.before_end(case, 50)).case, 49).case
        none_left = refusal(twice, cases.before_end(case, 40))
        assert none_left.kind is RefusalKind.ROUNDS_USED_UP
        assert refusal(cases.ended(twice), cases.before_end(case, -3)).kind is RefusalKind.ROUNDS_USED_UP

    def test_reminders_of_a_renewal_that_has_been_filed_are_moot(self) -> None:
        case = cases.renewing()
        reminder = next(p for p in case.plan if p.event is Event.REMIND_RENEWAL and p.at > cases.before_end(case, 45))
        assert agenda.moot(case, reminder, reminder.at)
        assert not agenda.moot(rejected(case, 40).case, reminder, reminder.at)

    def test_it_is_escalated_when_overdue_and_again_before_the_end(self) -> None:
        case = cases.renewing()
        overdue, near = [planned for planned in case.plan if planned.event is Event.ESCALATE_RENEWAL]
        assert near.at == cases.before_end(case, 7)
        case = agenda.take(case, overdue, cases.setting(overdue.at)).case
        assert near in case.plan
        case = agenda.take(case, near, cases.setting(near.at)).case
        (again,) = [planned for planned in case.plan if planned.event is Event.ESCALATE_RENEWAL]
        assert again.at > near.at


class TestInTime:
    @pytest.mark.parametrize("before", [timedelta(days=40), timedelta(days=1), INSTANT])
    def test_the_next_term_starts_exactly_at_the_old_end(self, before: timedelta) -> None:
        """E15: first issue and renewal count alike."""
        case = filed(cases.in_valid(), cases.before_end(cases.in_valid(), 45)).case
        at = case.terms[0].until - before
        transition = next_term.approve(
            case,
            cases.command(ApproveRenewal, cases.REVIEWER, revision=1),
            cases.submission(),
            "LBC-2027-000002",
            cases.setting(at, 2),
        )
        first, second = transition.case.terms
        assert second.from_ == first.until and second.last_day == date(2028, 3, 2)
        assert (second.ordinal, second.certificate_number) == (2, "LBC-2027-000002")
        assert [record.term for record in records(transition, TermBegun)] == [second]  # type: ignore[attr-defined]
        for instant in (at, first.until - INSTANT, first.until, second.until - INSTANT):
            assert transition.case.standing(instant) is Standing.CERTIFIED
        assert transition.case.standing(second.until) is Standing.EXPIRED

    def test_benefits_go_on_and_the_list_changes_when_the_term_does(self) -> None:
        transition = cases.renewal_approved(cases.renewing(), 20)
        first, second = transition.case.terms
        (granted,) = records(transition, BenefitsGranted)
        assert isinstance(granted, BenefitsGranted)
        assert set(granted.effective_from.values()) == {cases.OPENED}, "unbroken"
        (entry,) = records(transition, ListRevision)
        assert isinstance(entry, ListRevision)
        assert (entry.state, entry.certificate_number) == ("published", second.certificate_number)
        assert entry.effective_from == entry.valid_from == first.until

    def test_until_its_day_the_old_term_runs_and_then_the_new_one(self) -> None:
        waiting = cases.renewed()
        first, second = waiting.terms
        assert waiting.running_term == first and waiting.term == second
        assert waiting.term_at(second.from_ - INSTANT) == first and waiting.term_at(second.from_) == second
        begin = cases.planned_event(waiting, Event.BEGIN_TERM)
        assert begin.at == first.until
        begun = agenda.take(waiting, begin, cases.setting(begin.at + timedelta(days=3), 3))
        assert begun.legal_at == first.until, "however late it is observed"
        assert begun.case.running_term == second
        assert [record.term for record in records(begun, BenefitsWithdrawn)] == [1]  # type: ignore[attr-defined]

    def test_the_plan_is_the_new_years(self) -> None:
        case = cases.in_second_term()
        until = case.terms[-1].until
        planned = {event: [p.at for p in case.plan if p.event is event] for event in {p.event for p in case.plan}}
        assert planned[Event.EXPIRE_CERTIFICATION] == [until]
        assert planned[Event.REMIND_RENEWAL] == [until - timedelta(days=days) for days in (60, 30, 7, 1)]
        assert planned.keys() == {Event.EXPIRE_CERTIFICATION, Event.REMIND_RENEWAL, Event.REMIND_FIGURES}
        quarters = [one.subject for one in case.plan if one.event is Event.REMIND_FIGURES]
        assert quarters[-4:] == ["2027Q1", "2027Q2", "2027Q3", "2027Q4"], "the one it was renewed in counts"

    def test_a_term_is_judged_by_the_policy_it_was_decided_under(self) -> None:
        case = cases.renewing()
        at = cases.setting(cases.before_end(case, 20), 2)
        newer = replace(at, in_force=_policy(at.in_force, version="2027.1"))
        command = cases.command(ApproveRenewal, cases.REVIEWER, revision=1)
        waiting = next_term.approve(case, command, cases.submission(), "LBC-2027-000002", newer).case
        assert (waiting.policy_version, waiting.terms[-1].policy_version) == ("2026.1", "2027.1")
        begin = cases.planned_event(waiting, Event.BEGIN_TERM)
        assert next_term.begin_term(waiting, begin, cases.setting(begin.at)).case.policy_version == "2027.1"

    def test_a_suspended_base_stays_suspended(self) -> None:
        """E20: renewing lifts no hold."""
        hold = Hold(kind="compliance", since=cases.OPENED, reason="r")
        case = cases.renewing().model_copy(update={"holds": (hold,)})
        transition = cases.renewal_approved(case, 20)
        assert transition.case.holds == (hold,)
        assert transition.case.standing(transition.case.terms[-1].from_) is Standing.SUSPENDED
        assert [entry.state for entry in records(transition, ListRevision)] == ["suspended"]  # type: ignore[attr-defined]

    def test_no_second_deposit_but_a_raised_one_is_made_up_first(self) -> None:
        """E32: the deposit of the policy in force, the difference asked for at the renewal."""
        case = cases.renewing()
        at = cases.setting(cases.before_end(case, 20), 2)
        raised = replace(at, in_force=_policy(at.in_force, version="2027.1", deposit_fen=12_000_000))
        command = cases.command(ApproveRenewal, cases.REVIEWER, revision=1)
        with pytest.raises(Refusal) as info:
            next_term.approve(case, command, cases.submission(), "LBC-2027-000002", raised)
        assert info.value.kind is RefusalKind.RENEWAL_BARRED
        assert info.value.problems[0].path == "A3" and "CNY 20,000.00 is lacking" in info.value.problems[0].message


class TestUndecidedAtTheEnd:
    @pytest.mark.parametrize(
        ("days_before", "ours"),
        [
            (45, True),
            (30, True),
            (29, False),  # filed too late for the delay to be ours
        ],
    )
    def test_the_term_expires_and_whose_delay_it_is_decides_what_waits(self, days_before: int, ours: bool) -> None:
        """E16: expired, renewal pending, with the cause."""
        case = cases.ended(cases.renewal_filed(cases.in_valid(), days_before).case)
        assert case.stage is Stage.RENEWAL_LATE and case.renewal is not None
        assert case.ending is not None and case.ending.kind is Standing.EXPIRED
        assert case.ending.cause == ("platform_delay" if ours else "term_ended")
        kinds = {task.kind for task in case.tasks}
        assert kinds == {"renewal_review"} | (set() if ours else {"confirm_marks", "settle_deposit"})
        assert (case.marks is None) is ours
        closing = [planned.at for planned in case.plan if planned.event is Event.CLOSE_LATE_RENEWAL]
        assert closing == ([] if ours else [cases.before_end(case, -30)])

    def test_what_waits_for_the_base_is_not_our_delay(self) -> None:
        case = cases.ended(cases.in_renewal_supplement())
        assert case.ending is not None and case.ending.cause == "term_ended"

    def test_a_supplement_that_came_at_the_last_moment_is_not_our_delay(self) -> None:
        asked = cases.in_renewal_supplement()
        command = cases.command(Supplement, cases.APPLICANT, submission="0")
        answered = renewal.supplement(asked, command, cases.submission(), cases.setting(cases.before_end(asked, 2)))
        case = cases.ended(answered.case)
        assert case.ending is not None and case.ending.cause == "term_ended"

    def test_approved_late_a_term_starts_at_the_approval_and_the_gap_stays_on_record(self) -> None:
        """E16, E19: never back-dated."""
        before = cases.renewal_late()
        transition = cases.renewal_approved(before, -3)
        case, at = transition.case, cases.before_end(before, -3)
        first, second = case.terms
        assert second.from_ == at and second.last_day == date(2028, 3, 6)
        assert transition.detail["gap"] == {"from": first.until.isoformat(), "until": at.isoformat()}
        assert (case.stage, case.ending, case.marks, case.renewal) == (Stage.PUBLISHING, None, None, None)
        assert case.standing(at) is Standing.CERTIFIED
        assert {task.kind for task in case.tasks} == {"publish"}, "marks duty and settlement are over"
        assert case.publication is not None and case.publication.state == "pending", "public again within 7 days (R3)"
        assert Event.CLOSE_LATE_RENEWAL not in {planned.event for planned in case.plan}
        assert records(transition, ListRevision) == []

    def test_our_delay_has_no_window_that_closes(self) -> None:
        case = cases.delayed_by_us()
        assert cases.renewal_approved(case, -90).case.terms[-1].from_ == cases.before_end(case, -90)

    def test_rejected_after_our_delay_what_waited_begins(self) -> None:
        case = cases.delayed_by_us()
        after = rejected(case, -12).case
        assert after.stage is Stage.SETTLING and after.marks is not None
        assert {task.kind for task in after.tasks} == {"confirm_marks", "settle_deposit"}
        assert after.marks.due_at > cases.before_end(case, -12), "counted from the decision"
        assert cases.as_decided(after) == cases.as_decided(case)

    def test_the_late_window_closes_by_itself(self) -> None:
        case = cases.renewal_late()
        closing = cases.planned_event(case, Event.CLOSE_LATE_RENEWAL)
        after = agenda.take(case, closing, cases.setting(closing.at)).case
        assert (after.stage, after.renewal) == (Stage.SETTLING, None)
        assert "renewal_review" not in {task.kind for task in after.tasks}
        with pytest.raises(Refusal):
            cases.renewal_approved(after, -31)

    def test_filed_late_its_quarters_are_taken_up_where_the_end_cut_them_off(self) -> None:
        """Else a fail that nobody can confirm any more, or an unknown nobody is asked for, would be left for good."""
        before = cases.objected()
        expired = cases.ended(before)
        assert "decide_assessment" not in {task.kind for task in expired.tasks}
        corrected = cases.told(expired, 5_000_000_000, revision=2, at=cases.before_end(before, -5)).case
        case = cases.renewal_filed(corrected, -10).case
        assert case.assessments == before.assessments, "what came on record meanwhile is heard of now"
        assert "decide_assessment" in {task.kind for task in case.tasks}
        assert Event.ESCALATE_ASSESSMENT in {planned.event for planned in case.plan}
        assert Event.REMIND_FIGURES in {planned.event for planned in case.plan}, "the last quarters'"
        decided = cases.assessment_decided(case, "pass", cases.before_end(before, -11)).case
        assert cases.renewal_approved(decided, -12).case.stage is Stage.PUBLISHING

    def test_filed_late_a_time_to_object_that_the_end_cut_off_goes_on_with_what_was_left(self) -> None:
        case = cases.in_valid()
        told = cases.told(case, 5, at=cases.before_end(case, 2)).case  # a fail
        (before,) = [one for one in told.assessments if one.result == "fail" and one.objection_until is not None]
        expired = cases.ended(told)
        filed_at = -20
        filed = cases.renewal_filed(expired, filed_at).case
        after = filed.assessment(before.period)
        (ends,) = [one.at for one in filed.plan if one.event is Event.END_OBJECTION and one.subject == before.period]
        assert after is not None and after.objection_until == ends > cases.before_end(case, filed_at)

    def test_filed_late_a_second_time_they_are_taken_up_where_the_first_one_left_them(self) -> None:
        before = cases.objected()
        first = cases.renewal_filed(cases.ended(before), -10).case
        decided = cases.assessment_decided(first, "pass", cases.before_end(before, -11)).case
        assert decided.assessments != before.assessments
        refused = rejected(decided, -12).case
        assert refused.assessments == decided.assessments
        again = cases.renewal_filed(refused, -13).case
        assert again.assessments == decided.assessments, "what was decided meanwhile stays decided"
        assert {task.kind for task in again.tasks} == {task.kind for task in decided.tasks}

    def test_filed_late_it_opens_the_late_stage_and_leaves_the_duties(self) -> None:
        case = cases.renewal_filed(cases.expired(), -10).case
        assert case.stage is Stage.RENEWAL_LATE
        assert {task.kind for task in case.tasks} == {"confirm_marks", "settle_deposit", "renewal_review"}


def violation_in_the_late_stage(case: Case, outcome: str | None, **fields: Any) -> Case:
    """Reported and answered once the term was over, and decided when there is an outcome."""
    at = case.terms[-1].until + DAY
    case = cases.conduct_answered(cases.conduct_reported(case, at, **fields).case, at).case
    return cases.conduct_decided(case, outcome, at, 4).case if outcome else case


def revocation_proposed(case: Case, at: datetime) -> Case:
    return cases.done(case, cases.command(Revoke, cases.COMPLIANCE, reason="brushing"), at).case


class TestARevocationBesideIt:
    """Neither gets past the other, whatever comes first (decisions 23, 25)."""

    @pytest.mark.parametrize("make", [cases.renewal_late, cases.delayed_by_us])
    def test_decided_once_the_term_was_over_it_bars_the_late_renewal(self, make: Any) -> None:
        case = violation_in_the_late_stage(make(), "revocation", severity="serious")
        assert case.stage is Stage.RENEWAL_LATE and not case.open_conduct
        with pytest.raises(Refusal) as info:
            cases.renewal_approved(case, -3)
        assert info.value.kind is RefusalKind.RENEWAL_BARRED and "revocation" in info.value.problems[0].message
        rejected(case, -3)

    def test_nor_can_one_be_filed_after_it(self) -> None:
        case = violation_in_the_late_stage(cases.expired(), "revocation", severity="serious")
        with pytest.raises(Refusal) as info:
            cases.renewal_filed(case, -10)
        assert info.value.kind is RefusalKind.RENEWAL_BARRED
        cases.renewal_filed(violation_in_the_late_stage(cases.expired(), "dismissed", severity="serious"), -10)

    def test_proposed_it_is_decided_first(self) -> None:
        case = revocation_proposed(cases.renewing(), cases.before_end(cases.renewing(), 30))
        with pytest.raises(Refusal) as info:
            cases.renewal_approved(case, 29)
        assert info.value.kind is RefusalKind.RENEWAL_BARRED and case.proposals[0].id in info.value.problems[0].message
        deny = cases.command(DenyProposal, cases.CERTIFIER, proposal=case.proposals[0].id, reason="r")
        denied = cases.done(case, deny, cases.before_end(case, 29)).case
        assert cases.renewal_approved(denied, 29).case.waiting_term

    def test_overtaken_by_the_end_it_bars_the_late_renewal_for_its_time(self) -> None:
        """Tuesday 2027-03-02 is the last day; proposed on it, it would have waited until Friday."""
        renewing = cases.renewing()
        case = cases.ended(revocation_proposed(renewing, cases.before_end(renewing, 1)))
        assert [proposal.outcome for proposal in case.proposals] == ["overtaken"]
        with pytest.raises(Refusal) as info:
            cases.renewal_approved(case, -2)
        assert info.value.kind is RefusalKind.RENEWAL_BARRED and "2027-03-05" in info.value.problems[0].message
        assert cases.renewal_approved(case, -3).case.stage is Stage.PUBLISHING

    def test_approved_late_it_can_be_revoked_and_one_ending_is_left(self) -> None:
        case = cases.renewal_approved(cases.renewal_late(), -3).case
        proposed = revocation_proposed(case, cases.before_end(cases.renewal_late(), -4))
        done = cases.done(proposed, cases.approval(proposed), cases.before_end(cases.renewal_late(), -4), 5).case
        assert done.ending is not None and done.ending.kind is Standing.REVOKED and done.stage is Stage.SETTLING


class TestWhatGoesOnIntoALateTerm:
    """Beside the renewal's own tasks and those of the end, nothing of the case is lost with the approval."""

    def test_a_violation_keeps_its_tasks_and_its_suspension(self) -> None:
        case = violation_in_the_late_stage(cases.renewal_late(), "suspension")
        assert case.holds == ()
        after = cases.renewal_approved(case, -5).case
        assert {task.kind for task in after.tasks} == {"publish", "rectify"}
        assert [hold.kind for hold in after.holds] == [after.conduct[0].hold]
        assert after.standing(cases.before_end(case, -5)) is Standing.SUSPENDED

    def test_a_suspension_whose_ground_is_gone_is_not_one(self) -> None:
        filed = cases.renewal_filed(cases.undecided(urgent=True), 7).case
        assert filed.holds
        case = cases.ended(filed)
        dismissed = cases.conduct_decided(case, "dismissed", cases.before_end(case, -2), 4).case
        assert cases.renewal_approved(dismissed, -5).case.standing(cases.before_end(case, -5)) is Standing.CERTIFIED

    def test_a_quarter_without_figures_is_still_to_be_decided(self) -> None:
        unknown = cases.unknown()
        filed = cases.renewal_filed(unknown, 7).case
        after = cases.renewal_approved(cases.ended(filed), -5).case
        assert {task.kind for task in after.tasks} == {"publish", "decide_assessment"}
        assert Event.ESCALATE_ASSESSMENT in {planned.event for planned in after.plan}


def test_an_expiry_that_is_due_comes_before_a_late_approval() -> None:
    """Decision 26: the one of the two that counts is told by the instant alone."""
    case = cases.renewing()
    assert agenda.legally_due(case, case.terms[-1].until - INSTANT) is None
    due = agenda.legally_due(case, case.terms[-1].until)
    assert due is not None and due.event is Event.EXPIRE_CERTIFICATION


def _policy(policy: Policy, **changes: object) -> Policy:
    return policy.model_copy(update=changes)
