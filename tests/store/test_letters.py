"""Letters on their way, on both databases: claimed once, held by one, each outcome on record (decision 35)."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from domain.delivery import PATIENCE, SHORTEST_PAUSE, DeliveryState
from domain.stages import Role
from store import tables
from store.cases import CaseStore
from store.letters import LetterStore, OutgoingLetter, list_letters, send_again
from store.queries import Reader
from tests.store.first_year import Enterprise

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NUMBER = "LB-2026-000001"
TOGETHER = 6


@pytest.fixture
def letters(store: CaseStore, engine: Engine) -> LetterStore:
    """The letters of a base that was published: six to the applicant, one to finance."""
    Enterprise().stored(store, "base_published")
    return LetterStore(engine)


def claim(letters: LetterStore, holder: str = "a", now: datetime = NOW, limit: int = 50) -> list[str]:
    return letters.claim(holder, now, now + 15 * MINUTE, limit)


def begun(letters: LetterStore, holder: str = "a", now: datetime = NOW) -> OutgoingLetter:
    """The first letter of a claim, about to be sent."""
    letter = letters.begin(claim(letters, holder, now, 1)[0], holder)
    assert letter is not None
    return letter


def row(engine: Engine, letter: str) -> tables.NoticeRow:
    sequence, place = letter.partition("/")[2].split(".")
    with Session(engine) as session:
        return session.get_one(tables.NoticeRow, (NUMBER, int(sequence), int(place)))


def states(engine: Engine) -> list[str]:
    with Session(engine) as session:
        return list(session.scalars(select(tables.NoticeRow.state).order_by(*tables.NoticeRow.__table__.primary_key)))


def resent(engine: Engine, *letters: str) -> None:
    with Session(engine) as session, session.begin():
        send_again(session, NUMBER, [letter.partition("/")[2] for letter in letters])


def test_letters_are_claimed_in_batches_and_none_twice(letters: LetterStore, engine: Engine) -> None:
    first, second, third = claim(letters, "a", limit=4), claim(letters, "b", limit=4), claim(letters, "c")
    assert (len(first), len(second), third) == (4, 3, [])
    assert len({*first, *second}) == 7
    assert set(states(engine)) == {"sending"}
    assert first[0] == f"{NUMBER}/1.1", "in the order they were written"


def test_the_same_claim_asked_for_twice_is_one(letters: LetterStore) -> None:
    assert claim(letters, "a", limit=3) == claim(letters, "a", limit=3)
    assert len(claim(letters, "b")) == 4


def test_claims_at_the_same_moment_share_no_letter(letters: LetterStore, engine: Engine) -> None:
    barrier = threading.Barrier(TOGETHER)

    def take(number: int) -> Sequence[str]:
        barrier.wait()
        return claim(letters, f"holder-{number}", limit=2)

    with ThreadPoolExecutor(TOGETHER) as threads:
        taken = [letter for batch in threads.map(take, range(TOGETHER)) for letter in batch]
    taken += claim(letters, "the rest")  # with others at it a batch may stay smaller, never wrong
    assert len(taken) == len(set(taken)) == 7


def test_a_claim_that_has_run_out_is_anybodys(letters: LetterStore) -> None:
    first = claim(letters)
    assert claim(letters, "b", NOW + 15 * MINUTE - timedelta(seconds=1)) == []
    assert claim(letters, "b", NOW + 15 * MINUTE) == first
    assert letters.begin(first[0], "a") is None, "who held it before can't begin it any more"


def test_a_letter_of_the_cases_future_does_not_wait_for_it(letters: LetterStore, engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        for each in session.scalars(select(tables.NoticeRow)):
            each.at = NOW + timedelta(days=900)
    assert len(claim(letters)) == 7


def test_a_letter_begun_is_whole_and_its_try_is_counted(letters: LetterStore, engine: Engine) -> None:
    letter = begun(letters)
    assert (letter.id, letter.recipient, letter.edition) == (f"{NUMBER}/1.1", Role.APPLICANT, 0)
    assert letter.subject == f"认证申请已受理({NUMBER})" and "后续" in letter.body
    assert row(engine, letter.id).attempts == 1


def test_the_address_is_that_of_the_newest_revision(letters: LetterStore, engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        first = session.scalars(select(tables.ApplicationRow)).one()
        columns = {column.name: getattr(first, column.name) for column in tables.ApplicationRow.__table__.columns}
        session.add(tables.ApplicationRow(**columns | {"revision": 2, "submission": "f" * 64}))
    assert begun(letters).submission == "f" * 64


def test_what_arrived_is_never_due_again(letters: LetterStore, engine: Engine) -> None:
    letter = begun(letters)
    letters.arrived(letter, NOW + MINUTE)
    there = row(engine, letter.id)
    assert (there.state, there.delivered_at, there.claimed_by) == ("delivered", NOW + MINUTE, None)
    assert letter.id not in claim(letters, "b", NOW + timedelta(days=30))


def test_an_arrival_counts_even_after_the_claim_has_run_out(letters: LetterStore, engine: Engine) -> None:
    letter = begun(letters)
    later = NOW + 20 * MINUTE
    assert claim(letters, "b", later, 1) == [letter.id]
    letters.arrived(letter, later)
    assert row(engine, letter.id).state == "delivered"
    assert letters.begin(letter.id, "b") is None


def test_a_newer_attempt_takes_all_letters_over(letters: LetterStore, engine: Engine) -> None:
    first, *_ = names = claim(letters, "a", limit=3)
    assert letters.take_over("a", "a#1") == names
    assert letters.begin(first, "a#1") is not None
    assert letters.take_over("a", "a#2") == names
    assert letters.begin(names[1], "a#1") is None, "the older attempt may be slow, not dead"
    again = letters.begin(first, "a#2")
    assert again is not None
    letters.refused(again, "a#1", "550 no such user")
    assert row(engine, first).state == "sending", "an older attempt's outcome is no news"
    assert letters.take_over("b", "b#1") == []


def test_a_letter_put_off_is_tried_ever_more_slowly_and_at_last_put_before_a_person(
    letters: LetterStore, engine: Engine
) -> None:
    now, tries = NOW, 0
    while True:
        letter = letters.begin(f"{NUMBER}/1.1", "a") if claim(letters, "a", now, 1) == [f"{NUMBER}/1.1"] else None
        assert letter is not None
        letters.put_off(letter, "a", f"451 try {tries}", now)
        tries += 1
        there = row(engine, letter.id)
        if there.try_at is None:
            break
        assert there.state == "failed" and there.put_off_since == NOW and there.error == f"451 try {tries - 1}"
        assert there.try_at - now >= SHORTEST_PAUSE
        only = claim(letters, "others", now, 50)
        letters.give_back("others")
        assert letter.id not in only, "not due yet"
        now = there.try_at
        with Session(engine) as session, session.begin():  # the others out of the way
            for other in session.scalars(select(tables.NoticeRow).where(tables.NoticeRow.state == "pending")):
                other.state, other.delivered_at = "delivered", NOW
    assert there.state == "undeliverable" and now - NOW >= PATIENCE
    assert there.attempts == tries > 30
    assert letters.undeliverable() == 1
    assert claim(letters, "b", now + timedelta(days=365)) == []


def test_what_is_lacking_on_our_side_is_waited_for_however_long(letters: LetterStore, engine: Engine) -> None:
    for days in range(0, 30, 3):
        now = NOW + timedelta(days=days)
        letter = begun(letters, "a", now)
        letters.wait(letter, "a", "no address is set", now)
        there = row(engine, letter.id)
        assert (there.state, there.error, there.put_off_since) == ("failed", "no address is set", None)
        assert there.try_at is not None and now < there.try_at < now + timedelta(hours=1)


def test_the_servers_absence_takes_nothing_from_a_letters_patience(letters: LetterStore, engine: Engine) -> None:
    letter = begun(letters)
    letters.put_off(letter, "a", "451 greylisted", NOW)
    assert letter.id in claim(letters, "b", NOW + timedelta(hours=1))
    letters.give_back("b", "connection refused")
    assert row(engine, letter.id).put_off_since is None
    back = NOW + PATIENCE
    assert letter.id in claim(letters, "c", back)
    letters.put_off(letter, "c", "451 greylisted", back)
    assert row(engine, letter.id).state == "failed"


def test_what_is_refused_for_good_waits_for_a_person(letters: LetterStore, engine: Engine) -> None:
    letter = begun(letters)
    letters.refused(letter, "a", "550 no such user")
    there = row(engine, letter.id)
    assert (there.state, there.error, there.attempts) == ("undeliverable", "550 no such user", 1)
    assert letter.id not in claim(letters, "b", NOW + timedelta(days=30))
    resent(engine, letter.id)
    assert row(engine, letter.id).state == "pending"
    again = begun(letters, "c")
    assert again.id == letter.id and again.edition == 0, "it never arrived: still the same letter"


def test_a_letter_that_had_arrived_and_is_sent_again_is_a_new_edition(letters: LetterStore, engine: Engine) -> None:
    letter = begun(letters)
    letters.arrived(letter, NOW)
    resent(engine, letter.id)
    letters.arrived(letter, NOW + MINUTE)
    assert row(engine, letter.id).state == "pending", "a late word of the first edition is not about the second"
    again = begun(letters, "b", NOW + 2 * MINUTE)
    assert (again.id, again.edition) == (letter.id, 1)
    letters.arrived(again, NOW + 2 * MINUTE)
    assert row(engine, letter.id).delivered_at == NOW + 2 * MINUTE


def test_resent_letters_have_all_the_patience_of_new_ones(letters: LetterStore, engine: Engine) -> None:
    letter = begun(letters)
    letters.put_off(letter, "a", "451 later", NOW - PATIENCE)
    resent(engine, letter.id)
    there = row(engine, letter.id)
    assert (there.state, there.error, there.try_at, there.put_off_since) == ("pending", "", None, None)
    letters.put_off(begun(letters, "b"), "b", "451 later", NOW)
    assert row(engine, letter.id).state == "failed"


def test_what_was_not_tried_goes_back_as_it_was_and_with_the_servers_absence_as_its_reason(
    letters: LetterStore, engine: Engine
) -> None:
    claim(letters, "a", limit=2)
    letters.give_back("a")
    assert set(states(engine)) == {"pending"}
    names = claim(letters, "a", limit=2)
    letters.give_back("a", "connection refused")
    assert {(row(engine, name).state, row(engine, name).error) for name in names} == {("failed", "connection refused")}
    assert claim(letters, "b", limit=2) == names, "due at once: it is the delivery that pauses"
    letters.give_back("b")
    assert {row(engine, name).state for name in names} == {"failed"}, "its last reason stays"


def test_the_database_itself_knows_who_holds_a_letter(letters: LetterStore, engine: Engine) -> None:
    for values in ({"state": "sending"}, {"state": "delivered"}, {"claimed_by": "x"}, {"delivered_at": NOW}):
        with pytest.raises(IntegrityError), engine.begin() as connection:
            connection.execute(tables.NoticeRow.__table__.update().values(**values))  # type: ignore[attr-defined]


def test_letters_are_listed_with_their_delivery(letters: LetterStore, engine: Engine, reader: Reader) -> None:
    letters.arrived(begun(letters), NOW)
    letters.refused(begun(letters, "b"), "b", "550 no such user")
    listed = list_letters(engine, case_number=NUMBER)
    assert len(listed) == 7 == len(reader.letters(NUMBER))
    first, second = listed[:2]
    assert (first["letter"], first["state"], first["attempts"], first["error"]) == ("1.1", "delivered", 1, "")
    assert first["delivered_at"] == "2026-11-24T10:00:00+08:00"
    assert (second["state"], second["error"], second["recipient"]) == ("undeliverable", "550 no such user", "applicant")
    stuck: list[Any] = list_letters(engine, states=[DeliveryState.UNDELIVERABLE])
    assert [each["letter"] for each in stuck] == [second["letter"]]
    assert list_letters(engine, case_number="LB-2026-000009") == []
