"""The way back from an ending that is set aside: what was cut off goes on, what has come since stays (28, 34)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest

from domain import agenda, assessment, conduct_agenda, renewal, setting_aside, top_up
from domain.case import Case
from domain.commands import Actor, AssignPayment, DecideAppeal, Dissolve, FileAppeal, Revoke, SetAside, Suspend
from domain.planning import Event
from domain.records import Letter, Transition
from domain.shanghai import end_of_day, last_day, shanghai_date
from domain.stages import Role, Stage, Standing
from domain.time_left import OF_THE_BASE
from tests.domain import cases, deductions

NOW = cases.OPENED
DAY = timedelta(days=1)
JUDGE = Actor(role=Role.CERTIFIER, name="shen")
SECOND = "LB-2026-000001-C1"


def revoked(case: Case, at: datetime) -> Case:
    proposed = cases.done(case, cases.command(Revoke, cases.COMPLIANCE, reason="r"), at, 9).case
    return cases.done(proposed, cases.approval(proposed), at, 9).case


def dissolved(case: Case, at: datetime) -> Case:
    return cases.done(case, cases.command(Dissolve, cases.OPERATOR, reason="r"), at, 9).case


def set_aside(case: Case, at: datetime) -> Transition:
    """By an appeal where there is one, whose time is made long enough; else by two people."""
    assert case.ending is not None
    decision = case.ending.decision
    if case.appeal_until is None:
        proposed = cases.decided(case, cases.command(SetAside, cases.COMPLIANCE, decision=decision, reason="r"), at)
        return cases.decided(proposed.case, cases.approval(proposed.case), at, 9)
    if case.open_appeal is None:
        file = cases.command(FileAppeal, cases.APPLICANT, decision=decision, statement="s")
        case = cases.decided(case.model_copy(update={"appeal_until": at + DAY}), file, at).case
    return cases.decided(case, cases.command(DecideAppeal, JUDGE, outcome="set-aside", reason="r"), at, 9)


def of_conduct(case: Case, event: Event, late: timedelta = timedelta()) -> Case:
    """What is planned in the newest conduct case, carried out."""
    conduct = case.conduct[-1]
    (planned,) = [planned for planned in conduct.plan if planned.event is event]
    done = conduct_agenda.take(case, conduct.id, planned, cases.setting(planned.at + late, 9))
    assert done is not None
    return done.case


def urgent() -> Case:
    """Suspended at once for a violation, and answered."""
    return cases.undecided(urgent=True, severity="serious")


HOLDS: dict[str, tuple[Callable[[], Case], Callable[[Case], Case], list[str]]] = {
    "of compliance": (cases.suspended, lambda case: case, ["compliance"]),
    "of a violation": (urgent, lambda case: case, [f"conduct:{SECOND}"]),
    "of a violation dismissed meanwhile": (
        urgent,
        lambda case: cases.conduct_decided(case, "dismissed", NOW + 9 * DAY).case,
        [],
    ),
    "of a violation suspended for again meanwhile": (
        urgent,
        lambda case: cases.conduct_decided(case, "suspension", NOW + 9 * DAY).case,
        [f"conduct:{SECOND}"],
    ),
    "of a violation not put right meanwhile": (
        cases.ordered_to_rectify,
        lambda case: of_conduct(case, Event.SUSPEND_UNCORRECTED),
        [f"conduct:{SECOND}"],
    ),
    "of a violation decided meanwhile": (
        cases.undecided,
        lambda case: cases.conduct_decided(case, "suspension", NOW + 9 * DAY).case,
        [f"conduct:{SECOND}"],
    ),
    "of a violation that deserved a revocation by a decision made meanwhile": (
        urgent,
        lambda case: cases.conduct_decided(case, "revocation", NOW + 9 * DAY).case,
        [f"conduct:{SECOND}"],
    ),
    "of two": (
        lambda: cases.done(urgent(), cases.command(Suspend, cases.COMPLIANCE, reason="r"), NOW + 2 * DAY).case,
        lambda case: cases.conduct_decided(case, "dismissed", NOW + 9 * DAY).case,
        ["compliance"],
    ),
}
"""A hold → the case before its revocation, what comes meanwhile, and the holds after the way back."""


@pytest.mark.parametrize("whose", HOLDS)
def test_the_holds_are_those_of_their_open_grounds(whose: str) -> None:
    make, meanwhile, holds = HOLDS[whose]
    before = make()
    ended = meanwhile(revoked(before, NOW + 3 * DAY))
    assert ended.holds == ()
    done = set_aside(ended, NOW + 30 * DAY)
    back = done.case
    assert [hold.kind for hold in back.holds] == holds
    assert (back.standing(NOW + 30 * DAY) is Standing.SUSPENDED) is bool(holds)
    assert (back.suspended_since is not None) is bool(holds)
    if back.holds and before.holds:
        assert back.suspended_since == before.suspended_since, "without a break"


def test_a_suspension_that_would_have_come_meanwhile_counts_from_its_day() -> None:
    before = cases.ordered_to_rectify()
    overdue = before.conduct[0].plan[0].at
    ended = of_conduct(revoked(before, NOW + 3 * DAY), Event.SUSPEND_UNCORRECTED, 5 * DAY)
    back = set_aside(ended, NOW + 40 * DAY).case
    assert (back.holds[0].since, back.suspended_since) == (overdue, overdue)


@pytest.mark.parametrize("state", ["decision", "suspended"])
def test_the_violation_it_was_made_for_is_undecided_again(state: str) -> None:
    """As if the revocation had not been decided: its hold, its tasks, and what is planned in it."""
    before = urgent()
    if state == "suspended":
        before = cases.conduct_decided(before, "suspension", NOW + 2 * DAY).case
    proposed = cases.conduct_decided(before, "revocation", NOW + 3 * DAY).case
    ended = cases.done(proposed, cases.approval(proposed), NOW + 3 * DAY).case
    assert ended.conduct[0].state == "closed"
    done = set_aside(ended, NOW + 23 * DAY)
    (conduct,) = done.case.conduct
    assert (conduct.state, conduct.closed_at, conduct.hold) == (state, None, done.case.holds[0].kind)
    assert [task.kind for task in done.case.tasks] == [task.kind for task in before.tasks]
    assert done.detail["reopened"] == [conduct.id]
    if state == "suspended":  # ten days left of the thirty
        (task,), (planned,) = done.case.tasks, conduct.plan
        left = last_day(before.tasks[0].due_at or NOW) - shanghai_date(NOW + 3 * DAY)
        assert last_day(planned.at) == last_day(task.due_at or NOW) == shanghai_date(NOW + 23 * DAY) + left


@pytest.mark.parametrize("outcome", ["dismissed", "deduction"])
def test_another_violation_keeps_what_it_has_become(outcome: str) -> None:
    ended = revoked(cases.undecided(severity="serious"), NOW + 3 * DAY)
    closed = cases.conduct_decided(ended, outcome, NOW + 3 * DAY).case  # in the very instant of the ending
    reported = cases.conduct_reported(closed, NOW + 5 * DAY, rule="R4").case
    back = set_aside(reported, NOW + 6 * DAY).case
    assert back.conduct == reported.conduct
    assert [(task.kind, task.subject) for task in back.tasks] == [("answer_conduct", reported.conduct[1].id)]


CUT_OFF: dict[str, tuple[Callable[[], Case], Callable[[Case, datetime], Case], datetime, str | None, Event]] = {
    "a supplement": (cases.in_supplement, dissolved, NOW + 10 * DAY, "supplement", Event.LAPSE_SUPPLEMENT),
    "the deposit": (cases.in_deposit, dissolved, NOW + 28 * DAY, "deposit", Event.LAPSE_DEPOSIT),
    "the report of a deposit": (cases.in_deposit, dissolved, NOW + 32 * DAY, None, Event.LAPSE_DEPOSIT),
    "a renewal's supplement": (
        cases.in_renewal_supplement,
        revoked,
        cases.before_end(cases.in_renewal_supplement(), 30),
        "renewal_supplement",
        Event.LAPSE_RENEWAL,
    ),
    "an objection": (cases.failing, revoked, end_of_day(date(2026, 7, 8)) - DAY / 2, None, Event.END_OBJECTION),
}
"""A deadline → the case it runs in, what ends it, when, the base's task, and what comes when it is missed."""


@pytest.mark.parametrize("what", CUT_OFF)
def test_a_deadline_of_the_base_goes_on_with_the_time_that_was_left(what: str) -> None:
    make, end, at, task, event = CUT_OFF[what]
    before = make()
    missed = cases.planned_event(before, event).at
    ended = end(before, at)
    now = missed + 20 * DAY
    back = set_aside(ended, now).case
    assert agenda.legally_due(back, now) is None, "nothing is over in the instant of the way back"
    gone = (shanghai_date(now) - shanghai_date(at)).days
    after = cases.planned_event(back, event)
    if what == "an objection":  # cut off on Wednesday, through Monday: three of five working days were left
        assert last_day(after.at) == cases.setting(now).calendar.deadline(shanghai_date(now), 3).deadline
    else:
        rolled = cases.setting(now).calendar.roll_forward(last_day(missed) + gone * DAY).deadline
        assert last_day(after.at) == rolled
    if task is not None:
        (open_task,) = [one for one in back.tasks if one.kind == task]
        assert open_task.due_at is not None and (open_task.due_at - now).days >= (missed - at).days - 10
        assert all(one.at <= after.at for one in back.plan if one.event in OF_THE_BASE)


def test_the_deposit_s_value_date_and_the_time_to_object_move_with_their_deadline() -> None:
    back = set_aside(dissolved(cases.in_deposit(), NOW + 28 * DAY), NOW + 58 * DAY).case
    (task,) = back.tasks
    assert task.due_at is not None and back.deposit_due_on == last_day(task.due_at)
    at = end_of_day(date(2026, 7, 8)) - DAY / 2
    told = set_aside(revoked(cases.failing(), at), at + 30 * DAY).case
    known = told.assessment(cases.QUARTER)
    assert known is not None and known.objection_until == cases.planned_event(told, Event.END_OBJECTION).at


def test_what_came_of_itself_meanwhile_comes_at_its_legal_instant() -> None:
    """The platform's own duty to publish in time too (R3)."""
    before = cases.in_publishing()
    ended = revoked(before, NOW + DAY)
    now = NOW + 30 * DAY
    back = set_aside(ended, now).case
    due = agenda.legally_due(back, now)
    assert due is not None and due == cases.planned_event(before, Event.RECORD_PUBLICATION_BREACH)
    renewed = cases.renewed()
    at = cases.before_end(renewed, 365 + 10)
    late = renewed.terms[0].until + 5 * DAY
    back = set_aside(revoked(renewed, at), late).case
    due = agenda.legally_due(back, late)
    assert due is not None and (due.event, due.at) == (Event.BEGIN_TERM, renewed.terms[1].from_)
    assert agenda.take(back, due, cases.setting(late, 9)).case.standing(late) is Standing.CERTIFIED


def test_after_the_term_s_end_what_the_end_opens_is_counted_from_the_way_back() -> None:
    """The base could neither renew nor hand in a proof while it stood as revoked."""
    before = cases.in_valid()
    now = before.terms[0].until + 60 * DAY
    back = set_aside(revoked(before, cases.before_end(before, 20)), now).case
    due = agenda.legally_due(back, now)
    assert due is not None
    expired = agenda.take(back, due, cases.setting(now, 9)).case
    assert expired.ending is not None and expired.ending.legal_at == before.terms[0].until
    assert all(planned.at > now for planned in expired.plan)
    filed = cases.renewal_filed(expired, -70)
    closing = cases.planned_event(filed.case, Event.CLOSE_LATE_RENEWAL)
    assert last_day(closing.at) == shanghai_date(now) + 30 * DAY


def test_an_open_proposal_of_before_does_not_come_back_nor_one_to_set_aside_stay() -> None:
    first = cases.revocation_proposed()
    accused = cases.conduct_reported(first, NOW, severity="serious", urgent=True).case
    assert accused.open_proposals
    ended = cases.done(first, cases.approval(first), NOW).case
    assert ended.ending is not None
    file = cases.command(FileAppeal, cases.APPLICANT, decision=ended.ending.decision, statement="s")
    filed = cases.decided(ended, file, NOW).case
    propose = cases.command(SetAside, cases.COMPLIANCE, decision=ended.ending.decision, reason="r")
    waiting = cases.decided(filed, propose, NOW).case
    back = set_aside(waiting, NOW + DAY).case
    assert back.open_proposals == () and back.tasks == ()
    assert Event.EXPIRE_PROPOSAL not in {planned.event for planned in back.plan}
    left = dissolved(cases.revocation_proposed(), NOW)
    again = set_aside(left, NOW + DAY).case
    assert (again.open_proposals, again.tasks, again.stage) == ((), (), Stage.VALID)


class TestAFailedAssessment:
    """What is set aside of it neither ends the certification once more nor bars its renewal."""

    def invalid(self) -> tuple[Case, datetime]:
        case = cases.confirmed(cases.failing()).case
        assert case.ending is not None and case.ending.kind is Standing.INVALID
        return case, case.ending.observed_at

    def test_its_quarter_is_without_a_result(self) -> None:
        case, at = self.invalid()
        back = set_aside(case, at + 10 * DAY).case
        (known,) = back.assessments
        assert (known.state, known.result) == ("confirmed", "unknown")
        assert assessment.bars(back) == ()
        news = assessment.ResultConfirmed(cases.QUARTER, 1, "fail", cases.COMPLIANCE.name, at)
        assert not assessment.unheard(back, news), "the same confirmation is not heard twice"

    def test_figures_corrected_meanwhile_are_heard_of_anew(self) -> None:
        case, at = self.invalid()
        corrected = cases.told(case, 5_000_000_000, revision=2, at=at + DAY).case
        back = set_aside(corrected, at + 10 * DAY).case
        news = cases.figures_recorded(back, 5_000_000_000, revision=2, at=at + DAY)
        assert assessment.unheard(back, news)
        told = assessment.hear(back, news, cases.setting(at + 10 * DAY, 9))
        (known,) = told.case.assessments
        assert (known.state, known.result) == ("provisional", "pass")
        assert [record.recipient for record in told.records if isinstance(record, Letter)] == [Role.APPLICANT]

    def test_what_was_told_before_another_ending_is_as_it_was(self) -> None:
        before = cases.failing()
        at = end_of_day(date(2026, 7, 8)) - DAY / 2
        corrected = cases.told(revoked(before, at), 5_000_000_000, revision=2, at=at + DAY).case
        back = set_aside(corrected, at + 10 * DAY).case
        (known,), (then,) = back.assessments, before.assessments
        assert (known.state, known.result, known.revision) == (then.state, then.result, then.revision)


def test_whatever_is_planned_is_the_ending_s_the_base_s_or_comes_at_its_instant() -> None:
    """Somebody who adds an event says here what a way back does with it."""
    at_its_instant = {
        Event.REMIND_REVIEWER, Event.ESCALATE_REVIEW, Event.ESCALATE_CERTIFICATION, Event.ATTEMPT_PUBLICATION,
        Event.ESCALATE_PUBLICATION, Event.RECORD_PUBLICATION_BREACH, Event.REMIND_RENEWAL,
        Event.REMIND_RENEWAL_REVIEWER, Event.ESCALATE_RENEWAL, Event.BEGIN_TERM, Event.CLOSE_LATE_RENEWAL,
        Event.REMIND_FIGURES, Event.ESCALATE_FIGURES, Event.ESCALATE_ASSESSMENT, Event.ESCALATE_CONDUCT,
        Event.EXPIRE_CERTIFICATION, Event.ASK_VERIFICATION,
    }  # fmt: skip
    money = {Event.SEND_REFUND, *top_up.EVENTS}  # goes on meanwhile, or is made good first
    of_the_ending = set(setting_aside.OF_THE_ENDING)
    assert not at_its_instant & of_the_ending and not OF_THE_BASE & (at_its_instant | of_the_ending)
    assert at_its_instant | of_the_ending | OF_THE_BASE | money == set(Event)


def test_a_top_up_that_was_owed_is_not_owed_any_more_when_the_deposit_is_whole() -> None:
    """Decision 28: the deposit must be whole again first, so nothing of its top-up comes back."""
    short = deductions.suspended()
    at = deductions.DUE + 20 * deductions.DAY
    proposed = cases.done(short, cases.command(Revoke, cases.COMPLIANCE, reason="r"), at).case
    revoked = cases.done(proposed, cases.approval(proposed), at).case
    paid = cases.paid(revoked, 2_000_000, at, reference="T1").case
    assign = cases.command(AssignPayment, cases.FINANCE, reference="T1", reason="r")
    whole = cases.done(paid, assign, at).case
    assert whole.ending is not None and whole.deposit.missing == 0
    undo = cases.command(SetAside, cases.COMPLIANCE, decision=whole.ending.decision, reason="r")
    waiting = cases.decided(whole, undo, at).case
    back = cases.decided(waiting, cases.approval(waiting), at).case
    assert back.ending is None and not back.holds and back.standing(at) is Standing.CERTIFIED
    assert "top_up" not in {task.kind for task in back.tasks}
    assert not any(planned.event is Event.SUSPEND_SHORT_DEPOSIT for planned in back.plan)


def test_what_one_person_found_after_the_end_two_people_decide_on_the_certification_that_goes_on() -> None:
    """Decision 29: else a base would stay certified that deserves a revocation, with every renewal barred."""
    before = cases.undecided(severity="serious")
    ended = cases.conduct_decided(revoked(before, NOW + 3 * DAY), "revocation", NOW + 9 * DAY).case
    assert renewal.revocations(ended)
    back = set_aside(ended, NOW + 30 * DAY).case
    assert not renewal.revocations(back) and back.conduct[-1].state == "decision"
    assert ("decide_conduct", SECOND) in {(task.kind, task.subject) for task in back.tasks}
    assert {planned.event for planned in back.conduct[-1].plan} == {Event.ESCALATE_CONDUCT}
    proposed = cases.conduct_decided(back, "revocation", NOW + 31 * DAY).case
    assert proposed.ending is None and [one.action for one in proposed.open_proposals] == ["revoke"]


def test_a_deposit_made_whole_meanwhile_goes_on_to_the_certifier() -> None:
    """It does not lapse for want of money that is there."""
    before = cases.paid(cases.in_deposit(), 6_000_000, NOW).case
    ended = cases.paid(dissolved(before, NOW + DAY), 4_000_000, NOW + 2 * DAY, reference="R-2").case
    assign = cases.command(AssignPayment, cases.FINANCE, reference="R-2", reason="for the set-aside")
    whole = cases.decided(ended, assign, NOW + 2 * DAY).case
    assert not whole.deposit.missing
    back = set_aside(whole, NOW + 3 * DAY).case
    assert back.stage is Stage.CERTIFYING and [task.kind for task in back.tasks] == ["certify"]
    assert {planned.event for planned in back.plan} == {Event.ESCALATE_CERTIFICATION}
