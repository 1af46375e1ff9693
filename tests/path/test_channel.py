"""The official channel kept as the list is: down for days, forgetting its answers, changed by others; no case waits."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from domain.channel import Compared, ListEntry
from domain.commands import Reinstate, Revoke, Suspend
from domain.stages import Stage
from store.channel import ChannelStore
from store.tables import ChannelConfirmationRow
from tests.channel_server import TOKEN, ChannelServer, channel_server
from tests.databases import Place
from tests.domain.test_channel import entry
from tests.office import COMPLIANCE, Base, Office, until
from tests.path import acts
from tests.record_histories import all_runs
from workers.schedule import channel_schedule_id, comparison_schedule_id, keep_channel
from workflows.channel import (
    COMPARING,
    DELIVERING,
    LONGEST_PAUSE,
    ChannelOrders,
    CompareChannel,
    ComparisonOrders,
    DeliverEntries,
)

ONLY_ON = "postgresql"
"""What waits for the channel is told by both: tests/store/test_channel.py."""
WHY = {"reason": "brushing found"}
FOREIGN = "LBC-2026-000777"


@pytest.fixture
async def channel() -> AsyncIterator[ChannelServer]:
    async with channel_server() as running:
        yield running


@asynccontextmanager
async def working(client: Client, place: Place, channel: ChannelServer) -> AsyncIterator[Office]:
    """An office whose bases are made public on the channel."""
    office = Office(client, place)
    settings = {"channel_url": channel.url, "channel_token": type(office.settings.channel_token)(TOKEN)}
    office.settings = office.settings.model_copy(update=settings)
    async with office.worker():
        yield office
    office.close()


@asynccontextmanager
async def delivering(office: Office) -> AsyncIterator[WorkflowHandle[Any, Any]]:
    queue = office.settings.task_queue
    handle = await office.client.start_workflow(DELIVERING, ChannelOrders(), id=f"{queue}-channel", task_queue=queue)
    try:
        yield handle
    finally:
        await office.client.get_workflow_handle(handle.id).terminate()


async def compared(office: Office) -> Compared:
    queue = office.settings.task_queue
    found: Compared = await office.client.execute_workflow(
        COMPARING, ComparisonOrders(), id=f"{queue}-comparison", task_queue=queue, result_type=Compared
    )
    return found


async def listed(office: Office) -> Base:
    """A base that was made public before there was a channel."""
    return await acts.resumed(office, datetime.now(UTC) - timedelta(days=1), published=True)


def number(base: Base) -> str:
    return base.case.terms[-1].certificate_number


def held(channel: ChannelServer, base: Base) -> ListEntry:
    return channel.entries.get(number(base)) or entry(1, "withdrawn", list_revision=0)


def confirmations(office: Office) -> list[tuple[str, int]]:
    row = ChannelConfirmationRow
    with office.reading.connect() as connection:
        rows = connection.execute(select(row.certificate_number, row.revision).order_by(row.at, row.revision))
        return [tuple(one) for one in rows]  # type: ignore[misc]


def nothing_waits(office: Office) -> bool:
    return ChannelStore(office.reading).waiting(datetime.now(UTC), 9).waiting == 0


async def all_is_there(office: Office) -> None:
    await until(lambda: nothing_waits(office), "the channel has shown all that waited", 40)


async def details(handle: WorkflowHandle[Any, Any]) -> str:
    """What Temporal Web shows of a shift."""
    found = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return str(found.current_details)


async def revoke(base: Base) -> None:
    await base.do(Revoke, COMPLIANCE, **WHY)
    await base.send(acts.approval(base))


async def test_what_the_list_says_is_on_the_channel_whatever_the_channel_goes_through(
    client: Client, place: Place, channel: ChannelServer
) -> None:
    async with working(client, place, channel) as office:
        base, other = await acts.in_valid(office), await listed(office)
        evidence = acts.timeline(base)[-1]["detail"]["evidence"]
        assert evidence.endswith("read back") and channel.url in evidence and TOKEN not in evidence
        assert held(channel, base).list_revision == 0, "announced, and only then on the list"
        async with delivering(office) as shift:
            await all_is_there(office)
            assert (held(channel, base).list_revision, held(channel, base).state) == (1, "published")

            await base.do(Suspend, COMPLIANCE, **WHY)
            await until(lambda: held(channel, base).state == "suspended", "the channel says suspended")
            assert held(channel, base).category == "compliance"

            # Down, round after round. Nobody waits for it; what is overtaken meanwhile is never sent.
            channel.down = True
            asked = len(channel.asked)
            await base.do(Reinstate, COMPLIANCE, **WHY)
            await until(lambda: len(channel.asked) > asked, "the channel is asked")
            for what in (Suspend, Reinstate, Suspend):
                await base.do(what, COMPLIANCE, **WHY)
            await revoke(other)
            assert other.case.stage is Stage.SETTLING
            await office.clock.fast_forward(shift.id, 5 * LONGEST_PAUSE)
            for _ in range(60):
                told = await details(shift)
                if "503" in told and "Waiting | 2 |" in told:
                    break
                await office.clock.fast_forward(shift.id, LONGEST_PAUSE)
            else:
                raise AssertionError(told)
            seen = list(channel.states)

            # Back, and its first answers are lost.
            channel.losing, channel.down = 2, False
            for _ in range(60):
                if nothing_waits(office):
                    break
                await office.clock.fast_forward(shift.id, LONGEST_PAUSE)
                await asyncio.sleep(0.3)
            await all_is_there(office)
            since = channel.states[len(seen) :]
            assert sorted(since) == sorted([(number(base), "suspended"), (number(other), "withdrawn")])
            assert held(channel, other).ending == "revoked"
            assert held(channel, base).list_revision == acts.list_revisions(base)[-1][0]
        assert set(channel.published.values()) == {1}, "once each, however often it was put there"
        assert Counter(confirmations(office)).most_common(1)[0][1] == 1
        assert await compared(office) == Compared(ours=2, theirs=2)
        for base_ in (base, other):
            acts.check_books(base_)
        for id in (shift.id, f"{office.settings.task_queue}-comparison"):
            for history in await all_runs(client, id):
                told = history.to_json()
                assert TOKEN not in told and base.credit_code not in told
                replayer = Replayer(workflows=[DeliverEntries, CompareChannel], data_converter=pydantic_data_converter)
                await replayer.replay_workflow(history)


async def test_revoked_while_publication_is_pending_it_is_nowhere_certified(
    client: Client, place: Place, channel: ChannelServer
) -> None:
    """The channel took the announcement and never answered: it has to come off again, though the list never had it."""
    channel.losing = 3  # all tries of one attempt
    async with working(client, place, channel) as office:
        base = await acts.in_publishing(office)
        await until(lambda: acts.events(base)[-1] == "publication_attempt_failed", "no answer came", 30)
        assert held(channel, base).certified(datetime.now(UTC) + timedelta(minutes=1)), "it is there all the same"
        assert channel.published == {f"{number(base)}:1": 1}
        async with delivering(office):
            await revoke(base)
            await until(lambda: held(channel, base).state == "withdrawn", "it came off", 30)
            await all_is_there(office)
        assert acts.list_revisions(base) == []
        assert (held(channel, base).revision, held(channel, base).list_revision) == (2, 0)
        late = entry(1, number=number(base))
        assert not await asyncio.to_thread(_late, channel, late), "an attempt that comes late changes nothing"
        assert await compared(office) == Compared(ours=1, theirs=1)
        acts.check_books(base)


def _late(server: ChannelServer, late: ListEntry) -> bool:
    from activities.channel_http import HttpChannel

    channel = HttpChannel(server.url, TOKEN)
    channel.put(late)
    found = channel.get(late.number)
    return found is None or found.certified(datetime.now(UTC))


async def test_the_whole_channel_is_compared_with_the_whole_list_and_mended_as_far_as_it_may_be(
    client: Client, place: Place, channel: ChannelServer
) -> None:
    async with working(client, place, channel) as office:
        lost, old, changed, _ = [await listed(office) for _ in range(4)]
        async with delivering(office):
            await all_is_there(office)
            await old.do(Suspend, COMPLIANCE, **WHY)
            await all_is_there(office)
        good = dict(channel.entries)
        del channel.entries[number(lost)]
        channel.entries[number(old)] = ChannelStore(office.reading).drawn(number(old), 1) or pytest.fail("not drawn")
        channel.entries[number(changed)] = good[number(changed)].model_copy(update={"name": "别的基地"})
        channel.entries[FOREIGN] = entry(1, number=FOREIGN)

        found = await compared(office)
        assert found == Compared(ours=4, theirs=4, missing=1, extra=1, different=2, sent_again=2)
        last = ChannelStore(office.reading).last_comparison()
        assert last is not None and last.compared == found
        told = {(one.number, one.kind, one.why) for one in last.differences}
        assert told == {
            (number(lost), "missing", "lost"),
            (number(old), "different", "older"),
            (number(changed), "different", "content"),
            (FOREIGN, "extra", "unknown"),
        }
        assert channel.entries[number(lost)] == good[number(lost)]
        assert channel.entries[number(old)] == good[number(old)]
        assert FOREIGN in channel.entries, "what is not ours is never taken away"
        again = await compared(office)
        assert again == Compared(ours=4, theirs=5, extra=1, different=1)
        del channel.entries[number(changed)], channel.entries[FOREIGN]
        assert (await compared(office)).sent_again == 1
        assert channel.entries == good

        channel.down = True
        assert "503" in (await compared(office)).fault
        last = ChannelStore(office.reading).last_comparison()
        assert last is not None and "503" in last.compared.fault


async def test_an_entry_that_is_refused_keeps_none_of_the_others_waiting(
    client: Client, place: Place, channel: ChannelServer
) -> None:
    async with working(client, place, channel) as office:
        one, two = await listed(office), await listed(office)
        channel.refusing = {number(one)}
        async with delivering(office) as shift:
            await until(lambda: held(channel, two).list_revision == 1, "the other one is there")
            await two.do(Suspend, COMPLIANCE, **WHY)
            await until(lambda: held(channel, two).state == "suspended", "and the next of it")
            assert number(one) in await details(shift)
            channel.refusing = set()
            await all_is_there(office)


async def test_the_schedules_are_there_once(client: Client, place: Place, channel: ChannelServer) -> None:
    async with working(client, place, channel) as office:
        queue = office.settings.task_queue
        base = await listed(office)
        for _ in range(2):
            await keep_channel(client, queue)
        try:
            await until(lambda: held(channel, base).list_revision == 1, "delivered by the schedule's own")
            await until(lambda: ChannelStore(office.reading).last_comparison() is not None, "and compared")
            every = [
                (await client.get_schedule_handle(id).describe()).schedule.spec.intervals[0].every
                for id in (channel_schedule_id(queue), comparison_schedule_id(queue))
            ]
            assert every == [timedelta(minutes=1), timedelta(hours=1)]
        finally:
            for id in (channel_schedule_id(queue), comparison_schedule_id(queue)):
                shift = (await client.get_schedule_handle(id).describe()).info.recent_actions[-1].action.workflow_id
                await client.get_schedule_handle(id).delete()
                if id == channel_schedule_id(queue):
                    await client.get_workflow_handle(shift).terminate()
