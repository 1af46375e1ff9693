"""The assessment of one quarter, for all bases: figures recorded, every base told, results confirmed (decision 22).

figures imported → every base told its provisional result → of a fail, time to object in the base's own case → confirmed
by a second person → every base told → over when nothing waits any more

Imports and confirmations are updates: each one's transaction puts on record what it comes to. A base's own case hears
of it in a transaction of its own and draws the consequences (`domain/assessment.py`); its run is woken only by what it
must do or show, and a pass is neither. All deadlines are the case's. A later import begins a run of its own under the
same id.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from domain.commands import (
        Command,
        ConfirmPeriod,
        ImportFigures,
        PeriodAnswer,
        PeriodOutcome,
        PeriodView,
        assessment_workflow_id,
    )
    from domain.permissions import require_permission
    from domain.refusals import Refusal, missent
    from workflows.messages import ASSESSMENT_WORKFLOW, refusal_error
    from workflows.options import FAULTS, STORE_PAUSE
    from workflows.state import PeriodState

# One transaction over all bases of a file; ten seconds bound the recovery after a kill, and hold some thousand bases.
MANY_BASES: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=10),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(milliseconds=200),
        maximum_interval=timedelta(seconds=10),
        non_retryable_error_types=FAULTS,
    ),
}
# A transaction or a signal for each base: a heartbeat with every score, so that a lost worker is soon followed by
# another. It counts as of when it was asked for, and is asked for anew when it takes too long.
TELLING: dict[str, Any] = {
    **MANY_BASES,
    "start_to_close_timeout": timedelta(minutes=10),
    "schedule_to_close_timeout": timedelta(minutes=10),
    "heartbeat_timeout": timedelta(seconds=15),
}
OPENING_PATIENCE = timedelta(minutes=1)
HEARING_PATIENCE = timedelta(seconds=10)
PAUSES = [timedelta(seconds=seconds) for seconds in (1, 1, 2, 3, 5, 10, 15, 30, *[60] * 10)]
"""How long the bases' cases are waited for; whoever has not heard by then is told again with the next look."""
NEXT_LOOK = timedelta(days=7)


@workflow.defn(name=ASSESSMENT_WORKFLOW)
class AssessedPeriod:
    """One quarter: id `assessment:2027Q1`. Returns how it stands once nothing of it waits any more."""

    @workflow.init
    def __init__(self, state: PeriodState) -> None:
        self.state = state
        self._lock = asyncio.Lock()
        self._answers: dict[str, PeriodAnswer] = {}
        self._telling = False

    @workflow.run
    async def run(self, state: PeriodState) -> PeriodView:
        await self.first_figures()
        while await self._goes_on():
            await self.every_base_told()
            if self._waits():
                await self.objections_and_confirmation()
            if workflow.info().is_continue_as_new_suggested():
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(self.state)
        return self.state.view

    # The stages, in process order.

    async def first_figures(self) -> None:
        """Wait for what came with the start; a refused one leaves nothing."""
        if await self._goes_on():
            return
        try:
            await workflow.wait_condition(
                lambda: self.state.news, timeout=OPENING_PATIENCE, timeout_summary="nothing arrived"
            )
        except TimeoutError:
            return

    async def every_base_told(self) -> None:
        """Tell every base that has still to hear of something, and look until they have."""
        pauses = iter(PAUSES)
        while (pause := next(pauses, None)) is not None:
            while not await self._told():
                await workflow.sleep(STORE_PAUSE, summary="the bases could not be told; trying again")
            if self.state.news:
                continue
            if not self.state.view.hear:
                return
            with suppress(TimeoutError):
                await workflow.wait_condition(
                    lambda: self.state.news, timeout=pause, timeout_summary="the bases hear of it"
                )

    async def objections_and_confirmation(self) -> None:
        """Until something comes, or it is time to look again: objections are decided in the bases' own cases."""
        try:
            await workflow.wait_condition(
                lambda: self.state.news,
                timeout=NEXT_LOOK,
                timeout_summary="how the quarter stands is looked at again",
            )
        except TimeoutError:
            return

    # The updates, each followed by its validator.

    @workflow.update(description="导入考核数据 Import figures")
    async def import_figures(self, command: ImportFigures) -> PeriodAnswer:
        return await self._act(command, workflow.now())

    @import_figures.validator
    def _check_import_figures(self, command: ImportFigures) -> None:
        self._check(command, command.period)

    @workflow.update(description="确认考核结果 Confirm results")
    async def confirm_period(self, command: ConfirmPeriod) -> PeriodAnswer:
        """What was imported just before is heard of first: no base is confirmed that has not been told."""
        now = workflow.now()
        if self._hearing():
            with suppress(TimeoutError):  # then the transaction tells who has not been told
                await workflow.wait_condition(
                    lambda: not self._hearing(),
                    timeout=HEARING_PATIENCE,
                    timeout_summary="the bases hear of what was imported",
                )
        return await self._act(command, now)

    @confirm_period.validator
    def _check_confirm_period(self, command: ConfirmPeriod) -> None:
        self._check(command, command.period)

    @workflow.query(description="考核现状 How the quarter stands")
    def view(self) -> PeriodView:
        return self.state.view

    # Helpers.

    async def _told(self) -> bool:
        """Whether every base there was to tell was told; else that is tried again, as of then."""
        self.state.news, self._telling = False, True
        try:
            self.state.view = await workflow.execute_activity(
                "tell_bases",
                args=[self.state.period, workflow.now()],
                result_type=PeriodView,
                summary=self.state.period,
                **TELLING,
            )
            self._show()
            return True
        except ActivityError as error:
            self.state.news = True
            workflow.logger.warning("the bases were not told: %s", error.cause or error)
            return False
        finally:
            self._telling = False

    def _hearing(self) -> bool:
        """Whether something is being imported or confirmed, or the bases have still to hear of it."""
        return self._lock.locked() or self.state.news or self._telling

    async def _act(self, command: Command, now: datetime) -> PeriodAnswer:
        """The transaction of a command, as of when it came; sent twice at once, the second time is a repeat."""
        key = f"{command.request_id}:{command.params_hash()}"
        async with self._lock:
            if (before := self._answers.get(key)) is not None:
                return before.model_copy(update={"repeated": True})
            outcome: PeriodOutcome = await workflow.execute_activity(
                command.action,
                args=[command, now],
                result_type=PeriodOutcome,
                summary=f"{command.actor.role} {command.actor.name}"[:60],
                **MANY_BASES,
            )
            if outcome.answer is None:
                assert outcome.refusal is not None
                raise refusal_error(outcome.refusal.refusal())
            self._answers[key] = outcome.answer
            self.state.news = True
            return outcome.answer

    def _check(self, command: Command, period: str) -> None:
        try:
            require_permission(command.action, command.actor, None)
            meant = {command.workflow_id, assessment_workflow_id(period), assessment_workflow_id(self.state.period)}
            if meant != {workflow.info().workflow_id}:
                raise missent("The command names another quarter than the one it was sent to.")
        except Refusal as refusal:
            raise refusal_error(refusal) from None

    async def _goes_on(self) -> bool:
        """Whether anything is left to do, once there is something or nothing is under way that could bring it."""
        while not (self.state.news or workflow.all_handlers_finished()):
            with suppress(TimeoutError):
                await workflow.wait_condition(
                    lambda: self.state.news or workflow.all_handlers_finished(),
                    timeout=OPENING_PATIENCE,
                    timeout_summary="what is under way comes to its end",
                )
        return self.state.news or self._waits()

    def _waits(self) -> bool:
        """Whether a base has still to hear of something, or a result is not confirmed yet."""
        view = self.state.view
        return bool(view.hear) or any(count for state, count in view.states.items() if state != "confirmed")

    def _show(self) -> None:
        """Current details for Temporal Web."""
        view = self.state.view
        rows = [
            ("季度 Quarter", self.state.period),
            ("基地 Bases", view.bases),
            ("不合格 Fails", view.fails),
            ("待告知 To be told", view.hear),
            *((f"{state}", count) for state, count in sorted(view.states.items())),
        ]
        table = "\n".join(f"| {label} | {value} |" for label, value in rows)
        workflow.set_current_details(f"| | |\n|---|---|\n{table}")
