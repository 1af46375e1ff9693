"""Reading records from a file, one JSON object a line: an export, or the copies of seals kept outside."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from audit.report import Record

COPIES = "seals.jsonl"
CONTENT = "content"
"""Where a record has the bytes its hash covers, when its line has them as they were hashed."""
_HASHED = {"previous_hash": str, "hash": str}
_SHAPES: dict[str, dict[str, type]] = {
    "seal": {"number": int, "at": str, "heads": list, **_HASHED},
    "case": {"case_number": str, "sequence": int},
    "entry": {
        **dict.fromkeys(("case_number", "legal_at", "observed_at", "actor", "event"), str),
        **{"sequence": int, "detail": dict},
        **_HASHED,
    },
}
_MARK = b"\xef\xbb\xbf"
"""What some editors put before the first line."""
MOST_PROBLEMS = 20
"""So many are named; then nothing more is read."""


class NoRecord(ValueError):
    """A line that holds no record, with the reason."""


def export(path: Path, problems: list[tuple[int, str]]) -> Iterator[Record]:
    """The records of an export. Of a line that holds none, its number and why go to `problems`. Raises OSError."""
    return _export(path.open("rb"), problems)


def _export(file: IO[bytes], problems: list[tuple[int, str]]) -> Iterator[Record]:
    with file:
        yield from records_of(file, problems)


def records_of(
    lines: Iterable[bytes], problems: list[tuple[int, str]], first: int = 1, *, sealed: bool = True
) -> Iterator[Record]:
    """The records of an export's lines from line `first` on; `sealed` is whether seals may still come."""
    for number, line in enumerate(lines, first):
        try:
            record = read(line)
            if not sealed and record["kind"] == "seal":
                raise NoRecord("seals come before all else")
        except NoRecord as error:
            problems.append((number, str(error)))
            if len(problems) >= MOST_PROBLEMS:
                return
            continue
        sealed = record["kind"] == "seal"
        yield record


def copies(path: Path) -> Iterator[Record]:
    """The seals in a file of copies, or a folder with one, as far as it goes when this is called. Raises OSError.

    A line that holds none is passed over: it was cut off when it was written, and written again.
    """
    file = (path / COPIES if path.is_dir() else path).open("rb")
    return _seals(file, os.fstat(file.fileno()).st_size)


def _seals(file: IO[bytes], length: int) -> Iterator[Record]:
    with file:
        for line in file:
            if (length := length - len(line)) < 0:
                return
            try:
                record = read(line)
            except NoRecord:
                continue
            if record["kind"] == "seal":
                yield record


def read(line: bytes) -> Record:
    """The record of a line. Raises NoRecord."""
    try:
        record: dict[str, Any] = json.loads(line.removeprefix(_MARK).decode(errors="surrogatepass"))
    except (ValueError, RecursionError):
        raise NoRecord("is no JSON object") from None
    kind = record.get("kind") if isinstance(record, dict) else None
    shape = _SHAPES.get(kind) if isinstance(kind, str) else None
    if shape is None:
        raise NoRecord("is no record of an export")
    for name, wanted in shape.items():
        if type(record.get(name)) is not wanted:
            raise NoRecord(f"{name} is missing, or is not what it should be")
    if kind == "seal" and not all(_is_head(head) for head in record["heads"]):
        raise NoRecord("heads is not what it should be")
    if kind == "entry":
        # A canonical line has what was hashed but for these two parts; of any other line this is something else.
        own = b'"hash":"%s","kind":"entry",' % record["hash"].encode(errors="replace")
        before = b'"previous_hash":"%s",' % record["previous_hash"].encode(errors="replace")
        record[CONTENT] = line.rstrip(b"\r\n").replace(own, b"", 1).replace(before, b"", 1)
    return record


def _is_head(head: object) -> bool:
    return isinstance(head, list) and [type(part) for part in head] == [str, int, str] and 0 < head[1] < 2**32
