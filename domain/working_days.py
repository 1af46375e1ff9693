"""Working days from the State Council's notices, provisional where no notice is in yet (decisions 4 and 5)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date, timedelta
from functools import cached_property
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.notices import FIXED_HOLIDAYS, Notice

DayKind = Literal["working", "make_up", "provisional", "weekend", "holiday"]


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
    """The working days known from `notices`; immutable. For the days it names, a later published notice wins over
    an earlier one; of two published on one day the later given.

    `provisional=False` takes the notices as imported, without decision 5's rule: used to compare with others.
    """

    def __init__(self, notices: Iterable[Notice], *, provisional: bool = True) -> None:
        each_once = {notice.sha256: notice for notice in notices}  # a release may ship what was imported before
        self.notices = tuple(sorted(each_once.values(), key=lambda notice: (notice.published_on, notice.year)))
        self.years = frozenset(notice.year for notice in self.notices)
        self._provisional = provisional
        self._days: dict[date, tuple[DayKind, str]] = {}
        for notice in self.notices:
            self._days |= {day: ("holiday", notice.source) for day in notice.holidays}
            self._days |= {day: ("make_up", notice.source) for day in notice.working_days}

    @cached_property
    def version(self) -> str:
        """The years covered and a hash of every notice's content: stable text."""
        content = "".join(notice.model_dump_json() for notice in self.notices)
        years = f"{min(self.years)}-{max(self.years)}" if self.years else "none"
        return f"{years}:{hashlib.sha256(content.encode()).hexdigest()[:8]}"

    def with_notice(self, notice: Notice) -> Calendar:
        """The calendar once that notice is in as well."""
        return Calendar((*self.notices, notice), provisional=self._provisional)

    def is_provisional(self, day: date) -> bool:
        """A year without its notice is provisional, and so is December of the year before it (decision 5)."""
        return day.year not in self.years or (day.month == 12 and day.year + 1 not in self.years)

    def kind(self, day: date) -> tuple[DayKind, str]:
        """What a day is, and the source of that."""
        if self._provisional and self.is_provisional(day):
            if (day.month, day.day) in FIXED_HOLIDAYS:
                return "holiday", f"statutory holiday: {FIXED_HOLIDAYS[day.month, day.day]}"
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
