"""Files with secrets: nobody else's to read, whole or not at all, and kept by whoever they belong to."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from connection import private_file
from connection.errors import BadConfiguration
from connection.private_file import changing, read_private, write_private
from tests.starter.livebase import ROOT

ADD = """
import sys, time
from pathlib import Path
from connection.private_file import changing, read_private, write_private
file = Path(sys.argv[1])
for number in range(20):
    with changing(file):
        before = read_private(file, "F") if file.exists() else ""
        time.sleep(0.002)
        write_private(file, f"{before}{sys.argv[2]}\\n")
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def test_a_new_one_is_for_its_owner_alone_whatever_the_umask(file: Path) -> None:
    before = os.umask(0)
    try:
        write_private(file, "secret")
    finally:
        os.umask(before)
    assert (file.stat().st_mode & 0o777, read_private(file, "F")) == (0o600, "secret")
    assert list(file.parent.iterdir()) == [file]


def test_one_that_is_there_keeps_its_mode_and_its_owner(file: Path) -> None:
    """A container's worker reads what somebody else renews."""
    write_private(file, "one")
    file.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(file, 12345, 23456)
    before = file.stat()
    write_private(file, "two")
    after = file.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert (file.read_text(), after.st_ino != before.st_ino) == ("two", True)


def test_what_two_add_at_once_is_all_there(file: Path) -> None:
    adding = [subprocess.Popen([sys.executable, "-c", ADD, str(file), name], cwd=ROOT) for name in ("a", "b")]
    assert [process.wait(60) for process in adding] == [0, 0]
    assert list(file.parent.iterdir()) == [file]
    assert sorted(file.read_text().split()) == ["a"] * 20 + ["b"] * 20


@pytest.mark.parametrize("mode", [0o604, 0o620, 0o602, 0o666])
def test_one_that_others_may_read_or_change_is_refused(file: Path, mode: int) -> None:
    write_private(file, "secret")
    file.chmod(mode)
    with pytest.raises(BadConfiguration, match="read or changed by others") as caught:
        read_private(file, "F")
    assert "secret" not in str(caught.value)


def test_who_can_t_have_it_in_time_says_so(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private_file, "_PATIENCE", 0.1)
    with changing(file), pytest.raises(TimeoutError, match="by somebody else"), changing(file):
        raise AssertionError("both have it")
