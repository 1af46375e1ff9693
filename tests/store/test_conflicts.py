"""Transactions in each other's way: run again inside, once in effect, and nobody hears of it."""

from __future__ import annotations

import ast
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine, select, text, update
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from store import tables
from store.cases import CaseStore
from store.conflicts import again_after_conflict, is_conflict
from store.engine import open_engine
from tests.databases import only_on
from tests.store.first_year import Enterprise, write

PACKAGE = Path(__file__).parents[2] / "store"


def two_cases(store: CaseStore) -> list[str]:
    """The workflow ids of two open cases."""
    enterprises = [Enterprise(number=f"LB-2026-00000{number}") for number in (1, 2)]
    for enterprise in enterprises:
        write(store, enterprise.opened())
    return [enterprise.workflow_id for enterprise in enterprises]


def clock_of(session: Session, workflow_id: str, *, forward: int = 0) -> None:
    row = tables.CaseRow
    later = update(row).where(row.workflow_id == workflow_id).values(clock_offset_ms=row.clock_offset_ms + forward)
    session.execute(later)


@only_on("postgresql")
def test_two_that_wait_for_each_other_both_get_through(store: CaseStore, engine: Engine) -> None:
    first, second = two_cases(store)
    met, tries = threading.Barrier(2), []

    @again_after_conflict
    def both(one: str, other: str) -> None:
        tries.append(one)
        with Session(engine) as session, session.begin():
            clock_of(session, one, forward=1)
            if len(tries) <= 2:
                met.wait()
            clock_of(session, other, forward=1)

    others = threading.Thread(target=both, args=(second, first))
    others.start()
    both(first, second)
    others.join()
    assert len(tries) == 3
    with Session(engine) as session:
        assert session.scalars(select(tables.CaseRow.clock_offset_ms)).all() == [2, 2]


@only_on("postgresql")
def test_a_serialization_failure_is_run_again(store: CaseStore, engine: Engine, url: str) -> None:
    first, _ = two_cases(store)
    serial = open_engine(url).execution_options(isolation_level="SERIALIZABLE")
    tries: list[int] = []

    @again_after_conflict
    def read_then_write() -> None:
        tries.append(len(tries))
        with Session(serial) as session, session.begin():
            session.scalars(select(tables.CaseRow.clock_offset_ms)).all()
            if len(tries) == 1:
                store.record_clock(first, timedelta(seconds=1))
            clock_of(session, first, forward=1)

    read_then_write()
    serial.dispose()
    assert tries == [0, 1]
    with Session(engine) as session:
        assert session.scalar(select(tables.CaseRow.clock_offset_ms).filter_by(workflow_id=first)) == 1001


@contextmanager
def held_by_another(url: str, seconds: float) -> Iterator[None]:
    """Somebody else writes to the SQLite database, for so long from now on."""
    begun = threading.Event()

    def hold() -> None:
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            begun.set()
            threading.Event().wait(seconds)
            database.execute("ROLLBACK")

    holding = threading.Thread(target=hold)
    holding.start()
    begun.wait()
    yield
    holding.join()


@only_on("sqlite")
def test_a_database_busy_for_longer_than_a_try_is_waited_for(store: CaseStore, url: str) -> None:
    first, _ = two_cases(store)
    with held_by_another(url, 2.4):
        store.record_clock(first, timedelta(seconds=1))
        case = store.case(first)
    assert case is not None


def test_what_is_no_conflict_is_raised_at_once(engine: Engine) -> None:
    tries: list[int] = []

    @again_after_conflict
    def wrong() -> None:
        tries.append(1)
        with engine.connect() as connection:
            connection.execute(text("SELECT 1 FROM nowhere"))

    with pytest.raises(DBAPIError):
        wrong()
    assert tries == [1]


def test_a_conflict_without_end_is_raised() -> None:
    error = OperationalError("COMMIT", {}, SimpleNamespace(sqlstate="40P01"))  # type: ignore[arg-type]
    tries: list[int] = []

    @again_after_conflict
    def always() -> None:
        tries.append(1)
        raise error

    with pytest.raises(OperationalError):
        always()
    assert len(tries) > 2


@pytest.mark.parametrize(
    ("state", "conflict"), [("40001", True), ("40P01", True), ("55P03", False), ("57014", False), (None, False)]
)
def test_which_states_are_conflicts(state: str | None, conflict: bool) -> None:
    error = OperationalError("COMMIT", {}, SimpleNamespace(sqlstate=state))  # type: ignore[arg-type]
    assert is_conflict(error) is conflict
    assert not is_conflict(ValueError(state))


def test_every_whole_transaction_of_the_store_is_run_again() -> None:
    """A function that opens a session is one; a context manager leaves it to who enters it."""
    forgotten, found = [], 0
    for path in sorted(PACKAGE.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.FunctionDef) or "Session(" not in ast.unparse(node):
                continue
            found += 1
            marks = {mark.id for mark in node.decorator_list if isinstance(mark, ast.Name)}
            if not marks & {"again_after_conflict", "contextmanager"}:
                forgotten.append(f"{path.name}::{node.name}")
    assert forgotten == []
    assert found > 20
