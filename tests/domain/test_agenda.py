"""What comes of itself, and when: plans of every stage, notices that are moot, endings at their legal instant."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from domain import after_ending, agenda, ending, publication, review
from domain.case import Case
from domain.commands import Acceptance, Approve, ConfirmMarks, Reject, Withdraw
from domain.planning import Event, Planned
from domain.records import BenefitEffective, BenefitsGranted, BenefitsWithdrawn, Letter, ListRevision, Transition
from domain.refusals import Refusal, RefusalKind
from domain.shanghai import midnight
from domain.stages import MOVES, Role, Stage, Standing
from tests.domain import cases


def at(text: str) -> object:
    """The midnight after a last day."""
    return midnight(date.fromisoformat(text) + timedelta(days=1))


PLANS: dict[str, list[tuple[str, str]]] = {
    "review": [("remind_reviewer", "2026-03-11"), ("escalate_review", "2026-03-16")],
    "supplement": [
        ("remind_supplement", "2026-03-12"),
        ("remind_supplement", "2026-03-16"),
        ("lapse_supplement", "2026-03-17"),
    ],
    "deposit": [("remind_deposit", "2026-03-25"), ("remind_deposit", "2026-03-31"), ("lapse_deposit", "2026-04-09")],
    "certifying": [("escalate_certification", "2026-03-04")],
    "valid": [
        ("remind_figures", "2026-07-15"),
        ("remind_figures", "2026-10-15"),
        ("remind_renewal", "2027-01-01"),
        ("remind_figures", "2027-01-15"),
        ("remind_renewal", "2027-01-31"),
        ("remind_renewal", "2027-02-23"),
        ("remind_renewal", "2027-03-01"),
        ("expire_certification", "2027-03-02"),
    ],
    "settling": [("escalate_marks", "2027-03-08"), ("escalate_settlement", "2027-04-02")],
}


@pytest.mark.parametrize("stage", PLANS)
def test_what_each_stage_plans_and_when(stage: str) -> None:
    plan = sorted(cases.STAGES[stage]().plan, key=lambda planned: planned.at)
    assert [(planned.event.value, planned.at) for planned in plan] == [(event, at(day)) for event, day in PLANS[stage]]


def test_publication_is_planned_at_once_escalated_and_breached_on_its_days() -> None:
    case = cases.in_publishing()
    days = {"escalate_publication": ["2026-03-09", "2026-03-10"], "record_publication_breach": ["2026-03-11"]}
    for event, ends in days.items():
        assert [planned.at for planned in case.plan if planned.event == event] == [at(day) for day in ends]
    assert cases.planned_event(case, Event.ATTEMPT_PUBLICATION).at == cases.OPENED


@pytest.mark.parametrize("stage", [stage for stage in cases.STAGES if stage != "settling"])
def test_an_open_case_always_has_something_planned_and_somebody_or_nobody_to_act(stage: str) -> None:
    case = cases.STAGES[stage]()
    assert case.plan
    expected = {
        "review": Role.REVIEWER,
        "supplement": Role.APPLICANT,
        "deposit": Role.APPLICANT,
        "certifying": Role.CERTIFIER,
        "publishing": Role.OPERATOR,
        "valid": Role.NOBODY,
        "renewing": Role.REVIEWER,
        "renewal_supplement": Role.APPLICANT,
        "second_term": Role.NOBODY,
        "renewal_late": Role.REVIEWER,
        "suspended": Role.NOBODY,
        "revocation_proposed": Role.COMPLIANCE,
        "revoked": Role.APPLICANT,
        "failing": Role.NOBODY,
        "objected": Role.COMPLIANCE,
        "unknown": Role.COMPLIANCE,
        "appealed": Role.APPLICANT,
        "accused": Role.APPLICANT,
        "undecided": Role.COMPLIANCE,
        "rectifying": Role.APPLICANT,
        "unmatched": Role.APPLICANT,
        "refund_ordered": Role.NOBODY,
        "verification_failed": Role.COMPLIANCE,
    }
    assert case.awaiting is expected[stage]


def take(case: Case, planned: Planned, days_late: int = 0) -> Transition:
    return agenda.take(case, planned, cases.setting(planned.at + timedelta(days=days_late), 2))


@pytest.mark.parametrize("stage", cases.STAGES)
def test_every_planned_event_can_be_carried_out_and_is_gone_or_moved_on(stage: str) -> None:
    case = cases.STAGES[stage]()
    for planned in case.plan:
        if planned.event in (Event.ATTEMPT_PUBLICATION, Event.SEND_REFUND):
            continue
        transition = take(case, planned)
        assert planned not in transition.case.plan
        assert transition.legal_at == planned.at
        assert transition.case.sequence == case.sequence + 1
        assert transition.case.stage in MOVES[case.stage] | {case.stage}


def test_a_reminder_is_sent_when_due_and_only_the_latest_of_several_missed_ones() -> None:
    case = cases.in_valid()
    reminders = (planned for planned in case.plan if planned.event is Event.REMIND_RENEWAL)
    first, second, *_ = sorted(reminders, key=lambda planned: planned.at)
    on_time = take(case, first)
    assert on_time.event == "remind_renewal" and any(isinstance(r, Letter) for r in on_time.records)
    now = second.at
    skipped = agenda.take(case, first, cases.setting(now))
    assert skipped.event == "notice_skipped" and skipped.records == ()
    assert agenda.take(skipped.case, second, cases.setting(now)).event == "remind_renewal"


def test_a_deposit_reminder_after_the_due_date_is_moot() -> None:
    case = cases.in_deposit()
    late = cases.planned_event(case, Event.LAPSE_DEPOSIT).at - timedelta(days=1)
    reminder = [planned for planned in case.plan if planned.event is Event.REMIND_DEPOSIT][-1]
    assert agenda.moot(case, reminder, late)
    assert not agenda.moot(case, reminder, reminder.at)


def test_that_a_deadline_is_near_is_moot_when_it_is_missed() -> None:
    case = cases.in_publishing()
    breach = cases.planned_event(case, Event.RECORD_PUBLICATION_BREACH)
    assert agenda.due(case, breach.at) == breach
    case = take(case, breach).case
    warnings = [planned for planned in case.plan if planned.event is Event.ESCALATE_PUBLICATION]
    assert len(warnings) == 2
    for planned in warnings:
        skipped = agenda.take(case, planned, cases.setting(breach.at))
        assert skipped.event == "notice_skipped" and skipped.records == ()


def test_what_changes_the_case_comes_before_what_only_reminds_of_it() -> None:
    case = cases.in_valid()
    long_after = cases.OPENED + timedelta(days=400)
    due = agenda.due(case, long_after)
    assert due is not None and due.event is Event.EXPIRE_CERTIFICATION
    assert agenda.due(case, cases.OPENED) is None


def test_expiry_takes_effect_at_its_legal_instant_however_late_it_is_observed() -> None:
    case = cases.in_valid()
    assert case.term is not None
    transition = take(case, cases.planned_event(case, Event.EXPIRE_CERTIFICATION), days_late=3)
    ended = transition.case
    assert ended.ending is not None
    assert (transition.legal_at, ended.ending.legal_at) == (case.term.until, case.term.until)
    assert ended.ending.observed_at == case.term.until + timedelta(days=3)
    assert ended.standing(case.term.until) is Standing.EXPIRED
    assert ended.publication is not None and ended.publication.state == "withdrawn"
    assert ended.marks is not None and ended.marks.due_at == at("2027-03-08")
    kinds = [type(record) for record in transition.records]
    assert kinds == [ListRevision, BenefitsWithdrawn, Letter]
    assert [(task.kind, task.role) for task in ended.tasks] == [
        ("confirm_marks", Role.APPLICANT),
        ("settle_deposit", Role.FINANCE),
    ]


def test_an_expiry_with_publication_still_pending_leaves_the_base_unlisted_and_the_breach_on_record() -> None:
    case = cases.in_publishing()
    transition = take(case, cases.planned_event(case, Event.EXPIRE_CERTIFICATION))
    assert not any(isinstance(record, ListRevision) for record in transition.records)
    ended = transition.case.publication
    assert ended is not None and (ended.state, ended.breached, ended.published_at) == ("withdrawn", True, None)


def test_the_right_to_the_marks_takes_effect_with_publication_the_other_benefits_at_once() -> None:
    certified = cases.certification.certify(
        cases.in_certifying(),
        cases.command(cases.Certify, cases.CERTIFIER),
        "LBC-2026-000001",
        cases.setting(cases.OPENED),
    )
    (granted,) = [record for record in certified.records if isinstance(record, BenefitsGranted)]
    assert granted.effective_from == {"P1": None, **dict.fromkeys(("P2", "P3", "P4", "P5", "P6"), cases.OPENED)}
    later = cases.OPENED + timedelta(days=2)
    published = publication.published(certified.case, cases.setting(later))
    (effective,) = [record for record in published.records if isinstance(record, BenefitEffective)]
    assert (effective.benefit, effective.effective_from) == ("P1", later)


@pytest.mark.parametrize(("failures", "pause"), [(1, 60), (2, 120), (3, 240), (5, 960), (6, 1440), (9, 1440)])
def test_a_failing_channel_is_tried_again_ever_more_slowly_at_most_a_day_apart(failures: int, pause: int) -> None:
    case = cases.in_publishing()
    for _ in range(failures):
        planned = cases.planned_event(case, Event.ATTEMPT_PUBLICATION)
        case = publication.attempt_failed(case, planned, "down", cases.setting(planned.at)).case
    again = cases.planned_event(case, Event.ATTEMPT_PUBLICATION)
    assert again.at - planned.at == timedelta(minutes=pause)
    assert case.stage is Stage.PUBLISHING


def withdrawn(case: Case) -> Transition:
    return ending.withdraw(case, cases.command(Withdraw, cases.APPLICANT, reason="r"), cases.setting(cases.OPENED))


def rejected(case: Case) -> Transition:
    return ending.reject(
        case, cases.command(Reject, cases.REVIEWER, revision=1, reason="r"), cases.setting(cases.OPENED)
    )


@pytest.mark.parametrize(
    ("end", "paid", "stage", "awaiting", "due"),
    [
        (withdrawn, 0, Stage.CLOSED, Role.NOBODY, None),
        (withdrawn, 500, Stage.SETTLING, Role.FINANCE, "2026-03-16"),
        (rejected, 0, Stage.SETTLING, Role.NOBODY, None),
        (rejected, 500, Stage.SETTLING, Role.FINANCE, "2026-03-16"),
    ],
)
def test_an_end_before_certification_closes_unless_money_or_an_appeal_is_open(
    end: Callable[[Case], Transition], paid: int, stage: Stage, awaiting: Role, due: str | None
) -> None:
    case = cases.in_review()
    if paid:
        case = cases.paid(case, paid).case
    ended = end(case).case
    assert (ended.stage, ended.awaiting, ended.due_at) == (stage, awaiting, at(due) if due else None)


def test_a_rejected_case_closes_after_its_appeal_window() -> None:
    ended = rejected(cases.in_review()).case
    assert ended.appeal_until == at("2026-03-17")
    closed = take(ended, cases.planned_event(ended, Event.CLOSE_CASE)).case
    assert (closed.stage, closed.plan) == (Stage.CLOSED, ())


def test_marks_are_confirmed_once_and_then_finance_is_awaited_for_the_settlement() -> None:
    ended = cases.expired()
    assert ended.ending is not None
    confirm = cases.command(ConfirmMarks, cases.APPLICANT, evidence=("0" * 64,))
    now = ended.ending.legal_at + timedelta(days=1)
    settled = after_ending.confirm_marks(ended, confirm, cases.setting(now)).case
    assert (settled.awaiting, settled.due_at) == (Role.FINANCE, at("2027-04-02"))
    assert [planned.event for planned in settled.plan] == [Event.ESCALATE_SETTLEMENT]
    with pytest.raises(Refusal) as info:
        after_ending.confirm_marks(settled, confirm, cases.setting(now))
    assert info.value.kind is RefusalKind.ALREADY_ENDED and "no open stop-using-marks duty" in info.value.message


@pytest.mark.parametrize(
    ("name", "accepted", "kind"),
    [
        ("deficient", (), RefusalKind.CONDITION_FAILED),
        ("seven-months", (), RefusalKind.ACCEPTANCE_MISSING),
        ("seven-months", ("A2.age", "A2.capital"), RefusalKind.INVALID_VALUE),
        ("seven-months", ("A2.age",), None),
        ("passes", (), None),
        ("passes", ("A2.age",), RefusalKind.INVALID_VALUE),
    ],
)
def test_an_approval_needs_every_finding_passed_or_accepted_by_name(
    name: str, accepted: tuple[str, ...], kind: RefusalKind | None
) -> None:
    now = midnight(date(2026, 11, 24))
    case = cases.in_review(now)
    acceptances = tuple(Acceptance(condition=condition, reason="r") for condition in accepted)
    command = cases.command(Approve, cases.REVIEWER, revision=1, accepted=acceptances)
    if kind is None:
        approved = review.approve(case, command, cases.submission(name), cases.setting(now))
        assert approved.case.stage is Stage.DEPOSIT
        return
    with pytest.raises(Refusal) as info:
        review.approve(case, command, cases.submission(name), cases.setting(now))
    assert info.value.kind is kind
    if kind is RefusalKind.CONDITION_FAILED:
        assert len(info.value.problems) > 3
