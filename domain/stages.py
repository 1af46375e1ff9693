"""Stages, standings and roles: the fixed words of a certification, and which stage may follow which.

The words are a contract (`design/cli.md`). A *stage* says where the case is in its process; a *standing*
says what the base is, and is never stored: `standing()` computes it (decision 21).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Stage(StrEnum):
    """Where a case is in its process, in business order."""

    REVIEW = "review"
    SUPPLEMENT = "supplement"
    DEPOSIT = "deposit"
    CERTIFYING = "certifying"
    PUBLISHING = "publishing"
    VALID = "valid"
    RENEWAL_LATE = "renewal_late"
    SETTLING = "settling"
    CLOSED = "closed"


class Standing(StrEnum):
    """What a base is, seen from inside. The public hears decision 20's rule instead."""

    APPLICANT = "applicant"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    CERTIFIED = "certified"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    INVALID = "invalid"
    REVOKED = "revoked"
    SURRENDERED = "surrendered"
    DISSOLVED = "dissolved"


class Role(StrEnum):
    """In what capacity a person acts (decision 33). NOBODY only ever stands in `awaiting`.

    BANK is no person: it is the bank's signed word (`workers/callbacks.py`), which may report money and nothing else.
    """

    APPLICANT = "applicant"
    REVIEWER = "reviewer"
    FINANCE = "finance"
    CERTIFIER = "certifier"
    COMPLIANCE = "compliance"
    AUDITOR = "auditor"
    OPERATOR = "operator"
    NOBODY = "nobody"
    BANK = "bank"


PEOPLE = tuple(role for role in Role if role not in (Role.NOBODY, Role.BANK))
"""The roles a person may act in."""


_ENDED = frozenset({Stage.SETTLING, Stage.CLOSED})

MOVES: dict[Stage | None, frozenset[Stage]] = {
    None: frozenset({Stage.REVIEW}),
    Stage.REVIEW: frozenset({Stage.SUPPLEMENT, Stage.DEPOSIT, Stage.CERTIFYING}) | _ENDED,
    Stage.SUPPLEMENT: frozenset({Stage.REVIEW}) | _ENDED,
    Stage.DEPOSIT: frozenset({Stage.CERTIFYING}) | _ENDED,
    Stage.CERTIFYING: frozenset({Stage.DEPOSIT, Stage.PUBLISHING}) | _ENDED,
    Stage.PUBLISHING: frozenset({Stage.VALID, Stage.RENEWAL_LATE, Stage.SETTLING}),
    Stage.VALID: frozenset({Stage.RENEWAL_LATE, Stage.SETTLING}),
    Stage.RENEWAL_LATE: frozenset({Stage.PUBLISHING}) | _ENDED,
    # What is set aside leads back to where it was.
    Stage.SETTLING: frozenset(Stage) - {Stage.SETTLING},
    Stage.CLOSED: frozenset(Stage) - {Stage.CLOSED},
}
"""From each stage, the stages that may follow. Staying in a stage is always allowed."""


class _TermLike(Protocol):
    @property
    def until(self) -> datetime: ...


class _EndingLike(Protocol):
    @property
    def kind(self) -> Standing: ...
    @property
    def legal_at(self) -> datetime: ...


def standing(
    now: datetime, terms: Sequence[_TermLike], holds: Sequence[object], ending: _EndingLike | None
) -> Standing:
    """The one function of (now, terms, holds, ending) that says what a base is (decision 21).

    `now` is the case's clock, an aware instant. The end of the last term counts by itself (half-open:
    at `until` the base is expired), so a late worker cannot keep a base certified.
    """
    if ending is not None and ending.legal_at <= now:
        return ending.kind
    if not terms:
        return Standing.APPLICANT
    if now >= terms[-1].until:
        return Standing.EXPIRED
    return Standing.SUSPENDED if holds else Standing.CERTIFIED
