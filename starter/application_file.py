"""Application and supplement files from disk, with their documents: what `check`, `apply`, `supplement` read.

Everything wrong with the file and with its documents is found together (`design/files.md`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from domain.application import (
    Application,
    InvalidApplication,
    documents_note,
    merge_supplement,
    read_application,
)
from domain.fields import document_fields
from domain.refusals import Problem
from domain.submission import DocumentRef, Submission
from starter.document_files import PATH, Documents, read_documents
from starter.structured_text import InvalidFile, read_structured_file

__all__ = ["InvalidFile", "ReadFile", "read_application_file", "read_supplement_file"]


@dataclass(frozen=True)
class ReadFile:
    """A submission as read, and where the content of each document handed in with this file lies, by sha256.

    Whoever hands the bytes over hashes them again: a file can change after it was read here.
    """

    submission: Submission
    document_files: dict[str, Path]


def read_application_file(path: Path, *, today: date) -> ReadFile:
    """An application file with its documents. `today` is a Shanghai date. Raises `InvalidFile`."""
    _, application, found = _read(path, lambda data: read_application(data, today=today))
    submission = Submission(application=application, documents=_by_path(found.refs), documents_note=None)
    return ReadFile(submission, found.files)


def read_supplement_file(path: Path, *, today: date, current: Submission) -> ReadFile:
    """The submission that a supplement file makes of `current`: its sections in place, its note.

    Documents of the sections that stay are those of `current`; a document of the supplement under the path of
    one that stays must have the same content. Raises `InvalidFile`.
    """
    data, application, found = _read(path, lambda data: merge_supplement(current.application, data, today=today))
    brought = {ref.path: ref for ref in found.refs}
    before = {ref.path: ref for ref in current.documents}
    refs, problems = [], []
    for document, fields in application.document_paths().items():
        new = [
            name for name in fields if name.startswith(tuple(f"{section}{mark}" for section in data for mark in ".["))
        ]
        refs.append(brought[document] if new else before[document])
        if 0 < len(new) < len(fields) and before[document].sha256 != brought[document].sha256:
            message = "is another document than the one handed in before under this path, which is still named"
            problems.append(Problem(new[0], message))
    if problems:
        raise InvalidFile(tuple(problems))
    submission = Submission(application=application, documents=_by_path(refs), documents_note=documents_note(data))
    return ReadFile(submission, found.files)


def _read(path: Path, judge: Callable[[Any], Application]) -> tuple[Any, Application, Documents]:
    """What the file holds, the application it makes, its documents; `InvalidFile` with all their problems."""
    data, repeated = read_structured_file(path)
    problems = list(repeated)
    application = None
    try:
        application = judge(data)
    except InvalidApplication as invalid:
        problems.extend(invalid.problems)
    found = read_documents(path.parent, _named(data))
    problems.extend(found.problems)
    if problems or application is None:
        raise InvalidFile(tuple(problems))
    return data, application, found


def _named(data: object) -> dict[str, tuple[str, ...]]:
    """Every document the file names by a possible path → the fields naming it; the others are problems already."""
    named: dict[str, tuple[str, ...]] = {}
    for field_path, text in document_fields(data):
        try:
            document = PATH.validate_python(text)
        except ValidationError:
            continue
        named[document] = (*named.get(document, ()), field_path)
    return named


def _by_path(refs: list[DocumentRef]) -> tuple[DocumentRef, ...]:
    return tuple(sorted(refs, key=lambda ref: ref.path))
