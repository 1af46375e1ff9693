"""`livebase fast-forward`: a case's time moves, and all that falls due on the way has been done when it returns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from domain.shanghai import SHANGHAI
from domain.terms import add_months
from tests.starter.conftest import REVIEWER, Cases
from tests.starter.livebase import Livebase, Running

ONLY_ON = "sqlite"
"""What differs between the databases is tested in tests/store, and by requests and payments at once on both."""

LENGTHS = {
    "8d": timedelta(days=8),
    "12h": timedelta(hours=12),
    "90m": timedelta(minutes=90),
    "P1DT6H30M": timedelta(days=1, hours=6, minutes=30),
}
MONTHS = {"P1M": 1, "P1Y": 12}
A_WHILE = timedelta(minutes=2)
"""The clocks go on while commands run."""


def test_a_duration_is_as_long_as_it_says_and_months_are_those_of_the_calendar(dev: Running, cases: Cases) -> None:
    began = datetime.now(SHANGHAI)
    words = [*LENGTHS, *MONTHS]
    done = dev.each(*(("fast-forward", cases.review, one, "--dry-run", "-o", "json") for one in words))
    reached = {one: datetime.fromisoformat(left.json["now"]) for one, left in zip(words, done, strict=True)}
    for one, length in LENGTHS.items():
        assert timedelta() <= reached[one] - (began + length) < A_WHILE
    for one, months in MONTHS.items():
        day = add_months(began.date(), months)
        assert timedelta() <= reached[one] - began.replace(year=day.year, month=day.month, day=day.day) < A_WHILE


def test_what_falls_due_on_the_way_is_on_record_when_it_returns(dev: Running, applied: str) -> None:
    dev.ok("review", "request", applied, "--revision", "1", "--item", "B1: the policy's full text", *REVIEWER)
    due = dev.ok("show", applied)["due_at"]
    half = dev.ok("fast-forward", applied, "12h")
    assert set(half) == {"case_number", "now", "stage", "standing", "due_at"}
    assert (half["case_number"], half["stage"], half["standing"], half["due_at"]) == (
        applied, "supplement", "applicant", due,
    )  # fmt: skip
    whole = dev.ok("fast-forward", applied, "P1M")
    assert (whole["stage"], whole["standing"], whole["due_at"]) == ("closed", "lapsed", None)
    moved = datetime.fromisoformat(whole["now"]) - datetime.now(UTC)
    assert timedelta(days=28) < moved < timedelta(days=32)

    view, entries = dev.ok("show", applied), dev.ok("timeline", applied)
    assert (view["stage"], view["standing"], view["ending"]["legal_at"]) == ("closed", "lapsed", due)
    *reminders, lapsed = entries[3:]
    assert lapsed["legal_at"] == due
    days = [datetime.fromisoformat(due) - datetime.fromisoformat(entry["legal_at"]) for entry in reminders]
    assert days == [timedelta(days=5), timedelta(days=1)]
    assert all(entry["observed_at"] >= entry["legal_at"] for entry in entries)

    closed = dev("fast-forward", applied, "1d", "-o", "json")
    assert (closed.code, closed.error["kind"]) == (5, "already_ended")


def test_only_the_local_server_s_clocks_are_moved(dev: Running, cases: Cases, tmp_path: Path) -> None:
    """Neither those of a server named, though it is the same one, nor of none."""
    elsewhere = dev.copy_of_the_records(tmp_path / "elsewhere")
    words = ("fast-forward", cases.review, "1d", "-o", "json")
    done = elsewhere.each((*words, "--address", dev.state["address"]), words)
    assert [(one.code, one.error["kind"]) for one in done] == [(5, "not_local")] * 2


def test_a_duration_that_is_none_is_wrong_usage(livebase: Livebase) -> None:
    wrong = ["", "0d", "1.5h", "8d12h"]
    done = livebase.each(*(("fast-forward", "LB-2026-000001", words) for words in wrong))
    assert [one.code for one in done] == [2] * len(wrong)
