"""Input that is wrong, hostile or by mistake: told with its place, quickly, and nothing is started by it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from starter.structured_text import read_structured_file
from tests.starter.conftest import APPLICANT, OPERATOR, REVIEWER, Cases, Enterprise, enterprise_in
from tests.starter.livebase import ROOT, Done, Running

ONLY_ON = "sqlite"
"""How things are said and typed; no database says them otherwise."""

QUICKLY = 20.0
"""Seconds: nothing waits, nothing is read to its end, nothing grows; but the machine may be busy."""
LAUGHS = "a: &a [x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefghij", "bcdefghijk", strict=True))
EXECUTABLE = b"MZ\x90\x00" + bytes(200)


def written(content: str | bytes, name: str = "application.yaml") -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        file = folder / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    return write


def pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe.yaml")
    return folder / "pipe.yaml"


def sparse(folder: Path) -> Path:
    file = written(b"", "large.json")(folder)
    os.truncate(file, 300 * 1024**2)
    return file


def with_51_documents(folder: Path) -> Path:
    data = application(enterprise_in(folder))
    data["facilities"]["evidence"] = [f"documents/{number}.pdf" for number in range(43)]
    return written(json.dumps(data), "application.json")(folder)


def application(enterprise: Enterprise) -> dict[str, Any]:
    """What the enterprise's file holds."""
    data, problems = read_structured_file(enterprise.file)
    assert not problems
    return dict(data)


# what → (the file, a word of the one problem, which is of the file as a whole)
NO_FILE: dict[str, tuple[Callable[[Path], Path], str]] = {
    "an empty file": (written(b""), "empty"),
    "a directory": (lambda folder: folder, "regular file"),
    "a pipe nobody writes to": (pipe, "regular file"),
    "a device without an end": (lambda _: Path("/dev/zero"), "regular file"),
    "300 MB": (sparse, "1 MiB"),
    "a billion laughs": (written(LAUGHS), "alias"),
    "a Python tag": (written('base: !!python/object/apply:os.system ["touch hurt"]\n'), "tag"),
    "a number that is none": (written('{"base": NaN}', "application.json"), "number"),
    "100,000 lists in each other": (written("[" * 100_000, "application.json"), "nested"),
    "two applications": (written("- base: {}\n- base: {}\n"), "mapping"),
    "another encoding": (written("名: 义乌\n".encode("gbk")), "UTF-8"),
    "51 documents": (with_51_documents, "50 are possible"),
}


@pytest.fixture(scope="module")
def outcomes(dev: Running, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Done]:
    """What each of NO_FILE left, handed in as an application; nothing came on record."""
    folder = tmp_path_factory.mktemp("no-file")
    files = []
    for number, (make, _) in enumerate(NO_FILE.values()):
        (folder / str(number)).mkdir()
        files.append(make(folder / str(number)))
    with dev.unchanged():
        done = dev.each(*(("apply", file, *APPLICANT, "-o", "json") for file in files), timeout=QUICKLY)
    return dict(zip(NO_FILE, done, strict=True))


@pytest.mark.parametrize("what", NO_FILE)
def test_a_file_that_is_no_application_is_refused_at_once(outcomes: dict[str, Done], what: str) -> None:
    done = outcomes[what]
    assert done.code == 2
    assert done.error["kind"] == "invalid_file"
    (problem,) = done.error["problems"]
    assert problem["path"] == ""
    assert NO_FILE[what][1] in problem["message"]
    assert f"  (the file): {problem['message']}" in done.err
    assert not (ROOT / "hurt").exists()


def test_every_problem_of_a_file_and_its_documents_is_told_with_its_path_and_never_echoed(
    dev: Running, enterprise: Enterprise
) -> None:
    data = application(enterprise)
    data["base"] = {"name": "义乌\u202e北苑", "address": "义乌\x1b[2J云集路", "platform_account": "x" * 5000}
    data["entity"]["legal_representative"] = "王\ud83d"
    data["entity"]["registered_capital"] = 5000000
    data["agreement"]["evidence"] = "../../../etc/passwd"
    data["contact"] = {"name": "\u200b", "phone": "13800000000", "is_admin": True}
    (enterprise.document("../secret.pdf")).write_bytes(enterprise.document().read_bytes())
    enterprise.document("alipay.pdf").unlink()
    enterprise.document("alipay.pdf").symlink_to("../secret.pdf")
    enterprise.document("case-1.pdf").write_bytes(EXECUTABLE)
    enterprise.document("experience.pdf").write_bytes(b"")
    os.truncate(enterprise.document("operator.pdf"), 20 * 1024**2 + 1)
    text = json.dumps(data)
    file = written(text[:-1] + ', "experience": ' + json.dumps(data["experience"]) + "}", "a.json")(
        enterprise.file.parent
    )
    with dev.unchanged():
        done = dev("apply", file, *APPLICANT, "-o", "json", timeout=QUICKLY)
    assert done.code == 2
    told = {problem["path"]: problem["message"] for problem in done.error["problems"]}
    assert set(told) == {
        "base.name", "base.address", "base.platform_account", "entity.legal_representative",
        "entity.registered_capital", "agreement.evidence", "contact.name", "contact.email", "contact.is_admin",
        "alipay_verification.evidence", "cooperation_cases[0].evidence", "experience", "experience.evidence",
        "operating_company.evidence",
    }  # fmt: skip
    assert "link" in told["alipay_verification.evidence"]
    assert "empty" in told["experience.evidence"]
    assert "20 MiB" in told["operating_company.evidence"]
    for path, message in told.items():
        assert f"  {path}: {message}" in done.err
    for value in ("北苑", "云集路", "王", "passwd", "\x1b", "\u202e"):
        assert value not in done.out + done.err


def test_a_good_file_starts_a_case_and_none_of_the_bad_ones_did(
    dev: Running, enterprise: Enterprise, outcomes: dict[str, Done]
) -> None:
    """With a BOM, rare characters and text that means something elsewhere: all of it comes back as it was."""
    data = application(enterprise)
    data["base"]["address"] = "义乌市𠮷祥路<script>alert(1)</script>{{7*7}}%s${jndi:x}"
    data["contact"]["name"] = "'; DROP TABLE cases;--"
    file = written(b"\xef\xbb\xbf" + json.dumps(data, ensure_ascii=False).encode(), "a.json")(enterprise.file.parent)
    number = dev.ok("apply", file, *APPLICANT)["case_number"]
    shown, cases = dev.each(("application", "show", number, "-o", "json"), ("list", "-o", "json"))
    assert shown.json["application"] == data
    started = {name.split(":")[1] for name in dev.workflows() if name.startswith("base:")}
    assert started <= {row["credit_code"] for row in cases.json}
    assert outcomes


def test_an_id_that_is_none_is_unknown_and_harmless(dev: Running) -> None:
    ids = ["x" * 1200, "../etc/passwd\x1b[2J", "'; DROP TABLE cases;--"]
    with dev.unchanged():
        shown = dev.each(*(("show", one, "-o", "json") for one in ids), timeout=QUICKLY)
        taken = [dev("review", "take", ids[0], *REVIEWER, timeout=QUICKLY)]
    assert [one.code for one in (*shown, *taken)] == [3] * 4
    assert {one.error["kind"] for one in shown} == {"not_found"}
    assert all(len(one.err) < 500 and "\x1b" not in one.err + one.out for one in (*shown, *taken))


def test_a_reason_has_something_in_it_and_an_end(dev: Running, cases: Cases) -> None:
    withdraw = ("withdraw", cases.review, *APPLICANT, "-o", "json", "--reason")
    reject = ("review", "reject", cases.review, "--revision", "1", *REVIEWER, "--reason")
    request = ("review", "request", cases.review, "--revision", "1", *REVIEWER, "--item")
    with dev.unchanged():
        done = dev.each(
            (*withdraw, "为" * 2001),
            (*withdraw, "x" * 100_000),
            (*withdraw, "no UTF-8: \udcff"),
            (*reject, " \n"),
            (*request, "A4.area:"),
        )
    assert [one.code for one in done] == [2] * len(done)


def test_who_acts_has_a_name_that_can_be_read(dev: Running, cases: Cases) -> None:
    take = ("review", "take", cases.review, "--as")
    with dev.unchanged():
        done = dev.each(
            (*take, "reviewer:" + "x" * 101),
            (*take, "reviewer:\u202eil"),
            ("withdraw", cases.review, "--reason", "R", *OPERATOR, "--on-behalf", "wa\x1bng"),
        )
    assert [one.code for one in done] == [2] * len(done)
    assert not any("\u202e" in one.err or "\x1b" in one.err for one in done)


def test_evidence_is_judged_like_any_document(dev: Running, cases: Cases, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pdf")
    (tmp_path / "marks.pdf").write_bytes(EXECUTABLE)
    confirm = ("marks", "confirm", cases.review)
    files = (tmp_path / "marks.pdf", tmp_path / "pipe.pdf", tmp_path, tmp_path / "none.pdf")
    with dev.unchanged():
        done, published = dev.each(
            (*confirm, *files, *APPLICANT, "-o", "json"),
            ("publish", cases.review, "--evidence", tmp_path / "marks.pdf", *OPERATOR),
            timeout=QUICKLY,
        )
    assert (done.code, published.code) == (2, 2)
    assert [problem["path"] for problem in done.error["problems"]] == [str(file) for file in files]


def test_a_supplement_is_read_as_strictly(dev: Running, cases: Cases, tmp_path: Path) -> None:
    empty, unknown = tmp_path / "empty.yaml", tmp_path / "unknown.yaml"
    empty.touch()
    unknown.write_text("is_admin: true\nfacilities: {live_rooms: 10.5, area_m2: '400', evidence: [none.pdf]}\n")
    with dev.unchanged():
        nothing, wrong = dev.each(
            *(("supplement", cases.review, file, *APPLICANT, "-o", "json") for file in (empty, unknown))
        )
    assert (nothing.code, wrong.code) == (2, 2)
    paths = {problem["path"] for problem in wrong.error["problems"]}
    assert paths == {"is_admin", "facilities.live_rooms", "facilities.evidence[0]"}
