"""Cases that meet an instant, many side by side: who sends when, what counts by decision 7, and what the list says."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from temporalio.api.enums.v1 import EventType
from temporalio.service import RPCError, RPCStatusCode

from connection import histories
from domain.commands import Answer, Command
from domain.refusals import Refusal
from domain.stages import Stage, Standing
from store import tables
from tests.office import Base, Office
from tests.path import acts, on_record
from tests.path.on_record import Reach, Record, put_on_record, reach, take_up

REPEATS = 20
_AHEAD = timedelta(seconds=2.5)
"""How long before an instant a clock is brought to rest; the first one's more than twice as long."""

Outcome = Answer | Refusal

QUIET_YEAR = reach(on_record.IN_VALID, Record.without_quarters)
RENEWING = reach(QUIET_YEAR, Record.renewal_filed)


async def there(office: Office, to: Reach, days_ago: float = 0) -> Base:
    """A base brought to a point so many days ago, that has lived on since; its workflow goes on from now."""
    now = datetime.now(UTC)
    base = office.base()
    case = put_on_record(base, to, now - timedelta(days=days_ago), until=now if days_ago else None)
    await asyncio.sleep(0)  # the others' are put on record first: that keeps the loop busy the worker runs on
    await take_up(base, case)
    return base


async def twenty(one: Callable[[int], Awaitable[Any]]) -> list[Any]:
    """Twenty cases side by side; what each has come to."""
    return list(await asyncio.gather(*(one(number) for number in range(REPEATS))))


async def meet(base: Base, instant: datetime, number: int, command: Command) -> tuple[Outcome, bool]:
    """A command that meets an instant of the case's clock: what it comes to, and whether its handler began before."""
    await approach(base, instant, number)
    got, began_at = await sent(base, command)
    return got, began_at is not None and began_at < instant


async def approach(base: Base, instant: datetime, number: int) -> None:
    """Wait until it is time to send."""
    await shortly_before(base, instant, number)
    await pass_by(base, instant, seconds(number))


async def shortly_before(base: Base, instant: datetime, number: int) -> None:
    """The clock of the base's case brought to some seconds before an instant."""
    await base.forward_to(instant - (_AHEAD if number else 2.4 * _AHEAD))


def seconds(number: int) -> float:
    """When each one sends, from an instant: the first one well before it, the last one after it, the others within a
    tenth of a second."""
    if number == 0:
        return -math.inf
    return 0.5 if number == REPEATS - 1 else (number - REPEATS / 2) / 100


async def pass_by(base: Base, instant: datetime, seconds: float) -> None:
    """Wait until so many seconds before or after an instant of the base's clock."""
    left = (instant - await base.now()).total_seconds() + seconds
    await asyncio.sleep(max(0.0, left))


async def outcome(sending: Awaitable[Answer]) -> Outcome:
    """An answer or a refusal, whichever it is."""
    try:
        return await sending
    except Refusal as refusal:
        return refusal


async def sent(base: Base, command: Command) -> tuple[Outcome, datetime | None]:
    """What a command comes to, and the instant its handler began; None for one refused before it was accepted.

    As the command line sends it: where the workflow has ended, a run of its own asks the record.
    """
    try:
        got = await outcome(base.send(command))
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return await outcome(acts.start(base, command, reopened=True)), None
    instant = await began(base, command)
    if isinstance(got, Answer):
        assert instant is not None and abs(instant - got.accepted_at) <= timedelta(microseconds=1)
    return got, instant


async def began(base: Base, command: Command) -> datetime | None:
    """The instant a command's handler began, by the history."""
    task: datetime | None = None
    async for run in histories.runs(base.office.client, command.sent_to):
        for event in run:
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED:
                task = event.event_time.ToDatetime(UTC)
            elif event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
                request = event.workflow_execution_update_accepted_event_attributes.accepted_request
                (payload,) = request.input.args.payloads
                if f'"{command.request_id}"'.encode() in payload.data:
                    return task
    return None


def listed(base: Base, at: datetime) -> str:
    """How the base stands on the official list at an instant: the highest revision in effect counts (decision 19)."""
    row = tables.ListRow
    entries = select(row).where(row.case_number == base.case.case_number).order_by(row.revision.desc())
    with Session(base.office.reading) as session:
        for entry in session.scalars(entries):
            if entry.effective_from <= at:
                return entry.state if entry.valid_from <= at < entry.valid_until else "withdrawn"
    return "withdrawn"


def check(base: Base, at: datetime, *once: str) -> None:
    """The books are whole, the list says what the standing is, nothing is doubled; `once` happened at most once."""
    case = base.case
    acts.check_books(base)
    expected = {Standing.CERTIFIED: "published", Standing.SUSPENDED: "suspended"}.get(case.standing(at), "withdrawn")
    public = case.publication is not None and case.publication.state == "published"
    assert listed(base, at) == (expected if public else "withdrawn")
    revisions = [revision for revision, _ in acts.list_revisions(base)]
    assert revisions == list(range(1, len(revisions) + 1))
    assert [term.ordinal for term in case.terms] == list(range(1, len(case.terms) + 1))
    events = acts.events(base)
    assert [event for event in once if events.count(event) > 1] == []


async def agreed(base: Base) -> None:
    """Wait until the workflow knows what is on record, or has ended with it."""
    for _ in range(200):
        if base.case.stage is Stage.CLOSED:
            await base.handle.result()
            return
        with suppress(RPCError):
            if await acts.known_to_workflow(base) == base.case:
                return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{base.workflow_id} does not know what is on record")
