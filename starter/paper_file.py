"""A paper with its evidence from disk: a conduct report, a base's answer, objection or appeal (design/files.md)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from domain.fields import document_fields
from domain.refusals import Problem
from starter.document_files import PATH, read_documents
from starter.structured_text import InvalidFile, read_structured_file

__all__ = ["InvalidFile", "ReadPaper", "read_paper_file"]

Paper = TypeVar("Paper")


@dataclass(frozen=True)
class ReadPaper(Generic[Paper]):
    """A paper as read, and where the content of each of its documents lies, by sha256."""

    paper: Paper
    document_files: dict[str, Path]

    @property
    def hashes(self) -> tuple[str, ...]:
        """The documents' sha256, as commands name them."""
        return tuple(self.document_files)


def read_paper_file(path: Path, judge: Callable[[Any], Paper], invalid: type[Exception]) -> ReadPaper[Paper]:
    """A paper's file with its documents; `judge` raises `invalid` with its problems. Raises `InvalidFile` with all."""
    data, repeated = read_structured_file(path)
    problems: list[Problem] = list(repeated)
    paper = None
    try:
        paper = judge(data)
    except invalid as error:
        problems.extend(error.problems)  # type: ignore[attr-defined]
    found = read_documents(path.parent, _named(data))
    problems.extend(found.problems)
    if problems or paper is None:
        raise InvalidFile(tuple(problems))
    return ReadPaper(paper, found.files)


def _named(data: object) -> dict[str, tuple[str, ...]]:
    """Document path → the fields that name it."""
    named: dict[str, tuple[str, ...]] = {}
    for field_path, text in document_fields(data):
        try:
            document = PATH.validate_python(text)
        except ValidationError:
            continue
        named[document] = (*named.get(document, ()), field_path)
    return named
