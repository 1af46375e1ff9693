"""Runs one command and sees to it that the command does not outlive whoever started this guard.

A separate process, run by path with no site packages (`python -I -S guard.py …`), so standard library only.
It ends the command's whole process group (SIGTERM, after a grace SIGKILL) when

* standard input reaches its end: only the starter holds the other end of that pipe, so the kernel closes it
  however the starter dies, SIGKILL included;
* the starter is no longer our parent: catches a starter whose fork still holds the pipe open;
* this guard is asked to stop with SIGTERM.

The parent-death signal alone would not do: Linux sends it when the *thread* that forked ends, and a server is
often started from a worker thread. Here it is used one level down, where there is one thread only, so that on
Linux even a guard killed with SIGKILL takes the command with it.

Usage: guard.py PARENT_PID REPORT_FD GRACE_SECONDS COMMAND…
Writes the command's process id and a newline, or `! ` and the reason it could not start, to REPORT_FD.
Exits with the command's exit code, or 128 + the signal that ended it.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time

PR_SET_PDEATHSIG = 1
CHECK_PARENT_EVERY = 0.5  # seconds


def main(arguments: list[str]) -> int:
    parent, report, grace = int(arguments[0]), int(arguments[1]), float(arguments[2])
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_read, False)
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    asked_to_stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: asked_to_stop.append(number))
    signal.signal(signal.SIGCHLD, lambda *_: None)

    try:
        command = subprocess.Popen(
            arguments[3:],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_guard,
        )
    except OSError as error:
        os.write(report, f"! {error}\n".encode())
        return 127
    os.write(report, f"{command.pid}\n".encode())
    os.close(report)

    while command.poll() is None:
        readable, _, _ = select.select([0, wake_read], [], [], CHECK_PARENT_EVERY)
        if wake_read in readable:
            with contextlib.suppress(BlockingIOError):
                os.read(wake_read, 4096)
        starter_gone = os.getppid() != parent or (0 in readable and not os.read(0, 4096))
        if starter_gone or asked_to_stop:
            end(command, grace)
    signal_group(command.pid, signal.SIGKILL)  # what the command itself may have left behind
    return command.returncode if command.returncode >= 0 else 128 - command.returncode


def end(command: subprocess.Popen[bytes], grace: float) -> None:
    """SIGTERM to the command's group; SIGKILL when it is still there after `grace` seconds."""
    signal_group(command.pid, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while command.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    if command.poll() is None:
        signal_group(command.pid, signal.SIGKILL)
        command.wait()


def signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def die_with_guard() -> None:
    """In the forked child, before exec: ask Linux for SIGKILL when the guard dies. Elsewhere nothing."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
