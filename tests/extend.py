"""Goes on with this build from where another one left off: `python -m tests.extend OLD_CHECKOUT [WAIT …]`.

OLD_CHECKOUT is another checkout of this project with its own `.venv` (`make setup` there). For each state a workflow
waits in (`tests/path/waits.py`), on a real local server and a database of its own:

1. the old build's worker, a process, brings a workflow there, while the database is already prepared by this build,
   as in an upgrade; then it is stopped, and this build's worker goes on to the end;
2. the old build does all of that alone, for comparison.

Printed are the commands that followed, and where they differ from the old build's. A case that goes on otherwise is
right where that is meant; it has no way back to the old build. Ends with 0 when every workflow went on, 1 when one did
not, 2 when it can't be run.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

from temporalio.api.enums.v1 import WorkflowTaskFailedCause
from temporalio.client import Client

from connection.client import connect
from connection.local_server import LocalServer
from store.migrate import migrate
from tests import down_channel_worker
from tests.databases import Place
from tests.mail_server import MailServer
from tests.office import Office
from tests.path import waits
from tests.path.commands import commands, difference
from tests.record_histories import all_runs
from tests.workers.processes import LIVEBASE, ROOT, worker_process

DOWN_CHANNEL = ("-c", Path(down_channel_worker.__file__).read_text("utf-8"), "worker")
PREPARE = "import sys; from store.migrate import migrate; migrate(sys.argv[1], local_server=True)"
FAULTS = (
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE,
)
PATIENCE = 120.0
"""Seconds for going on from a wait to the end."""
AT_ONCE = 2


@dataclass(frozen=True)
class Build:
    """A checkout and the Python that runs it."""

    checkout: Path
    python: str = sys.executable


@dataclass
class Lived:
    """What a workflow did, all runs in one: up to the wait, and after it; `fault` is why it did not go on."""

    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    fault: str = ""


async def live(server: LocalServer, client: Client, folder: Path, wait: waits.Wait, first: Build, then: Build) -> Lived:
    """Bring a workflow to a wait with the first build, in an empty `folder`, and go on with the other."""
    url = f"sqlite:///{folder / 'livebase.db'}"
    await asyncio.to_thread(
        subprocess.run, [first.python, "-c", PREPARE, url], cwd=first.checkout, check=True, capture_output=True
    )
    office, lived = Office(client, Place(folder, url)), Lived()
    program = DOWN_CHANNEL if wait.channel_down else LIVEBASE
    async with MailServer() as mail, aclosing(wait.live(office)) as steps:
        environ = waits.environ(mail) if wait.mail else {}
        old = worker_process(office, server.address, *program, checkout=first.checkout, python=first.python, **environ)
        async with old as process:
            await process.said("starting")
            await asyncio.to_thread(migrate, url, local_server=True)
            workflow_id = await anext(steps)
            lived.before = await done(client, workflow_id)
            process.terminate()
            await process.ended()
        async with worker_process(office, server.address, checkout=then.checkout, python=then.python, **environ):
            lived.fault = await going_on(client, workflow_id, steps)
            lived.after = (await done(client, workflow_id))[len(lived.before) :]
    return lived


async def done(client: Client, workflow_id: str) -> list[str]:
    return [line for run in await all_runs(client, workflow_id) for line in commands(run.events)]


async def going_on(client: Client, workflow_id: str, steps: AsyncIterator[str]) -> str:
    """Go on to the end; why it did not come to it, or nothing."""

    async def rest() -> str:
        try:
            async with asyncio.timeout(PATIENCE):
                await anext(steps, None)
        except TimeoutError:
            return f"not at its end in {PATIENCE:g} s"
        except Exception as error:  # whatever a person's command or a test's expectation met
            return f"does not go on as it should: {str(error) or type(error).__name__}"
        return ""

    async def failing() -> str:
        while not (found := await task_failure(client, workflow_id)):
            await asyncio.sleep(0.3)
        return found

    tasks = [asyncio.create_task(rest()), asyncio.create_task(failing())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        found = await task_failure(client, workflow_id)
        return found or next(task for task in tasks if task.done()).result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def task_failure(client: Client, workflow_id: str) -> str:
    """The first workflow task that failed: no step or command gets through until one succeeds."""
    for run in await all_runs(client, workflow_id):
        for event in run.events:
            failed = event.workflow_task_failed_event_attributes
            if failed.cause in FAULTS:
                return f"workflow task failed: {failed.failure.message.strip()}"
    return ""


async def extend(old: Build, new: Build, names: list[str]) -> bool:
    """Live through the waits, print what became of each; whether all went on."""
    turn = asyncio.Semaphore(AT_ONCE)
    with tempfile.TemporaryDirectory() as folder:
        async with await LocalServer.start(None, web=False) as server:
            client = await connect(server.target, identity="extend")

            async def one(name: str, then: Build) -> Lived:
                (own := Path(folder) / f"{name}-{'old' if then is old else 'new'}").mkdir()
                async with turn:
                    return await live(server, client, own, waits.WAITS[name], old, then)

            pairs = [asyncio.gather(one(name, new), one(name, old)) for name in names]
            return all([report(name, *(await pair)) for name, pair in zip(names, pairs, strict=True)])


def report(name: str, lived: Lived, alone: Lived) -> bool:
    """Print one wait; whether the new build went on."""
    if lived.fault:
        told = "BROKEN"
    elif alone.fault:
        told = "goes on; the old build alone does not"
    elif lived.before + lived.after == alone.before + alone.after:
        told = "goes on as the old build does"
    else:
        told = "goes on, and not as the old build does"
    print(f"{name}: {told}")
    print(f"    followed: {' · '.join(lived.after) or 'nothing'}")
    for who, fault in (("", lived.fault), ("the old build alone: ", alone.fault)):
        if fault:
            print(f"    {who}{fault}")
    if not lived.fault and not alone.fault and (found := difference(alone.after, lived.after)):
        print(f"    {found.partition(chr(10))[0]}")
    return not lived.fault


def main(arguments: list[str]) -> int:
    old, *names = arguments or [""]
    python = Path(old) / ".venv" / "bin" / "python"
    unknown = [name for name in names if name not in waits.WAITS]
    if not old or old.startswith("-") or unknown or not python.exists():
        if unknown:
            print(f"No such wait: {', '.join(unknown)}. There are: {', '.join(waits.WAITS)}.", file=sys.stderr)
        elif old and not old.startswith("-"):
            print(f"{old} is no checkout with a .venv. Run there: make setup", file=sys.stderr)
        else:
            print("python -m tests.extend OLD_CHECKOUT [WAIT …]", file=sys.stderr)
        return 2
    builds = Build(Path(old).resolve(), str(python.absolute())), Build(ROOT)
    if asyncio.run(extend(*builds, names or list(waits.WAITS))):
        print("Every workflow goes on with this build.")
        return 0
    print(
        "Not every workflow goes on with this build: don't release it. Keep the old sequence for running cases behind "
        "a patch (workflows/patches.py says how)."
    )
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
