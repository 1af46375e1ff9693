"""inbox, find and why with no Temporal server anywhere: what waits, what is known, and why it stands as it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from sqlalchemy import Executable, update

from domain.stages import Role
from store.tables import CaseRow
from tests.starter.conftest import (
    APPLICANT,
    FINANCE,
    OPERATOR,
    REVIEWER,
    Cases,
    FirstYear,
    enterprise_in,
    only_on_sqlite,
)
from tests.starter.in_process import InProcess
from tests.starter.livebase import Livebase, Running

ONLY_ON = "sqlite"
"""What differs between the databases is tested in tests/store, and by requests and payments at once on both."""

# By hand from design/cli.md.
LINE = {"case_number", "credit_code", "name", "stage", "standing", "awaiting", "due_at", "valid_until"}
TASK = {"kind", "role", "assignee", "subject", "provisional", "overdue"}
COLLEAGUE, STRANGER = ("--as", "reviewer:chen"), ("--as", "applicant:zhou")


@pytest.fixture(scope="module")
def weighed(dev: Running, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A case whose approval accepted a finding by name, with money of another payer on it."""
    enterprise = enterprise_in(tmp_path_factory.mktemp("weighed"), "seven-months")
    number: str = dev.ok("apply", enterprise.file, *APPLICANT)["case_number"]
    accept = ("--accept", "A2.age", "--reason", "the team has run another base for years")
    dev.ok("review", "approve", number, "--revision", "1", *accept, *REVIEWER)
    dev.ok(
        "deposit", "receive", number, "--amount", "500", "--reference", "ＳＴＲＡＹ-1", "--payer", "某某公司", *FINANCE
    )
    return number


@pytest.fixture(scope="module")
def records(
    dev: Running, cases: Cases, first_year: FirstYear, weighed: str, tmp_path_factory: pytest.TempPathFactory
) -> Livebase:
    """The records of those cases alone, and no server."""
    return dev.copy_of_the_records(tmp_path_factory.mktemp("alone"))


@pytest.fixture(scope="module")
def alone(records: Livebase) -> InProcess:
    """The same, read without a process for every look."""
    return InProcess.of(records)


def changed(records: Livebase, folder: Path, statement: Executable) -> InProcess:
    """A copy of the records with something put otherwise."""
    copy = InProcess.of(records.copy_of_the_records(folder))
    copy.change(statement)
    return copy


def waiting(alone: InProcess, *who: str) -> dict[tuple[str, str], dict[str, Any]]:
    rows = alone.ok("inbox", *who)
    assert all(set(row) == LINE | TASK for row in rows)
    assert len({(row["case_number"], row["kind"]) for row in rows}) == len(rows)
    due = [row["due_at"] or "9999" for row in rows]
    assert due == sorted(due), "soonest deadline first"
    return {(row["case_number"], row["kind"]): row for row in rows}


class TestInbox:
    def test_without_a_name_it_is_what_waits_for_whom(
        self, alone: InProcess, cases: Cases, first_year: FirstYear
    ) -> None:
        everything = waiting(alone)
        assert everything[cases.review, "review"]["assignee"] == "li"
        assert everything[cases.deposit, "deposit"]["role"] == "applicant"
        assert everything[first_year.number, "settle_deposit"]["overdue"] is False
        table = alone("inbox").out
        roles = [line for line in table.splitlines() if re.fullmatch("[a-z]+", line)]
        assert roles == [role.value for role in Role if role.value in roles] and "reviewer" in roles
        assert cases.review in table.split("\nreviewer\n")[1].split("\nfinance\n")[0]

    def test_staff_have_what_waits_for_their_role_and_for_nobody_else(
        self, alone: InProcess, cases: Cases, weighed: str
    ) -> None:
        mine, colleagues = waiting(alone, *REVIEWER), waiting(alone, *COLLEAGUE)
        assert (cases.review, "review") in mine
        assert (cases.review, "review") not in colleagues, "li has taken it"
        assert {row["role"] for row in (*mine.values(), *colleagues.values())} <= {"reviewer"}
        assert (weighed, "unmatched_money") in waiting(alone, *FINANCE)
        done = alone("inbox", "--as", "auditor:wu")
        assert (done.code, done.out, done.err) == (0, "", "Nothing waits for you.\n")

    def test_an_applicant_has_their_own_and_an_operator_what_they_act_for(self, alone: InProcess, cases: Cases) -> None:
        own = waiting(alone, *APPLICANT)
        assert (cases.deposit, "deposit") in own
        assert {row["role"] for row in own.values()} == {"applicant"}
        assert waiting(alone, *STRANGER) == {}
        assert waiting(alone, *OPERATOR, "--on-behalf", "wang") == own
        assert waiting(alone, *OPERATOR) == {}

    def test_what_is_past_its_deadline_is_told(self, alone: InProcess, cases: Cases, tmp_path: Path) -> None:
        later = changed(alone, tmp_path, update(CaseRow).values(clock_offset_ms=60 * 86_400_000))
        assert waiting(later)[cases.deposit, "deposit"]["overdue"]
        assert "overdue" in later("inbox", *APPLICANT).out

    def test_a_name_that_is_none(self, alone: InProcess) -> None:
        assert alone("inbox", "--as", "boss:li").code == 2


class TestFind:
    def test_by_name_code_number_and_reference(self, alone: InProcess, first_year: FirstYear, weighed: str) -> None:
        certificate = first_year.views["published"]["term"]["certificate_number"]
        code = first_year.enterprise.code
        for text in (code, code.lower(), code[:-2], certificate, certificate.lower(), first_year.number, f"{code}-1"):
            rows = alone.ok("find", text)
            assert first_year.number in [row["case_number"] for row in rows], text
            assert all(set(row) == LINE | {"matched"} for row in rows)
        for text in ("stray", "STRAY-1", "某某"):
            (row,) = alone.ok("find", text)
            assert row["case_number"] == weighed
        assert row["matched"] == [{"kind": "payer", "name": "某某公司"}]
        assert "payer 某某公司" in alone("find", "某某").out

    def test_by_part_of_a_name(self, alone: InProcess, first_year: FirstYear, cases: Cases, weighed: str) -> None:
        found = {row["case_number"] for row in alone.ok("find", "北苑")}
        assert {first_year.number, cases.review} <= found
        assert weighed not in found
        assert {row["case_number"] for row in alone.ok("find", "云集基地运营")} >= {cases.review}

    def test_an_applicant_finds_only_their_own(self, alone: InProcess, cases: Cases) -> None:
        assert cases.review in {row["case_number"] for row in alone.ok("find", "北苑", *APPLICANT)}
        assert alone.ok("find", "北苑", *STRANGER) == []

    def test_nothing_is_no_error_and_no_text_is(self, alone: InProcess) -> None:
        done = alone("find", "%")
        assert (done.code, done.out, done.err) == (0, "", "Nothing is known by that.\n")
        for text in ("", "　", "x" * 201):
            assert alone("find", text).code == 2


class TestWhy:
    def test_a_finding_accepted_by_name(self, alone: InProcess, weighed: str) -> None:
        view = alone.ok("why", weighed)
        accepted = {one["condition"]: one["accepted"] for one in view["findings"] if one["accepted"]}
        assert list(accepted) == ["A2.age"]
        assert accepted["A2.age"]["by"] == "li"
        assert accepted["A2.age"]["reason"] == "the team has run another base for years"
        (payment,) = view["unmatched"]
        assert (payment["amount"], payment["payer"], payment["why"]) == (
            {"fen": 50000},
            "某某公司",
            "from another payer",
        )
        table = alone("why", weighed).out
        assert "li: the team has run another base for years" in table
        assert "from another payer" in table

    def test_an_expired_base(self, alone: InProcess, first_year: FirstYear) -> None:
        view = alone.ok("why", first_year.enterprise.code)
        shown = alone.ok("show", first_year.number)
        for key in ("standing", "stage", "term", "ending", "publication", "deposit", "holds", "revision", *LINE):
            assert view[key] == shown[key], key
        assert [(one["kind"], one["by"], one["revision"]) for one in view["decisions"]] == [
            ("supplement_requested", "li", 1), ("approved", "li", 2), ("certified", "zhao", 2),
        ]  # fmt: skip
        assert view["screening"]["revision"] == 2
        assert view["policy"] == {"version": "2026.1", "effective_from": "2026-01-01", "in_force": "2026.1"}
        assert view["ending"]["cause"] == "term_ended"
        assert set(view["calendar"]) == {"calendar_version", "provisional", "provisional_tasks"}
        table = alone("why", first_year.number).out
        assert "A4.area: a newer floor plan" in table, "what the supplement was asked for"
        assert "the term ended without a renewal" in table

    def test_a_term_that_is_over_though_no_worker_has_been_at_it(
        self, alone: InProcess, first_year: FirstYear, tmp_path: Path
    ) -> None:
        """The row of a published base on a clock past its term: expired, and it says why nothing shows it yet."""
        published = first_year.views["published"]
        case = alone.found(first_year.number).model_copy(update={"ending": None})
        forget = update(CaseRow).filter_by(case_number=case.case_number).values(facts=case.model_dump(mode="json"))
        later = changed(alone, tmp_path, forget)
        view = later.ok("why", first_year.number)
        assert (view["standing"], view["ending"]) == ("expired", None)
        assert view["unobserved_ending"] == published["term"]["until"]
        assert "no worker has carried it out yet" in later("why", first_year.number).out

    def test_a_rejected_application(self, alone: InProcess, cases: Cases) -> None:
        view = alone.ok("why", cases.rejected, *APPLICANT)
        (decision,) = view["decisions"]
        assert (decision["kind"], decision["by"], decision["reason"]) == ("rejected", "li", "the rooms are a warehouse")
        assert view["ending"]["reason"] == "the rooms are a warehouse"
        assert view["calendar"]["provisional"] is False

    def test_whom_it_tells(self, alone: InProcess, cases: Cases) -> None:
        assert alone("why", cases.review, *STRANGER).code == 4
        assert alone("why", "LB-2026-999999").code == 3


def test_the_same_from_a_process_of_its_own(records: Livebase, alone: InProcess, weighed: str) -> None:
    for words in (("inbox", *FINANCE), ("find", "某某"), ("why", weighed)):
        done = records(*words, "-o", "json")
        assert (done.code, done.err) == (0, "")
        assert done.json == alone.ok(*words)


@pytest.mark.parametrize("words", [("inbox",), ("find", "x"), ("why", "LB-2026-000001")])
def test_without_a_database_it_is_6(livebase: Livebase, words: tuple[str, ...]) -> None:
    done = livebase(*words, "-o", "json")
    assert done.code == 6
    assert done.error["kind"] == "unreachable"


def whole(text: str) -> Iterator[str]:
    """What is never cut: numbers, codes, instants, sums of money, names."""
    yield from re.findall(r"LBC?-\d{4}-\d{6}|91\w{16}|\d{4}-\d\d-\d\d \d\d:\d\d|[\d,]+\.\d\d|[0-9a-f]{64}", text)
    yield from re.findall(r"义乌北苑直播基地|滨江潮品直播基地|application_received|supplement_requested", text)


@only_on_sqlite
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_narrow_terminal_shows_all_that_a_wide_one_does(
    alone: InProcess, first_year: FirstYear, weighed: str, language: str
) -> None:
    """At 80, 100 and 160 columns no number, name or date is cut, and no line is wider but for a link."""
    of_the_year = (("show",), ("timeline",), ("why",), ("documents", "list"), ("application", "show"), ("next",))
    commands = [("list",), ("inbox",), ("find", "基地"), ("deposit", "show", weighed)]
    commands += [(*words, first_year.number) for words in of_the_year]

    def shown(words: tuple[str, ...], columns: int) -> str:
        done = alone(*words, "--lang", language, env={"COLUMNS": str(columns)})
        assert done.code == 0, done.err
        return done.out

    for words in commands:
        wide = sorted(whole(shown(words, 1000)))
        assert wide, words
        for columns in (80, 100, 160):
            table = shown(words, columns)
            assert sorted(whole(table)) == wide, (words, columns)
            assert [line for line in table.splitlines() if cell_len(line) > columns] == [], (words, columns)
