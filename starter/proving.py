"""Handing an audit the records of the database; a long log is proven by every processor at once."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING

from audit import signatures
from audit.report import Record, Report
from audit.seals import Seals
from audit.verifier import prove_cases, prove_seals
from store.auditing import AuditReader
from store.engine import open_engine
from store.office import OFFICE

if TYPE_CHECKING:
    from sqlalchemy import Engine

Told = Callable[[int], None]
_AT_ONCE = 100  # cases
_FEW = 100
"""So many cases are proven before other processes would have come up."""


def prove_database(
    engine: Engine,
    case_numbers: Sequence[str] | None = None,
    outside: Iterable[Record] = (),
    told: Told = lambda _: None,
) -> Report:
    """Prove these cases (all) of a database, `told` how many entries are proven so far.

    Raises BrokenProcessPool when one of its processes was ended.
    """
    reader = AuditReader(engine)
    seals = Seals(None if case_numbers is None else frozenset(case_numbers))
    for seal in reader.seals():
        seals.take(seal)
    seals.compare(outside)
    # After the seals, so that what is sealed is there, though the work goes on meanwhile.
    numbers = reader.case_numbers() if case_numbers is None else case_numbers
    parts = [numbers[first : first + _AT_ONCE] for first in range(0, len(numbers), _AT_ONCE)]
    report = Report()
    for done in _proven(engine, [(part, seals.of(part)) for part in parts], len(numbers)):
        report.add(done)
        told(report.entries)
    report.add(prove_seals(seals, set(numbers)))
    return report


def prove_signatures(engine: Engine, case_numbers: Sequence[str] | None = None, told: Told = lambda _: None) -> Report:
    """Prove who acted in these cases (all): a signature takes far longer than a hash."""
    reader, keys = AuditReader(engine, rows=False), signatures.Keys()
    for entry in reader.records([OFFICE]):
        if entry["kind"] == "entry":
            keys.take(entry)
    numbers = reader.case_numbers() if case_numbers is None else case_numbers
    found = signatures.Signatures(keys, whole=case_numbers is None)
    for first in range(0, len(numbers), _AT_ONCE):
        found.take(reader.records(numbers[first : first + _AT_ONCE]))
        told(first)
    return found.report()


def _proven(engine: Engine, parts: Sequence[tuple[Sequence[str], Seals]], cases: int) -> Iterator[Report]:
    if cases <= _FEW or (os.cpu_count() or 1) == 1:
        for numbers, seals in parts:
            yield prove_cases(AuditReader(engine).records(numbers), seals)
        return
    url = engine.url.render_as_string(hide_password=False)
    engine.dispose()  # no connection is shared with the processes
    ways = get_context("fork" if sys.platform == "linux" else "spawn")
    with ProcessPoolExecutor(mp_context=ways, initializer=_begin, initargs=(url,)) as pool:
        yield from pool.map(_prove_part, parts)


_reader: AuditReader
"""What each of the processes reads with."""


def _begin(url: str) -> None:
    """Ctrl-C is for the process that waits for the others. Records hold no cycles: looking for some takes its time."""
    global _reader
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()
    _reader = AuditReader(open_engine(url, read_only=True))


def _prove_part(part: tuple[Sequence[str], Seals]) -> Report:
    numbers, seals = part
    return prove_cases(_reader.records(numbers), seals)
