"""conduct and authorise, as compliance and the base type them, with wrong files too."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.starter.conftest import APPLICANT, CERTIFIER, OPERATOR, REVIEWER, Enterprise, certify, enterprise_in
from tests.starter.in_process import InProcess
from tests.starter.livebase import Running

ONLY_ON = "postgresql"
"""With a worker's and a reader's rights; the demo goes the same way on SQLite."""

COMPLIANCE = ("--as", "compliance:he")
JSON = ("-o", "json")
REPORT = """\
rule: {rule}
trigger: breach
severity: {severity}
found_on: {found_on}
facts: 组织刷单,见截图
affected_accounts: [anchor-1]
losses: [{{kind: frozen_permissions, description: 两个账号被限流}}]
evidence: [documents/policy.pdf]
"""
ANSWER = "statement: 已经停止并处分了责任人\nevidence: [documents/policy.pdf]\n"


class Listed:
    """A base on the official list, and the papers about it."""

    def __init__(self, office: InProcess, enterprise: Enterprise) -> None:
        self.office = office
        self.enterprise = enterprise
        self.number: str = office.ok("apply", enterprise.file, *APPLICANT)["case_number"]
        self.view = certify(office, self.number)
        self.today: str = self.view["term"]["from"][:10]

    def paper(self, name: str, text: str) -> Path:
        file = self.enterprise.file.with_name(name)
        file.write_text(text, "utf-8")
        return file

    def report(self, rule: str = "R6", severity: str = "minor") -> Path:
        return self.paper("report.yaml", REPORT.format(rule=rule, severity=severity, found_on=self.today))

    def answer(self) -> Path:
        return self.paper("answer.yaml", ANSWER)

    def refused(self, *words: str | Path) -> tuple[int, str]:
        done = self.office(*words, *JSON)
        return done.code, done.error["kind"]


@pytest.fixture
def base(dev: Running, tmp_path: Path) -> Listed:
    return Listed(InProcess.of(dev), enterprise_in(tmp_path / "enterprise"))


def test_a_violation_from_its_report_to_its_rectification(base: Listed) -> None:
    office, number, id = base.office, base.number, f"{base.number}-C1"
    foretold = office.ok("conduct", "report", number, base.report(), *COMPLIANCE, "--dry-run")
    assert foretold["dry_run"] and office.ok("show", number)["conduct"] == []
    assert base.refused("conduct", "report", number, base.report(), *REVIEWER) == (4, "role_not_allowed")
    reported = office.ok("conduct", "report", number, base.report(), *COMPLIANCE)
    assert (reported["awaiting"], reported["standing"]) == ("applicant", "certified")
    assert [one["id"] for one in office.ok("show", number)["conduct"]] == [id]
    assert number in {row["case_number"] for row in office.ok("inbox", *APPLICANT)}

    assert base.refused("conduct", "decide", id, "--outcome", "dismissed", "--reason", "r", *COMPLIANCE) == (
        5,
        "outcome_not_open",
    )
    assert base.refused("conduct", "respond", id, base.answer(), "--as", "applicant:other") == (4, "not_own_case")
    assert base.refused("conduct", "respond", f"{number}-C9", base.answer(), *APPLICANT)[0] == 3
    assert office.ok("conduct", "respond", id, base.answer(), *APPLICANT)["awaiting"] == "compliance"
    assert base.refused("conduct", "decide", id, "--outcome", "gone", "--reason", "r", *COMPLIANCE)[0] == 2
    ordered = office.ok("conduct", "decide", id, "--outcome", "rectification", "--reason", "责令改正", *COMPLIANCE)
    assert ordered["awaiting"] == "applicant"
    first = office.ok("next", number)["events"][0]
    assert (first["event"], first["conduct"], first["at"]) == ("suspend_uncorrected", id, ordered["due_at"])
    assert f"{id}: 逾期未改正" in office("next", number, "--lang", "zh").out
    to = f"{int(ordered['due_at'][:4]) + 1}-01-31"
    office.ok("extend", number, "--deadline", "rectification", "--to", to, "--reason", "春节", *OPERATOR)
    assert office.ok("show", number)["due_at"].startswith(f"{to[:4]}-02-01")
    office.ok("conduct", "respond", id, base.answer(), *APPLICANT)
    closed = office.ok("conduct", "decide", id, "--outcome", "rectified", "--reason", "已核查", *COMPLIANCE)
    assert (closed["stage"], closed["awaiting"]) == ("valid", "nobody")

    shown = office.ok("conduct", "show", id, *COMPLIANCE)
    assert (shown["state"], shown["outcome"], shown["facts"]) == ("closed", "rectified", "组织刷单,见截图")
    assert shown["affected_accounts"] == ["anchor-1"] and shown["losses"][0]["kind"] == "frozen_permissions"
    assert office.ok("conduct", "show", id, *APPLICANT)["affected_accounts"] == [], "for the staff"
    assert base.refused("conduct", "show", id, "--as", "applicant:other")[0] == 4
    assert "已了结" in office("conduct", "show", id, "--lang", "zh").out
    assert id not in {row["id"] for row in office.ok("conduct", "list")}
    assert id in {row["id"] for row in office.ok("conduct", "list", "--all")}


def test_what_the_public_complains_of_is_read_and_taken_up_or_dismissed(base: Listed, dev: Running) -> None:
    office, number, page = base.office, base.number, f"/c/{base.view['term']['certificate_number']}/complaint"
    url = dev.state["register_url"]

    def complain(text: str) -> str:
        form = {"text": text, "contact": "陈先生 13800000000"}
        return httpx.post(url + page, data=form, headers={"origin": url}).headers["location"].rpartition("/")[2]

    first, second = complain("有人索要开通费"), complain("无理取闹")
    assert (
        "conduct complaints" in office("inbox", *COMPLIANCE).err and "complaints" not in office("inbox", *OPERATOR).err
    )
    found = office.ok("conduct", "complaints", number, *COMPLIANCE)
    assert [(one["reference"], one["contact"]) for one in found] == [
        (first, "陈先生 13800000000"), (second, "陈先生 13800000000"),
    ]  # fmt: skip
    assert "公众投诉" in office("conduct", "complaints", number, "--lang", "zh").out
    assert base.refused("conduct", "complaints", number, *APPLICANT) == (4, "role_not_allowed")
    report = ("conduct", "report", number, base.report("R4"), *COMPLIANCE)
    assert base.refused(*report, "--complaint", "TS-1") == (2, "usage")
    assert base.refused(*report, "--complaint", "TS-AAAAAAAAAAAAAAAA") == (3, "not_found")
    assert office.ok(*report, "--complaint", first.lower())["awaiting"] == "applicant"
    assert base.refused("conduct", "dismiss", first, "--reason", "r", *COMPLIANCE) == (8, "already_decided")
    assert base.refused("conduct", "dismiss", second, "--reason", "r", *OPERATOR) == (4, "role_not_allowed")
    assert base.refused("conduct", "dismiss", "TS-AAAAAAAAAAAAAAAA", "--reason", "r", *COMPLIANCE) == (3, "not_found")
    office.ok("conduct", "dismiss", second, "--reason", "不属实", *COMPLIANCE)
    assert office.ok("conduct", "complaints", number, *COMPLIANCE) == []
    every = office.ok("conduct", "complaints", number, "--all", *COMPLIANCE)
    assert [(one["outcome"], one["reason"]) for one in every] == [("taken_up", ""), ("dismissed", "不属实")]
    told = office("timeline", number, *APPLICANT, *JSON).out
    assert "不属实" not in told and "complaint_dismissed" in told


def test_the_evidence_of_all_that_was_handed_in_can_be_read(base: Listed, tmp_path: Path) -> None:
    """By the staff; the base reads its own, and not what may show who reported."""
    office, number, id = base.office, base.number, f"{base.number}-C1"
    office.ok(
        "authorise",
        number,
        "--activity",
        "a",
        "--until",
        f"{base.today[:4]}-12-31",
        base.enterprise.document(),
        *CERTIFIER,
    )
    office.ok("conduct", "report", number, base.report(), *COMPLIANCE)
    office.ok("conduct", "respond", id, base.answer(), *APPLICANT)
    entries = {entry["event"]: entry["sequence"] for entry in office.ok("timeline", number)}
    given, report, answer = (
        f"{name}-{entries[event]}-1"
        for name, event in (
            ("authorisation", "activity_authorised"),
            ("conduct-C1", "conduct_reported"),
            ("conduct-C1", "conduct_answered"),
        )
    )

    def evidence(*words: str) -> dict[str, tuple[str, str]]:
        papers = office.ok("documents", "list", number, *words)
        return {one["path"]: (one["belongs_to"], one["by"]) for one in papers if one["sequence"]}

    assert evidence(*COMPLIANCE) == {
        given: ("authorisation", "certifier:zhao"),
        report: (f"conduct {id}", "compliance:he"),
        answer: (f"conduct {id}", "applicant:wang"),
    }
    assert set(evidence(*APPLICANT)) == {given, answer}
    opened = office.ok("documents", "open", number, report, *COMPLIANCE)["path"]
    assert Path(opened).name == f"{report}.pdf"
    assert Path(opened).read_bytes() == base.enterprise.file.with_name("documents").joinpath("policy.pdf").read_bytes()
    assert base.refused("documents", "open", number, report, *APPLICANT) == (3, "not_found")
    table = office("documents", "list", number, "--lang", "zh", *COMPLIANCE).out
    assert f"违规案件 {id}" in table and "书面授权" in table


def test_left_alone_it_suspends_the_base_and_asks_for_the_revocation(base: Listed) -> None:
    """Decision 27, with both clocks moved: the base's and the conduct case's."""
    office, number, id = base.office, base.number, f"{base.number}-C1"
    office.ok("conduct", "report", number, base.report(), *COMPLIANCE)
    moved = office.ok("fast-forward", number, "20d")
    assert office.ok("conduct", "show", id)["state"] == "decision"
    office.ok("conduct", "decide", id, "--outcome", "rectification", "--reason", "责令改正", *COMPLIANCE)
    moved = office.ok("fast-forward", number, "30d")
    assert (moved["standing"], office.ok("conduct", "show", id)["state"]) == ("suspended", "suspended")
    office.ok("fast-forward", number, "40d")
    assert office.ok("conduct", "show", id)["awaiting"] in ("applicant", "compliance")
    decide = ("conduct", "decide", id, "--outcome", "revocation", "--reason", "逾期未改正", *COMPLIANCE, "--yes", *JSON)
    (proposed, (proposal,)) = office(*decide), office.ok("show", number)["proposals"]
    assert f"livebase approvals show {proposal['id']}" in proposed.err, "what to type next"
    ended = office.ok("approvals", "approve", proposal["id"], *CERTIFIER)
    assert (ended["standing"], ended["stage"]) == ("revoked", "settling")
    (closed,) = office.ok("show", number)["conduct"]
    assert (closed["state"], closed["outcome"]) == ("closed", "revocation")


def test_an_urgent_report_suspends_at_once(base: Listed) -> None:
    office, number = base.office, base.number
    urgent = office.ok("conduct", "report", number, base.report(severity="serious"), "--urgent", *COMPLIANCE)
    assert urgent["standing"] == "suspended"
    assert [hold["kind"] for hold in office.ok("show", number)["holds"]] == [f"conduct:{number}-C1"]
    assert "renewal" not in str(office.ok("why", number)["holds"])


def test_a_report_on_r5_shows_what_was_authorised(base: Listed) -> None:
    office, number = base.office, base.number
    paper = base.enterprise.document()
    until = f"{int(base.today[:4]) + 1}-01-31"
    given = ("authorise", number, "--activity", "双十一专场", "--until", until, paper)
    assert base.refused(*given, *COMPLIANCE)[0] == 4
    office.ok(*given, *CERTIFIER)
    past = ("authorise", number, "--activity", "a", "--until", "2020-01-01", paper)
    assert base.refused(*past, *CERTIFIER) == (2, "invalid_value")
    office.ok("conduct", "report", number, base.report("R5"), *COMPLIANCE)
    shown = office.ok("conduct", "show", f"{number}-C1")
    (given,) = shown["authorisations"]
    assert (given["activity"], given["until"], given["in_force"], given["ended_at"]) == (
        "双十一专场",
        until,
        True,
        None,
    )
    assert f"through {until}, in force" in office("conduct", "show", f"{number}-C1").out
    office.ok("surrender", number, "--reason", "搬迁", *APPLICANT)
    (one,) = office.ok("conduct", "show", f"{number}-C1")["authorisations"]
    assert (one["in_force"], one["ended_at"]) == (False, office.ok("show", number)["ending"]["legal_at"])
    assert "已终止" in office("conduct", "show", f"{number}-C1", "--lang", "zh").out


@pytest.mark.parametrize(
    ("before", "after", "paths"),
    [
        ("rule: R6", "rule: R1", {"rule"}),
        ("severity: minor", "severity: huge", {"severity"}),
        ("evidence: [documents/policy.pdf]", "evidence: []", {"evidence"}),
        ("evidence: [documents/policy.pdf]", "evidence: [documents/none.pdf]", {"evidence[0]"}),
        ("facts: 组织刷单,见截图", "facts: ''\nmore: 1", {"facts", "more"}),
    ],
)
def test_a_report_that_is_wrong_names_every_problem_and_nothing_happens(
    base: Listed, before: str, after: str, paths: set[str]
) -> None:
    wrong = base.paper("wrong.yaml", base.report().read_text("utf-8").replace(before, after))
    done = base.office("conduct", "report", base.number, wrong, *COMPLIANCE, *JSON)
    assert (done.code, {problem["path"] for problem in done.error["problems"]}) == (2, paths)
    assert base.office.ok("show", base.number)["conduct"] == []
