"""Seals and their copies outside: what a case's own chain can't tell is found, and named."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, select, text, update
from sqlalchemy.exc import IntegrityError

from audit.files import copies
from audit.report import Report
from audit.verifier import verify
from store import sealing
from store.audit import seal_genesis, seal_hash
from store.auditing import AuditReader
from store.cases import CaseStore
from store.copies import FILE, CopiesDiffer, SealCopies
from store.sealing import SealStore
from store.tables import AuditRow, CaseRow, HeadRow, SealRow
from tests.databases import only_on
from tests.store.first_year import HOUR, OPENED, Enterprise, write
from tests.store.tampering import both, hash_again, remove_case, run, unprotected

FIRST, SECOND = "LB-2026-000001", "LB-2026-000002"


@pytest.fixture
def seals(engine: Engine) -> SealStore:
    return SealStore(engine)


@pytest.fixture
def sealed(store: CaseStore, engine: Engine, seals: SealStore) -> Engine:
    """A first year sealed after every second entry, its end with a second case, and nothing protected any more."""
    for transition in Enterprise().first_year():
        write(store, transition)
        if transition.case.sequence % 2 == 0:
            seals.seal(transition.observed_at)
    Enterprise(number=SECOND).stored(store, "review_taken")
    seals.seal(OPENED)
    unprotected(engine)
    return engine


def report(engine: Engine, folder: Path | None = None) -> Report:
    return verify(AuditReader(engine).log(), copies(folder) if folder else ())


def broken(engine: Engine, folder: Path | None = None) -> list[tuple[str | None, str]]:
    return [(one.case_number, one.why) for one in report(engine, folder).broken]


def test_what_went_on_is_sealed_once(store: CaseStore, engine: Engine, seals: SealStore) -> None:
    assert (seals.seal(OPENED), seals.newest()) == (0, 0)
    case = Enterprise().stored(store, "review_taken")
    Enterprise(number=SECOND).stored(store, "application_received")
    assert (seals.seal(OPENED), seals.seal(OPENED + HOUR), seals.newest()) == (2, 0, 1)
    Enterprise(number="LB-2026-000003").stored(store, "application_received")
    assert (seals.seal(OPENED + HOUR), seals.newest()) == (1, 2)
    with engine.connect() as connection:
        heads = connection.execute(select(HeadRow.case_number, HeadRow.sequence, HeadRow.seal).order_by("seal")).all()
        last = connection.scalar(select(AuditRow.hash).where(AuditRow.case_number == FIRST, AuditRow.sequence == 2))
        assert last == connection.scalar(select(HeadRow.hash).where(HeadRow.case_number == FIRST))
    assert heads == [(FIRST, case.sequence, 1), (SECOND, 1, 1), ("LB-2026-000003", 1, 2)]
    assert report(engine) == Report(4, 3, seals=2)


def test_a_seal_has_only_so_many_heads(
    store: CaseStore, engine: Engine, seals: SealStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "LARGEST", 2)
    for number in range(5):
        Enterprise(number=f"LB-2026-00000{number}").stored(store, "application_received")
    assert [seals.seal(OPENED) for _ in range(4)] == [2, 2, 1, 0]
    assert report(engine) == Report(5, 5, seals=3)


def test_two_who_seal_at_once_leave_one_seal(store: CaseStore, engine: Engine, seals: SealStore) -> None:
    Enterprise().stored(store, "application_received")
    together = threading.Barrier(4)

    def seal() -> int:
        together.wait()
        try:
            return seals.seal(OPENED)
        except IntegrityError:
            return 0

    with ThreadPoolExecutor(4) as pool:
        done = [future.result() for future in [pool.submit(seal) for _ in range(4)]]
    assert sorted(done) == [0, 0, 0, 1]
    assert report(engine) == Report(1, 1, seals=1)


def cut_off(connection: Connection) -> None:
    connection.execute(text("DELETE FROM audit_entries WHERE sequence > 19 AND case_number = 'LB-2026-000001'"))
    connection.execute(update(CaseRow).where(CaseRow.case_number == FIRST).values(sequence=19))


def seal_again(connection: Connection) -> None:
    """Every seal made anew over the chains as they are now."""
    previous = seal_genesis()
    for number, at in connection.execute(select(SealRow.number, SealRow.at).order_by(SealRow.number)).all():
        connection.execute(
            text(
                "UPDATE audit_heads SET hash = (SELECT hash FROM audit_entries e "
                "WHERE e.sequence = audit_heads.sequence AND e.case_number = audit_heads.case_number) WHERE seal = :n"
            ),
            {"n": number},
        )
        of_it = select(HeadRow.case_number, HeadRow.sequence, HeadRow.hash).where(HeadRow.seal == number)
        own = seal_hash(
            previous,
            number,
            at,
            [
                (row.case_number, row.sequence, row.hash)
                for row in connection.execute(of_it.order_by(HeadRow.case_number))
            ],
        )
        row = {"previous_hash": previous, "hash": own}
        connection.execute(update(SealRow).where(SealRow.number == number).values(**row))
        previous = own


def rewrite(connection: Connection) -> None:
    """The fifth entry with another actor, and the chain hashed anew to its end."""
    fifth = AuditRow.case_number == FIRST, AuditRow.sequence == 5
    connection.execute(update(AuditRow).where(*fifth).values(actor="finance:other"))
    hash_again(connection, FIRST)


def remove_second(connection: Connection) -> None:
    remove_case(connection, SECOND)


TAMPERING: dict[str, tuple[Callable[[Connection], None], list[tuple[str | None, str]]]] = {
    "an entry changed and the chain hashed anew": (
        rewrite,
        [(FIRST, "entries 5 to 6 were written anew: seal 3 has another hash")],
    ),
    "the end of a chain removed, and the case set back": (
        cut_off,
        [(FIRST, "entry 20 is missing: seal 10 has one as far as that")],
    ),
    "a case removed": (remove_second, [(SECOND, "the case is gone: seal 12 has it")]),
    "a head changed": (
        run("UPDATE audit_heads SET sequence = 3 WHERE seal = 2"),
        [
            (FIRST, "entries 3 to 3 were written anew: seal 2 has another hash"),
            (None, "seal 2 was changed after it was made"),
        ],
    ),
    "a head's hash that is none": (
        run("UPDATE audit_heads SET hash = 'x' WHERE seal = 2"),
        [
            (FIRST, "entries 3 to 4 were written anew: seal 2 has another hash"),
            (None, "seal 2 was changed after it was made"),
        ],
    ),
    "a seal re-dated": (
        run("UPDATE audit_seals SET at = (SELECT at FROM audit_seals WHERE number = 1) WHERE number = 2"),
        [(None, "seal 2 was changed after it was made")],
    ),
    "a seal removed": (
        both(run("DELETE FROM audit_heads WHERE seal = 2"), run("DELETE FROM audit_seals WHERE number = 2")),
        [(None, "seal 2 is missing")],
    ),
    "a seal exchanged": (
        run("UPDATE audit_seals SET hash = '0000' WHERE number = 2"),
        [(None, "seal 2 was changed after it was made")],
    ),
}
ONLY_OUTSIDE: dict[str, tuple[Callable[[Connection], None], list[tuple[str | None, str]]]] = {
    "the chain and all seals made anew": (
        both(rewrite, seal_again),
        [
            (FIRST, "entries 5 to 6 were written anew: seal 3 has another hash"),
            (None, "seal 3 is not the one there is a copy of outside"),
        ],
    ),
    "a case removed, and the seals made anew without it": (
        both(remove_second, run("DELETE FROM audit_heads WHERE case_number = 'LB-2026-000002'"), seal_again),
        [(SECOND, "the case is gone: seal 12 has it"), (None, "seal 12 is not the one there is a copy of outside")],
    ),
}


def test_a_sealed_log_left_alone_is_whole(sealed: Engine, tmp_path: Path) -> None:
    SealCopies(tmp_path).catch_up(AuditReader(sealed))
    found = report(sealed, tmp_path)
    assert (found.ok, found.seals, found.outside) == (True, 12, 12)


@pytest.mark.parametrize("what", TAMPERING)
def test_what_a_chain_alone_does_not_tell_is_named(sealed: Engine, what: str) -> None:
    tamper, expected = TAMPERING[what]
    with sealed.begin() as connection:
        tamper(connection)
    assert broken(sealed) == expected


@pytest.mark.parametrize("what", ONLY_OUTSIDE)
def test_what_the_database_alone_does_not_tell_is_named_by_the_copies(
    sealed: Engine, tmp_path: Path, what: str
) -> None:
    SealCopies(tmp_path).catch_up(AuditReader(sealed))
    tamper, expected = ONLY_OUTSIDE[what]
    with sealed.begin() as connection:
        tamper(connection)
    assert broken(sealed) == []
    assert broken(sealed, tmp_path) == expected
    with pytest.raises(CopiesDiffer):
        SealCopies(tmp_path).catch_up(AuditReader(sealed))


def test_an_older_backup_is_known_by_the_copies(sealed: Engine, tmp_path: Path) -> None:
    copied, at = SealCopies(tmp_path), OPENED.isoformat()
    copied.catch_up(AuditReader(sealed))
    (last,) = list(copies(tmp_path))[-1:]
    heads = [[FIRST, 99, "ab" * 32]]
    own = seal_hash(last["hash"], 13, OPENED, [(FIRST, 99, "ab" * 32)])
    seal = {"kind": "seal", "number": 13, "at": at, "heads": heads, "previous_hash": last["hash"], "hash": own}
    with copied.file.open("a") as file:
        file.write(json.dumps(seal) + "\n")
    assert broken(sealed) == []
    assert broken(sealed, tmp_path) == [
        (FIRST, "entry 23 is missing: seal 13 has one as far as that"),
        (None, "seal 13 is missing: there is a copy of it outside"),
    ]
    with pytest.raises(CopiesDiffer):
        copied.catch_up(AuditReader(sealed))


@only_on("sqlite")
class TestCopies:
    def test_a_copy_is_made_once_whoever_makes_it(self, sealed: Engine, tmp_path: Path) -> None:
        reader = AuditReader(sealed)
        with ThreadPoolExecutor(3) as pool:
            done = [pool.submit(SealCopies(tmp_path / "heads").catch_up, reader) for _ in range(3)]
        assert [future.result() for future in done] == [12, 12, 12]
        lines = (tmp_path / "heads" / FILE).read_text("utf-8").splitlines()
        assert [json.loads(line) for line in lines] == list(reader.seals())

    def test_one_that_was_cut_off_is_made_again(self, sealed: Engine, tmp_path: Path) -> None:
        reader, copied = AuditReader(sealed), SealCopies(tmp_path)
        copied.catch_up(reader)
        whole = copied.file.read_bytes()
        lines = whole.splitlines(keepends=True)
        for left in (0, 5, len(lines[0]) - 1, len(lines[0]), len(lines[0]) + 7, len(whole) - 1):
            copied.file.write_bytes(whole[:left])
            assert copied.catch_up(reader) == 12
            assert list(dict.fromkeys(seal["number"] for seal in copies(tmp_path))) == list(range(1, 13))
            assert report(sealed, tmp_path).ok

    def test_one_that_was_changed_is_named(self, sealed: Engine, tmp_path: Path) -> None:
        copied = SealCopies(tmp_path)
        copied.catch_up(AuditReader(sealed))
        whole = copied.file.read_text("utf-8")
        for changed, why in (
            (whole.replace('"number":4', '"number":3'), "the copy of seal 3 outside was changed"),
            (whole.replace('["LB-2026-000001",8,', '["LB-2026-000001",7,'), "the copy of seal 4 outside was changed"),
            ("".join(whole.splitlines(keepends=True)[1:]), "the copy of seal 1 outside is missing"),
        ):
            copied.file.write_text(changed, "utf-8")
            assert broken(sealed, tmp_path) == [(None, why)]

    def test_more_seals_than_are_copied_at_once(
        self, sealed: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("store.copies._MOST", 5)
        monkeypatch.setattr("store.copies._BLOCK", 100)
        done = [SealCopies(tmp_path).catch_up(AuditReader(sealed)) for _ in range(4)]
        assert done == [5, 10, 12, 12]
        assert report(sealed, tmp_path).outside == 12

    def test_what_is_sealed_meanwhile_is_not_missed(
        self, store: CaseStore, sealed: Engine, seals: SealStore, tmp_path: Path
    ) -> None:
        copied = SealCopies(tmp_path)
        copied.catch_up(AuditReader(sealed))
        outside = copies(tmp_path)
        Enterprise(number="LB-2026-000003", opened=OPENED + timedelta(days=1)).stored(store, "application_received")
        records = list(AuditReader(sealed).log())
        seals.seal(OPENED)
        copied.catch_up(AuditReader(sealed))
        assert verify(records, outside).ok
