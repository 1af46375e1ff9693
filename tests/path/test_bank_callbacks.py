"""What the bank tells, on the real server: each thing once on record, whatever happens to the messages (15, 17)."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from activities.bank import HttpBank
from audit.verifier import verify
from domain.commands import Actor, ApproveProposal, RefundDeposit, ReturnPayment, Withdraw
from domain.placing import NOBODYS, SEVERAL_NAMED, SEVERAL_PAYERS
from domain.refusals import RefusalKind
from domain.signing import secret_key, sign
from domain.stages import Role, Stage
from starter.bank_sandbox import BankSandbox
from store.auditing import AuditReader
from store.lists import unmatched_payments
from store.office import OFFICE
from tests.databases import Place
from tests.office import APPLICANT, FINANCE, REVIEWER, Base, Office, refused, until, working_office
from tests.path import acts, unplaced
from tests.workers.processes import free_port
from workers.callbacks import bank_callbacks
from workers.settings import WorkerSettings

ONLY_ON = "sqlite"
"""What differs between the databases is tested in tests/store."""

SECRET = f"whsec_{base64.b64encode(b's' * 32).decode()}"
OTHER = Actor(role=Role.FINANCE, name="tang")
REASON = {"reason": "退还"}
WHOLE = 10_000_000


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncIterator[BankSandbox]:
    async with BankSandbox(tmp_path / "bank" / "book.db") as bank:
        yield bank


@pytest.fixture
async def office(client: Client, place: Place, bank: BankSandbox) -> AsyncIterator[Office]:
    async with working_office(client, place, bank=HttpBank(bank.url, "")) as office, heard(office, bank):
        yield office


@asynccontextmanager
async def heard(office: Office, bank: BankSandbox) -> AsyncIterator[None]:
    """The office takes what the bank tells."""
    port = free_port()
    settings = WorkerSettings(
        **office.settings.model_dump(include={"database_url", "documents", "document_keys", "task_queue"}),
        bank_callback_port=port,
        bank_callback_secrets=SECRET,  # type: ignore[arg-type]
    )
    bank.telling.to(f"http://127.0.0.1:{port}/bank/events", SECRET)
    async with bank_callbacks(office.client, office.engine, settings):
        yield


def statuses(told: list[tuple[str, int]]) -> list[int]:
    return [status for _, status in told]


def paid_in(bank: BankSandbox, base: Base, amount: int, **more: Any) -> list[str]:
    return bank.pay_in(base.case.payer_names[0], amount, **{"note": base.case.case_number} | more)


async def test_a_deposit_told_in_parts_doubled_out_of_order_and_unheard_is_credited_once(
    office: Office, bank: BankSandbox
) -> None:
    base = await acts.in_deposit(office)
    references = paid_in(bank, base, WHOLE, parts=3, again=True)
    bank.deliveries[:] = ["hold", "lose_reply", "twice", "tell", "hold", "tell"]
    first = await bank.telling.deliver()
    assert statuses(first) == [0, 200, 200, 200, 200]
    assert sum(statuses(await bank.telling.deliver())) == 3 * 200 and bank.telling.waiting() == []
    payments = acts.recorded_payments(base)
    assert sorted(payment.reference for payment in payments) == sorted(references)
    assert (base.case.deposit.received, base.case.stage) == (WHOLE, Stage.CERTIFYING)
    received = [entry for entry in acts.timeline(base) if entry["event"] == "deposit_received"]
    assert {entry["actor"] for entry in received} == {"bank:callback"} and len(received) == 3
    acts.check_books(base)


@pytest.mark.parametrize("how", ["forge", "alter", "stale"])
async def test_what_the_bank_has_not_signed_now_leaves_nothing(office: Office, bank: BankSandbox, how: str) -> None:
    base = await acts.in_deposit(office)
    before = base.case
    paid_in(bank, base, WHOLE)
    bank.deliveries[:] = [how]
    assert statuses(await bank.telling.deliver()) == [401]
    assert base.case == before and not acts.recorded_payments(base)
    assert statuses(await bank.telling.deliver()) == [200], "told as it should be, it counts"
    assert base.case.deposit.received == WHOLE


async def test_money_is_placed_as_a_statement_s_is_and_what_fits_no_case_waits(
    office: Office, bank: BankSandbox
) -> None:
    base, other = await acts.in_deposit(office), await acts.in_deposit(office)
    payer = base.case.payer_names[0]
    bank.pay_in(payer, 1_000, note=f"保证金 {base.case.credit_code} 直播基地")
    bank.pay_in(payer, 2_000, note=f"{base.case.case_number} {other.case.case_number}")
    bank.pay_in("somebody else", 3_000, note="", again=True)
    bank.pay_in("somebody else", 4_000, note=base.case.case_number)
    bank.pay_in(payer, 5_000, note="LB-2020-999999")
    assert statuses(await bank.telling.deliver()) == [200] * 6, "two cases, none, one, two of one name"
    assert bank.telling.waiting() == []
    assert (base.case.deposit.received, base.case.deposit.unmatched) == (1_000, 4_000)
    assert other.case.deposit.received == other.case.deposit.unmatched == 0
    waiting = {row["amount"]["fen"]: row["why"] for row in unmatched_payments(office.reading) if not row["case_number"]}
    assert waiting == {2_000: SEVERAL_NAMED, 3_000: NOBODYS, 5_000: SEVERAL_PAYERS}
    acts.check_books(base)


async def test_money_for_a_closed_case_is_on_record_before_the_bank_hears_so(office: Office, bank: BankSandbox) -> None:
    base = await acts.in_deposit(office)
    await base.do(Withdraw, APPLICANT, **REASON)
    assert await acts.ended(base) is WorkflowExecutionStatus.COMPLETED
    paid_in(bank, base, 700, again=True)
    assert statuses(await bank.telling.deliver()) == [200, 200]
    assert (base.case.stage, base.case.deposit.unmatched) == (Stage.CLOSED, 700)
    assert len(acts.recorded_payments(base)) == 1
    acts.check_books(base)


async def ordered_refund(base: Base, amount: int = 4_000_000) -> str:
    await acts.pay(base, amount)
    await base.do(Withdraw, APPLICANT, **REASON)
    await base.do(RefundDeposit, FINANCE, amount=amount, **REASON)
    proposal = base.case.open_proposals[-1]
    await base.do(ApproveProposal, OTHER, proposal=proposal.id, content=proposal.content)
    return base.case.refunds[-1].id


async def test_a_refund_is_told_of_before_anybody_asks_again(office: Office, bank: BankSandbox) -> None:
    base = await acts.in_deposit(office)
    bank.behaviour = ["pay_later"]
    await ordered_refund(base)
    await until(lambda: base.case.refunds[0].attempts == 1, "the bank has taken the order")
    bank.deliveries[:] = ["twice"]
    assert statuses(await bank.telling.deliver()) == [200, 200]
    assert await acts.ended(base) is WorkflowExecutionStatus.COMPLETED
    assert (base.case.stage, base.case.deposit.refunded) == (Stage.CLOSED, 4_000_000)
    acts.check_books(base)


async def test_what_the_other_bank_sends_back_opens_the_closed_case_and_is_paid_anew(
    office: Office, bank: BankSandbox
) -> None:
    base = await acts.in_deposit(office)
    key = await ordered_refund(base)
    await until(lambda: base.case.stage is Stage.CLOSED, "paid")
    await acts.ended(base)
    assert bank.send_back(key)
    bank.deliveries[:] = ["hold"]
    assert statuses(await bank.telling.deliver()) == [200], "that it was paid is heard after it came back"
    assert statuses(await bank.telling.deliver()) == [200]
    assert (base.case.refunds[0].state, base.case.stage, base.case.deposit.held) == (
        "returned", Stage.SETTLING, 4_000_000,
    )  # fmt: skip
    acts.check_books(base)
    await base.do(RefundDeposit, FINANCE, amount=4_000_000, **REASON)
    proposal = base.case.open_proposals[-1]
    await base.do(ApproveProposal, OTHER, proposal=proposal.id, content=proposal.content)
    await until(lambda: base.case.stage is Stage.CLOSED, "paid anew")
    assert [one.state for one in base.case.refunds] == ["returned", "paid"]
    acts.check_books(base)


async def test_what_contradicts_the_record_is_refused_and_changes_nothing(office: Office, bank: BankSandbox) -> None:
    base = await acts.in_deposit(office)
    (reference,) = paid_in(bank, base, 1_000)
    assert statuses(await bank.telling.deliver()) == [200]
    before = base.case
    paid_in(bank, base, 2_000, reference=reference)
    paid_in(bank, base, 3_000, paid_at="2099-01-01")
    bank.telling.happened("refund.paid", key=f"{base.case.case_number}-9-R1", amount=5)
    bank.telling.happened("refund.paid", key="LB-2020-999999-9-R1", amount=5)
    assert statuses(await bank.telling.deliver()) == [409, 422, 404, 404]
    assert base.case == before
    acts.check_books(base)


async def test_with_nobody_at_work_the_bank_is_asked_to_tell_it_again(
    client: Client, place: Place, bank: BankSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.callbacks.PATIENCE", timedelta(seconds=2))
    office = Office(client, place)
    async with office.worker():
        base = await acts.in_deposit(office)
    async with heard(office, bank):
        paid_in(bank, base, WHOLE)
        assert statuses(await bank.telling.deliver()) == [503]
        assert base.case.deposit.received == 0
        async with office.worker():
            assert statuses(await bank.telling.deliver()) == [200]
    assert base.case.deposit.received == WHOLE and len(acts.recorded_payments(base)) == 1
    acts.check_books(base)
    office.close()


async def test_what_is_no_event_is_told_so(office: Office, bank: BankSandbox) -> None:
    async def said(body: bytes, id: str = "e1", method: str = "POST", at: timedelta = timedelta()) -> int:
        headers = sign(secret_key(SECRET), id, datetime.now(UTC) + at, body)
        async with httpx.AsyncClient(trust_env=False) as client:
            return (await client.request(method, bank.telling.url, headers=headers, content=body)).status_code

    event = (
        b'{"id": "e1", "type": "payment.received", "currency": "CNY", "reference": "B", "payer": "p", "amount": 1%s}'
    )
    for body in (
        b"", b"{", b"[]", b'{"id": "e1", "type": "dance"}', b"\xff", b"[" * 60_000,
        event % b'.5', event % b'e99', event.replace(b"1%s}", b"true}"), event.replace(b"1%s}", b'"1"}'),
        event.replace(b"CNY", b"USD") % b"", event.replace(b'"p"', b'"\\u0000"') % b"",
        event.replace(b'"p"', b'" "') % b"", event % b', "paid_at": "2026-02-30"', event % b', "paid_at": "9999-12-31"',
    ):  # fmt: skip
        assert await said(body) == 400, body[:60]
    assert await said(event % b"", id="e2") == 400, "another id than the event's"
    assert await said(b" " * 70_000) == 413
    assert await said(event % b"", method="GET") == 405
    assert await said(event % b"", at=timedelta(minutes=6)) == 401
    assert (await asyncio.gather(*(said(event % b"") for _ in range(5)))) == [200] * 5, "money of no case, once"
    assert len(unmatched_payments(office.reading)) == 1


async def test_money_of_no_case_goes_back_once_and_again_when_the_other_bank_sends_it_back(
    office: Office, bank: BankSandbox
) -> None:
    (reference,) = bank.pay_in("谁也不认识的公司", 7_000, again=True)
    assert statuses(await bank.telling.deliver()) == [200, 200]
    before = unplaced.of_nobody(office)
    async with refused(RefusalKind.ROLE_NOT_ALLOWED):
        await unplaced.record(office, unplaced.about(ReturnPayment, reference, REVIEWER, reference=reference, **REASON))
    bank.behaviour = ["lose_reply", "pay_later"]
    order = await unplaced.given_back(office, reference, OTHER)
    assert unplaced.of_nobody(office) == before - 7_000
    await until(lambda: bank.paid() == {order: 7_000}, "paid")
    bank.deliveries[:] = ["twice"]
    assert statuses(await bank.telling.deliver()) == [200, 200]
    assert unplaced.returning(office, reference).view.is_over
    first = await asyncio.wait_for(unplaced.handle(office, reference).result(), 20)
    assert (first.reference, first.case_number) == (reference, None)
    assert bank.send_back(order) and statuses(await bank.telling.deliver()) == [200]
    assert unplaced.returning(office, reference).left == 7_000, "the other bank sent it back: it waits again"
    bank.behaviour = ["refuse"]
    refusal = await unplaced.given_back(office, reference, OTHER)
    await until(lambda: unplaced.returning(office, reference).left == 7_000, "refused by the bank")
    again = await unplaced.given_back(office, reference, OTHER)
    await until(lambda: unplaced.returning(office, reference).view.is_over, "paid")
    assert len({order, refusal, again}) == 3 and bank.paid() == {again: 7_000}
    assert unplaced.of_nobody(office) == before - 7_000
    await asyncio.wait_for(unplaced.handle(office, reference).result(), 20)
    await bank.telling.deliver()
    assert bank.telling.waiting() == []
    report = verify(AuditReader(office.reading).records([OFFICE]))
    assert report.ok, report.broken
