"""A guarded command never outlives whoever started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from connection.guarded_process import GuardedProcess

ROOT = Path(__file__).parents[2]
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)"
)
POLITE = (
    "import signal, sys, time\n"
    "def bye(*_): print('bye', flush=True); sys.exit(7)\n"
    "signal.signal(signal.SIGTERM, bye); print('ready', flush=True); time.sleep(600)"
)
WITH_CHILD = (
    "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
    "print(child.pid, flush=True); child.wait()"
)


def spawn(tmp_path: Path, code: str, **options: float) -> GuardedProcess:
    return GuardedProcess.spawn(
        [sys.executable, "-c", code], log=tmp_path / "log", cwd=tmp_path, environ=os.environ, **options
    )


def said(tmp_path: Path, text: str) -> Callable[[], bool]:
    return lambda: text in (tmp_path / "log").read_text()


def eventually(condition: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def gone(*pids: int) -> Callable[[], bool]:
    def alive(pid: int) -> bool:
        try:
            return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    return lambda: not any(map(alive, pids))


def test_runs_in_its_folder_with_its_environment(tmp_path: Path) -> None:
    code = "import os; print(os.getcwd(), os.environ.get('LIVEBASE_X'))"
    process = GuardedProcess.spawn(
        [sys.executable, "-c", code],
        log=tmp_path / "log",
        cwd=tmp_path,
        environ={**os.environ, "LIVEBASE_X": "here"},
    )
    assert process.wait() == 0
    assert (tmp_path / "log").read_text() == f"{tmp_path} here\n"
    assert not process.running


def test_its_exit_code_is_known(tmp_path: Path) -> None:
    assert spawn(tmp_path, "raise SystemExit(3)").wait() == 3
    process = spawn(tmp_path, "import os; os.kill(os.getpid(), 9)")
    assert process.wait() == 128 + 9


def test_a_command_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        GuardedProcess.spawn(["/no/such/program"], log=tmp_path / "log", cwd=tmp_path, environ={})


def test_stop_lets_it_end_in_order(tmp_path: Path) -> None:
    process = spawn(tmp_path, POLITE)
    assert eventually(said(tmp_path, "ready"))
    process.stop()
    assert process.exit_code == 7
    assert said(tmp_path, "bye")()
    process.stop()  # again: nothing happens


def test_stop_takes_the_grace_and_no_longer(tmp_path: Path) -> None:
    process = spawn(tmp_path, STUBBORN, grace=0.5)
    assert eventually(said(tmp_path, "ready"))
    begun = time.monotonic()
    process.stop()
    assert 0.4 < time.monotonic() - begun < 3
    assert process.exit_code == 128 + 9
    assert gone(process.pid, process.guard_pid)()


def test_kill_does_not_ask(tmp_path: Path) -> None:
    process = spawn(tmp_path, POLITE)
    assert eventually(said(tmp_path, "ready"))
    process.kill()
    assert process.exit_code == 128 + 9
    assert not said(tmp_path, "bye")()


def test_its_children_end_with_it(tmp_path: Path) -> None:
    process = spawn(tmp_path, WITH_CHILD)
    assert eventually(lambda: (tmp_path / "log").read_text().strip().isdigit())
    child = int((tmp_path / "log").read_text())
    process.kill()
    assert eventually(gone(child))


def test_it_ends_when_its_guard_is_killed(tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("the parent-death signal is Linux's")
    process = spawn(tmp_path, STUBBORN)
    assert eventually(said(tmp_path, "ready"))
    os.kill(process.guard_pid, signal.SIGKILL)
    assert eventually(gone(process.pid))


def test_it_survives_the_thread_that_started_it(tmp_path: Path) -> None:
    """What a parent-death signal of our own would get wrong."""
    started: list[GuardedProcess] = []
    thread = threading.Thread(target=lambda: started.append(spawn(tmp_path, POLITE)))
    thread.start()
    thread.join()
    assert eventually(said(tmp_path, "ready"))
    time.sleep(1)
    assert started[0].running
    started[0].stop()


STARTER = """
import os, sys, time
from pathlib import Path
from connection.guarded_process import GuardedProcess
folder = Path(sys.argv[1])
process = GuardedProcess.spawn(
    [sys.executable, "-c", {code!r}], log=folder / "log", cwd=folder, environ=os.environ, grace=0.5
)
{then}
print(process.pid, process.guard_pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize(
    ("code", "then"),
    [
        (POLITE, ""),
        (STUBBORN, ""),
        # a fork that holds our end of the pipe open does not keep the command alive
        (POLITE, "if os.fork() == 0: time.sleep(15); os._exit(0)"),
    ],
)
def test_it_ends_when_its_starter_is_killed(tmp_path: Path, code: str, then: str) -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER.format(code=code, then=then), tmp_path],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert starter.stdout is not None
    pids = [int(pid) for pid in starter.stdout.readline().split()]
    assert eventually(said(tmp_path, "ready"))
    starter.kill()
    starter.wait()
    assert eventually(gone(*pids)), "outlived the SIGKILL of its starter"
    starter.stdout.close()
