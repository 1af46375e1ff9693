"""Screening: every condition of access judged at once (requirements A1 to A5, B1, B2, R8; decision 10).

One finding per condition, in a fixed order. A value equal to the limit passes. No machine rejects: a finding
tells the reviewer what was declared and which document to compare it with.
"""

from __future__ import annotations

from datetime import date

from domain.application import Application
from domain.conditions import CONDITIONS, Subject
from domain.findings import Finding
from domain.policy import Policy


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
