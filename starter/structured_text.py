"""YAML 1.2 or JSON from a file somebody hands in, read so that no file can hurt.

At most 1 MiB, a regular file, UTF-8. YAML is built from the parser's events, never by a constructor: no tags, no
aliases, at most 50 levels and 20,000 values. Keys that are there twice, numbers that are none and a second
document are refused. What is wrong is told with its line and column, never with its content.
"""

from __future__ import annotations

import json
import math
import os
import re
import stat
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    ScalarEvent,
)

from domain.fields import dotted
from domain.refusals import Problem

MAX_BYTES = 1024**2
MAX_DEPTH = 50
MAX_VALUES = 20_000
MAX_LINE = 10_000
MAX_DIGITS = 30

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEAN = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NO_NUMBER = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_CREDIT_CODE = re.compile(r"[0-9][0-9A-Za-z]{17}")
_TOO_DEEP = f"is nested deeper than {MAX_DEPTH} levels"
_TOO_MANY = f"holds more than {MAX_VALUES:,} values"
_NO_SUCH_NUMBER = "holds a number that can't be used (too large, infinite, or none)"


class InvalidFile(Exception):
    """A file people hand in has problems; the path "" stands for the file as a whole. Holds no values."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(f"{problem.path} {problem.message}".strip() for problem in problems))
        self.problems = problems


def read_structured_file(path: Path) -> tuple[Any, tuple[Problem, ...]]:
    """What the file holds, and the problems that don't keep it from being judged further (keys there twice).

    Mappings, lists, text, whole numbers, floats, booleans and null; dates stay text. Raises `InvalidFile` when
    it can't be read at all. Devices, pipes and files over 1 MiB are refused without being read.
    """
    text = read_text(path)
    suffix = path.suffix.lower()
    if suffix == ".json" or text.lstrip()[:1] in ("{", "["):
        try:
            return _from_json(text)
        except json.JSONDecodeError as error:
            if suffix == ".json":
                _refuse(f"is not JSON: line {error.lineno}, column {error.colno}: {error.msg}")
    return _from_yaml(text)


def _refuse(message: str) -> NoReturn:
    raise InvalidFile((Problem("", message),))


def read_text(path: Path, limit: int = MAX_BYTES) -> str:
    """The text of a file, whatever is in it, read so that it can't hurt. Raises `InvalidFile`. `limit` in bytes."""
    try:
        # without O_NONBLOCK, opening a pipe waits for a writer
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except FileNotFoundError:
        _refuse("does not exist")
    except (OSError, ValueError):
        _refuse("can't be opened")
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            _refuse("is not a regular file")
        if status.st_size > limit:
            _refuse(f"is larger than {limit // 1024**2} MiB")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = file.read(limit + 1)
    except OSError:
        _refuse("can't be read")
    finally:
        os.close(descriptor)
    if len(content) > limit:
        _refuse(f"is larger than {limit // 1024**2} MiB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        _refuse(f"is not UTF-8 text (byte {error.start + 1})")
    if not text.strip():
        _refuse("is empty")
    return text


# ---------------------------------------------------------------------------------------------- JSON


class _Repeating(dict[str, Any]):
    """A JSON mapping in which keys are there twice."""

    repeated: tuple[str, ...] = ()


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = _Repeating(pairs)
    if len(mapping) == len(pairs):
        return dict(mapping)
    mapping.repeated = tuple(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
    return mapping


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        _refuse(_NO_SUCH_NUMBER)
    return int(digits)


def _float(digits: str) -> float:
    if not math.isfinite(number := float(digits)):
        _refuse(_NO_SUCH_NUMBER)
    return number


def _from_json(text: str) -> tuple[Any, tuple[Problem, ...]]:
    try:
        data = json.loads(
            text,
            object_pairs_hook=_mapping,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=lambda _: _refuse(_NO_SUCH_NUMBER),
        )
    except RecursionError:
        _refuse(_TOO_DEEP)
    return data, tuple(_bounded(data))


def _bounded(data: object) -> Iterator[Problem]:
    """Counts what was loaded; yields the keys that are there twice."""
    waiting: list[tuple[tuple[int | str, ...], Any]] = [((), data)]
    values = 0
    while waiting:
        path, value = waiting.pop()
        values += 1
        if values > MAX_VALUES:
            _refuse(_TOO_MANY)
        if isinstance(value, dict | list) and len(path) >= MAX_DEPTH:
            _refuse(_TOO_DEEP)
        if isinstance(value, _Repeating):
            yield from (_there_twice((*path, key)) for key in value.repeated)
        if isinstance(value, dict):
            waiting.extend(((*path, key), item) for key, item in value.items())
        elif isinstance(value, list):
            waiting.extend(((*path, index), item) for index, item in enumerate(value))


def _there_twice(path: tuple[int | str, ...], line: int | None = None) -> Problem:
    return Problem(dotted(path), "is there twice" if line is None else f"is there twice (line {line})")


# ---------------------------------------------------------------------------------------------- YAML


def _from_yaml(text: str) -> tuple[Any, tuple[Problem, ...]]:
    if any(len(line) > MAX_LINE for line in text.splitlines()):
        _refuse(f"has a line of more than {MAX_LINE:,} characters")  # the scanner's time grows with its square
    builder = _Builder()
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            builder.take(event)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "its structure"
        what = error.problem or ""
        _refuse(f"is not YAML: {where}" + (f": {what}" if what and "'" not in what and "<" not in what else ""))
    except (YAMLError, ValueError, OverflowError):
        _refuse("is not YAML: it holds characters that are not allowed in text")
    if builder.data is None:
        _refuse("holds nothing")
    return builder.data, tuple(builder.problems)


class _Level:
    """One open mapping or list, where it stands, and the key of what comes next in a mapping."""

    def __init__(self, items: dict[str, Any] | list[Any], path: tuple[int | str, ...]) -> None:
        self.items = items
        self.path = path
        self.key: str | None = None

    def add(self, value: Any) -> tuple[int | str, ...]:
        """Adds what comes next and returns its path."""
        at: int | str
        if isinstance(self.items, list):
            at = len(self.items)
            self.items.append(value)
        else:
            assert self.key is not None
            at, self.key = self.key, None
            self.items[at] = value
        return (*self.path, at)


class _Builder:
    """Data from parser events; what is not plain is refused as soon as it comes."""

    def __init__(self) -> None:
        self.data: Any = None
        self.problems: list[Problem] = []
        self._open: list[_Level] = []
        self._values = 0
        self._documents = 0

    def take(self, event: Event) -> None:
        if isinstance(event, DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                _refuse_at(event, "a second document")
        elif isinstance(event, AliasEvent):
            _refuse_at(event, "an alias (*name): write the value out")
        elif isinstance(event, CollectionEndEvent):
            self._open.pop()
        elif isinstance(event, ScalarEvent | CollectionStartEvent):
            self._take_value(event)

    def _take_value(self, event: ScalarEvent | CollectionStartEvent) -> None:
        if event.tag is not None:
            _refuse_at(event, "a tag (!name): write the value plainly")
        self._values += 1
        if self._values > MAX_VALUES:
            _refuse(_TOO_MANY)
        level = self._open[-1] if self._open else None
        if level is not None and isinstance(level.items, dict) and level.key is None:
            self._take_key(event, level)
            return
        value: Any = {} if isinstance(event, MappingStartEvent) else []
        if isinstance(event, ScalarEvent):
            value = _plain(event.value) if event.implicit[0] else event.value
        path = level.add(value) if level is not None else ()
        if level is None:
            self.data = value
        if isinstance(event, CollectionStartEvent):
            self._open.append(_Level(value, path))
            if len(self._open) > MAX_DEPTH:
                _refuse(_TOO_DEEP)

    def _take_key(self, event: ScalarEvent | CollectionStartEvent, level: _Level) -> None:
        if not isinstance(event, ScalarEvent):
            _refuse_at(event, "a field whose name is not text")
        level.key = event.value
        if event.value in level.items:
            self.problems.append(_there_twice((*level.path, event.value), event.start_mark.line + 1))


def _refuse_at(event: Event, what: str) -> NoReturn:
    mark = event.start_mark
    _refuse(f"holds {what} (line {mark.line + 1}, column {mark.column + 1})")


def _plain(text: str) -> object:
    """A scalar without quotes by the core schema of YAML 1.2; dates stay text, and so do credit codes."""
    if text in _NULL:
        return None
    if text in _BOOLEAN:
        return _BOOLEAN[text]
    if _CREDIT_CODE.fullmatch(text):  # all digits, or one E among them, would be a number
        return text
    if _INTEGER.fullmatch(text):
        if len(text) > MAX_DIGITS:
            _refuse(_NO_SUCH_NUMBER)
        return int(text, 0 if text[:2] in ("0o", "0x") else 10)
    if _NO_NUMBER.fullmatch(text) or (_FLOAT.fullmatch(text) and not math.isfinite(float(text))):
        _refuse(_NO_SUCH_NUMBER)
    return float(text) if _FLOAT.fullmatch(text) else text
