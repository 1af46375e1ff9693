"""Importing figures of a quarter and confirming its results as people do."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.client import WithStartWorkflowOperation, WorkflowUpdateFailedError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from domain.case import Assessment
from domain.commands import Actor, Command, ConfirmPeriod, ImportFigures, PeriodAnswer, assessment_workflow_id
from domain.figures import Figures, canonical
from domain.periods import Period, ending_in
from domain.shanghai import shanghai_date
from domain.stages import Role
from store.documents import OFFICE
from tests.office import COMPLIANCE, OPERATOR, Base, Office, patiently, until
from tests.path import acts
from workflows.messages import ASSESSMENT_WORKFLOW, refusal_from
from workflows.state import PeriodState

SECOND = Actor(role=Role.COMPLIANCE, name="wu")
GMV = 100_000_000
"""What passes, by a hair."""


def last_quarter() -> Period:
    """The last quarter that is over by the wall clock."""
    this = Period.of(shanghai_date(datetime.now(UTC)))
    return Period.of(this.first_day - timedelta(days=1))


async def in_its_year(office: Office) -> Base:
    """A base certified some days before the last quarter, which counts for it."""
    base = await acts.resumed(office, last_quarter().begins - timedelta(days=20), published=True)
    assert last_quarter() in ending_in(base.case.terms)
    await base.settled(datetime.now(UTC))
    return base


def row(base: Base, *, period: Period | None = None, gmv: int = GMV, line: int = 2) -> Figures:
    """A base's figures; those of the last quarter, and they pass, unless said otherwise."""
    figures = {"live_merchants": 20, "active_merchants": 10, "gmv": gmv}
    return Figures(credit_code=base.credit_code, period=str(period or last_quarter()), line=line, **figures)


def batch(office: Office, rows: Sequence[Figures], request_id: str, actor: Actor = OPERATOR, **fields: Any) -> Any:
    """The command that imports them, handed over."""
    return ImportFigures(
        request_id=request_id,
        workflow_id=assessment_workflow_id(rows[0].period),
        actor=actor,
        period=rows[0].period,
        batch=office.documents.of(OFFICE).put(canonical(rows)),
        **fields,
    )


def confirmation(request_id: str, actor: Actor = COMPLIANCE, period: Period | None = None) -> Any:
    quarter = str(period or last_quarter())
    return ConfirmPeriod(
        request_id=request_id, workflow_id=assessment_workflow_id(quarter), actor=actor, period=quarter
    )


async def send(office: Office, command: Command, sending: str = "test") -> PeriodAnswer:
    """By update-with-start; a refusal is raised as one."""

    async def once() -> PeriodAnswer:
        start = WithStartWorkflowOperation(
            ASSESSMENT_WORKFLOW,
            PeriodState(period=command.workflow_id.partition(":")[2]),
            id=command.workflow_id,
            task_queue=office.settings.task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
        answer: PeriodAnswer = await office.client.execute_update_with_start_workflow(
            command.action,
            command,
            start_workflow_operation=start,
            id=command.update_id(sending),
            result_type=PeriodAnswer,
        )
        return answer

    try:
        return await patiently(once)
    except WorkflowUpdateFailedError as error:
        if isinstance(error.cause, ApplicationError) and (refusal := refusal_from(error.cause)) is not None:
            raise refusal from None
        raise


async def imported(office: Office, rows: Sequence[Figures], request_id: str, **fields: Any) -> PeriodAnswer:
    """Import what a person has looked at, and wait until every base of it that is assessed has heard."""
    answer = await send(office, batch(office, rows, request_id, looked_at=True, **fields))
    assert answer.totals
    return answer


def report(office: Office, answer: PeriodAnswer) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = json.loads(office.documents.of(OFFICE).get(answer.report))
    return lines


def stands(base: Base, period: Period | None = None) -> Assessment | None:
    return base.case.assessment(str(period or last_quarter()))


async def heard(base: Base, state: str, result: str, period: Period | None = None) -> Assessment:
    """Wait until the case knows of it."""

    def known() -> bool:
        one = stands(base, period)
        return one is not None and (one.state, one.result) == (state, result)

    await until(known, f"{state} {result}; it is {stands(base, period)}")
    found = stands(base, period)
    assert found is not None
    return found


@asynccontextmanager
async def alone(office: Office, *periods: Period) -> AsyncIterator[None]:
    """Offices share a server, and a quarter's workflow has one name there: none is left when the block is over."""
    try:
        yield
    finally:
        for period in periods or (last_quarter(),):
            with suppress(RPCError):
                await office.client.get_workflow_handle(assessment_workflow_id(str(period))).terminate()
