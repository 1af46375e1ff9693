"""Money out on the real server, to the sandbox bank: whatever the bank does, its book and our ledger agree (17)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from activities.bank import HttpBank
from domain.commands import Actor, ApproveProposal, RefundDeposit, ReturnPayment, Withdraw
from domain.stages import Role, Stage
from starter.bank_sandbox import BankSandbox
from tests.databases import Place
from tests.office import APPLICANT, FINANCE, Base, Office, until, working_office
from tests.path import acts

ONLY_ON = "sqlite"
"""What differs between the databases is tested in tests/store."""

OTHER = Actor(role=Role.FINANCE, name="tang")
REASON = {"reason": "退还"}


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncIterator[BankSandbox]:
    async with BankSandbox(tmp_path / "bank" / "book.db") as bank:
        yield bank


@pytest.fixture
async def connected(client: Client, place: Place, bank: BankSandbox) -> AsyncIterator[Office]:
    async with working_office(client, place, bank=HttpBank(bank.url, "")) as office:
        yield office


async def approved(base: Base) -> None:
    proposal = base.case.open_proposals[-1]
    await base.do(ApproveProposal, OTHER, proposal=proposal.id, content=proposal.content)


async def test_however_the_bank_answers_it_pays_once_and_the_case_is_closed(
    connected: Office, bank: BankSandbox
) -> None:
    base = await acts.in_deposit(connected)
    await acts.pay(base, 4_000_000)
    await base.do(Withdraw, APPLICANT, **REASON)
    bank.behaviour = ["fail", "fail", "fail", "lose_reply", "process"]
    await base.do(RefundDeposit, FINANCE, amount=4_000_000, **REASON)
    await approved(base)
    (order,) = base.case.refunds
    await until(lambda: base.case.refunds[0].attempts == 1, "the bank found out of reach")
    assert bank.paid() == {} and base.case.deposit.refund_pending == 4_000_000
    await base.forward(timedelta(hours=1))
    await until(lambda: base.case.stage is Stage.CLOSED, "the refund paid and the case closed")
    assert await acts.ended(base) is WorkflowExecutionStatus.COMPLETED
    assert bank.paid() == {order.id: 4_000_000}
    deposit = base.case.deposit
    assert (deposit.received, deposit.refunded, deposit.held) == (4_000_000, 4_000_000, 0)
    assert acts.letters(base)[-2:] == ["refund_ordered", "refund_paid"]
    acts.check_books(base)


async def test_money_of_somebody_else_is_returned_while_the_application_goes_on(
    connected: Office, bank: BankSandbox
) -> None:
    base = await acts.in_deposit(connected)
    await acts.pay(base, 700, payer="somebody else", reference="U-7")
    bank.behaviour = ["refuse"]
    for attempt in (1, 2):
        await base.do(ReturnPayment, FINANCE, reference="U-7", **REASON)
        await approved(base)
        await until(lambda: base.case.deposit.return_pending == 0, f"answer {attempt}")
    assert [one.state for one in base.case.refunds] == ["refused", "paid"]
    assert bank.paid() == {base.case.refunds[1].id: 700}
    assert (base.case.stage, base.case.deposit.unmatched) == (Stage.DEPOSIT, 0)
    acts.check_books(base)
