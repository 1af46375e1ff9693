"""Delivering letters, from a schedule: what is due is claimed by its state, in batches, and handed to the mail server.

claim → send (each outcome recorded as it comes) → claim … → pause → claim …

A run is a shift. The schedule (`workers/schedule.py`) starts one whenever none is at work, so that one that failed, or
was ended by hand, is followed by another within a minute. All that is to be remembered is in the store.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict
from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from domain.delivery import Batch, Delivery
    from workflows.messages import outside_task_queue

DELIVERY = "DeliverLetters"

# Claiming is one short transaction; what it leaves half done runs out by itself.
CLAIM: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=5),
    "schedule_to_close_timeout": timedelta(seconds=60),
    "retry_policy": RetryPolicy(initial_interval=timedelta(milliseconds=100), maximum_interval=timedelta(seconds=5)),
}
# The mail server is an outside party. A batch takes two minutes at most, what it is at eleven more when the mail
# server is slow to answer, and recording it three; a worker that died is noticed by its heartbeat. All attempts
# together end before the claim does (an hour), so that nobody else sends the same letters meanwhile.
SEND: dict[str, Any] = {
    "start_to_close_timeout": timedelta(minutes=18),
    "schedule_to_close_timeout": timedelta(minutes=50),
    "heartbeat_timeout": timedelta(seconds=15),
    "retry_policy": RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30)),
}
SHIFT = timedelta(hours=6)
STORE_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)


class DeliveryOrders(BaseModel):
    """A shift's start input. `away` counts how often in a row the mail server has taken nothing."""

    model_config = ConfigDict(extra="allow", frozen=True)

    away: int = 0


@workflow.defn(name=DELIVERY)
class DeliverLetters:
    """Delivers letters until its shift is over, then goes on as a new run. Holds ids and states, nothing personal."""

    @workflow.init
    def __init__(self, orders: DeliveryOrders) -> None:
        self._orders = orders
        self._away = orders.away

    @workflow.run
    async def run(self, orders: DeliveryOrders) -> None:
        over = workflow.now() + SHIFT
        while workflow.now() < over and not workflow.info().is_continue_as_new_suggested():
            batch = await self._claim()
            if batch is None:
                await workflow.sleep(STORE_PAUSE, summary="the store did not answer; trying again")
                continue
            sent = await self._send(batch) if batch.letters else False
            self._show(batch)
            if not (sent and batch.full):
                await self._rest(batch)
        workflow.continue_as_new(self._orders.model_copy(update={"away": self._away}))

    async def _claim(self) -> Batch | None:
        try:
            batch: Batch = await workflow.execute_local_activity(
                "claim_letters", args=[str(workflow.uuid4()), workflow.now()], result_type=Batch, **CLAIM
            )
        except ActivityError as error:
            workflow.logger.warning("the store did not give out letters", extra={"error": _kind(error)})
            return None
        return batch

    async def _send(self, batch: Batch) -> bool:
        """Whether the mail server was there; what it did with each letter is in the store."""
        try:
            delivery: Delivery = await workflow.execute_activity(
                "send_letters",
                args=[batch.claim, workflow.now()],
                task_queue=outside_task_queue(workflow.info().task_queue),
                result_type=Delivery,
                summary=f"{len(batch.letters)} letters, {batch.letters[0]} …"[:60],
                **SEND,
            )
        except ActivityError as error:
            workflow.logger.warning("a batch of letters was not sent", extra={"error": _kind(error)})
            return False
        self._away = self._away + 1 if delivery.server_away else 0
        return not delivery.server_away

    async def _rest(self, batch: Batch) -> None:
        """A minute or so; twice as long each time the mail server is away, at most an hour."""
        usual = timedelta(seconds=batch.pause_seconds)
        pause = min(usual * (1 << min(self._away, 12)), max(usual, LONGEST_PAUSE))
        await workflow.sleep(pause, summary="the mail server is away" if self._away else "nothing is due")

    def _show(self, batch: Batch) -> None:
        state = f"away, {self._away} times in a row" if self._away else "takes letters"
        rows = (
            "| | |",
            "|---|---|",
            f"| 邮件服务器 Mail server | {state} |",
            f"| 无法送达 Stuck | {batch.undeliverable} |",
        )
        workflow.set_current_details("\n".join(rows))


def _kind(error: ActivityError) -> str:
    """What went wrong, without a text somebody else made."""
    cause = error.cause
    return (cause.type or "") if isinstance(cause, ApplicationError) else type(cause).__name__
