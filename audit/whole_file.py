"""A whole export proven by every processor at once: once the seals are known, no case depends on another."""

from __future__ import annotations

import gc
import os
import re
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import IO, NamedTuple

from audit.files import MOST_PROBLEMS, NoRecord, export, read, records_of
from audit.report import Record, Report
from audit.seals import Seals
from audit.verifier import prove_cases, prove_seals, verify

Problems = list[tuple[int, str]]
_LONG = 4 << 20
"""Bytes; a shorter export is proven before other processes would have come up."""
_PART = 1 << 20
_CASE = re.compile(rb'\{"case_number":"([^"\\]+)","kind":"case","sequence":[0-9]+\}\r?\n')
"""Where a case begins, as an export writes it. A file that is written otherwise is not parted: nothing is missed."""
_seals: Seals
"""What every process has from the one that started it."""


class _Place(NamedTuple):
    """Where a line begins, and its number."""

    offset: int
    line: int


def verify_file(
    path: Path, outside: Iterable[Record], problems: Problems, told: Callable[[int], None] = lambda _: None
) -> Report:
    """Prove an export. Of a line that holds no record, its number and why go to `problems`; `told` hears now and then
    how many entries are proven. Raises OSError, and BrokenProcessPool when one of its processes was ended."""
    global _seals
    alone = path.stat().st_size < _LONG or sys.platform != "linux" or (os.cpu_count() or 1) == 1
    sealed = None if alone else _sealed(path)
    if sealed is None:
        report = verify(export(path, problems), outside)
        told(report.entries)
        return report
    _seals, first = sealed
    _seals.compare(outside)
    report = Report()
    with ProcessPoolExecutor(mp_context=get_context("fork"), initializer=_begin) as pool:
        parts, running = _parts(path, first), deque[Future[tuple[Report, Problems]]]()
        while True:
            # So many are on their way that none waits, and no more: a file may have millions.
            for part in islice(parts, 2 * (os.cpu_count() or 1) - len(running)):
                running.append(pool.submit(_prove, path, part))
            if not running or len(problems) >= MOST_PROBLEMS:
                break
            done, found = running.popleft().result()
            report.add(done)
            problems += found[: MOST_PROBLEMS - len(problems)]
            told(report.entries)
        pool.shutdown(cancel_futures=True)
    report.add(prove_seals(_seals, report.seen))
    return report


def _begin() -> None:
    """Ctrl-C is for the process that waits for the others. Records hold no cycles: looking for some takes its time."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()


def _sealed(path: Path) -> tuple[Seals, _Place] | None:
    """The seals a file begins with, and where they end; None when a line among them is no record."""
    seals, offset = Seals(), 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                record = read(line)
            except NoRecord:
                return None
            if record["kind"] != "seal":
                return seals, _Place(offset, number)
            seals.take(record)
            offset += len(line)
    return None


def _parts(path: Path, begins: _Place) -> Iterator[tuple[_Place, int]]:
    """Where each part begins, and the offset at which it ends: from one case's first line to another's."""
    offset, start, of = begins.offset, begins, b""
    with path.open("rb") as file:
        file.seek(offset)
        for number, line in enumerate(file, begins.line):
            if (case := _CASE.fullmatch(line)) and case[1] != of:
                of = case[1]
                if offset - start.offset >= _PART:
                    yield start, offset
                    start = _Place(offset, number)
            offset += len(line)
    yield start, offset


def _prove(path: Path, part: tuple[_Place, int]) -> tuple[Report, Problems]:
    start, end = part
    problems: Problems = []
    with path.open("rb") as file:
        file.seek(start.offset)
        return prove_cases(records_of(_until(file, end), problems, start.line, sealed=False), _seals), problems


def _until(file: IO[bytes], end: int) -> Iterator[bytes]:
    """The lines from here to an offset at which one begins."""
    place = file.tell()
    while place < end and (line := file.readline()):
        place += len(line)
        yield line
