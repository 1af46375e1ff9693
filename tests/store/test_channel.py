"""What waits for the official channel and what it should have, by the list's own revisions, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from domain.channel import Compared, Difference, Expected, ListEntry, compare, of_list
from store.cases import CaseStore
from store.channel import MOST_KEPT, ChannelStore
from store.tables import ListRow
from tests.register.bases import LISTED, Base, moved
from tests.store.first_year import HOUR, Enterprise, write

NOW = LISTED + 3 * HOUR
DAY = timedelta(days=1)


@pytest.fixture
def channel(engine: Engine) -> ChannelStore:
    return ChannelStore(engine)


def shown(channel: ChannelStore, number: str) -> ListEntry:
    """Its newest entry, as the channel has confirmed it."""
    entry = channel.draw(number, NOW)
    assert entry is not None
    channel.confirm(entry, entry.revision, "read back", NOW)
    return entry


def waiting(channel: ChannelStore, *put_off: str) -> list[str]:
    return list(channel.waiting(NOW, 100, put_off).numbers)


def test_an_entry_is_drawn_when_the_list_has_changed_and_only_then(store: CaseStore, channel: ChannelStore) -> None:
    base = Base(store)
    first = channel.draw(base.number, NOW)
    assert first is not None
    assert (first.revision, first.list_revision, first.state) == (1, 1, "published")
    assert channel.draw(base.number, NOW) == first == channel.drawn(base.number, 1)
    base.suspended()
    base.revoked()  # before anybody drew the suspension: it is overtaken
    second = channel.draw(base.number, NOW)
    assert second is not None
    assert (second.revision, second.list_revision, second.state, second.ending) == (2, 3, "withdrawn", "revoked")
    assert "刷单" not in second.document().decode()
    assert channel.draw("LBC-2026-999999", NOW) is None


def test_a_late_attempt_takes_back_nothing(store: CaseStore, channel: ChannelStore) -> None:
    """Its `now` is that of its first: the list has gone on since, and so has the channel."""
    base = Base(store)
    base.revoked(NOW)
    withdrawn = channel.draw(base.number, NOW)
    assert withdrawn is not None and withdrawn.state == "withdrawn"
    assert channel.draw(base.number, NOW - HOUR) == withdrawn
    channel.confirm(withdrawn, withdrawn.revision, "read back", NOW)
    assert waiting(channel) == []


def test_many_that_are_refused_keep_nothing_waiting_and_are_not_kept(store: CaseStore, channel: ChannelStore) -> None:
    off = [Base(store, n).revoked().number for n in range(1, 7)]
    two = [Base(store, 7).number, Base(store, 8).number]
    found = channel.waiting(NOW, 5, off)
    assert (set(found.numbers) - set(off), len(found.numbers)) == (set(two), 5)
    assert channel.waiting(NOW, 2, off).numbers == tuple(two)
    many = [Base(store, n).number for n in range(9, 15)]
    found = channel.waiting(NOW, 5, off)
    assert len(set(found.numbers) & set(off)) == 1 and len(set(found.numbers) & {*two, *many}) == 4


def test_what_is_not_in_effect_yet_is_not_drawn(store: CaseStore, channel: ChannelStore) -> None:
    base = Base(store)
    early = base.case.terms[0].from_ - HOUR
    assert channel.draw(base.number, early) is None or channel.draw(base.number, early).list_revision == 0  # type: ignore[union-attr]
    assert channel.waiting(early, 100).numbers == ()


def test_what_takes_a_right_away_waits_before_all_else_and_is_never_put_off(
    store: CaseStore, channel: ChannelStore
) -> None:
    one, two, three, four = Base(store, 1), Base(store, 2).suspended(), Base(store, 3).revoked(), Base(store, 4)
    found = channel.waiting(NOW, 3)
    assert set(found.numbers[:2]) == {two.number, three.number}
    assert (found.waiting, found.urgent, found.full) == (4, 2, True)
    assert waiting(channel, one.number, three.number) == [two.number, three.number, four.number]
    for base in (one, two, three, four):
        shown(channel, base.number)
    assert channel.waiting(NOW, 3).waiting == 0
    one.revoked()
    assert waiting(channel) == [one.number]
    channel.draw(one.number, NOW)
    assert waiting(channel) == [one.number], "drawn is not shown"
    shown(channel, one.number)
    assert waiting(channel) == []


def test_a_moved_clock_brings_an_entry_into_effect(store: CaseStore, channel: ChannelStore, engine: Engine) -> None:
    base = Base(store)
    before = base.case.terms[0].from_ - DAY
    assert channel.waiting(before, 9).waiting == 0
    moved(engine, base.case.case_number, 2 * DAY)
    assert channel.waiting(before, 9).numbers == (base.number,)
    entry = channel.draw(base.number, before)
    assert entry is not None and entry.list_revision == 1


def announced(store: CaseStore, n: int = 1) -> Enterprise:
    """Certified, and about to be made public."""
    enterprise = Enterprise(number=f"LB-2026-{n:06d}")
    enterprise.stored(store, "base_certified")
    return enterprise


def test_what_was_announced_and_is_revoked_before_the_list_had_it_is_taken_back(
    store: CaseStore, channel: ChannelStore, engine: Engine
) -> None:
    enterprise, other = announced(store), announced(store, 2)
    number = enterprise.certificate_number
    first = channel.draw(number, NOW)
    assert first is not None and (first.revision, first.list_revision, first.state) == (1, 0, "published")
    assert waiting(channel) == [], "its case tries again by itself"
    assert channel.expected(NOW)[number].optional

    for one in (enterprise, other):
        revoke_unlisted(store, one)
    assert waiting(channel) == [number], "and what nobody announced is told to nobody"
    assert channel.draw(other.certificate_number, NOW) is None
    assert list(channel.expected(NOW)) == [number]
    assert not channel.expected(NOW)[number].optional
    second = channel.draw(number, NOW)
    assert second is not None and (second.revision, second.list_revision, second.state) == (2, 0, "withdrawn")
    assert waiting(channel) == [number]
    shown(channel, number)
    assert waiting(channel) == []


def revoke_unlisted(store: CaseStore, enterprise: Enterprise) -> None:
    """Its case ended, by the record, though the list never had it."""
    from dataclasses import replace

    from domain import leaving
    from domain.commands import Revoke
    from domain.dependants import Dependants
    from domain.records import Decision
    from tests.domain import cases

    with store.transaction(f"base:{enterprise.credit_code}:1") as tx:
        case = tx.case
    assert case is not None
    command = cases.command(Revoke, cases.COMPLIANCE, reason="刷单")
    transition = leaving.revoke(case, command, cases.setting(LISTED + HOUR, 1), Dependants())
    kept = tuple(record for record in transition.records if not isinstance(record, Decision))
    write(store, replace(transition, records=kept))


def test_what_the_channel_should_have_is_made_of_the_list_itself(store: CaseStore, channel: ChannelStore) -> None:
    one, two = Base(store, 1), Base(store, 2)
    shown(channel, two.number)
    first = channel.drawn(two.number, 1)
    assert first is not None
    two.suspended()
    found = channel.expected(NOW)
    assert found[one.number] == Expected(one.number, 1, found[one.number].hash)
    assert found[two.number] == Expected(two.number, 2, found[two.number].hash, former=(first.hash,))
    entries = {base.number: shown(channel, base.number) for base in (one, two)}
    found = channel.expected(NOW)
    assert {number: (one.revision, one.hash, one.confirmed) for number, one in found.items()} == {
        number: (entry.revision, entry.hash, True) for number, entry in entries.items()
    }


def test_an_entry_somebody_slipped_in_is_not_taken_for_the_lists(
    store: CaseStore, channel: ChannelStore, engine: Engine
) -> None:
    """The comparison believes the list, whose hashes are in the audit log, and not what was drawn from it."""
    base = Base(store).revoked()
    entry = shown(channel, base.number)
    forged = entry.model_copy(update={"revision": 2, "state": "published", "ended_at": None, "ending": None})
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO channel_entries SELECT certificate_number, 2, case_number, list_revision, 'published', "
                "entry, :hash, at FROM channel_entries"
            ),
            {"hash": forged.hash},
        )
    expected = channel.expected(NOW)[base.number]
    assert expected.revision == 3 and expected.hash != forged.hash


def test_a_comparison_is_on_record_once_with_the_first_of_its_differences(channel: ChannelStore) -> None:
    assert channel.last_comparison() is None
    many = [Difference(f"LBC-2026-{n:06d}", "missing", "lost", 1) for n in range(MOST_KEPT + 5)]
    compared = Compared(ours=9, theirs=3, missing=len(many), sent_again=2)
    for _ in range(2):
        channel.compared("one", NOW, compared, many)
    channel.compared("two", NOW - DAY, Compared(fault="away"), ())
    last = channel.last_comparison()
    assert last is not None
    assert (last.at, last.compared, len(last.differences)) == (NOW, compared, MOST_KEPT)
    assert last.differences[0] == many[0]


def test_nothing_of_it_is_changed_afterwards(store: CaseStore, channel: ChannelStore, engine: Engine) -> None:
    shown(channel, Base(store).number)
    channel.compared("one", NOW, Compared(), ())
    for table in ("channel_entries", "channel_confirmations", "channel_comparisons"):
        for statement in (f"UPDATE {table} SET at = at", f"DELETE FROM {table}"):
            with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
                connection.execute(text(statement))


def test_both_ways_between_list_and_channel(store: CaseStore, channel: ChannelStore, engine: Engine) -> None:
    bases = [Base(store, n) for n in range(1, 6)]
    from domain.channel import Held

    held = [Held(entry.number, entry.revision, entry.hash) for entry in (shown(channel, one.number) for one in bases)]
    assert list(compare(channel.expected(NOW), held, channel.drawn)) == []
    with engine.connect() as connection:
        row = connection.execute(ListRow.__table__.select()).first()
    assert of_list(row).number == bases[0].number  # type: ignore[arg-type]
    bases[1].revoked()
    planted = [held[1], *held[3:], Held("LBC-2026-000077", 1, "x")]
    assert [(one.number, one.kind, one.why) for one in compare(channel.expected(NOW), planted, channel.drawn)] == [
        (bases[1].number, "different", "waiting"),
        ("LBC-2026-000077", "extra", "unknown"),
        (bases[0].number, "missing", "lost"),
        (bases[2].number, "missing", "lost"),
    ]
