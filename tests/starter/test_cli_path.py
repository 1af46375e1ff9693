"""A base from its application to the end of its first year, every act a command of its own."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta

import pytest

from tests.office import named_for
from tests.starter.conftest import ANSWER, ANSWERED_AND_SHOWN, PAYER, FirstYear
from tests.starter.livebase import Running

MONEY = {"required", "received", "deducted", "refunded", "held", "unmatched"}
FINDING = {"condition", "outcome", "value", "threshold", "as_of", "document", "message"}
SHOW = {
    "case_number", "credit_code", "name", "stage", "standing", "awaiting", "due_at", "revision", "policy_version",
    "tasks", "term", "deposit", "publication", "holds", "benefits", "ending", "findings", "workflow",
}  # fmt: skip
LIST = {"case_number", "credit_code", "name", "stage", "standing", "awaiting", "due_at", "valid_until"}
PATH = [
    ("apply", "review", "applicant", "reviewer", 1),
    ("take", "review", "applicant", "reviewer", 1),
    ("release", "review", "applicant", "reviewer", 1),
    ("request", "supplement", "applicant", "applicant", 1),
    ("supplement", "review", "applicant", "reviewer", 2),
    ("approve", "deposit", "applicant", "applicant", 2),
    ("payment", "certifying", "applicant", "certifier", 2),
    ("certify", "publishing", "certified", "operator", 2),
    ("marks", "settling", "expired", "finance", 2),
]
EVENTS = [
    "application_received", "review_taken", "review_released", "supplement_requested", "supplement_received",
    "application_approved", "deposit_received", "base_certified",
]  # fmt: skip


def instant(text: str) -> datetime:
    """An instant as the contract has it: RFC 3339 with an offset."""
    moment = datetime.fromisoformat(text)
    assert moment.tzinfo is not None
    assert "T" in text
    return moment


def test_every_act_leads_to_the_stage_it_must(first_year: FirstYear) -> None:
    answers = first_year.answers
    assert [
        (act, answers[act]["stage"], answers[act]["standing"], answers[act]["awaiting"], answers[act]["revision"])
        for act, *_ in PATH
    ] == PATH


@pytest.mark.parametrize("act", [act for act, *_ in PATH])
def test_an_accepted_command_prints_exactly_the_fixed_fields(first_year: FirstYear, act: str) -> None:
    answer = first_year.answers[act]
    assert set(answer) == ANSWER
    assert answer["repeated"] is False
    assert answer["case_number"] == first_year.number
    assert answer["request_id"]
    assert instant(answer["accepted_at"])
    assert instant(answer["due_at"]) > instant(answer["accepted_at"])


@pytest.mark.parametrize("act", [act for act, *_ in PATH if act != "certify"])
def test_the_next_show_reflects_each_answer(first_year: FirstYear, act: str) -> None:
    answer, view = first_year.answers[act], first_year.views[act]
    assert {key: view[key] for key in ANSWERED_AND_SHOWN} == {key: answer[key] for key in ANSWERED_AND_SHOWN}


def test_after_certifying_show_is_at_publishing_or_has_gone_on_to_valid(first_year: FirstYear) -> None:
    """Publication is tried at once, by itself."""
    assert first_year.views["certify"]["stage"] in ("publishing", "valid")
    assert first_year.views["certify"]["standing"] == "certified"
    assert first_year.views["published"]["awaiting"] == "nobody"
    assert first_year.views["published"]["due_at"] is None


@pytest.mark.parametrize("act", ["apply", "take", "request", "payment", "published", "the year", "marks"])
def test_show_has_the_fixed_fields_at_every_stage(first_year: FirstYear, act: str) -> None:
    view = first_year.views[act]
    assert set(view) >= SHOW
    assert (view["case_number"], view["credit_code"]) == (first_year.number, first_year.enterprise.code)
    assert view["name"] == named_for("义乌北苑直播基地", first_year.enterprise.code), (
        "the base's name, not the entity's"
    )
    for task in view["tasks"]:
        assert set(task) >= {"kind", "role", "assignee", "due_at"}
        assert task["due_at"] is None or instant(task["due_at"])
    assert set(view["deposit"]) == MONEY
    assert all(set(amount) == {"fen"} and type(amount["fen"]) is int for amount in view["deposit"].values())
    assert set(view["publication"]) == {
        "state", "due_date", "provisional", "published_at", "register_revision", "breached",
    }  # fmt: skip
    assert set(view["workflow"]) == {"id", "run_id", "url"}
    assert view["workflow"]["id"] == f"base:{first_year.enterprise.code}:1"
    assert all(set(finding) == FINDING for finding in view["findings"])
    assert view["holds"] == []


def test_what_does_not_exist_yet_is_null(first_year: FirstYear) -> None:
    view = first_year.views["apply"]
    assert (view["term"], view["ending"], view["benefits"]) == (None, None, [])
    assert view["publication"] == dict.fromkeys(view["publication"]) | {"state": "none"}


def test_who_took_the_review_is_its_task_s_assignee_until_released(first_year: FirstYear) -> None:
    for act, assignee in (("take", "li"), ("release", None)):
        (task,) = first_year.views[act]["tasks"]
        assert (task["role"], task["assignee"]) == ("reviewer", assignee)


def test_the_term_runs_to_the_midnight_after_its_last_day(first_year: FirstYear) -> None:
    view = first_year.views["published"]
    term = view["term"]
    assert set(term) == {"number", "certificate_number", "from", "until", "last_day"}
    assert term["number"] == 1
    assert term["certificate_number"].startswith("LBC-")
    certified = instant(first_year.answers["certify"]["accepted_at"])
    assert instant(term["from"]) == certified
    last_day = date.fromisoformat(term["last_day"])
    assert (last_day.year, last_day.strftime("%m-%d")) == (certified.year + 1, certified.strftime("%m-%d"))
    assert instant(term["until"]).date() == last_day + timedelta(days=1)
    assert instant(term["until"]).strftime("%H:%M:%S %z") == "00:00:00 +0800"


def test_a_certified_base_is_published_with_its_benefits(first_year: FirstYear) -> None:
    view = first_year.views["published"]
    publication = view["publication"]
    assert (publication["state"], publication["breached"]) == ("published", False)
    assert type(publication["register_revision"]) is int
    assert type(publication["provisional"]) is bool
    assert date.fromisoformat(publication["due_date"]) > instant(view["term"]["from"]).date()
    assert instant(publication["published_at"]) >= instant(view["term"]["from"])
    assert view["benefits"]
    for benefit in view["benefits"]:
        assert set(benefit) == {"benefit", "state", "effective_from", "paused_since"}
        assert (benefit["state"], benefit["paused_since"]) == ("granted", None)
        assert instant(benefit["effective_from"])


def test_at_its_end_the_base_is_off_the_list_without_benefits(first_year: FirstYear) -> None:
    view = first_year.views["the year"]
    ending = view["ending"]
    assert set(ending) == {"kind", "cause", "legal_at", "observed_at", "reason", "decision"}
    assert ending["kind"] == "expired" and ending["decision"].startswith(view["case_number"])
    assert instant(ending["legal_at"]) == instant(view["term"]["until"])
    assert instant(ending["observed_at"]) >= instant(ending["legal_at"])
    assert view["publication"]["state"] == "withdrawn"
    assert view["publication"]["register_revision"] > first_year.views["published"]["publication"]["register_revision"]
    assert {benefit["state"] for benefit in view["benefits"]} == {"withdrawn"}
    assert view["awaiting"] == "applicant", "the marks come first, then the settlement"


def test_values_and_thresholds_have_the_file_s_types(first_year: FirstYear) -> None:
    findings = {finding["condition"]: finding for finding in first_year.views["supplement"]["findings"]}
    assert (findings["A4.live_rooms"]["value"], findings["A4.live_rooms"]["threshold"]) == (16, 10)
    assert (findings["A4.area"]["value"], findings["A4.area"]["threshold"]) == ("1020", "300")
    assert findings["A2.capital"]["value"] == "5000000.00"
    assert findings["A3"]["outcome"] == "pending"
    paid = {finding["condition"]: finding["outcome"] for finding in first_year.views["payment"]["findings"]}
    assert paid["A3"] == "pass"


def test_deposit_show_adds_up_its_entries(dev: Running, first_year: FirstYear) -> None:
    view = dev.ok("deposit", "show", first_year.number)
    assert set(view) == {*MONEY, "entries"}
    assert {name: view[name]["fen"] for name in MONEY} == {
        "required": 10_000_000, "received": 10_000_000, "deducted": 0, "refunded": 0, "held": 10_000_000,
        "unmatched": 0,
    }  # fmt: skip
    for entry in view["entries"]:
        assert set(entry) >= {"sequence", "kind", "amount", "reference", "at"}
        assert entry["payer"] == PAYER
        assert instant(entry["at"])
    assert [(entry["kind"], entry["amount"]["fen"], entry["reference"]) for entry in view["entries"]] == [
        ("received", 10_000_000, f"{first_year.enterprise.code}-1"),
    ]


def test_the_timeline_tells_who_did_what_and_when(dev: Running, first_year: FirstYear) -> None:
    entries = dev.ok("timeline", first_year.enterprise.code)
    for entry in entries:
        assert set(entry) == {"sequence", "legal_at", "observed_at", "actor", "event", "detail", "hash"}
        assert instant(entry["observed_at"]) >= instant(entry["legal_at"])
    assert [entry["sequence"] for entry in entries] == list(range(1, len(entries) + 1))
    events = [entry["event"] for entry in entries]
    assert "enterprise_verified" in events[1:4], "asked for with the application, answered when it is"
    assert [event for event in events if event != "enterprise_verified"][: len(EVENTS)] == EVENTS
    assert len({entry["hash"] for entry in entries}) == len(entries)
    by = {entry["event"]: entry["actor"] for entry in entries}
    assert by["application_received"] == "applicant:wang"
    assert by["base_certified"] == "certifier:zhao"
    assert by["marks_confirmed"] == "applicant:wang"
    (expired,) = [entry for entry in entries if entry["event"] == "certification_expired"]
    assert instant(expired["legal_at"]) == instant(first_year.views["marks"]["term"]["until"])


def test_next_says_what_comes_of_itself_and_what_is_open_to_whom(dev: Running, first_year: FirstYear) -> None:
    view = dev.ok("next", first_year.number)
    assert (view["stage"], view["awaiting"]) == ("settling", "finance")
    assert view["due_at"] == first_year.answers["marks"]["due_at"]
    assert [instant(event["at"]) for event in view["events"]] == [instant(view["due_at"])]
    assert view["commands"]["receive_deposit"] == ["finance"]
    assert "certify" not in view["commands"]


def test_list_finds_the_case_by_each_of_its_states(dev: Running, first_year: FirstYear) -> None:
    view = first_year.views["marks"]
    due = date.fromisoformat(view["due_at"][:10])
    filters = ("--stage", "settling", "--standing", "expired", "--awaiting", "finance")
    found, too_early, unknown = dev.each(
        ("list", *filters, "--due-before", str(due + timedelta(days=1)), "-o", "json"),
        ("list", *filters, "--due-before", str(due), "-o", "json"),
        ("list", "--stage", "sleeping", "-o", "json"),
    )
    (row,) = [row for row in found.json if row["case_number"] == first_year.number]
    assert set(row) >= LIST
    assert row["valid_until"] == view["term"]["last_day"]
    assert {key: row[key] for key in LIST - {"valid_until"}} == {key: view[key] for key in LIST - {"valid_until"}}
    assert first_year.number not in too_early.out
    assert unknown.code == 2


def test_the_list_has_every_case_once_soonest_deadline_first(dev: Running, first_year: FirstYear) -> None:
    rows = [json.loads(line) for line in dev("list", "-o", "jsonl").out.splitlines()]
    numbers = [row["case_number"] for row in rows]
    assert len(set(numbers)) == len(numbers)
    assert first_year.number in numbers
    due: list[str | None] = [row["due_at"] for row in rows]
    known = [moment for moment in due if moment is not None]
    assert known == sorted(known)
    assert due[: len(known)] == known, "what waits for nothing comes last"
