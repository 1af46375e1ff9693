"""A payment of a bank statement that is no case's: on record at once, then it waits for a person (decision 15).

on record → counted for a case by finance → over

Recording it is an update: its handler's one transaction books it. A case takes it over in a transaction of its own
(`domain/unmatched.py`), whose workflow then tells this one; a look now and then stands in for a word that was lost.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from domain.commands import RecordUnplaced, UnplacedAnswer, UnplacedOutcome
    from domain.money import format_cny
    from domain.permissions import require_permission
    from domain.refusals import Refusal, missent
    from workflows.messages import UNPLACED_WORKFLOW, refusal_error
    from workflows.options import STEP, STORE_PAUSE, TRANSACTION
    from workflows.state import UnplacedResult, UnplacedState

OPENING_PATIENCE = timedelta(minutes=1)
BETWEEN_LOOKS = timedelta(days=30)


@workflow.defn(name=UNPLACED_WORKFLOW)
class UnplacedPayment:
    """One payment: id `payment:<hash of its reference>`. Returns when it has come to a case."""

    @workflow.init
    def __init__(self, state: UnplacedState) -> None:
        self.state = state
        self._refused = False
        self._told = False
        self._lock = asyncio.Lock()
        self._answers: dict[str, UnplacedAnswer] = {}
        self._show()

    @workflow.run
    async def run(self, state: UnplacedState) -> UnplacedResult:
        await self.recorded()
        await self.placed()
        await workflow.wait_condition(workflow.all_handlers_finished)
        return UnplacedResult(reference=self.state.reference, case_number=self.state.case_number)

    # The stages, in process order.

    async def recorded(self) -> None:
        """Wait for the payment that came with the start; a refused one leaves nothing."""
        await workflow.wait_condition(workflow.all_handlers_finished)
        while self.state.reference is None and not self._none_comes():
            try:
                await workflow.wait_condition(
                    lambda: self.state.reference is not None or self._none_comes(),
                    timeout=OPENING_PATIENCE,
                    timeout_summary="no payment arrived",
                )
            except TimeoutError:
                if workflow.all_handlers_finished():
                    return

    async def placed(self) -> None:
        """Until finance has counted it for a case."""
        while self.state.reference is not None and self.state.case_number is None:
            with contextlib.suppress(TimeoutError):
                await workflow.wait_condition(
                    lambda: self._told or workflow.info().is_continue_as_new_suggested(),
                    timeout=BETWEEN_LOOKS,
                    timeout_summary="it waits for a person; looked at again",
                )
            self._told = False
            await self._look()
            if workflow.info().is_continue_as_new_suggested():
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(self.state)

    # The update, followed by its validator, and what machines tell.

    @workflow.update(description="登记无法归属的款项 Record money of no case")
    async def record_unplaced(self, command: RecordUnplaced) -> UnplacedAnswer:
        """Sent twice at once, the second time is a repeat."""
        now, key = workflow.now(), f"{command.request_id}:{command.params_hash()}"
        async with self._lock:
            if (before := self._answers.get(key)) is not None:
                return before.model_copy(update={"repeated": True})
            outcome: UnplacedOutcome = await workflow.execute_activity(
                command.action,
                args=[command, now],
                result_type=UnplacedOutcome,
                summary=f"{command.actor.role} {command.actor.name}"[:60],
                **TRANSACTION,
            )
            if outcome.answer is None:
                assert outcome.refusal is not None
                self._refused = True
                raise refusal_error(outcome.refusal.refusal())
            self._answers[key] = outcome.answer
            if self.state.reference is None:
                self.state.reference, self.state.amount = outcome.answer.reference, outcome.answer.amount
                self.state.case_number = outcome.answer.case_number
                self._show()
            return outcome.answer

    @record_unplaced.validator
    def _check_record_unplaced(self, command: RecordUnplaced) -> None:
        try:
            require_permission(command.action, command.actor, None)
            if command.workflow_id != workflow.info().workflow_id:
                raise missent("The command names another payment than the one it was sent to.")
        except Refusal as refusal:
            raise refusal_error(refusal) from None

    @workflow.signal(description="款项有变动 The payment was counted for a case")
    def case_changed(self) -> None:
        """Noted only; `run` looks."""
        self._told = True

    async def _look(self) -> None:
        try:
            found: str = await workflow.execute_local_activity(
                "read_unplaced", self.state.reference, result_type=str, summary="found a case?", **STEP
            )
            self.state.case_number = found or None
            self._show()
        except ActivityError as error:
            workflow.logger.warning("the store did not tell of the payment: %s", error.cause or error)
            await workflow.sleep(STORE_PAUSE, summary="the store did not answer; trying again")
            self._told = True

    def _none_comes(self) -> bool:
        return self._refused and workflow.all_handlers_finished()

    def _show(self) -> None:
        """Current details for Temporal Web."""
        rows = [
            ("流水号 Reference", self.state.reference or ""),
            ("金额 CNY", format_cny(self.state.amount)),
            ("案件 Case", self.state.case_number or "待认领 waits for a person"),
        ]
        table = "\n".join(f"| {label} | {value} |" for label, value in rows)
        workflow.set_current_details(f"| | |\n|---|---|\n{table}")
