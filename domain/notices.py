"""The State Council's notices of holidays and make-up working days, as shipped and as people hand them in.

Shapes are those of `design/files.md` (Calendar notice). A notice for a year already known revises it: it may name
only the days it changes (the extended Spring Festival of 2020).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from domain.fields import AnyDate, Line, Name, PastDate, plain_problems
from domain.refusals import Problem

FIXED_HOLIDAYS = {
    (1, 1): "元旦", (5, 1): "劳动节", (5, 2): "劳动节", (10, 1): "国庆节", (10, 2): "国庆节", (10, 3): "国庆节",
}  # fmt: skip
"""(month, day) → the statutory holiday it always is."""

# The statutory holidays since 2025 (全国年节及纪念日放假办法), each with the days between which it falls and how many
# days off it has at least. 中秋节 is left out: in some years it falls into the week of 国庆节.
_STATUTORY: tuple[tuple[str, tuple[int, int], tuple[int, int], int], ...] = (
    ("元旦", (1, 1), (1, 1), 1),
    ("春节", (1, 20), (2, 24), 4),
    ("清明节", (4, 3), (4, 7), 1),
    ("劳动节", (5, 1), (5, 2), 2),
    ("端午节", (5, 25), (6, 28), 1),
    ("国庆节", (10, 1), (10, 3), 3),
)
_STATUTORY_SINCE = 2025
_YEARS = range(2000, 2201)


class InvalidNotice(Exception):
    """A notice handed in has problems, all of them with their paths."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(f"{problem.path} {problem.message}".strip() for problem in problems))
        self.problems = problems


class NoticeReference(BaseModel):
    """What records and messages name a notice by: `sha256` is that of its canonical content."""

    model_config = ConfigDict(extra="allow", frozen=True)

    year: int
    source: str
    published_on: date
    sha256: str


class Told(BaseModel):
    """How far the live cases have been told of a notice: all up to the workflow id `after`; `more` may follow.

    `gone` are those whose workflow had ended by then.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    after: str = ""
    told: int = 0
    gone: int = 0
    more: bool = True


class Progress(BaseModel):
    """In how many cases a notice has moved a deadline, and how many live ones are still to count theirs again."""

    model_config = ConfigDict(extra="allow", frozen=True)

    moved: int
    left: int


def _year(year: int) -> int:
    if year not in _YEARS:
        raise ValueError("must be a year between 2000 and 2200")
    return year


class Notice(BaseModel):
    """A notice of one year's holidays (day → name). Its lists may hold dates of the neighbouring years."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    year: Annotated[int, AfterValidator(_year)]
    source: Line
    published_on: PastDate
    holidays: dict[AnyDate, Name]
    working_days: dict[AnyDate, Name]

    def canonical(self) -> str:
        """JSON, keys sorted, no spaces: the same notice always gives the same text."""
        data = self.model_dump(mode="json")
        return json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    @property
    def sha256(self) -> str:
        """The sha256 (hex) of the canonical text: what the notice is known by, however its file was written."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()

    @property
    def reference(self) -> NoticeReference:
        return NoticeReference(year=self.year, source=self.source, published_on=self.published_on, sha256=self.sha256)


def read_notice(data: object, *, today: date, known_years: Collection[int]) -> Notice:
    """A notice people hand in. `today` is a Shanghai date; a year not in `known_years` must be complete.

    Raises `InvalidNotice` with every problem.
    """
    problems: list[Problem] = []
    notice = None
    try:
        notice = Notice.model_validate(data, context={"today": today})
    except ValidationError as error:
        problems += plain_problems(error)
    if isinstance(data, dict) and type(year := data.get("year")) is int and year in _YEARS:
        problems += _inconsistent(data, year, known_years)
    if problems or notice is None:
        raise InvalidNotice(tuple(problems))
    return notice


def _inconsistent(data: dict[Any, Any], year: int, known_years: Collection[int]) -> Iterator[Problem]:
    """What can't be right in the days that could be read."""
    holidays, working_days = _days(data.get("holidays")), _days(data.get("working_days"))
    for field, days in (("holidays", holidays), ("working_days", working_days)):
        for day in days:
            if abs(day.year - year) > 1:
                yield Problem(f"{field}.{day}", f"is more than a year away from {year}")
        if len(set(days)) < len(days):
            yield Problem(field, "names a day twice")
    for day in working_days:
        if day in holidays:
            yield Problem(f"working_days.{day}", "is a holiday as well")
        elif (day.month, day.day) in FIXED_HOLIDAYS:
            yield Problem(f"working_days.{day}", "is a statutory holiday, every year")
    if not isinstance(data.get("holidays"), dict):
        return
    if not holidays and not working_days:
        yield Problem("holidays", "names no day, and working_days none either")
    elif year not in known_years and year >= _STATUTORY_SINCE:
        yield from _lacking(year, holidays)


def _days(named: object) -> list[date]:
    days = []
    for text in named if isinstance(named, dict) else ():
        try:
            days.append(date.fromisoformat(str(text).strip()))
        except ValueError:
            continue  # told as a problem of its shape
    return days


def _lacking(year: int, holidays: list[date]) -> Iterator[Problem]:
    """The statutory holidays a year's first notice leaves out: they would become working days."""
    for name, first, last, least in _STATUTORY:
        begin, end = date(year, *first), date(year, *last)
        found = sum(begin <= day <= end for day in set(holidays))
        if found < least:
            between = f"on {begin}" if begin == end else f"between {begin} and {end}"
            what = f"lacks {name}: at least {least} {'day' if least == 1 else 'days'} {between}, {found} named"
            yield Problem("holidays", what)
