"""Money of no case, recorded as an import does."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from temporalio.client import WithStartWorkflowOperation, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError

from domain.commands import (
    Actor,
    ApproveProposal,
    RecordUnplaced,
    ReturnPayment,
    UnplacedAnswer,
    payment_workflow_id,
)
from domain.returning import Unplaced, order_of
from domain.shanghai import shanghai_date
from store import tables
from store.payments import PaymentStore
from tests.office import FINANCE, Office, patiently
from workflows.messages import UNPLACED_WORKFLOW, refusal_from
from workflows.state import UnplacedResult, UnplacedState

_requests = itertools.count(1)


def about(kind: Any, payment: str, /, actor: Actor = FINANCE, **fields: Any) -> Any:
    """A command about the return of a payment."""
    given = {"request_id": f"unplaced-{next(_requests)}", **fields}
    return kind(workflow_id=payment_workflow_id(payment), actor=actor, **given)


def returning(office: Office, reference: str) -> Unplaced:
    """How the return of a payment stands."""
    found = PaymentStore(office.reading).unplaced(reference)
    assert found is not None
    return found


async def given_back(office: Office, reference: str, second: Actor) -> str:
    """Its return proposed and approved: the order's id."""
    await record(office, about(ReturnPayment, reference, reference=reference, reason="不属于任何基地"))
    proposed = returning(office, reference).open
    assert proposed is not None
    named = {"proposal": proposed.proposal, "content": proposed.content}
    await record(office, about(ApproveProposal, reference, second, **named))
    return order_of(proposed.proposal)


def payment(reference: str, amount: int = 10_000_000, actor: Actor = FINANCE, **fields: Any) -> Any:
    given = {"request_id": f"unplaced-{next(_requests)}", "payer": "谁也不认识的公司", "why": "nobody's", **fields}
    return RecordUnplaced(
        workflow_id=payment_workflow_id(reference),
        actor=actor,
        reference=reference,
        amount=amount,
        paid_on=given.pop("paid_on", shanghai_date(datetime.now(UTC))),
        **given,
    )


async def record(office: Office, command: Any, sending: str = "") -> UnplacedAnswer:
    """By update-with-start; a refusal is raised as one."""
    sending = sending or f"test-{next(_requests)}"

    async def once() -> UnplacedAnswer:
        start = WithStartWorkflowOperation(
            UNPLACED_WORKFLOW,
            UnplacedState(),
            id=command.workflow_id,
            task_queue=office.settings.task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
        answer: UnplacedAnswer = await office.client.execute_update_with_start_workflow(
            command.action,
            command,
            start_workflow_operation=start,
            id=command.update_id(sending),
            result_type=UnplacedAnswer,
        )
        return answer

    try:
        return await patiently(once)
    except WorkflowUpdateFailedError as error:
        if isinstance(error.cause, ApplicationError) and (refusal := refusal_from(error.cause)) is not None:
            raise refusal from None
        raise


def handle(office: Office, reference: str) -> WorkflowHandle[Any, UnplacedResult]:
    return office.client.get_workflow_handle(payment_workflow_id(reference), result_type=UnplacedResult)


def of_nobody(office: Office) -> int:
    """What stands on the account of no case, in fen."""
    line = tables.LedgerLine
    with Session(office.reading) as session:
        came, went = (
            session.scalar(select(func.coalesce(func.sum(line.amount), 0)).where(side == "unplaced")) or 0
            for side in (line.credit_account, line.debit_account)
        )
    return int(came) - int(went)
