"""suspend, reinstate, revoke, approvals, surrender, dissolve, correct, marks check through the real process."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest

from tests.starter.conftest import ANSWER, APPLICANT, CERTIFIER, FINANCE, OPERATOR, REVIEWER, certify, enterprise_in
from tests.starter.livebase import EXECUTABLE, ROOT, Livebase, Running, at_once

ONLY_ON = "postgresql"
"""With a worker's and a reader's rights; the demo goes the same way on SQLite."""

HE, FENG = ("--as", "compliance:he"), ("--as", "compliance:feng")
WHY = ("--reason", "刷榜刷数据")
JSON = ("-o", "json")


@pytest.fixture(scope="module")
def bases(dev: Running, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The numbers of two certified bases: one to be revoked, one to leave."""
    folder = tmp_path_factory.mktemp("measures")

    def certified(name: str) -> str:
        number: str = dev.ok("apply", enterprise_in(folder / name).file, *APPLICANT)["case_number"]
        certify(dev, number)
        return number

    one, two = at_once(certified, ["one", "two"])
    return one, two


def typed(dev: Running, line: str, *words: str) -> tuple[int, Any]:
    """A command on a terminal, where a line is typed: its exit code and its JSON."""
    terminal, theirs = pty.openpty()
    command = [str(EXECUTABLE), *words]
    process = subprocess.Popen(command, cwd=ROOT, env=dev.environ(), stdin=theirs, stdout=PIPE, stderr=PIPE, text=True)
    os.close(theirs)
    os.write(terminal, f"{line}\n".encode())
    out, _ = process.communicate(timeout=90)
    os.close(terminal)
    return process.returncode, json.loads(out)


def file_of(folder: Path, text: str) -> Path:
    file = folder / "correction.yaml"
    file.write_text(text, "utf-8")
    return file


def test_a_suspension_is_seen_everywhere_and_lifted(dev: Running, bases: tuple[str, str]) -> None:
    number = bases[0]
    with dev.unchanged():
        foretold = dev.ok("suspend", number, *WHY, *HE, "--dry-run")
    assert foretold["dry_run"] and foretold["standing"] == "suspended"
    answer = dev.ok("suspend", number, *WHY, *HE)
    assert set(answer) == ANSWER and (answer["stage"], answer["standing"]) == ("valid", "suspended")
    view, why, following, again, listed, table = dev.each(
        ("show", number, *JSON),
        ("why", number, *JSON),
        ("next", number, *JSON),
        ("suspend", number, *WHY, *HE, *JSON),
        ("list", "--standing", "suspended", *JSON),
        ("show", number, "--lang", "zh"),
    )
    (hold,) = view.json["holds"]
    assert (hold["kind"], hold["reason"]) == ("compliance", "刷榜刷数据")
    assert {(one["state"], one["paused_since"]) for one in view.json["benefits"]} == {("granted", hold["since"])}
    assert view.json["publication"]["state"] == "published", "it stays listed, as suspended"
    assert why.json["holds"] == [hold] and why.json["decisions"][-1]["kind"] == "suspended"
    assert following.json["commands"]["reinstate"] == ["compliance"] and "suspend" not in following.json["commands"]
    assert (again.code, again.error["kind"]) == (5, "wrong_stage")
    assert number in {row["case_number"] for row in listed.json}
    assert "合规暂停" in table.out and "暂停 自" in table.out

    assert dev.ok("reinstate", number, "--reason", "已整改", *HE)["standing"] == "certified"
    view, again = dev.each(("show", number, *JSON), ("reinstate", number, *WHY, *HE, *JSON))
    assert view.json["holds"] == [] and {one["paused_since"] for one in view.json["benefits"]} == {None}
    assert (again.code, again.error["kind"]) == (5, "wrong_stage")


def test_a_correction_is_a_new_revision(dev: Running, bases: tuple[str, str], tmp_path: Path) -> None:
    number = bases[0]
    before = dev.ok("application", "show", number)["application"]
    account = before["base"]["platform_account"]
    corrected = file_of(
        tmp_path, f"base:\n  name: 义乌新北苑直播基地\n  address: 云集路1号\n  platform_account: {account}\n"
    )
    assert dev.ok("correct", number, corrected, *OPERATOR)["revision"] == 2
    view, application, why, old = dev.each(
        ("show", number, *JSON),
        ("application", "show", number, *JSON),
        ("why", number, *JSON),
        ("find", before["base"]["name"], *JSON),
    )
    assert view.json["name"] == application.json["application"]["base"]["name"] == "义乌新北苑直播基地"
    assert view.json["publication"]["register_revision"] == 4, "after suspended and reinstated"
    assert why.json["screening"]["revision"] == 1, "conditions are not judged again"
    assert number in {row["case_number"] for row in old.json}, "it is still found by its old name"

    moved = file_of(tmp_path, "base:\n  name: 另一家\n  address: 云集路1号\n  platform_account: other\n")
    done = dev("correct", number, moved, *OPERATOR, *JSON)
    assert (done.code, [problem["path"] for problem in done.error["problems"]]) == (2, ["base.platform_account"])
    done = dev("correct", number, corrected, *OPERATOR, *JSON)
    assert (done.code, done.error["kind"]) == (2, "invalid_value"), "nothing in it differs any more"


def test_a_revocation_takes_two_people(dev: Running, bases: tuple[str, str]) -> None:
    number = bases[0]
    bare = dev("revoke", number, *WHY, *HE, *JSON)
    assert (bare.code, bare.error["kind"]) == (2, "usage") and "--yes" in bare.err
    with dev.unchanged():
        assert dev.ok("revoke", number, *WHY, *HE, "--dry-run")["awaiting"] == "compliance"
    proposed = dev("revoke", number, *WHY, *HE, "--yes", *JSON)
    assert proposed.code == 0 and set(proposed.json) == ANSWER
    assert (proposed.json["standing"], proposed.json["awaiting"]) == ("certified", "compliance")
    found = re.search(r"approvals show (LB-\S+)", proposed.err)
    assert found is not None
    id = found[1]

    view, mine, hers, certifiers, shown, inbox, again = dev.each(
        ("show", number, *JSON),
        ("approvals", *HE, *JSON),
        ("approvals", *FENG, *JSON),
        ("approvals", *CERTIFIER, *JSON),
        ("approvals", "show", id.lower(), *FENG, *JSON),
        ("inbox", *CERTIFIER, *JSON),
        ("revoke", number, *WHY, *FENG, "--yes", *JSON),
    )
    assert [one["kind"] for one in view.json["tasks"]] == ["approve_revocation"]
    assert [one["id"] for one in view.json["proposals"]] == [id]
    assert id not in {row["id"] for row in mine.json}, "not for whoever proposed it"
    for others in (hers, certifiers):
        assert id in {row["id"] for row in others.json}
    assert (number, "approve_revocation") in {(row["case_number"], row["kind"]) for row in inbox.json}
    proposal = shown.json
    assert proposal["parameters"] == {"reason": "刷榜刷数据"} and proposal["action"] == "revoke"
    assert (proposal["proposed_by"], proposal["changed"], proposal["outcome"]) == ("compliance:he", False, None)
    assert proposal["roles"] == ["compliance", "certifier"] and re.fullmatch("[0-9a-f]{64}", proposal["content"])
    assert (again.code, again.error["kind"]) == (5, "proposal_pending")

    approve = ("approvals", "approve", id, *JSON)
    refused = dev.each(
        (*approve, "--as", "certifier:He"),
        (*approve, *REVIEWER),
        (*approve, "--content", "0" * 64, *FENG),
        ("approvals", "approve", f"{number}-999", *FENG, *JSON),
        ("approvals", "show", f"{number}-999", *FENG, *JSON),
        ("approvals", "approve", "LB-1", *FENG, *JSON),
        ("approvals", "approve", id, "--content", "abc", *FENG, *JSON),
        ("approvals", *APPLICANT, *JSON),
    )
    assert [(one.code, one.error["kind"]) for one in refused] == [
        (4, "second_person_required"),
        (4, "role_not_allowed"),
        (8, "proposal_changed"),
        (3, "not_found"),
        (3, "not_found"),
        (2, "usage"),
        (2, "usage"),
        (4, "role_not_allowed"),
    ]
    zh, table = dev.each(("approvals", "show", id, "--lang", "zh"), ("approvals", "--lang", "zh"))
    assert "撤销认证" in zh.out and proposal["content"] in zh.out and id in table.out

    with dev.unchanged():
        assert dev.ok("approvals", "approve", id, *FENG, "--dry-run")["standing"] == "revoked"
    done = dev("approvals", "approve", id, *FENG, *JSON)
    assert done.code == 0 and (done.json["stage"], done.json["standing"]) == ("settling", "revoked")
    assert proposal["content"] in done.err, "what is approved is shown"
    view, timeline, repeated = dev.each(("show", number, *JSON), ("timeline", number, *JSON), (*approve, *CERTIFIER))
    assert view.json["ending"]["kind"] == "revoked" and view.json["publication"]["state"] == "withdrawn"
    assert {one["state"] for one in view.json["benefits"]} == {"withdrawn"} and view.json["proposals"] == []
    last: dict[str, Any] = timeline.json[-1]
    assert (last["actor"], last["detail"]["proposed_by"]) == ("compliance:feng", "compliance:he")
    assert (repeated.code, repeated.error["kind"]) == (8, "already_decided")

    checked = dev.ok("marks", "check", number, "--result", "招牌仍在", *OPERATOR)
    assert checked["stage"] == "settling"
    assert dev.ok("why", number)["decisions"][-1]["reason"] == "招牌仍在"


def test_a_denial_ends_it_and_a_base_leaves_by_itself(dev: Running, bases: tuple[str, str]) -> None:
    number = bases[1]
    code, told = typed(dev, "LB-2026-999999", "revoke", number, *WHY, *HE, *JSON)
    assert (code, told["error"]["kind"]) == (2, "usage"), "another number was typed"
    code, told = typed(dev, number.lower(), "revoke", number, *WHY, *HE, *JSON)
    assert (code, told["awaiting"]) == (0, "compliance")
    (proposal,) = dev.ok("show", number)["proposals"]
    assert dev.ok("approvals", "deny", proposal["id"], "--reason", "证据不足", *CERTIFIER)["awaiting"] == "nobody"
    done, early, foreign = dev.each(
        ("approvals", "approve", proposal["id"], *FENG, *JSON),
        ("marks", "check", number, "--result", "r", *HE, *JSON),
        ("surrender", number, *WHY, "--as", "applicant:zhang", *JSON),
    )
    assert (done.code, done.error["kind"]) == (8, "already_decided")
    assert (early.code, early.error["kind"]) == (5, "wrong_stage")
    assert (foreign.code, foreign.error["kind"]) == (4, "not_own_case")
    left = dev.ok("surrender", number, "--reason", "不再经营", *OPERATOR, "--on-behalf", "wang")
    assert (left["stage"], left["standing"], left["awaiting"]) == ("settling", "surrendered", "applicant")
    again = dev("suspend", number, *WHY, *HE, *JSON)
    assert (again.code, again.error["kind"]) == (5, "already_ended")


def test_a_dissolution_ends_an_application_too(dev: Running, applied: str) -> None:
    answer = dev.ok("dissolve", applied, "--reason", "登记机关已注销", *OPERATOR)
    assert (answer["stage"], answer["standing"]) == ("closed", "dissolved")


@pytest.mark.parametrize(
    "words",
    [
        ("suspend", "LB-2026-000001", *HE),
        ("suspend", "LB-2026-000001", "--reason", " ", *HE),
        ("revoke", "LB-2026-000001", "--reason", " ", "--yes", *HE),
        ("revoke", "LB-2026-000001", *WHY, *HE),
        ("marks", "check", "LB-2026-000001", "--result", "\u200b", *HE),
        ("approvals", "deny", "LB-2026-000001-7", *FENG),
        ("approvals", "deny", "17", *WHY, *FENG),
    ],
    ids=lambda words: " ".join(words)[:40],
)
def test_what_is_typed_wrong_is_refused_before_anything_is_reached(livebase: Livebase, words: tuple[str, ...]) -> None:
    done = livebase(*words, *JSON)
    assert (done.code, done.error["kind"]) == (2, "usage")


def test_a_correction_of_anything_else_names_all_of_it(livebase: Livebase, tmp_path: Path) -> None:
    file = file_of(tmp_path, "entity: {}\nfacilities: {}\ncontact: {}\n")
    done = livebase("correct", "LB-2026-000001", file, *OPERATOR, *JSON)
    assert (done.code, [problem["path"] for problem in done.error["problems"]]) == (2, ["entity", "facilities"])


def test_only_their_roles(dev: Running, applied: str) -> None:
    done = dev.each(
        ("suspend", applied, *WHY, *OPERATOR, *JSON),
        ("reinstate", applied, *WHY, *CERTIFIER, *JSON),
        ("revoke", applied, *WHY, "--yes", *CERTIFIER, *JSON),
        ("surrender", applied, *WHY, *HE, *JSON),
        ("dissolve", applied, *WHY, *HE, *JSON),
        ("marks", "check", applied, "--result", "r", *FINANCE, *JSON),
    )
    assert {(one.code, one.error["kind"]) for one in done} == {(4, "role_not_allowed")}
