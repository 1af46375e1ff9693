"""The key file's own command: made once, a new key in front, or behind until everybody has it; never open to others."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from connection.payload_keys import VARIABLE, payload_keys
from workers.keys import main

ID = re.compile(r"\d{4}-\d\d-\d\d-[0-9a-f]{4}")


def ids(file: Path) -> list[str]:
    keys = payload_keys({VARIABLE: str(file)})
    assert keys is not None
    return list(keys.keys)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def test_keys_are_made_known_used_and_taken_out(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(file)]) == 0
    (first,) = ids(file)
    assert ID.fullmatch(first) and file.stat().st_mode & 0o777 == 0o600
    assert main([str(file)]) == 0
    second, _ = ids(file)
    assert ids(file) == [second, first]
    assert main([str(file), "--behind"]) == 0
    third = ids(file)[-1]
    assert ids(file) == [second, first, third]
    assert main([str(file), "--first", third]) == 0
    assert ids(file) == [third, second, first]
    assert main([str(file), "--take-out", first]) == 0
    assert ids(file) == [third, second]
    assert main([str(file), "--unless-there"]) == 0
    assert ids(file) == [third, second]
    said = capsys.readouterr()
    for member in json.loads(file.read_text())["keys"]:
        assert member["k"] not in said.out + said.err, "no key is printed"
    assert [one.name for one in file.parent.iterdir()] == ["keys.json"]


def test_what_can_t_be_done_changes_nothing(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(file), "--unless-there"]) == 0
    (only,) = ids(file)
    before = file.read_text()
    for arguments, why in (
        (["--first", "2020"], "no key '2020'"),
        (["--take-out", "2020"], "no key '2020'"),
        (["--take-out", only], "seals what is new"),
    ):
        assert main([str(file), *arguments]) == 2
        assert why in capsys.readouterr().err
    file.chmod(0o640)
    assert main([str(file), "--behind"]) == 0
    assert file.stat().st_mode & 0o777 == 0o640, "a pod's group keeps it"
    file.write_text("{}")
    assert main([str(file)]) == 2 and str(file) in capsys.readouterr().err
    assert file.read_text() == "{}" != before
    assert main([str(file.parent / "nowhere" / "keys.json")]) == 2
    file.chmod(0o644)
    assert main([str(file)]) == 2 and "chmod 600" in capsys.readouterr().err
