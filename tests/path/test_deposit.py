"""The deposit on the real server: value dates, the grace for reports, and money that fits nowhere."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from domain.commands import Approve, Certify, ReceiveDeposit, Withdraw
from domain.money import format_cny
from domain.refusals import RefusalKind
from domain.shanghai import end_of_day, shanghai_date
from domain.stages import Role, Stage, Standing
from store.reference import shipped_calendar
from tests.office import APPLICANT, CERTIFIER, FINANCE, REVIEWER, Office, refused
from tests.path import acts

ONLY_ON = "sqlite"
"""What differs between the databases is tested in tests/store, and by requests and payments at once on both."""

DAY = timedelta(days=1)


async def test_without_the_full_deposit_the_case_lapses_when_the_grace_is_over(office: Office) -> None:
    base = await acts.in_deposit(office)
    case = base.case
    assert case.deposit_due_on is not None and case.due_at == end_of_day(case.deposit_due_on)
    grace = shipped_calendar().deadline(case.deposit_due_on, 5).deadline
    await acts.pay(base, 9_999_999)
    await base.forward_to(case.due_at)
    assert base.case.stage is Stage.DEPOSIT, "the grace waits for the bank's report"
    assert len(acts.letters(base, "remind_deposit")) == 2, "7 days and 1 day before, each once"
    await base.forward_to(end_of_day(grace) - timedelta(minutes=1))
    assert base.case.stage is Stage.DEPOSIT

    await base.forward_to(end_of_day(grace))
    lapsed = base.case
    assert lapsed.ending is not None
    assert (lapsed.stage, lapsed.ending.kind, lapsed.ending.cause) == (
        Stage.SETTLING,
        Standing.LAPSED,
        "deposit_overdue",
    )
    assert lapsed.ending.legal_at == end_of_day(grace)
    assert (lapsed.deposit.held, lapsed.awaiting) == (9_999_999, Role.FINANCE)
    back = shipped_calendar().deadline(shanghai_date(lapsed.ending.legal_at), 10).deadline
    assert lapsed.due_at == end_of_day(back)
    acts.check_books(base)


async def test_without_any_money_the_case_is_closed_when_it_lapses(office: Office) -> None:
    base = await acts.in_deposit(office)
    await base.forward_to(acts.lapses_at(base))
    assert base.case.stage is Stage.CLOSED
    assert await acts.ended(base) is WorkflowExecutionStatus.COMPLETED


async def test_a_payment_made_in_time_counts_when_it_is_reported_within_the_grace(office: Office) -> None:
    base = await acts.in_deposit(office)
    due_on = base.case.deposit_due_on
    assert due_on is not None
    await base.forward_to(end_of_day(due_on) + timedelta(hours=1))
    answer = await acts.pay(base, paid_on=due_on)
    assert answer.stage is Stage.CERTIFYING
    assert (base.case.deposit.received, base.case.deposit.unmatched) == (acts.FULL, 0)


async def test_a_payment_made_after_the_due_date_is_unmatched(office: Office) -> None:
    base = await acts.in_deposit(office)
    due_on = base.case.deposit_due_on
    assert due_on is not None
    await base.forward_to(end_of_day(due_on) + timedelta(hours=1))
    answer = await acts.pay(base)  # the case's today
    assert (answer.stage, answer.awaiting) == (Stage.DEPOSIT, Role.APPLICANT)
    case = base.case
    assert (case.deposit.received, case.deposit.unmatched) == (0, acts.FULL)
    assert [task.kind for task in case.tasks] == ["deposit", "unmatched_money"]
    assert acts.recorded_payments(base)[0].why == "paid after the due date"
    await base.forward_to(acts.lapses_at(base))
    lapsed = base.case
    assert (lapsed.stage, lapsed.deposit.unmatched) == (Stage.CLOSED, acts.FULL)
    assert [task.kind for task in lapsed.tasks] == ["unmatched_money"], "it still waits for a person"
    acts.check_books(base)


async def test_what_is_more_than_the_deposit_is_unmatched(office: Office) -> None:
    base = await acts.in_deposit(office)
    await acts.pay(base, 6_000_000, f"{base.credit_code}-1")
    answer = await acts.pay(base, 6_000_000, f"{base.credit_code}-2")
    assert answer.stage is Stage.CERTIFYING
    deposit = base.case.deposit
    assert (deposit.received, deposit.held, deposit.unmatched) == (acts.FULL, acts.FULL, 2_000_000)
    assert [task.kind for task in base.case.tasks] == ["certify", "unmatched_money"]
    more = await acts.pay(base, 1, f"{base.credit_code}-3")
    assert (more.stage, base.case.deposit.unmatched) == (Stage.CERTIFYING, 2_000_001)
    acts.check_books(base)


async def test_money_of_another_payer_or_from_before_the_application_is_unmatched(office: Office) -> None:
    base = await acts.in_deposit(office)
    stranger = await acts.pay(base, 100, f"{base.credit_code}-1", payer="Somebody Else Ltd")
    early = await acts.pay(base, 200, f"{base.credit_code}-2", paid_on=acts.today(base) - DAY)
    assert stranger.stage is early.stage is Stage.DEPOSIT
    assert {payment.why for payment in acts.recorded_payments(base)} == {
        "from another payer",
        "paid before the application",
    }
    spelled = f"  {acts.PAYER[:4]} {acts.PAYER[4:]} "
    full = await acts.pay(base, acts.FULL, f"{base.credit_code}-3", payer=spelled)
    assert full.stage is Stage.CERTIFYING, "the payer is compared normalised"
    assert base.case.deposit.unmatched == 300
    acts.check_books(base)


async def test_a_value_date_in_the_future_is_refused(office: Office) -> None:
    base = await acts.in_deposit(office)
    before = base.case
    async with refused(RefusalKind.INVALID_VALUE) as info:
        await acts.pay(base, paid_on=acts.today(base) + 3 * DAY)
    assert info.value.kind.exit_code == 2
    assert base.case == before


async def test_with_the_deposit_paid_before_it_approval_leads_to_certifying_at_once(office: Office) -> None:
    base = await acts.in_review(office)
    paid = await acts.pay(base)
    assert (paid.stage, base.case.deposit.held) == (Stage.REVIEW, acts.FULL)
    approved = await base.do(Approve, REVIEWER, revision=1)
    assert (approved.stage, approved.awaiting) == (Stage.CERTIFYING, Role.CERTIFIER)
    assert [planned.event for planned in base.case.plan] == ["escalate_certification"]


async def test_money_that_comes_during_a_supplement_counts(office: Office) -> None:
    base = await acts.in_supplement(office)
    await acts.pay(base, 4_000_000, f"{base.credit_code}-1")
    await acts.supplement(base)
    await base.do(Approve, REVIEWER, revision=2)
    full = await acts.pay(base, 6_000_000, f"{base.credit_code}-2")
    assert full.stage is Stage.CERTIFYING
    acts.check_books(base)


async def test_a_bank_reference_counts_once_however_often_it_is_reported(office: Office) -> None:
    base = await acts.in_deposit(office)
    await acts.pay(base, 4_000_000)
    again = await acts.pay(base, 4_000_000)  # another request, the same payment
    assert again.repeated and again.stage is Stage.DEPOSIT
    assert base.case.deposit.received == 4_000_000
    assert acts.events(base)[-1] == "payment_reported_again"
    before = base.case
    for other in ({"amount": 4_000_001}, {"amount": 4_000_000, "payer": "Somebody Else Ltd"}):
        async with refused(RefusalKind.REFERENCE_REUSED) as info:
            await acts.pay(base, **other)
        assert info.value.kind.exit_code == 8
    elsewhere = await acts.in_deposit(office)
    async with refused(RefusalKind.REFERENCE_REUSED):
        await acts.pay(elsewhere, 4_000_000, f"{base.credit_code}-1")
    assert base.case == before
    acts.check_books(base)


async def test_payments_reported_at_the_same_moment_all_count_once(office: Office) -> None:
    base = await acts.in_deposit(office)
    reports = [acts.payment(base, 1_000_000, f"{base.credit_code}-{number}") for number in range(9)]
    reports += [acts.payment(base, 1_000_000, f"{base.credit_code}-{number}") for number in range(9)]
    await asyncio.gather(*(base.send(report) for report in reports))
    assert base.case.deposit.received == 9_000_000
    assert len(acts.recorded_payments(base)) == 9
    acts.check_books(base)


async def test_money_for_a_closed_case_is_recorded_as_unmatched_and_the_run_ends_again(office: Office) -> None:
    base = await acts.in_deposit(office)
    await base.do(Withdraw, APPLICANT, reason="other plans")
    await acts.ended(base)
    report = acts.payment(base, 5_000)
    with pytest.raises(RPCError) as lost:
        await base.send(report)
    assert lost.value.status is RPCStatusCode.NOT_FOUND
    answer = await acts.start(base, report, reopened=True)
    assert (answer.stage, answer.standing, answer.awaiting) == (Stage.CLOSED, Standing.WITHDRAWN, Role.FINANCE)
    assert await acts.ended(base) is WorkflowExecutionStatus.COMPLETED
    assert acts.recorded_payments(base)[0].why == "the case has ended (withdrawn)"
    again = await acts.start(base, report, reopened=True)
    assert again.model_copy(update={"repeated": False}) == answer, "the same request has the same answer"
    assert base.case.deposit.unmatched == 5_000
    assert (await base.handle.result())["outcome"] == "withdrawn"
    acts.check_books(base)


async def test_nothing_else_comes_to_a_closed_case(office: Office) -> None:
    base = await acts.in_deposit(office)
    await base.do(Withdraw, APPLICANT, reason="other plans")
    await acts.ended(base)
    before = base.case
    async with refused(RefusalKind.ALREADY_ENDED):
        await acts.start(base, base.command(Withdraw, APPLICANT, reason="once more"), reopened=True)
    await acts.ended(base)
    assert base.case == before


async def test_withdrawn_with_money_held_it_goes_back_within_ten_working_days(office: Office) -> None:
    base = await acts.in_deposit(office)
    await acts.pay(base, 3_000_000)
    answer = await base.do(Withdraw, APPLICANT, reason="other plans")
    assert (answer.stage, answer.awaiting) == (Stage.SETTLING, Role.FINANCE)
    case = base.case
    assert case.ending is not None
    back = shipped_calendar().deadline(shanghai_date(case.ending.legal_at), 10).deadline
    assert [(task.kind, task.due_at) for task in case.tasks] == [("return_deposit", end_of_day(back))]
    assert acts.timeline(base)[-1]["detail"]["to_be_returned"] == {"fen": 3_000_000}
    await base.forward_to(end_of_day(back))
    assert acts.events(base)[-1] == "settlement_escalated"
    assert base.case.stage is Stage.SETTLING, "money held is never forgotten"
    late = await acts.pay(base, 7_000_000, f"{base.credit_code}-2")
    assert (late.stage, base.case.deposit.held, base.case.deposit.unmatched) == (Stage.SETTLING, 3_000_000, 7_000_000)
    acts.check_books(base)


async def test_money_after_certification_is_unmatched_and_waits_beside_the_year(office: Office) -> None:
    base = await acts.in_valid(office)
    await acts.pay(base, 100, f"{base.credit_code}-2")
    case = base.case
    assert (case.stage, case.awaiting, case.deposit.unmatched) == (Stage.VALID, Role.FINANCE, 100)
    assert case.due_at is None


async def test_only_finance_records_money_and_only_the_full_sum_certifies(office: Office) -> None:
    base = await acts.in_deposit(office)
    async with refused(RefusalKind.ROLE_NOT_ALLOWED):
        await base.do(ReceiveDeposit, CERTIFIER, amount=acts.FULL, reference="x", payer=acts.PAYER)
    await base.do(ReceiveDeposit, FINANCE, amount=acts.FULL - 1, reference=f"{base.credit_code}-1", payer=acts.PAYER)
    async with refused(RefusalKind.WRONG_STAGE):
        await base.do(Certify, CERTIFIER)
    assert format_cny(base.case.deposit.missing) == "0.01"
