"""Screening: every condition of access judged at once (requirements A1 to A5, B1, B2, R8; decision 10).

One finding per condition, in a fixed order. A value equal to the limit passes. No machine rejects: a finding
tells the reviewer what was declared and which document to compare it with.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from domain.application import Application
from domain.case import Verification
from domain.commands import Acceptance
from domain.conditions import CONDITIONS, Subject
from domain.findings import Finding, Outcome
from domain.look_alike import LookAlike, judged
from domain.policy import Policy
from domain.refusals import Problem, Refusal, RefusalKind


def screen(
    application: Application,
    policy: Policy,
    *,
    as_of: date,
    deposit_paid: bool = False,
    verification: Verification | None = None,
    alike: Sequence[LookAlike] | None = (),
) -> tuple[Finding, ...]:
    """Every finding, in the order of `CONDITIONS`, as of the Shanghai date `as_of`. Never raises.

    One about the base's name comes last, where a person has to look (`domain/look_alike.py`): `alike` are the other
    bases of that name, None when the name is one that is certified already.
    """
    subject = Subject(application, policy, as_of, deposit_paid, verification)
    of_the_name = () if alike is None else judged(application, policy, alike, as_of=as_of)
    return _of_the_conditions(subject) + of_the_name


def _of_the_conditions(subject: Subject) -> tuple[Finding, ...]:
    """A finding for each condition."""
    return tuple(
        Finding(
            condition=condition,
            outcome=found.outcome,
            value=found.value,
            threshold=found.threshold,
            as_of=subject.as_of,
            document=found.document,
            message=found.message,
        )
        for condition, judge in CONDITIONS.items()
        for found in (judge(subject),)
    )


def require_no_failure(findings: tuple[Finding, ...]) -> None:
    """Refuse (5) an approval while a condition fails (decision 10)."""
    failed = [finding for finding in findings if finding.outcome is Outcome.FAIL]
    if failed:
        names = ", ".join(finding.condition for finding in failed)
        raise Refusal(
            RefusalKind.CONDITION_FAILED,
            f"Approval is not possible while a condition fails: {names}.",
            "Request a supplement or reject.",
            tuple(Problem(finding.condition, finding.message) for finding in failed),
        )


def require_accepted(findings: tuple[Finding, ...], acceptances: tuple[Acceptance, ...]) -> None:
    """Refuse (5) an approval while a finding that needs a person is not accepted by name (decision 10)."""
    needed = {finding.condition: finding for finding in findings if finding.outcome is Outcome.PERSON}
    accepted = {acceptance.condition for acceptance in acceptances}
    if unknown := sorted(accepted - needed.keys()):
        raise Refusal(
            RefusalKind.INVALID_VALUE,
            f"These findings need no acceptance: {', '.join(unknown)}.",
            "Accept only findings whose outcome is 'person'.",
        )
    if missing := sorted(needed.keys() - accepted):
        raise Refusal(
            RefusalKind.ACCEPTANCE_MISSING,
            f"These findings need a person's acceptance with a reason: {', '.join(missing)}.",
            "Add for each: --accept CONDITION --reason R",
            tuple(Problem(condition, needed[condition].message) for condition in missing),
        )
