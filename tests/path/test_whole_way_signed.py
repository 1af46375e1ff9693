"""From the application to the refund with a deduction on the way, every act signed by somebody else: what is left.

The log proves itself and who acted, and the bank's book and ours are the same (decisions 15 to 17, 29, 33).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio.client import Client

from activities.bank import HttpBank
from domain.bank_statement import StatementLine
from domain.commands import (
    Actor,
    Approve,
    ApproveProposal,
    Certify,
    ConfirmMarks,
    DeductDeposit,
    RefundDeposit,
    Surrender,
)
from domain.reconciling import compare
from domain.shanghai import shanghai_date
from domain.stages import Role, Stage
from starter.bank_sandbox import BankSandbox
from starter.proving import prove_database, prove_signatures
from store.actors import ActorStore
from store.payments import payments_of, refunds_paid
from store.signatures import new_key, public_key
from tests.databases import Place
from tests.office import APPLICANT, CERTIFIER, COMPLIANCE, FINANCE, REVIEWER, Base, Office, until, working_office
from tests.path import acts
from tests.path.test_conduct import PUT_RIGHT, accused
from tests.path.test_signed import ADMIN, change

ONLY_ON = "postgresql"
"""What differs between the databases is tested in tests/store."""

SECOND, THIRD = Actor(role=Role.FINANCE, name="tang"), Actor(role=Role.COMPLIANCE, name="feng")
PEOPLE = (APPLICANT, REVIEWER, FINANCE, SECOND, CERTIFIER, COMPLIANCE, THIRD)
WHOLE, PART = 10_000_000, 1_500_000
REASON = {"reason": "证据充分"}


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncIterator[BankSandbox]:
    async with BankSandbox(tmp_path / "bank" / "book.db") as bank:
        yield bank


@pytest.fixture
async def office(client: Client, place: Place, bank: BankSandbox) -> AsyncIterator[Office]:
    """One in which everybody has a key and signs with it."""
    async with working_office(client, place, bank=HttpBank(bank.url, "")) as office:
        office.keys = {actor.name: new_key() for actor in (ADMIN, *PEOPLE)}
        ActorStore(office.engine).appoint(ADMIN.name, public_key(office.keys[ADMIN.name]), datetime.now(UTC))
        for actor in PEOPLE:
            public = public_key(office.keys[actor.name])
            await change(office, ADMIN, "add", actor.name, key=public, roles=(actor.role.value,))
        yield office


async def approved(base: Base, by: Actor) -> None:
    (proposal,) = base.case.open_proposals
    await base.do(ApproveProposal, by, proposal=proposal.id, content=proposal.content)


async def test_from_the_application_to_the_refund_with_a_deduction_on_the_way(
    office: Office, bank: BankSandbox
) -> None:
    base = await office.applied()
    await base.do(Approve, REVIEWER, revision=base.case.revision)
    await acts.pay(base, WHOLE, "B-1")
    await base.do(Certify, CERTIFIER)
    await until(lambda: base.case.stage is Stage.VALID, "published")

    violation = await accused(base)
    await violation.respond()
    await violation.decide("rectification")
    await violation.respond(PUT_RIGHT)
    await violation.decide("rectified")
    await base.do(DeductDeposit, FINANCE, amount=PART, violation=violation.id, **REASON)
    await approved(base, SECOND)
    assert base.case.deposit.held == WHOLE - PART
    await acts.pay(base, PART, "B-2")

    await base.do(Surrender, APPLICANT, **REASON)
    evidence = base.documents.put(b"%PDF-1.4 the signs are taken down %%EOF")
    await base.do(ConfirmMarks, APPLICANT, evidence=(evidence,))
    await base.forward(timedelta(days=45))
    await base.do(RefundDeposit, SECOND, amount=WHOLE, **REASON)
    await approved(base, THIRD)
    await until(lambda: base.case.stage is Stage.CLOSED, "refunded and closed")

    deposit = base.case.deposit
    assert (deposit.received, deposit.deducted, deposit.refunded, deposit.held) == (WHOLE + PART, PART, WHOLE, 0)
    assert sum(bank.paid().values()) == WHOLE
    acts.check_books(base)
    assert prove_database(office.engine).broken == []
    signed = prove_signatures(office.engine)
    assert (signed.broken, signed.unsigned) == ([], 0) and signed.signed == len(PEOPLE) + len(by_people(base))
    assert statement_against_ours(office, bank, base) == ()


def by_people(base: Base) -> list[str]:
    return [entry["event"] for entry in acts.timeline(base) if entry["actor"] != "system"]


def statement_against_ours(office: Office, bank: BankSandbox, base: Base) -> tuple[object, ...]:
    """The bank's statement of the whole time, against our book."""
    came = [(row.reference, row.amount, row.payer, row.value_date) for row in acts.recorded_payments(base)]
    assert [(reference, amount) for reference, amount, _, _ in came] == [("B-1", WHOLE), ("B-2", PART)]
    paid = refunds_paid(office.engine, shanghai_date(base.case.opened_at), shanghai_date(base.case.opened_at) + YEAR)
    went = [(key, -amount, "the bank", paid[0].paid_on) for key, amount in bank.paid().items()]
    lines = [
        StatementLine(line=number, reference=reference, amount=amount, payer=payer, paid_on=day)
        for number, (reference, amount, payer, day) in enumerate((*came, *went), 2)
    ]
    first, last = min(line.paid_on for line in lines), max(line.paid_on for line in lines)
    ours = payments_of(office.engine, first, last, [line.reference for line in lines])
    return compare(lines, ours, paid)


YEAR = timedelta(days=366)
