"""What a base states in its own defence, with evidence: an objection (design/files.md, answer and appeal)."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, ValidationError

from domain.fields import Code, Documents, Text, plain_problems
from domain.refusals import Problem


class Statement(BaseModel):
    """`{statement: text, evidence: [documents]}` as handed in."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    statement: Text
    evidence: Documents


class InvalidStatement(Exception):
    """A statement handed in has problems, all of them with their paths."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(f"{problem.path} {problem.message}".strip() for problem in problems))
        self.problems = problems


def read_statement(data: object) -> Statement:
    """Raises `InvalidStatement` with every problem."""
    try:
        return Statement.model_validate(data)
    except ValidationError as error:
        raise InvalidStatement(plain_problems(error)) from None


class AppealFile(Statement):
    """An appeal: a statement that names the decision it is against."""

    decision: Code


def read_appeal(data: object) -> AppealFile:
    """Raises `InvalidStatement` with every problem."""
    try:
        return AppealFile.model_validate(data)
    except ValidationError as error:
        raise InvalidStatement(plain_problems(error)) from None
