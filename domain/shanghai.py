"""Dates are dates in Shanghai, instants are UTC: the one place where the two meet (decision 1)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")


def shanghai_date(instant: datetime) -> date:
    """The Shanghai date of an aware instant. ValueError for a naive one."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs a zone")
    return instant.astimezone(SHANGHAI).date()


def midnight(day: date) -> datetime:
    """The UTC instant at which a Shanghai date begins."""
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).astimezone(UTC)


def end_of_day(day: date) -> datetime:
    """The UTC instant at which a Shanghai date ends: the midnight after it, half-open."""
    return midnight(day + timedelta(days=1))


def last_day(ends: datetime) -> date:
    """The Shanghai date that ends at an instant, such as a deadline given as the midnight after its last day."""
    return shanghai_date(ends - timedelta(microseconds=1))


def parse_date(text: str) -> date:
    """A date people type: ISO, or RFC 3339 with an offset; without a zone it is Shanghai's (decision 1).

    ValueError or OverflowError for what is no date, and for the calendar's first and last one, which have no midnight.
    """
    if "T" not in text and " " not in text.strip():
        day = date.fromisoformat(text.strip())
    else:
        instant = datetime.fromisoformat(text.strip())
        day = instant.date() if instant.tzinfo is None else shanghai_date(instant)
    midnight(day), end_of_day(day)
    return day
