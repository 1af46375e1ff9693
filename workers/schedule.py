"""The schedule that keeps letters being delivered.

A worker makes it when it starts: whoever takes the work sees to it that the work comes, on a cluster as on one machine,
and no step of an installation can be forgotten. Any number of workers may do so at once; one that an operator has
paused stays paused.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

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

from workers.settings import WorkerSettings
from workflows.letters import DELIVERY, SHIFT, DeliveryOrders

_EVERY = timedelta(minutes=1)


def schedule_id(task_queue: str) -> str:
    """`livebase-letters`: one per task queue."""
    return f"{task_queue}-letters"


async def keep_letters_going(client: Client, settings: WorkerSettings) -> None:
    """Make the schedule, or bring the one that is there to this release's shape.

    It starts a shift every minute unless one is at work. A shift that hangs is ended after twice its length, and
    another one follows.
    """
    name = schedule_id(settings.task_queue)
    shift = ScheduleActionStartWorkflow(
        DELIVERY,
        DeliveryOrders(pause_seconds=settings.letters_seconds),
        id=name,
        task_queue=settings.task_queue,
        run_timeout=2 * SHIFT,
        static_summary="送达通知 Delivering letters",
    )
    wanted = Schedule(
        action=shift,
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=_EVERY)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=_EVERY),
    )

    def renewed(there: ScheduleUpdateInput) -> ScheduleUpdate:
        return ScheduleUpdate(replace(wanted, state=there.description.schedule.state))

    try:
        await client.create_schedule(name, wanted, trigger_immediately=True)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(name).update(renewed)
