"""Appeals and decisions set aside, by the rules alone (decisions 28 and 34)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from domain import agenda, assessment, review
from domain.assessment import ResultConfirmed, bars
from domain.case import Case
from domain.commands import (
    Actor,
    DecideAppeal,
    DecideConduct,
    DenyProposal,
    Dissolve,
    FileAppeal,
    RefuseCertification,
    Reject,
    ReportConduct,
    RespondConduct,
    Revoke,
    SetAside,
    Supplement,
    Surrender,
    Suspend,
)
from domain.inbox import waits_for
from domain.opening import require_possible
from domain.planning import Event
from domain.records import BenefitsRestored, ListRevision, Transition
from domain.refusals import Refusal, RefusalKind
from domain.shanghai import shanghai_date
from domain.stages import Role, Stage, Standing
from tests.domain import cases

NOW = cases.OPENED
DAY = timedelta(days=1)
JUDGE = Actor(role=Role.CERTIFIER, name="shen")
"""Somebody who took no part."""


class NothingElse(cases.AllOnRecord):
    """The enterprise has no other case."""

    def __init__(self, live: Case | None = None) -> None:
        self._live = live

    def live_case(self, _: str) -> Case | None:
        return self._live


def act(case: Case, command: Any, at: datetime, live: Case | None = None) -> Transition:
    from domain import deciding

    return deciding.decide(case, command, cases.setting(at, 3), NothingElse(live))  # type: ignore[arg-type]


def appealed(case: Case, at: datetime = NOW + DAY) -> Transition:
    assert case.ending is not None
    command = cases.command(FileAppeal, cases.APPLICANT, decision=case.ending.decision, statement="证据不实")
    return act(case, command, at)


def decided(case: Case, outcome: str, at: datetime = NOW + 2 * DAY, who: Actor = JUDGE) -> Transition:
    return act(case, cases.command(DecideAppeal, who, outcome=outcome, reason="已复核"), at)


def refusal(rule: Any, *args: Any, **fields: Any) -> Refusal:
    with pytest.raises(Refusal) as info:
        rule(*args, **fields)
    return info.value


def rejected() -> Case:
    case = cases.in_review()
    return act(case, cases.command(Reject, cases.REVIEWER, revision=1, reason="no rooms"), NOW).case


def revoked_again(case: Case, at: datetime) -> Case:
    proposed = cases.done(case, cases.command(Revoke, cases.COMPLIANCE, reason="again"), at).case
    return cases.done(proposed, cases.approval(proposed), at).case


def states(transition: Transition) -> list[str]:
    return [record.state for record in transition.records if isinstance(record, ListRevision)]


class TestFiling:
    def test_the_case_waits_for_somebody_who_took_no_part(self) -> None:
        case = appealed(cases.revoked()).case
        (task,) = [task for task in case.tasks if task.kind == "decide_appeal"]
        assert (task.role, task.also) == (Role.CERTIFIER, (Role.COMPLIANCE,))
        assert case.ending is not None and case.ending.kind is Standing.REVOKED, "the decision stands meanwhile"
        assert Event.CLOSE_CASE not in {planned.event for planned in case.plan}

    def test_in_its_time_the_last_instant_not_included(self) -> None:
        case = cases.revoked()
        assert case.appeal_until is not None
        appealed(case, case.appeal_until - timedelta(microseconds=1))
        assert refusal(appealed, case, case.appeal_until).kind is RefusalKind.TOO_LATE

    def test_once(self) -> None:
        case = appealed(cases.revoked()).case
        assert refusal(appealed, case).kind is RefusalKind.APPEAL_PENDING
        upheld = decided(case, "uphold").case
        assert refusal(appealed, upheld, NOW + 3 * DAY).kind is RefusalKind.ALREADY_DECIDED

    def test_against_the_decision_it_names(self) -> None:
        command = cases.command(FileAppeal, cases.APPLICANT, decision="LB-2026-000001-1", statement="s")
        assert refusal(act, cases.revoked(), command, NOW).kind is RefusalKind.DECISION_STALE

    def test_once_against_each_decision_the_earlier_ones_stay_on_record(self) -> None:
        first = decided(appealed(cases.revoked()).case, "set-aside").case
        again = revoked_again(first, NOW + 3 * DAY)
        second = appealed(again, NOW + 4 * DAY).case
        assert [one.decision for one in second.earlier_appeals] == [first.appeal.decision if first.appeal else None]
        assert second.appeal is not None and again.ending is not None
        assert (second.appeal.decision, second.appeal.outcome) == (again.ending.decision, None)
        assert refusal(appealed, second, NOW + 4 * DAY).kind is RefusalKind.APPEAL_PENDING
        upheld = decided(second, "uphold", NOW + 5 * DAY).case
        assert refusal(appealed, upheld, NOW + 6 * DAY).kind is RefusalKind.ALREADY_DECIDED
        assert [one.outcome for one in (*upheld.earlier_appeals, upheld.appeal) if one] == ["set-aside", "uphold"]

    def test_an_open_one_has_its_way_when_we_set_the_decision_aside(self) -> None:
        """Left open it would be decided on the next decision's ending."""
        case = appealed(cases.revoked()).case
        assert case.ending is not None
        command = cases.command(SetAside, cases.COMPLIANCE, decision=case.ending.decision, reason="r")
        waiting = act(case, command, NOW + DAY).case
        back = act(waiting, cases.approval(waiting), NOW + 2 * DAY).case
        assert back.appeal is not None and (back.appeal.outcome, back.appeal.decided_by) == ("set-aside", None)
        again = revoked_again(back, NOW + 3 * DAY)
        assert refusal(decided, again, "set-aside", NOW + 3 * DAY).kind is RefusalKind.ALREADY_ENDED
        assert appealed(again, NOW + 3 * DAY).case.open_appeal is not None

    def test_a_state_of_one_appeal_alone_still_loads(self) -> None:
        stored = decided(appealed(cases.revoked()).case, "uphold").case.model_dump(mode="json")
        del stored["earlier_appeals"]
        assert Case.model_validate(stored).earlier_appeals == ()

    def test_what_nobody_of_us_decided_is_not_appealed(self) -> None:
        left = cases.done(cases.in_valid(), cases.command(Surrender, cases.APPLICANT, reason="r"), NOW).case
        for case in (left, cases.expired()):
            assert refusal(appealed, case).kind is RefusalKind.ALREADY_ENDED


def person(name: str, role: Role = Role.COMPLIANCE) -> Actor:
    return Actor(role=role, name=name)


def revoked_for_a_violation() -> Case:
    """Reported by one, ordered to be put right by a second, found uncorrected by a third, revoked by two more."""
    case, at = cases.in_valid(), NOW
    case = act(case, report(case, person("first", Role.OPERATOR)), at).case
    id = case.conduct[0].id
    answer = cases.command(RespondConduct, cases.APPLICANT, conduct=id, statement="s")
    for who, outcome in (("second", "rectification"), ("third", "uncorrected"), ("fourth", "revocation")):
        if case.conduct[0].state != "suspended":
            case = act(case, answer, at).case
        decide = cases.command(DecideConduct, person(who), conduct=id, outcome=outcome, reason="r")
        case = act(case, decide, at).case
    return act(case, cases.approval(case, person("fifth", Role.CERTIFIER)), at).case


def report(case: Case, who: Actor) -> Any:
    fields = {"conduct": f"{case.case_number}-C1", "rule": "R6", "trigger": "breach", "severity": "serious"}
    return cases.command(ReportConduct, who, **fields, found_on=shanghai_date(NOW), facts="f", evidence=("0",))


def invalid_by_a_decision() -> Case:
    """Figures imported by one person, the objection decided by a second, the fail confirmed by a third."""
    case = cases.objected()
    known = case.assessment(cases.QUARTER)
    assert known is not None and known.objection_until is not None
    at = known.objection_until
    case = cases.assessment_decided(case, "fail", at).case
    news = ResultConfirmed(cases.QUARTER, 1, "fail", "feng", at + DAY)
    return assessment.hear(case, news, cases.setting(at + DAY, 2)).case


def rejected_in_the_second_round() -> Case:
    back = cases.command(Supplement, cases.APPLICANT, submission="0")
    case = review.supplement(cases.in_supplement(), back, cases.submission(), cases.setting(NOW)).case
    reject = cases.command(Reject, person("zhou", Role.REVIEWER), revision=2, reason="r")
    return act(case, reject, NOW).case


def refused_certification() -> Case:
    refuse = cases.command(RefuseCertification, cases.CERTIFIER, reason="r")
    return act(cases.in_certifying(), refuse, NOW).case


TOOK_PART: dict[str, tuple[Any, tuple[str, ...]]] = {
    "a revocation": (cases.revoked, ("he", "zhao")),
    "a revocation for a violation": (revoked_for_a_violation, ("first", "second", "third", "fourth", "fifth")),
    "a failed assessment": (invalid_by_a_decision, ("sun", "he", "feng")),
    "a rejection": (rejected_in_the_second_round, ("li", "zhou")),
    "a refused certification": (refused_certification, ("li", "zhao")),
}
"""What is appealed → a case that ended so, and who took part."""


class TestWhoDecides:
    @pytest.mark.parametrize("role", [Role.CERTIFIER, Role.COMPLIANCE])
    @pytest.mark.parametrize("what", TOOK_PART)
    def test_nobody_who_took_part_whatever_role_and_spelling_they_use_now(self, what: str, role: Role) -> None:
        make, took_part = TOOK_PART[what]
        ended = make()
        at = ended.ending.observed_at + DAY
        case = appealed(ended, at).case
        (task,) = [task for task in case.tasks if task.kind == "decide_appeal"]
        for name in took_part:
            for spelled in (name, name.upper(), f" {name[0]}\u200b{name[1:]} "):
                who = person(spelled, role)
                assert refusal(decided, case, "uphold", at, who).kind is RefusalKind.SECOND_PERSON_REQUIRED
                assert not waits_for(case, task, who)
        assert waits_for(case, task, person("somebody", role))
        decided(case, "uphold", at, person("somebody", role))

    def test_nor_whoever_appeals(self) -> None:
        """The applicant, and the operator who filed it for them."""
        case = cases.revoked()
        assert case.ending is not None
        staff = Actor(role=Role.OPERATOR, name="sun", on_behalf=cases.APPLICANT.name)
        command = cases.command(FileAppeal, staff, decision=case.ending.decision, statement="s")
        case = act(case, command, NOW + DAY).case
        for name in ("sun", cases.APPLICANT.name):
            told = refusal(decided, case, "set-aside", who=person(name))
            assert told.kind is RefusalKind.SECOND_PERSON_REQUIRED

    def test_overdue_it_is_escalated(self) -> None:
        case = appealed(cases.revoked()).case
        planned = cases.planned_event(case, Event.ESCALATE_APPEAL)
        after = agenda.take(case, planned, cases.setting(planned.at)).case
        assert cases.planned_event(after, Event.ESCALATE_APPEAL).at > planned.at


class TestUpheld:
    def test_the_case_stays_ended(self) -> None:
        case = decided(appealed(cases.revoked()).case, "uphold").case
        assert case.ending is not None and case.stage is Stage.SETTLING
        assert case.appeal is not None and (case.appeal.outcome, case.appeal.decided_by) == ("uphold", "shen")
        assert "decide_appeal" not in {task.kind for task in case.tasks}

    def test_a_rejected_case_closes(self) -> None:
        assert decided(appealed(rejected()).case, "uphold").case.stage is Stage.CLOSED


class TestSetAside:
    def test_the_standing_is_what_it_would_have_been_and_the_list_says_so(self) -> None:
        """E46: one status for the public; E21: never beyond the term."""
        before = cases.in_valid()
        transition = decided(appealed(cases.revoked()).case, "set-aside")
        case = transition.case
        assert (case.stage, case.ending, case.marks, case.appeal_until) == (Stage.VALID, None, None, None)
        assert case.standing(NOW + 2 * DAY) is Standing.CERTIFIED
        assert case.terms == before.terms, "the year is not made longer"
        assert case.standing(case.terms[-1].until) is Standing.EXPIRED
        assert states(transition) == ["published"]
        assert [record.term for record in transition.records if isinstance(record, BenefitsRestored)] == [1]
        assert {planned.event for planned in case.plan} == {planned.event for planned in before.plan}
        assert case.tasks == ()
        assert transition.detail["gap"]["until"] == (NOW + 2 * DAY).isoformat()

    def test_after_the_term_s_end_it_expires_at_its_legal_instant(self) -> None:
        case = cases.revoked()
        late = case.terms[-1].until + 5 * DAY
        case = case.model_copy(update={"appeal_until": late + DAY})
        back = decided(appealed(case, late).case, "set-aside", late + DAY).case
        due = agenda.legally_due(back, late + DAY)
        assert due is not None and (due.event, due.at) == (Event.EXPIRE_CERTIFICATION, back.terms[-1].until)
        ended = agenda.take(back, due, cases.setting(late + DAY, 5)).case
        assert ended.ending is not None and ended.ending.legal_at == back.terms[-1].until

    def test_a_suspension_that_was_open_is_open_again(self) -> None:
        """Two measures never cancel each other."""
        suspended = cases.suspended()
        proposed = cases.done(suspended, cases.command(Revoke, cases.COMPLIANCE, reason="r"), NOW).case
        revoked = cases.done(proposed, cases.approval(proposed), NOW).case
        transition = decided(appealed(revoked).case, "set-aside")
        assert transition.case.holds == suspended.holds
        assert transition.case.standing(NOW + 2 * DAY) is Standing.SUSPENDED and states(transition) == ["suspended"]

    def test_a_next_term_that_never_began_waits_for_its_day_again(self) -> None:
        renewed = cases.renewed()
        at = cases.before_end(renewed, 360 + 10)
        proposed = cases.done(renewed, cases.command(Revoke, cases.COMPLIANCE, reason="r"), at).case
        revoked = cases.done(proposed, cases.approval(proposed), at).case
        back = decided(appealed(revoked, at + DAY).case, "set-aside", at + 2 * DAY).case
        assert back.terms == renewed.terms and back.waiting_term == renewed.waiting_term

    def test_the_violation_it_was_made_for_is_not_held_against_the_base(self) -> None:
        undecided = cases.undecided(severity="serious")
        proposed = cases.conduct_decided(undecided, "revocation", NOW + 2 * DAY).case
        revoked = cases.done(proposed, cases.approval(proposed), NOW + 3 * DAY).case
        back = decided(appealed(revoked, NOW + 4 * DAY).case, "set-aside", NOW + 5 * DAY).case
        assert back.conduct[0].state == "decision", "undecided again"
        dismissed = cases.conduct_decided(back, "dismissed", NOW + 6 * DAY, 4).case
        left = cases.done(dismissed, cases.command(Surrender, cases.APPLICANT, reason="r"), NOW + 6 * DAY).case
        require_possible([left], cases.setting(NOW + 6 * DAY))

    def test_a_rejected_application_is_in_review_again(self) -> None:
        case = decided(appealed(rejected()).case, "set-aside").case
        assert (case.stage, case.awaiting, case.ending) == (Stage.REVIEW, Role.REVIEWER, None)
        assert case.decided is None, "it can be decided anew"

    def test_the_deposit_must_be_whole_again_first(self) -> None:
        case = appealed(cases.revoked()).case
        less = case.deposit.model_copy(update={"deducted": 1})
        told = refusal(decided, case.model_copy(update={"deposit": less}), "set-aside")
        assert told.kind is RefusalKind.DEPOSIT_NOT_WHOLE and "CNY 0.01 is lacking" in told.message

    def test_a_refused_certification_too_is_taken_up_with_the_whole_deposit_alone(self) -> None:
        refuse = cases.command(RefuseCertification, cases.CERTIFIER, reason="r")
        case = appealed(cases.done(cases.in_certifying(), refuse, NOW).case).case
        less = case.model_copy(update={"deposit": case.deposit.model_copy(update={"refunded": 1})})
        assert refusal(decided, less, "set-aside").kind is RefusalKind.DEPOSIT_NOT_WHOLE
        assert decided(case, "set-aside").case.stage is Stage.CERTIFYING

    def test_beside_a_new_live_case_there_is_no_way_back(self) -> None:
        case = appealed(cases.revoked()).case
        command = cases.command(DecideAppeal, JUDGE, outcome="set-aside", reason="r")
        assert refusal(act, case, command, NOW + 2 * DAY, cases.in_review()).kind is RefusalKind.CASE_EXISTS


class TestOurOwnMistake:
    def proposed(self, case: Case, at: datetime = NOW + DAY, **fields: Any) -> Case:
        assert case.ending is not None
        given = {"decision": case.ending.decision, "reason": "同名企业混淆"} | fields
        return act(case, cases.command(SetAside, cases.COMPLIANCE, **given), at).case

    def test_two_people_undo_it(self) -> None:
        waiting = self.proposed(cases.revoked())
        assert waiting.ending is not None, "nothing is undone yet"
        transition = act(waiting, cases.approval(waiting), NOW + 2 * DAY)
        assert transition.event == "decision_set_aside" and transition.case.ending is None
        assert transition.detail["proposed_by"] == "compliance:he"
        assert states(transition) == ["published"]

    @pytest.mark.parametrize("corrected", [True, False])
    def test_an_invalidation_is_undone_its_fail_with_it_and_the_term_is_the_same_e43(self, corrected: bool) -> None:
        before = cases.failing()
        invalid = cases.confirmed(before).case
        assert invalid.ending is not None and invalid.ending.kind is Standing.INVALID
        at = invalid.ending.legal_at
        if corrected:
            invalid = cases.told(invalid, 100_000_000, revision=2, at=at + DAY).case
        waiting = self.proposed(invalid, at=at + 2 * DAY)
        transition = act(waiting, cases.approval(waiting), at + 3 * DAY)
        case = transition.case
        assert case.terms == before.terms and states(transition) == ["published"]
        assert case.standing(at + 3 * DAY) is Standing.CERTIFIED
        assert "fail" not in {one.result for one in case.assessments} and bars(case) == ()
        assert not {task.kind for task in case.tasks} & {"set_aside_assessment", "confirm_marks"}

    def test_a_dissolution_recorded_of_the_wrong_enterprise_too(self) -> None:
        gone = act(cases.in_valid(), cases.command(Dissolve, cases.OPERATOR, reason="r"), NOW).case
        waiting = self.proposed(gone)
        assert act(waiting, cases.approval(waiting), NOW + 2 * DAY).case.stage is Stage.VALID

    def test_on_a_closed_case_an_expired_proposal_is_expired(self) -> None:
        closed = decided(appealed(rejected()).case, "uphold").case
        waiting = self.proposed(closed)
        assert waiting.stage is Stage.CLOSED
        expiry = cases.planned_event(waiting, Event.EXPIRE_PROPOSAL)
        late = agenda.take(waiting, expiry, cases.setting(NOW + 30 * DAY)).case
        assert refusal(act, late, cases.approval(waiting), NOW + 30 * DAY).kind is RefusalKind.TOO_LATE
        assert act(waiting, cases.approval(waiting), NOW + 2 * DAY).case.stage is Stage.REVIEW

    def test_proposed_again_once_it_has_expired_on_a_closed_case(self) -> None:
        """The expiry is carried out by whoever comes next (`domain/catching_up.py`): no run waits for it there."""
        waiting = self.proposed(decided(appealed(rejected()).case, "uphold").case)
        with pytest.raises(Refusal) as info:
            self.proposed(waiting)
        assert info.value.kind is RefusalKind.PROPOSAL_PENDING
        assert waiting.ending is not None
        late = cases.command(SetAside, cases.COMPLIANCE, decision=waiting.ending.decision, reason="r")
        expiry = cases.planned_event(waiting, Event.EXPIRE_PROPOSAL)
        over = agenda.take(waiting, expiry, cases.setting(NOW + 30 * DAY)).case
        again = act(over, late, NOW + 30 * DAY).case
        assert [proposal.outcome for proposal in again.proposals] == ["expired", None]
        assert [task.subject for task in again.tasks] == [again.proposals[1].id]

    @pytest.mark.parametrize("last", ["expired", "denied"])
    def test_a_case_that_waited_for_nothing_else_closes_with_it(self, last: str) -> None:
        waiting = self.proposed(rejected())
        window = cases.planned_event(waiting, Event.CLOSE_CASE)
        over = agenda.take(waiting, window, cases.setting(window.at)).case
        assert over.stage is Stage.SETTLING, "it may yet lead back"
        if last == "expired":
            planned = cases.planned_event(over, Event.EXPIRE_PROPOSAL)
            done = agenda.take(over, planned, cases.setting(window.at)).case
        else:
            deny = cases.command(DenyProposal, cases.CERTIFIER, proposal=over.proposals[0].id, reason="r")
            done = act(over, deny, NOW + 2 * DAY).case
        assert (done.stage, done.tasks, done.plan) == (Stage.CLOSED, (), ())

    def test_only_the_decision_that_ended_it(self) -> None:
        with pytest.raises(Refusal) as info:
            self.proposed(cases.revoked(), decision="LB-2026-000001-3")
        assert info.value.kind is RefusalKind.DECISION_STALE
        command = cases.command(SetAside, cases.COMPLIANCE, decision="LB-2026-000001-3", reason="r")
        assert refusal(act, cases.suspended(), command, NOW).kind is RefusalKind.WRONG_STAGE


def test_ended_by_nobody_nobody_took_part() -> None:
    ending = cases.expired().ending
    assert ending is not None and ending.by == () and ending.decision == "LB-2026-000001-6"


def test_a_suspension_after_a_way_back_is_one_more() -> None:
    back = decided(appealed(cases.revoked()).case, "set-aside").case
    again = cases.done(back, cases.command(Suspend, cases.COMPLIANCE, reason="r"), NOW + 3 * DAY).case
    assert again.standing(NOW + 3 * DAY) is Standing.SUSPENDED
