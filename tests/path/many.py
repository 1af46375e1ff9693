"""Many live cases at once, in all stages that wait: records by the rules, runs as if continued as new."""

from __future__ import annotations

import asyncio
from datetime import datetime

from domain import certification, deposit, opening, publication, review
from domain.case import Case
from domain.commands import Apply, Approve, Certify, Missing, ReceiveDeposit, RequestSupplement
from domain.records import Transition
from domain.setting import Setting
from domain.stages import Stage
from domain.submission import Submission
from store.reference import policy_book, shipped_calendar
from tests.office import APPLICANT, CERTIFIER, FINANCE, REVIEWER, Base, Office, example
from workflows.state import CertificationState

STAGES = (Stage.REVIEW, Stage.SUPPLEMENT, Stage.DEPOSIT, Stage.CERTIFYING, Stage.VALID)
"""The stages the cases are in, one after the other; a valid one has no deadline on the calendar."""
_AT_ONCE = 50


async def live_cases(office: Office, count: int, now: datetime) -> list[Base]:
    """`count` bases that applied at `now` on the shipped calendar, their workflows running."""
    submission = example()
    turn = asyncio.Semaphore(_AT_ONCE)

    async def start(number: int) -> Base:
        base = office.base()
        case = _stored(base, f"LB-{now.year}-{number + 1:06}", STAGES[number % len(STAGES)], submission, now)
        async with turn:
            await office.client.start_workflow(
                "Certification",
                CertificationState(case=case),
                id=base.workflow_id,
                task_queue=office.settings.task_queue,
            )
        return base

    return list(await asyncio.gather(*(start(number) for number in range(count))))


def _stored(base: Base, number: str, stage: Stage, example: Submission, now: datetime) -> Case:
    """The case brought to a stage by the rules, in one transaction."""
    entity = example.application.entity.model_copy(update={"credit_code": base.credit_code})
    application = example.application.model_copy(update={"entity": entity})
    submission = example.model_copy(update={"application": application})
    setting = Setting(now, policy_book().in_force(now.date()), shipped_calendar())
    with base.office.cases.transaction(base.workflow_id) as tx:

        def write(transition: Transition) -> Case:
            tx.write(transition)
            return transition.case

        apply = base.command(
            Apply, APPLICANT, credit_code=base.credit_code, ordinal=base.ordinal, submission=submission.sha256
        )
        case = write(opening.open_case(apply, number, submission, setting))
        if stage is Stage.SUPPLEMENT:
            items = (Missing(condition="A4.area", what="a floor plan"),)
            request = base.command(RequestSupplement, REVIEWER, revision=1, items=items)
            return write(review.request_supplement(case, request, setting))
        if stage is Stage.REVIEW:
            return case
        case = write(review.approve(case, base.command(Approve, REVIEWER, revision=1), submission, setting))
        if stage is Stage.DEPOSIT:
            return case
        paid = {"amount": 10_000_000, "reference": base.credit_code, "payer": entity.name}
        case = write(deposit.receive(case, base.command(ReceiveDeposit, FINANCE, **paid), None, None, setting))
        if stage is Stage.CERTIFYING:
            return case
        certificate = number.replace("LB-", "LBC-")
        case = write(certification.certify(case, base.command(Certify, CERTIFIER), certificate, setting))
        return write(publication.published(case, setting))
