"""How a table is laid out for a terminal: numbers, names and dates stay whole, texts give way.

Columns stand beside each other as far as they fit. What does not fit follows below its row, each value with its
heading, so that a narrow terminal shows all that a wide one does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

_EDGE, _BELOW = " ", "     "
_GAP, _NARROW_GAP = "   ", "  "
_LEAST = 30
"""How narrow a column of texts may get before the texts go below their rows."""

# What is never parted: an instant, a run without spaces, a full-width character; each with the punctuation behind it.
_PIECE = re.compile(
    r"(?:\d{4}-\d\d-\d\d \d\d:\d\d|[^\s\u2e80-\uffff]+|[\u2e80-\uffff])[,.;:!?)\]，。；：、！？）》」』”’…]*"
    r"|[^\S\n]+|\n"
)


@dataclass(frozen=True)
class Column:
    """A heading, whether its cells are texts that may be broken into lines, and whether they are numbers."""

    heading: str
    gives_way: bool = False
    right: bool = False


class Loud(str):
    """A cell to be seen at once: something overdue, failed or broken."""

    __slots__ = ()


def lay_out(columns: Sequence[Column], rows: Iterable[Sequence[str]], width: int, *, colour: bool = False) -> list[str]:
    """The lines of a table at most `width` cells wide, but for what can't be parted. Empty columns are left out."""
    table = [tuple(row) for row in rows]
    kept = [place for place in range(len(columns)) if not table or any(row[place] for row in table)]
    kept = kept or list(range(len(columns)))
    columns, table = [columns[place] for place in kept], [tuple(row[place] for place in kept) for row in table]
    gap, widths = max(
        ((gap, _widths(columns, table, width, len(gap))) for gap in (_GAP, _NARROW_GAP)), key=lambda one: len(one[1])
    )
    lines = list(_heading(columns, widths, gap, colour))
    for row in table:
        lines += _beside(columns, row, widths, gap, colour)
        lines += _below(columns[len(widths) :], row[len(widths) :], width, colour)
    return lines


def wrap(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` cells; a piece that is wider by itself stays whole."""
    lines, line, used = [], "", 0
    for piece in _PIECE.findall(text):
        if piece == "\n":
            lines.append(line)
            line, used = "", 0
        elif piece.isspace():
            line, used = (line + " ", used + 1) if line else (line, used)
        else:
            size = cell_len(piece)
            if line.strip() and used + size > width:
                lines.append(line.rstrip())
                line, used = "", 0
            line, used = line + piece, used + size
    return [*lines, line.rstrip()]


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int, gap: int) -> list[int]:
    """How wide each column is of those that fit beside each other: the first always, texts as wide as there is room."""
    natural = [
        max([cell_len(column.heading), *(_longest(row[place], column.gives_way) for row in rows)])
        for place, column in enumerate(columns)
    ]
    least = [
        min(size, max(_LEAST, cell_len(column.heading))) if column.gives_way else size
        for column, size in zip(columns, natural, strict=True)
    ]
    beside = len(columns)
    while beside > 1 and _total(least[:beside], gap) > width:
        beside -= 1
    widths = least[:beside]
    room = width - _total(widths, gap)
    while room > 0 and (wanting := [place for place in range(beside) if widths[place] < natural[place]]):
        narrowest = min(wanting, key=lambda place: widths[place])
        widths[narrowest] += 1
        room -= 1
    return widths


def _total(widths: Sequence[int], gap: int) -> int:
    return len(_EDGE) + sum(widths) + gap * (len(widths) - 1)


def _longest(cell: str, gives_way: bool) -> int:
    return max(cell_len(line) for line in cell.split("\n")) if gives_way else cell_len(_one_line(cell))


def _heading(columns: Sequence[Column], widths: Sequence[int], gap: str, colour: bool) -> Iterator[str]:
    shown = columns[: len(widths)]
    if not any(column.heading for column in shown):
        return
    cells = [_padded(column.heading, width, column.right) for column, width in zip(shown, widths, strict=False)]
    text = (_EDGE + gap.join(cells)).rstrip()
    yield f"\x1b[1m{text}\x1b[0m" if colour else text
    yield _EDGE + "─" * (_total(widths, len(gap)) - len(_EDGE))


def _beside(
    columns: Sequence[Column], row: Sequence[str], widths: Sequence[int], gap: str, colour: bool
) -> Iterator[str]:
    """The lines of a row."""
    cells = [
        wrap(cell, width) if column.gives_way else [_one_line(cell)]
        for column, cell, width in zip(columns, row, widths, strict=False)
    ]
    for number in range(max(len(lines) for lines in cells)):
        parts = []
        for place, (lines, width) in enumerate(zip(cells, widths, strict=True)):
            text = lines[number] if number < len(lines) else ""
            parts.append(_padded(text, width, columns[place].right, colour and isinstance(row[place], Loud)))
        yield (_EDGE + gap.join(parts)).rstrip()


def _below(columns: Sequence[Column], row: Sequence[str], width: int, colour: bool) -> Iterator[str]:
    """What found no room beside: short values together on a line, a text on lines of its own."""
    line, used = "", 0
    alone = len(columns) == 1 and columns[0].gives_way
    for column, cell in zip(columns, row, strict=True):
        if not cell:
            continue
        heading = f"{column.heading} " if column.heading and not alone else ""
        first, *rest = wrap(heading + cell, width - len(_BELOW)) if column.gives_way else [heading + _one_line(cell)]
        size = cell_len(first)
        if line and (rest or used + len(_GAP) + size > width - len(_BELOW)):
            yield _BELOW + line
            line, used = "", 0
        line, used = (f"{line}{_GAP}", used + len(_GAP)) if line else (line, used)
        red = colour and isinstance(cell, Loud)
        line, used = line + _red(first, red), used + size
        for more in rest:
            yield _BELOW + line
            line, used = _red(more, red), cell_len(more)
    if line:
        yield _BELOW + line


def _padded(text: str, width: int, right: bool, red: bool = False) -> str:
    padding, shown = " " * (width - cell_len(text)), _red(text, red)
    return padding + shown if right else shown + padding


def _red(text: str, wanted: bool) -> str:
    return f"\x1b[31m{text}\x1b[0m" if wanted and text else text


def _one_line(cell: str) -> str:
    return " ".join(cell.split("\n"))
