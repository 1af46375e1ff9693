"""Parties outside have a queue and hands of their own: one that hangs keeps nobody inside waiting."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from temporalio.client import Client

from activities.publication import Announcement
from connection.histories import runs
from domain.commands import Approve, TakeReview
from domain.stages import Stage
from tests.office import REVIEWER, until, working_office
from tests.path import acts
from workers.main import THREADS


class Hanging:
    """A channel that answers nobody until `released`."""

    def __init__(self) -> None:
        self.asked: list[Announcement] = []
        self.released = threading.Event()

    def announce(self, announcement: Announcement) -> str:
        self.asked.append(announcement)
        assert self.released.wait(60)
        return "channel: at last"


async def test_a_channel_that_hangs_keeps_no_other_case_waiting(client: Client, tmp_path: Path) -> None:
    channel = Hanging()
    yesterday = datetime.now(UTC) - timedelta(days=1)
    async with working_office(client, tmp_path, channel) as office:
        try:
            unpublished = [await acts.resumed(office, yesterday, published=False) for _ in range(THREADS + 1)]
            await until(lambda: len(channel.asked) == THREADS, "every hand outside is held")
            other = await office.applied()
            await other.do(TakeReview, REVIEWER)
            answer = await other.do(Approve, REVIEWER, revision=1)
            assert answer.stage is Stage.DEPOSIT
            assert len(channel.asked) == THREADS, "still hanging"
        finally:
            channel.released.set()
        await until(lambda: all(base.case.stage is Stage.VALID for base in unpublished), "all published")


async def test_the_announcement_has_an_end_whatever_the_channel_does(client: Client, tmp_path: Path) -> None:
    """However long it hangs or nobody takes it, the case goes on with its own plan of retries."""
    async with working_office(client, tmp_path) as office:
        base = await acts.in_valid(office)
        scheduled = [
            event.activity_task_scheduled_event_attributes
            async for run in runs(client, base.workflow_id)
            for event in run
            if event.activity_task_scheduled_event_attributes.activity_type.name == "announce_base"
        ]
    [announcement] = scheduled
    assert announcement.task_queue.name == f"{office.settings.task_queue}-outside"
    bounds = announcement.schedule_to_close_timeout, announcement.start_to_close_timeout
    assert bounds[0].ToTimedelta() > announcement.retry_policy.maximum_attempts * bounds[1].ToTimedelta() > timedelta()
