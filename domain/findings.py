"""What was found about one condition of access, as it is stored and shown."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Outcome(StrEnum):
    """`person`: a reviewer accepts it by name with a reason, or not. `pending`: A3 until paid in full."""

    PASS = "pass"
    FAIL = "fail"
    PERSON = "person"
    PENDING = "pending"


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
