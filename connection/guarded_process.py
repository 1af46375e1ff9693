"""A process that never outlives the Python process that started it, however that one ends.

All calls here block for milliseconds up to the grace; asyncio callers use `asyncio.to_thread`. Nothing is
tied to an event loop or a thread: a process started in one may be stopped from another.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

GUARD = Path(__file__).with_name("guard.py")
GRACE = 10.0
"""Seconds between SIGTERM and SIGKILL."""


@dataclass(frozen=True)
class GuardedProcess:
    """A running command (`pid`) and the guard (`guard_pid`) that ends it when we are gone."""

    pid: int
    guard: subprocess.Popen[bytes]
    grace: float

    @property
    def guard_pid(self) -> int:
        return self.guard.pid

    @classmethod
    def spawn(
        cls,
        command: Sequence[str],
        *,
        log: Path,
        cwd: Path,
        environ: Mapping[str, str],
        keep_open: Sequence[int] = (),
        grace: float = GRACE,
    ) -> GuardedProcess:
        """Start `command` in folder `cwd`; its output is appended to the file `log`.

        The descriptors `keep_open` stay open until the command has ended, whatever happens to us (a lock on
        the command's data, say). `grace` is in seconds. Raises `OSError` when it can't be started.
        """
        report_read, report_write = os.pipe()
        guard_command = [sys.executable, "-I", "-S", str(GUARD), str(os.getpid()), str(report_write), str(grace)]
        try:
            with log.open("ab") as output:
                guard = subprocess.Popen(
                    [*guard_command, *command],
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd=cwd,
                    env=dict(environ),
                    pass_fds=(report_write, *keep_open),
                    start_new_session=True,  # Ctrl-C is ours to handle, in our order
                )
        except BaseException:
            os.close(report_read)
            raise
        finally:
            os.close(report_write)
        try:
            answer = _read_line(report_read, seconds=30)
        finally:
            os.close(report_read)
        if not answer.isdigit():
            guard.kill()
            guard.wait()
            raise OSError(f"{command[0]}: {answer.removeprefix('! ') or 'did not start'}")
        return cls(pid=int(answer), guard=guard, grace=grace)

    @property
    def running(self) -> bool:
        return self.guard.poll() is None

    @property
    def exit_code(self) -> int | None:
        """None while it runs; 128 + the signal's number when a signal ended it."""
        return self.guard.poll()

    def wait(self) -> int:
        """Wait for the command to end by itself or by another thread's `stop`; its exit code."""
        return self.guard.wait()

    def stop(self) -> None:
        """End it: SIGTERM, and SIGKILL after the grace it was started with. Returns when it is gone."""
        if self.guard.stdin is not None:
            self.guard.stdin.close()
        try:
            self.guard.wait(self.grace + 5)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once with SIGKILL, as a power cut would. Returns when it is gone."""
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        if self.guard.stdin is not None:
            self.guard.stdin.close()
        try:
            self.guard.wait(5)
        except subprocess.TimeoutExpired:
            self.guard.kill()
            self.guard.wait()


def _read_line(descriptor: int, *, seconds: float) -> str:
    """One short line, or '' when none comes in time (the guard died first)."""
    readable, _, _ = select.select([descriptor], [], [], seconds)
    return os.read(descriptor, 4096).decode(errors="replace").strip() if readable else ""
