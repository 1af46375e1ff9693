"""Importing calendar notices as the operator does."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from temporalio.client import WithStartWorkflowOperation, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError

from domain.commands import Actor, ImportAnswer, ImportCalendar, import_workflow_id
from domain.notices import Notice
from domain.shanghai import shanghai_date
from tests.domain.notices import complete
from tests.office import OPERATOR, Office, patiently
from workflows.messages import IMPORT_WORKFLOW, refusal_from
from workflows.state import ImportResult, ImportState

_numbers = itertools.count(1)


def today() -> date:
    """The Shanghai date of the wall clock, which a notice must not be published after."""
    return shanghai_date(datetime.now(UTC))


def issued(year: int, off: Iterable[date] = ()) -> Notice:
    """A complete notice published today, like no other: a workflow's id is its hash, and tests share a server."""
    source = f"国务院办公厅关于{year}年假期的通知(第{next(_numbers)}号)"
    return complete(year, off=off, published_on=today().isoformat(), source=source)


def days_off(count: int) -> Notice:
    """A notice that makes the next days off, whatever was known before."""
    first = today() + timedelta(days=1)
    return issued(first.year, [first + timedelta(days=number) for number in range(count)])


def command(notice: Notice, request_id: str, actor: Actor = OPERATOR, **changes: Any) -> ImportCalendar:
    fields = {"workflow_id": import_workflow_id(notice.reference), "content": notice.canonical()} | changes
    return ImportCalendar(request_id=request_id, actor=actor, **fields)


async def send(office: Office, command: ImportCalendar, sending: str = "test") -> ImportAnswer:
    """Import by update-with-start; a refusal is raised as one."""

    async def once() -> ImportAnswer:
        start = WithStartWorkflowOperation(
            IMPORT_WORKFLOW,
            ImportState(),
            id=command.workflow_id,
            task_queue=office.settings.task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
        answer: ImportAnswer = await office.client.execute_update_with_start_workflow(
            command.action,
            command,
            start_workflow_operation=start,
            id=command.update_id(sending),
            result_type=ImportAnswer,
        )
        return answer

    try:
        return await patiently(once)
    except WorkflowUpdateFailedError as error:
        if isinstance(error.cause, ApplicationError) and (refusal := refusal_from(error.cause)) is not None:
            raise refusal from None
        raise


async def imported(office: Office, notice: Notice, request_id: str) -> ImportResult:
    """Import, and wait until every case has heard of it and counted again."""
    await send(office, command(notice, request_id))
    return await result(office, notice)


async def result(office: Office, notice: Notice) -> ImportResult:
    handle: WorkflowHandle[Any, ImportResult] = office.client.get_workflow_handle(
        import_workflow_id(notice.reference), result_type=ImportResult
    )
    return await handle.result()
