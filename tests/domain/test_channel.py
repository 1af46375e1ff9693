"""What the official channel holds, and how it is compared with the list: no entry says certified by itself."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from domain.channel import Difference, Expected, Held, ListEntry, ahead_of_list, compare, of_list, read_entry
from domain.shanghai import SHANGHAI
from tests.domain import cases
from tests.store.first_year import Enterprise

NUMBER = "LBC-2026-000001"
FROM, UNTIL = cases.OPENED, cases.OPENED + timedelta(days=365)


def entry(revision: int = 1, state: Any = "published", number: str = NUMBER, **more: Any) -> ListEntry:
    given = {"name": "义乌北苑直播基地", "credit_code": "91330782MA28000011", "holder": "云集", "place": "浙江省义乌市"}
    given |= {"valid_from": FROM, "valid_until": UNTIL, "list_revision": revision}
    return ListEntry(number=number, revision=revision, state=state, **(given | more))


@pytest.mark.parametrize(
    ("at", "certified"),
    [
        (FROM - timedelta(microseconds=1), False),
        (FROM, True),
        (UNTIL - timedelta(microseconds=1), True),
        (UNTIL, False),
        (UNTIL + timedelta(days=1), False),
    ],
)
def test_who_reads_an_entry_applies_the_term(at: Any, certified: bool) -> None:
    assert entry().certified(at) is certified
    assert not entry(state="suspended").certified(at)
    assert not entry(state="withdrawn").certified(at)


def test_an_entry_is_the_same_in_whatever_zone_its_instants_come() -> None:
    elsewhere = entry(valid_from=FROM.astimezone(SHANGHAI), valid_until=UNTIL.astimezone(SHANGHAI))
    assert elsewhere.document() == entry().document()
    assert read_entry(entry().document()) == entry()


def changed(**fields: Any) -> bytes:
    return json.dumps({**json.loads(entry().document()), **fields}).encode()


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{}",
        b"[1]",
        b"\xff",
        b"[" * 100_000,
        changed(state="suspended"),
        changed(revision=2),
        changed(revision=0),
        changed(hash="0" * 64),
        changed(hash=None),
        changed(more=1),
        changed(number="../LBC-2026-000001"),
        changed(valid_until="tomorrow"),
        changed(valid_from="0001-01-01T00:00:00+08:00"),
        changed(revision=10**400),
    ],
)
def test_what_was_changed_is_no_entry(document: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        read_entry(document)


def test_what_is_announced_and_what_is_recorded_say_the_same_but_for_the_list() -> None:
    """The announcement comes before the list's own revision of it."""
    transitions = list(Enterprise().first_year())
    announced = next(one.case for one in transitions if one.event == "base_certified")
    (term,) = announced.terms
    assert ahead_of_list(announced, term).state == "published"
    published = next(one for one in transitions if one.event == "base_published")
    (listed,) = [one for one in published.records if type(one).__name__ == "ListRevision"]
    ahead, recorded = ahead_of_list(announced, term), of_list(listed)  # type: ignore[arg-type]
    assert (ahead.list_revision, recorded.list_revision) == (0, 1)
    assert ahead.model_copy(update={"list_revision": 1}) == recorded


def ours(revision: int = 2, **more: Any) -> Expected:
    return Expected(NUMBER, revision, f"h{revision}", former=tuple(f"h{n}" for n in range(1, revision)), **more)


def nothing(number: str, revision: int) -> None:
    """No entry on record but those that are expected."""


SHOWN: dict[str, tuple[Expected | None, Held | None, tuple[str, str] | None, bool]] = {
    "the same": (ours(), Held(NUMBER, 2, "h2"), None, False),
    "not there yet": (ours(), None, ("missing", "waiting"), True),
    "no longer there": (ours(confirmed=True), None, ("missing", "lost"), True),
    "not ours": (None, Held(NUMBER, 1, "x"), ("extra", "unknown"), False),
    "the one before": (ours(), Held(NUMBER, 1, "h1"), ("different", "waiting"), True),
    "back at the one before": (ours(confirmed=True), Held(NUMBER, 1, "h1"), ("different", "older"), True),
    "changed there": (ours(), Held(NUMBER, 2, "x"), ("different", "content"), False),
    "the one before, changed there": (ours(), Held(NUMBER, 1, "x"), ("different", "content"), True),
    "damaged": (ours(), Held(NUMBER, 0, ""), ("different", "content"), True),
    "a later one": (ours(), Held(NUMBER, 3, "x"), ("different", "newer"), False),
    "announced, not there": (ours(optional=True), None, None, False),
    "announced, there": (ours(optional=True), Held(NUMBER, 2, "h2"), None, False),
    "announced, there as it was before": (ours(optional=True), Held(NUMBER, 1, "h1"), None, False),
    "announced, changed there": (ours(optional=True), Held(NUMBER, 1, "x"), ("different", "content"), True),
}


@pytest.mark.parametrize("case", SHOWN)
def test_a_difference_is_told_with_its_reason(case: str) -> None:
    expected, held, told, ours_is_newer = SHOWN[case]
    found = list(compare({NUMBER: expected} if expected else {}, [held] if held else [], nothing))
    assert [(one.kind, one.why) for one in found] == ([told] if told else [])
    assert [one.ours_is_newer for one in found] == ([ours_is_newer] if told else [])


def test_both_directions_at_once() -> None:
    there = [Held("LBC-2026-000009", 1, "x"), Held(NUMBER, 2, "h2")]
    other = Expected("LBC-2026-000002", 1, "h1", confirmed=True)
    assert list(compare({NUMBER: ours(), other.number: other}, there, nothing)) == [
        Difference("LBC-2026-000009", "extra", "unknown", theirs=1),
        Difference("LBC-2026-000002", "missing", "lost", ours=1),
    ]


@pytest.mark.parametrize("expected", [None, ours()], ids=["announced since", "taken away since"])
def test_what_was_sent_while_the_channel_was_read_is_no_difference(expected: Expected | None) -> None:
    since = entry(3, "withdrawn")
    known = {(NUMBER, 3): since}
    mine = {NUMBER: expected} if expected else {}
    assert list(compare(mine, [Held(NUMBER, 3, since.hash)], lambda *of: known.get(of))) == []
    (found,) = compare(mine, [Held(NUMBER, 3, "x")], lambda *of: known.get(of))
    assert found.why == ("newer" if expected else "unknown")
