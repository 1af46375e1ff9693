"""The two workers of a process, run as one."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from temporalio.worker import Worker


class WorkerPair:
    """`inside` moves the cases: workflows and store transactions. `outside` calls parties that may hang.

    Each has a task queue and threads of its own, so that nobody outside can keep a case's transaction waiting.
    As an async context manager the pair works while the block runs and drains at its end: what is under way
    is finished, nothing new is taken. When one of the two fails for good, the block is cancelled and the
    failure comes out of it.
    """

    def __init__(self, *, inside: Worker, outside: Worker) -> None:
        self.inside = inside
        self.outside = outside
        self._runs: list[asyncio.Task[None]] = []
        self._block: asyncio.Task[object] | None = None
        self._leaving = False
        self._failed = False

    @property
    def both(self) -> tuple[Worker, Worker]:
        return self.inside, self.outside

    @property
    def polling(self) -> bool:
        """Whether both take tasks: started, and not draining."""
        return not self._leaving and all(worker.is_running for worker in self.both)

    async def __aenter__(self) -> Self:
        self._block = asyncio.current_task()
        self._runs = [asyncio.create_task(worker.run()) for worker in self.both]
        for run in self._runs:
            run.add_done_callback(self._ended)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving = True
        # Both at once: a drain takes as long as the slower one, not the sum.
        outcomes = await asyncio.gather(
            *self._runs, self.inside.shutdown(), self.outside.shutdown(), return_exceptions=True
        )
        if self._failed and self._block is not None and kind is asyncio.CancelledError:
            self._block.uncancel()
            raise next(outcome for outcome in outcomes if outcome is not None)

    def _ended(self, run: asyncio.Task[None]) -> None:
        """A worker ended before it was told to: the block can't go on. It hears so once; the other may follow."""
        if self._block is not None and not self._leaving and not self._failed:
            self._failed = True
            self._block.cancel()
