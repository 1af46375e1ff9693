"""A long export proven by several processes: what one process finds, they find."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from audit import whole_file
from audit.files import MOST_PROBLEMS, export
from audit.report import Report
from audit.verifier import verify
from audit.whole_file import verify_file
from starter.audit_export import json_lines
from store.auditing import AuditReader
from store.cases import CaseStore
from store.engine import open_engine
from store.sealing import SealStore
from tests.databases import migrated_sqlite
from tests.documents import pseudonym
from tests.store.first_year import OPENED, Enterprise

CASES = 5


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("log")
    (folder / "livebase.db").write_bytes(migrated_sqlite())
    engine = open_engine(f"sqlite:///{folder / 'livebase.db'}")
    cases = CaseStore(engine, pseudonym)
    for number in range(CASES):
        enterprise = Enterprise(number=f"LB-2026-{number:06d}")
        with cases.transaction(enterprise.workflow_id) as tx:
            for transition in enterprise.first_year():
                tx.write(transition)
    SealStore(engine).seal(OPENED)
    file = folder / "log.jsonl"
    with file.open("w", encoding="utf-8") as to:
        json_lines(AuditReader(engine, rows=False).log(), to)
    engine.dispose()
    return file.read_bytes().splitlines(keepends=True)


@pytest.fixture
def parted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every case a part of its own, however short the file."""
    monkeypatch.setattr(whole_file, "_LONG", 0)
    monkeypatch.setattr(whole_file, "_PART", 1)
    monkeypatch.setattr("os.cpu_count", lambda: 2)


def beginnings(lines: list[bytes]) -> list[int]:
    return [place for place, line in enumerate(lines) if json.loads(line)["kind"] == "case"]


def changed(line: bytes) -> bytes:
    return line.replace(b'"event":"', b'"event":"x')


def without_a_case(lines: list[bytes]) -> list[bytes]:
    first, second = beginnings(lines)[1:3]
    return lines[:first] + lines[second:]


CHANGES: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "as it is": lambda lines: lines,
    "an entry changed": lambda lines: [*lines[:-3], changed(lines[-3]), *lines[-2:]],
    "an entry removed": lambda lines: [*lines[:-3], *lines[-2:]],
    "the last entries cut off": lambda lines: lines[:-2],
    "a case removed": without_a_case,
    "a case twice": lambda lines: [*lines, *lines[beginnings(lines)[-1] :]],
    "a case twice, not one after the other": lambda lines: [*lines, *lines[slice(*beginnings(lines)[1:3])]],
    "lines that hold nothing": lambda lines: [*lines[:-1], b"{}\n", lines[-1], b"x\n"],
    "a seal among the cases": lambda lines: [*lines[1:], lines[0]],
    "a line among the seals": lambda lines: [b"[]\n", *lines],
    "written with spaces": lambda lines: [json.dumps(json.loads(line)).encode() + b"\n" for line in lines],
    "other ends of lines": lambda lines: [line.replace(b"\n", b"\r\n") for line in lines],
    "no end of its last line": lambda lines: [*lines[:-1], lines[-1].rstrip()],
    "a mark before its first line": lambda lines: [b"\xef\xbb\xbf" + lines[0], *lines[1:]],
    "seals alone": lambda lines: lines[:1],
    "nothing": lambda lines: [],
}  # fmt: skip


@pytest.mark.usefixtures("parted")
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_it_finds_what_one_process_finds(
    lines: list[bytes], tmp_path: Path, change: Callable[[list[bytes]], list[bytes]]
) -> None:
    file = tmp_path / "log.jsonl"
    file.write_bytes(b"".join(change(lines)))
    expected: list[tuple[int, str]] = []
    alone = verify(export(file, expected))
    problems: list[tuple[int, str]] = []
    told: list[int] = []
    report = verify_file(file, (), problems, told.append)
    assert (report, problems, report.seen) == (alone, expected, alone.seen)
    assert told[-1] == report.entries


def test_a_case_that_is_there_twice_is_named(lines: list[bytes], tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    file.write_bytes(b"".join(CHANGES["a case twice, not one after the other"](lines)))
    assert [one.kind for one in verify_file(file, (), []).broken] == ["case_twice"]


@pytest.mark.usefixtures("parted")
def test_every_case_is_a_part_and_none_is_proven_here(
    lines: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "log.jsonl"
    file.write_bytes(b"".join(lines))
    monkeypatch.setattr(whole_file, "verify", None)
    told: list[int] = []
    report = verify_file(file, (), [], told.append)
    assert isinstance(report, Report) and report.ok and (report.cases, len(told)) == (CASES, CASES)


@pytest.mark.usefixtures("parted")
def test_no_more_problems_are_told_than_one_process_tells(lines: list[bytes], tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    places = set(beginnings(lines))
    file.write_bytes(b"".join(line if at in places or at < 2 else b"x\n" for at, line in enumerate(lines)))
    problems: list[tuple[int, str]] = []
    verify_file(file, (), problems)
    assert len(problems) == MOST_PROBLEMS and problems == sorted(problems)


@pytest.mark.usefixtures("parted")
def test_a_process_that_is_killed_is_an_error_and_no_end_of_waiting(
    lines: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "log.jsonl"
    file.write_bytes(b"".join(lines))
    monkeypatch.setattr(whole_file, "_prove", _killed)
    with pytest.raises(BrokenProcessPool):
        verify_file(file, (), [])


def _killed(path: Path, part: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
