"""Worker processes as the cluster runs them: `livebase worker`, told everything by its environment."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from connection.guarded_process import GuardedProcess
from tests.office import Office, until

ROOT = Path(__file__).parents[2]
LIVEBASE = ("-m", "starter.main", "worker")


class WorkerProcess:
    """A worker process that runs, or has run."""

    def __init__(self, process: GuardedProcess, log: Path) -> None:
        self.process = process
        self.log = log

    @property
    def lines(self) -> list[str]:
        return self.log.read_text("utf-8").splitlines()

    @property
    def records(self) -> list[dict[str, Any]]:
        """The log, line by line as JSON."""
        return [json.loads(line) for line in self.lines]

    async def said(self, text: str) -> None:
        """Wait until the log has `text`."""
        await until(lambda: text in self.log.read_text("utf-8") or not self.process.running, f"{text!r} in the log")
        assert text in self.log.read_text("utf-8"), self.log.read_text("utf-8")

    def terminate(self) -> None:
        os.kill(self.process.pid, signal.SIGTERM)

    async def ended(self) -> int:
        """Wait for the end; the exit code."""
        return await asyncio.to_thread(self.process.wait)


@asynccontextmanager
async def worker_process(
    office: Office, address: str, *program: str, checkout: Path = ROOT, python: str = sys.executable, **environ: str
) -> AsyncIterator[WorkerProcess]:
    """A worker process of the office, with more of its environment as keywords; killed when the block ends.

    `checkout` and `python` are another build's.
    """
    folder = Path(office.settings.documents).parent
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL_", "LIVEBASE_"))}
    own = {
        "TEMPORAL_ADDRESS": address,
        "TEMPORAL_CONFIG_FILE": os.devnull,
        "LIVEBASE_DATABASE_URL": office.settings.database_url,
        "LIVEBASE_DOCUMENTS": office.settings.documents,
        "LIVEBASE_DOCUMENT_KEYS": str(office.settings.document_keys),
        "LIVEBASE_TASK_QUEUE": office.settings.task_queue,
        "LIVEBASE_DATA_DIR": str(folder),
    }
    log = folder / f"worker-{len(list(folder.glob('worker-*')))}.log"
    command = [python, *(program or LIVEBASE)]
    process = await asyncio.to_thread(
        GuardedProcess.spawn, command, log=log, cwd=checkout, environ={**kept, **own, **environ}
    )
    try:
        yield WorkerProcess(process, log)
    finally:
        await asyncio.to_thread(process.kill)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def get(port: int, path: str) -> tuple[int, str]:
    """What answers on a port of this machine: (status, body); (0, "") when nobody does."""

    def ask() -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except urllib.error.URLError:
            return 0, ""

    return await asyncio.to_thread(ask)


async def eventually(port: int, path: str, status: int) -> str:
    """Wait until `path` answers with `status`; the body."""
    body = ""
    for _ in range(400):
        found, body = await get(port, path)
        if found == status:
            return body
        await asyncio.sleep(0.05)
    raise AssertionError(f"{path} does not answer {status}; last: {found} {body}")
