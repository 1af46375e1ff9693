"""A calendar notice as people hand it in: every problem at once, each with its path (`design/files.md`)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from domain.notices import InvalidNotice, Notice, read_notice
from domain.refusals import Problem
from domain.working_days import Calendar
from store.reference import shipped_notices
from tests.domain.notices import notice_file, revision

TODAY = date(2026, 11, 24)
KNOWN = Calendar(shipped_notices()).years


def problems(data: object, known: frozenset[int] = KNOWN) -> list[Problem]:
    with pytest.raises(InvalidNotice) as invalid:
        read_notice(data, today=TODAY, known_years=known)
    return list(invalid.value.problems)


def paths(data: object) -> list[str]:
    return [problem.path for problem in problems(data)]


def test_a_complete_notice_is_taken_as_it_is() -> None:
    data = notice_file(working=[date(2026, 12, 26)])
    notice = read_notice(data, today=TODAY, known_years=KNOWN)
    assert notice.model_dump(mode="json") == data
    assert notice.reference.model_dump(mode="json") == {
        "year": 2027, "source": data["source"], "published_on": "2026-11-20", "sha256": notice.sha256,
    }  # fmt: skip


@pytest.mark.parametrize("notice", shipped_notices(), ids=lambda notice: str(notice.year))
def test_the_shipped_notices_are_complete(notice: Notice) -> None:
    data = notice.model_dump(mode="json")
    assert read_notice(data, today=TODAY, known_years=()) == notice


def test_the_hash_is_that_of_the_content_however_it_was_written() -> None:
    data = notice_file()
    turned = {key: data[key] for key in reversed(data)}
    turned["holidays"] = dict(reversed(data["holidays"].items()))
    one, other = (read_notice(each, today=TODAY, known_years=KNOWN) for each in (data, turned))
    assert one.sha256 == other.sha256
    assert Notice.model_validate_json(one.canonical()) == one
    assert one.sha256 != read_notice(notice_file(source="另一份"), today=TODAY, known_years=KNOWN).sha256


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"year": "2027"}, ["year"]),
        ({"year": 2027.0}, ["year"]),
        ({"year": True}, ["year"]),
        ({"year": 1999}, ["year"]),
        ({"year": None}, ["year"]),
        ({"source": ""}, ["source"]),
        ({"source": "两\n行"}, ["source"]),
        ({"published_on": "soon"}, ["published_on"]),
        ({"published_on": "2026-11-25"}, ["published_on"]),  # in the future
        ({"published_on": "2026-11-24T08:00:00+08:00"}, ["published_on"]),
        ({"extra": 1}, ["extra"]),
        ({"holidays": None}, ["holidays"]),
        ({"working_days": ["2026-12-26"]}, ["working_days"]),
        ({"working_days": {"2026-12-26": None}}, ["working_days.2026-12-26"]),
        ({"working_days": {"2026-12-26": 1}}, ["working_days.2026-12-26"]),
        ({"working_days": {"2027-02-29": "调休"}}, ["working_days.2027-02-29"]),
        ({"working_days": {"26.12.2026": "调休"}}, ["working_days.26.12.2026"]),
        ({"working_days": {"2029-01-06": "调休"}}, ["working_days.2029-01-06"]),  # not a neighbouring year
        ({"working_days": {"2027-01-02": "调休"}}, ["working_days.2027-01-02"]),  # a holiday as well
        ({"working_days": {"2028-10-01": "调休"}}, ["working_days.2028-10-01"]),  # statutory, every year
        ({"working_days": {"2026-12-26": "a", "2026-12-26 ": "b"}}, ["working_days"]),  # twice
    ],
)
def test_what_can_not_be_right_is_told_with_its_path(changes: dict[str, Any], expected: list[str]) -> None:
    assert paths(notice_file() | changes) == expected


@pytest.mark.parametrize("data", [None, [], "2027", 5])
def test_what_is_no_mapping_is_refused(data: object) -> None:
    assert paths(data) == [""]


def test_all_problems_are_told_at_once_and_none_tells_a_value() -> None:
    data = notice_file(published_on="2027-01-01", working=[date(2030, 1, 5)], extra="secret")
    data["holidays"]["2027-13-01"] = "secret"
    del data["source"]
    found = problems(data)
    expected = {"published_on", "holidays.2027-13-01", "extra", "source", "working_days.2030-01-05"}
    assert {problem.path for problem in found} == expected
    assert not any("secret" in problem.message for problem in found)


@pytest.mark.parametrize(
    ("left_out", "told"),
    [
        (("2027-05-02",), "lacks 劳动节: at least 2 days between 2027-05-01 and 2027-05-02, 1 named"),
        (("2027-01-01",), "lacks 元旦: at least 1 day on 2027-01-01, 0 named"),
        (tuple(f"2027-02-{day:02}" for day in range(8, 12)), "lacks 春节"),
        (("2027-04-05",), "lacks 清明节"),
        (("2027-06-09",), "lacks 端午节"),
        (("2027-10-03",), "lacks 国庆节"),
    ],
)
def test_a_years_first_notice_names_the_statutory_holidays(left_out: tuple[str, ...], told: str) -> None:
    """Otherwise they would turn into working days, and every deadline beyond them would come too early."""
    data = notice_file()
    for day in left_out:
        del data["holidays"][day]
    (problem,) = problems(data)
    assert problem.path == "holidays"
    assert problem.message.startswith(told)


def test_a_revision_of_a_known_year_names_only_what_it_changes() -> None:
    for notice in (revision(off=[date(2026, 11, 30)]), revision(working=[date(2026, 11, 28)])):
        assert read_notice(notice.model_dump(mode="json"), today=TODAY, known_years=KNOWN) == notice
    nothing = revision().model_dump(mode="json")
    assert paths(nothing) == ["holidays"]
    unknown = revision(2028, off=[date(2028, 1, 4)], published_on="2026-11-21").model_dump(mode="json")
    assert len(problems(unknown)) == 6
