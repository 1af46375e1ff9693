"""Working days from the State Council's notices, provisional where none is in (decisions 4 and 5)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import chinese_calendar
import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.notices import Notice
from domain.working_days import Calendar
from store.reference import shipped_calendar, shipped_notices

CALENDAR = shipped_calendar()


def d(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("certified", "deadline", "provisional"),
    [
        ("2025-01-24", "2025-02-10", False),
        ("2026-01-01", "2026-01-12", False),
        ("2026-02-06", "2026-02-24", False),
        ("2026-02-11", "2026-02-27", False),
        ("2026-02-13", "2026-03-02", False),  # edge case A1: Spring Festival, Saturdays 02-14 and 02-28 work
        ("2026-02-24", "2026-03-04", False),  # A2: Monday-to-Friday counting would be a day late
        ("2026-09-29", "2026-10-14", False),  # A3
        ("2026-09-30", "2026-10-15", False),
        ("2026-11-19", "2026-11-30", False),
        ("2026-11-20", "2026-12-01", True),  # December of a year whose next notice is not in
        ("2026-12-23", "2026-12-30", True),  # A4, decision 5
        ("2026-12-28", "2027-01-05", True),
    ],
)
def test_the_seventh_working_day(certified: str, deadline: str, provisional: bool) -> None:
    found = CALENDAR.deadline(d(certified), 7)
    assert (found.deadline, found.provisional) == (d(deadline), provisional)


def test_explain_accounts_for_every_day() -> None:
    found = CALENDAR.deadline(d("2026-02-13"), 7)
    assert [one.number for one in found.counted] == [1, 2, 3, 4, 5, 6, 7]
    assert {one.kind for one in found.counted} == {"make_up", "working"}
    days = sorted([one.date for one in found.counted] + [one.date for one in found.skipped])
    assert days == [d("2026-02-14") + timedelta(days=n) for n in range(len(days))]
    holiday = next(one for one in found.skipped if one.date == d("2026-02-17"))
    assert holiday.kind == "holiday" and "2026" in holiday.source


@pytest.mark.parametrize(
    ("day", "rolled"),
    [
        ("2026-03-02", "2026-03-02"),
        ("2026-03-07", "2026-03-09"),  # a Saturday
        ("2026-02-14", "2026-02-14"),  # a Saturday that works
        ("2026-02-16", "2026-02-24"),
        ("2026-10-01", "2026-10-08"),
        ("2027-01-01", "2027-01-02"),  # provisional: only the fixed holiday is sure
    ],
)
def test_a_persons_deadline_rolls_on_to_a_working_day(day: str, rolled: str) -> None:
    assert CALENDAR.roll_forward(d(day)).deadline == d(rolled)


def test_every_day_agrees_with_chinesecalendar_and_holidays() -> None:
    plain = Calendar(shipped_notices(), provisional=False)
    years = {notice.year for notice in plain.notices}
    theirs: Any = holidays.country_holidays("CN", years=years)
    assert {2024, 2025, 2026} <= years
    day, last = date(min(years), 1, 1), date(max(years), 12, 31)
    while day <= last:
        assert plain.is_working_day(day) == chinese_calendar.is_workday(day) == theirs.is_working_day(day), day
        day += timedelta(days=1)


def notice(year: int = 2027, **changes: Any) -> Notice:
    content: dict[str, Any] = {
        "year": year,
        "source": f"国务院办公厅关于{year}年部分节假日安排的通知",
        "published_on": f"{year - 1}-11-20",
        "holidays": {f"{year}-01-01": "元旦", f"{year}-01-02": "元旦", f"{year}-01-03": "元旦"},
        "working_days": {f"{year - 1}-12-26": "元旦调休"},
    }
    return Notice.model_validate({**content, **changes})


def test_a_notice_ends_what_was_provisional_and_can_only_move_a_deadline_later() -> None:
    known = Calendar((*shipped_notices(), notice()))
    for start in ("2026-12-23", "2026-12-28"):
        before, after = CALENDAR.deadline(d(start), 7), known.deadline(d(start), 7)
        assert before.provisional and not after.provisional
        assert after.deadline >= before.deadline
    # Saturday 2026-12-26 works by the 2027 notice: dates of the neighbouring year count
    assert known.kind(d("2026-12-26"))[0] == "make_up"
    assert known.version != CALENDAR.version


@given(
    start=st.dates(date(2026, 11, 1), date(2027, 3, 1)),
    days=st.integers(1, 12),
    off=st.sets(st.dates(date(2027, 1, 1), date(2027, 3, 31)), max_size=12),
    work=st.sets(st.dates(date(2026, 12, 1), date(2027, 3, 31)), max_size=6),
)
def test_provisional_is_the_earliest_it_could_turn_out_to_be(
    start: date, days: int, off: set[date], work: set[date]
) -> None:
    fixed = {date(2027, 1, 1)}
    later = notice(
        holidays={day: "假" for day in off | fixed}, working_days={day: "调休" for day in work - off - fixed}
    )
    assert (
        CALENDAR.deadline(start, days).deadline <= Calendar((*shipped_notices(), later)).deadline(start, days).deadline
    )


def test_a_later_notice_wins_over_an_earlier_one() -> None:
    extended = notice(2026, published_on="2026-01-27", holidays={"2026-03-02": "延长"}, working_days={})
    assert Calendar((*shipped_notices(), extended)).is_working_day(d("2026-03-02")) is False


def test_a_deadline_of_no_days_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        CALENDAR.deadline(d("2026-03-02"), 0)
