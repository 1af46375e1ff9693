"""What who verifies enterprises is asked, and what it says (A1). The party is behind `activities/verification.py`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Result = Literal["verified", "not_verified", "name_mismatch", "unknown", "unanswered"]


class VerificationQuestion(BaseModel):
    """Has the enterprise of this credit code, by this name, completed its real-name verification?"""

    model_config = ConfigDict(extra="allow", frozen=True)

    credit_code: str
    name: str


class VerificationAnswer(BaseModel):
    """`name_mismatch`: verified under another name; `unknown`: never heard of. `unanswered` is no answer of theirs.

    `source` says who was asked, `reference` how they know the answer.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    result: Result
    source: str = ""
    reference: str = ""
    why: str = ""


class Rechecked(BaseModel):
    """How a base was looked at again: `tell` when its run must do or show something because of it."""

    model_config = ConfigDict(extra="allow", frozen=True)

    tell: bool = False


class DueChecks(BaseModel):
    """The workflow ids of bases to be looked at again, with how long to rest when there are none."""

    model_config = ConfigDict(extra="allow", frozen=True)

    bases: tuple[str, ...] = ()
    pause_seconds: int = 600
