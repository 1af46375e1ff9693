"""Working days from the State Council's notices, provisional where no notice is in yet (decisions 4 and 5)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date, timedelta
from functools import cached_property
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

DayKind = Literal["working", "make_up", "provisional", "weekend", "holiday"]
_FIXED = {(1, 1): "元旦", (5, 1): "劳动节", (5, 2): "劳动节", (10, 1): "国庆节", (10, 2): "国庆节", (10, 3): "国庆节"}


class Notice(BaseModel):
    """A notice of one year's holidays as people hand it in. Its lists may hold dates of the neighbouring years."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    year: int = Field(ge=2000, le=2200)
    source: str = Field(min_length=1)
    published_on: date
    holidays: dict[date, str] = Field(min_length=1)
    working_days: dict[date, str]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for day in (*self.holidays, *self.working_days):
            if abs(day.year - self.year) > 1:
                raise ValueError(f"{day} is more than a year away from {self.year}")
        if both := self.holidays.keys() & self.working_days.keys():
            raise ValueError(f"both holiday and working day: {', '.join(str(day) for day in sorted(both))}")
        return self


class Counted(BaseModel):
    """A day that was counted, with its number."""

    model_config = ConfigDict(frozen=True)

    date: date
    number: int
    kind: DayKind


class Skipped(BaseModel):
    """A day that was not counted, and by which source."""

    model_config = ConfigDict(frozen=True)

    date: date
    kind: DayKind
    source: str


class Deadline(BaseModel):
    """A deadline with every day on the way to it; the JSON of `livebase calendar explain` (fixed)."""

    model_config = ConfigDict(frozen=True)

    start: date
    days: int
    deadline: date
    provisional: bool
    calendar_version: str
    counted: tuple[Counted, ...]
    skipped: tuple[Skipped, ...]


class Calendar:
    """The working days known from `notices`; immutable. A later published notice wins over an earlier one.

    `provisional=False` takes the notices as imported, without decision 5's rule: used to compare with others.
    """

    def __init__(self, notices: Iterable[Notice], *, provisional: bool = True) -> None:
        self.notices = tuple(sorted(notices, key=lambda notice: (notice.published_on, notice.year)))
        self._years = frozenset(notice.year for notice in self.notices)
        self._provisional = provisional
        self._days: dict[date, tuple[DayKind, str]] = {}
        for notice in self.notices:
            self._days |= {day: ("holiday", notice.source) for day in notice.holidays}
            self._days |= {day: ("make_up", notice.source) for day in notice.working_days}

    @cached_property
    def version(self) -> str:
        """The years covered and a hash of every notice's content: stable text."""
        content = "".join(notice.model_dump_json() for notice in self.notices)
        years = f"{min(self._years)}-{max(self._years)}" if self._years else "none"
        return f"{years}:{hashlib.sha256(content.encode()).hexdigest()[:8]}"

    def is_provisional(self, day: date) -> bool:
        """A year without its notice is provisional, and so is December of the year before it (decision 5)."""
        return day.year not in self._years or (day.month == 12 and day.year + 1 not in self._years)

    def kind(self, day: date) -> tuple[DayKind, str]:
        """What a day is, and the source of that."""
        if self._provisional and self.is_provisional(day):
            if (day.month, day.day) in _FIXED:
                return "holiday", f"statutory holiday: {_FIXED[day.month, day.day]}"
            if day in self._days and self._days[day][0] == "holiday":
                return self._days[day]
            return "provisional", "no notice yet: counted as working, so the deadline can only move later"
        if day in self._days:
            return self._days[day]
        return ("weekend", "weekend") if day.weekday() >= 5 else ("working", "weekday")

    def is_working_day(self, day: date) -> bool:
        return self.kind(day)[0] in ("working", "make_up", "provisional")

    def deadline(self, start: date, working_days: int) -> Deadline:
        """The `working_days`-th working day after `start`, which is not counted itself."""
        if working_days < 1:
            raise ValueError("a deadline is at least one working day away")
        return self._walk(start, start + timedelta(days=1), working_days)

    def roll_forward(self, day: date) -> Deadline:
        """`day` itself, or the next working day: a person's deadline never ends on a day off (decision 4)."""
        return self._walk(day, day, 1)

    def _walk(self, start: date, day: date, working_days: int) -> Deadline:
        counted: list[Counted] = []
        skipped: list[Skipped] = []
        while True:
            kind, source = self.kind(day)
            if self.is_working_day(day):
                counted.append(Counted(date=day, number=len(counted) + 1, kind=kind))
            else:
                skipped.append(Skipped(date=day, kind=kind, source=source))
            if len(counted) == working_days:
                break
            day += timedelta(days=1)
        seen = [*(one.date for one in counted), *(one.date for one in skipped)]
        return Deadline(
            start=start,
            days=working_days,
            deadline=day,
            provisional=any(self.is_provisional(one) for one in seen),
            calendar_version=self.version,
            counted=tuple(counted),
            skipped=tuple(skipped),
        )
