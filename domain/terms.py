"""Terms and ages, counted by Civil Code articles 201 to 204 (decisions 2 and 3)."""

from __future__ import annotations

import calendar
from datetime import date, datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from domain.shanghai import end_of_day, shanghai_date


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
        return add_years(self.anchor, self.ordinal)

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
