"""What the import of a calendar notice costs over many live cases: the answer, the telling, the counting."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import time
from datetime import UTC, datetime

from temporalio.client import WorkflowUpdateRPCTimeoutOrCancelledError

from bench.histories import count
from domain.commands import ReleaseReview, TakeReview, import_workflow_id
from store.calendar import CalendarStore
from tests.office import REVIEWER, Base, Office, until
from tests.path import imports
from tests.path.many import STAGES, live_cases

CASES = 1000
Row = tuple[str, str, str]


async def import_over(office: Office, cases: int = CASES) -> list[Row]:
    """Rows (what, took, goal) of one import; the office's cases are in five stages, a fifth without a deadline."""
    rows: list[Row] = []
    began = time.perf_counter()

    def done(what: str, goal: str = "-") -> None:
        rows.append((what, f"{time.perf_counter() - began:.1f} s", goal))

    bases = await live_cases(office, cases, datetime.now(UTC))
    await asyncio.gather(*(_waiting(base, turn) for turn in [asyncio.Semaphore(20)] for base in bases))
    done(f"{cases} live cases made, started and waiting")
    looked_at = bases[len(STAGES) : 2 * len(STAGES)]
    events = [(await count(office.client, base.workflow_id))[0] for base in looked_at]
    notice = imports.days_off(60)
    handle = office.client.get_workflow_handle(import_workflow_id(notice.reference))

    began = time.perf_counter()
    took: list[float] = []
    person = asyncio.create_task(_commands(bases[0], took))
    answer = await imports.send(office, imports.command(notice, "bench"))
    done("answer: the notice is on record", "1 s")
    moving = cases - cases // len(STAGES)
    store = CalendarStore(office.engine)
    await until(lambda: store.cases_moved(notice.sha256) == moving, "every case has counted again", seconds=600)
    done("every deadline moved", "60 s")
    person.cancel()
    with contextlib.suppress(asyncio.CancelledError, WorkflowUpdateRPCTimeoutOrCancelledError):
        await person
    outcome = await imports.result(office, notice)
    done("the import's workflow has seen it and returned")
    assert (answer.live_cases, outcome.told, outcome.moved, outcome.left) == (cases, cases, moving, 0)
    cost = {
        stage.value: (await count(office.client, base.workflow_id))[0] - before
        for stage, base, before in zip(STAGES, looked_at, events, strict=True)
    }
    rows.append(("a person's command meanwhile, median", f"{statistics.median(took):.1f} s", "2 s"))
    rows.append(("a person's command meanwhile, longest", f"{max(took):.1f} s", "10 s"))
    rows.append(("history events of a case that moved", str(max(cost.values())), "8"))
    rows.append(("history events of a case with nothing to count", str(min(cost.values())), "4"))
    total, _ = await count(office.client, handle.id)
    rows.append(("history events of the import itself", str(total), "-"))
    return rows


async def _waiting(base: Base, turn: asyncio.Semaphore) -> None:
    """Return once the case's first workflow task is done and its timer armed."""
    while True:
        async with turn:
            described = await base.handle.describe()
        if described.history_length > 4:
            return
        await asyncio.sleep(0.5)


async def _commands(base: Base, took: list[float]) -> None:
    """One command after the other, as a person's; how long each took."""
    while True:
        for kind in (TakeReview, ReleaseReview):
            begun = time.perf_counter()
            await base.do(kind, REVIEWER)
            took.append(time.perf_counter() - begun)
            await asyncio.sleep(0.5)
