"""What sealing Temporal's payloads costs: the same paths with keys and without, by turns, on one server."""

from __future__ import annotations

import statistics
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench.paths import Round, carried, handed_over
from connection.client import connect
from connection.codec import KeyRing
from connection.histories import runs
from connection.local_server import LocalServer
from domain.commands import Answer, Apply, Command, workflow_id
from domain.key_set import KeySet
from starter.output import print_table
from tests.office import Base, Office, working_office
from workflows.state import CertificationState

AT_ONCE, WARM_UP, PATHS, ROUNDS = 4, 8, 24, 4
KEYS = KeySet({"bench": bytes(range(32))})


@dataclass
class _Side:
    office: Office
    rounds: list[Round] = field(default_factory=list)
    processor: float = 0.0
    history: int = 0
    """Bytes of the last path's histories."""

    async def send(self, command: Command) -> Answer:
        base = Base(self.office, command.workflow_id.split(":")[1], 1)
        if isinstance(command, Apply):
            return await base.send_with_start(command, CertificationState())
        return await base.send(command)

    async def carry(self, paths: int, *, counts: bool) -> None:
        applications = handed_over(self.office.documents, paths)
        begun = time.process_time()
        done = await carried(self.send, self.office.reading, applications, at_once=AT_ONCE)
        if counts:
            self.processor += time.process_time() - begun
            self.rounds.append(done)
            last = workflow_id(applications[0].credit_code, 1)
            self.history = sum([sum(e.ByteSize() for e in run) async for run in runs(self.office.client, last)])

    @property
    def figures(self) -> tuple[float, float, float, float]:
        """Paths per second, milliseconds until an act is answered, of processor per path; KiB of history a path."""
        paths, acts = sum(one.paths for one in self.rounds), [act for one in self.rounds for act in one.acts]
        return (
            paths / sum(one.seconds for one in self.rounds),
            1000 * statistics.median(acts),
            1000 * self.processor / paths,
            self.history / 1024,
        )


async def compare() -> None:
    """Print the comparison. The worker and the people share this process, so its processor time is of both."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="livebase-bench-")))
        server = await stack.enter_async_context(await LocalServer.start(None, web=False, progress=print))
        sides = []
        for name, keys in (("clear", None), ("sealed", KeyRing(KEYS))):
            client = await connect(server.target, identity="bench", keys=keys)
            (folder / name).mkdir()
            sides.append(_Side(await stack.enter_async_context(working_office(client, folder / name))))
        for side in sides:
            await side.carry(WARM_UP, counts=False)
        for _ in range(ROUNDS):
            for side in sides:
                await side.carry(PATHS, counts=True)
    clear, sealed = (side.figures for side in sides)
    names = ("paths per second", "an act answered, p50 ms", "processor of worker and people per path, ms",
             "history of a path, KiB")  # fmt: skip
    rows = [(name, f"{c:.2f}", f"{s:.2f}", f"{s / c:.2f}") for name, c, s in zip(names, clear, sealed, strict=True)]
    print_table(("", "in clear", "sealed", "sealed to clear"), rows, title="Sealed payloads")
