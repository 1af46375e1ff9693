"""`livebase dev`: it comes up, it is found, it ends, and nothing of it outlives it, not even when it is killed."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from tests.starter.conftest import APPLICANT, REVIEWER, Enterprise
from tests.starter.livebase import Done, Running, at_once

NOT_THERE = "127.0.0.1:1"
"""An address configured for all other commands: `dev` starts a server of its own all the same."""


def gone(processes: dict[int, list[str]], seconds: float = 30) -> bool:
    """Whether all of them have ended, at the latest after a while."""
    until = time.monotonic() + seconds
    while alive := {pid for pid, words in processes.items() if running(pid, words)}:
        if time.monotonic() > until:
            print({pid: processes[pid] for pid in alive})
            return False
        time.sleep(0.1)
    return True


def running(pid: int, words: list[str]) -> bool:
    try:
        process = psutil.Process(pid)
        return bool(process.status() != psutil.STATUS_ZOMBIE and process.cmdline() == words)
    except psutil.NoSuchProcess:
        return False


def test_a_second_dev_in_the_same_folder_is_the_first(dev: Running) -> None:
    before = dev.processes()
    detached, foreground = dev.each(("dev", "--detach", "-o", "json"), ("dev", "-o", "json"))
    assert (detached.code, foreground.code) == (0, 0)
    for done in (detached, foreground):
        assert done.json["pid"] == dev.state["pid"]
        assert {"address", "namespace", "web_url", "data_dir"} <= set(done.json)
        assert done.json["address"] == dev.state["address"]
        assert done.json["data_dir"] == str(dev.folder)
    assert dev.processes() == before


class Started(NamedTuple):
    """Two that were started at once, each in a folder of its own, with another server configured."""

    killed: Running
    stopped: Running
    told: list[Done]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    both = [Running(tmp_path_factory.mktemp("dev") / name) for name in ("killed", "stopped")]
    configured = {"TEMPORAL_ADDRESS": NOT_THERE, "LIVEBASE_DATABASE_URL": "sqlite:////nowhere/livebase.db"}
    told = at_once(lambda own: own("dev", "--detach", "-o", "json", env=configured, timeout=180), both)
    assert [done.code for done in told] == [0, 0], told
    yield Started(both[0], both[1], told)
    for own in both:
        own("dev", "--stop")


def test_dev_has_a_server_of_its_own_whatever_is_configured(started: Started) -> None:
    addresses = {done.json["address"] for done in started.told}
    assert len(addresses) == 2
    assert NOT_THERE not in addresses
    assert [Path(done.json["data_dir"]) for done in started.told] == [started.killed.folder, started.stopped.folder]


def test_stop_returns_when_all_that_dev_started_has_ended(started: Started) -> None:
    processes = started.stopped.processes()
    stop = started.stopped("dev", "--stop")
    assert stop.code == 0, stop.err
    assert gone(processes, seconds=1)


def test_what_dev_started_does_not_outlive_it_and_no_record_is_lost(started: Started, enterprise: Enterprise) -> None:
    """Killed, started again in the foreground, interrupted."""
    own = started.killed
    number = own.ok("apply", enterprise.file, *APPLICANT)["case_number"]
    processes = own.processes()
    assert len(processes) >= 3, "itself, the server and the worker"
    os.kill(own.state["pid"], signal.SIGKILL)
    assert gone(processes)
    assert own("dev", "--stop").code == 0, "nothing runs, which is what was asked for"

    foreground = own.start("dev", "-o", "jsonl")
    assert foreground.stdout is not None
    told = json.loads(foreground.stdout.readline())
    assert told["pid"] == foreground.pid
    assert own.ok("review", "take", number, *REVIEWER)["case_number"] == number
    processes = own.processes()
    foreground.send_signal(signal.SIGINT)
    _, err = foreground.communicate(timeout=90)
    assert foreground.returncode == 0, err
    assert gone(processes)
    assert own("review", "release", number, *REVIEWER).code == 6
