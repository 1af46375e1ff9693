"""Money of no case, of another case, and money taken back, on the real server (decision 15)."""

from __future__ import annotations

import asyncio

from temporalio.client import WorkflowExecutionStatus

from audit.verifier import verify
from domain.commands import Actor, ApproveProposal, AssignPayment, Certify, ReversePayment, Withdraw
from domain.refusals import Refusal, RefusalKind
from domain.stages import Role, Stage
from store.auditing import AuditReader
from store.lists import unmatched_payments
from store.office import OFFICE
from tests.office import APPLICANT, CERTIFIER, FINANCE, REVIEWER, Base, Office, refused, until
from tests.path import acts, unplaced

ONLY_ON = "postgresql"
"""What differs between the databases is tested in tests/store."""

OTHER = Actor(role=Role.FINANCE, name="tang")
REASON = {"reason": "付款人来函说明"}


async def take_back(base: Base, reference: str) -> None:
    await base.do(ReversePayment, FINANCE, reference=reference, reason="银行退票")
    proposal = base.case.open_proposals[-1]
    await base.do(ApproveProposal, OTHER, proposal=proposal.id, content=proposal.content)


async def test_money_of_no_case_waits_for_a_person_and_is_counted_once(office: Office) -> None:
    base = await acts.in_deposit(office)
    reference, before = f"N-{base.credit_code}", unplaced.of_nobody(office)
    report = unplaced.payment(reference)
    answer = await unplaced.record(office, report)
    assert not answer.repeated and unplaced.of_nobody(office) == before + acts.FULL
    assert (await unplaced.record(office, report)).repeated
    assert (await unplaced.record(office, unplaced.payment(reference))).repeated, "another request, the same payment"
    async with refused(RefusalKind.REFERENCE_REUSED):
        await unplaced.record(office, unplaced.payment(reference, 5))
    async with refused(RefusalKind.ROLE_NOT_ALLOWED):
        await unplaced.record(office, unplaced.payment(f"{reference}-2", actor=REVIEWER))
    async with refused(RefusalKind.REFERENCE_REUSED):  # it is on record, and for no case
        await acts.pay(base, acts.FULL, reference, payer="谁也不认识的公司")
    (listed,) = [one for one in unmatched_payments(office.reading) if one["reference"] == reference]
    assert (listed["case_number"], listed["amount"]) == (None, {"fen": acts.FULL})

    done = await base.do(AssignPayment, FINANCE, reference=reference, **REASON)
    assert done.stage is Stage.CERTIFYING and unplaced.of_nobody(office) == before
    result = await asyncio.wait_for(unplaced.handle(office, reference).result(), 20)
    assert (result.reference, result.case_number) == (reference, base.case.case_number)
    assert reference not in [one["reference"] for one in unmatched_payments(office.reading)]
    async with refused(RefusalKind.NOTHING_UNMATCHED):
        await base.do(AssignPayment, FINANCE, reference=reference, **REASON)
    again = await unplaced.record(office, unplaced.payment(reference))
    assert again.repeated and again.case_number == base.case.case_number
    assert (await unplaced.handle(office, reference).result()).case_number == base.case.case_number
    acts.check_books(base)
    report_of_office = verify(AuditReader(office.reading).records([OFFICE]))
    assert report_of_office.ok, report_of_office.broken


async def test_of_two_bases_that_ask_for_it_at_once_one_has_it(office: Office) -> None:
    one, other = await acts.in_deposit(office), await acts.in_deposit(office)
    reference = f"N-{one.credit_code}"
    await unplaced.record(office, unplaced.payment(reference, 700))
    asked = [base.do(AssignPayment, FINANCE, reference=reference, **REASON) for base in (one, other)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    (refusal,) = [answer for answer in answers if isinstance(answer, Refusal)]
    assert refusal.kind is RefusalKind.NOTHING_UNMATCHED
    assert sorted(base.case.deposit.received for base in (one, other)) == [0, 700]
    for base in (one, other):
        acts.check_books(base)


async def test_money_on_another_case_is_moved_and_both_books_are_right(office: Office) -> None:
    origin, base = await acts.in_deposit(office), await acts.in_deposit(office)
    reference = f"{origin.credit_code}-wrong"
    await acts.pay(origin, acts.FULL, reference, payer="谁也不认识的公司")
    assert origin.case.deposit.unmatched == acts.FULL
    done = await base.do(AssignPayment, FINANCE, reference=reference, **REASON)
    assert done.stage is Stage.CERTIFYING
    assert (origin.case.deposit.unmatched, base.case.deposit.received) == (0, acts.FULL)
    known = origin.case
    for _ in range(200):
        if await acts.known_to_workflow(origin) == known:
            break
        await asyncio.sleep(0.05)
    assert await acts.known_to_workflow(origin) == known, "its workflow has heard"
    assert acts.events(origin)[-1] == "payment_moved_away"
    await acts.pay(origin)
    assert origin.case.stage is Stage.CERTIFYING
    for each in (origin, base):
        acts.check_books(each)


async def test_from_a_closed_case_too_and_two_that_swap_at_once(office: Office) -> None:
    closed, base = await acts.in_deposit(office), await acts.in_deposit(office)
    for each in (closed, base):
        await acts.pay(each, 500, f"{each.credit_code}-wrong", payer="谁也不认识的公司")
    swaps = [
        base.do(AssignPayment, FINANCE, reference=f"{closed.credit_code}-wrong", **REASON),
        closed.do(AssignPayment, FINANCE, reference=f"{base.credit_code}-wrong", **REASON),
    ]
    await asyncio.gather(*swaps)
    assert [each.case.deposit.received for each in (base, closed)] == [500, 500]
    await acts.pay(closed, 300, f"{closed.credit_code}-late", payer="谁也不认识的公司")
    await closed.do(Withdraw, APPLICANT, reason="other plans")
    await base.do(AssignPayment, FINANCE, reference=f"{closed.credit_code}-late", **REASON)
    assert base.case.deposit.received == 800
    for each in (closed, base):
        acts.check_books(each)


async def test_a_payment_taken_back_before_the_certification_is_waited_for_again(office: Office) -> None:
    base = await acts.in_certifying(office)
    await take_back(base, f"{base.credit_code}-1")
    case = base.case
    assert (case.stage, case.deposit.held) == (Stage.DEPOSIT, 0)
    async with refused(RefusalKind.WRONG_STAGE):
        await base.do(Certify, CERTIFIER)
    async with refused(RefusalKind.REFERENCE_REUSED):
        await acts.pay(base)
    await acts.pay(base, acts.FULL, correction=True)
    assert base.case.stage is Stage.CERTIFYING
    await base.do(Certify, CERTIFIER)
    await until(lambda: base.case.stage is Stage.VALID, "published")
    assert (await base.handle.describe()).status is WorkflowExecutionStatus.RUNNING
    acts.check_books(base)
