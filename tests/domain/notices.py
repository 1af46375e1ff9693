"""Calendar notices as people hand them in, of any year."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from domain.notices import Notice

_OFF = {
    "元旦": ("01-01", "01-02", "01-03"),
    "春节": ("02-05", "02-06", "02-07", "02-08", "02-09", "02-10", "02-11"),
    "清明节": ("04-05",),
    "劳动节": ("05-01", "05-02", "05-03"),
    "端午节": ("06-09",),
    "中秋节": ("09-15",),
    "国庆节": ("10-01", "10-02", "10-03", "10-04", "10-05", "10-06", "10-07"),
}


def notice_file(
    year: int = 2027, *, off: Iterable[date] = (), working: Iterable[date] = (), **changes: Any
) -> dict[str, Any]:
    """A complete notice of a year as its file has it, with days more that are off or worked."""
    holidays = {f"{year}-{day}": name for name, days in _OFF.items() for day in days}
    working_days = {day.isoformat(): "调休" for day in working}
    holidays |= {day.isoformat(): "放假" for day in off}
    return {
        "year": year,
        "source": f"国务院办公厅关于{year}年部分节假日安排的通知",
        "published_on": f"{year - 1}-11-20",
        "holidays": {day: name for day, name in holidays.items() if day not in working_days},
        "working_days": working_days,
        **changes,
    }


def complete(year: int = 2027, **changes: Any) -> Notice:
    """The same as a notice."""
    return Notice.model_validate(notice_file(year, **changes))


def revision(
    year: int = 2026, *, off: Iterable[date] = (), working: Iterable[date] = (), published_on: str = "2026-11-21"
) -> Notice:
    """A notice that changes some days of a year already known, as the extended Spring Festival of 2020 was."""
    return Notice.model_validate(
        {
            "year": year,
            "source": f"国务院办公厅关于调整{year}年假期的通知",
            "published_on": published_on,
            "holidays": {day.isoformat(): "延长假期" for day in off},
            "working_days": {day.isoformat(): "调休" for day in working},
        }
    )
