"""The sandbox does not see into passed-through modules, so the syntax tree is searched for clocks and chance."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FORBIDDEN_CALLS = {
    "now", "utcnow", "today", "time", "time_ns", "monotonic", "perf_counter", "uuid1", "uuid4", "uuid7",
    "random", "randint", "randrange", "choice", "choices", "shuffle", "sample", "token_hex", "token_bytes", "urandom",
    "getenv",
}  # fmt: skip
FORBIDDEN_MODULES = {"random", "secrets", "time", "uuid", "os", "socket", "subprocess", "threading"}
ALLOWED = {"workflow.now", "workflow.uuid4", "workflow.random"}
DETERMINISTIC = sorted([*ROOT.glob("domain/**/*.py"), *ROOT.glob("workflows/**/*.py")])


def offences(source: str) -> list[str]:
    """Every clock, random source or forbidden import in a module's source, as 'line: what'."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name.rsplit(".", 1)[-1] in FORBIDDEN_CALLS and name not in ALLOWED:
                found.append(f"{node.lineno}: {name}()")
        elif isinstance(node, ast.Import):
            found += [
                f"{node.lineno}: import {a.name}" for a in node.names if a.name.split(".")[0] in FORBIDDEN_MODULES
            ]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in FORBIDDEN_MODULES:
            found.append(f"{node.lineno}: from {node.module}")
    return found


@pytest.mark.parametrize("path", DETERMINISTIC, ids=lambda path: str(path.relative_to(ROOT)))
def test_rules_and_workflows_read_no_clock_and_no_chance(path: Path) -> None:
    assert offences(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import datetime\ndatetime.now()",
        "from datetime import date\ndate.today()",
        "import time",
        "from uuid import uuid4",
        "import random",
        "def f(clock=datetime.utcnow()): ...",
        "import os",
    ],
)
def test_the_search_finds_what_it_is_for(source: str) -> None:
    assert offences(source)


@pytest.mark.parametrize("path", sorted(ROOT.glob("workflows/*.py")), ids=lambda path: path.name)
def test_every_wait_arms_a_timer(path: Path) -> None:
    """A bare wait hides a changed workflow from the replay check; only `all_handlers_finished` needs none."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "workflow.wait_condition":
            argument = ast.unparse(node.args[0])
            assert argument == "workflow.all_handlers_finished" or any(k.arg == "timeout" for k in node.keywords), (
                f"{path.name}:{node.lineno} waits without a timer"
            )


def test_activities_and_the_store_read_no_clock() -> None:
    clocks = {"now", "utcnow", "today", "time", "time_ns"}
    for path in [*ROOT.glob("activities/**/*.py"), *ROOT.glob("store/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                assert node.func.attr not in clocks, f"{path.relative_to(ROOT)}:{node.lineno} reads a clock"
