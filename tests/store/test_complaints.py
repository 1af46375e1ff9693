"""Complaints on record: added by who can't read them, decided on once, and read with the case's key alone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DatabaseError, ProgrammingError

from domain.complaints import Complaint, read_complaint
from store.cases import CaseStore
from store.complaints import (
    ComplaintBox,
    Unreadable,
    case_of,
    complaints_about,
    count_waiting,
    public_half,
    seal,
    unseal,
)
from store.engine import open_engine
from store.register import ListReader
from store.roles import REGISTER
from tests.databases import only_on
from tests.documents import pseudonym
from tests.postgres import PostgresServer
from tests.register.bases import Base

PRIVATE = bytes(range(32))
AT = datetime(2026, 11, 30, 2, tzinfo=UTC)


@pytest.fixture
def store(engine: Engine) -> CaseStore:
    return CaseStore(engine, pseudonym, lambda _: PRIVATE)


def about(base: Base, words: str = "有人索要开通费") -> tuple[Complaint, str]:
    complaint = read_complaint(base.number, {"text": words, "contact": "13800000000"})
    return complaint, complaint.reference(b"s")


def put(engine: Engine, base: Base, words: str = "有人索要开通费") -> str:
    complaint, reference = about(base, words)
    ComplaintBox(engine).put(reference, base.number, seal(complaint, reference, public_half(PRIVATE)), AT)
    return reference


def test_kept_once_and_for_good(engine: Engine, store: CaseStore) -> None:
    base = Base(store)
    references = {put(engine, base), put(engine, base), put(engine, base, "又一次")}
    assert count_waiting(engine) == (2, 1)
    found = complaints_about(engine, lambda _: PRIVATE, base.case.case_number)
    assert {one["reference"] for one in found} == references and {one["contact"] for one in found} == {"13800000000"}
    assert case_of(engine, found[0]["reference"]) == base.case.case_number
    assert complaints_about(engine, lambda _: PRIVATE, "LB-2099-000001") == []
    for statement in ("UPDATE complaints SET sealed = ''", "DELETE FROM complaints"):
        with pytest.raises(DatabaseError, match="append-only"), engine.begin() as connection:
            connection.execute(text(statement))


def test_the_list_has_the_public_half_and_nobody_else_s_opens_it(engine: Engine, store: CaseStore) -> None:
    base = Base(store)
    assert ListReader(engine).letterbox(base.number) == public_half(PRIVATE)
    assert ListReader(engine).letterbox("LBC-2099-000001") is None
    complaint, reference = about(base)
    sealed = seal(complaint, reference, public_half(PRIVATE))
    assert unseal(sealed, reference, base.number, PRIVATE) == complaint
    assert sealed != seal(complaint, reference, public_half(PRIVATE)), "not to be found out by trying"
    for given in (
        (sealed, "TS-AAAAAAAAAAAAAAAA", base.number, PRIVATE),
        (sealed, reference, "LBC-2026-000777", PRIVATE),
        (sealed, reference, base.number, bytes(32)),
        (sealed[:-9] + "AAAAAAAAA", reference, base.number, PRIVATE),
        ("", reference, base.number, PRIVATE),
        ("a.b.c.d.e", reference, base.number, PRIVATE),
    ):
        with pytest.raises(Unreadable):
            unseal(*given)


@only_on("postgresql")
def test_the_official_list_s_own_user_adds_and_reads_nothing_back(
    engine: Engine, store: CaseStore, url: str, postgres: PostgresServer
) -> None:
    base = Base(store)
    site = open_engine(postgres.url_as(REGISTER, url))
    reference = put(site, base)
    assert put(site, base) == reference, "a repeat is no error"
    assert count_waiting(engine) == (1, 1)
    for statement in (
        "SELECT sealed FROM complaints",
        "SELECT reference FROM complaints",
        "SELECT count(*) FROM complaints",
        "INSERT INTO complaints VALUES ('TS-B', 'n', 's', now()) RETURNING sealed",
        "INSERT INTO complaints VALUES ('TS-B', 'n', 's', now()) ON CONFLICT (reference) DO UPDATE SET sealed = ''",
        "UPDATE complaints SET sealed = ''",
        "DELETE FROM complaints",
        "INSERT INTO complaint_decisions VALUES ('c', 1, 'TS', 'dismissed', 'r', now())",
        "SELECT * FROM complaint_decisions",
        "UPDATE cases SET ended = true",
        "INSERT INTO list_revisions DEFAULT VALUES",
    ):
        with pytest.raises(ProgrammingError, match="permission denied"), site.begin() as connection:
            connection.execute(text(statement))
    site.dispose()
