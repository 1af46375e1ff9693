"""What is under way when a run would end, or is sent again meanwhile: the workflows alone, with activities of ours."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Client, WithStartWorkflowOperation, WorkflowUpdateFailedError, WorkflowUpdateStage
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

import workflows.assessment
from domain.commands import (
    Command,
    ImportAnswer,
    ImportCalendar,
    ImportFigures,
    ImportOutcome,
    PeriodAnswer,
    PeriodOutcome,
    PeriodView,
)
from domain.refusals import RefusalDetail, RefusalKind
from tests.office import OPERATOR, until
from tests.path import imports
from workflows.assessment import AssessedPeriod
from workflows.calendar import CalendarNotice
from workflows.messages import ASSESSMENT_WORKFLOW, IMPORT_WORKFLOW
from workflows.state import ImportState, PeriodState

_queues = itertools.count(1)


async def sent(client: Client, queue: str, workflow: str, state: Any, command: Command, sending: str) -> Any:
    """Accepted by the workflow, started for it if need be; what it will answer."""
    start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
        workflow,
        state,
        id=command.workflow_id,
        task_queue=queue,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
    return await client.start_update_with_start_workflow(
        command.action,
        command,
        start_workflow_operation=start,
        id=command.update_id(sending),
        wait_for_stage=WorkflowUpdateStage.ACCEPTED,
    )


class Quarter:
    """The activities of a quarter: an import is refused, or goes on until it is let go."""

    def __init__(self) -> None:
        self.going = asyncio.Event()
        self.under_way = False
        self.told = 0

    @activity.defn
    async def import_figures(self, command: ImportFigures, now: datetime) -> PeriodOutcome:
        if command.request_id == "refused":
            return PeriodOutcome(refusal=RefusalDetail(kind=RefusalKind.MANY_FAILS, message="m", hint="h"))
        self.under_way = True
        await self.going.wait()
        period = command.period
        answer = {"accepted_at": now, "period": period, "report": "0" * 64, "totals": {"recorded": 1}, "failing": 0}
        return PeriodOutcome(answer=PeriodAnswer(request_id=command.request_id, **answer))  # type: ignore[arg-type]

    @activity.defn
    async def tell_bases(self, period: str, now: datetime) -> PeriodView:
        self.told += 1
        return PeriodView(bases=1, states={"confirmed": 1})


async def test_an_import_under_way_when_the_run_would_end_is_told_to_the_bases(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workflows.assessment, "OPENING_PATIENCE", timedelta(seconds=1))
    quarter, queue = Quarter(), f"in-flight-{next(_queues)}"
    period = {"workflow_id": "assessment:1999Q1", "actor": OPERATOR, "period": "1999Q1", "batch": "0" * 64}
    async with Worker(
        client,
        task_queue=queue,
        workflows=[AssessedPeriod],
        activities=[quarter.import_figures, quarter.tell_bases],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        state = PeriodState(period="1999Q1")
        refused = ImportFigures(request_id="refused", **period)  # type: ignore[arg-type]
        with pytest.raises(WorkflowUpdateFailedError):
            await (await sent(client, queue, ASSESSMENT_WORKFLOW, state, refused, "test")).result()
        slow = ImportFigures(request_id="slow", **period)  # type: ignore[arg-type]
        update = await sent(client, queue, ASSESSMENT_WORKFLOW, state, slow, "test")
        handle: Any = client.get_workflow_handle("assessment:1999Q1", result_type=PeriodView)
        await until(lambda: quarter.under_way, "the import is under way")

        async def fired() -> bool:
            return any(
                [event.HasField("timer_fired_event_attributes") async for event in handle.fetch_history_events()]
            )

        while not await fired():
            await asyncio.sleep(0.1)  # between two looks
        quarter.going.set()
        await update.result()
        assert (await handle.result()).bases == 1
    assert quarter.told == 1


class Office:
    """The activity of an import, which goes on until it is let go."""

    def __init__(self) -> None:
        self.going = asyncio.Event()
        self.carried_out = 0

    @activity.defn
    async def import_calendar(self, command: ImportCalendar, now: datetime) -> ImportOutcome:
        self.carried_out += 1
        await self.going.wait()
        answer = {"accepted_at": now, "year": 1999, "source": "s", "calendar_version": "v", "live_cases": 0}
        return ImportOutcome(answer=ImportAnswer(request_id=command.request_id, **answer))  # type: ignore[arg-type]


async def test_of_two_sendings_of_an_import_at_once_the_second_is_a_repeat(client: Client) -> None:
    office, queue = Office(), f"in-flight-{next(_queues)}"
    command = imports.command(imports.days_off(1), f"at-once-{datetime.now(UTC).timestamp()}")
    async with Worker(client, task_queue=queue, workflows=[CalendarNotice], activities=[office.import_calendar]):
        updates = [
            await sent(client, queue, IMPORT_WORKFLOW, ImportState(), command, sending) for sending in ("a", "b")
        ]
        office.going.set()
        answers = [ImportAnswer.model_validate(await update.result()) for update in updates]
        await client.get_workflow_handle(command.workflow_id).terminate()
    assert ([answer.repeated for answer in answers], office.carried_out) == ([False, True], 1)
