"""What runs on shipped data with nothing started: check, calendar, policy."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain.shanghai import shanghai_date
from examples.redate import redated
from tests.starter.conftest import EXAMPLES
from tests.starter.livebase import Livebase

ORDER = ["A1", "A2.taxpayer", "A2.capital", "A2.age", "A3", "A4.live_rooms", "A4.area", "A4.cases", "A4.experience",
         "A5", "B1", "B2", "R8"]  # fmt: skip


@pytest.mark.parametrize(
    ("example", "code", "passed", "needs_person"),
    [("passes", 0, True, False), ("seven-months", 0, False, True), ("deficient", 5, False, True)],
)
def test_check(livebase: Livebase, tmp_path: Path, example: str, code: int, passed: bool, needs_person: bool) -> None:
    done = livebase("check", as_of_today(example, tmp_path), "-o", "json")
    assert done.code == code
    result = done.json
    assert set(result) == {"passed", "needs_person", "findings"}
    assert (result["passed"], result["needs_person"]) == (passed, needs_person)
    assert [finding["condition"] for finding in result["findings"]] == ORDER
    today = (datetime.now(UTC) + timedelta(hours=8)).date()
    for finding in result["findings"]:
        assert set(finding) == {"condition", "outcome", "value", "threshold", "as_of", "document", "message"}
        assert abs((datetime.fromisoformat(finding["as_of"]).date() - today).days) <= 1
    assert not livebase.folder.exists(), "a check leaves nothing"


def as_of_today(example: str, folder: Path) -> Path:
    """A copy of the example's file that is what its name says today."""
    shutil.copytree(EXAMPLES / example, folder / example)
    file = folder / example / "application.yaml"
    file.write_text(redated(example, shanghai_date(datetime.now(UTC))), "utf-8")
    return file


def test_check_says_in_one_line_what_fails(livebase: Livebase, tmp_path: Path) -> None:
    done = livebase("check", as_of_today("deficient", tmp_path))
    assert done.code == 5
    assert done.err.splitlines()[0].startswith("condition_failed: Conditions not met: A1, A2.taxpayer")
    assert done.err.splitlines()[1].startswith("→ ")
    assert done.out.count("fail") == 10


def test_check_of_a_file_that_is_none_lists_every_problem_with_its_path(livebase: Livebase, tmp_path: Path) -> None:
    file = tmp_path / "application.yaml"
    text = (EXAMPLES / "passes" / "application.yaml").read_text("utf-8")
    text = text.replace("91330782MA2K7P3R1U", "91330782MA2K7P3R1V").replace("live_rooms: 12", "live_rooms: 10.5")
    file.write_text(text + "is_admin: true\n", "utf-8")
    done = livebase("check", file, "-o", "json")
    assert done.code == 2
    assert done.error["kind"] == "invalid_file"
    paths = {problem["path"] for problem in done.error["problems"]}
    assert {"entity.credit_code", "facilities.live_rooms", "is_admin", "entity.taxpayer_evidence"} <= paths
    for path in paths:
        assert f"  {path}: " in done.err
    assert "91330782MA2K7P3R1V" not in done.out + done.err, "no values are echoed"


@pytest.mark.parametrize("path", ["nothing.yaml", ".", "/dev/zero", "/etc/shadow"])
def test_check_of_what_is_no_file(livebase: Livebase, path: str) -> None:
    assert livebase("check", path, timeout=5).code == 2


def test_calendar_explain(livebase: Livebase) -> None:
    """A make-up Saturday counts, the Spring Festival does not: the 7th working day after 2026-02-13."""
    result = livebase("calendar", "explain", "2026-02-13", "--days", "7", "-o", "json").json
    assert list(result) == ["start", "days", "deadline", "provisional", "calendar_version", "counted", "skipped"]
    assert (result["start"], result["days"], result["provisional"]) == ("2026-02-13", 7, False)
    assert result["counted"][0] == {"date": "2026-02-14", "number": 1, "kind": "make_up"}
    assert result["counted"][-1] == {"date": result["deadline"], "number": 7, "kind": "working"}
    assert result["deadline"] == "2026-03-02"
    *holidays, sunday = result["skipped"]
    assert (len(holidays), sunday["date"], sunday["kind"]) == (9, "2026-03-01", "weekend")
    assert {skipped["kind"] for skipped in holidays} == {"holiday"}
    assert {skipped["source"] for skipped in holidays} == {"国务院办公厅关于2026年部分节假日安排的通知"}


def test_calendar_explain_says_when_a_deadline_can_still_move(livebase: Livebase) -> None:
    assert livebase("calendar", "explain", "2026-12-23", "--days", "7", "-o", "json").json["deadline"] == "2026-12-30"
    done = livebase("calendar", "explain", "2026-12-28", "--days", "7")
    assert "2027-01-05 24:00 — provisional" in done.out


@pytest.mark.parametrize(
    "words",
    [
        ("2026-02-30", "--days", "7"),
        ("2026-02-13", "--days", "0"),
        ("2026-02-13",),
        ("9999-12-31", "--days", "3"),
        ("0001-01-01T00:00:00+08:00", "--days", "3"),
    ],
)
def test_calendar_explain_wrongly_asked(livebase: Livebase, words: tuple[str, ...]) -> None:
    assert livebase("calendar", "explain", *words).code == 2


def test_policy_show_gives_every_figure_its_source(livebase: Livebase) -> None:
    result = livebase("policy", "show", "-o", "json").json
    assert result["figures"]["deposit_fen"]["value"] == 10_000_000
    for name, figure in result["figures"].items():
        assert figure["source"], name
        assert figure["assumption"] in (True, False)
        assert figure["assumption"] or figure["source"].startswith("requirement"), name


@pytest.mark.parametrize("output", ["table", "json"])
def test_a_reader_that_goes_away_is_no_error(livebase: Livebase, output: str) -> None:
    process = livebase.start("policy", "show", "-o", output)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()  # as `head` does; what is printed then meets nobody
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(90) == 0


def test_json_lines(livebase: Livebase) -> None:
    lines = livebase("policy", "show", "-o", "jsonl").out.splitlines()
    assert len(lines) == 1
    assert json.loads(lines[0])["figures"]
