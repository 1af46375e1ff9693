"""Bases whose enterprise was verified, looked at again (A1, edge case 41)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from domain import verification
from domain.case import Case, Verification
from domain.records import Transition
from domain.verifying import VerificationAnswer
from tests.domain import cases

HALF_A_YEAR_ON = cases.OPENED + timedelta(days=190)


def with_known(case: Case, result: Any = "verified", at: datetime = cases.OPENED, **fields: Any) -> Case:
    known = {"revision": case.revision, "name": case.payer_names[-1], "source": "verifier.example"} | fields
    return case.model_copy(update={"verification": Verification(result=result, at=at, **known)})


def answer(result: Any, **fields: Any) -> VerificationAnswer:
    return VerificationAnswer(result=result, **{"source": "verifier.example", "reference": "V-1"} | fields)


def looked_at(case: Case, result: Any, at: datetime | None = None) -> Transition:
    """Looked at again when it is due."""
    known = case.verification
    if known is None:
        case = with_known(case)
        at = at or HALF_A_YEAR_ON
    elif at is None:
        at = HALF_A_YEAR_ON if known.at < HALF_A_YEAR_ON - timedelta(days=9) else known.at + timedelta(days=1)
    transition = verification.rechecked(case, answer(result), cases.setting(at, 2))
    assert transition is not None
    return transition


def failed() -> Case:
    return looked_at(cases.in_valid(), "not_verified").case
