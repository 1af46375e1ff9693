"""`livebase assess`: figures imported for all bases at once, objected to, decided, confirmed (decision 22)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.periods import Period
from domain.shanghai import shanghai_date
from tests.office import new_credit_code
from tests.starter.conftest import APPLICANT, OPERATOR, certify, enterprise_in
from tests.starter.livebase import Livebase, Running

ONLY_ON = "postgresql"
"""With a worker's and a reader's rights; the demo goes the same way on SQLite."""

COMPLIANCE, SECOND = ("--as", "compliance:zhou"), ("--as", "compliance:wu")
HEADER = "credit_code,period,live_merchants,active_merchants,gmv"
REPORT = {"request_id", "accepted_at", "repeated", "periods", "totals", "failing", "rows"}


def figures(folder: Path, *lines: str, name: str = "metrics.csv", header: str = HEADER) -> Path:
    file = folder / name
    file.write_text("\n".join([header, *lines]) + "\n", "utf-8-sig")
    return file


def line(code: str, period: Period | str, gmv: str = "1000000.00") -> str:
    return f"{code},{period},20,10,{gmv}"


def first_quarter() -> Period:
    """The first whole quarter of a base certified today."""
    return Period.of(shanghai_date(datetime.now(UTC))).next


BAD: dict[str, tuple[str, set[str]]] = {
    "each cell": (f"{HEADER}\n91330782MA2K7P3R1V,2027Q9,x,-1,1.234\n", {
        "line 2.credit_code", "line 2.period", "line 2.live_merchants", "line 2.active_merchants", "line 2.gmv",
    }),
    "two lines": (f"{HEADER}\n91330782MA2K7P3R1U,2027Q1,1,2,3\n91330782MA2K7P3R1U,2027Q1,1\n", {
        "line 2.active_merchants", "line 3",
    }),
    "another header": ("credit_code;period;live_merchants;active_merchants;gmv\n", {
        f"header.{name}" for name in HEADER.split(",")
    } | {"header[0]"}),
    "no line": (f"{HEADER}\n", {""}),
    "nothing": ("", {""}),
    "a quote left open": (f'{HEADER}\n"91330782MA2K7P3R1U,2027Q1,1,1,1\n', {"line 2"}),
}  # fmt: skip


def test_a_bad_file_tells_all_its_problems_and_needs_no_server(livebase: Livebase, tmp_path: Path) -> None:
    commands = []
    for name, (text, _) in BAD.items():
        (tmp_path / f"{name}.csv").write_text(text, "utf-8")
        commands.append(("assess", "import", tmp_path / f"{name}.csv", *OPERATOR, "-o", "json"))
    (tmp_path / "latin.csv").write_bytes(HEADER.encode() + b"\n\xe9")
    commands += [
        ("assess", "import", tmp_path / "latin.csv", *OPERATOR, "-o", "json"),
        ("assess", "import", tmp_path / "missing.csv", *OPERATOR, "-o", "json"),
        ("assess", "import", tmp_path, *OPERATOR, "-o", "json"),
    ]
    done = livebase.each(*commands)
    assert [(one.code, one.error["kind"]) for one in done] == [(2, "invalid_file")] * len(commands)
    for one, (_, paths) in zip(done, BAD.values(), strict=False):
        assert {problem["path"] for problem in one.error["problems"]} == paths


def test_wrong_words_are_wrong_usage(livebase: Livebase, tmp_path: Path) -> None:
    file = figures(tmp_path, line(new_credit_code(), "2027Q1"))
    wrong: list[tuple[str | Path, ...]] = [
        ("assess", "confirm", "2027", *COMPLIANCE),
        ("assess", "decide", "LB-2026-000001", "--period", "Q1", "--outcome", "pass", "--reason", "r", *COMPLIANCE),
        ("assess", "decide", "LB-2026-000001", "--period", "2027Q1", "--outcome", "no", "--reason", "r", *COMPLIANCE),
        ("assess", "import", file),
    ]
    assert [one.code for one in livebase.each(*wrong)] == [2] * len(wrong)


@pytest.fixture
def year(dev: Running, tmp_path: Path) -> tuple[str, str]:
    """Two bases whose first whole quarter is over by their own clocks."""
    numbers = []
    for name in ("one", "other"):
        number: str = dev.ok("apply", enterprise_in(tmp_path / name).file, *APPLICANT)["case_number"]
        certify(dev, number)
        days = (first_quarter().last_day - shanghai_date(datetime.now(UTC))).days + 2
        dev.ok("fast-forward", number, f"{days}d")
        numbers.append(number)
    return numbers[0], numbers[1]


def quarter(dev: Running, number: str) -> dict[str, Any]:
    (found,) = dev.ok("assess", "show", number)["assessments"]
    return dict(found)


def until_heard(dev: Running, number: str, state: str) -> dict[str, Any]:
    for _ in range(100):
        assessments = dev.ok("assess", "show", number)["assessments"]
        if assessments and assessments[-1]["state"] == state:
            return dict(assessments[-1])
    raise AssertionError(assessments)


def test_from_the_import_to_the_end(dev: Running, year: tuple[str, str], tmp_path: Path) -> None:
    one, other = year
    code, other_code, period = dev.ok("show", one)["credit_code"], dev.ok("show", other)["credit_code"], first_quarter()
    passing = figures(tmp_path, line(other_code, period), name="passing.csv")
    dev.ok("assess", "import", passing, *OPERATOR)
    until_heard(dev, other, "provisional")
    waits = f"{period} (1 passed): livebase assess confirm {period}"
    inboxes = [dev("inbox", *who).err for who in (COMPLIANCE, ("--as", "compliance:SUN"), OPERATOR, ())]
    assert [waits in shown for shown in inboxes] == [True, False, False, True], "not to who imported them"

    file = figures(
        tmp_path,
        line(code, period, "1.00"),
        line(other_code, period, "7"),
        line(other_code, period, "0.05"),
        line(new_credit_code(), period),
        line(code, period.next),
    )
    words = ("assess", "import", file, *OPERATOR)
    stopped = dev(*words, "-o", "json")
    assert (stopped.code, stopped.error["kind"]) == (5, "many_fails")
    assert {problem["path"] for problem in stopped.error["problems"]} == {"line 2", "line 4"}
    foretold = dev.ok(*words, "--looked-at", "--dry-run")
    assert dev.ok("assess", "show", one)["assessments"] == []
    answer = dev.ok(*words, "--looked-at", "--request-id", f"figures-{one}")
    assert set(answer) == REPORT and foretold["rows"] == answer["rows"]
    assert [(row["line"], row["outcome"], row["result"]) for row in answer["rows"]] == [
        (2, "recorded", "fail"),
        (3, "not_assessed", None),
        (4, "corrected", "fail"),
        (5, "unknown_base", None),
        (6, "not_assessed", None),
    ]
    assert answer["totals"] == {
        "recorded": 1, "corrected": 1, "unchanged": 0, "not_assessed": 2, "unknown_base": 1,
    }  # fmt: skip
    again = dev.ok(*words, "--looked-at", "--request-id", f"figures-{one}")
    assert again == {**answer, "repeated": True}
    told = until_heard(dev, one, "provisional")
    assert told["figures"][0]["gmv"] == {"fen": 100}

    for _ in range(100):
        if quarter(dev, other)["result"] == "fail":
            break
    assert waits not in dev("inbox", *COMPLIANCE).err

    statement = tmp_path / "objection.yaml"
    (tmp_path / "ledger.pdf").write_bytes(enterprise_document(tmp_path))
    statement.write_text("statement: 两家商户未计入\nevidence: [ledger.pdf]\n", "utf-8")
    assert dev.ok("assess", "object", one, statement, *APPLICANT)["awaiting"] == "compliance"
    inbox = dev.ok("inbox", *COMPLIANCE)
    assert one in {row["case_number"] for row in inbox}
    decision = ("assess", "decide", one, "--period", str(period), "--outcome", "pass", "--reason", "the ledger")
    done = dev(*decision, "--as", "compliance:sun", "-o", "json")
    assert (done.code, done.error["kind"]) == (4, "second_person_required")
    dev.ok(*decision, *COMPLIANCE)
    assert (quarter(dev, one)["state"], quarter(dev, one)["result"]) == ("confirmed", "pass")

    until_heard(dev, other, "provisional")
    confirm = ("assess", "confirm", str(period))
    early = dev(*confirm, *COMPLIANCE, "-o", "json")
    assert (early.code, early.error["kind"]) == (5, "nothing_to_confirm")
    dev.ok("fast-forward", other, "20d")
    assert dev.ok("show", other)["awaiting"] == "compliance"
    mine = dev(*confirm, "--as", "compliance:Sun", "-o", "json")
    assert (mine.code, mine.error["kind"]) == (4, "second_person_required")
    assert dev(*confirm, *OPERATOR).code == 4
    foretold = dev.ok(*confirm, *SECOND, "--dry-run")
    confirmed = dev.ok(*confirm, *SECOND)
    assert foretold["rows"] == confirmed["rows"]
    assert {row["case_number"]: row["outcome"] for row in confirmed["rows"]} == {other: "confirmed", one: "waiting"}
    until_heard(dev, other, "confirmed")
    view = dev.ok("show", other)
    assert (view["standing"], view["stage"], view["ending"]["cause"]) == ("invalid", "settling", "assessment_failed")
    assert view["publication"]["state"] == "withdrawn"
    assert {benefit["state"] for benefit in view["benefits"]} == {"withdrawn"}
    assert date.fromisoformat(view["ending"]["legal_at"][:10]) > period.last_day + timedelta(days=19)
    events = [entry["event"] for entry in dev.ok("timeline", other)]
    assert events[-1] == "certification_invalid"
    for words_ in (("show", other), ("why", other), ("next", other), ("assess", "show", other), ("timeline", other)):
        shown = dev(*words_, "--lang", "zh")
        assert shown.code == 0 and "assessment" not in shown.out, shown.out


def enterprise_document(folder: Path) -> bytes:
    return (folder / "one" / "documents" / "policy.pdf").read_bytes()
