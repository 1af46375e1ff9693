"""A worker that dies as by SIGKILL around the commit of one chosen transition; for tests of kills.

    python -m tests.killing_worker ADDRESS before|after EVENT

with the worker's settings in the environment. Nothing of the product is changed: the store's transaction is
wrapped in this process only. The worker dies inside the transaction (`before`) or as soon as it is
committed (`after`), the first time it writes the audit event EVENT. The event `letter` is the record that the
mail server has taken a letter.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from connection.client import connect
from connection.profile import Target
from domain.records import Transition
from store.cases import CaseStore, CaseTransaction
from store.letters import LetterStore, OutgoingLetter
from workers.process import run_worker
from workers.settings import WorkerSettings

KILLED = 137
READY = "ready"


def die_at(when: str, event: str) -> None:
    """Arrange this process's death around the commit of the transition that writes `event`."""
    transaction = CaseStore.transaction

    @contextmanager
    def deadly(self: CaseStore, workflow_id: str, run_id: str | None = None) -> Iterator[CaseTransaction]:
        written: list[str] = []
        with transaction(self, workflow_id, run_id) as tx:
            write = tx.write

            def note(transition: Transition) -> None:
                write(transition)
                written.append(transition.event)

            tx.write = note  # type: ignore[method-assign]
            yield tx
            if when == "before" and event in written:
                os._exit(KILLED)
        if when == "after" and event in written:
            os._exit(KILLED)

    CaseStore.transaction = deadly  # type: ignore[method-assign]
    arrived = LetterStore.arrived

    def deadly_arrival(self: LetterStore, letter: OutgoingLetter, now: datetime) -> None:
        if event == "letter" and when == "before":
            os._exit(KILLED)
        arrived(self, letter, now)
        if event == "letter":
            os._exit(KILLED)

    LetterStore.arrived = deadly_arrival  # type: ignore[method-assign]


async def main(address: str, when: str, event: str) -> None:
    die_at(when, event)
    client = await connect(Target(address, "default", "flag"), identity=f"killing-worker:{os.getpid()}")
    print(READY, flush=True)
    await run_worker(client, WorkerSettings())  # type: ignore[call-arg]


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
