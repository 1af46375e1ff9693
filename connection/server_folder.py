"""The folder a local server works in: made, locked for one server at a time, and its logs read."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import tempfile
import time
from pathlib import Path
from typing import IO

from connection.errors import StartFailed
from connection.guarded_process import GRACE

LONGEST_LOG = 10 * 2**20  # bytes


def provide(data_dir: Path | None) -> Path:
    """The folder `temporal` in `data_dir`, made when missing; without a `data_dir` a temporary one."""
    if data_dir is None:
        return Path(tempfile.mkdtemp(prefix="livebase-temporal-"))
    folder = data_dir.absolute() / "temporal"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


async def lock(folder: Path) -> IO[str]:
    """Take the folder for one server, until the file returned is closed by all who have it open.

    The server's guard has it open too: the folder stays taken until the server has ended, even when we are
    killed before it. Waits as long as a server may take to end whose starter has just died. Raises
    `StartFailed` when it is still taken then.
    """
    file = _open(folder / "lock")
    deadline = time.monotonic() + GRACE + 2
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except BlockingIOError:
            if time.monotonic() > deadline:
                file.close()
                raise StartFailed(
                    f"Another process runs a Temporal server on the data in {folder}.",
                    "Stop it with: livebase dev --stop, or use another --data-dir.",
                ) from None
        await asyncio.sleep(0.1)


def server_environ() -> dict[str, str]:
    """Our environment without TEMPORAL_*: those are for clients, and some change how a server starts."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}


def end_of(log: Path) -> int:
    """Where the next line of `log` will begin, in bytes. A log grown too long is put aside first, as `.1`."""
    if not log.exists():
        return 0
    if log.stat().st_size > LONGEST_LOG:
        log.replace(log.with_name(f"{log.name}.1"))
        return 0
    return log.stat().st_size


def last_lines(log: Path, begin: int, count: int = 15) -> str:
    """The last `count` lines written to `log` after byte `begin`, without their stack traces."""
    try:
        with log.open("rb") as file:
            file.seek(begin)
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join(_readable(line) for line in lines[-count:])


def _open(path: Path) -> IO[str]:
    return path.open("a+")


def _readable(line: str) -> str:
    """A line of the server's log (JSON) as `time level message: error`; any other line as it is, shortened."""
    try:
        entry = json.loads(line)
        return f"{entry['ts']} {entry['level']} {entry['msg']}: {entry.get('error', '')}".rstrip(": ")
    except (ValueError, TypeError, KeyError):
        return line[:300]
