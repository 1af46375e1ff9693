"""report, as it is typed, on the records alone: no Temporal server anywhere."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from domain.shanghai import SHANGHAI
from store.cases import CaseStore
from store.engine import open_engine
from tests.databases import migrated_sqlite
from tests.documents import pseudonym
from tests.domain import cases
from tests.starter.in_process import InProcess
from tests.store.first_year import OPENED, Enterprise, write

YEAR = ("--from", "2027-01-01", "--to", "2027-12-31")
LONG = "义乌北苑" * 24 + "直播基地"


@pytest.fixture
def office(tmp_path: Path) -> InProcess:
    """Three cases: a base with a very long name, one whose renewal is under way, an application in review."""
    (tmp_path / "livebase.db").write_bytes(migrated_sqlite())
    engine = open_engine(f"sqlite:///{tmp_path / 'livebase.db'}")
    store = CaseStore(engine, pseudonym)
    first = Enterprise()
    for transition in first.until("base_certified"):
        write(store, transition)
    write(store, first.published(transition.case.model_copy(update={"name": LONG})))
    second = Enterprise(number="LB-2026-000002", opened=OPENED - timedelta(days=1)).stored(store, "base_published")
    write(store, cases.renewal_filed(second))
    Enterprise(number="LB-2026-000003").stored(store, "review_taken")
    engine.dispose()
    return InProcess(tmp_path)


def test_reports_of_real_cases(office: InProcess) -> None:
    today = datetime.now(SHANGHAI).date()
    rows = office.ok("report", "expiring", *YEAR)
    assert [(row["case_number"], row["last_day"], row["renewal"]["state"]) for row in rows] == [
        ("LB-2026-000002", "2027-03-01", "under_way"),
        ("LB-2026-000001", "2027-03-02", "not_filed"),
    ]
    assert [row["days_left"] for row in rows] == [(date.fromisoformat(row["last_day"]) - today).days for row in rows]
    opened = OPENED.date().isoformat()
    work = office.ok("report", "workload", "--from", opened, "--to", opened)
    assert {"role": "reviewer", "name": "li", "done": 3}.items() <= work[1].items(), work
    due = ("--from", "2026-03-11", "--to", "2026-03-11")
    (published,) = office.ok("report", "publication", *due)
    assert (published["outcome"], published["publication"]["due_date"]) == ("in_time", "2026-03-11")

    narrow = {"COLUMNS": "80"}
    printed = office("report", "expiring", *YEAR, "--lang", "zh", env=narrow)
    assert printed.code == 0 and LONG in re.sub(r"\s", "", printed.out), "a long name is told whole"
    assert "续签办理中, 待审核" in printed.out and "未提交续签" in printed.out
    assert "按期公示" in office("report", "publication", *due, "--lang", "zh").out
    assert "未分派" in office("report", "workload", *due, "--lang", "zh").out
    assert "nobody yet" in office("report", "workload", *due).out

    for kind in ("expiring", "workload", "publication", "deposits"):
        nothing = office("report", kind, "--from", "2001-01-01", "--to", "2001-01-01", "--as", "applicant:zhou")
        assert (nothing.code, nothing.out) == (0, "") and nothing.err, "said on stderr"
        stranger = office.ok("report", kind, "--from", "2020-01-01", "--to", "2099-12-31", "--as", "applicant:zhou")
        assert stranger == []
    own = office.ok("report", "expiring", *YEAR, "--as", "applicant:wang")
    assert len(own) == 2

    deposits = office.ok("report", "deposits", *YEAR)
    assert [row["kind"] for row in deposits] == ["base", "base", "total"]
    assert {row["held"]["fen"] for row in deposits[:2]} == {10_000_000} and deposits[-1]["held"]["fen"] == 20_000_000
    assert deposits[0]["received"]["fen"] == 0, "the money came the year before"
    assert "合计" in office("report", "deposits", *YEAR, "--lang", "zh").out


@pytest.mark.parametrize(
    ("words", "paths"),
    [
        ((), ["--from", "--to"]),
        (("--to", "2026-03-01"), ["--from"]),
        (("--from", "2026-02-30", "--to", "tomorrow"), ["--from", "--to"]),
        (("--from", "0001-01-01", "--to", "9999-12-31"), ["--from", "--to"]),
        (("--from", "2026-03-02", "--to", "2026-03-01"), ["--from"]),
    ],
)
def test_a_wrong_range_hears_all_of_it_before_anything_is_reached(
    tmp_path: Path, words: tuple[str, ...], paths: list[str]
) -> None:
    nothing = InProcess(tmp_path)
    for kind in ("expiring", "workload", "publication", "deposits"):
        done = nothing("report", kind, *words, "-o", "json")
        assert (done.code, done.error["kind"]) == (2, "usage")
        assert [problem["path"] for problem in done.error["problems"]] == paths
    assert nothing("report", "expiring", *YEAR, "--as", "nobody:x").code == 2
    assert nothing("report", "expiring", *YEAR).code == 6, "without a database"
