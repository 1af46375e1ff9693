"""Violations by the rules alone: report, answer, decision, rectification, suspension, revocation (decision 27)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain import conduct_agenda
from domain.case import Case
from domain.commands import RespondConduct, Surrender
from domain.conduct import OUTCOMES, ConductCase, Outcome
from domain.conduct_report import InvalidReport, read_report
from domain.opening import require_possible
from domain.planning import Event
from domain.records import ConductReport, ListRevision, Transition
from domain.refusals import Refusal, RefusalKind
from domain.shanghai import midnight, shanghai_date
from domain.stages import Role, Stage, Standing
from tests.domain import cases

NOW = cases.OPENED
DAY = timedelta(days=1)


def refusal(act: Any, *args: Any, **fields: Any) -> Refusal:
    with pytest.raises(Refusal) as info:
        act(*args, **fields)
    return info.value


def newest(case: Case) -> ConductCase:
    return case.conduct[-1]


def due(case: Case, event: Event) -> Transition:
    """The newest conduct case's planned event, carried out when it is due."""
    conduct = newest(case)
    (planned,) = [planned for planned in conduct.plan if planned.event is event]
    transition = conduct_agenda.take(case, conduct.id, planned, cases.setting(planned.at, 3))
    assert transition is not None and transition.legal_at == planned.at
    return transition


def waiting(case: Case) -> list[tuple[str, Role]]:
    return [(task.kind, task.role) for task in case.tasks if task.subject == newest(case).id]


def entries(transition: Transition) -> list[str]:
    return [record.state for record in transition.records if isinstance(record, ListRevision)]


def kept_suspended(days: int = 40) -> Case:
    """Suspended for a minor violation, uncorrected until a revocation is asked for."""
    case = due(cases.ordered_to_rectify(), Event.SUSPEND_UNCORRECTED).case
    return due(case, Event.ASK_FOR_REVOCATION).case


class TestReport:
    def test_the_base_is_told_and_may_answer(self) -> None:
        """E45: notice and a chance to answer."""
        transition = cases.conduct_reported(cases.in_valid())
        conduct = newest(transition.case)
        assert (conduct.id, conduct.state, conduct.rule) == ("LB-2026-000001-C1", "answer", "R6")
        assert waiting(transition.case) == [("answer_conduct", Role.APPLICANT)]
        (end,) = conduct.plan
        assert (end.event, shanghai_date(end.at - DAY).isoformat()) == (Event.END_ANSWER, "2026-03-09")
        assert transition.case.standing(NOW) is Standing.CERTIFIED, "nothing is decided yet"
        (report,) = [record for record in transition.records if isinstance(record, ConductReport)]
        assert report.facts == "组织刷单,见截图"

    @pytest.mark.parametrize("certified", [cases.in_publishing, cases.in_valid])
    def test_an_objection_during_or_after_publication_opens_a_case_e12(self, certified: Callable[[], Case]) -> None:
        before = certified()
        case = cases.conduct_reported(before).case
        assert newest(case).state == "answer" and set(before.tasks) < set(case.tasks)
        assert (case.publication, case.plan) == (before.publication, before.plan), "publication goes on meanwhile"

    def test_in_an_urgent_case_the_base_is_suspended_at_once(self) -> None:
        """E45: at once in urgent cases, by one person; the revocation still takes two."""
        transition = cases.conduct_reported(cases.in_valid(), urgent=True)
        assert transition.case.standing(NOW) is Standing.SUSPENDED
        assert [hold.kind for hold in transition.case.holds] == ["conduct:LB-2026-000001-C1"]
        assert entries(transition) == ["suspended"]
        dismissed = cases.conduct_decided(cases.conduct_answered(transition.case, NOW).case, "dismissed", NOW + DAY, 3)
        assert dismissed.case.holds == () and entries(dismissed) == ["published"]

    @pytest.mark.parametrize(
        ("fields", "path"),
        [
            ({"trigger": "account_violation"}, "trigger"),
            ({"found_on": shanghai_date(NOW + DAY)}, "found_on"),
            ({"found_on": shanghai_date(NOW - DAY)}, "found_on"),
        ],
    )
    def test_what_a_report_cannot_say(self, fields: dict[str, Any], path: str) -> None:
        told = refusal(cases.conduct_reported, cases.in_valid(), **fields)
        assert told.kind is RefusalKind.INVALID_FILE and [problem.path for problem in told.problems] == [path]

    def test_an_account_s_violation_falls_under_r8(self) -> None:
        case = cases.accused(rule="R8", trigger="account_violation")
        assert newest(case).trigger == "account_violation"

    def test_of_two_reported_at_once_the_second_is_told(self) -> None:
        case = cases.accused()
        told = refusal(cases.conduct_reported, case, conduct="LB-2026-000001-C1")
        assert told.kind is RefusalKind.CONDUCT_STALE and "LB-2026-000001-C2" in told.message

    def test_several_run_side_by_side(self) -> None:
        case = cases.conduct_reported(cases.ordered_to_rectify(), NOW + 2 * DAY, severity="serious", rule="R4").case
        assert [conduct.state for conduct in case.conduct] == ["rectification", "answer"]
        case = due(case, Event.END_ANSWER).case
        assert [conduct.state for conduct in case.conduct] == ["rectification", "decision"]
        kinds = [task.kind for task in case.tasks]
        assert kinds == ["rectify", "decide_conduct"]

    def test_only_what_was_certified_can_be_reported(self) -> None:
        assert refusal(cases.conduct_reported, cases.in_review()).kind is RefusalKind.WRONG_STAGE

    @pytest.mark.parametrize(
        ("fields", "paths"),
        [
            ({}, []),
            ({"evidence": []}, ["evidence"]),
            (
                {"evidence": [], "severity": "huge", "affected_accounts": [""]},
                ["affected_accounts[0]", "evidence", "severity"],
            ),
            (
                {"trigger": "account_violation", "found_on": "2026-03-03", "evidence": None},
                ["evidence", "found_on", "trigger"],
            ),
            ({"trigger": "account_violation", "rule": ["R6"]}, ["rule"]),
        ],
    )
    def test_a_file_tells_all_its_problems_at_once(self, fields: dict[str, Any], paths: list[str]) -> None:
        data = {
            "rule": "R6",
            "trigger": "breach",
            "severity": "minor",
            "found_on": "2026-03-02",
            "facts": "组织刷单",
            "affected_accounts": ["anchor-1"],
            "losses": [],
            "evidence": ["documents/screenshot.png"],
        }
        problems: list[str] = []
        try:
            read_report(data | fields, today=shanghai_date(NOW))
        except InvalidReport as error:
            problems = sorted(problem.path for problem in error.problems)
        assert problems == paths


class TestAnswer:
    def test_in_time_it_goes_to_compliance(self) -> None:
        case = cases.undecided()
        assert newest(case).state == "decision" and not newest(case).unanswered
        assert waiting(case) == [("decide_conduct", Role.COMPLIANCE)]

    def test_without_one_compliance_decides_all_the_same(self) -> None:
        case = due(cases.accused(), Event.END_ANSWER).case
        assert newest(case).state == "decision" and waiting(case) == [("decide_conduct", Role.COMPLIANCE)]
        late = refusal(cases.conduct_answered, case, NOW + 20 * DAY)
        assert late.kind is RefusalKind.TOO_LATE

    def test_an_overdue_decision_is_escalated_again_and_again(self) -> None:
        case = due(cases.undecided(), Event.ESCALATE_CONDUCT).case
        (again,) = newest(case).plan
        assert again.event is Event.ESCALATE_CONDUCT and newest(case).state == "decision"

    def test_it_is_the_base_s_own(self) -> None:
        other = cases.APPLICANT.model_copy(update={"name": "somebody"})
        case = cases.accused()
        answer = cases.command(RespondConduct, other, conduct=newest(case).id, statement="s")
        assert refusal(cases.decided, case, answer, NOW).kind is RefusalKind.NOT_OWN_CASE


class TestDecision:
    @pytest.mark.parametrize("severity", ["minor", "serious"])
    @pytest.mark.parametrize("outcome", list(Outcome))
    def test_what_can_be_decided_on_which(self, outcome: Outcome, severity: Any) -> None:
        case = cases.undecided(severity=severity)
        at = NOW + 2 * DAY
        if outcome in OUTCOMES["decision", severity]:
            cases.conduct_decided(case, outcome, at)
            return
        told = refusal(cases.conduct_decided, case, outcome, at)
        assert told.kind is RefusalKind.OUTCOME_NOT_OPEN and "Possible now: " in told.hint

    @pytest.mark.parametrize("outcome", list(Outcome))
    def test_nothing_before_the_base_has_been_heard(self, outcome: Outcome) -> None:
        case = cases.accused(severity="serious")
        assert refusal(cases.conduct_decided, case, outcome, NOW).kind is RefusalKind.OUTCOME_NOT_OPEN

    @pytest.mark.parametrize("outcome", ["dismissed", "deduction"])
    def test_some_close_it(self, outcome: str) -> None:
        case = cases.conduct_decided(cases.undecided(), outcome, NOW + 2 * DAY).case
        assert (newest(case).state, newest(case).outcome, newest(case).plan) == ("closed", outcome, ())
        assert waiting(case) == []
        told = refusal(cases.conduct_decided, case, outcome, NOW + 3 * DAY)
        assert told.kind in (RefusalKind.WRONG_STAGE, RefusalKind.ALREADY_DECIDED)

    def test_a_suspension_is_the_conduct_case_s_own_hold(self) -> None:
        transition = cases.conduct_decided(cases.undecided(), "suspension", NOW + 2 * DAY)
        assert entries(transition) == ["suspended"]
        assert [hold.kind for hold in transition.case.holds] == [newest(transition.case).hold]
        assert waiting(transition.case) == [("rectify", Role.APPLICANT)]

    def test_a_revocation_waits_for_a_second_person(self) -> None:
        case = cases.conduct_decided(cases.undecided(severity="serious"), "revocation", NOW + 2 * DAY).case
        assert case.ending is None and newest(case).state == "decision"
        (proposal,) = case.open_proposals
        assert (proposal.action, proposal.parameters["conduct"]) == ("revoke", newest(case).id)
        revoked = cases.done(case, cases.approval(case), NOW + 3 * DAY).case
        assert revoked.ending is not None and revoked.ending.kind is Standing.REVOKED
        assert (newest(revoked).state, newest(revoked).outcome) == ("closed", Outcome.REVOCATION)
        assert waiting(revoked) == []

    def test_an_open_serious_one_bars_the_renewal_and_says_so(self) -> None:
        """E23, decision 23."""
        renewing = cases.renewing()
        at = cases.before_end(renewing, 44)
        minor = cases.conduct_reported(renewing, at).case
        assert cases.renewal_approved(minor, 20).case.renewal is None
        serious = cases.conduct_reported(renewing, at, severity="serious").case
        told = refusal(cases.renewal_approved, serious, 20)
        assert told.kind is RefusalKind.RENEWAL_BARRED and "LB-2026-000001-C1" in told.problems[0].message
        answered = cases.conduct_answered(serious, at + DAY).case
        cleared = cases.conduct_decided(answered, "dismissed", at + 2 * DAY).case
        assert cases.renewal_approved(cleared, 20).case.renewal is None


class TestRectification:
    def test_put_right_and_checked_it_is_closed(self) -> None:
        case = cases.ordered_to_rectify()
        assert waiting(case) == [("rectify", Role.APPLICANT)]
        case = cases.conduct_answered(case, NOW + 5 * DAY).case
        assert newest(case).state == "check" and waiting(case) == [("check_rectification", Role.COMPLIANCE)]
        case = cases.conduct_decided(case, "rectified", NOW + 6 * DAY).case
        assert newest(case).state == "closed" and case.holds == ()

    def test_overdue_the_base_is_suspended_by_itself_as_of_that_day(self) -> None:
        case = cases.ordered_to_rectify()
        (overdue,) = newest(case).plan
        late = conduct_agenda.take(case, newest(case).id, overdue, cases.setting(overdue.at + 3 * DAY, 3))
        assert late is not None and late.case.holds[0].since == overdue.at, "however late it is observed"
        assert newest(late.case).state == "suspended" and entries(late) == ["suspended"]

    def test_found_uncorrected_the_base_is_suspended(self) -> None:
        checked = cases.conduct_answered(cases.ordered_to_rectify(), NOW + 5 * DAY).case
        case = cases.conduct_decided(checked, "uncorrected", NOW + 6 * DAY).case
        assert newest(case).state == "suspended" and case.holds[0].kind == newest(case).hold

    def test_a_suspension_put_right_lifts_its_own_hold_and_no_other(self) -> None:
        case = due(cases.ordered_to_rectify(), Event.SUSPEND_UNCORRECTED).case
        second = cases.conduct_reported(case, NOW + 30 * DAY, urgent=True).case
        assert len(second.holds) == 2
        first = second.conduct[0].id
        answer = cases.command(RespondConduct, cases.APPLICANT, conduct=first, statement="改好了")
        handed_in = cases.decided(second, answer, NOW + 31 * DAY).case
        lifted = cases.conduct_decided(handed_in, "rectified", NOW + 32 * DAY, 4, id=first).case
        assert [hold.kind for hold in lifted.holds] == [newest(lifted).hold]
        assert lifted.standing(NOW + 33 * DAY) is Standing.SUSPENDED

    def test_uncorrected_too_long_a_revocation_is_asked_for_and_a_person_decides(self) -> None:
        """Decision 27: the platform has the right to, a person decides."""
        suspended = due(cases.ordered_to_rectify(), Event.SUSPEND_UNCORRECTED).case
        early = refusal(cases.conduct_decided, suspended, "revocation", NOW + 30 * DAY)
        assert early.kind is RefusalKind.OUTCOME_NOT_OPEN
        case = kept_suspended()
        assert case.ending is None and ("decide_conduct", Role.COMPLIANCE) in waiting(case)
        at = newest(case).plan[0].at - DAY
        proposed = cases.conduct_decided(case, "revocation", at).case
        assert [proposal.action for proposal in proposed.open_proposals] == ["revoke"]

    def test_what_is_no_longer_planned_is_not_carried_out(self) -> None:
        case = cases.accused()
        (planned,) = newest(case).plan
        answered = cases.conduct_answered(case, NOW + DAY).case
        assert conduct_agenda.take(answered, newest(case).id, planned, cases.setting(planned.at)) is None


class TestAfterAnEnding:
    def surrendered(self, **fields: Any) -> Case:
        case = cases.undecided(**fields)
        return cases.done(case, cases.command(Surrender, cases.APPLICANT, reason="搬迁"), NOW + 2 * DAY).case

    def applies(self, last: Case, at: datetime) -> None:
        require_possible([last], cases.setting(at))

    def test_it_survives_a_surrender_and_its_outcome_sets_the_cooling_off(self) -> None:
        """E47, decision 30."""
        case = self.surrendered(severity="serious")
        assert newest(case).state == "decision" and waiting(case) == [("decide_conduct", Role.COMPLIANCE)]
        told = refusal(self.applies, case, NOW + 3 * DAY)
        assert told.kind is RefusalKind.COOLING_OFF and newest(case).id in told.message
        decided = cases.conduct_decided(case, "revocation", NOW + 10 * DAY).case
        assert decided.ending == case.ending, "it ended as surrendered and stays so"
        earliest = shanghai_date(NOW + 10 * DAY) + timedelta(days=366)
        early = refusal(self.applies, decided, midnight(earliest) - DAY)
        assert early.kind is RefusalKind.COOLING_OFF and "its violation deserved a revocation" in early.message
        self.applies(decided, midnight(earliest))

    def test_dismissed_nothing_is_held_against_it(self) -> None:
        case = cases.conduct_decided(self.surrendered(), "dismissed", NOW + 10 * DAY).case
        self.applies(case, NOW + 10 * DAY)

    def test_it_survives_an_expiry(self) -> None:
        case = cases.conduct_reported(cases.in_valid(), cases.before_end(cases.in_valid(), 3)).case
        ended = cases.ended(case)
        assert newest(ended).state == "answer" and ("answer_conduct", Role.APPLICANT) in waiting(ended)
        assert ended.stage is Stage.SETTLING

    def test_nothing_is_left_to_suspend(self) -> None:
        case = cases.conduct_decided(self.surrendered(), "suspension", NOW + 10 * DAY)
        assert case.case.holds == () and entries(case) == []
