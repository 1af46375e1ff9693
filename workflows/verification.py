"""Looking again at the certified bases' real-name verification, from a schedule, twice a year each (edge case 41).

whose half year is over → each asked for → recorded beside the base's run, which is told of what it must show → rest

Not a timer of each base's own run: two a year would be a third of what a quiet year writes into its history.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict
from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, FailureError

with workflow.unsafe.imports_passed_through():
    from domain.verifying import DueChecks, Rechecked, VerificationAnswer
    from workflows.messages import outside_task_queue
    from workflows.options import TRANSACTION

VERIFYING = "VerifyEnterprises"
SHIFT = timedelta(hours=6)
# One base holds up the others while it is asked for: two tries, and again tomorrow.
ASKING: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=30),
    "schedule_to_close_timeout": timedelta(minutes=5),
    "retry_policy": RetryPolicy(initial_interval=timedelta(seconds=2), maximum_attempts=2),
}


class VerificationOrders(BaseModel):
    """A shift's start input."""

    model_config = ConfigDict(extra="allow", frozen=True)


@workflow.defn(name=VERIFYING)
class VerifyEnterprises:
    """Looks until its shift is over, then goes on as a new run; all that is to be remembered is in the store."""

    @workflow.run
    async def run(self, orders: VerificationOrders) -> None:
        over = workflow.now() + SHIFT
        while workflow.now() < over and not workflow.info().is_continue_as_new_suggested():
            due = await self._due()
            for base in due.bases:
                await self._look_at(base)
            await workflow.sleep(timedelta(seconds=due.pause_seconds), summary="until the next look")
        workflow.continue_as_new(orders)

    async def _due(self) -> DueChecks:
        due: DueChecks = await workflow.execute_activity(
            "due_verifications", workflow.now(), result_type=DueChecks, **TRANSACTION
        )
        return due

    async def _look_at(self, base: str) -> None:
        """One base; whatever goes wrong with it keeps none of the others waiting."""
        try:
            answer: VerificationAnswer = await workflow.execute_activity(
                "ask_verification",
                base,
                task_queue=outside_task_queue(workflow.info().task_queue),
                result_type=VerificationAnswer,
                summary=base[:60],
                **ASKING,
            )
        except ActivityError as error:
            if isinstance(error.cause, ApplicationError) and error.cause.type == "misdirected":
                workflow.logger.error("the verification service is not reached as it should be: %s", error.cause)
                return  # our fault, and no base's
            answer = VerificationAnswer(result="unanswered", why=str(error.cause or error)[:200])
        try:
            done: Rechecked = await workflow.execute_activity(
                "record_recheck",
                args=[base, workflow.now(), answer],
                result_type=Rechecked,
                summary=f"{base[:40]} {answer.result}",
                **TRANSACTION,
            )
            if done.tell:
                await workflow.get_external_workflow_handle(base).signal("case_changed")
        except FailureError as error:
            workflow.logger.warning("a base was not looked at again: %s", error)
