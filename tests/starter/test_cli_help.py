"""The commands, their help, and the options all of them share."""

from __future__ import annotations

import gc
import inspect
import re
import subprocess
import sys

import pytest
import typer

from starter import local
from starter.main import asked_for, build_app
from starter.options import COMMON
from tests.starter.livebase import ROOT, Livebase

COMMANDS = (
    "dev", "demo", "doctor", "worker", "check", "apply", "supplement", "withdraw", "application show",
    "documents list", "documents open", "documents save", "review take", "review release", "review approve",
    "review request", "review reject", "deposit receive", "deposit show", "deposit deduct", "deposit refund",
    "deposit import", "deposit reverse", "deposit reconcile", "report deposits",
    "deposit unmatched assign", "deposit unmatched return", "certify", "publish",
    "marks confirm", "show", "list", "find", "inbox", "timeline", "why", "next", "calendar explain", "calendar import",
    "calendar status", "policy show", "fast-forward", "notices list", "notices show", "notices resend",
    "assign", "extend", "note add", "note list", "renew", "renewal approve", "renewal request", "renewal reject",
    "conduct report", "conduct respond", "conduct decide", "conduct show", "conduct list",
    "conduct complaints", "conduct dismiss", "authorise",
    "appeal file", "appeal decide", "set-aside", "waive", "documents erase",
    "suspend", "reinstate", "revoke", "surrender", "dissolve", "correct",
    "marks check", "verification accept", "approvals show", "approvals approve", "approvals deny",
    "assess import", "assess show", "assess confirm", "assess object", "assess decide",
    "report expiring", "report workload", "report publication",
    "register serve", "register verify", "register export", "register reconcile",
    "audit verify", "audit export", "audit refused",
    "login", "actors add", "actors grant", "actors revoke", "actors list",
)  # fmt: skip
HEAVY = {
    "temporalio",
    "sqlalchemy",
    "pydantic",
    "alembic",
    "obstore",
    "ruamel",
    "psutil",
    "domain",
    "store",
    "audit",
    "rich",
}


def all_commands(app: typer.Typer, before: str = "") -> dict[str, object]:
    found = {f"{before}{command.name}": command.callback for command in app.registered_commands}
    for group in app.registered_groups:
        assert group.typer_instance is not None
        found |= all_commands(group.typer_instance, f"{before}{group.name or group.typer_instance.info.name} ")
    return found


def test_every_command_is_there_and_no_other() -> None:
    assert sorted(all_commands(build_app())) == sorted(COMMANDS)


def test_whoever_names_a_command_waits_for_no_other_to_be_made() -> None:
    assert list(all_commands(asked_for(["show", "list"]))) == ["show"]
    reviewing = [name for name in COMMANDS if name.startswith("review ")]
    assert list(all_commands(asked_for(["review", "take"]))) == reviewing
    for words in ([], ["shwo", "show"], ["--help", "show"]):
        assert sorted(all_commands(asked_for(words))) == sorted(COMMANDS)


def test_what_lives_long_collects_its_garbage() -> None:
    async def collecting() -> bool:
        return gc.isenabled()

    gc.disable()
    assert local._run(collecting())


def test_no_command_is_a_coroutine() -> None:
    """Typer never awaits one and says nothing."""
    assert not [name for name, run in all_commands(build_app()).items() if inspect.iscoroutinefunction(run)]


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_of_every_command_with_the_common_options(livebase: Livebase, name: str) -> None:
    done = livebase(*name.split(), "--help")
    assert done.code == 0
    assert done.err == ""
    for option in ("--output", "--as", "--on-behalf", "--request-id", "--lang", "--dry-run", "--debug", "--yes",
                   "--profile", "--address", "--namespace", "--data-dir"):  # fmt: skip
        assert option in done.out
    assert len(COMMON) == 12


def test_help_imports_nothing_heavy() -> None:
    timed = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "starter.main", "--help"], cwd=ROOT, capture_output=True, text=True
    )
    assert timed.returncode == 0
    imported = {line.rsplit("|", 1)[1].strip().split(".")[0] for line in timed.stderr.splitlines() if "|" in line}
    assert "typer" in imported
    assert not imported & HEAVY


def test_options_before_within_and_after_the_command(livebase: Livebase) -> None:
    words = ("calendar", "explain", "2026-02-13", "--days", "7")
    after = livebase(*words, "-o", "json")
    assert after.code == 0
    assert livebase("--output", "json", *words).json == after.json
    assert livebase("calendar", "--output=json", *words[1:]).json == after.json
    assert livebase("-o", "table", *words, "-ojson").json == after.json, "the last one counts"


def test_what_is_typed_goes_over_the_environment(livebase: Livebase) -> None:
    """With LIVEBASE_AS set to nonsense, a good --as before the command counts: it gets as far as the database."""
    done = livebase("--as", "reviewer:li", "review", "take", "X", env={"LIVEBASE_AS": "nonsense"})
    assert done.code == 6
    assert livebase("review", "take", "X", env={"LIVEBASE_AS": "nonsense"}).code == 2


def test_shell_completion_is_offered(livebase: Livebase) -> None:
    done = livebase("--show-completion", "bash")
    assert done.code == 0
    assert re.search(r"complete .*livebase", done.out)


def test_without_a_command_the_help_is_shown(livebase: Livebase) -> None:
    for words in ((), ("review",)):
        done = livebase(*words)
        assert done.code == 2
        assert "Commands:" in done.err
        assert done.out == ""
