"""`--lang zh`: every word our tables print is there in Chinese, whatever the domain comes to say."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest

import starter.sentences
import starter.words
from domain.channel import Kind as ChannelKind
from domain.channel import Why
from domain.conditions import CONDITIONS
from domain.delivery import DeliveryState
from domain.findings import Outcome
from domain.permissions import ROLES
from domain.placing import NOBODYS, SEVERAL_NAMED, SEVERAL_PAYERS, UNKNOWN_NAMED
from domain.planning import Event
from domain.reconciling import TAKEN_BACK_BY_THEM, TAKEN_BACK_BY_US, Kind
from domain.stages import Role, Stage, Standing
from starter.channel import TO_DO
from starter.phrases import typed
from starter.statements import OUTCOMES
from starter.words import CHINESE
from store.queries import _KINDS
from store.reference import policy_book, shipped_calendar
from tests.office import example
from tests.starter.conftest import EXAMPLES, Cases, FirstYear
from tests.starter.in_process import InProcess
from tests.starter.livebase import Running

ONLY_ON = "sqlite"
"""How things are said and typed; no database says them otherwise."""

ROOT = Path(__file__).parent.parent.parent
HASHES = {"submission", "evidence", "fen"}  # of the details on record, what tables leave out


def calls(package: str, *names: str) -> Iterator[ast.Call]:
    """Every call of a function of one of these names."""
    for name, call in _all_calls(package):
        if name in names:
            yield call


@cache
def _all_calls(package: str) -> list[tuple[str, ast.Call]]:
    """A package's calls by the name of the function. Read once: every process of the tests comes past here."""
    trees = (ast.parse(file.read_text("utf-8")) for file in sorted((ROOT / package).rglob("*.py")))
    nodes = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call))
    return [(getattr(node.func, "id", getattr(node.func, "attr", "")), node) for node in nodes]


def texts(node: ast.AST | None) -> set[str]:
    """The texts an expression may come to, as far as it is written out."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value}
    if isinstance(node, ast.IfExp):
        return texts(node.body) | texts(node.orelse)
    return set()


def given(call: ast.Call, place: int, keyword: str) -> set[str]:
    """What a call gives for a parameter."""
    by_name = [other.value for other in call.keywords if other.arg == keyword]
    return texts(by_name[0] if by_name else call.args[place] if len(call.args) > place else None)


def of_the_domain(*names: str, place: int, keyword: str) -> set[str]:
    found: set[str] = set().union(*(given(call, place, keyword) for call in calls("domain", *names)))
    assert found, f"{names} say nothing for {keyword}"
    return found


def details() -> set[str]:
    """The keys of what is kept on record beside an event or a decision."""
    return {
        key
        for call in calls("domain", "step", "Decision")
        for keyword in call.keywords
        if keyword.arg == "detail" and isinstance(keyword.value, ast.Dict)
        for constant in keyword.value.keys
        for key in texts(constant)
    } - HASHES


def unmatched_reasons() -> set[str]:
    tree = ast.parse((ROOT / "domain" / "deposit.py").read_text("utf-8"))
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Return | ast.Assign)]
    return {text for node in nodes for text in texts(node.value) if " " in text and text.isascii()}


def days() -> set[str]:
    calendar = shipped_calendar()
    deadlines = [calendar.deadline(date(2026, month, 1), 60) for month in (1, 9, 12)]
    return {day.kind for deadline in deadlines for day in (*deadline.counted, *deadline.skipped)}


LEFT = (Standing.SURRENDERED, Standing.DISSOLVED, Standing.REVOKED)
ENDED = (Standing.REJECTED, Standing.WITHDRAWN, Standing.LAPSED)
VOCABULARY: dict[str, set[str]] = {
    "stage": set(Stage),
    "standing": set(Standing),
    "role": set(Role) | {"system"},
    "outcome": set(Outcome),
    "condition": set(CONDITIONS),
    "action": set(ROLES),
    "planned": set(Event),
    "event": of_the_domain("step", place=2, keyword="event")
    | of_the_domain("_escalate", place=3, keyword="event")
    | of_the_domain("_without", place=4, keyword="event")
    | {f"application_{kind}" for kind in (*ENDED, Standing.DISSOLVED)}
    | {f"certification_{kind}" for kind in LEFT},
    "task": of_the_domain("Task", "task", place=0, keyword="kind"),
    "decision": of_the_domain("Decision", place=0, keyword="kind") | set(LEFT),
    "proposal": {"approved", "denied", "expired", "overtaken"},
    "hold": {"compliance", "conduct", "deposit"},
    "cause": of_the_domain("end_before_term", place=4, keyword="cause")
    | of_the_domain("_end", place=4, keyword="cause")
    | of_the_domain("Ending", place=1, keyword="cause"),
    "reason of an ending": of_the_domain("Ending", place=4, keyword="reason")
    | of_the_domain("end_before_term", place=5, keyword="reason"),
    "detail": details(),
    "reason of unmatched money": unmatched_reasons() | {f"the case has ended ({kind})" for kind in (*ENDED, "expired")},
    "payment": set(OUTCOMES) | {NOBODYS, SEVERAL_NAMED, SEVERAL_PAYERS, UNKNOWN_NAMED},
    "difference": {"amount", "payer", "date", TAKEN_BACK_BY_THEM, TAKEN_BACK_BY_US, *get_args(Kind)},
    "channel": {*get_args(ChannelKind), *get_args(Why)},
    "to do": set(TO_DO.values()),
    "entry": set(_KINDS.values()),
    "publication": {"none", "pending", "published", "withdrawn"} | {"in_time", "late", "overdue", "no longer due"},
    "renewal": {"renewed", "under_way", "not_filed"},
    "benefit": {"granted", "withdrawn"},
    "delivery": set(DeliveryState),
    "figure": {name for version in policy_book().versions for name in version.figures},
    "day": days(),
    "evidence": of_the_domain("Evidence", place=0, keyword="purpose") | {"conduct"},
    "known by": set(example().application.names)
    | {"entrusted_enterprise", "registration_number"}
    | {"case_number", "credit_code", "certificate_number", "reference", "payer"},
}
"""Every closed list whose members a table may print; the domain's own from its source."""


@pytest.mark.parametrize("kind", VOCABULARY)
def test_every_word_of_the_records_is_there(kind: str) -> None:
    lacking = {text for text in VOCABULARY[kind] if f"{kind}: {text}" not in CHINESE and text not in CHINESE}
    assert not lacking


def test_every_heading_and_sentence_of_the_command_line_is_there() -> None:
    spoken = {text for call in calls("starter", "word") for text in given(call, 0, "text")}
    spoken |= {text for call in calls("starter", "told") for text in given(call, 0, "template")}
    for call in calls("starter", "print_table"):
        columns = call.args[0]
        spoken |= {text for one in getattr(columns, "elts", ()) for text in texts(one)}
    assert len(spoken) > 80
    known = {key.partition(": ")[2] if key.startswith("heading: ") else key for key in CHINESE}
    assert spoken - known - {"", "#", "sha256"} == set()


def test_no_word_is_two_things() -> None:
    """Its place before it tells a second meaning."""
    named = {**vars(starter.words), **vars(starter.sentences)}
    parts = [part for name, part in named.items() if isinstance(part, dict) and re.fullmatch("_[A-Z]+(_[A-Z]+)*", name)]
    pairs = {pair for part in parts for pair in part.items()}
    assert len(pairs) > 250
    assert sorted(english for english, _ in pairs) == sorted({english for english, _ in pairs})


def test_values_go_into_a_sentence_as_they_do_into_its_original() -> None:
    for english, chinese in CHINESE.items():
        assert len(re.findall(r"\{\d?\}", english)) == len(re.findall(r"\{\d?\}", chinese)), english
        assert re.search(r"[\u4e00-\u9fff]", chinese) or english in ("of", "{} ({})"), english


@pytest.fixture(scope="module")
def office(dev: Running) -> InProcess:
    """Where everything runs."""
    return InProcess.of(dev)


def table(office: InProcess, *words: str | Path) -> str:
    """A table in Chinese, so wide that no word is parted."""
    done = office(*words, "--lang", "zh", env={"COLUMNS": "1000"})
    assert done.code in (0, 5), done.err
    return done.out


def english(text: str) -> set[str]:
    return set(re.findall(r"[A-Za-z][A-Za-z_]{2,}", text))


# Words that stand in a Chinese table too: what is typed, the names of fields and files, and of things known so.
RESERVED = " ".join(word for one in policy_book().versions for word in one.policy().reserved_words)
AS_THEY_ARE = english(f"Temporal Web livebase dev default sqlite MiB sha256 {' '.join(CONDITIONS)} {RESERVED}")
REPORTS = ("expiring", "workload", "publication", "deposits")
TYPED = english(" ".join(typed(action) for action in ROLES))
EVERYTHING = {text for kind in VOCABULARY.values() for text in kind}


def data(value: Any) -> set[str]:
    """The English words that come from people, files and numbers: no word of ours is among them."""
    if isinstance(value, dict):
        return set().union(*(data(one) for one in value.values()))
    if isinstance(value, list):
        return set().union(*(data(one) for one in value))
    return english(value) if isinstance(value, str) and value not in EVERYTHING else set()


def test_no_word_of_ours_is_left_in_english(office: InProcess, first_year: FirstYear, cases: Cases) -> None:
    """Every table that reads, of a case in every state, against what its JSON says is data."""
    certified = first_year.number
    numbers = (certified, cases.review, cases.deposit, cases.rejected, cases.withdrawn)
    of_each = [
        (*words, number) for number in numbers for words in (("show",), ("timeline",), ("why",), ("deposit", "show"))
    ]
    commands: list[tuple[str | Path, ...]] = [
        *of_each,
        ("list",),
        ("find", "义乌"),
        ("inbox",),
        ("inbox", "--as", "finance:qian"),
        *(("report", kind, "--from", "2020-01-01", "--to", "2099-12-31") for kind in REPORTS),
        ("documents", "list", certified),
        ("notices", "list", certified),
        ("notices", "list", cases.withdrawn),
        ("calendar", "status"),
        ("calendar", "explain", "2026-12-28", "--days", "7"),
        ("calendar", "explain", "2026-02-13", "--days", "7"),
        ("check", EXAMPLES / "deficient" / "application.yaml"),
        ("review", "release", cases.review, "--as", "reviewer:li", "--dry-run"),
    ]
    left: dict[str, set[str]] = {}
    for words in commands:
        told, printed = office(*words, "-o", "json").json, table(office, *words)
        if words[0] == "timeline":
            for entry in told:
                entry["detail"].pop("what", None)
        assert re.search(r"[\u4e00-\u9fff]{2}", printed), words
        if over := english(printed) - data(told) - AS_THEY_ARE:
            left[" ".join(map(str, words))] = over
    assert left == {}


def test_no_word_of_ours_is_left_where_the_json_has_our_sentences(
    office: InProcess, first_year: FirstYear, cases: Cases
) -> None:
    version = office("calendar", "status", "-o", "json").json["calendar_version"]
    found = english(f"{first_year.dev.folder}/documents {first_year.dev.where} {version}")
    mended = english("livebase calendar import NOTICE.json")  # in December, as long as no notice is in
    for words, own in (
        (("next", cases.review), TYPED),
        (("next", cases.deposit), TYPED),
        (("next", first_year.number), TYPED),
        (("policy", "show"), set()),
        (("doctor",), found | mended),
    ):
        assert english(table(office, *words)) - own - AS_THEY_ARE == set(), words


def test_an_application_keeps_the_names_of_its_fields(office: InProcess, first_year: FirstYear) -> None:
    """They are what a supplement is written with."""
    for words in (
        ("application", "show", first_year.number),
        ("application", "show", first_year.number, "--diff", "1"),
    ):
        told, printed = office(*words, "-o", "json").json, table(office, *words)
        fields = (
            english(json.dumps(told["application"])) | english(json.dumps(told.get("diff", {}))) | {"documents_note"}
        )
        assert english(printed) - data(told) - fields - AS_THEY_ARE == set()
        assert "字段" in printed


def test_english_is_what_it_was(office: InProcess, cases: Cases) -> None:
    assert not re.search("阶段|状态|审核", office("show", cases.review).out)
