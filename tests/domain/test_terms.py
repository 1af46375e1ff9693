"""Terms, ages and dates: Civil Code 201 to 204 (decisions 1 to 4)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from domain.shanghai import end_of_day, midnight, parse_date, shanghai_date
from domain.stages import Standing, standing
from domain.terms import Term, add_months, add_years, age_reached
from store.reference import shipped_calendar
from tests.domain import cases


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        ("2026-03-01T15:59:59.999999+00:00", "2026-03-01"),
        ("2026-03-01T16:00:00+00:00", "2026-03-02"),
        ("2026-03-02T00:00:00+08:00", "2026-03-02"),
    ],
)
def test_dates_are_shanghai_dates(instant: str, day: str) -> None:
    assert shanghai_date(datetime.fromisoformat(instant)) == date.fromisoformat(day)


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        shanghai_date(datetime(2026, 3, 1))  # noqa: DTZ001


def test_a_day_ends_where_the_next_begins() -> None:
    day = date(2026, 3, 1)
    assert end_of_day(day) == midnight(day + timedelta(days=1)) == datetime(2026, 3, 1, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-03-02", "2026-03-02"),
        ("2026-03-01T23:00:00", "2026-03-01"),
        ("2026-03-01T23:00:00+00:00", "2026-03-02"),
        ("2026-03-01T16:00:00Z", "2026-03-02"),
    ],
)
def test_a_date_without_a_zone_is_shanghais(text: str, day: str) -> None:
    assert parse_date(text) == date.fromisoformat(day)


@pytest.mark.parametrize("text", ["0001-01-01", "9999-12-31", "0001-01-01T07:59:59Z", "2026-02-29"])
def test_a_date_has_a_midnight_at_both_ends(text: str) -> None:
    with pytest.raises((ValueError, OverflowError)):
        parse_date(text)


@pytest.mark.parametrize(
    ("since", "years", "months", "reached"),
    [
        ("2026-02-28", 1, 0, "2027-02-28"),
        ("2026-01-31", 0, 10, "2026-11-30"),
        ("2024-02-29", 1, 0, "2025-02-28"),
        ("2025-11-24", 1, 0, "2026-11-24"),
        ("2025-12-31", 0, 2, "2026-02-28"),
    ],
)
def test_an_age_is_reached_on_the_corresponding_day(since: str, years: int, months: int, reached: str) -> None:
    day = date.fromisoformat(reached)
    assert age_reached(date.fromisoformat(since), years=years, months=months, as_of=day)
    assert not age_reached(date.fromisoformat(since), years=years, months=months, as_of=day - timedelta(days=1))


def test_months_and_years_clip_to_the_months_end() -> None:
    assert add_months(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert add_years(date(2028, 2, 29), 4) == date(2032, 2, 29)


@pytest.mark.parametrize(
    "clock", ["2026-11-22T16:00:00+00:00", "2026-11-23T04:00:00+00:00", "2026-11-23T15:59:59+00:00"]
)
def test_certified_at_any_moment_of_a_day_is_valid_through_its_anniversary(clock: str) -> None:
    certified = datetime.fromisoformat(clock)
    term = Term.first(certified, "LBC-2026-000001", "2026.1")
    assert term.from_ == certified
    assert term.last_day == date(2027, 11, 23)
    assert term.until == midnight(date(2027, 11, 24))


@pytest.mark.parametrize(
    ("ordinal", "last"),
    [(1, "2029-02-28"), (2, "2030-02-28"), (3, "2031-02-28"), (4, "2032-02-29"), (40, "2068-02-29")],
)
def test_the_anniversary_never_drifts(ordinal: int, last: str) -> None:
    term = Term.first(midnight(date(2028, 2, 29)), "LBC-2028-000001", "2026.1")
    for number in range(2, ordinal + 1):
        before, term = term, term.next(f"LBC-{number}", "2026.1")
        assert term.from_ == before.until, "one certificate per instant"
    assert (term.ordinal, term.last_day) == (ordinal, date.fromisoformat(last))
    assert term.until == midnight(term.last_day + timedelta(days=1))


def test_a_late_renewal_has_an_anniversary_of_its_own() -> None:
    first = Term.first(midnight(date(2026, 3, 2)), "LBC-1", "2026.1")
    approved = midnight(date(2027, 3, 20)) + timedelta(hours=9)
    late = first.late(approved, "LBC-2", "2026.1")
    assert (late.ordinal, late.from_, late.last_day) == (2, approved, date(2028, 3, 20))
    assert late.next("LBC-3", "2026.1").last_day == date(2029, 3, 20)


def test_the_end_of_a_term_does_not_roll_on_over_a_holiday() -> None:
    case = cases.in_valid(midnight(date(2025, 10, 1)) + timedelta(hours=10))
    assert case.term is not None
    assert case.term.last_day == date(2026, 10, 1)
    assert shipped_calendar().roll_forward(case.term.last_day).deadline == date(2026, 10, 8), "a person's would"
    expiry = next(planned for planned in case.plan if planned.event == "expire_certification")
    assert expiry.at == case.term.until == midnight(date(2026, 10, 2))


def test_a_term_is_written_as_from_and_until() -> None:
    term = Term.first(midnight(date(2026, 3, 2)), "LBC-2026-000001", "2026.1")
    assert {"from", "until"} <= term.model_dump(mode="json").keys()
    assert Term.model_validate_json(term.model_dump_json()) == term


def test_standing_changes_exactly_at_the_end_of_the_term() -> None:
    term = Term.first(midnight(date(2026, 3, 2)), "LBC-2026-000001", "2026.1")
    moment = timedelta(microseconds=1)
    assert standing(term.until - moment, [term], [], None) is Standing.CERTIFIED
    assert standing(term.until, [term], [], None) is Standing.EXPIRED
    assert standing(term.until - moment, [term], ["a hold"], None) is Standing.SUSPENDED
    assert standing(term.until, [term], ["a hold"], None) is Standing.EXPIRED
    assert standing(term.until, [], [], None) is Standing.APPLICANT
