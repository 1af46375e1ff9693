"""The official channel kept as the list is, from two schedules: what is new goes out, and all of it is compared.

what waits → delivered one by one, each read back → rest → …         (`DeliverEntries`, a shift, as that of the letters)
the whole channel against the whole list → what it lacks sent again   (`CompareChannel`, once an hour)

No case waits for any of it: the list's revisions are what is to be sent, and all that is to be remembered is in the
store. What takes a right away goes first, and is never put off.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict
from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from domain.channel import Compared, Delivered, Waiting
    from workflows.messages import outside_task_queue
    from workflows.options import STORE_PAUSE

DELIVERING, COMPARING = "DeliverEntries", "CompareChannel"

# Looking is one short read.
LOOK: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=10),
    "schedule_to_close_timeout": timedelta(seconds=60),
    "retry_policy": RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=10)),
}
# The channel is an outside party. A batch takes two minutes, and its last entry one more when the channel is slow to
# answer; a worker that died is noticed by its heartbeat. Two that deliver the same do no harm.
DELIVER: dict[str, Any] = {
    "start_to_close_timeout": timedelta(minutes=5),
    "schedule_to_close_timeout": timedelta(minutes=15),
    "heartbeat_timeout": timedelta(seconds=45),
    "retry_policy": RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30)),
}
# All entries are read, some of them sent again. After three tries it is on record that the channel does not answer.
COMPARE: dict[str, Any] = {
    "start_to_close_timeout": timedelta(minutes=20),
    "schedule_to_close_timeout": timedelta(minutes=50),
    "heartbeat_timeout": timedelta(seconds=45),
    "retry_policy": RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1)),
}
SHIFT = timedelta(hours=6)
EVERY = timedelta(hours=1)
"""How often the channel is compared with the list."""
LONGEST_PAUSE = timedelta(minutes=1)
"""How long at most the delivery rests while the channel is away: what takes a right away may come any time."""
LONGEST_PUT_OFF = timedelta(hours=1)
MOST_PUT_OFF = 200
"""More entries than these are refused by no fault of theirs."""


class ChannelOrders(BaseModel):
    """A shift's start input. `away` counts how often in a row the channel took nothing.

    `refused`: how often in a row it refused a certificate's entry, and `until` when that is put off.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    away: int = 0
    refused: dict[str, int] = {}
    until: dict[str, datetime] = {}


class ComparisonOrders(BaseModel):
    """A comparison's start input."""

    model_config = ConfigDict(extra="allow", frozen=True)


@workflow.defn(name=DELIVERING)
class DeliverEntries:
    """Delivers until its shift is over, then goes on as a new run. Holds certificate numbers, nothing personal."""

    @workflow.init
    def __init__(self, orders: ChannelOrders) -> None:
        self._away = orders.away
        self._refused = dict(orders.refused)
        self._until = dict(orders.until)

    @workflow.run
    async def run(self, orders: ChannelOrders) -> None:
        over = workflow.now() + SHIFT
        while workflow.now() < over and not workflow.info().is_continue_as_new_suggested():
            waiting = await self._look()
            if waiting is None:
                await workflow.sleep(STORE_PAUSE, summary="the store did not answer; trying again")
                continue
            delivered = await self._deliver(waiting) if waiting.numbers else Delivered()
            self._show(waiting, delivered)
            if not (waiting.full and delivered.confirmed and not delivered.away):
                await self._rest(waiting)
        workflow.continue_as_new(ChannelOrders(away=self._away, refused=self._refused, until=self._until))

    async def _look(self) -> Waiting | None:
        now = workflow.now()
        put_off = tuple(number for number, until in self._until.items() if until > now)
        try:
            waiting: Waiting = await workflow.execute_local_activity(
                "waiting_entries", args=[now, put_off], result_type=Waiting, **LOOK
            )
        except ActivityError as error:
            workflow.logger.warning("the store did not tell what waits for the channel", extra={"error": _kind(error)})
            return None
        return waiting

    async def _deliver(self, waiting: Waiting) -> Delivered:
        try:
            delivered: Delivered = await workflow.execute_activity(
                "deliver_entries",
                args=[waiting.numbers, workflow.now()],
                task_queue=outside_task_queue(workflow.info().task_queue),
                result_type=Delivered,
                summary=f"{len(waiting.numbers)} of {waiting.waiting}, {waiting.urgent} urgent, {waiting.numbers[0]} …"[
                    :60
                ],
                **DELIVER,
            )
        except ActivityError as error:
            workflow.logger.warning("entries were not delivered", extra={"error": _kind(error)})
            delivered = Delivered(away=_kind(error))
        nothing = not delivered.confirmed and (delivered.away or len(self._refused) >= MOST_PUT_OFF)
        self._away = self._away + 1 if nothing else 0
        for number in delivered.confirmed:
            self._refused.pop(number, None)
            self._until.pop(number, None)
        for number in delivered.refused[:MOST_PUT_OFF]:
            self._put_off(number, timedelta(seconds=waiting.pause_seconds))
        return delivered

    def _put_off(self, number: str, usual: timedelta) -> None:
        """An entry that is refused is tried again, each pause twice as long: what is put off longest is forgotten."""
        times = self._refused.pop(number, 0) + 1
        self._refused[number] = times
        self._until[number] = workflow.now() + min(usual * (1 << min(times, 12)), LONGEST_PUT_OFF)
        while len(self._refused) > MOST_PUT_OFF:
            first = next(iter(self._refused))
            del self._refused[first], self._until[first]

    async def _rest(self, waiting: Waiting) -> None:
        """A minute or so; where it is less, twice as long each time the channel is away, at most a minute."""
        usual = timedelta(seconds=waiting.pause_seconds)
        pause = min(usual * (1 << min(self._away, 12)), max(usual, LONGEST_PAUSE))
        await workflow.sleep(pause, summary="the official channel is away" if self._away else "until the next look")

    def _show(self, waiting: Waiting, delivered: Delivered) -> None:
        state = f"{delivered.away}, {self._away} times in a row" if delivered.away else "takes entries"
        _show(
            f"| 官方渠道 Official channel | {state} |",
            f"| 待送达 Waiting | {waiting.waiting - len(delivered.confirmed)} |",
            f"| 其中停用撤销 Of these urgent | {waiting.urgent} |",
            f"| 被拒收 Refused | {', '.join(list(self._refused)[:10]) or '—'} |",
        )


@workflow.defn(name=COMPARING)
class CompareChannel:
    """Compares once; its schedule comes again in an hour."""

    @workflow.run
    async def run(self, orders: ComparisonOrders) -> Compared:
        compared: Compared = await workflow.execute_activity(
            "compare_channel",
            args=[str(workflow.uuid4()), workflow.now()],
            task_queue=outside_task_queue(workflow.info().task_queue),
            result_type=Compared,
            summary="the channel has what the list has?",
            **COMPARE,
        )
        _show(
            f"| 名录 Our list | {compared.ours} |",
            f"| 官方渠道 Official channel | {compared.fault or compared.theirs} |",
            f"| 缺少 Missing | {compared.missing} |",
            f"| 多出 Extra | {compared.extra} |",
            f"| 不一致 Different | {compared.different} |",
            f"| 已重发 Sent again | {compared.sent_again} |",
        )
        return compared


def _show(*rows: str) -> None:
    workflow.set_current_details("\n".join(("| | |", "|---|---|", *rows)))


def _kind(error: ActivityError) -> str:
    """What went wrong, without a text somebody else made."""
    cause = error.cause
    return (cause.type or "") if isinstance(cause, ApplicationError) else type(cause).__name__
