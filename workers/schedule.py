"""The schedules that keep letters being delivered, the log sealed, the census taken, the official channel right.

A worker makes them when it starts: whoever takes the work sees to it that the work comes, on a cluster as on one
machine, and no step of an installation can be forgotten. Any number of workers may do so at once; one that is there
stays as it is, so that an operator may pause it or change its pace; what it starts with is sealed with the newest key.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

from connection.codec import PayloadCodec, key_of
from workflows.census import CENSUS, CensusOrders
from workflows.census import SHIFT as CENSUS_SHIFT
from workflows.channel import COMPARING, DELIVERING, EVERY, ChannelOrders, ComparisonOrders
from workflows.channel import SHIFT as CHANNEL_SHIFT
from workflows.letters import DELIVERY, DeliveryOrders
from workflows.letters import SHIFT as DELIVERY_SHIFT
from workflows.sealing import SEALING, SealOrders
from workflows.sealing import SHIFT as SEALING_SHIFT
from workflows.verification import SHIFT as VERIFYING_SHIFT
from workflows.verification import VERIFYING, VerificationOrders

_EVERY = timedelta(minutes=1)


def schedule_id(task_queue: str) -> str:
    """`livebase-letters`: one per task queue."""
    return f"{task_queue}-letters"


def seals_schedule_id(task_queue: str) -> str:
    """`livebase-seals`: one per task queue."""
    return f"{task_queue}-seals"


def census_schedule_id(task_queue: str) -> str:
    """`livebase-census`: one per task queue."""
    return f"{task_queue}-census"


def verification_schedule_id(task_queue: str) -> str:
    """`livebase-verification`: one per task queue."""
    return f"{task_queue}-verification"


def channel_schedule_id(task_queue: str) -> str:
    """`livebase-channel`: one per task queue."""
    return f"{task_queue}-channel"


def comparison_schedule_id(task_queue: str) -> str:
    """`livebase-comparison`: one per task queue."""
    return f"{task_queue}-comparison"


async def keep_letters_going(client: Client, task_queue: str) -> None:
    """Make the schedule unless it is there: it starts a shift every minute when none is at work.

    A shift that hangs is ended after twice its length, and another one follows. Raises `RPCError`.
    """
    id = schedule_id(task_queue)
    await _keep(client, task_queue, id, DELIVERY, DeliveryOrders(), DELIVERY_SHIFT, "送达通知 Delivering letters")


async def keep_sealing(client: Client, task_queue: str) -> None:
    """The same for the seals of the audit log."""
    id = seals_schedule_id(task_queue)
    await _keep(client, task_queue, id, SEALING, SealOrders(), SEALING_SHIFT, "封存审计记录 Sealing the audit log")


async def keep_census(client: Client, task_queue: str) -> None:
    """The same for the census of what should run."""
    id = census_schedule_id(task_queue)
    await _keep(client, task_queue, id, CENSUS, CensusOrders(), CENSUS_SHIFT, "核对流程 Taking the census")


async def keep_verifying(client: Client, task_queue: str) -> None:
    """The same for the certified bases' real-name verification."""
    id, orders = verification_schedule_id(task_queue), VerificationOrders()
    summary = "复核企业实名认证 Looking again at verifications"
    await _keep(client, task_queue, id, VERIFYING, orders, VERIFYING_SHIFT, summary)


async def keep_channel(client: Client, task_queue: str) -> None:
    """The same for the official channel; it is compared with the list once an hour, by a run of its own."""
    id, orders = channel_schedule_id(task_queue), ChannelOrders()
    await _keep(client, task_queue, id, DELIVERING, orders, CHANNEL_SHIFT, "公示渠道 To the official channel")
    id, summary = comparison_schedule_id(task_queue), "核对公示渠道 Comparing the official channel"
    await _keep(client, task_queue, id, COMPARING, ComparisonOrders(), EVERY, summary, every=EVERY)


async def _keep(
    client: Client,
    task_queue: str,
    id: str,
    workflow: str,
    orders: Any,
    shift: timedelta,
    summary: str,
    *,
    every: timedelta = _EVERY,
) -> None:
    action = ScheduleActionStartWorkflow(
        workflow, orders, id=id, task_queue=task_queue, run_timeout=2 * shift, static_summary=summary
    )
    schedule = Schedule(
        action=action,
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=_EVERY),
    )
    try:
        await client.create_schedule(id, schedule, trigger_immediately=True)
    except ScheduleAlreadyRunningError:
        await _seal_anew(client, id, action)


async def _seal_anew(client: Client, id: str, action: ScheduleActionStartWorkflow) -> None:
    """What a schedule starts with stays as it was once written: written again when the key it is sealed with is no
    longer the newest, so that the old one can be retired. Its pace and whether it is paused stay."""
    codec = client.data_converter.payload_codec
    if not isinstance(codec, PayloadCodec):
        return

    def renewed(found: ScheduleUpdateInput) -> ScheduleUpdate | None:
        there = found.description.schedule
        written = there.action.args if isinstance(there.action, ScheduleActionStartWorkflow) else ()
        if all(isinstance(one, Payload) and key_of(one) == codec.ring.newest[0] for one in written):
            return None
        return ScheduleUpdate(replace(there, action=action))

    await client.get_schedule_handle(id).update(renewed)
