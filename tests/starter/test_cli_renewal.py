"""renew and renewal, as the base's people and the reviewer type them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.starter.conftest import APPLICANT, REVIEWER, Enterprise, certify, enterprise_in
from tests.starter.in_process import InProcess
from tests.starter.livebase import Running

ONLY_ON = "postgresql"
"""With a worker's and a reader's rights; the demo goes the same way on SQLite."""

JSON = ("-o", "json")


class Year:
    """A base six weeks before the end of its first year."""

    def __init__(self, office: InProcess, enterprise: Enterprise) -> None:
        self.office = office
        self.enterprise = enterprise
        self.number: str = office.ok("apply", enterprise.file, *APPLICANT)["case_number"]
        self.term: dict[str, Any] = certify(office, self.number)["term"]
        self.last_day: str = self.term["last_day"]
        self.renew = ("renew", self.number, "--from", self.last_day)

    def refused(self, *words: str | Path) -> tuple[int, str]:
        done = self.office(*words, *JSON)
        return done.code, done.error["kind"]

    def fast_forward_to(self, days_before: int) -> dict[str, Any]:
        view = self.office.ok("fast-forward", self.number, "1m")
        left = date.fromisoformat(self.last_day) - date.fromisoformat(view["now"][:10])
        moved: dict[str, Any] = self.office.ok("fast-forward", self.number, f"{left.days - days_before}d")
        return moved


@pytest.fixture
def year(dev: Running, tmp_path: Path) -> Year:
    return Year(InProcess.of(dev), enterprise_in(tmp_path / "enterprise"))


def test_a_renewal_is_filed_decided_and_lived_into(year: Year) -> None:
    office, number, renew = year.office, year.number, year.renew
    assert year.refused(*renew, *APPLICANT) == (5, "too_early")
    year.fast_forward_to(45)
    wrong = (date.fromisoformat(year.last_day) + timedelta(days=1)).isoformat()
    assert year.refused("renew", number, "--from", wrong, *APPLICANT) == (8, "end_date_stale")
    assert year.refused("renew", number, "--from", "soon", *APPLICANT)[0] == 2
    assert year.refused(*renew, "--as", "applicant:other")[0] == 4
    assert office.ok("show", number)["renewal"] is None, "nothing happened"

    foretold = office.ok(*renew, *APPLICANT, "--dry-run")
    assert foretold["dry_run"] and office.ok("show", number)["renewal"] is None
    changed = year.enterprise.file.with_name("changed.yaml")
    changed.write_text(year.enterprise.supplement().read_text("utf-8"), "utf-8")
    filed = office.ok(*renew, changed, *APPLICANT)
    assert (filed["stage"], filed["awaiting"], filed["revision"]) == ("valid", "reviewer", 2)
    shown = office.ok("show", number)
    assert shown["renewal"]["from_last_day"] == year.last_day and shown["renewal"]["in_good_time"]
    assert "renewal_review" in {task["kind"] for task in shown["tasks"]}
    assert number in {row["case_number"] for row in office.ok("inbox", *REVIEWER)}
    assert year.refused(*renew, *APPLICANT) == (5, "renewal_pending")

    item = ("--item", "A4.area: a newer floor plan")
    assert office.ok("renewal", "request", number, "--revision", "2", *item, *REVIEWER)["awaiting"] == "applicant"
    assert office.ok("supplement", number, changed, *APPLICANT)["revision"] == 3
    assert year.refused("renewal", "approve", number, "--revision", "2", *REVIEWER) == (8, "revision_stale")
    approved = office.ok("renewal", "approve", number, "--revision", "3", *REVIEWER)
    assert (approved["stage"], approved["standing"]) == ("valid", "certified")
    shown = office.ok("show", number)
    assert shown["term"] == year.term and shown["renewal"] is None
    assert shown["next_term"]["from"] == year.term["until"]
    coming = [event["event"] for event in office.ok("next", number)["events"]]
    assert "begin_term" in coming and coming[-1] == "expire_certification"
    table = office("show", number, "--lang", "zh", env={"COLUMNS": "200"}).out
    assert "下一认证期" in table and shown["next_term"]["certificate_number"] in table

    moved = year.fast_forward_to(-2)
    assert (moved["stage"], moved["standing"], moved["due_at"]) == ("valid", "certified", None)
    later = office.ok("show", shown["next_term"]["certificate_number"])
    assert (later["case_number"], later["term"], later["next_term"]) == (number, shown["next_term"], None)
    assert {(one["state"], one["effective_from"]) for one in later["benefits"]} == {
        ("granted", one["effective_from"]) for one in shown["benefits"]
    }


def test_a_rejected_renewal_says_why_and_the_term_runs_on(year: Year) -> None:
    office, number = year.office, year.number
    year.fast_forward_to(45)
    office.ok(*year.renew, *APPLICANT)
    rejected = office.ok("renewal", "reject", number, "--revision", "1", "--reason", "场地已缩减", *REVIEWER)
    assert (rejected["stage"], rejected["standing"]) == ("valid", "certified")
    assert "renewal_review" not in {task["kind"] for task in office.ok("show", number)["tasks"]}
    decisions = office.ok("why", number)["decisions"]
    assert (decisions[-1]["kind"], decisions[-1]["reason"]) == ("renewal_rejected", "场地已缩减")
    (letter,) = [one for one in office.ok("notices", "list", number) if one["kind"] == "renewal_rejected"]
    assert "场地已缩减" in office.ok("notices", "show", number, letter["letter"])["body"]


def test_undecided_at_the_end_it_goes_on_late(year: Year) -> None:
    office, number = year.office, year.number
    year.fast_forward_to(45)
    office.ok(*year.renew, *APPLICANT)
    moved = year.fast_forward_to(-1)
    assert (moved["stage"], moved["standing"]) == ("renewal_late", "expired")
    why = office.ok("why", number)
    assert why["ending"]["cause"] == "platform_delay" and why["publication"]["state"] == "withdrawn"
    late = office.ok("renewal", "approve", number, "--revision", "1", *REVIEWER)
    assert (late["stage"], late["standing"]) == ("publishing", "certified")
    (gap,) = [entry["detail"]["gap"] for entry in office.ok("timeline", number) if "gap" in entry["detail"]]
    assert datetime.fromisoformat(gap["from"]) < datetime.fromisoformat(gap["until"])
