"""The enterprise's verification on the real server: asked beside the review, looked at again beside the year (A1)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import Client

from activities.verification import HttpVerifier
from domain.commands import Acceptance, AcceptVerification, Approve, Certify
from domain.refusals import RefusalKind
from domain.stages import Role, Stage
from starter.verification_sandbox import VerificationSandbox
from store.queries import Reader
from tests.databases import Place
from tests.office import CERTIFIER, COMPLIANCE, REVIEWER, Base, Office, refused, until, working_office
from tests.path import acts
from workflows.verification import VERIFYING, VerificationOrders

ONLY_ON = "sqlite"
"""What differs between the databases is tested in tests/store."""

A1 = (Acceptance(condition="A1", reason="the licence shows it"),)


@pytest.fixture
async def sandbox() -> AsyncIterator[VerificationSandbox]:
    async with VerificationSandbox() as sandbox:
        yield sandbox


@pytest.fixture
async def office(client: Client, place: Place, sandbox: VerificationSandbox) -> AsyncIterator[Office]:
    async with working_office(client, place, verifier=HttpVerifier(sandbox.url, "")) as office:
        yield office


async def applied(office: Office, sandbox: VerificationSandbox, says: str) -> Base:
    base = office.base()
    sandbox.says[base.credit_code] = says
    await base.apply()
    return base


async def later(base: Base, days: int) -> None:
    """So many days on, as `livebase fast-forward` does it."""
    await base.forward(timedelta(days=days))
    base.office.cases.record_clock(base.workflow_id, await base.now() - datetime.now(UTC))


def checks(base: Base) -> list[Role]:
    return [task.role for task in base.case.tasks if task.kind == "check_verification"]


def heard(base: Base) -> str:
    known = base.case.verification
    return known.result if known else "nobody asked"


@pytest.mark.parametrize("says", ["verified", "slow"])
async def test_who_approves_at_once_has_the_answer_waited_for(
    office: Office, sandbox: VerificationSandbox, says: str
) -> None:
    base = await applied(office, sandbox, says)
    await base.do(Approve, REVIEWER, revision=1)
    assert (heard(base), base.case.stage) == ("verified", Stage.DEPOSIT)
    assert acts.events(base)[:3] == ["application_received", "enterprise_verified", "application_approved"]
    assert sandbox.asked[base.credit_code] == 1
    acts.check_books(base)


async def test_not_verified_it_is_not_approved_and_unanswered_a_person_decides(
    office: Office, sandbox: VerificationSandbox
) -> None:
    base, other = await applied(office, sandbox, "not_verified"), await applied(office, sandbox, "down")
    async with refused(RefusalKind.CONDITION_FAILED):
        await base.do(Approve, REVIEWER, revision=1, accepted=A1)
    await until(lambda: heard(other) == "unanswered", "three tries")
    async with refused(RefusalKind.ACCEPTANCE_MISSING):
        await other.do(Approve, REVIEWER, revision=1)
    await other.do(Approve, REVIEWER, revision=1, accepted=A1)
    assert sandbox.asked[other.credit_code] == 3 and other.case.stage is Stage.DEPOSIT
    assert Reader(office.reading).findings(other.case.case_number)[0]["outcome"] == "person"
    for one in (base, other):
        acts.check_books(one)


async def test_unanswered_it_is_asked_again_and_the_review_goes_on(
    office: Office, sandbox: VerificationSandbox
) -> None:
    base = await applied(office, sandbox, "garbled")
    await until(lambda: heard(base) == "unanswered", "three tries")
    sandbox.says[base.credit_code] = "verified"
    await base.forward(timedelta(hours=1))
    await until(lambda: heard(base) == "verified", "asked again")
    await base.do(Approve, REVIEWER, revision=1)
    assert base.case.stage is Stage.DEPOSIT


async def in_its_year(office: Office, sandbox: VerificationSandbox) -> Base:
    """Certified half a year ago."""
    base = await applied(office, sandbox, "verified")
    await base.do(Approve, REVIEWER, revision=1)
    await acts.pay(base)
    await base.do(Certify, CERTIFIER)
    await until(lambda: base.case.stage is Stage.VALID, "published")
    await later(base, 190)
    return base


async def test_half_a_year_on_a_base_is_looked_at_again_and_its_run_sleeps_on_unless_it_fails(
    office: Office, sandbox: VerificationSandbox
) -> None:
    base, other = await in_its_year(office, sandbox), await in_its_year(office, sandbox)
    sandbox.says[other.credit_code] = "name_mismatch"
    written = (await base.handle.describe()).history_length
    queue = office.settings.task_queue
    looking = await office.client.start_workflow(VERIFYING, VerificationOrders(), id=f"{queue}-look", task_queue=queue)
    try:
        await until(lambda: acts.events(base)[-1] == "enterprise_verified", "looked at again")
        assert (await base.handle.describe()).history_length == written, "its run has slept on"
        await until(lambda: checks(other), "a person is to look")
        case = other.case
        assert case.stage is Stage.VALID and not case.holds and case.ending is None, "nothing is taken away"
        assert acts.letters(other)[-2:] == ["verification_failed", "verification_failed"]
        await other.do(AcceptVerification, COMPLIANCE, reason="renamed last month")
        assert not checks(other) and heard(other) == "accepted"
        assert await acts.known_to_workflow(other) == other.case
        asked = sandbox.asked.copy()
        await asyncio.sleep(2.5)
        assert sandbox.asked == asked == {base.credit_code: 2, other.credit_code: 2}, "nobody is due"
    finally:
        await looking.terminate()
    for one in (base, other):
        acts.check_books(one)
