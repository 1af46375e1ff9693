"""YAML and JSON that could hurt, and what is read from the plain kind (rows of `research/bad-input.md`)."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.refusals import Problem
from starter.structured_text import MAX_BYTES, MAX_DEPTH, MAX_VALUES, InvalidFile, read_structured_file

BOM = b"\xef\xbb\xbf"
LAUGHS = b"a: &a [x]\n" + b"".join(b"%c: &%c [*%c, *%c]\n" % (98 + i, 98 + i, 97 + i, 97 + i) for i in range(20))


def refused(path: Path) -> tuple[Problem, ...]:
    """The problems of a file. Read in full, one of these would take minutes or all memory."""
    began = time.monotonic()
    with pytest.raises(InvalidFile) as invalid:
        read_structured_file(path)
    assert time.monotonic() - began < 20
    return invalid.value.problems


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


# --------------------------------------------------------------------------------------------- files


def test_row_2_what_is_no_regular_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    assert "does not exist" in refused(tmp_path / "none.yaml")[0].message
    for path in (tmp_path, tmp_path / "pipe.yaml", Path("/dev/zero")):
        assert refused(path) == (Problem("", "is not a regular file"),)


@pytest.mark.parametrize("size", [300 * 1024**2, MAX_BYTES + 1])
def test_row_7_too_large_is_refused_without_reading(tmp_path: Path, size: int) -> None:
    path = written(tmp_path, "large.json", b"")
    os.truncate(path, size)
    assert refused(path) == (Problem("", "is larger than 1 MiB"),)


def test_a_file_of_1_mib_is_read(tmp_path: Path) -> None:
    line = b"#" + b"x" * 1022 + b"\n"
    path = written(tmp_path, "full.yaml", (line * 1024)[: MAX_BYTES - 5] + b"\na: 1")
    assert path.stat().st_size == MAX_BYTES
    assert read_structured_file(path) == ({"a": 1}, ())


REFUSED: list[tuple[str, str, bytes, str]] = [
    # what, file name, content, a word of the message
    ("row 1: empty", "f.yaml", b"", "empty"),
    ("row 1: a BOM only", "f.json", BOM, "empty"),
    ("row 1: space only", "f.yaml", b" \n\t\n", "empty"),
    ("only a comment", "f.yaml", b"# nothing\n", "nothing"),
    ("row 4: JSON", "f.json", b'{"a": 1,\n "b" 2}', "line 2, column 6"),
    ("row 4: YAML", "f.yaml", b"a: 1\nb: [1, 2\nc: 3\n", "line 3, column 2"),
    ("row 4: YAML, a tab", "f.yaml", b"a:\n\tb: 1\n", "line 2, column 1"),
    ("row 5: NaN in JSON", "f.json", b'{"a": NaN}', "number"),
    ("row 5: Infinity in JSON", "f.json", b'{"a": -Infinity}', "number"),
    ("row 5: 1e400 in JSON", "f.json", b'{"a": 1e400}', "number"),
    ("row 5: .nan in YAML", "f.yaml", b"a: .nan\n", "number"),
    ("row 5: .inf in YAML", "f.yaml", b"a: -.INF\n", "number"),
    ("row 5: 1e400 in YAML", "f.yaml", b"a: 1e400\n", "number"),
    ("a number of 5,000 digits in JSON", "f.json", b'{"a": %s}' % (b"9" * 5000), "number"),
    ("a number of 5,000 digits in YAML", "f.yaml", b"a: %s\n" % (b"9" * 5000), "number"),
    ("row 6: 100,000 lists in JSON", "f.json", b"[" * 100_000, "nested"),
    ("row 6: 100,000 closed lists in JSON", "f.json", b"[" * 100_000 + b"]" * 100_000, "nested"),
    ("row 6: 100,000 mappings in JSON", "f.json", b'{"a":' * 100_000, "nested"),
    ("row 6: 100,000 lists in YAML", "f.yaml", b"a: " + b"[\n" * 100_000, "nested"),
    ("row 6: 51 levels in JSON", "f.json", b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "nested"),
    ("row 6: 51 levels in YAML", "f.yaml", b"- " * (MAX_DEPTH + 1) + b"x", "nested"),
    ("too many values in JSON", "f.json", b"[" + b"1," * MAX_VALUES + b"1]", "20,000 values"),
    ("too many values in YAML", "f.yaml", b"- a\n" * (MAX_VALUES + 1), "20,000 values"),
    ("row 8: a Python tag", "f.yaml", b'a: !!python/object/apply:os.system ["touch /tmp/hurt"]\n', "tag"),
    ("a tag of its own", "f.yaml", b"a: !secret x\n", "tag (!name): write the value plainly (line 1, column 4)"),
    ("row 9: a billion laughs", "f.yaml", LAUGHS, "alias"),
    ("an alias to itself", "f.yaml", b"a: &a [*a]\n", "line 1, column 8"),
    ("a second document", "f.yaml", b"a: 1\n---\na: 2\n", "second document"),
    ("a name that is a list", "f.yaml", b"? [a]\n: 1\n", "name is not text"),
    ("UTF-16", "f.yaml", "a: 1\n".encode("utf-16"), "UTF-8"),
    ("GBK", "f.yaml", "名: 义乌\n".encode("gbk"), "UTF-8"),
    ("a null byte", "f.yaml", b"a: b\x00\n", "not YAML"),
    ("no such character", "f.yaml", b'a: "\\U00110000"\n', "not YAML"),
    ("one line of exclamation marks", "f.yaml", b"!" * 1_000_000, "10,000 characters"),
    ("YAML under a JSON name", "f.json", b"a: 1\n", "not JSON"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "word"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_refused(tmp_path: Path, name: str, content: bytes, word: str) -> None:
    (problem,) = refused(written(tmp_path, name, content))
    assert problem.path == ""
    assert word in problem.message


def test_what_is_wrong_is_told_without_the_content(tmp_path: Path) -> None:
    for content in (b'a: "\xe7\x8e\x8b secret', b"a: secret: b\n", b"a: @secret\n", b"a: *secret\n", b"%secret\n---\n"):
        assert "secret" not in refused(written(tmp_path, "f.yaml", content))[0].message


READ: list[tuple[str, str, bytes, Any]] = [
    ("a BOM", "f.yaml", BOM + "名: 义乌\n".encode(), {"名": "义乌"}),
    ("a BOM before JSON", "f.json", BOM + b'{"a": 1}', {"a": 1}),
    ("CRLF", "f.yaml", b"a: 1\r\nb: x\r\n", {"a": 1, "b": "x"}),
    ("JSON under a YAML name", "f.yaml", b'{"a":\t"\\ud83d\\ude00"}', {"a": "😀"}),
    ("YAML in braces", "f.yaml", b"{a: 1, b: [x, 'y']}", {"a": 1, "b": ["x", "y"]}),
    ("another name", "f.txt", b"a: 1", {"a": 1}),
    (
        "dates stay text",
        "f.yaml",
        b"a: 2026-01-05\nb: 2026-01-05 10:00:00\n",
        {"a": "2026-01-05", "b": "2026-01-05 10:00:00"},
    ),
    (
        "YAML 1.2, not 1.1",
        "f.yaml",
        b"a: no\nb: 0777\nc: 12:30\n<<: {d: 1}\n",
        {"a": "no", "b": 777, "c": "12:30", "<<": {"d": 1}},
    ),
    (
        "numbers",
        "f.yaml",
        b"a: 860.5\nb: -1\nc: 0x1F\nd: 1e3\ne: 0o17\n",
        {"a": 860.5, "b": -1, "c": 31, "d": 1000.0, "e": 15},
    ),
    (
        "null and booleans",
        "f.yaml",
        b"a:\nb: ~\nc: null\nd: true\ne: 'null'\n",
        {"a": None, "b": None, "c": None, "d": True, "e": "null"},
    ),
    (
        "codes of digits, or with an E",
        "f.yaml",
        b"a: 913307820000000014\nb: 9133078200000E1234\n",
        {"a": "913307820000000014", "b": "9133078200000E1234"},
    ),
    ("an anchor nobody uses", "f.yaml", b"a: &x 1\n", {"a": 1}),
    ("a list", "f.yaml", b"- 1\n- 2\n", [1, 2]),
    ("50 levels", "f.yaml", b"- " * (MAX_DEPTH - 1) + b"[x]", None),
    ("rare characters", "f.yaml", 'a: 𠀋\nb: "\\U00030000"\n'.encode(), {"a": "𠀋", "b": "\U00030000"}),
]


@pytest.mark.parametrize(("name", "content", "data"), [r[1:] for r in READ], ids=[r[0] for r in READ])
def test_read(tmp_path: Path, name: str, content: bytes, data: Any) -> None:
    read, problems = read_structured_file(written(tmp_path, name, content))
    assert problems == ()
    assert data is None or read == data


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        (
            "f.json",
            b'{"a": [{"b": 1, "b": 2}], "c": 1, "c": 1}',
            {Problem("a[0].b", "is there twice"), Problem("c", "is there twice")},
        ),
        (
            "f.yaml",
            b"a:\n- b: 1\n  b: 2\nc: 1\n'c': 1\n",
            {Problem("a[0].b", "is there twice (line 3)"), Problem("c", "is there twice (line 5)")},
        ),
    ],
)
def test_keys_there_twice_are_told_with_their_paths(
    tmp_path: Path, name: str, content: bytes, expected: set[Problem]
) -> None:
    assert set(read_structured_file(written(tmp_path, name, content))[1]) == expected


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=80) | st.text(alphabet="{}[]:,-?|>&*!%@'\"\\ \n\tab1~#.<=", max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(content)
    try:
        read_structured_file(path)
    except InvalidFile as invalid:
        assert len(invalid.problems) == 1  # noqa: PT017
