"""Data on stdout: JSON, JSON lines, or tables a person likes to read. Everything else goes to stderr."""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

_TEXTS = frozenset(
    {"", "message", "detail", "value", "what", "found", "how to mend", "source", "document", "if nobody acts"}
)
_PIPED_WIDTH = 160


def show(output: str, data: Any, table: Callable[[Any], None] | None = None) -> None:
    """Print `data` in the chosen form; a table where one is given and wanted."""
    if output == "table" and table is not None:
        table(data)
    elif output == "jsonl":
        for line in data if isinstance(data, list) else [data]:
            print(json.dumps(line, ensure_ascii=False))
    else:
        print(json.dumps(data, ensure_ascii=False, indent=2))


def say(text: str) -> None:
    """A line for the person, on stderr."""
    print(plain(text), file=sys.stderr)


def plain(value: object) -> str:
    """Text as it may go to a terminal: control and bidirectional characters made visible, never acted on."""
    text = "" if value is None else str(value)
    return "".join(
        char if char == "\n" or unicodedata.category(char) not in ("Cc", "Cf", "Cs") else f"\\u{ord(char):04x}"
        for char in text
    )


def when(instant: str | None) -> str:
    """An RFC 3339 instant as people read it: 2026-03-02 10:00. A deadline at midnight is its last day, 24:00."""
    if instant is None:
        return ""
    return datetime.fromisoformat(instant).strftime("%Y-%m-%d %H:%M")


def deadline(instant: str | None) -> str:
    """A deadline's midnight as the last day it still is: 2026-03-01 24:00."""
    from datetime import timedelta

    if instant is None:
        return ""
    moment = datetime.fromisoformat(instant)
    if (moment.hour, moment.minute) == (0, 0):
        return f"{(moment - timedelta(days=1)).date()} 24:00"
    return moment.strftime("%Y-%m-%d %H:%M")


def money(amount: Mapping[str, int]) -> str:
    from domain.money import format_cny

    return format_cny(amount["fen"])


def print_table(columns: Iterable[str], rows: Iterable[Iterable[object]], title: str | None = None) -> None:
    """A table on stdout; every cell made plain."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        # Numbers, names and dates are never cut; texts give way.
        table.add_column(column, no_wrap=column not in _TEXTS, overflow="fold")
    for row in rows:
        table.add_row(*(Text(plain(cell)) for cell in row))
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _PIPED_WIDTH
    Console(highlight=False, width=width).print(table)
