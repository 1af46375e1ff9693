"""What the tests of the path have in common: bases brought to a stage, and what the store says of them."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError

from audit.verifier import verify
from domain.case import Case
from domain.commands import (
    Actor,
    Answer,
    Apply,
    Approve,
    ApproveProposal,
    Certify,
    Missing,
    ReceiveDeposit,
    Reject,
    RequestSupplement,
    Supplement,
)
from domain.complaints import read_complaint
from domain.planning import Event
from domain.shanghai import shanghai_date
from domain.stages import Stage
from domain.submission import Submission
from store import tables
from store.auditing import AuditReader
from store.complaints import ComplaintBox, public_half, seal
from store.queries import Reader
from tests.office import APPLICANT, CERTIFIER, FINANCE, REVIEWER, Base, Office, example, until
from tests.path.on_record import IN_PUBLISHING, IN_VALID, put_on_record, take_up
from workflows.state import CertificationState

PAYER = example().application.entity.name
FULL = 10_000_000
FLOOR_PLAN = (Missing(condition="A4.area", what="a floor plan"),)


async def in_review(office: Office) -> Base:
    return await office.applied()


async def in_supplement(office: Office) -> Base:
    base = await in_review(office)
    await base.do(RequestSupplement, REVIEWER, revision=1, items=FLOOR_PLAN)
    return base


async def in_deposit(office: Office) -> Base:
    base = await in_review(office)
    await base.do(Approve, REVIEWER, revision=1)
    return base


async def in_certifying(office: Office) -> Base:
    base = await in_deposit(office)
    await pay(base)
    return base


async def in_publishing(office: Office) -> Base:
    """Certified; with a channel that works it is published at once."""
    base = await in_certifying(office)
    await base.do(Certify, CERTIFIER)
    return base


async def in_failing_publication(office: Office) -> Base:
    """Certified, and the channel does not take it."""
    base = await in_publishing(office)
    await until(lambda: events(base)[-1] == "publication_attempt_failed", "the first attempt")
    return base


async def in_appeal_window(office: Office) -> Base:
    base = await in_review(office)
    await base.do(Reject, REVIEWER, revision=1, reason="the rooms are a warehouse")
    return base


def lapses_at(base: Base) -> datetime:
    """When the application lapses without the deposit."""
    return next(planned.at for planned in base.case.plan if planned.event is Event.LAPSE_DEPOSIT)


async def in_valid(office: Office) -> Base:
    base = await in_publishing(office)
    await until(lambda: base.case.stage is Stage.VALID, "published")
    return base


def payment(base: Base, amount: int = FULL, reference: str = "", payer: str = PAYER, **fields: Any) -> Any:
    """A payment as finance reports it; the reference is the base's own unless given."""
    reference = reference or f"{base.credit_code}-1"
    return base.command(ReceiveDeposit, FINANCE, amount=amount, reference=reference, payer=payer, **fields)


async def pay(base: Base, amount: int = FULL, reference: str = "", **fields: Any) -> Answer:
    return await base.send(payment(base, amount, reference, **fields))


def changed(base: Base, name: str = "passes", *, base_name: str | None = None, **entity: Any) -> str:
    """An example's submission under the base's credit code with some fields changed, handed over; its sha256."""
    submission = example(name, credit_code=base.credit_code)
    application = submission.application
    update: dict[str, Any] = {"entity": application.entity.model_copy(update=entity)}
    if base_name is not None:
        update["base"] = application.base.model_copy(update={"name": base_name})
    return base.hand_over(submission.model_copy(update={"application": application.model_copy(update=update)}))


def renamed(base: Base, name: str) -> str:
    """The base's newest submission with another name of the base and nothing else changed, handed over; its sha256."""
    case = base.case
    before = Reader(base.office.reading).submission(case.case_number, case.revision)
    assert before is not None
    submission = Submission.from_bytes(base.documents.get(before), today=date.max)
    section = submission.application.base.model_copy(update={"name": name})
    application = submission.application.model_copy(update={"base": section})
    return base.hand_over(submission.model_copy(update={"application": application}))


def approval(base: Base, who: Actor = CERTIFIER) -> Any:
    """The command that approves what waits for a second person, as it is."""
    (proposal,) = base.case.open_proposals
    return base.command(ApproveProposal, who, proposal=proposal.id, content=proposal.content)


async def supplement(base: Base, **fields: Any) -> Answer:
    return await base.do(Supplement, APPLICANT, submission=changed(base, **fields))


def complained(base: Base, text: str = "直播间有人索要开通费") -> str:
    """A complaint of the public about a certified base, as the site puts it on record; its reference."""
    term = base.case.term
    assert term is not None
    complaint = read_complaint(term.certificate_number, {"text": text, "contact": "13800000000"})
    reference, private = complaint.reference(b"tests"), base.documents.letterbox()
    assert private is not None
    box = ComplaintBox(base.office.engine)
    box.put(reference, term.certificate_number, seal(complaint, reference, public_half(private)), datetime.now(UTC))
    return reference


def timeline(base: Base) -> list[dict[str, Any]]:
    return Reader(base.office.reading).timeline(base.case.case_number)


def events(base: Base) -> list[str]:
    return [entry["event"] for entry in timeline(base)]


def letters(base: Base, kind: str | None = None) -> list[str]:
    """The kinds of the letters written, first to last."""
    written = Reader(base.office.reading).letters(base.case.case_number)
    return [letter["kind"] for letter in written if kind in (None, letter["kind"])]


def list_revisions(base: Base) -> list[tuple[int, str]]:
    """The base's revisions on the official list."""
    rows = select(tables.ListRow.revision, tables.ListRow.state).where(
        tables.ListRow.case_number == base.case.case_number
    )
    with Session(base.office.reading) as session:
        return [(row.revision, row.state) for row in session.execute(rows.order_by(tables.ListRow.revision))]


def recorded_payments(base: Base) -> list[tables.PaymentRow]:
    with Session(base.office.reading) as session:
        rows = select(tables.PaymentRow).where(tables.PaymentRow.case_number == base.case.case_number)
        return list(session.scalars(rows.order_by(tables.PaymentRow.at)))


def booked(base: Base, account: str) -> int:
    """What stands on one of the base's accounts by the ledger, in fen."""
    line, name = tables.LedgerLine, f"{account}:{base.case.case_number}"
    with Session(base.office.reading) as session:
        came, went = (
            session.scalar(select(func.coalesce(func.sum(line.amount), 0)).where(side == name)) or 0
            for side in (line.credit_account, line.debit_account)
        )
    return came - went


def remembered(base: Base, request_id: str) -> int:
    """How often the store has a request's answer: once or never."""
    with Session(base.office.reading) as session:
        rows = select(func.count()).select_from(tables.CommandRow).where(tables.CommandRow.request_id == request_id)
        return session.scalar(rows) or 0


def check_books(base: Base) -> None:
    """Nothing lost, nothing doubled: the audit chain is whole and the ledger's sums are the case's."""
    while True:
        case = base.case
        report = verify(AuditReader(base.office.reading).records([case.case_number]))
        entries, sums = len(timeline(base)), (booked(base, "deposit"), booked(base, "unmatched"))
        if base.case == case:  # else it went on while it was looked at
            break
    assert report.ok, report.broken
    assert report.entries == case.sequence == entries
    assert sums == (case.deposit.available, case.deposit.unmatched)


async def known_to_workflow(base: Base) -> Case | None:
    """The case as the newest run knows it."""
    for _ in range(100):
        try:
            case: Case | None = await base.handle.query("case", result_type=Case | None)
            return case
        except RPCError as error:  # continued as new a moment ago: "Workflow task is not scheduled yet."
            if "not scheduled yet" not in str(error):
                raise
        await asyncio.sleep(0.05)
    raise AssertionError("no task for the new run")


async def ended(base: Base) -> WorkflowExecutionStatus:
    """Wait for the end of the workflow."""
    await base.handle.result()
    status = (await base.handle.describe()).status
    assert status is not None
    return status


def today(base: Base) -> date:
    """The Shanghai date on which the case was opened."""
    return shanghai_date(base.case.opened_at)


def apply_command(base: Base, *, submission: str, actor: Actor = APPLICANT, request_id: str | None = None) -> Any:
    fields = {"credit_code": base.credit_code, "ordinal": base.ordinal, "submission": submission}
    return base.command(Apply, actor, request_id, **fields)


async def start(base: Base, command: Any, *, reopened: bool = False) -> Answer:
    """Send a command with the start of the workflow."""
    return await base.send_with_start(command, CertificationState(reopened=reopened))


async def resumed(office: Office, opened_at: datetime, *, published: bool) -> Base:
    """A base certified at `opened_at` in the past, whose workers have been down since; a run takes it up now."""
    base = office.base()
    case = put_on_record(base, IN_VALID if published else IN_PUBLISHING, opened_at)
    await take_up(base, case)
    return base
