"""Data on stdout: JSON, JSON lines, or tables a person likes to read. Everything else goes to stderr."""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any

_TEXTS = frozenset(
    {
        "",
        "message",
        "detail",
        "value",
        "before",
        "after",
        "found",
        "how to mend",
        "source",
        "if nobody acts",
        "reason",
        "found by",
    }
)
_NUMBERS = frozenset(
    {"#", "CNY", "bytes", "counted", "holidays", "make-up days"}
    | {"credited", "moved", "taken_back", "returned", "at the bank", "with us"}
    | {"required", "received", "deducted", "refunded", "held", "unmatched"}
    | {"days left", "open", "overdue", "due in range", "done"}
)
_PIPED_WIDTH = 160
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # control, bidirectional and line-breaking characters
_LANGUAGE: ContextVar[str] = ContextVar("language", default="en")


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Within the block the words of tables are those of `language`: en or zh."""
    token = _LANGUAGE.set(language)
    try:
        yield
    finally:
        _LANGUAGE.reset(token)


def word(text: str, within: str = "") -> str:
    """A word of ours (a stage, a role, a heading) in the language asked for; any other text as it is.

    `within` says where it stands, for words that mean something else there.
    """
    if _LANGUAGE.get() != "zh":
        return text
    from starter.words import CHINESE

    return CHINESE.get(f"{within}: {text}") or CHINESE.get(text, text)


def told(template: str, *values: object) -> str:
    """A sentence of ours in the language asked for; the values go in for its {}."""
    return word(template).format(*values)


def show(output: str, data: Any, table: Callable[[Any], None] | None = None) -> None:
    """Print `data` in the chosen form; a table where one is given and wanted."""
    try:
        if output == "table" and table is not None:
            table(data)
        elif output == "jsonl":
            for line in data if isinstance(data, list) else [data]:
                print(_json(line))
        else:
            print(_json(data, indent=2))
        sys.stdout.flush()
    except BrokenPipeError:
        # Nobody reads any more. That changes nothing of what was done or found out.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115


def say(text: str) -> None:
    """A line for the person, on stderr."""
    print(plain(text), file=sys.stderr)


def plain(value: object) -> str:
    """Text as it may go to a terminal: control and bidirectional characters made visible, never acted on."""
    text = "" if value is None else str(value)
    return "".join(char if char == "\n" or not _unseen(char) else f"\\u{ord(char):04x}" for char in text)


def _json(data: Any, indent: int | None = None) -> str:
    """JSON in UTF-8; what a terminal could act on is escaped, which JSON reads back as it was."""
    unicode = (sys.stdout.encoding or "").lower().replace("-", "") in ("utf8", "utf16", "utf32")
    text = json.dumps(data, ensure_ascii=not unicode, indent=indent)
    return "".join(
        char if char == "\n" or not _unseen(char) else json.dumps(char, ensure_ascii=True)[1:-1] for char in text
    )


def _unseen(char: str) -> bool:
    return unicodedata.category(char) in _UNSEEN


def when(instant: str | None) -> str:
    """An RFC 3339 instant as people read it: 2026-03-02 10:00."""
    return "" if instant is None else datetime.fromisoformat(instant).strftime("%Y-%m-%d %H:%M")


def deadline(instant: str | None) -> str:
    """A deadline's midnight as the last day it still is: 2026-03-01 24:00."""
    if instant is None:
        return ""
    moment = datetime.fromisoformat(instant)
    if (moment.hour, moment.minute, moment.second) == (0, 0, 0):
        return f"{(moment - timedelta(days=1)).date()} 24:00"
    return when(instant)


def waiting(awaiting: str, due_at: str | None) -> str:
    """Who is waited for, and until when."""
    return word(awaiting) + (f" {word('by')} {deadline(due_at)}" if due_at else "")


def flat(value: object) -> str:
    """A value of the JSON in one line."""
    if isinstance(value, list):
        return "; ".join(flat(one) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{key}: {flat(one)}" for key, one in value.items())
    return plain(value)


def money(amount: Mapping[str, int]) -> str:
    from domain.money import format_cny

    return format_cny(amount["fen"])


def loud(text: str) -> str:
    """A cell that is to be seen at once: red where the terminal has colours."""
    from starter.tables import Loud

    return Loud(text)


def print_table(columns: Iterable[str], rows: Iterable[Iterable[object]], title: str | None = None) -> None:
    """A table on stdout, every cell made plain; columns without a value in any row are left out."""
    from starter.tables import Column, Loud, lay_out

    headings = [Column(word(name, "heading"), name in _TEXTS, name in _NUMBERS) for name in columns]
    cells = [[Loud(plain(cell)) if isinstance(cell, Loud) else plain(cell) for cell in row] for row in rows]
    if title:
        print(plain(title))
    print("\n".join([*lay_out(headings, cells, _width(), colour=_coloured()), ""]))


def _width() -> int:
    """The terminal's, or COLUMNS; elsewhere wide enough for most."""
    import shutil

    return (
        shutil.get_terminal_size((_PIPED_WIDTH, 0)).columns
        if sys.stdout.isatty() or "COLUMNS" in os.environ
        else _PIPED_WIDTH
    )


def _coloured() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
