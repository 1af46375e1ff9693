"""Terms and ages, counted by Civil Code articles 201 to 204 (decisions 2 and 3)."""

from __future__ import annotations

import calendar
from datetime import date, datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from domain.shanghai import end_of_day, last_day, shanghai_date


def add_months(day: date, months: int) -> date:
    """The corresponding day `months` later, or that month's last day."""
    years, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(years, month + 1, min(day.day, calendar.monthrange(years, month + 1)[1]))


def add_years(day: date, years: int) -> date:
    """The corresponding day `years` later; 29 February becomes 28 February in a common year."""
    return add_months(day, 12 * years)


def age_reached(since: date, *, years: int = 0, months: int = 0, as_of: date) -> bool:
    """Whether that much calendar time has passed on `as_of`, the corresponding day included."""
    return as_of >= add_months(since, 12 * years + months)


class Term(BaseModel):
    """One year of certification, half-open `[from, until)` in UTC. `anchor` keeps the anniversary from drifting."""

    model_config = ConfigDict(extra="allow", frozen=True, populate_by_name=True, serialize_by_alias=True)

    ordinal: int
    anchor: date
    from_: datetime = Field(alias="from")
    until: datetime
    certificate_number: str
    policy_version: str

    @property
    def last_day(self) -> date:
        """The last valid Shanghai date."""
        return last_day(self.until)

    @classmethod
    def first(cls, certified_at: datetime, certificate_number: str, policy_version: str, *, years: int = 1) -> Self:
        """The first term: from the certification instant through the anniversary's 24:00."""
        anchor = shanghai_date(certified_at)
        return cls(
            ordinal=1,
            anchor=anchor,
            from_=certified_at,
            until=end_of_day(add_years(anchor, years)),
            certificate_number=certificate_number,
            policy_version=policy_version,
        )

    def next(self, certificate_number: str, policy_version: str, *, years: int = 1) -> Self:
        """The term that follows without a gap, on the same anniversary (decisions 3 and 24)."""
        gone = self.last_day.year - self.anchor.year
        return self.model_copy(
            update={
                "ordinal": self.ordinal + 1,
                "from_": self.until,
                "until": end_of_day(add_years(self.anchor, gone + years)),
                "certificate_number": certificate_number,
                "policy_version": policy_version,
            }
        )

    def late(self, approved_at: datetime, certificate_number: str, policy_version: str, *, years: int = 1) -> Self:
        """The term a late renewal starts: from its approval, with an anniversary of its own (decision 25)."""
        first = self.first(approved_at, certificate_number, policy_version, years=years)
        return first.model_copy(update={"ordinal": self.ordinal + 1})
