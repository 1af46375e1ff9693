"""A CSV file people hand in: its lines by the header's names, in any order, and everything wrong with its shape."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence

from domain.refusals import Problem


def read_lines(
    text: str,
    columns: Sequence[str],
    take: Callable[[dict[str, str], int], list[Problem]],
    *,
    empty: str,
    delimiter: str = ",",
) -> list[Problem]:
    """Hand each line to `take`, its cells by column and its number; every problem, those it finds and the file's own.

    A header that is not this file's is told alone. `empty` is what is said of a file without a line.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    problems: list[Problem] = []
    names: list[str] | None = None
    lines = 0
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if names is None:
                names = [cell.strip() for cell in cells]
                if wrong := _wrong_header(names, columns):
                    return wrong
                continue
            lines += 1
            if len(cells) != len(names):
                what = f"has {len(cells)} cells; the header has {len(names)}"
                problems.append(Problem(f"line {reader.line_num}", what))
                continue
            problems += take({name: cells[names.index(name)].strip() for name in columns}, reader.line_num)
    except csv.Error as error:
        problems.append(Problem(f"line {reader.line_num}", f"is not CSV: {error}"))
    if names is None:
        problems.append(Problem("", "has no header line"))
    elif not lines and not problems:
        problems.append(Problem("", empty))
    return problems


def _wrong_header(names: list[str], columns: Sequence[str]) -> list[Problem]:
    return [
        *(Problem(f"header.{name}", "is missing") for name in columns if name not in names),
        *(
            Problem(f"header[{place}]", "is not a column of this file")
            for place, name in enumerate(names)
            if name not in columns
        ),
        *(Problem(f"header.{name}", "is there twice") for name in columns if names.count(name) > 1),
    ]
