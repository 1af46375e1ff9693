"""The quiet path, end to end on the real server: from the application to what outlives the first year."""

from __future__ import annotations

from datetime import timedelta

from domain import quarter
from domain.commands import Approve, Certify, ConfirmMarks, ReceiveDeposit, TakeReview
from domain.planning import Event
from domain.stages import Role, Stage, Standing
from tests.office import APPLICANT, CERTIFIER, FINANCE, REVIEWER, Base, Office, example, until

PAYER = example().application.entity.name


async def test_a_base_goes_from_application_to_the_end_of_its_first_year(office: Office) -> None:
    await live_through_the_first_year(office)


async def live_through_the_first_year(office: Office) -> Base:
    """Everything people do and everything that comes of itself, checked at every step."""
    base = office.base()
    opened = await base.apply()
    assert (opened.stage, opened.standing, opened.awaiting) == (Stage.REVIEW, Standing.APPLICANT, Role.REVIEWER)
    assert opened.revision == 1

    await base.do(TakeReview, REVIEWER)
    approved = await base.do(Approve, REVIEWER, revision=1)
    assert (approved.stage, approved.awaiting) == (Stage.DEPOSIT, Role.APPLICANT)

    half = await base.do(ReceiveDeposit, FINANCE, amount=4_000_000, reference=f"{base.credit_code}-1", payer=PAYER)
    assert half.stage is Stage.DEPOSIT
    full = await base.do(ReceiveDeposit, FINANCE, amount=6_000_000, reference=f"{base.credit_code}-2", payer=PAYER)
    assert (full.stage, full.awaiting) == (Stage.CERTIFYING, Role.CERTIFIER)

    certified = await base.do(Certify, CERTIFIER)
    assert (certified.stage, certified.standing) == (Stage.PUBLISHING, Standing.CERTIFIED)

    await until(lambda: base.case.stage is Stage.VALID, "published")
    case = base.case
    assert case.publication is not None and case.publication.state == "published" and not case.publication.breached
    assert case.awaiting is Role.NOBODY and case.due_at is None
    assert case.term is not None

    await base.forward_to(case.term.until - timedelta(minutes=5))
    assert base.case.standing(await base.now()) is Standing.CERTIFIED
    ahead = {planned.event for planned in base.case.plan}
    assert ahead - {*quarter.EVENTS} == {Event.EXPIRE_CERTIFICATION}
    assert Event.ESCALATE_ASSESSMENT in ahead, "nobody has imported its figures"
    assert base.case.due_at is None

    await base.forward_to(case.term.until)
    ended = base.case
    assert ended.stage is Stage.SETTLING and ended.awaiting is Role.APPLICANT
    assert ended.ending is not None and ended.ending.legal_at == case.term.until
    assert ended.publication is not None and ended.publication.state == "withdrawn"

    evidence = base.documents.put(b"%PDF-1.4 marks removed %%EOF")
    settled = await base.do(ConfirmMarks, APPLICANT, evidence=(evidence,))
    assert (settled.stage, settled.standing, settled.awaiting) == (Stage.SETTLING, Standing.EXPIRED, Role.FINANCE)
    assert base.case.deposit.held == 10_000_000
    return base
