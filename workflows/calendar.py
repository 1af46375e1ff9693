"""The import of one calendar notice: on record first, then every live case is told (decision 5).

notice imported → every live case told, page by page → every case told has counted its deadlines again

The import is an update: its handler's one transaction puts the notice on record. Each case counts for itself, in its
own run, with the calendar its activity reads; here they are only told, and counted.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from domain.commands import ImportAnswer, ImportCalendar, ImportOutcome
    from domain.notices import Progress, Told
    from domain.permissions import require_permission
    from domain.refusals import Refusal, missent
    from workflows.messages import IMPORT_WORKFLOW, refusal_error
    from workflows.options import FAULTS, TRANSACTION
    from workflows.state import ImportResult, ImportState

# Hundreds of cases: a heartbeat with each, so that another worker soon goes on from the last batch of a lost one.
MANY_CASES: dict[str, Any] = {
    "start_to_close_timeout": timedelta(minutes=10),
    "heartbeat_timeout": timedelta(seconds=10),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=1),
        maximum_interval=timedelta(seconds=30),
        non_retryable_error_types=FAULTS,
    ),
}
OPENING_PATIENCE = timedelta(minutes=1)
PAUSES = [timedelta(seconds=seconds) for seconds in (1, 2, 3, 5, 10, 15, 30, *[60] * 15)]
"""How long the cases are waited for, and looked at in between: a quarter of an hour, then the rest is left to them."""


@workflow.defn(name=IMPORT_WORKFLOW)
class CalendarNotice:
    """One notice: id `calendar:<year>:<hash>`. Returns when all live cases have been told and have counted again."""

    @workflow.init
    def __init__(self, state: ImportState) -> None:
        self.state = state
        self._refused = False
        self._lock = asyncio.Lock()
        self._answers: dict[str, ImportAnswer] = {}

    @workflow.run
    async def run(self, state: ImportState) -> ImportResult:
        await self.imported()
        if self.state.notice is None:
            return ImportResult()
        await self.every_case_told()
        await self.every_case_counted()
        await workflow.wait_condition(workflow.all_handlers_finished)
        told = self.state.told
        return ImportResult(
            notice=self.state.notice, told=told.told, gone=told.gone, moved=self.state.moved, left=self.state.left
        )

    # The stages, in process order.

    async def imported(self) -> None:
        """Wait for the import that came with the start; a refused one leaves nothing."""
        await workflow.wait_condition(workflow.all_handlers_finished)
        while self.state.notice is None and not self._none_comes():
            try:
                await workflow.wait_condition(
                    lambda: self.state.notice is not None or self._none_comes(),
                    timeout=OPENING_PATIENCE,
                    timeout_summary="no notice arrived",
                )
            except TimeoutError:
                if workflow.all_handlers_finished():
                    return

    async def every_case_told(self) -> None:
        """Page by page in the order of the cases' ids. Of a notice that was in before, only who missed it is told."""
        while self.state.told.more:
            self.state.told = await workflow.execute_activity(
                "tell_live_cases",
                args=[self.state.notice, self.state.told, not self.state.new, workflow.now()],
                result_type=Told,
                summary=f"{self.state.told.told} told so far",
                **MANY_CASES,
            )
            self._show()
            if workflow.info().is_continue_as_new_suggested():
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(self.state)

    async def every_case_counted(self) -> None:
        """Look until every live case's deadlines are those of the calendar, with a pause in between."""
        for pause in PAUSES:
            await workflow.sleep(pause, summary="the cases count their deadlines again")
            progress = await workflow.execute_activity(
                "count_cases_left",
                args=[self.state.notice, workflow.now()],
                result_type=Progress,
                summary="all counted?",
                **MANY_CASES,
            )
            self.state.moved, self.state.left = progress.moved, progress.left
            self._show()
            if not progress.left:
                return

    # The update, followed by its validator.

    @workflow.update(description="导入节假日安排 Import the calendar notice")
    async def import_calendar(self, command: ImportCalendar) -> ImportAnswer:
        """Sent twice at once, the second time is a repeat."""
        now, key = workflow.now(), f"{command.request_id}:{command.params_hash()}"
        async with self._lock:
            if (before := self._answers.get(key)) is not None:
                return before.model_copy(update={"repeated": True})
            outcome: ImportOutcome = await workflow.execute_activity(
                "import_calendar",
                args=[command, now],
                result_type=ImportOutcome,
                summary=f"{command.actor.role} {command.actor.name}"[:60],
                **TRANSACTION,
            )
            if outcome.answer is None:
                assert outcome.refusal is not None
                self._refused = True
                raise refusal_error(outcome.refusal.refusal())
            self._answers[key] = outcome.answer
            if self.state.notice is None:
                self.state.notice, self.state.new = outcome.notice, outcome.new
                self._show()
            return outcome.answer

    @import_calendar.validator
    def _check_import_calendar(self, command: ImportCalendar) -> None:
        try:
            require_permission(command.action, command.actor, None)
            if command.workflow_id != workflow.info().workflow_id:
                raise missent("The command names another notice than the one it was sent to.")
        except Refusal as refusal:
            raise refusal_error(refusal) from None

    def _none_comes(self) -> bool:
        return self._refused and workflow.all_handlers_finished()

    def _show(self) -> None:
        """Current details for Temporal Web."""
        notice, told = self.state.notice, self.state.told
        rows = [
            ("通知 Notice", f"{notice.source} ({notice.published_on})" if notice else ""),
            ("已告知 Told", f"{told.told}{'' if told.more else ', all'}"),
            ("期限变动 Moved", self.state.moved),
            ("待重算 Left", "" if self.state.left is None else self.state.left),
        ]
        table = "\n".join(f"| {label} | {value} |" for label, value in rows)
        workflow.set_current_details(f"| | |\n|---|---|\n{table}")
