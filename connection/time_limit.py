"""Giving up on Temporal's SDK without harm.

A cancelled SDK call leaves its Rust side a callback to deliver. A process that ends before it is delivered hangs
or crashes in the interpreter's shutdown: seen with SDK 1.35 in 4 of 10 runs for an update given up by
`asyncio.timeout`, in none of 35 that waited a tenth of a second first.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_SETTLE = 0.1  # seconds


async def settle() -> None:
    """Let cancelled SDK calls let go. Await this before a process ends after Ctrl-C or any cancelled call."""
    await asyncio.sleep(_SETTLE)


@asynccontextmanager
async def time_limit(seconds: float) -> AsyncIterator[None]:
    """`asyncio.timeout` for SDK calls: raises `TimeoutError` after `seconds`, and the process may then end.

    Plain `asyncio.timeout` does not do: the SDK turns the cancellation of an update into an error of its own,
    which then comes out instead of the `TimeoutError`.
    """
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            yield
    except BaseException as error:
        if limit.expired() or isinstance(error, asyncio.CancelledError):
            await settle()
        if limit.expired() and not isinstance(error, TimeoutError):
            raise TimeoutError(f"no answer within {seconds:g} s") from error
        raise
