"""Copies of the seals in a folder outside the database: what has changed the database has not changed them too.

One file, one JSON object a line, in the order of the numbers; it is only ever added to, so a file system that allows
nothing else (`chattr +a`, a write-once share) is a good place. A line cut off by a crash is written again below it.
"""

from __future__ import annotations

import fcntl
import json
import os
from itertools import islice
from pathlib import Path
from typing import IO

from store.auditing import AuditReader, Record

FILE = "seals.jsonl"
_MOST = 200
_BLOCK = 1 << 16


class CopiesDiffer(Exception):
    """The newest copy is not the database's seal of that number: one of them was exchanged, or a backup restored."""


class SealCopies:
    """The copies in one folder, which any number of workers may share, or each have one of its own."""

    def __init__(self, folder: str | Path) -> None:
        self.file = Path(folder) / FILE

    def catch_up(self, reader: AuditReader) -> int:
        """Add copies of the seals that have none yet, so many at once; the number of the newest then.

        Raises OSError, CopiesDiffer.
        """
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("ab+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            newest, cut_off = _newest(file)
            seals = reader.seals(after=newest["number"] - 1 if newest else 0)
            if newest and next(seals, {"hash": None})["hash"] != newest["hash"]:
                raise CopiesDiffer(f"seal {newest['number']}")
            number: int = newest["number"] if newest else 0
            for seal in islice(seals, _MOST):
                file.write(b"\n" * cut_off + json.dumps(seal, separators=(",", ":")).encode() + b"\n")
                number, cut_off = seal["number"], False
            file.flush()
            os.fsync(file.fileno())
        return number


def _newest(file: IO[bytes]) -> tuple[Record | None, bool]:
    """The last whole line, and whether another one begins below it that was cut off."""
    end, tail = file.seek(0, os.SEEK_END), b""
    cut_off = False
    while end:
        start = max(0, end - _BLOCK)
        file.seek(start)
        tail, end = file.read(end - start) + tail, start
        cut_off = not tail.endswith(b"\n")
        lines = tail.split(b"\n")
        # The first part may have begun before the block; the last one is what comes after the last line's end.
        for line in reversed(lines[0 if start == 0 else 1 : -1]):
            try:
                return json.loads(line), cut_off
            except ValueError:
                continue
    return None, cut_off
