"""The office's chain: what is done for no single case is an entry too, as any other hashed, sealed and proven."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from audit.verifier import verify
from domain.commands import ImportAnswer, ImportCalendar
from store.auditing import AuditReader
from store.calendar import CalendarStore
from store.cases import CaseStore
from store.sealing import SealStore
from tests.office import OPERATOR
from tests.store.first_year import OPENED, Enterprise
from tests.store.tampering import Act, run, unprotected

AT = datetime(2026, 11, 24, 2, tzinfo=UTC)


def import_notice(engine: Engine, name: str) -> None:
    """A calendar notice imported, as its transaction remembers it."""
    command = ImportCalendar(request_id=name, workflow_id="calendar:x", actor=OPERATOR, content="{}")
    answer = ImportAnswer(request_id=name, accepted_at=AT, year=2027, source="s", calendar_version="v", live_cases=7)
    with CalendarStore(engine).importing() as tx:
        tx.remember(command, answer, AT)


def broken(engine: Engine) -> list[tuple[str | None, str]]:
    return [(one.case_number, one.why) for one in verify(AuditReader(engine).log()).broken]


def test_every_import_is_an_entry_with_who_did_it_and_what_came_of_it(store: CaseStore, engine: Engine) -> None:
    Enterprise().stored(store, "application_received")
    assert len(verify(AuditReader(engine).log()).seen) == 1, "nothing has been done"
    for name in ("first", "second"):
        import_notice(engine, name)
    entries = list(AuditReader(engine).records(["office"]))[1:]
    assert [(one["sequence"], one["actor"], one["event"]) for one in entries] == [
        (1, "operator:sun", "import_calendar"),
        (2, "operator:sun", "import_calendar"),
    ]
    assert entries[0]["detail"]["answer"]["live_cases"] == 7
    report = verify(AuditReader(engine).log())
    assert report.ok and report.entries == 3


def test_imports_at_once_are_one_chain(engine: Engine) -> None:
    together = threading.Barrier(4)

    def bring_in(number: int) -> None:
        together.wait()
        import_notice(engine, f"import {number}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(bring_in, range(4)))
    report = verify(AuditReader(engine).log())
    assert report.ok and report.entries == 4


TAMPERING: dict[str, tuple[Act, str]] = {
    "another actor": (
        run("UPDATE office_entries SET actor = 'operator:other' WHERE sequence = 2"),
        "entry 2 was changed after it was written",
    ),
    "one removed": (run("DELETE FROM office_entries WHERE sequence = 2"), "entry 2 is missing"),
    "the last one removed": (run("DELETE FROM office_entries WHERE sequence = 3"), "entry 3 is missing"),
    "the last one removed with its command": (
        run("DELETE FROM office_entries WHERE sequence = 3", "DELETE FROM commands WHERE request_id = 'c'"),
        "entry 3 is missing: seal 1 has one as far as that",
    ),
    "all removed with their commands": (
        run("DELETE FROM office_entries", "DELETE FROM commands"),
        "the case is gone: seal 1 has it",
    ),
}


@pytest.mark.parametrize("what", TAMPERING)
def test_tampering_with_it_is_named(engine: Engine, what: str) -> None:
    for name in "abc":
        import_notice(engine, name)
    assert SealStore(engine).seal(OPENED) == 1
    assert SealStore(engine).seal(OPENED) == 0
    assert broken(engine) == []
    unprotected(engine)
    tamper, why = TAMPERING[what]
    with engine.begin() as connection:
        tamper(connection)
    assert broken(engine) == [("office", why)]
