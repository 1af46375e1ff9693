"""Application and supplement files with their documents, from disk (rows of `research/bad-input.md`)."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from domain.fields import document_fields
from domain.refusals import Problem
from domain.submission import Submission
from examples.make_documents import pdf, png
from starter import document_files
from starter.application_file import InvalidFile, ReadFile, read_application_file, read_supplement_file
from starter.document_files import MAX_DOCUMENT_BYTES, read_documents
from tests.domain.handed_in import TODAY, handed_in

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(64) + b"\xff\xd9"
ZIP_END = b"PK\x05\x06" + bytes(16)
EXECUTABLE = b"MZ\x90\x00" + bytes(200) + b"%PDF-1.4\n%%EOF"
ENCRYPTED = pdf("x").replace(b"/Root 1 0 R", b"/Root 1 0 R/Encrypt 9 0 R")

DOCUMENT = "documents/case-1.pdf"
FIELD = "cooperation_cases[0].evidence"


def put(folder: Path, changes: dict[str, Any] | None = None) -> Path:
    """An application file with all its documents below `folder`."""
    data = handed_in(changes)
    for _, name in document_fields(data):
        document = folder / name
        document.parent.mkdir(parents=True, exist_ok=True)
        document.write_bytes(png(name) if name.endswith(".png") else pdf(name.replace("/", " ")))
    path = folder / "application.json"
    path.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    return path


def problems(path: Path) -> tuple[Problem, ...]:
    began = time.monotonic()
    with pytest.raises(InvalidFile) as refused:
        read_application_file(path, today=TODAY)
    assert time.monotonic() - began < 2
    return refused.value.problems


def test_a_file_with_its_documents(tmp_path: Path) -> None:
    read = read_application_file(put(tmp_path), today=TODAY)
    assert len(read.submission.documents) == len(read.document_files) == 9
    for ref in read.submission.documents:
        content = (tmp_path / ref.path).read_bytes()
        assert ref.sha256 == hashlib.sha256(content).hexdigest()
        assert ref.size == len(content)
        assert ref.media_type == ("image/png" if ref.path.endswith(".png") else "application/pdf")
        assert read.document_files[ref.sha256].read_bytes() == content
    assert Submission.from_bytes(read.submission.canonical_bytes(), today=TODAY) == read.submission


def test_row_44_the_same_content_under_two_names(tmp_path: Path) -> None:
    path = put(tmp_path)
    (tmp_path / DOCUMENT).write_bytes((tmp_path / "documents/policy.pdf").read_bytes())
    read = read_application_file(path, today=TODAY)
    assert (len(read.submission.documents), len(read.document_files)) == (9, 8)


DOCUMENTS: list[tuple[str, bytes, str]] = [
    ("row 39: an executable", EXECUTABLE, "no PDF"),
    ("row 39: HTML", b"<html><script>%PDF-1.4 %%EOF</script></html>", "no PDF"),
    ("row 39: SVG", b'<svg xmlns="http://www.w3.org/2000/svg"/>', "no PDF"),
    ("row 39: a PDF that is a ZIP too", pdf("x") + ZIP_END + b"\x00\x00", "archive"),
    ("row 39: a ZIP whose comment is the end", pdf("x") + ZIP_END + b"\x06\x00%%EOF\n", "archive"),
    ("row 39: a picture that is a ZIP too", JPEG + ZIP_END + b"\x00\x00", "archive"),
    ("row 41: a ZIP", b"PK\x03\x04" + bytes(50) + ZIP_END + b"\x00\x00", "no PDF"),
    ("row 42: the EICAR test file", rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*", "no PDF"),
    ("row 40: zero bytes", b"", "empty"),
    ("row 40: a PDF cut off", pdf("x")[:-30], "cut off"),
    ("row 40: a PNG cut off", png("x")[:-5], "cut off"),
    ("row 40: a JPEG cut off", JPEG[:-2], "cut off"),
    ("row 40: an encrypted PDF", ENCRYPTED, "encrypted"),
    ("a PNG signature alone", b"\x89PNG\r\n\x1a\n", "no PDF"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "word"), [d[1:] for d in DOCUMENTS], ids=[d[0] for d in DOCUMENTS])
def test_documents_are_judged_by_content(tmp_path: Path, content: bytes, word: str) -> None:
    path = put(tmp_path)
    (tmp_path / DOCUMENT).write_bytes(content)
    (problem,) = problems(path)
    assert problem.path == FIELD
    assert word in problem.message


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (JPEG, "image/jpeg"),
        (JPEG + b"what a camera writes behind", "image/jpeg"),
        (png("x"), "image/png"),
        (pdf("what /Encrypt means"), "application/pdf"),
        (pdf("x") + b"\n" * 500, "application/pdf"),
    ],
)
def test_a_name_is_no_matter(tmp_path: Path, content: bytes, media_type: str) -> None:
    path = put(tmp_path)
    (tmp_path / DOCUMENT).write_bytes(content)
    refs = {ref.path: ref for ref in read_application_file(path, today=TODAY).submission.documents}
    assert refs[DOCUMENT].media_type == media_type


def _link(folder: Path) -> None:
    (folder / "documents/case-1.pdf").symlink_to("/etc/shadow")


def _link_inside(folder: Path) -> None:
    (folder / "documents/case-1.pdf").symlink_to("policy.pdf")


def _linked_folder(folder: Path) -> None:
    (folder / "documents").rename(folder / "elsewhere")
    (folder / "documents").symlink_to("elsewhere")


def _pipe(folder: Path) -> None:
    os.mkfifo(folder / "documents/case-1.pdf")


def _folder(folder: Path) -> None:
    (folder / "documents/case-1.pdf").mkdir()


def _nothing(folder: Path) -> None:
    assert folder.is_dir()


@pytest.mark.parametrize(
    ("place", "word"),
    [
        (_link, "link"),
        (_link_inside, "link"),
        (_pipe, "regular file"),
        (_folder, "regular file"),
        (_nothing, "not there"),
    ],
)
def test_rows_2_and_3_what_is_no_document(tmp_path: Path, place: Callable[[Path], None], word: str) -> None:
    path = put(tmp_path)
    (tmp_path / DOCUMENT).unlink()
    place(tmp_path)
    (problem,) = problems(path)
    assert problem.path == FIELD
    assert word in problem.message


def test_row_3_a_linked_folder_is_refused_for_every_document(tmp_path: Path) -> None:
    path = put(tmp_path)
    _linked_folder(tmp_path)
    found = problems(path)
    assert len(found) == 9
    assert all("link" in problem.message for problem in found)


def test_a_file_on_the_way_is_no_folder(tmp_path: Path) -> None:
    path = put(tmp_path)
    data = handed_in({"cooperation_cases.0.evidence": "documents/policy.pdf/case.pdf"})
    path.write_text(json.dumps(data))
    assert problems(path)[0].path == FIELD


def _sized(path: Path, size: int) -> None:
    """A document of that size with a beginning and an end, without the bytes between."""
    end = b"\n%%EOF\n"
    path.write_bytes(b"%PDF-1.4\n")
    os.truncate(path, size - len(end))
    with path.open("ab") as file:
        file.write(end)


def test_row_43_20_mib_and_a_byte_more(tmp_path: Path) -> None:
    path = put(tmp_path)
    _sized(tmp_path / DOCUMENT, MAX_DOCUMENT_BYTES)
    assert read_application_file(path, today=TODAY).submission.documents
    _sized(tmp_path / DOCUMENT, MAX_DOCUMENT_BYTES + 1)
    assert problems(path) == (Problem(FIELD, "is larger than 20 MiB"),)


def test_row_43_more_than_200_mib_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path)
    total = sum(ref.size for ref in read_application_file(path, today=TODAY).submission.documents)
    monkeypatch.setattr(document_files, "MAX_TOTAL_BYTES", total)
    assert read_application_file(path, today=TODAY)
    monkeypatch.setattr(document_files, "MAX_TOTAL_BYTES", total - 1)
    assert [problem.path for problem in problems(path)] == [""]


def test_row_43_the_51st_document(tmp_path: Path) -> None:
    most = [f"documents/{i}.pdf" for i in range(43)]
    assert len(read_application_file(put(tmp_path, {"facilities.evidence": most}), today=TODAY).document_files) == 50
    path = put(tmp_path, {"facilities.evidence": [*most, "documents/43.pdf"]})
    assert problems(path) == (Problem("", "names 51 documents: 50 are possible"),)


def test_all_problems_of_file_and_documents_together(tmp_path: Path) -> None:
    path = put(tmp_path)
    (tmp_path / DOCUMENT).unlink()
    (tmp_path / "documents/policy.pdf").write_bytes(EXECUTABLE)
    data = handed_in({"base.name": "", "contact.phone": "x", "operating_company.evidence": "/etc/passwd"})
    data["recommendations"] = [{"from": "街道", "kind": "brand", "evidence": DOCUMENT}]
    path.write_text(json.dumps(data)[:-1] + ', "contact": {}}')
    found = [problem.path for problem in problems(path)]
    assert found == [
        "contact",
        "base.name",
        "operating_company.evidence",
        "contact.name",
        "contact.phone",
        "contact.email",
        FIELD,
        "recommendations[0].evidence",
        "government_policies[0].evidence",
    ]


def test_names_of_fields_are_made_printable(tmp_path: Path) -> None:
    path = put(tmp_path)
    path.write_text(json.dumps({**handed_in(), "\x1b[2J": {"evidence": "documents/none.pdf"}}))
    assert all(problem.path.isprintable() for problem in problems(path))


@pytest.mark.parametrize("path", ["", ".", "..", "a\u200b.pdf", "/etc/passwd", "a\x00.pdf"])
def test_a_path_that_is_none_is_a_problem_too(tmp_path: Path, path: str) -> None:
    found = read_documents(tmp_path, {path: ("evidence",)})
    assert [problem.path for problem in found.problems] == ["evidence"]
    assert not found.refs


# ---------------------------------------------------------------------------------------- supplement


def supplement(folder: Path, data: dict[str, Any], current: Submission, documents: dict[str, bytes]) -> ReadFile:
    folder.mkdir()
    for name, content in documents.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    path = folder / "supplement.json"
    path.write_text(json.dumps(data))
    return read_supplement_file(path, today=TODAY, current=current)


FACILITIES = {"live_rooms": 20, "area_m2": "2000", "evidence": ["documents/floor-plan.pdf"]}
POLICY_NAMED_AGAIN = {**FACILITIES, "evidence": ["documents/policy.pdf"]}


def test_a_supplement_brings_the_documents_of_its_sections(tmp_path: Path) -> None:
    current = read_application_file(put(tmp_path), today=TODAY).submission
    new = pdf("a new floor plan")
    data = {"facilities": FACILITIES, "documents_note": "新平面图"}
    read = supplement(tmp_path / "answer", data, current, {"documents/floor-plan.pdf": new})
    before = {ref.path: ref for ref in current.documents}
    after = {ref.path: ref for ref in read.submission.documents}
    assert set(before) - set(after) == {"documents/rooms.png"}
    assert [path for path in after if after[path] != before[path]] == ["documents/floor-plan.pdf"]
    assert list(read.document_files) == [hashlib.sha256(new).hexdigest()]
    assert read.submission.documents_note == "新平面图"
    assert Submission.from_bytes(read.submission.canonical_bytes(), today=TODAY) == read.submission


def test_a_document_that_stays_named_cannot_change_unseen(tmp_path: Path) -> None:
    current = read_application_file(put(tmp_path), today=TODAY).submission
    data = {"facilities": POLICY_NAMED_AGAIN}
    same = {"documents/policy.pdf": (tmp_path / "documents/policy.pdf").read_bytes()}
    assert supplement(tmp_path / "same", data, current, same).submission.documents
    with pytest.raises(InvalidFile) as refused:
        supplement(tmp_path / "other", data, current, {"documents/policy.pdf": pdf("another")})
    assert [problem.path for problem in refused.value.problems] == ["facilities.evidence[0]"]


def test_a_supplement_names_only_documents_beside_it(tmp_path: Path) -> None:
    current = read_application_file(put(tmp_path), today=TODAY).submission
    with pytest.raises(InvalidFile) as refused:
        supplement(tmp_path / "none", {"facilities": FACILITIES, "base": {}}, current, {})
    paths = [problem.path for problem in refused.value.problems]
    assert paths == ["base.name", "base.address", "base.platform_account", "facilities.evidence[0]"]
