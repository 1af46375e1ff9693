"""A statement with its evidence from disk: what `assess object` reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from domain.fields import document_fields
from domain.refusals import Problem
from domain.statement import InvalidStatement, Statement, read_statement
from starter.document_files import PATH, read_documents
from starter.structured_text import InvalidFile, read_structured_file


@dataclass(frozen=True)
class ReadStatement:
    """A statement as read, and where the content of each of its documents lies, by sha256."""

    statement: Statement
    document_files: dict[str, Path]


def read_statement_file(path: Path) -> ReadStatement:
    """A statement file with its documents. Raises `InvalidFile` with all their problems."""
    data, repeated = read_structured_file(path)
    problems: list[Problem] = list(repeated)
    statement = None
    try:
        statement = read_statement(data)
    except InvalidStatement as invalid:
        problems.extend(invalid.problems)
    found = read_documents(path.parent, _named(data))
    problems.extend(found.problems)
    if problems or statement is None:
        raise InvalidFile(tuple(problems))
    return ReadStatement(statement, found.files)


def _named(data: object) -> dict[str, tuple[str, ...]]:
    named: dict[str, tuple[str, ...]] = {}
    for field_path, text in document_fields(data):
        try:
            document = PATH.validate_python(text)
        except ValidationError:
            continue
        named[document] = (*named.get(document, ()), field_path)
    return named
