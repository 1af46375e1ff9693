"""Screening: every condition of access judged at once (requirements A1 to A5, B1, B2, R8; decision 10).

One finding per condition, in a fixed order. A value equal to the limit passes. No machine rejects: a finding
tells the reviewer what was declared and which document to compare it with.
"""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict

from domain.application import Application
from domain.conditions import CONDITIONS, Outcome, Subject
from domain.policy import Policy

__all__ = ["CONDITIONS", "Finding", "Outcome", "screen"]


class Finding(BaseModel):
    """One condition judged as of a Shanghai date; the JSON of `livebase check` (fixed).

    `value` and `threshold` have the file's types: amounts and areas are text, counts whole numbers, dates ISO
    text, null what isn't there. For ages both are dates: `threshold` is the latest one that passes.
    """

    model_config = ConfigDict(frozen=True)

    condition: str
    outcome: Outcome
    value: str | int | None
    threshold: str | int | None
    as_of: date
    document: str | None
    message: str


def screen(application: Application, policy: Policy, *, as_of: date, deposit_paid: bool = False) -> tuple[Finding, ...]:
    """Every finding, in the order of `CONDITIONS`, as of the Shanghai date `as_of`. Never raises."""
    subject = Subject(application, policy, as_of, deposit_paid)
    return tuple(
        Finding(
            condition=condition,
            outcome=judged.outcome,
            value=judged.value,
            threshold=judged.threshold,
            as_of=as_of,
            document=judged.document,
            message=judged.message,
        )
        for condition, judge in CONDITIONS.items()
        for judged in (judge(subject),)
    )
