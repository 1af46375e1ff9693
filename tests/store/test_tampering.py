"""Whatever is done to the records behind the store's back, the audit names the case, the entry, and what is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, Engine, insert, select, update

from audit.verifier import verify
from store.auditing import AuditReader
from store.cases import CaseStore
from store.sealing import SealStore
from store.tables import AuditRow, CaseRow
from tests.store.first_year import OPENED, Enterprise, write
from tests.store.tampering import Act, hash_again, remove_case, run, unprotected

FIRST, SECOND = "LB-2026-000001", "LB-2026-000002"
EVENTS = [transition.event for transition in Enterprise().first_year()]
LAST = len(EVENTS)
APPROVED, PAID, CERTIFIED = (
    EVENTS.index(event) + 1 for event in ("application_approved", "deposit_received", "base_certified")
)

EXPIRED = '{"kind":"expired","legal_at":"2027-03-02T16:00:00+00:00"}'


@pytest.fixture
def sealed(store: CaseStore, engine: Engine) -> Engine:
    """Two cases, sealed after every entry of the first, and nothing protected any more."""
    seals = SealStore(engine)
    for transition in Enterprise().first_year():
        write(store, transition)
        seals.seal(transition.observed_at)
    Enterprise(number=SECOND).stored(store, "base_certified")
    seals.seal(OPENED)
    unprotected(engine)
    return engine


def broken(engine: Engine) -> list[tuple[str | None, str]]:
    return [(one.case_number, one.why) for one in verify(AuditReader(engine).log()).broken]


def swap(connection: Connection) -> None:
    for before, after in ((5, 99), (6, 5), (99, 6)):
        of_it = AuditRow.case_number == FIRST, AuditRow.sequence == before
        connection.execute(update(AuditRow).where(*of_it).values(sequence=after))


def insert_entry(connection: Connection) -> None:
    """A payment nobody made, as the sixth entry, everything after it moved on and hashed anew, the case's row too."""
    for sequence in range(LAST, 5, -1):
        of_it = AuditRow.case_number == FIRST, AuditRow.sequence == sequence
        connection.execute(update(AuditRow).where(*of_it).values(sequence=sequence + 1))
    fifth = select(AuditRow.__table__).where(AuditRow.case_number == FIRST, AuditRow.sequence == 5)
    connection.execute(insert(AuditRow).values({**connection.execute(fifth).mappings().one(), "sequence": 6}))
    connection.execute(update(CaseRow).where(CaseRow.case_number == FIRST).values(sequence=LAST + 1))
    hash_again(connection, FIRST)


def fact(connection: Connection, name: str) -> Any:
    facts = connection.scalar(select(CaseRow.facts).where(CaseRow.case_number == FIRST))
    return (facts or {})[name]


def change_facts(**changes: Any) -> Act:
    def act(connection: Connection) -> None:
        facts = connection.scalar(select(CaseRow.facts).where(CaseRow.case_number == FIRST))
        connection.execute(
            update(CaseRow).where(CaseRow.case_number == FIRST).values(facts={**(facts or {}), **changes})
        )

    return act


def of_first(table: str, assignment: str, condition: str = "1 = 1") -> Act:
    return run(f"UPDATE {table} SET {assignment} WHERE case_number = '{FIRST}' AND {condition}")


def not_as_written(sequence: int, table: str) -> list[tuple[str | None, str]]:
    return [(FIRST, f"what entry {sequence} wrote to {table} is not there as it was written")]


PLANTED: dict[str, tuple[Act, list[tuple[str | None, str]]]] = {
    "a ledger line changed": (
        of_first("ledger_lines", "amount = amount - 1", "amount = 4000000"),
        not_as_written(PAID, "ledger_lines"),
    ),
    "an entry removed in the middle": (
        run(f"DELETE FROM audit_entries WHERE case_number = '{FIRST}' AND sequence = 5"),
        [(FIRST, "entry 5 is missing")],
    ),
    "the last entry removed": (
        run(f"DELETE FROM audit_entries WHERE case_number = '{FIRST}' AND sequence = {LAST}"),
        [(FIRST, f"entry {LAST} is missing")],
    ),
    "the last entry removed, and the case set back": (
        run(
            f"DELETE FROM audit_entries WHERE case_number = '{FIRST}' AND sequence = {LAST}",
            f"UPDATE cases SET sequence = {LAST - 1} WHERE case_number = '{FIRST}'",
        ),
        [(FIRST, f"entry {LAST} is missing: seal {LAST} has one as far as that")],
    ),
    "a whole case removed": (
        lambda connection: remove_case(connection, SECOND),
        [(SECOND, f"the case is gone: seal {LAST + 1} has it")],
    ),
    "a decision re-dated": (
        of_first("decisions", "at = (SELECT min(n.at) FROM notices n)", "kind = 'approved'"),
        not_as_written(APPROVED, "decisions"),
    ),
    "an actor changed": (
        of_first("audit_entries", "actor = 'reviewer:other'", f"sequence = {APPROVED}"),
        [(FIRST, f"entry {APPROVED} was changed after it was written")],
    ),
    "two entries swapped": (swap, [(FIRST, "entry 5 does not follow the entry before it")]),
    "an entry inserted, everything hashed anew": (
        insert_entry,
        [(FIRST, "entries 6 to 6 were written anew: seal 6 has another hash")],
    ),
    "a term's end moved": (
        of_first("terms", "valid_until = (SELECT max(t.valid_from) FROM terms t)"),
        not_as_written(CERTIFIED, "terms"),
    ),
    "a stage changed": (
        of_first("cases", "stage = 'valid'"),
        [(FIRST, "stage is settling by the log, and valid by the database")],
    ),
    "a standing changed": (
        change_facts(ending=None),
        [(FIRST, f"ending is {EXPIRED} by the log, and null by the database")],
    ),
}  # fmt: skip
"""What the project asks for, by name."""

MORE: dict[str, tuple[Act, list[tuple[str | None, str]]]] = {
    "a deposit's sum changed": (
        lambda connection: change_facts(deposit={**fact(connection, "deposit"), "received": 1})(connection),
        [(FIRST, "deposit.received is 10000000 by the log, and 1 by the database")],
    ),
    "a fact nobody asks for changed": (
        change_facts(applicant="somebody"),
        [(FIRST, f"the case is not as entry {LAST} left it")],
    ),
    "the row's end of the term moved": (
        of_first("cases", "valid_until = NULL"),
        [(FIRST, "valid_until is 2027-03-02T16:00:00+00:00 by the log, and null by the database")],
    ),
    "no ending by the row": (
        of_first("cases", "ended = (1 = 0)"),
        [(FIRST, "ended is true by the log, and false by the database")],
    ),
    "a ledger line's account changed": (
        of_first("ledger_lines", f"credit_account = 'unmatched:{FIRST}'", "amount = 4000000"),
        not_as_written(PAID, "ledger_lines"),
    ),
    "a ledger line removed": (
        run(f"DELETE FROM ledger_lines WHERE case_number = '{FIRST}' AND amount = 4000000"),
        not_as_written(PAID, "ledger_lines"),
    ),
    "a ledger line added": (
        run(
            "INSERT INTO ledger_lines (number, transfer_key, case_number, sequence, debit_account, credit_account, "
            f"amount, reference, at) SELECT 99, 'x', case_number, 5, 'bank', credit_account, 1, 'x', at "
            f"FROM ledger_lines WHERE case_number = '{FIRST}' AND amount = 4000000"
        ),
        [(FIRST, "ledger_lines has a row that no entry wrote")],
    ),
    "a letter's words changed": (
        of_first("notices", "body = 'x'", "sequence = 1"),
        not_as_written(1, "notices"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", PLANTED)
def test_every_planted_tampering_is_named(sealed: Engine, what: str) -> None:
    tamper, expected = PLANTED[what]
    with sealed.begin() as connection:
        tamper(connection)
    assert broken(sealed) == expected


@pytest.mark.parametrize("what", MORE)
def test_what_else_is_done_to_the_rows_is_named(sealed: Engine, what: str) -> None:
    tamper, expected = MORE[what]
    with sealed.begin() as connection:
        tamper(connection)
    assert broken(sealed) == expected
