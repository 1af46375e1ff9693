"""An overseas entity with the mainland enterprise it entrusts, through the first year on the real server (A1)."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.commands import Approve, Certify, ConfirmMarks, Missing, RequestSupplement, Supplement, Withdraw
from domain.refusals import RefusalKind
from domain.stages import Role, Stage, Standing
from store import tables
from store.queries import Reader
from tests.office import APPLICANT, CERTIFIER, REVIEWER, Base, Office, example, refused, until
from tests.path import acts

ONLY_ON = "postgresql"
"""What differs between the databases is tested in tests/store, and by requests and payments at once on both."""

ENTITY, ENTRUSTED, RENAMED = "Cloudport Live (HK) Limited", "深圳云港电子商务有限公司", "深圳云港数字商务有限公司"


def with_the_entrusted_enterprise_renamed(base: Base) -> str:
    """The base's application with another name of the same mainland enterprise, handed over; its sha256."""
    submission = example("overseas", credit_code=base.credit_code)
    entrusted = submission.application.entrusted_enterprise
    assert entrusted is not None
    update = {"entrusted_enterprise": entrusted.model_copy(update={"name": RENAMED})}
    application = submission.application.model_copy(update=update)
    return base.hand_over(submission.model_copy(update={"application": application}))


def listed(base: Base) -> list[tuple[str, str]]:
    with Session(base.office.reading) as session:
        rows = select(tables.ListRow).where(tables.ListRow.case_number == base.case.case_number)
        return [(row.state, row.name) for row in session.scalars(rows.order_by(tables.ListRow.revision))]


async def test_an_overseas_base_goes_from_application_to_the_end_of_its_first_year(office: Office) -> None:
    base = await office.applied("overseas")
    assert base.case.credit_code == base.credit_code, "the entrusted enterprise's"
    assert (base.case.payer_names, base.case.entrusted) == ((ENTITY, ENTRUSTED), ENTRUSTED)

    missing = (Missing(condition="A1", what="the entrusted enterprise's new business licence"),)
    await base.do(RequestSupplement, REVIEWER, revision=1, items=missing)
    answered = await base.do(Supplement, APPLICANT, submission=with_the_entrusted_enterprise_renamed(base))
    assert (answered.stage, answered.revision) == (Stage.REVIEW, 2)
    await base.do(Approve, REVIEWER, revision=2)

    pays = {"CLOUDPORT LIVE (HK) LTD": 4_000_000, "Somebody Else Ltd": 500, f" {RENAMED}": 6_000_000, ENTRUSTED: 700}
    stages = [
        (await acts.pay(base, amount, f"{base.credit_code}-{n}", payer=payer)).stage
        for n, (payer, amount) in enumerate(pays.items())
    ]
    assert stages == [Stage.DEPOSIT, Stage.DEPOSIT, Stage.CERTIFYING, Stage.CERTIFYING]
    assert (base.case.deposit.held, base.case.deposit.unmatched) == (acts.FULL, 1200)
    assert [payment.why for payment in acts.recorded_payments(base)] == [
        "", "from another payer", "", "from another payer",
    ]  # fmt: skip

    await base.do(Certify, CERTIFIER)
    await until(lambda: base.case.stage is Stage.VALID, "published")
    term = base.case.term
    assert term is not None
    await base.forward_to(term.until)
    evidence = base.documents.put(b"%PDF-1.4 marks removed %%EOF")
    settled = await base.do(ConfirmMarks, APPLICANT, evidence=(evidence,))
    assert (settled.stage, settled.standing, settled.awaiting) == (Stage.SETTLING, Standing.EXPIRED, Role.FINANCE)
    name = example("overseas", credit_code=base.credit_code).application.base.name
    assert listed(base) == [("published", name), ("withdrawn", name)], "the base, not who stands behind it"
    letters = Reader(office.reading).letters(base.case.case_number)
    told = [letter["body"] for letter in letters if letter["recipient"] == "applicant"]
    assert len(told) > 6 and all(f"申请主体:{ENTITY}\n受托企业:" in body for body in told)
    acts.check_books(base)


async def test_whoever_entrusts_it_an_enterprise_has_one_live_case(office: Office) -> None:
    """Decision 8 by the entrusted enterprise's code: neither its own base nor another entity's comes beside it."""
    base = await office.applied("overseas")
    own = office.base(credit_code=base.credit_code, ordinal=2)
    for name in ("passes", "overseas"):
        async with refused(RefusalKind.CASE_EXISTS) as info:
            await own.apply(name)
        assert base.credit_code in info.value.message and base.case.case_number in info.value.message
    assert own.no_case
    await base.do(Withdraw, APPLICANT, reason="other plans")
    assert (await own.apply("passes")).stage is Stage.REVIEW
    assert own.case.entrusted is None, "a base of its own now"


@pytest.mark.parametrize("payer", [ENTITY, ENTRUSTED])
async def test_either_party_alone_may_pay_the_whole(office: Office, payer: str) -> None:
    base = await office.applied("overseas")
    await acts.pay(base, payer=payer)
    approved = await base.do(Approve, REVIEWER, revision=1)
    assert (approved.stage, base.case.deposit.unmatched) == (Stage.CERTIFYING, 0)
