"""Moving a case's clock on the local server, step by step, so that nothing on the way is missed (decision 6)."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from connection.time_limit import time_limit
from starter.errors import CommandError, unreachable, usage
from starter.session import Session

if TYPE_CHECKING:
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
    from temporalio.service import RPCError

    from connection.clock import CaseClock
    from connection.errors import ClockRefused

    local = _on_local_server(session)
    client = await session.connect("livebase:fast-forward") if local else None
    found = session.readable(base)
    if client is None:
        message = "Only the local server's clocks can be moved."
        raise CommandError(5, "not_local", message, "Use a local server: livebase dev")
    _require_open(found.case)
    if session.dry_run:
        return _foreseen(found.case, duration.after(found.clock(session.wall)))
    clock, workflow_id = CaseClock(client), found.case.workflow_id
    try:
        goal = duration.after(await clock.now(workflow_id))
        return await _step_by_step(session, clock, found.case.case_number, workflow_id, goal)
    except asyncio.CancelledError:
        message = f"Interrupted while the clock of {found.case.case_number} was moved; it may have been moved already."
        raise CommandError(7, "no_answer", message, f"See it with: livebase show {found.case.case_number}") from None
    except ClockRefused as error:
        raise CommandError(5, "clock_refused", error.message, error.hint) from error
    except TimeoutError:
        raise _not_carried_out() from None
    except RPCError as error:
        message = f"The Temporal server does not move the clock of {found.case.case_number}: {error.message}"
        raise unreachable(message, "Is it the server of this database? Run: livebase doctor") from error


def _on_local_server(session: Session) -> bool:
    try:
        return session.is_local
    except CommandError as error:
        if error.code == 6:
            return False  # nothing is configured, and nothing runs here
        raise


def _require_open(case: Case) -> None:
    if case.stage == "closed":
        message = f"Case {case.case_number} is closed; nothing comes of itself any more."
        raise CommandError(5, "already_ended", message, f"See it with: livebase show {case.case_number}")


async def _step_by_step(
    session: Session, clock: CaseClock, case_number: str, workflow_id: str, goal: datetime
) -> dict[str, Any]:
    """From one planned event to the next until `goal`, each seen done in the store before the next jump."""
    while True:
        now = await clock.now(workflow_id)
        for process in _beside(session.found(case_number).case):  # one that began late is behind
            await _bring(clock, process, now)
        case = await _settled(session, case_number, now)
        beside = _beside(case)
        closed = case.stage == "closed"  # its workflow is over; only the row's clock goes on
        reached = max(now, goal) if closed else now
        await _record(clock, case, reached - datetime.now(UTC))
        if reached >= goal:
            return _view(case, reached)
        upcoming = next((planned.at for planned, _ in case.coming), None)
        aim = goal if upcoming is None else min(upcoming, goal)
        if aim > now:
            async with time_limit(_STEP_SECONDS):
                moved = await clock.fast_forward(workflow_id, aim - now)
            if not moved and (await _settled(session, case_number, now)).stage != "closed":
                message = f"The workflow of case {case_number} was ended by hand; nothing moves it."
                raise CommandError(5, "already_ended", message, f"See where it stood with: livebase show {case_number}")
        for process in beside:  # the base first, then what runs beside it
            await _bring(clock, process, aim)


def _beside(case: Case) -> list[str]:
    """The workflows that run beside the case's own."""
    from domain.conduct import conduct_workflow_id

    return [conduct_workflow_id(case.workflow_id, conduct.id) for conduct in case.open_conduct]


async def _bring(clock: CaseClock, workflow_id: str, instant: datetime) -> None:
    """Bring another process's clock to an instant; one that has ended has none any more."""
    now = await clock.now(workflow_id)
    if instant > now:
        async with time_limit(_STEP_SECONDS):
            await clock.fast_forward(workflow_id, instant - now)


def carry_offset(session: Session, case: Case, offset: timedelta) -> None:
    """A case opened beside one whose clock was moved has that clock from its start on."""
    from connection.clock import CaseClock

    async def carry() -> None:
        await _record(CaseClock(await session.connect("livebase:fast-forward")), case, offset)

    asyncio.run(carry())


async def _record(clock: CaseClock, case: Case, offset: timedelta) -> None:
    """Put the clock's offset on the case's row, so that reads see the case's time."""
    from temporalio.common import WorkflowIDConflictPolicy

    from workflows.clock import RecordClock
    from workflows.messages import TASK_QUEUE

    async with time_limit(_STEP_SECONDS):
        await clock.client.execute_workflow(
            RecordClock.run,
            args=[case.workflow_id, max(0, int(offset / timedelta(milliseconds=1)))],
            id=f"clock:{case.case_number}",
            id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING,
            task_queue=TASK_QUEUE,
            static_summary=f"Clock of {case.case_number}",
        )


async def _settled(session: Session, case_number: str, now: datetime) -> Case:
    """The case once everything due by `now` has been carried out."""
    from domain import agenda, conduct_agenda

    until = time.monotonic() + _STEP_SECONDS
    while True:
        found: FoundCase = session.found(case_number)
        open_ones = found.case.open_conduct
        if agenda.due(found.case, now) is None and not any(conduct_agenda.due(one, now) for one in open_ones):
            return found.case
        if time.monotonic() > until:
            raise _not_carried_out()
        await asyncio.sleep(0.02)


def _view(case: Case, now: datetime) -> dict[str, Any]:
    from store.queries import shown

    return {
        "case_number": case.case_number,
        "now": shown(now),
        "stage": case.stage.value,
        "standing": case.standing(now).value,
        "due_at": shown(case.due_at),
    }


def _foreseen(case: Case, goal: datetime) -> dict[str, Any]:
    """What a dry run tells: the planned events on the way. What they bring with them is not foreseen."""
    from store.queries import shown

    events = [planned for planned, _ in case.coming if planned.at <= goal]
    return {
        "dry_run": True,
        "case_number": case.case_number,
        "now": shown(goal),
        "events": [{"event": p.event.value, "at": shown(p.at), "what": p.what} for p in events],
    }


def _not_carried_out() -> CommandError:
    message = "What was due has not been carried out in time."
    return CommandError(7, "no_answer", message, "Is a worker up? Run: livebase doctor; then look at Temporal Web.")
