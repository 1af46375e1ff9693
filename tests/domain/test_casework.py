"""Assigning a task, extending a deadline, writing a note."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest

from domain import agenda, deposit, ending
from domain.case import Case
from domain.casework import add_note, assign, extend
from domain.commands import Actor, AddNote, Approve, Assign, ExtendDeadline, ReceiveDeposit, Reject
from domain.judging import judge
from domain.planning import Event
from domain.records import Letter, Note, Transition
from domain.refusals import Refusal, RefusalKind
from domain.shanghai import end_of_day, midnight
from domain.stages import Role, Stage
from tests.domain import cases

NOW = cases.OPENED
AT = cases.setting(NOW)


def assigned(case: Case, to: str, *, now: datetime = NOW) -> Transition:
    return assign(case, cases.command(Assign, cases.OPERATOR, to=to, reason="leave"), cases.setting(now))


def moved(case: Case, deadline: str, to: str, *, now: datetime = NOW) -> Transition:
    command = cases.command(
        ExtendDeadline, cases.OPERATOR, deadline=deadline, to=date.fromisoformat(to), reason="bank closed"
    )
    return extend(case, command, cases.setting(now))


def plan(case: Case) -> list[tuple[str, datetime]]:
    return sorted((planned.event.value, planned.at) for planned in case.plan)


# ------------------------------------------------------------------------------------------------- assign


@pytest.mark.parametrize(
    ("case", "kind"),
    [(cases.in_review, "review"), (cases.in_certifying, "certify"), (cases.in_publishing, "publish")],
)
def test_what_waits_for_staff_is_given_to_one_of_them(case: Callable[[], Case], kind: str) -> None:
    before = case()
    transition = assigned(before, " zhou ")
    (task,) = transition.case.tasks
    assert (task.kind, task.assignee) == (kind, "zhou")
    assert transition.event == "task_assigned"
    assert transition.detail == {"task": kind, "to": "zhou", "before": None, "reason": "leave"}
    assert transition.case.model_copy(update={"tasks": before.tasks, "sequence": 1, "review_held_by": None}) == (
        before.model_copy(update={"sequence": 1})
    ), "nothing else changes"


def test_an_assigned_review_is_held_and_can_be_given_to_somebody_else() -> None:
    held = assigned(cases.in_review(), "zhou").case
    assert held.review_held_by == "zhou"
    with pytest.raises(Refusal) as info:
        judge(held, cases.command(Approve, cases.REVIEWER, revision=1))
    assert info.value.kind is RefusalKind.REVIEW_HELD
    again = assigned(held, "li")
    assert again.detail["before"] == "zhou"
    judge(again.case, cases.command(Approve, cases.REVIEWER, revision=1))


def test_the_certification_is_not_given_to_who_approved() -> None:
    with pytest.raises(Refusal) as info:
        assigned(cases.in_certifying(), "LI")
    assert info.value.kind is RefusalKind.SECOND_PERSON_REQUIRED


@pytest.mark.parametrize("case", [cases.in_supplement, cases.in_deposit, cases.in_valid])
def test_what_waits_for_nobody_on_the_staff_is_not_given_away(case: Callable[[], Case]) -> None:
    with pytest.raises(Refusal) as info:
        assigned(case(), "zhou")
    assert info.value.kind is RefusalKind.WRONG_STAGE


def test_of_several_tasks_it_is_the_one_due_first() -> None:
    unmatched = cases.paid(cases.in_review(), 1, payer="somebody else").case
    assert [task.kind for task in unmatched.tasks] == ["review", "unmatched_money"]
    given = assigned(unmatched, "zhou").case
    assert [(task.kind, task.assignee) for task in given.tasks] == [("review", "zhou"), ("unmatched_money", None)]
    waiting = cases.paid(cases.in_deposit(), 1, payer="somebody else").case
    given = assigned(waiting, "qian").case
    assert {task.kind: task.assignee for task in given.tasks} == {"deposit": None, "unmatched_money": "qian"}


# ------------------------------------------------------------------------------------------------- extend


def test_a_supplement_extended_is_reminded_and_lapses_later() -> None:
    case = cases.in_supplement()
    assert case.due_at == end_of_day(date(2026, 3, 17))
    transition = moved(case, "supplement", "2026-03-29")  # a Sunday: it stands as it was named
    after = transition.case
    assert after.due_at == end_of_day(date(2026, 3, 29))
    assert plan(after) == [
        ("lapse_supplement", end_of_day(date(2026, 3, 29))),
        ("remind_supplement", end_of_day(date(2026, 3, 24))),
        ("remind_supplement", end_of_day(date(2026, 3, 28))),
    ]
    assert transition.detail == {
        "deadline": "supplement", "before": "2026-03-17", "after": "2026-03-29", "reason": "bank closed",
    }  # fmt: skip
    (letter,) = (record for record in transition.records if isinstance(record, Letter))
    assert letter.recipient is Role.APPLICANT and "2026年3月29日24时前" in letter.body and "bank closed" in letter.body
    assert agenda.due(after, end_of_day(date(2026, 3, 17))) is None


def test_a_reminder_that_is_over_does_not_come_again() -> None:
    now = end_of_day(date(2026, 3, 16)) + timedelta(hours=1)  # both reminders have been sent
    case = cases.in_supplement()
    case = case.model_copy(update={"plan": tuple(one for one in case.plan if one.event is Event.LAPSE_SUPPLEMENT)})
    assert plan(moved(case, "supplement", "2026-03-18", now=now).case) == [
        ("lapse_supplement", end_of_day(date(2026, 3, 18))),
        ("remind_supplement", end_of_day(date(2026, 3, 17))),
    ]


def test_money_with_a_value_date_up_to_the_extended_day_is_credited_and_its_report_waited_for() -> None:
    case = moved(cases.in_deposit(), "deposit", "2026-04-10").case
    assert (case.deposit_due_on, case.due_at) == (date(2026, 4, 10), end_of_day(date(2026, 4, 10)))
    assert ("lapse_deposit", end_of_day(date(2026, 4, 17))) in plan(case), "five working days for the bank's report"
    payment = cases.command(
        ReceiveDeposit, cases.FINANCE, amount=1, reference="B", payer=cases.payer(), paid_on=date(2026, 4, 10)
    )
    received = deposit.receive(case, payment, None, None, cases.setting(midnight(date(2026, 4, 14))))
    assert received.case.deposit.received == 1


def test_marks_extended_leave_the_settlement_alone() -> None:
    case = cases.expired()
    now = case.ending.legal_at if case.ending else NOW
    after = moved(case, "marks", "2027-03-20", now=now).case
    assert after.marks is not None and after.marks.due_at == end_of_day(date(2027, 3, 20))
    assert {task.kind: task.due_at for task in after.tasks} == {
        "confirm_marks": end_of_day(date(2027, 3, 20)),
        "settle_deposit": next(task.due_at for task in case.tasks if task.kind == "settle_deposit"),
    }
    assert ("escalate_marks", end_of_day(date(2027, 3, 20))) in plan(after)
    assert [planned for planned in after.plan if planned.event is Event.ESCALATE_SETTLEMENT] == [
        planned for planned in case.plan if planned.event is Event.ESCALATE_SETTLEMENT
    ]


def test_money_that_fits_nowhere_still_waits_after_an_extension() -> None:
    case = cases.paid(cases.in_deposit(), 1, payer="somebody else").case
    assert [task.kind for task in moved(case, "deposit", "2026-04-10").case.tasks] == ["deposit", "unmatched_money"]


@pytest.mark.parametrize(
    ("case", "deadline", "to", "now", "kind"),
    [
        (cases.in_deposit, "deposit", "2026-04-01", NOW, RefusalKind.INVALID_VALUE),  # the present day
        (cases.in_deposit, "deposit", "2026-03-20", NOW, RefusalKind.INVALID_VALUE),
        (cases.in_deposit, "deposit", "2027-03-03", NOW, RefusalKind.INVALID_VALUE),  # a year and a day
        (cases.in_deposit, "supplement", "2026-04-10", NOW, RefusalKind.WRONG_STAGE),
        (cases.in_deposit, "rectification", "2026-04-10", NOW, RefusalKind.WRONG_STAGE),
        (cases.in_deposit, "deposit", "2026-04-10", end_of_day(date(2026, 4, 1)), RefusalKind.TOO_LATE),
        (cases.in_review, "deposit", "2026-04-10", NOW, RefusalKind.WRONG_STAGE),
    ],
)
def test_what_is_no_extension(
    case: Callable[[], Case], deadline: str, to: str, now: datetime, kind: RefusalKind
) -> None:
    with pytest.raises(Refusal) as info:
        moved(case(), deadline, to, now=now)
    assert info.value.kind is kind


def test_an_extension_of_a_year_is_the_longest() -> None:
    assert moved(cases.in_deposit(), "deposit", "2027-03-02").case.deposit_due_on == date(2027, 3, 2)


def test_a_moment_before_its_end_a_deadline_can_be_extended() -> None:
    last = end_of_day(date(2026, 4, 1)) - timedelta(microseconds=1)
    assert moved(cases.in_deposit(), "deposit", "2026-04-02", now=last).case.deposit_due_on == date(2026, 4, 2)


# --------------------------------------------------------------------------------------------------- note


def test_a_note_is_kept_beside_the_case_and_proved_by_its_entry() -> None:
    case = cases.in_review()
    auditor = Actor(role=Role.AUDITOR, name="wu")
    transition = add_note(case, cases.command(AddNote, auditor, text=" 已电话核实 "), AT)
    assert transition.records == (Note("已电话核实", "auditor:wu"),)
    assert transition.detail == {"note": hashlib.sha256("已电话核实".encode()).hexdigest()}
    assert transition.case == case.model_copy(update={"sequence": case.sequence + 1})


def test_a_closed_case_takes_notes() -> None:
    rejected = ending.reject(
        cases.in_review(), cases.command(Reject, cases.REVIEWER, revision=1, reason="no rooms"), AT
    ).case
    planned = cases.planned_event(rejected, Event.CLOSE_CASE)
    closed = agenda.take(rejected, planned, cases.setting(planned.at)).case
    assert closed.stage is Stage.CLOSED
    assert add_note(closed, cases.command(AddNote, cases.REVIEWER, text="archived"), AT).case.stage is Stage.CLOSED
