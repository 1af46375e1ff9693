"""A bank's statement as a CSV file: read whole, every problem of every line told at once (design/files.md).

An amount below zero is money that went out: a refund, a return, or a payment the bank has taken back. An import takes
only what came in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict

from domain.csv_file import read_lines
from domain.money import parse_cny
from domain.names import folded, same_company
from domain.records import Payment
from domain.refusals import Problem
from domain.shanghai import parse_date

COLUMNS = ("reference", "paid_at", "amount", "currency", "payer", "note")
_LONGEST = {"reference": 200, "payer": 200, "note": 500}
_MOST = 10**15


class StatementLine(BaseModel):
    """One line: `amount` in fen, below zero when it went out; `paid_on` is a Shanghai date."""

    model_config = ConfigDict(extra="allow", frozen=True)

    line: int
    reference: str
    paid_on: date
    amount: int
    payer: str
    note: str = ""

    def tells_of(self, known: Payment) -> bool:
        """Whether a payment on record is what this line says."""
        return (
            self.amount == known.amount and same_company(self.payer, known.payer) and self.paid_on == known.value_date
        )


class InvalidStatement(Exception):
    """A statement has problems, all of them with their lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{problem.path} {problem.message}".strip() for problem in self.problems))


def read_statement(text: str, *, latest: date, going_out: bool = False) -> tuple[StatementLine, ...]:
    """The lines of a statement in their order. Raises `InvalidStatement` with every problem of every line.

    `latest` is the last value date there can be; `going_out` allows money that went out.
    """
    lines: list[StatementLine] = []

    def take(cells: dict[str, str], number: int) -> list[Problem]:
        line, wrong = _line(cells, number, latest, going_out)
        lines.extend([line] if line else [])
        return wrong

    problems = read_lines(text, COLUMNS, take, empty="has no line of a payment", delimiter=_delimiter(text))
    problems += _twice(lines)
    if problems:
        raise InvalidStatement(problems)
    return tuple(lines)


def _delimiter(text: str) -> str:
    """What parts the cells of the header."""
    header = next((line for line in text.splitlines() if line.strip()), "")
    return ";" if header.count(";") > header.count(",") else ","


def _line(
    cells: dict[str, str], number: int, latest: date, going_out: bool
) -> tuple[StatementLine | None, list[Problem]]:
    readers: dict[str, Callable[[str], Any]] = {
        "reference": lambda cell: folded(_text(cell, "reference")),
        "paid_at": lambda cell: _day(cell, latest),
        "amount": lambda cell: _amount(cell, going_out),
        "currency": _currency,
        "payer": lambda cell: _text(cell, "payer"),
        "note": lambda cell: _text(cell, "note") if cell else "",
    }
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    for name in COLUMNS:
        try:
            values[name] = readers[name](cells[name])
        except ValueError as error:
            problems.append(Problem(f"line {number}.{name}", str(error)))
    if problems:
        return None, problems
    values["paid_on"] = values.pop("paid_at")
    del values["currency"]
    return StatementLine(**values, line=number), []


def _twice(lines: Iterable[StatementLine]) -> list[Problem]:
    """A reference names one payment; only what goes out may bear that of what it takes back."""
    first: dict[tuple[str, bool], int] = {}
    problems = []
    for line in lines:
        before = first.setdefault((line.reference, line.amount > 0), line.line)
        if before != line.line:
            problems.append(Problem(f"line {line.line}.reference", f"is that of line {before}"))
    return problems


def _text(cell: str, name: str) -> str:
    # Banks' statements have full-width spaces.
    if not folded(cell) or max(len(cell), len(folded(cell))) > _LONGEST[name] or not _printable(cell):
        raise ValueError(f"must have 1 to {_LONGEST[name]} printable characters")
    return cell


def _printable(text: str) -> bool:
    return text.replace("\u3000", " ").isprintable()


def _day(cell: str, latest: date) -> date:
    try:
        day = parse_date(cell)
    except (ValueError, OverflowError):
        raise ValueError("must be a date such as 2026-03-02, or RFC 3339") from None
    if day > latest:
        raise ValueError(f"is after today ({latest})")
    return day


def _amount(cell: str, going_out: bool) -> int:
    out = cell.startswith("-")
    try:
        fen = parse_cny(cell.removeprefix("-"))
    except ValueError as error:
        raise ValueError(str(error)) from None
    if fen > _MOST:
        raise ValueError("is more than any payment")
    if fen == 0:
        raise ValueError("must be more than zero")
    if out and not going_out:
        raise ValueError("must be more than zero: what went out is only compared, with: livebase deposit reconcile")
    return -fen if out else fen


def _currency(cell: str) -> str:
    if folded(cell).upper() != "CNY":
        raise ValueError("must be CNY")
    return "CNY"
