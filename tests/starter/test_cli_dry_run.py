"""`--dry-run`: what would happen and whether it would be accepted, with nothing sent and nothing changed."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.starter.conftest import ANSWER, APPLICANT, REVIEWER, Cases, Enterprise, FirstYear
from tests.starter.livebase import Running

ONLY_ON = "postgresql"
"""What differs between the databases is tested in tests/store, and by requests and payments at once on both."""

ACTS = [
    "apply", "take", "release", "request", "supplement", "approve", "payment", "certify", "marks",
]  # fmt: skip
FORETOLD = ("stage", "standing", "revision", "awaiting", "due_at")


def test_a_dry_run_changes_nothing(first_year: FirstYear) -> None:
    assert set(first_year.foretold) == {*ACTS, "refuse", "the year"}
    assert first_year.changed_by_dry_runs == []


@pytest.mark.parametrize("act", ACTS)
def test_a_dry_run_says_what_then_happens(first_year: FirstYear, act: str) -> None:
    foretold, answer = first_year.foretold[act], first_year.answers[act]
    assert foretold["dry_run"] is True
    assert set(foretold) >= ANSWER
    assert {key: foretold[key] for key in FORETOLD} == {key: answer[key] for key in FORETOLD}
    assert act == "apply" or foretold["case_number"] == first_year.number


def test_a_dry_run_of_a_fast_forward_names_what_comes_on_the_way(first_year: FirstYear) -> None:
    foretold, answer = first_year.foretold["the year"], first_year.answers["the year"]
    assert foretold["now"][:16] <= answer["now"][:16]
    *reminders, expiry = foretold["events"]
    assert Counter(one["event"] for one in reminders) == {"remind_renewal": 4, "remind_figures": 3}
    assert expiry["at"] == first_year.views["published"]["term"]["until"]


def test_endings_are_foretold_and_do_not_happen(dev: Running, cases: Cases, first_year: FirstYear) -> None:
    why = ("--reason", "second thoughts", "--dry-run", "-o", "json")
    with dev.unchanged():
        withdrawn, rejected = dev.each(
            ("withdraw", cases.deposit, *why, *APPLICANT),
            ("review", "reject", cases.review, "--revision", "1", *why, *REVIEWER),
        )
    assert (withdrawn.json["stage"], withdrawn.json["standing"]) == ("closed", "withdrawn")
    assert (rejected.json["stage"], rejected.json["standing"]) == ("settling", "rejected")
    refused = first_year.foretold["refuse"]
    assert (refused["stage"], refused["standing"]) == ("settling", "rejected"), "there is money to return"


def test_a_dry_run_on_a_terminal_says_that_nothing_was_sent(dev: Running, cases: Cases) -> None:
    done = dev("review", "take", cases.review, "--dry-run", *REVIEWER)
    assert done.code == 0
    assert "would be accepted" in done.out
    assert "request id" not in done.err, "there is nothing to ask again for"


def test_what_changes_no_case_takes_no_dry_run(dev: Running) -> None:
    done = dev.each(("dev", "--dry-run"), ("demo", "--dry-run"))
    assert [one.code for one in done] == [2, 2]


def test_a_dry_run_needs_somebody_who_acts(dev: Running, enterprise: Enterprise) -> None:
    with dev.unchanged():
        assert dev("apply", enterprise.file, "--dry-run").code == 2
