"""What is personal stands with a case's documents alone, encrypted, and is gone everywhere once they are erased."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from store.engine import open_engine
from store.tables import Table
from tests.starter.conftest import APPLICANT, FINANCE, OPERATOR, Enterprise, certify, enterprise_in
from tests.starter.in_process import InProcess
from tests.starter.livebase import Running

ONLY_ON = "sqlite"
"""Whose file, pages that were freed included, is looked through as it lies on the disk."""

COMPLIANCE, SECOND = ("--as", "compliance:he"), ("--as", "compliance:feng")
JSON = ("-o", "json")
ERASED = "(已删除)"
IN_THE_APPLICATION = {
    "legal_representative: 王建国": "legal_representative: Canary-Legal-Rep",
    "signatory: 王建国": "signatory: Canary-Signatory",
    "name: 王芳": "name: Canary-Contact",
    'phone: "13800000000"': 'phone: "13977702468"',
    "email: wang@yunji.example": "email: canary-contact@yunji.example",
    "account: ops@yunji.example": "account: canary-alipay@yunji.example",
    "partner: 义乌国际商贸城": "partner: Canary-Partner",
    "title: 2025 秋季源头好货专场": "title: Canary-Title",
}
WRITTEN = [f"Canary-{what}" for what in ("facts", "account-1", "account-2", "loss", "answer", "note", "corrected")]
COMPLAINED = {"text": "Canary-complaint", "contact": "Canary-complainant", "link": "https://canary-link.example/"}
IN_DOCUMENTS = [f"Canary-in-{name}" for name in ("agreement", "alipay", "taxpayer", "policy", "report-evidence")]
MARKERS = [*(new.partition(": ")[2].strip('"') for new in IN_THE_APPLICATION.values()), *WRITTEN, *IN_DOCUMENTS]
MARKERS += COMPLAINED.values()
REPORT = """\
rule: R6
trigger: breach
severity: minor
found_on: {today}
facts: Canary-facts
affected_accounts: [Canary-account-1, Canary-account-2]
losses: [{{kind: frozen_permissions, description: Canary-loss}}]
evidence: [documents/evidence.pdf]
"""


@pytest.fixture
def enterprise(tmp_path: Path) -> Enterprise:
    """One whose application and documents hold the markers."""
    enterprise = enterprise_in(tmp_path / "enterprise")
    text = enterprise.file.read_text("utf-8")
    for old, new in IN_THE_APPLICATION.items():
        assert old in text
        text = text.replace(old, new)
    enterprise.file.write_text(text, "utf-8")
    marked = zip(
        ("agreement.pdf", "alipay.pdf", "taxpayer.pdf", "policy.pdf", "evidence.pdf"), IN_DOCUMENTS, strict=True
    )
    start, rest = enterprise.document("policy.pdf").read_bytes().split(b"\n", 1)
    for name, marker in marked:
        enterprise.document(name).write_bytes(start + b"\n%" + marker.encode() + b"\n" + rest)
    return enterprise


def kept(dev: Running) -> Iterator[tuple[str, bytes]]:
    """Everything there is of ours: each file of the data directory but the mail that people got, and every record."""
    for path in dev.folder.rglob("*"):
        if path.is_file() and "mail" not in path.relative_to(dev.folder).parts:
            yield str(path.relative_to(dev.folder)), path.read_bytes()
    engine = open_engine(dev.owner, read_only=True)
    with engine.connect() as connection:
        for table in Table.metadata.sorted_tables:
            rows = [dict(row._mapping) for row in connection.execute(select(*table.columns))]
            yield f"table {table.name}", json.dumps(rows, default=str, ensure_ascii=False).encode()
    engine.dispose()


def in_clear(dev: Running) -> list[tuple[str, str]]:
    """Where which marker can be read, however it is spelled: names are compared folded."""
    lines = [(place, data.lower()) for place, data in kept(dev)]
    return [(place, marker) for place, data in lines for marker in MARKERS if marker.lower().encode() in data]


def test_personal_data_is_in_no_database_log_or_export_and_goes_with_its_key(
    dev: Running, enterprise: Enterprise, tmp_path: Path
) -> None:
    office = InProcess.of(dev)
    assert len(set(MARKERS)) == 23
    number = office.ok("apply", enterprise.file, *APPLICANT)["case_number"]
    id = f"{number}-C1"
    term = certify(dev, number)["term"]
    today = term["from"][:10]
    complain(dev, term["certificate_number"])
    report, answer = enterprise.file.with_name("report.yaml"), enterprise.file.with_name("answer.yaml")
    report.write_text(REPORT.format(today=today), "utf-8")
    answer.write_text("statement: Canary-answer\nevidence: [documents/evidence.pdf]\n", "utf-8")
    office.ok("conduct", "report", number, report, *COMPLIANCE)
    office.ok("note", "add", number, "--text", "Canary-note", *OPERATOR)
    office.ok("conduct", "respond", id, answer, *APPLICANT)
    correction = enterprise.file.with_name("correction.yaml")
    correction.write_text("contact: {name: Canary-corrected, phone: '13800000000', email: x@yunji.example}\n", "utf-8")
    office.ok("correct", number, correction, *OPERATOR, "--on-behalf", "wang")

    # It is told to those it is for, and is nowhere else.
    shown = office.ok("conduct", "show", id, *COMPLIANCE)
    assert (shown["facts"], shown["answer"]) == ("Canary-facts", "Canary-answer")
    assert shown["affected_accounts"] == ["Canary-account-1", "Canary-account-2"]
    assert shown["losses"][0]["description"] == "Canary-loss"
    assert "Canary-answer" in office("timeline", number).out
    assert [note["text"] for note in office.ok("note", "list", number, *OPERATOR)] == ["Canary-note"]
    (complaint,) = office.ok("conduct", "complaints", number, *COMPLIANCE)
    assert {name: complaint[name] for name in COMPLAINED} == COMPLAINED
    office.ok("conduct", "dismiss", complaint["reference"], "--reason", "查无此事", *COMPLIANCE)
    assert "Canary-Legal-Rep" in office("application", "show", number, "--revision", "1").out
    told_to_the_base = [one for one in office.ok("notices", "list", number) if one["kind"] == "conduct_reported"]
    letter = office.ok("notices", "show", number, told_to_the_base[0]["letter"])
    assert "Canary-facts" in letter["body"]
    until = time.monotonic() + 60
    while not any(b"Canary-facts" in path.read_bytes() for path in (dev.folder / "mail").rglob("*") if path.is_file()):
        assert time.monotonic() < until, "the letter that went out has the words"
        time.sleep(0.2)
    for file in ("all.jsonl", "all.csv"):
        office.ok("audit", "export", "--format", file.partition(".")[2], "--to", dev.folder / file)
    assert in_clear(dev) == []

    # Erased by two people, when all is over.
    early = office("documents", "erase", number, "--reason", "r", "--yes", *COMPLIANCE, *JSON)
    assert (early.code, early.error["kind"]) == (5, "wrong_stage")
    office.ok("conduct", "decide", id, "--outcome", "dismissed", "--reason", "未查实", *COMPLIANCE)
    close(dev, office, number)
    office.ok("documents", "erase", number, "--reason", "已无必要保存", "--yes", *COMPLIANCE)
    (waiting,) = [one for one in office.ok("approvals", *SECOND) if one["case_number"] == number]
    own = office("approvals", "approve", waiting["id"], "--content", waiting["content"], *COMPLIANCE, *JSON)
    assert (own.code, own.error["kind"]) == (4, "second_person_required")
    office.ok("approvals", "approve", waiting["id"], "--content", waiting["content"], *SECOND)

    folder = dev.folder / "documents" / f"base.{enterprise.code}.1"
    assert [path.name for path in folder.rglob("*") if path.is_file()] == ["erased"]
    for words in (("application", "show"), ("documents", "list"), ("documents", "save")):
        gone = office(*words, number, *JSON)
        assert (gone.code, gone.error["kind"]) == (3, "not_found") and "erased on" in gone.error["message"]
    shown = office.ok("conduct", "show", id, *COMPLIANCE)
    assert (shown["facts"], shown["answer"], shown["affected_accounts"]) == (ERASED, ERASED, [ERASED, ERASED])
    assert [note["text"] for note in office.ok("note", "list", number, *OPERATOR)] == [ERASED]
    (complaint,) = office.ok("conduct", "complaints", number, "--all", *COMPLIANCE)
    assert [complaint[name] for name in COMPLAINED] == [None, None, None]
    assert office.ok("show", number)["stage"] == "closed"
    assert office.ok("timeline", number)[-1]["event"] == "documents_erased"
    assert office.ok("audit", "verify", number)["ok"], "the chain stands"
    again = office("documents", "erase", number, "--reason", "r", "--yes", *COMPLIANCE, *JSON)
    assert (again.code, again.error["kind"]) == (5, "already_ended") and "erased" in again.error["message"]
    late = office("note", "add", number, "--text", "late", *OPERATOR, *JSON)
    assert late.code != 0 and "erased" in late.error["message"]
    paid = office.ok(
        "deposit", "receive", number, "--amount", "1", "--reference", f"L-{number}", "--payer", "x", *FINANCE
    )
    assert paid["stage"] == "closed", "money that comes is recorded all the same"
    assert in_clear(dev) == []


def complain(dev: Running, number: str) -> None:
    """Somebody of the public complains about a certificate on its page."""
    url = dev.state["register_url"]
    sent = httpx.post(f"{url}/c/{number}/complaint", data=COMPLAINED, headers={"origin": url})
    assert sent.status_code == 303, sent.text


def close(dev: Running, office: InProcess, number: str) -> None:
    """The base leaves; its marks are out of use, its deposit is back."""
    office.ok("surrender", number, "--reason", "搬迁", "--yes", *APPLICANT)
    evidence = Path(__file__).parent.parent.parent / "examples" / "passes" / "documents" / "policy.pdf"
    office.ok("marks", "confirm", number, evidence, *APPLICANT)
    office.ok("fast-forward", number, "60d")
    until = time.monotonic() + 30
    while (view := office.ok("show", number))["stage"] != "closed":
        assert time.monotonic() < until, view
        if view["deposit"]["held"] and not [one for one in office.ok("approvals") if one["case_number"] == number]:
            office("deposit", "refund", number, "--amount", "100000", "--reason", "r", "--yes", *FINANCE)
            for one in [one for one in office.ok("approvals") if one["case_number"] == number]:
                office("approvals", "approve", one["id"], "--content", one["content"], *COMPLIANCE)
        time.sleep(0.3)
