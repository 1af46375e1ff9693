"""`livebase calendar import` and `status`, and what imported notices change elsewhere."""

from __future__ import annotations

import json
import time
import unicodedata
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.commands import Actor, ImportAnswer, ImportCalendar, import_workflow_id
from domain.notices import Notice
from domain.stages import Role
from store.calendar import CalendarStore
from store.cases import CaseStore
from store.engine import open_engine
from store.migrate import migrate
from store.reference import shipped_calendar, shipped_notices
from tests.documents import pseudonym
from tests.domain.notices import complete, notice_file, revision
from tests.starter.conftest import FINANCE, OPERATOR
from tests.starter.in_process import InProcess
from tests.starter.livebase import Livebase, Running
from tests.store.first_year import Enterprise, write

ANSWER = ["request_id", "accepted_at", "repeated", "year", "source", "calendar_version", "live_cases"]
IMPORT = ("calendar", "import")
NEW_YEAR = complete(working=[date(2026, 12, 26)])


class Records(InProcess):
    """A database without a server: what is on record is put there by the test."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        folder.mkdir()
        url = f"sqlite:///{folder / 'livebase.db'}"
        migrate(url, local_server=True)
        engine = open_engine(url)
        self.notices, self.cases = CalendarStore(engine), CaseStore(engine, pseudonym)

    def put(self, notice: Notice) -> None:
        with self.notices.importing() as tx:
            tx.add(notice, "operator:sun", datetime(2026, 11, 24, 2, tzinfo=UTC))


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(tmp_path / "records")


@pytest.fixture
def nothing(tmp_path: Path) -> InProcess:
    """Nothing runs, nothing is there."""
    return InProcess(tmp_path / "nothing")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path, NEW_YEAR.model_dump(mode="json"))


def written(folder: Path, data: Any, name: str = "notice.json") -> Path:
    path = folder / name
    path.write_text(data if isinstance(data, str) else json.dumps(data, ensure_ascii=False), "utf-8")
    return path


# ------------------------------------------------------------------------------------------------ what is in


def test_status_needs_the_database_and_explain_does_not(nothing: Livebase) -> None:
    assert nothing("calendar", "status").code == 6
    assert nothing("calendar", "explain", "2026-12-23", "--days", "7").err == ""


def test_status_shows_what_is_shipped_and_what_was_imported(records: Records) -> None:
    before = records.ok("calendar", "status")
    assert [notice["year"] for notice in before["notices"]] == [notice.year for notice in shipped_notices()]
    assert {notice["imported_by"] for notice in before["notices"]} == {None}
    assert (before["calendar_version"], before["provisional_from"]) == (shipped_calendar().version, "2026-12-01")

    records.put(NEW_YEAR)
    after = records.ok("calendar", "status")
    assert after["calendar_version"] == shipped_calendar().with_notice(NEW_YEAR).version
    assert after["provisional_from"] == "2027-12-01"
    assert after["notices"][-1] == {
        "year": 2027,
        "source": NEW_YEAR.source,
        "published_on": "2026-11-20",
        "holidays": len(NEW_YEAR.holidays),
        "working_days": 1,
        "sha256": NEW_YEAR.sha256,
        "imported_by": "operator:sun",
        "imported_at": "2026-11-24T10:00:00+08:00",
        "cases_moved": 0,
    }
    assert "operator:sun" in records("calendar", "status").out


def test_status_is_every_staff_roles_and_no_applicants(records: Records) -> None:
    assert records("calendar", "status", "--as", "auditor:hu").code == 0
    assert records("calendar", "status", "--as", "applicant:wang").code == 4


def test_the_table_lines_up_in_chinese(records: Records) -> None:
    done = records("calendar", "status", "--lang", "zh")
    heading, *rows = [line for line in done.out.splitlines() if line.strip() and "─" not in line][:-1]
    column = width(heading[: heading.index("发布日期")])
    assert [row for row in rows if row_width_at(row, column)] == rows


def width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def row_width_at(row: str, column: int) -> bool:
    """Whether a cell begins at the column, counted as a terminal shows it."""
    seen = 0
    for char in row:
        if seen == column:
            return char.isdigit()
        seen += width(char)
    return False


def test_explain_counts_with_imported_notices_where_there_is_a_database(records: Records) -> None:
    """Edge case A4 from the command line."""
    words = ("calendar", "explain", "2026-12-23", "--days", "7")
    before = records.ok(*words)
    assert (before["deadline"], before["provisional"]) == ("2026-12-30", True)
    records.put(NEW_YEAR)
    after = records.ok(*words)
    assert (after["deadline"], after["provisional"]) == ("2026-12-31", False)
    assert {"date": "2026-12-26", "number": 3, "kind": "make_up"} in after["counted"]
    records.put(revision(2027, working=[date(2026, 12, 27)], published_on="2026-11-22"))
    assert records.ok(*words)["deadline"] == "2026-12-30", "a revision"


def test_a_database_that_does_not_answer_is_told_of(records: Records) -> None:
    (records.folder / "livebase.db").write_text("no database")
    done = records("calendar", "explain", "2026-12-23", "--days", "7")
    assert done.code == 0
    assert "imported notices are left out" in done.err


def test_why_and_doctor_know_the_calendar_in_force(records: Records) -> None:
    records.put(NEW_YEAR)
    version = shipped_calendar().with_notice(NEW_YEAR).version
    enterprise = Enterprise()
    write(records.cases, enterprise.opened())
    assert records.ok("why", enterprise.number)["calendar"]["calendar_version"] == version
    doctor = json.loads(records("doctor", "-o", "json").out)
    (found,) = [check["what"] for check in doctor if check["check"] == "calendar"]
    assert version in found


# ------------------------------------------------------------------------------------------- a dry run and refusals


def test_a_dry_run_tells_which_deadlines_of_which_cases_would_move(records: Records, file: Path) -> None:
    late = datetime.now(UTC)
    cases = [Enterprise(number=f"LB-2026-{number:06}", opened=opened) for number, opened in ((1, late), (2, OLD))]
    for enterprise in cases:
        write(records.cases, enterprise.opened())
    week = [late.date() + timedelta(days=days) for days in range(1, 30)]
    notice = complete(late.year, off=week, published_on=late.date().isoformat())
    told = records.ok(
        *IMPORT, written(file.parent, notice.model_dump(mode="json"), "week.json"), "--dry-run", *OPERATOR
    )
    assert list(told) == ["dry_run", *ANSWER, "moves"]
    assert (told["accepted_at"], told["repeated"], told["live_cases"]) == (None, False, 2)
    assert told["calendar_version"] == shipped_calendar().with_notice(notice).version
    (move,) = told["moves"]
    assert move["case_number"] == "LB-2026-000001"
    assert {one["deadline"] for one in move["deadlines"]} == {"review", "remind_reviewer", "escalate_review"}
    assert all(one["before"] < one["after"] for one in move["deadlines"])
    assert records.notices.imported() == []
    done = records(*IMPORT, file.parent / "week.json", "--dry-run", *OPERATOR, "--lang", "zh")
    assert "审核申请" in done.out and "LB-2026-000001" in done.out


OLD = datetime(2026, 3, 2, 2, tzinfo=UTC)
"""Its deadlines are over long ago."""


def test_a_dry_run_says_when_the_content_is_in_already(records: Records, file: Path) -> None:
    records.put(NEW_YEAR)
    assert records.ok(*IMPORT, file, "--dry-run", *OPERATOR)["repeated"] is True


def test_every_problem_of_the_file_is_told_before_the_database_is_asked(nothing: Livebase, tmp_path: Path) -> None:
    data = notice_file(extra=1)
    del data["holidays"]["2027-05-01"]
    text = json.dumps(data)[:-1] + ', "year": "2027"}'
    done = nothing(*IMPORT, written(tmp_path, text), *OPERATOR, "-o", "json")
    assert done.code == 2
    assert done.error["kind"] == "invalid_file"
    assert {problem["path"] for problem in done.error["problems"]} == {"year", "extra"}
    data["year"] = 2027
    done = nothing(*IMPORT, written(tmp_path, data), *OPERATOR, "-o", "json")
    assert {problem["path"] for problem in done.error["problems"]} == {"extra", "holidays"}
    assert nothing(*IMPORT, written(tmp_path, notice_file()), *OPERATOR).code == 6


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "a: [", "{" + " " * 1024**2 + "}"])
def test_what_is_no_notice_is_2(records: Records, tmp_path: Path, text: str) -> None:
    assert records(*IMPORT, written(tmp_path, text), *OPERATOR).code == 2


def test_a_revision_of_an_imported_year_needs_to_name_only_its_days(records: Records, tmp_path: Path) -> None:
    change = revision(2027, off=[date(2027, 1, 4)], published_on="2026-11-21").model_dump(mode="json")
    path = written(tmp_path, change)
    assert records(*IMPORT, path, "--dry-run", *OPERATOR).code == 2
    records.put(NEW_YEAR)
    assert records(*IMPORT, path, "--dry-run", *OPERATOR).code == 0


def test_nobody_named_a_wrong_role_and_no_server(records: Records, file: Path) -> None:
    assert records(*IMPORT, file).code == 2
    assert records(*IMPORT, file, "--dry-run", *FINANCE).code == 4
    assert records(*IMPORT, file, *OPERATOR).code == 6
    assert records.notices.imported() == []


def test_a_done_request_is_0_with_its_first_answer_though_no_server_is_there(records: Records, file: Path) -> None:
    command = ImportCalendar(
        request_id="R-1",
        workflow_id=import_workflow_id(NEW_YEAR.reference),
        actor=Actor(role=Role.OPERATOR, name="sun"),
        content=NEW_YEAR.canonical(),
    )
    now = datetime.now(UTC)
    answer = ImportAnswer(request_id="R-1", accepted_at=now, year=2027, source="s", calendar_version="v", live_cases=7)
    with records.notices.importing() as tx:
        tx.remember(command, answer, now)
    again = records.ok(*IMPORT, file, "--request-id", "R-1", *OPERATOR)
    assert (again["repeated"], again["live_cases"], again["request_id"]) == (True, 7, "R-1")
    assert records(*IMPORT, file, "--request-id", "R-1", "--dry-run", "--as", "operator:hu").code == 8


# ------------------------------------------------------------------------------------------------ on a server


def test_a_notice_is_imported_once(dev: Running, applied: str, tmp_path: Path) -> None:
    """One of a far year: it reaches every live case of this server, and moves nothing."""
    office = InProcess.of(dev)
    notice = complete(2040, published_on="2026-11-20")
    path = written(tmp_path, notice.model_dump(mode="json"))
    before = office.ok("show", applied)
    first = office.ok(*IMPORT, path, "--request-id", "far-1", *OPERATOR)
    assert list(first) == ANSWER
    assert (first["request_id"], first["repeated"]) == ("far-1", False)
    assert (first["year"], first["source"]) == (2040, notice.source)
    assert first["live_cases"] >= 1
    assert datetime.fromisoformat(first["accepted_at"]).utcoffset() == timedelta(hours=8)

    assert office.ok(*IMPORT, path, "--request-id", "far-1", *OPERATOR) == {**first, "repeated": True}
    other = office(*IMPORT, path, *OPERATOR)
    assert other.code == 0
    assert other.err.startswith("request id: cli-")
    assert "livebase calendar status" in other.err
    assert "2040" in other.out and "(done before)" in other.out
    assert office(*IMPORT, path, "--request-id", "far-1", "--as", "operator:hu").code == 8
    assert office(*IMPORT, path, *FINANCE).code == 4
    status = office.ok("calendar", "status")
    (imported,) = [one for one in status["notices"] if one["imported_by"]]
    assert (imported["year"], imported["imported_by"], imported["cases_moved"]) == (2040, "operator:sun", 0)
    assert status["calendar_version"] == first["calendar_version"]
    assert office.ok("show", applied) == before
    until = time.monotonic() + 20
    while import_workflow_id(notice.reference) not in dev.workflows():
        assert time.monotonic() < until, "the list of workflows comes a little later"
