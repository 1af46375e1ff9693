"""The audit chain: whatever is done to it behind the store's back is found, and the first broken entry named."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine, insert, select, text, update

from audit.report import Broken, Report
from audit.verifier import verify
from domain.shanghai import SHANGHAI
from store.audit import entry_hash, genesis
from store.auditing import AuditReader
from store.cases import CaseStore
from store.tables import AuditRow
from tests.databases import only_on
from tests.store.first_year import HOUR, OPENED, Enterprise, write
from tests.store.tampering import remove_row_of_case, unprotected

CASE = "LB-2026-000001"
ENTRIES = len(list(Enterprise().first_year()))


@pytest.fixture
def written(store: CaseStore, engine: Engine) -> Engine:
    """A first year's chain, its triggers gone: the tables as someone with the database's password has them."""
    for transition in Enterprise().first_year():
        write(store, transition)
    unprotected(engine)
    return engine


def report(engine: Engine) -> Report:
    reader = AuditReader(engine)
    return verify(reader.records(reader.case_numbers()))


def broken(engine: Engine) -> tuple[str | None, int | None, str]:
    """The one thing that is broken."""
    (found,) = report(engine).broken
    return found.case_number, found.sequence, found.why


def change(**values: object) -> Callable[[Connection], None]:
    """The fifth entry with other values, its hash as it was."""
    return lambda connection: (
        connection.execute(update(AuditRow).where(AuditRow.sequence == 5).values(**values)) and None
    )


def change_and_hash(connection: Connection) -> None:
    """Whoever changes an entry may well know how to hash it; the next one does not follow then."""
    table = AuditRow.__table__
    row = connection.execute(select(table).where(AuditRow.sequence == 5)).mappings().one()
    entry = {**row, "actor": "finance:other"}
    stored, previous = entry.pop("hash"), entry.pop("previous_hash")
    hashed = entry_hash(previous, **entry)
    assert hashed != stored
    connection.execute(update(AuditRow).where(AuditRow.sequence == 5).values(actor="finance:other", hash=hashed))


def remove(*sequences: int) -> Callable[[Connection], None]:
    def act(connection: Connection) -> None:
        for sequence in sequences:
            connection.execute(text("DELETE FROM audit_entries WHERE sequence = :s"), {"s": sequence})

    return act


def remove_and_close_up(connection: Connection) -> None:
    connection.execute(text("DELETE FROM audit_entries WHERE sequence = 5"))
    for sequence in range(6, ENTRIES + 1):
        connection.execute(
            text("UPDATE audit_entries SET sequence = :to WHERE sequence = :s"), {"s": sequence, "to": sequence - 1}
        )


def reorder(connection: Connection) -> None:
    for before, after in ((5, 99), (6, 5), (99, 6)):
        connection.execute(
            text("UPDATE audit_entries SET sequence = :to WHERE sequence = :s"), {"s": before, "to": after}
        )


def append(connection: Connection, *, hashed: bool) -> None:
    last = connection.scalar(select(AuditRow.hash).where(AuditRow.sequence == ENTRIES)) or ""
    entry = {
        "case_number": CASE,
        "sequence": ENTRIES + 1,
        "legal_at": OPENED,
        "observed_at": OPENED,
        "actor": "system",
        "event": "deposit_refunded",
        "detail": {"refunded": {"fen": 10_000_000}},
    }
    own = entry_hash(last, **entry) if hashed else "0" * 64
    connection.execute(insert(AuditRow).values(**entry, previous_hash=last, hash=own))


def exchange_the_beginning(connection: Connection) -> None:
    connection.execute(update(AuditRow).where(AuditRow.sequence == 1).values(previous_hash=genesis("LB-2026-000002")))


CHANGED = "entry 5 was changed after it was written"
TAMPERING: dict[str, tuple[Callable[[Connection], None], int, str]] = {
    "detail changed": (change(detail={"credited": {"fen": 1}}), 5, CHANGED),
    "detail emptied": (change(detail={}), 5, CHANGED),
    "detail that is no canonical JSON": (change(detail={"fen": 2**60}), 5, CHANGED),
    "another actor": (change(actor="finance:other"), 5, CHANGED),
    "another event": (change(event="payment_unmatched"), 5, CHANGED),
    "re-dated by law": (change(legal_at=OPENED + 3 * HOUR - timedelta(microseconds=1)), 5, CHANGED),
    "re-dated as observed": (change(observed_at=OPENED), 5, CHANGED),
    "another hash": (change(hash="0" * 64), 5, CHANGED),
    "changed and hashed again": (change_and_hash, 6, "entry 6 does not follow the entry before it"),
    "another beginning": (exchange_the_beginning, 1, "entry 1 does not follow the entry before it"),
    "removed": (remove(5), 5, "entry 5 is missing"),
    "the first removed": (remove(1), 1, "entry 1 is missing"),
    "the last removed": (remove(ENTRIES), ENTRIES, f"entry {ENTRIES} is missing"),
    "the last ones removed": (remove(*range(5, ENTRIES + 1)), 5, "entry 5 is missing"),
    "all removed": (remove(*range(1, ENTRIES + 1)), 1, "entry 1 is missing"),
    "removed and closed up": (remove_and_close_up, 5, "entry 5 does not follow the entry before it"),
    "reordered": (reorder, 5, "entry 5 does not follow the entry before it"),
    "appended": (
        lambda connection: append(connection, hashed=False),
        ENTRIES + 1,
        f"entry {ENTRIES + 1} is not the case's: it wrote {ENTRIES}",
    ),
    "appended and hashed": (
        lambda connection: append(connection, hashed=True),
        ENTRIES + 1,
        f"entry {ENTRIES + 1} is not the case's: it wrote {ENTRIES}",
    ),
}


def test_a_chain_left_alone_is_whole(written: Engine) -> None:
    assert report(written) == Report(ENTRIES, 1)


@pytest.mark.parametrize("what", TAMPERING)
def test_tampering_is_named_with_its_first_broken_entry(written: Engine, what: str) -> None:
    tamper, broken_at, why = TAMPERING[what]
    with written.begin() as connection:
        tamper(connection)
    assert broken(written) == (CASE, broken_at, why)


def test_two_breaks_name_the_first(written: Engine) -> None:
    with written.begin() as connection:
        connection.execute(update(AuditRow).where(AuditRow.sequence.in_((4, 9))).values(actor="x"))
    assert broken(written)[1] == 4


@only_on("sqlite")  # PostgreSQL lets no such value in
def test_an_entry_that_cannot_be_read_is_broken(written: Engine) -> None:
    with written.begin() as connection:
        connection.execute(text("UPDATE audit_entries SET detail = '{' WHERE sequence = 5"))
    assert broken(written) == (CASE, 5, "entry 5 can't be read")


def test_entries_without_their_case_are_broken(store: CaseStore, written: Engine) -> None:
    Enterprise(number="LB-2026-000002").stored(store, "review_taken")
    remove_row_of_case(written, "LB-2026-000002")
    assert report(written) == Report(ENTRIES + 2, 1, broken=[Broken("no_case", (), "LB-2026-000002")])


def test_every_case_has_its_own_first_broken_entry(store: CaseStore, written: Engine) -> None:
    Enterprise(number="LB-2026-000002").stored(store, "review_taken")
    with written.begin() as connection:
        connection.execute(text("DELETE FROM audit_entries WHERE case_number = 'LB-2026-000002'"))
        change(actor="x")(connection)
    assert [(one.case_number, one.sequence) for one in report(written).broken] == [(CASE, 5), ("LB-2026-000002", 1)]


def test_the_hash_is_the_same_wherever_it_is_taken() -> None:
    """A chain outlives code and databases: these bytes never change."""
    detail = {"名": "义乌", "fen": 1, "nested": {"b": [1, None, True], "a": "é"}}
    first = entry_hash(genesis(CASE), CASE, 1, OPENED, OPENED, "system", "opened", detail)
    assert genesis(CASE) == "564aba124fa2009009d24a19ef09e0fc5a5e7ae6c3efa1c9a761d72f0452053e"
    assert first == "9ce75b9900c3a33278c4f737c48f8730d624d5bf4988530fa037ab56021291b2"
    shanghai = OPENED.astimezone(SHANGHAI)
    again = json.loads(json.dumps(dict(reversed(detail.items()))))
    assert entry_hash(genesis(CASE), CASE, 1, shanghai, OPENED, "system", "opened", again) == first
