"""What the public sees of a certificate at an instant, as a table of revisions and clocks (R3; decision 20)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.listed import Certificate, Seen, next_change, seen

FIRST, SECOND = "LBC-2026-000001", "LBC-2027-000001"
BEGIN = datetime(2026, 3, 2, 6, tzinfo=UTC)
END = datetime(2027, 3, 2, 16, tzinfo=UTC)
NEXT_END = datetime(2028, 3, 2, 16, tzinfo=UTC)
PUBLISHED = BEGIN + timedelta(hours=1)
DAY, TICK = timedelta(days=1), timedelta(microseconds=1)


@dataclass(frozen=True)
class Entry:
    """One revision, as the list has it."""

    revision: int
    state: str
    effective_from: datetime
    certificate_number: str = FIRST
    valid_from: datetime = BEGIN
    valid_until: datetime = END
    suspended_since: datetime | None = None
    category: str | None = None
    ending: str | None = None
    reason: str | None = None
    reasons_from: datetime | None = None
    observed_at: datetime | None = None
    name: str = "义乌北苑直播基地"
    credit_code: str = "91330782MA2K7P3R1U"
    holder: str = "义乌云集电子商务有限公司"
    place: str = "浙江省金华市义乌市"

    @property
    def at(self) -> datetime:
        return self.observed_at or self.effective_from


LISTED = Entry(1, "published", PUBLISHED)
HELD = Entry(2, "suspended", PUBLISHED + DAY, suspended_since=PUBLISHED + DAY, category="conduct")
LIFTED = Entry(3, "published", PUBLISHED + 2 * DAY)
REVOKED_AT = PUBLISHED + 5 * DAY
REVOKED = Entry(4, "withdrawn", REVOKED_AT, ending="revoked", reason="刷单", reasons_from=REVOKED_AT + 15 * DAY)
APPEALED = Entry(5, "withdrawn", REVOKED_AT, ending="revoked", observed_at=REVOKED_AT + DAY)
UPHELD = replace(REVOKED, revision=6, observed_at=REVOKED_AT + 9 * DAY, reasons_from=REVOKED_AT + 9 * DAY)
SET_ASIDE = Entry(6, "published", REVOKED_AT + 9 * DAY)
RENEWED = Entry(2, "published", END, SECOND, END, NEXT_END, observed_at=END - 30 * DAY)
TAKEN_AWAY = replace(REVOKED, revision=9)
HELD_RENEWED = replace(HELD, revision=5)
HELD_NEXT = replace(RENEWED, revision=6, state="suspended", suspended_since=HELD.effective_from, category="conduct")
EXPIRED = Entry(2, "withdrawn", END, ending="expired", observed_at=END + DAY)
LATE = Entry(3, "published", END + 9 * DAY, SECOND, END + 8 * DAY, NEXT_END)

GONE = (Seen.ENDED, "revoked", REVOKED_AT)
SEEN: dict[str, tuple[tuple[Entry, ...], str, datetime, object]] = {
    "nothing is published": ((), FIRST, PUBLISHED, None),
    "before its publication": ((LISTED,), FIRST, PUBLISHED - TICK, None),
    "another number": ((LISTED,), SECOND, PUBLISHED, None),
    "published": ((LISTED,), FIRST, PUBLISHED, Seen.CERTIFIED),
    "its last instant": ((LISTED,), FIRST, END - TICK, Seen.CERTIFIED),
    "its term is over and nobody noticed": ((LISTED,), FIRST, END, (Seen.ENDED, "expired", END)),
    "long over": ((LISTED,), FIRST, END + 999 * DAY, (Seen.ENDED, "expired", END)),
    "suspended": ((LISTED, HELD), FIRST, PUBLISHED + DAY, Seen.SUSPENDED),
    "just before its suspension": ((LISTED, HELD), FIRST, PUBLISHED + DAY - TICK, Seen.CERTIFIED),
    "suspended, its term over": ((LISTED, HELD), FIRST, END, (Seen.ENDED, "expired", END)),
    "reinstated": ((LISTED, HELD, LIFTED), FIRST, PUBLISHED + 2 * DAY, Seen.CERTIFIED),
    "revoked": ((LISTED, REVOKED), FIRST, REVOKED_AT, GONE),
    "revoked and over since": ((LISTED, REVOKED), FIRST, END + DAY, GONE),
    "in whatever order they are read": ((REVOKED, LIFTED, LISTED, HELD), FIRST, END, GONE),
    "set aside": ((LISTED, REVOKED, SET_ASIDE), FIRST, REVOKED_AT + 9 * DAY, Seen.CERTIFIED),
    "set aside, before": ((LISTED, REVOKED, SET_ASIDE), FIRST, REVOKED_AT + 8 * DAY, GONE),
    "renewed, in the first year": ((LISTED, RENEWED), FIRST, END - TICK, Seen.CERTIFIED),
    "the next one waits for its day": ((LISTED, RENEWED), SECOND, END - TICK, None),
    "the next one's first instant": ((LISTED, RENEWED), SECOND, END, Seen.CERTIFIED),
    "the first one then": ((LISTED, RENEWED), FIRST, END, (Seen.ENDED, "expired", END)),
    "renewed and the next one over too": ((LISTED, RENEWED), SECOND, NEXT_END, (Seen.ENDED, "expired", NEXT_END)),
    "revoked while the next one waits: it never began": ((LISTED, RENEWED, TAKEN_AWAY), SECOND, END, None),
    "and never will have": ((LISTED, RENEWED, TAKEN_AWAY), SECOND, NEXT_END + DAY, None),
    "the first one, revoked while the next one waits": ((LISTED, RENEWED, TAKEN_AWAY), FIRST, END, GONE),
    "held while the next one waits": ((LISTED, RENEWED, HELD_RENEWED, HELD_NEXT), SECOND, END, Seen.SUSPENDED),
    "found late, when it had begun": (
        (LISTED, RENEWED, replace(TAKEN_AWAY, observed_at=END + DAY)), SECOND, END + DAY,
        (Seen.ENDED, "expired", REVOKED_AT),
    ),
    "expired": ((LISTED, EXPIRED), FIRST, END, (Seen.ENDED, "expired", END)),
    "renewed late": ((LISTED, EXPIRED, LATE), SECOND, END + 9 * DAY, Seen.CERTIFIED),
    "the one before a late renewal": ((LISTED, EXPIRED, LATE), FIRST, END + 9 * DAY, (Seen.ENDED, "expired", END)),
    "a late one that is not published yet": ((LISTED, EXPIRED, LATE), SECOND, END + 9 * DAY - TICK, None),
    "a state nobody knows": ((replace(LISTED, state="?"),), FIRST, PUBLISHED, (Seen.ENDED, None, None)),
}  # fmt: skip


@pytest.mark.parametrize(("entries", "number", "now", "expected"), SEEN.values(), ids=SEEN)
def test_seen(entries: tuple[Entry, ...], number: str, now: datetime, expected: object) -> None:
    found = seen(entries, number, now)
    if not isinstance(expected, tuple):
        assert (found and found.seen) == expected
        assert found is None or found.certified == (expected is Seen.CERTIFIED)
        return
    assert found is not None and not found.certified
    assert (found.seen, found.ending, found.since) == expected


@pytest.mark.parametrize("entries", [(LISTED,), (LISTED, HELD)])
def test_an_ending_on_record_counts_whatever_the_list_says(entries: tuple[Entry, ...]) -> None:
    found = seen(entries, FIRST, PUBLISHED + DAY, case_ended=True)
    assert found is not None and (found.seen, found.since) == (Seen.ENDED, None)


def test_a_suspension_has_date_and_category_and_nothing_else() -> None:
    found = seen((LISTED, HELD), FIRST, PUBLISHED + DAY)
    assert found is not None
    assert (found.since, found.category, found.reason, found.ending) == (PUBLISHED + DAY, "conduct", None, None)


@pytest.mark.parametrize(
    ("entries", "now", "reason"),
    [
        ((LISTED, REVOKED), REVOKED_AT + 15 * DAY - TICK, None),
        ((LISTED, REVOKED), REVOKED_AT + 15 * DAY, "刷单"),
        ((LISTED, REVOKED, APPEALED), REVOKED_AT + 99 * DAY, None),
        ((LISTED, REVOKED, APPEALED, UPHELD), REVOKED_AT + 9 * DAY, "刷单"),
    ],
    ids=["while an appeal is possible", "when its time is over", "while one is open", "when it is decided"],
)
def test_a_reason_is_public_when_the_appeals_are_over(
    entries: tuple[Entry, ...], now: datetime, reason: str | None
) -> None:
    found = seen(entries, FIRST, now)
    assert found is not None and found.reason == reason


def test_what_was_known_then_leaves_out_what_came_on_record_later() -> None:
    late = replace(REVOKED, observed_at=REVOKED_AT + 3 * DAY)
    now = REVOKED_AT + DAY
    known, legal = seen((LISTED, late), FIRST, now, known_at=now), seen((LISTED, late), FIRST, now)
    assert known is not None and legal is not None
    assert (known.seen, legal.seen) == (Seen.CERTIFIED, Seen.ENDED)


def test_the_later_certificate_is_named_and_an_earlier_one_is_not() -> None:
    first = seen((LISTED, RENEWED), FIRST, END)
    second = seen((LISTED, RENEWED), SECOND, END)
    assert first is not None and second is not None
    assert (first.succeeded_by, second.succeeded_by) == (SECOND, None)


@pytest.mark.parametrize(
    ("entries", "now", "expected"),
    [
        ((LISTED,), PUBLISHED, END),
        ((LISTED, RENEWED), PUBLISHED, END),
        ((LISTED,), END, None),
        ((LISTED, REVOKED), REVOKED_AT, REVOKED_AT + 15 * DAY),
    ],
)
def test_the_next_instant_that_changes_something(
    entries: tuple[Entry, ...], now: datetime, expected: datetime | None
) -> None:
    assert next_change(entries, now) == expected


def test_between_two_changes_nothing_changes() -> None:
    """Whatever is cached until the next change is true as long."""
    entries = (LISTED, HELD, LIFTED, replace(RENEWED, revision=4))

    def all_seen(now: datetime) -> list[Certificate | None]:
        return [seen(entries, number, now) for number in (FIRST, SECOND)]

    now: datetime | None = BEGIN - DAY
    steps = 0
    while now is not None:
        until = next_change(entries, now)
        if until is not None:
            assert all_seen(now) == all_seen(until - TICK)
            steps += 1
        now = until
    assert steps == 6
