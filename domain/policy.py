"""Policy: every number the certification depends on, versioned and effective-dated.

The numbers live in `domain/data/policy.yaml`; each names its source (a requirement id such as A2) or the
decision that assumed it. Code never holds such a number. A case pins the version in force when it opens,
a later term the version in force when that term is decided (decisions: "What the requirements leave open").
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Figure(BaseModel):
    """One number of the policy with where it comes from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: int | tuple[int, ...] | tuple[str, ...] | dict[str, int]
    source: str = Field(min_length=2)
    assumption: bool = False


class Policy(BaseModel):
    """The numbers of one version. Amounts are fen; days are calendar days unless named working days."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    effective_from: date

    registered_capital_fen: int
    registered_years: int
    live_rooms: int
    area_m2: int
    experience_months: int
    cooperation_cases: int
    deposit_fen: int

    supplement_days: int
    supplement_rounds: int
    supplement_reminder_days_before: tuple[int, ...]
    review_working_days: int
    review_reminder_working_days: int

    deposit_due_days: int
    deposit_grace_working_days: int
    deposit_reminder_days_before: tuple[int, ...]
    deposit_return_working_days: int
    top_up_days: int
    refund_retry_minutes: int

    certify_working_days: int
    publication_working_days: int
    publication_escalation_working_days: tuple[int, ...]
    publication_retry_minutes: int

    term_years: int
    renewal_reminder_days_before: tuple[int, ...]
    renewal_opens_days_before: int
    renewal_in_good_time_days_before: int
    renewal_escalation_days_before: int
    renewal_late_days: int
    renewal_attempts: int

    verification_months: int
    verification_retry_minutes: int
    verification_check_working_days: int

    approval_working_days: int
    assessment_live_merchants: int
    assessment_active_percent: int
    assessment_gmv_fen: int
    assessment_consecutive_fails: int
    assessment_objection_working_days: int
    assessment_import_days: int
    assessment_unknown_working_days: int
    assessment_decision_working_days: int
    assessment_escalation_days: int
    assessment_stop_percent: int

    conduct_answer_working_days: int
    conduct_decision_working_days: int
    rectification_days: int
    conduct_suspension_days: int

    marks_working_days: int
    settlement_days: int
    settlement_review_days: int
    appeal_days: int
    appeal_decision_working_days: int
    name_protected_months: int
    reserved_words: tuple[str, ...]
    cooling_off_days: dict[str, int]


class PolicyVersion(BaseModel):
    """One version as written in the file: every figure with its source.

    Raises `pydantic.ValidationError` when a figure is missing, unknown, or an assumption names no decision.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    effective_from: date
    figures: dict[str, Figure]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        self.policy()
        return self

    def policy(self) -> Policy:
        """The bare numbers, typed."""
        values: dict[str, Any] = {name: figure.value for name, figure in self.figures.items()}
        return Policy(version=self.version, effective_from=self.effective_from, **values)


class PolicyBook(BaseModel):
    """All versions, oldest first. `in_force(day)` is the newest one effective on that Shanghai date."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    versions: tuple[PolicyVersion, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        days = [v.effective_from for v in self.versions]
        names = [v.version for v in self.versions]
        if days != sorted(days) or len(set(days)) != len(days) or len(set(names)) != len(names):
            raise ValueError("policy versions must have distinct names and rising effective dates")
        return self

    def in_force(self, day: date) -> Policy:
        """The policy in force on a Shanghai date. LookupError when none was."""
        return _newest(v for v in self.versions if v.effective_from <= day).policy()

    def pinned(self, version: str) -> Policy:
        """The policy of a pinned version. LookupError when the file no longer has it."""
        return _newest(v for v in self.versions if v.version == version).policy()


def _newest(versions: Iterable[PolicyVersion]) -> PolicyVersion:
    found = list(versions)
    if not found:
        raise LookupError("no such policy version: add it to domain/data/policy.yaml, never remove a pinned one")
    return found[-1]
