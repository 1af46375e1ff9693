"""Telling a person what takes long."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable

Progress = Callable[[str], None]
"""Told, one line at a time, what is going on. Called from the event loop's thread."""

REPORT_EVERY = 10.0  # seconds


def silent(_: str) -> None:
    """Progress that nobody wants to hear of."""


@contextlib.asynccontextmanager
async def still_going(progress: Progress, what: str) -> AsyncIterator[None]:
    """While the block runs, say every ten seconds that `what` is still going on, and for how long."""
    begun = time.monotonic()

    async def report() -> None:
        while True:
            await asyncio.sleep(REPORT_EVERY)
            progress(f"{what}: {time.monotonic() - begun:.0f} s so far")

    reporter = asyncio.create_task(report())
    try:
        yield
    finally:
        reporter.cancel()
