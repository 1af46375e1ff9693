"""assign, extend, note through the real process."""

from __future__ import annotations

import pytest

from tests.starter.conftest import APPLICANT, CERTIFIER, OPERATOR, REVIEWER, Cases
from tests.starter.livebase import Livebase, Running

ONLY_ON = "postgresql"
"""With a worker's and a reader's rights; the path's own tests run on both databases."""

WHY = ("--reason", "li is on leave")


def test_a_review_is_given_to_somebody_who_finds_it_in_their_inbox(dev: Running, applied: str) -> None:
    foretold = dev.ok("assign", applied, "--to", "zhou", *WHY, *OPERATOR, "--dry-run")
    assert foretold["dry_run"] and dev.ok("show", applied)["tasks"][0]["assignee"] is None
    assert dev.ok("assign", applied, "--to", " zhou ", *WHY, *OPERATOR)["awaiting"] == "reviewer"
    assert dev.ok("show", applied)["tasks"][0]["assignee"] == "zhou"
    zhou, li, decision = dev.each(
        ("inbox", "-o", "json", "--as", "reviewer:zhou"),
        ("inbox", "-o", "json", *REVIEWER),
        ("review", "approve", applied, "--revision", "1", "-o", "json", *REVIEWER),
    )
    assert applied in {row["case_number"] for row in zhou.json}
    assert applied not in {row["case_number"] for row in li.json}
    assert (decision.code, decision.error["kind"]) == (5, "review_held")
    assert dev.ok("timeline", applied)[-1]["detail"]["reason"] == "li is on leave"


def test_a_deadline_is_extended_and_next_says_what_follows(dev: Running, applied: str) -> None:
    dev.ok("review", "request", applied, "--revision", "1", "--item", "A4.area: a plan", *REVIEWER)
    due = dev.ok("show", applied)["due_at"]
    year = int(due[:4]) + 1
    refused, too_early, extended = (
        dev("extend", applied, "--deadline", "deposit", "--to", f"{year}-01-31", *WHY, *OPERATOR, "-o", "json"),
        dev("extend", applied, "--deadline", "supplement", "--to", "2020-01-01", *WHY, *OPERATOR, "-o", "json"),
        dev("extend", applied, "--deadline", "supplement", "--to", f"{year}-01-31", *WHY, *OPERATOR, "-o", "json"),
    )
    assert (refused.code, refused.error["kind"]) == (5, "wrong_stage")
    assert (too_early.code, too_early.error["kind"]) == (2, "invalid_value")
    assert extended.json["due_at"] == f"{year}-02-01T00:00:00+08:00"
    assert [row["at"] for row in dev.ok("next", applied)["events"]][-1] == f"{year}-02-01T00:00:00+08:00"


def test_notes_are_for_the_staff(dev: Running, applied: str) -> None:
    for text, who in (("已电话核实", REVIEWER), ("场地照片与平面图一致", CERTIFIER)):
        dev.ok("note", "add", applied, "--text", text, *who)
    listed = dev.ok("note", "list", applied, *OPERATOR)
    assert [(note["by"], note["text"]) for note in listed] == [
        ("reviewer:li", "已电话核实"),
        ("certifier:zhao", "场地照片与平面图一致"),
    ]
    assert set(listed[0]) == {"sequence", "at", "by", "text"}
    table, theirs, timeline, add = dev.each(
        ("note", "list", applied),
        ("note", "list", applied, "-o", "json", *APPLICANT),
        ("timeline", applied, "-o", "json", *APPLICANT),
        ("note", "add", applied, "--text", "mine", "-o", "json", *APPLICANT),
    )
    assert "已电话核实" in table.out
    assert (theirs.code, theirs.error["kind"]) == (4, "role_not_allowed")
    assert (add.code, add.error["kind"]) == (4, "role_not_allowed")
    assert [row["event"] for row in timeline.json][-2:] == ["note_added", "note_added"]
    assert "电话" not in timeline.out and "平面图" not in timeline.out


def test_an_ended_case_takes_a_note_and_no_assignment(dev: Running, cases: Cases) -> None:
    assert dev.ok("note", "add", cases.withdrawn, "--text", "归档", "--dry-run", *OPERATOR)["stage"] == "closed"
    done = dev("assign", cases.withdrawn, "--to", "zhou", *WHY, *OPERATOR, "-o", "json")
    assert (done.code, done.error["kind"]) == (5, "already_ended")


@pytest.mark.parametrize(
    "words",
    [
        ("assign", "LB-2026-000001", "--to", "\u200b", *WHY),
        ("assign", "LB-2026-000001", "--to", "z" * 101, *WHY),
        ("assign", "LB-2026-000001", "--to", "zhou", "--reason", " "),
        ("assign", "LB-2026-000001", "--to", "zhou"),
        ("extend", "LB-2026-000001", "--deadline", "tomorrow", "--to", "2026-12-01", *WHY),
        ("extend", "LB-2026-000001", "--deadline", "deposit", "--to", "soon", *WHY),
        ("note", "add", "LB-2026-000001", "--text", "\x1b[31m"),
        ("note", "add", "LB-2026-000001", "--text", "t" * 2001),
    ],
    ids=lambda words: " ".join(words)[:40],
)
def test_what_is_typed_wrong_is_refused_before_anything_is_reached(livebase: Livebase, words: tuple[str, ...]) -> None:
    done = livebase(*words, *OPERATOR, "-o", "json")
    assert (done.code, done.error["kind"]) == (2, "usage")
