"""`make bench`: the measured claims, printed. No figure is asserted; goals stand beside them.

`make bench ARGS=engines` runs one part of it.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

from temporalio.client import Client

from bench import engines, sealed
from bench.auditing import verify_speed
from bench.calendar import import_over
from bench.histories import first_term, supplement_round
from bench.ledger import ledger_speed
from bench.register import register_speed
from bench.soak import soak
from connection.client import connect
from connection.local_server import LocalServer
from domain.commands import ReleaseReview, TakeReview
from starter.output import print_table
from tests.office import REVIEWER, Office, working_office

_LIVEBASE = Path(sys.executable).with_name("livebase")


async def main(parts: Sequence[str]) -> None:
    """The parts named, in their order; all but the soak when none is."""
    if unknown := [part for part in parts if part not in PARTS]:
        sys.exit(f"There is no part {', '.join(unknown)}. Parts: {', '.join(PARTS)}.")
    for name, run in PARTS.items():
        if name in parts or (not parts and name != SOAK):
            await run()


async def _product() -> None:
    with tempfile.TemporaryDirectory(prefix="livebase-bench-") as folder:
        async with await LocalServer.start(None, web=False, progress=print) as server:
            client = await connect(server.target, identity="bench")
            async with working_office(client, Path(folder)) as office:
                for name, every, goal in (("quiet path", False, 110), ("every reminder", True, 160)):
                    rows = await first_term(office, every_reminder=every)
                    total = [sum(column) for column in zip(*(row[1:] for row in rows), strict=True)]
                    title = f"History events of a first term, {name} (goal: at most {goal})"
                    print_table(("stage", "events", "upserts", "transitions"), [*rows, ("in all", *total)], title=title)
                row = await supplement_round(office)
                print_table(("beside it", "events", "upserts", "transitions"), [row])
                await _round_trips(office)
                _command_line(Path(folder))
            await _calendar(client, Path(folder) / "calendar")


async def _round_trips(office: Office) -> None:
    base = await office.applied()
    took = []
    for _ in range(50):
        for kind in (TakeReview, ReleaseReview):
            begun = time.perf_counter()
            await base.do(kind, REVIEWER)
            took.append((time.perf_counter() - begun) * 1000)
    cuts = statistics.quantiles(took, n=100)
    rows = [("update round trip, 100 in a row", f"{cuts[49]:.0f} ms", f"{cuts[98]:.0f} ms")]
    print_table(("", "p50", "p99"), rows)


async def _calendar(client: Client, folder: Path) -> None:
    folder.mkdir()
    async with working_office(client, folder) as office:
        rows = await import_over(office)
    print_table(("", "took", "goal"), rows, title="A calendar notice imported, from its sending")


def _command_line(folder: Path) -> None:
    check = Path(__file__).parent.parent / "examples" / "passes" / "application.yaml"
    rows = []
    for name, words, goal in (
        ("livebase --help", ["--help"], "0.2 s"),
        ("livebase show (a case of this run)", ["show", "LB-2026-000001", "--data-dir", str(folder)], "1 s"),
        ("livebase check FILE", ["check", str(check)], "-"),
    ):
        run = partial(subprocess.run, [_LIVEBASE, *words], capture_output=True)
        times = [_timed(run) for _ in range(6)]
        rows.append((name, f"{statistics.median(times[1:]):.2f} s", goal))
    print_table(("whole process, median of 5", "took", "goal"), rows)


PARTS: dict[str, Callable[[], Awaitable[None]]] = {
    "product": _product,
    "audit": verify_speed,
    "sealed": sealed.compare,
    "ledger": ledger_speed,
    "register": register_speed,
    "engines": engines.compare,
    "soak": soak,
}
SOAK = "soak"


def _timed(run: Callable[[], object]) -> float:
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
