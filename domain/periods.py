"""The quarters a base is assessed for, and which of them count (decision 22; edge case E44).

A quarter counts when the base was certified throughout it: the one it was certified in is exempt, and so is one with
a gap in it. A renewal without a gap goes on with what was before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Self

from domain.shanghai import end_of_day, midnight, shanghai_date
from domain.terms import Term, add_months

_WRITTEN = re.compile(r"(20[0-9]{2})Q([1-4])")
_QUARTER = 3


@dataclass(frozen=True, order=True)
class Period:
    """A quarter of a year in Shanghai, half-open `[begins, ends)`; written 2027Q1."""

    year: int
    quarter: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """A quarter from 2000 to 2099 as it is written. ValueError for anything else."""
        match = _WRITTEN.fullmatch(text)
        if match is None:
            raise ValueError("must be a quarter written like 2027Q1")
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def of(cls, day: date) -> Self:
        """The quarter of a Shanghai date."""
        return cls(day.year, (day.month - 1) // _QUARTER + 1)

    def __str__(self) -> str:
        return f"{self.year}Q{self.quarter}"

    @property
    def chinese(self) -> str:
        return f"{self.year}年第{self.quarter}季度"

    @property
    def first_day(self) -> date:
        return date(self.year, (self.quarter - 1) * _QUARTER + 1, 1)

    @property
    def last_day(self) -> date:
        return date.fromordinal(self.next.first_day.toordinal() - 1)

    @property
    def begins(self) -> datetime:
        return midnight(self.first_day)

    @property
    def ends(self) -> datetime:
        return end_of_day(self.last_day)

    @property
    def next(self) -> Self:
        return self.of(add_months(self.first_day, _QUARTER))


def unbroken_since(terms: Sequence[Term]) -> datetime:
    """Since when the base has been certified without a gap, by the newest of its terms."""
    since = terms[-1].from_
    for earlier in reversed(terms[:-1]):
        if earlier.until != since:
            break
        since = earlier.from_
    return since


def ending_in(terms: Sequence[Term]) -> Iterator[Period]:
    """The quarters that end in the newest term and count, in their order."""
    since, term = unbroken_since(terms), terms[-1]
    period = Period.of(shanghai_date(term.from_))
    while period.ends <= term.until:
        if since <= period.begins and term.from_ < period.ends:
            yield period
        period = period.next


def counting_term(terms: Sequence[Term], period: Period) -> Term | None:
    """The term in which a quarter that counts ended: by its policy the figures are judged. None for one that does not
    count."""
    for number, term in enumerate(terms, 1):
        if term.from_ < period.ends <= term.until:
            return term if unbroken_since(terms[:number]) <= period.begins else None
    return None
