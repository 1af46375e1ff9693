"""audit, as it is typed, on the records alone: no Temporal server anywhere."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from audit.report import SENTENCES
from domain.commands import Actor, ReportConduct, Revoke, Withdraw
from domain.refusals import Refusal, RefusalKind
from domain.stages import Role
from starter.audit_export import table
from starter.words import CHINESE
from store.actors import record_refusal
from store.auditing import AuditReader
from store.cases import CaseStore
from store.copies import FILE, SealCopies
from store.engine import open_engine
from store.sealing import SealStore
from tests.databases import migrated_sqlite
from tests.documents import pseudonym
from tests.starter.in_process import InProcess
from tests.starter.livebase import ROOT
from tests.store.first_year import OPENED, Enterprise, write
from tests.store.tampering import unprotected

FIRST, SECOND = "LB-2026-000001", "LB-2026-000002"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """The whole first year of one case, and an application of another, with nothing that protects their entries."""
    (tmp_path / "livebase.db").write_bytes(migrated_sqlite())
    engine = open_engine(f"sqlite:///{tmp_path / 'livebase.db'}")
    store = CaseStore(engine, pseudonym)
    for transition in Enterprise().first_year():
        write(store, transition)
    Enterprise(number=SECOND).stored(store, "review_taken")
    unprotected(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def office(tmp_path: Path, engine: Engine) -> InProcess:
    return InProcess(tmp_path)


def test_what_was_refused_is_told_case_by_case(office: InProcess, engine: Engine) -> None:
    assert office.ok("audit", "refused") == []
    assert "No command was refused." in office("audit", "refused").err
    one, other = (office.ok("show", number)["workflow"]["id"] for number in (FIRST, SECOND))
    compliance = Actor(role=Role.COMPLIANCE, name="he")
    report = {
        "conduct": f"{FIRST}-C1",
        "rule": "R6",
        "trigger": "breach",
        "severity": "minor",
        "found_on": OPENED.date(),
    }
    commands = [
        Revoke(request_id="1", workflow_id=one, actor=compliance, reason="r"),
        ReportConduct(request_id="2", workflow_id=one, actor=compliance, evidence=("0" * 64,), **report),
        Withdraw(request_id="3", workflow_id=other, actor=Actor(role=Role.APPLICANT, name="wang"), reason="r"),
    ]
    refusal = Refusal(RefusalKind.NOT_SIGNED, "The command is not signed.", "Run: livebase login")
    with Session(engine) as session, session.begin():
        for seconds, command in enumerate(commands):
            record_refusal(session, command, refusal.detail, OPENED + timedelta(seconds=seconds))
    told = office.ok("audit", "refused")
    assert [(one["actor"], one["action"], one["kind"]) for one in told] == [
        ("compliance:he", "revoke", "not_signed"),
        ("compliance:he", "report_conduct", "not_signed"),
        ("applicant:wang", "withdraw", "not_signed"),
    ]
    assert office.ok("audit", "refused", FIRST) == told[:2], "what was sent to its conduct cases too"
    assert office.ok("audit", "refused", SECOND) == told[2:]
    assert office.ok("audit", "refused", "--as", "applicant:nobody") == []
    printed = office("audit", "refused", "--lang", "zh").out
    assert "撤销" in printed and "The command is not signed." in printed


def test_a_whole_log_is_proven(office: InProcess) -> None:
    told = office.ok("audit", "verify")
    assert (told["ok"], told["cases"], told["broken"]) == (True, 2, [])
    assert told["entries"] == len(office.ok("timeline", FIRST)) + 2
    assert office.ok("audit", "verify", SECOND)["entries"] == 2
    printed = office("audit", "verify", "--lang", "zh")
    assert (printed.code, printed.out) == (0, "") and "核验完毕" in printed.err


@pytest.mark.parametrize("whole", ["database", "export"])
def test_a_proof_whose_process_is_ended_proves_nothing(
    office: InProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: str
) -> None:
    assert office("audit", "export", "--to", tmp_path / "log.jsonl").code == 0
    for place, value in (("starter.proving._FEW", 0), ("audit.whole_file._LONG", 0)):
        monkeypatch.setattr(place, value)
    for place in ("starter.proving.prove_cases", "audit.whole_file.prove_cases"):
        monkeypatch.setattr(place, lambda *_: os._exit(9))
    words = ("--file", tmp_path / "log.jsonl") if whole == "export" else ()
    done = office("audit", "verify", *words)
    assert done.code == 6 and "nothing is proven" in done.err and not done.out


def test_a_broken_log_ends_with_1_and_names_the_first_broken_entry_of_each_case(
    office: InProcess, engine: Engine
) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE audit_entries SET actor = 'finance:x' WHERE sequence = 4"))
        connection.execute(text(f"DELETE FROM audit_entries WHERE case_number = '{SECOND}'"))
    done = office("audit", "verify", "-o", "json")
    assert (done.code, done.json["ok"]) == (1, False)
    assert [(one["case_number"], one["sequence"], one["kind"]) for one in done.json["broken"]] == [
        (FIRST, 4, "changed"),
        (SECOND, 1, "missing"),
    ]
    printed = office("audit", "verify")
    assert printed.code == 1 and re.search(f"{FIRST} +4 +entry 4 was changed", printed.out), printed.out
    assert "audit_broken" in printed.err
    assert office("audit", "verify", FIRST).code == 1
    assert "写入后被改动" in office("audit", "verify", "--lang", "zh").out


def test_an_applicant_proves_their_own_case_alone(office: InProcess) -> None:
    stranger, own = ("--as", "applicant:zhou"), ("--as", "applicant:wang")
    assert office.ok("audit", "verify", *stranger)["cases"] == 0
    assert office.ok("audit", "verify", *own)["cases"] == 2
    assert office("audit", "verify", FIRST, *stranger).code == 4
    assert office.ok("audit", "verify", FIRST, *own)["cases"] == 1
    assert office("audit", "verify", "LB-2026-999999").code == 3


@pytest.mark.parametrize("sentence", SENTENCES.values())
def test_what_is_broken_is_told_in_chinese_too(sentence: str) -> None:
    assert sentence in CHINESE


class TestExport:
    def test_an_export_is_proven_without_a_database(self, office: InProcess, engine: Engine, tmp_path: Path) -> None:
        SealStore(engine).seal(OPENED)
        file = tmp_path / "log.jsonl"
        assert office("audit", "export", "--to", file).code == 0
        assert office("audit", "export").out == file.read_text("utf-8"), "the same log is the same export"
        elsewhere = InProcess(tmp_path / "nothing")
        told = elsewhere.ok("audit", "verify", "--file", file)
        whole = office.ok("audit", "verify")
        assert told == whole and told["seals"] == 1
        alone = subprocess.run([sys.executable, "-m", "audit", file], cwd=ROOT, capture_output=True, text=True)
        assert (alone.returncode, alone.stdout) == (0, "") and "1 seals" in alone.stderr
        assert office("audit", "export", "--to", file).code == 2, "nothing is written over"
        assert office("audit", "export", "--to", tmp_path / "no" / "folder").code == 2

    def test_tampering_with_an_export_is_named(self, office: InProcess, engine: Engine, tmp_path: Path) -> None:
        SealStore(engine).seal(OPENED)
        lines = office("audit", "export").out.splitlines(keepends=True)
        file = tmp_path / "log.jsonl"
        of_second = next(place for place, line in enumerate(lines) if f'"case_number":"{SECOND}"' in line)
        for changed, case_number, why in (
            ([line.replace("reviewer:li", "reviewer:lu") for line in lines], FIRST, "entry 2 was changed"),
            ([*lines[:3], *lines[4:]], FIRST, "entry 2 is missing"),
            (lines[:of_second], SECOND, "the case is gone"),
            ([*lines[:2], lines[2].replace('"sequence":1', '"sequence":1,"more":1'), *lines[3:]], None, ""),
        ):
            file.write_text("".join(changed), "utf-8")
            done = office("audit", "verify", "--file", file, "-o", "json")
            if case_number is None:
                assert done.code == 0, "what is not hashed is not told"
                continue
            assert done.code == 1
            assert done.json["broken"][0]["case_number"] == case_number, done.json
            assert done.json["broken"][0]["why"].startswith(why)

    def test_a_file_that_is_no_export_ends_with_2_and_names_its_lines(self, office: InProcess, tmp_path: Path) -> None:
        lines = office("audit", "export").out.splitlines(keepends=True)
        file = tmp_path / "log.jsonl"
        file.write_text("".join([*lines[:2], "[]\n", '{"kind":"entry"}\n', lines[2][:50], "\n", *lines[3:]]), "utf-8")
        done = office("audit", "verify", "--file", file, "-o", "json")
        assert done.code == 2
        paths = [problem["path"] for problem in done.json["error"]["problems"]]
        assert paths == ["line 3", "line 4", "line 5"]
        assert office("audit", "verify", "--file", tmp_path / "none").code == 2
        assert office("audit", "verify", FIRST, "--file", file).code == 2

    def test_one_case_and_an_applicants_own_have_no_seals(self, office: InProcess, engine: Engine) -> None:
        SealStore(engine).seal(OPENED)
        one = office("audit", "export", SECOND).out.splitlines()
        assert [json.loads(line)["kind"] for line in one] == ["case", "entry", "entry"]
        own = office("audit", "export", "--as", "applicant:wang").out.splitlines()
        assert {json.loads(line)["kind"] for line in own} == {"case", "entry"}
        assert office("audit", "export", "--as", "applicant:zhou").out == ""
        assert office("audit", "export", SECOND, "--as", "applicant:zhou").code == 4

    def test_a_table_for_a_spreadsheet(self, office: InProcess, engine: Engine, tmp_path: Path) -> None:
        with engine.begin() as connection:
            connection.execute(text("UPDATE audit_entries SET actor = '=1+1', event = '+义' WHERE sequence = 2"))
        file = tmp_path / "log.csv"
        assert office("audit", "export", "--format", "csv", "--to", file).code == 0
        assert office("audit", "export", "--format", "csv").out.encode() == file.read_bytes()
        with file.open(encoding="utf-8-sig", newline="") as opened:
            rows = list(csv.DictReader(opened))
        assert [row["sequence"] for row in rows if row["case_number"] == SECOND] == ["1", "2"]
        assert (rows[1]["actor"], rows[1]["event"]) == ("'=1+1", "'+义")
        assert json.loads(rows[0]["detail"])["revision"] == 1


@pytest.mark.parametrize("begun", ["=1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1", "\0=1", "\uff1d1", "\uff0d1"])
def test_no_cell_is_computed(begun: str) -> None:
    written = io.StringIO()
    entry = dict.fromkeys(("legal_at", "observed_at", "event", "previous_hash", "hash", "case_number"), "x")
    table([{"kind": "entry", **entry, "sequence": 1, "detail": {}, "actor": begun}], written)
    written.seek(0)
    (_, row) = csv.reader(written)
    assert row[4] == f"'{begun}"


class TestCopies:
    def test_the_copies_of_this_installation_are_compared(
        self, office: InProcess, engine: Engine, tmp_path: Path
    ) -> None:
        SealStore(engine).seal(OPENED)
        assert office.ok("audit", "verify")["copied"] == 0
        SealCopies(tmp_path / "heads").catch_up(AuditReader(engine))
        assert office.ok("audit", "verify")["copied"] == 1
        assert office.ok("audit", "verify", SECOND)["copied"] == 1
        with engine.begin() as connection:
            connection.execute(text("DELETE FROM audit_heads"))
            connection.execute(text("DELETE FROM audit_seals"))
        done = office("audit", "verify", "-o", "json")
        assert (done.code, done.json["broken"][0]["kind"]) == (1, "seal_lost")
        (tmp_path / "heads").rename(tmp_path / "elsewhere")
        assert office("audit", "verify").code == 0
        for path in (tmp_path / "elsewhere", tmp_path / "elsewhere" / FILE):
            assert office("audit", "verify", "--heads", path).code == 1
        assert office("audit", "verify", "--heads", tmp_path / "none").code == 2
