"""A conduct report as people hand it in (design/files.md)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from domain.conduct import TRIGGERS
from domain.fields import Code, Documents, Listed, PastDate, Text, plain_problems
from domain.refusals import Problem


class ReportedLoss(BaseModel):
    """What a violation has cost merchants or anchors (R8)."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    kind: Literal["penalty_points", "frozen_permissions", "removal", "other"]
    description: Text


class ReportFile(BaseModel):
    """One report, its evidence by path."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    rule: Literal["R2", "R3", "R4", "R5", "R6", "R7", "R8"]
    trigger: Literal["breach", "account_violation"]
    severity: Literal["minor", "serious"]
    found_on: PastDate
    facts: Text
    affected_accounts: Annotated[tuple[Code, ...], Listed]
    losses: Annotated[tuple[ReportedLoss, ...], Listed]
    evidence: Documents


class InvalidReport(Exception):
    """A report handed in has problems, all of them with their paths."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(f"{problem.path} {problem.message}".strip() for problem in problems))
        self.problems = problems


def read_report(data: object, *, today: date) -> ReportFile:
    """`today` is the Shanghai date no finding lies after. Raises `InvalidReport` with every problem."""
    problems = _of_the_whole(data if isinstance(data, Mapping) else {})
    try:
        report = ReportFile.model_validate(data, context={"today": today})
    except ValidationError as error:
        raise InvalidReport((*plain_problems(error), *problems)) from None
    if problems:
        raise InvalidReport(problems)
    return report


def _of_the_whole(data: Mapping[str, Any]) -> tuple[Problem, ...]:
    """What no field alone says, whatever else is wrong."""
    problems = []
    rule, trigger = data.get("rule"), data.get("trigger")
    if trigger == "account_violation" and isinstance(rule, str) and trigger not in TRIGGERS.get(rule, {trigger}):
        problems.append(Problem("trigger", f"{trigger} is no trigger of {rule}; it belongs to R8"))
    if "evidence" in data and data["evidence"] in (None, [], ()):
        problems.append(Problem("evidence", "names no document: a report rests on evidence"))
    return tuple(problems)
