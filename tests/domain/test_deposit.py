"""The deposit's rules as tables (requirement A3, decisions 14 and 15, design/cli.md Deposit)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from domain import certification, deposit, ending, expiry, publication, review
from domain.commands import (
    Approve,
    Certify,
    Missing,
    ReceiveDeposit,
    RequestSupplement,
    Supplement,
    TakeReview,
    Withdraw,
)
from domain.planning import Event
from domain.records import Letter, Payment
from domain.refusals import Refusal, RefusalKind
from domain.stages import Role, Stage
from tests.domain import cases

DUE = date(2026, 4, 1)


def test_the_due_date_is_thirty_days_after_the_approval_and_the_grace_five_working_days_more() -> None:
    case = cases.in_deposit()
    assert case.deposit_due_on == DUE
    lapse = next(planned for planned in case.plan if planned.event == "lapse_deposit")
    # 04-02, 04-03, (04-04 to 04-06 Qingming), 04-07, 04-08, 04-09
    assert lapse.at == cases.midnight(date(2026, 4, 10))
    assert case.due_at == cases.midnight(date(2026, 4, 2))


@pytest.mark.parametrize(
    ("amount", "credited", "unmatched", "stage"),
    [
        (9_999_999, 9_999_999, 0, Stage.DEPOSIT),
        (10_000_000, 10_000_000, 0, Stage.CERTIFYING),
        (10_000_001, 10_000_000, 1, Stage.CERTIFYING),
        (20_000_000, 10_000_000, 10_000_000, Stage.CERTIFYING),
    ],
)
def test_only_the_full_sum_passes_and_the_rest_is_unmatched(
    amount: int, credited: int, unmatched: int, stage: Stage
) -> None:
    case = cases.paid(cases.in_deposit(), amount).case
    assert (case.deposit.received, case.deposit.unmatched, case.stage) == (credited, unmatched, stage)
    assert ("unmatched_money" in {task.kind for task in case.tasks}) is bool(unmatched)


@pytest.mark.parametrize("less", [{"refunded": 1}, {"deducted": 1}, {"received": 9_999_999}], ids=str)
def test_what_was_full_and_is_whole_no_longer_is_not_certified(less: dict[str, int]) -> None:
    """A3: a payment the bank took back, say."""
    whole = cases.in_certifying()
    case = whole.model_copy(update={"deposit": whole.deposit.model_copy(update=less)})
    certify = cases.command(Certify, cases.CERTIFIER)
    with pytest.raises(Refusal) as info:
        certification.certify(case, certify, "LBC-2026-000001", cases.setting(cases.OPENED))
    assert info.value.kind is RefusalKind.DEPOSIT_NOT_WHOLE and "CNY 0.01 is lacking" in info.value.message
    assert certification.certify(whole, certify, "LBC-2026-000001", cases.setting(cases.OPENED)).case.terms


def test_parts_add_up() -> None:
    first = cases.paid(cases.in_deposit(), 4_000_000).case
    assert (first.stage, first.deposit.missing) == (Stage.DEPOSIT, 6_000_000)
    second = cases.paid(first, 6_000_000, reference="B2").case
    assert (second.stage, second.awaiting) == (Stage.CERTIFYING, Role.CERTIFIER)


@pytest.mark.parametrize(
    ("paid_on", "credited"),
    [
        (date(2026, 3, 1), False),
        (date(2026, 3, 2), True),
        (DUE, True),
        (DUE + timedelta(days=1), False),
    ],
)
def test_the_value_date_decides_what_is_credited(paid_on: date, credited: bool) -> None:
    reported = cases.midnight(date(2026, 4, 9))
    case = cases.paid(cases.in_deposit(), 10_000_000, reported, paid_on=paid_on).case
    assert (case.deposit.received > 0) is credited
    assert case.deposit.received + case.deposit.unmatched == 10_000_000


def test_a_value_date_after_today_is_invalid() -> None:
    with pytest.raises(Refusal) as info:
        cases.paid(cases.in_deposit(), 1, paid_on=date(2026, 3, 3))
    assert info.value.kind is RefusalKind.INVALID_VALUE


@pytest.mark.parametrize(
    ("name", "credited"),
    [
        ("{payer}", True),
        (" {payer} ", True),
        ("{payer}有限", False),
        ("somebody else", False),
    ],
)
def test_the_payer_is_compared_normalised(name: str, credited: bool) -> None:
    case = cases.paid(cases.in_deposit(), 100, payer=name.format(payer=cases.payer())).case
    assert (case.deposit.received == 100) is credited


@pytest.mark.parametrize(
    ("payer", "credited"),
    [
        ("CLOUDPORT LIVE (HK) LTD", True),
        ("Ｃｌｏｕｄｐｏｒｔ Ｌｉｖｅ（ＨＫ）Ｌｉｍｉｔｅｄ．", True),
        (" 深圳云港电子商务有限公司", True),
        ("Cloudport Live (SG) Limited", False),
        ("何嘉敏", False),
    ],
)
def test_of_an_overseas_base_both_the_entity_and_the_enterprise_it_entrusts_may_pay(payer: str, credited: bool) -> None:
    parties = cases.submission("overseas").application.payer_names
    case = cases.in_deposit().model_copy(update={"payer_names": parties})
    paid = cases.paid(case, 100, payer=payer).case.deposit
    assert (paid.received, paid.unmatched) == ((100, 0) if credited else (0, 100))


def test_a_payment_reported_again_may_spell_its_payer_otherwise() -> None:
    known = Payment("B1", 100, "CLOUDPORT LIVE (HK) LTD", date(2026, 3, 2), 100, 0)
    again = cases.command(
        ReceiveDeposit, cases.FINANCE, amount=100, reference="B1", payer="Cloudport Live (HK) Limited."
    )
    case = cases.in_deposit()
    assert deposit.receive(case, again, known, case.case_number, cases.setting(cases.OPENED)).repeated


def test_a_reference_is_the_same_payment_however_it_is_typed() -> None:
    one, other = (
        cases.command(ReceiveDeposit, cases.FINANCE, amount=1, reference=reference, payer="p")
        for reference in ("2026-1124 07", "２０２６-1124　07")
    )
    assert one.reference == other.reference == "2026-112407"


def test_unmatched_money_waits_for_a_person_whatever_happens_next() -> None:
    """No later step may lose the task (decision 15)."""
    now = cases.OPENED
    paid = cases.paid(cases.in_review(), 500, payer="somebody else").case
    request = cases.command(
        RequestSupplement, cases.REVIEWER, revision=1, items=(Missing(condition="A4.area", what="plan"),)
    )
    asked = review.request_supplement(paid, request, cases.setting(now)).case
    answer = cases.command(Supplement, cases.APPLICANT, submission=cases.submission().sha256)
    answered = review.supplement(asked, answer, cases.submission(), cases.setting(now)).case
    approve = cases.command(Approve, cases.REVIEWER, revision=2)
    approved = review.approve(answered, approve, cases.submission(), cases.setting(now)).case
    withdrawn = ending.withdraw(approved, cases.command(Withdraw, cases.APPLICANT, reason="r"), cases.setting(now)).case
    full = cases.paid(approved, 10_000_000, reference="B2").case
    certified = certification.certify(
        full, cases.command(Certify, cases.CERTIFIER), "LBC-2026-000001", cases.setting(now)
    ).case
    published = publication.published(certified, cases.setting(now)).case
    end = cases.planned_event(published, Event.EXPIRE_CERTIFICATION)
    expired = expiry.expire(published, end, cases.setting(end.at, 2)).case
    for case in (paid, asked, answered, approved, withdrawn, full, certified, published, expired):
        waiting = [(task.kind, task.role) for task in case.tasks if task.kind == "unmatched_money"]
        assert waiting == [("unmatched_money", Role.FINANCE)], case.stage
    assert (withdrawn.stage, withdrawn.awaiting) == (Stage.CLOSED, Role.FINANCE)


def test_taking_the_review_takes_no_task_of_finance() -> None:
    paid = cases.paid(cases.in_review(), 500, payer="somebody else").case
    taken = review.take(paid, cases.command(TakeReview, cases.REVIEWER), cases.setting(cases.OPENED)).case
    assert {task.kind: task.assignee for task in taken.tasks} == {"review": "li", "unmatched_money": None}


def test_the_letter_of_approval_asks_for_what_is_missing() -> None:
    part = cases.paid(cases.in_review(), 6_000_000).case
    command = cases.command(Approve, cases.REVIEWER, revision=1)
    transition = review.approve(part, command, cases.submission(), cases.setting(cases.OPENED))
    (letter,) = (record for record in transition.records if isinstance(record, Letter))
    assert "尚缺人民币40,000.00元" in letter.body


def test_the_money_credited_is_told_to_the_applicant_and_the_rest_to_finance() -> None:
    transition = cases.paid(cases.in_deposit(), 10_000_001)
    letters = {record.recipient: record for record in transition.records if isinstance(record, Letter)}
    assert "100,000.00元,保证金已足额到账" in letters[Role.APPLICANT].body
    assert "0.01元未能入账" in letters[Role.FINANCE].body


@pytest.mark.parametrize("stage", ["certifying", "publishing", "valid", "settling"])
def test_money_that_fits_nowhere_is_unmatched_never_dropped(stage: str) -> None:
    case = cases.STAGES[stage]()
    after = cases.paid(case, 500, case.opened_at + timedelta(days=400), reference="B9", paid_on=date(2026, 3, 2))
    assert after.case.deposit.unmatched == 500
    assert after.case.stage is case.stage
    assert after.event == "payment_unmatched"


@pytest.mark.parametrize("stage", ["review", "supplement"])
def test_money_before_the_approval_counts(stage: str) -> None:
    case = cases.paid(cases.STAGES[stage](), 10_000_000).case
    assert case.deposit.missing == 0
    assert case.stage == stage


@pytest.mark.parametrize(
    ("changes", "known_case", "repeat"),
    [
        ({}, "LB-2026-000001", True),
        ({"paid_on": date(2026, 3, 2)}, "LB-2026-000001", True),
        ({"amount": 101}, "LB-2026-000001", False),
        ({"payer": "other"}, "LB-2026-000001", False),
        ({"paid_on": date(2026, 3, 1)}, "LB-2026-000001", False),
        ({}, "LB-2026-000002", False),
    ],
)
def test_a_reference_is_counted_once(changes: dict[str, object], known_case: str, repeat: bool) -> None:
    known = Payment("B1", 100, cases.payer(), date(2026, 3, 2), 100, 0)
    fields: dict[str, object] = {"amount": 100, "reference": "B1", "payer": cases.payer(), **changes}
    command = cases.command(ReceiveDeposit, cases.FINANCE, **fields)
    case = cases.in_deposit()

    def receive() -> object:
        return deposit.receive(case, command, known, known_case, cases.setting(cases.OPENED))

    if repeat:
        assert getattr(receive(), "case").deposit == case.deposit  # noqa: B009
    else:
        with pytest.raises(Refusal) as info:
            receive()
        assert info.value.kind is RefusalKind.REFERENCE_REUSED
