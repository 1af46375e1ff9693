"""The figures of a base's quarter: read from a file, judged against the policy (B3, decision 22; design/files.md).

`live_merchants` are the merchants that sold by live streaming through the base in the quarter. Of these, *active* are
those who broadcast in each of its months. `gmv` is what was sold in their live streams, paid and not returned.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from domain.csv_file import read_lines
from domain.fields import CreditCode, plain_problems
from domain.money import parse_cny
from domain.periods import Period
from domain.policy import Policy
from domain.refusals import Problem

COLUMNS = ("credit_code", "period", "live_merchants", "active_merchants", "gmv")
_CODE: TypeAdapter[str] = TypeAdapter(CreditCode)
_COUNT = re.compile(r"[0-9]{1,9}", re.ASCII)

Result = Literal["pass", "fail", "unknown"]
Metric = Literal["live_merchants", "active_share", "gmv"]


class Figures(BaseModel):
    """One base's figures of one quarter; `gmv` in fen. `line` is where the file has them."""

    model_config = ConfigDict(extra="allow", frozen=True)

    credit_code: str
    period: str
    live_merchants: int
    active_merchants: int
    gmv: int
    line: int = 0

    @property
    def content(self) -> tuple[int, int, int]:
        """What tells a correction from the same figures once more."""
        return self.live_merchants, self.active_merchants, self.gmv

    @property
    def active_percent(self) -> float:
        """For people to read, to one decimal, never rounded up: the judgement itself is made in whole numbers."""
        return self.active_merchants * 1000 // self.live_merchants / 10 if self.live_merchants else 0.0


class InvalidFigures(Exception):
    """A file of figures has problems, all of them with their lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{problem.path} {problem.message}".strip() for problem in self.problems))


def missed(figures: Figures, policy: Policy) -> tuple[Metric, ...]:
    """The metrics below the policy's limit; a figure equal to its limit passes. Without any the quarter is passed."""
    below: list[Metric] = []
    if figures.live_merchants < policy.assessment_live_merchants:
        below.append("live_merchants")
    if figures.active_merchants * 100 < figures.live_merchants * policy.assessment_active_percent:
        below.append("active_share")
    if figures.gmv < policy.assessment_gmv_fen:
        below.append("gmv")
    return tuple(below)


def read_figures(text: str) -> tuple[Figures, ...]:
    """The lines of a CSV file in their order. Raises `InvalidFigures` with every problem of every line."""
    rows: list[Figures] = []

    def take(cells: dict[str, str], number: int) -> list[Problem]:
        row, wrong = _row(cells, number)
        rows.extend([row] if row else [])
        return wrong

    if problems := read_lines(text, COLUMNS, take, empty="has no line of figures"):
        raise InvalidFigures(problems)
    return tuple(rows)


def canonical(rows: Iterable[Figures]) -> bytes:
    """Lines as they travel and are kept: their sha256 names the batch."""
    data = [row.model_dump(mode="json") for row in rows]
    return json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def from_canonical(content: bytes) -> tuple[Figures, ...]:
    """Raises ValueError for what `canonical` can't have written."""
    data: Any = json.loads(content)
    if not isinstance(data, list) or not data:
        raise ValueError("no figures")
    rows = tuple(Figures.model_validate(one) for one in data)
    for row in rows:
        Period.parse(row.period)
        if not 0 <= row.active_merchants <= row.live_merchants or row.gmv < 0:
            raise ValueError(f"line {row.line} can't be right")
    return rows


def batch_hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _row(cells: dict[str, str], line: int) -> tuple[Figures | None, list[Problem]]:
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    for name, read in _READ.items():
        cell = cells[name]
        try:
            if not cell:
                raise ValueError("is empty: leave the line out where a figure is not known yet")
            values[name] = read(cell)
        except ValueError as error:
            problems.append(Problem(f"line {line}.{name}", str(error)))
    live, active = values.get("live_merchants"), values.get("active_merchants")
    if live is not None and active is not None and active > live:
        problems.append(Problem(f"line {line}.active_merchants", "must not be more than live_merchants"))
    if problems:
        return None, problems
    return Figures(**values, line=line), []


def _code(cell: str) -> str:
    try:
        return str(_CODE.validate_python(cell))
    except ValidationError as error:
        raise ValueError(plain_problems(error)[0].message) from None


def _period(cell: str) -> str:
    return str(Period.parse(cell))


def _count(cell: str) -> int:
    if not _COUNT.fullmatch(cell):
        raise ValueError("must be a whole number, not below zero, at most nine digits")
    return int(cell)


def _gmv(cell: str) -> int:
    """Nothing sold is a figure like any other."""
    try:
        return parse_cny(cell)
    except ValueError:
        raise ValueError("must be an amount in CNY with at most two decimals, digits only: 1250000.00") from None


_READ = {
    "credit_code": _code,
    "period": _period,
    "live_merchants": _count,
    "active_merchants": _count,
    "gmv": _gmv,
}
