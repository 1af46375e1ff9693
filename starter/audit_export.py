"""The audit log as a file: JSON lines, with all that a verification needs, or a table for a spreadsheet.

It is written as it is read, and the same log is the same file every time.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from audit.files import CONTENT
from starter.errors import usage
from starter.output import plain

if TYPE_CHECKING:
    from audit.report import Record

_ENTRY = ("case_number", "sequence", "legal_at", "observed_at", "actor", "event", "detail", "previous_hash", "hash")
_CASE = ("kind", "case_number", "sequence")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a cell a spreadsheet would compute begins with (OWASP, CSV injection), and its full-width twins."""


def json_lines(records: Iterable[Record], to: IO[str]) -> None:
    """Seals, then each case with its entries, one canonical JSON object a line (docs/audit.md)."""
    as_it_is = not to.isatty() and getattr(to, "encoding", "").lower().startswith("utf")
    encoder = json.JSONEncoder(ensure_ascii=not as_it_is, separators=(",", ":"), sort_keys=True)
    for record in records:
        if record["kind"] == "case":
            record = {name: record[name] for name in _CASE}
        to.write(f"{encoder.encode({name: record[name] for name in record if name != CONTENT})}\n")


def table(records: Iterable[Record], to: IO[str]) -> None:
    """The entries, one a row under their names; nothing in a cell is computed by whatever opens it."""
    rows = csv.writer(to)
    rows.writerow(_ENTRY)
    for record in records:
        if record["kind"] == "entry":
            cells = [_cell(record[name]) for name in _ENTRY]
            rows.writerow([plain(cell) for cell in cells] if to.isatty() else cells)


def _cell(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return f"'{text}" if text.startswith(_FORMULA) else text


@contextmanager
def opened(to: str | None, *, bom: bool) -> Iterator[IO[str]]:
    """Where an export goes: stdout, or a file that is there only once it is whole. CommandError (2)."""
    encoding = "utf-8-sig" if bom else "utf-8"  # spreadsheets take what has no mark for another encoding
    if to is None:
        stdout = sys.stdout if not bom else _marked(sys.stdout)
        yield stdout
        return
    path, part = Path(to), Path(f"{to}.part")
    if path.exists():
        raise usage(f"{to} is there already.", "Name another file: --to FILE")
    try:
        with part.open("w", encoding=encoding, newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    except OSError as error:
        raise usage(f"{to} can't be written ({error.strerror}).", "Name another file: --to FILE") from None
    finally:
        part.unlink(missing_ok=True)


def _marked(stdout: IO[str]) -> IO[str]:
    stdout.write("\ufeff")
    return stdout
