"""docs/requirements.md is whole and true: every id has its row, and every place and test a row names is there."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENT = (ROOT / "docs" / "requirements.md").read_text("utf-8")

REQUIREMENTS = [f"{letter}{n}" for letter, last in (("B", 3), ("A", 5), ("P", 6), ("R", 9)) for n in range(1, last + 1)]
DECISIONS = [f"decision {n}" for n in range(1, 36)]
EDGE_CASES = [f"edge case {n}" for n in (*range(1, 27), *range(33, 62))]
BAD_INPUT = [f"bad input {n}" for n in range(1, 71)]
IDS = [*REQUIREMENTS, *DECISIONS, *EDGE_CASES, *BAD_INPUT]
"""Every id the document has a row for, in its order."""

MENTIONING = ("domain", "workflows", "activities", "store", "starter", "register")
STATE = re.compile(r"built|\*\*(?:part|not yet)\*\* — \S.+")


@dataclass(frozen=True)
class Row:
    """A row: its id, `built` or what is missing, and the places and tests it names (None: no such column)."""

    id: str
    state: str
    places: str | None
    tests: str


def rows(document: str) -> list[Row]:
    """The rows of every table that has an `id` column."""
    found, columns = [], None
    for line in document.splitlines():
        if not line.startswith("|"):
            columns = None
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if columns is None:
            columns = cells if cells[0] == "id" else []
        elif columns and not set(cells[0]) <= set("-:"):
            row = dict(zip(columns, cells, strict=True))
            found.append(Row(row["id"], row["today"], row.get("where"), row["proven by"]))
    return found


def named(cell: str) -> list[str]:
    """What a cell names: each in backticks, a line each. Anything else is named as it stands, so that it is found."""
    return [part.strip().removeprefix("`").removesuffix("`") for part in cell.split("<br>") if part.strip()]


@cache
def names_in(path: str) -> frozenset[str]:
    """The functions, classes, methods (`Class.method`) and constants of a module of this repository."""
    found = set()
    for node in ast.parse((ROOT / path).read_text("utf-8")).body:
        found |= _defined(node)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{name}" for part in node.body for name in _defined(part)}
    return frozenset(found)


def _defined(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {target.id for target in targets if isinstance(target, ast.Name)}


def is_test(name: str) -> bool:
    """Whether `tests/…/test_x.py::test_y` or `…::TestX::test_y` is there."""
    path, *inside = name.split("::")
    if not inside or not inside[-1].startswith("test_") or not re.fullmatch(r"tests/(\w+/)*test_\w+\.py", path):
        return False
    return (ROOT / path).is_file() and ".".join(inside) in names_in(path)


def is_place(name: str) -> bool:
    """Whether a file, or `module.py::function`, `::Class` or `::Class.method` of it, is there."""
    path, _, inside = name.partition("::")
    return (ROOT / path).is_file() and not path.startswith("tests/") and (not inside or inside in names_in(path))


def wrong(document: str) -> list[str]:
    """Everything that is wrong with the document, a sentence each."""
    there = rows(document)
    ids = [row.id for row in there]
    found = [f"{id} has no row" for id in IDS if id not in ids]
    found += [f"{id} is no known id" for id in ids if id not in IDS]
    found += [f"{id} has more than one row" for id in IDS if ids.count(id) > 1]
    for row in there:
        tests, places = named(row.tests), named(row.places or "")
        found += [f"{row.id}: {test} is no test" for test in tests if not is_test(test)]
        found += [f"{row.id}: {place} is no place in the code" for place in places if not is_place(place)]
        if not STATE.fullmatch(row.state):
            found.append(f"{row.id} is neither built nor marked as part or not yet with the reason")
        elif row.state.startswith("**not yet**"):
            found += [f"{row.id} is not there yet and names a test or a place"] if tests or places else []
        else:
            found += [] if tests else [f"{row.id} is there and names no test"]
            found += [f"{row.id} is there and names no place"] if row.places == "" else []
    return found


def test_the_document_is_whole_and_what_it_names_is_there() -> None:
    found = wrong(DOCUMENT)
    assert not found, "\n".join(found)


A3, ABSENT = (
    next((row for row in DOCUMENT.splitlines() if row.startswith(f"| {id} |")), "") for id in ("A3", "bad input 36")
)
A_TEST = "tests/domain/test_deposit.py::test_parts_add_up"


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (A3, "", "A3 has no row"),
        (A3, f"{A3}\n{A3}", "A3 has more than one row"),
        (A3, A3.replace("A3", "A33"), "A33 is no known id"),
        (A3, A3.replace("::test_parts_add_up", "::test_parts"), "A3: tests/domain/test_deposit.py::test_parts is"),
        (A3, A3.replace("tests/domain/test_deposit", "tests/domain/test_none"), "A3: tests/domain/test_none.py"),
        (A3, A3.replace(f"`{A_TEST}`", f"see `{A_TEST}`"), "A3: see `tests/domain"),
        (A3, A3.replace("deposit.py::receive", "deposit.py::none"), "A3: domain/deposit.py::none"),
        (A3, A3.replace("`domain/deposit.py", "`domain/none.py"), "A3: domain/none.py"),
        (A3, re.sub(r"\|[^|]*tests/[^|]*\|$", "| |", A3), "A3 is there and names no test"),
        (A3, re.sub(r"\|[^|]*domain/[^|]*\|", "| |", A3, count=1), "A3 is there and names no place"),
        (A3, A3.replace("| built |", "| done |"), "A3 is neither built nor"),
        (ABSENT, re.sub(r"\*\*not yet\*\* — [^|]*", "**not yet** ", ABSENT), "bad input 36 is neither built nor"),
        (ABSENT, re.sub(r"\|\s*\|$", f"| `{A_TEST}` |", ABSENT), "bad input 36 is not there yet and names a test"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_document_is_noticed(before: str, after: str, told: str) -> None:
    assert after != before
    assert [one for one in wrong(DOCUMENT.replace(before, after)) if one.startswith(told)]


def mentioned(text: str) -> set[str]:
    """The ids a text mentions: `R3`, `requirement A2`, `decision 15`, `decisions 1, 2 and 4`, `decisions 18 to 20`."""
    found = set(re.findall(r"\b[ABPR]\d{1,2}\b", text)) | set(re.findall(r"\brequirements?\s+([A-Z]*\d+)", text))
    for numbers in re.findall(r"\bdecisions?\s+(\d+(?:(?:,|,?\s+and|\s+to)\s+\d+)*)", text):
        found |= {f"decision {number}" for number in re.findall(r"\d+", numbers)}
    return found


@pytest.mark.parametrize("package", MENTIONING)
def test_every_id_the_code_mentions_is_known(package: str) -> None:
    files = [path for ending in ("py", "yaml") for path in sorted((ROOT / package).rglob(f"*.{ending}"))]
    unknown = {
        f"{path.relative_to(ROOT)}: {id}"
        for path in files
        for id in mentioned(path.read_text("utf-8")) - {*REQUIREMENTS, *DECISIONS}
    }
    assert files
    assert not unknown, sorted(unknown)


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("# by R3, and A4.area", {"R3", "A4"}),
        ("requirement A9 (R10)", {"A9", "R10"}),
        ("(decisions 1, 22 and 36; policy 2027.1)", {"decision 1", "decision 22", "decision 36"}),
        ("source: requirement 7", {"7"}),
        ("decisions 18\n    to 20", {"decision 18", "decision 20"}),
        ("P1Y, B-1, LB-2026-000001, two decisions in 2026", set()),
    ],
)  # fmt: skip
def test_the_forms_in_which_ids_are_mentioned_are_found(text: str, ids: set[str]) -> None:
    assert mentioned(text) == ids
