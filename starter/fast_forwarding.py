"""Moving a case's clock on the local server, step by step, so that nothing on the way is missed (decision 6)."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from starter.errors import CommandError, usage
from starter.session import Session

if TYPE_CHECKING:
    from temporalio.client import Client

    from connection.clock import CaseClock
    from domain.case import Case
    from store.queries import FoundCase

_SHORT = re.compile(r"(\d{1,5})([dhm])")
_ISO = re.compile(
    r"P(?:(\d{1,3})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,5})M)?(?:(\d{1,6})S)?)?"
)
_STEP_SECONDS = 60.0


@dataclass(frozen=True)
class Duration:
    """A length of time; months are calendar months in Shanghai."""

    months: int
    rest: timedelta

    def after(self, instant: datetime) -> datetime:
        from domain.shanghai import SHANGHAI
        from domain.terms import add_months

        local = instant.astimezone(SHANGHAI)
        day = add_months(local.date(), self.months)
        return local.replace(year=day.year, month=day.month, day=day.day).astimezone(UTC) + self.rest


def parse_duration(text: str) -> Duration:
    """8d, 12h, 90m, or ISO 8601 such as P1Y. CommandError (2) otherwise."""
    if match := _SHORT.fullmatch(text):
        unit = {"d": "days", "h": "hours", "m": "minutes"}[match[2]]
        duration = Duration(0, timedelta(**{unit: int(match[1])}))
    elif match := _ISO.fullmatch(text):
        years, months, weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        rest = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
        duration = Duration(12 * years + months, rest)
    else:
        raise usage(f"{text[:40]!r} is not a duration.", "For example: 8d, 12h, 90m, P1Y")
    if duration.months == 0 and duration.rest == timedelta(0):
        raise usage("A duration of nothing moves nothing.", "For example: 8d")
    return duration


async def fast_forward(session: Session, base: str, duration: Duration) -> dict[str, Any]:
    """Move the clock of a case; returns the fixed JSON once all that was due by then is in the store."""
    from connection.client import connect
    from connection.clock import CaseClock
    from domain.stages import Stage

    target = session.target()
    if target.source != "local":
        raise CommandError(
            5, "not_local", "Only the local server's clocks can be moved.", "Use a local server: livebase dev"
        )
    client = await connect(target, identity="livebase:fast-forward")
    found = session.found(base)
    if found.case.stage is Stage.CLOSED:
        raise CommandError(
            5,
            "already_ended",
            "The case is closed; nothing comes of itself any more.",
            f"livebase show {found.case.case_number}",
        )
    clock = CaseClock(client)
    workflow_id = found.case.workflow_id
    goal = duration.after(await clock.now(workflow_id))
    while True:
        now = await clock.now(workflow_id)
        case = await _settled(session, found.case.case_number, now)
        await record(client, clock, case)
        if now >= goal or case.stage is Stage.CLOSED:
            return _view(session, case, max(now, goal) if case.stage is Stage.CLOSED else now)
        upcoming = case.next_event
        step = min(goal, upcoming.at) if upcoming is not None else goal
        if step > now:
            async with asyncio.timeout(_STEP_SECONDS):
                await clock.fast_forward(workflow_id, step - now)


async def record(client: Client, clock: CaseClock, case: Case) -> None:
    """Put the clock's offset on the case's row, so that reads see the case's time."""
    from workflows.clock import RecordClock
    from workflows.messages import TASK_QUEUE

    offset = await clock.now(case.workflow_id) - datetime.now(UTC)
    await client.execute_workflow(
        RecordClock.run,
        args=[case.workflow_id, max(0, int(offset / timedelta(milliseconds=1)))],
        id=f"clock:{case.case_number}",
        task_queue=TASK_QUEUE,
        static_summary=f"Clock of {case.case_number}",
    )


async def _settled(session: Session, case_number: str, now: datetime) -> Case:
    """The case once everything due by `now` has been carried out."""
    from domain import agenda

    until = time.monotonic() + _STEP_SECONDS
    while True:
        found: FoundCase = session.found(case_number)
        if agenda.due(found.case, now) is None:
            return found.case
        if time.monotonic() > until:
            raise CommandError(
                7,
                "no_answer",
                "What was due has not been carried out.",
                "Look at the case in Temporal Web; is a worker up?",
            )
        await asyncio.sleep(0.02)


def _view(session: Session, case: Case, now: datetime) -> dict[str, Any]:
    from store.queries import shown

    return {
        "case_number": case.case_number,
        "now": shown(now),
        "stage": case.stage.value,
        "standing": case.standing(now).value,
        "due_at": shown(case.due_at),
    }
