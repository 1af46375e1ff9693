"""How commands find what `livebase dev` runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from connection import local_state
from connection.local_state import LocalState, data_directory


def state_of(pid: int) -> LocalState:
    return LocalState(
        pid=pid,
        address="127.0.0.1:7233",
        namespace="default",
        web_url=None,
        web_hint="Install the temporal CLI",
        started_at="2026-11-24T10:00:00+08:00",
    )


def test_what_is_written_is_read(tmp_path: Path) -> None:
    local_state.write(tmp_path / "made" / "for it", state_of(os.getpid()))
    assert local_state.read(tmp_path / "made" / "for it") == state_of(os.getpid())


def test_nothing_there(tmp_path: Path) -> None:
    assert local_state.read(tmp_path) is None
    local_state.clear(tmp_path)


def test_cleared(tmp_path: Path) -> None:
    local_state.write(tmp_path, state_of(os.getpid()))
    local_state.clear(tmp_path)
    assert local_state.read(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_the_process_is_gone(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        local_state.write(tmp_path, state_of(process.pid))
        assert local_state.read(tmp_path) is not None
    assert local_state.read(tmp_path) is None


def test_the_process_is_a_zombie(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    local_state.write(tmp_path, state_of(process.pid))
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # dead, and not yet reaped
    assert local_state.read(tmp_path) is None
    process.communicate()


def test_another_process_has_its_id_now(tmp_path: Path) -> None:
    local_state.write(tmp_path, state_of(os.getpid()))
    path = tmp_path / local_state.FILE
    content = json.loads(path.read_text())
    content["process_created"] -= 3600
    path.write_text(json.dumps(content))
    assert local_state.read(tmp_path) is None


@pytest.mark.parametrize(
    "content", ["", "not json", "[]", "null", "{}", '{"pid": "x", "process_created": 1}', '{"process_created": null}']
)
def test_an_unreadable_file_is_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / local_state.FILE).write_text(content)
    assert local_state.read(tmp_path) is None


def test_a_later_version_may_add_fields(tmp_path: Path) -> None:
    local_state.write(tmp_path, state_of(os.getpid()))
    path = tmp_path / local_state.FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | {"another_url": "http://127.0.0.1:9"}))
    assert local_state.read(tmp_path) == state_of(os.getpid())


def test_a_failed_write_leaves_the_old_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    local_state.write(tmp_path, state_of(os.getpid()))
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk")))
    with pytest.raises(OSError, match="disk"):
        local_state.write(tmp_path, LocalState(os.getpid(), "other:1", "default", None, None, "now"))
    assert local_state.read(tmp_path) == state_of(os.getpid())
    assert [path.name for path in tmp_path.iterdir()] == [local_state.FILE]


@pytest.mark.parametrize(
    ("flag", "environ", "expected"),
    [
        ("given", {"LIVEBASE_DATA_DIR": "from-env"}, "given"),
        (None, {"LIVEBASE_DATA_DIR": "from-env"}, "from-env"),
        (None, {"LIVEBASE_DATA_DIR": ""}, ".livebase"),
        (None, {}, ".livebase"),
        ("~/base", {}, os.path.expanduser("~/base")),
        ("/absolute/百", {}, "/absolute/百"),
    ],
)
def test_data_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flag: str | None, environ: dict[str, str], expected: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert data_directory(flag, environ) == tmp_path / expected
