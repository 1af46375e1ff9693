"""Patch ids live in `workflows/patches.py` alone; what is called is named there, and what is named there is called."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path

import pytest

from workflows import patches
from workflows.patches import Patch

WORKFLOWS = Path(patches.__file__).parent
CALLS = ("patched", "deprecate_patch")
TERM = timedelta(days=366)
"""How long a run lives at least: a patch is kept that long before it may be deprecated."""


def named_in(module: object) -> dict[str, Patch]:
    return {name: value for name, value in vars(module).items() if isinstance(value, Patch)}


def faults(named: Mapping[str, Patch], sources: Iterable[str]) -> list[str]:
    """What is wrong between the named patches and the calls in the sources."""
    found = [f"{name}: its id must be {name.lower()!r}" for name, patch in named.items() if patch.id != name.lower()]
    found += [
        f"{name}: kept less than a term" for name, patch in named.items() if patch.keep_until - patch.since < TERM
    ]
    found += [f"{name}: no reason" for name, patch in named.items() if not patch.why.strip()]
    used: set[str] = set()
    for source in sources:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ImportFrom) and node.module == "temporalio.workflow":
                found += [f"from temporalio.workflow import {a.name}" for a in node.names if a.name in CALLS]
            if (
                not isinstance(node, ast.Call)
                or not isinstance(node.func, ast.Attribute)
                or node.func.attr not in CALLS
            ):
                continue
            argument = ast.unparse(node.args[0]) if node.args else "nothing"
            name = argument.removeprefix("patches.").removesuffix(".id")
            if argument == f"patches.{name}.id" and name in named:
                used.add(name)
            else:
                found.append(f"{node.lineno}: {node.func.attr}({argument}) is not patches.NAME.id")
    return found + [f"{name} is not used" for name in named if name not in used]


def test_patches_and_calls_agree() -> None:
    assert faults(named_in(patches), [path.read_text("utf-8") for path in WORKFLOWS.glob("*.py")]) == []


ONE = Patch("told_first", date(2027, 3, 1), "the base is told before the list", date(2028, 4, 1))


@pytest.mark.parametrize(
    ("named", "source"),
    [
        ({"TOLD_FIRST": ONE}, "if workflow.patched(patches.TOLD_FIRST.id): ..."),
        ({"TOLD_FIRST": ONE}, "workflow.deprecate_patch(patches.TOLD_FIRST.id)"),
    ],
)
def test_a_patch_in_use_is_right(named: dict[str, Patch], source: str) -> None:
    assert faults(named, [source]) == []


@pytest.mark.parametrize(
    ("named", "source"),
    [
        ({}, "workflow.patched('told_first')"),
        ({}, "workflow.deprecate_patch(patches.TOLD_FIRST.id)"),
        ({}, "from temporalio.workflow import patched"),
        ({"TOLD_FIRST": ONE}, ""),
        ({"TOLD_LAST": ONE}, "workflow.patched(patches.TOLD_LAST.id)"),
        (
            {"TOLD_FIRST": Patch("told_first", date(2027, 3, 1), "why", date(2027, 6, 1))},
            "workflow.patched(patches.TOLD_FIRST.id)",
        ),
        (
            {"TOLD_FIRST": Patch("told_first", date(2027, 3, 1), " ", date(2028, 4, 1))},
            "workflow.patched(patches.TOLD_FIRST.id)",
        ),
    ],
)
def test_a_patch_out_of_place_is_found(named: dict[str, Patch], source: str) -> None:
    assert faults(named, [source])
