"""Each example gives the findings its name promises, as of the day it names and, re-dated, of any other."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from domain.findings import Outcome
from domain.screening import screen
from examples.make_documents import EXAMPLES, documents
from examples.redate import redated
from starter.application_file import read_application_file, read_supplement_file
from store.reference import policy_book

TODAY = date(2026, 11, 24)

NOT_PASSED: dict[str, dict[str, str]] = {
    "passes": {"A3": "pending"},
    "limits": {"A3": "pending"},
    "overseas": {"A3": "pending"},
    "seven-months": {"A2.age": "person", "A3": "pending"},
    "deficient": {
        "A1": "fail",
        "A2.taxpayer": "fail",
        "A2.capital": "fail",
        "A2.age": "fail",
        "A3": "pending",
        "A4.live_rooms": "fail",
        "A4.area": "fail",
        "A4.cases": "person",
        "A4.experience": "fail",
        "B1": "fail",
        "B2": "fail",
        "R8": "fail",
    },
}


def not_passed(example: str, as_of: date = TODAY, folder: Path = EXAMPLES) -> dict[str, str]:
    application = read_application_file(folder / example / "application.yaml", today=as_of).submission.application
    findings = screen(application, policy_book().in_force(as_of), as_of=as_of)
    return {f.condition: f.outcome.value for f in findings if f.outcome is not Outcome.PASS}


@pytest.mark.parametrize("example", NOT_PASSED)
def test_findings(example: str) -> None:
    assert not_passed(example) == NOT_PASSED[example]


@pytest.mark.parametrize("day", ["2027-03-31", "2027-04-30", "2027-12-31", "2028-02-29", "2031-07-01"])
@pytest.mark.parametrize("example", NOT_PASSED)
def test_findings_of_a_re_dated_example(example: str, day: str, tmp_path: Path) -> None:
    as_of = date.fromisoformat(day)
    shutil.copytree(EXAMPLES / example, tmp_path / example)
    (tmp_path / example / "application.yaml").write_text(redated(example, as_of), "utf-8")
    assert not_passed(example, as_of, tmp_path) == NOT_PASSED[example]


@pytest.mark.parametrize("example", NOT_PASSED)
def test_the_files_are_as_of_one_day(example: str) -> None:
    assert redated(example, TODAY) == (EXAMPLES / example / "application.yaml").read_text("utf-8")


def test_seven_months_passes_once_a_year_old() -> None:
    assert "A2.age" in not_passed("seven-months", date(2027, 4, 23))
    assert not_passed("seven-months", date(2027, 4, 24)) == {"A3": "pending"}


def test_supplement() -> None:
    current = read_application_file(EXAMPLES / "passes/application.yaml", today=TODAY).submission
    read = read_supplement_file(EXAMPLES / "passes/supplement.yaml", today=TODAY, current=current)
    facilities = read.submission.application.facilities
    assert facilities is not None
    assert facilities.live_rooms == 16
    assert read.submission.documents_note
    assert len(read.document_files) == 2


def test_supplement_of_an_overseas_entity() -> None:
    current = read_application_file(EXAMPLES / "overseas/application.yaml", today=TODAY).submission
    read = read_supplement_file(EXAMPLES / "overseas/supplement.yaml", today=TODAY, current=current)
    assert read.submission.application.entity == current.application.entity
    assert read.submission.application.enterprise.registered_capital == "5000000.00"
    assert "documents/entrustment-2.pdf" in {document.path for document in read.submission.documents}


def test_every_example_is_tested_and_has_its_own_code() -> None:
    files = sorted(EXAMPLES.glob("*/application.yaml"))
    assert {file.parent.name for file in files} == set(NOT_PASSED)
    codes = {read_application_file(file, today=TODAY).submission.application.credit_code for file in files}
    assert len(codes) == len(files)


def test_documents_are_what_the_script_makes() -> None:
    made = documents()
    assert {path.relative_to(EXAMPLES) for path in EXAMPLES.glob("*/documents/*")} == {
        path.relative_to(EXAMPLES) for path in made
    }
    for path, content in made.items():
        assert path.read_bytes() == content, f"{path}: run python {Path('examples/make_documents.py')}"
        assert len(content) < 2048
