"""What each letter says, one entry per letter: zh-CN, every entry with all its parts (decision 35).

A key is a letter's kind, or `kind.variant` where the same event is told differently. The fields of a wording are
the parts of the letter, in its order; what stands in braces is filled in by `domain/letters.py`:

* always there: `{case}` (the case number), `{base}` (the base's name), `{parties}` (the entity and, where there is
  one, its entrusted enterprise; a line each), `{payers}` (the same, as whose money counts);
* `{until}` and `{appeal_until}`: the last day of a deadline as 2026年3月2日24时前, marked when it is provisional;
* anything else is a fact the rule that writes the letter gives by name.
"""

from __future__ import annotations

from domain.wordings.appeal import APPEAL
from domain.wordings.assessment import ASSESSMENT
from domain.wordings.certification import CERTIFICATION
from domain.wordings.conduct import CONDUCT
from domain.wordings.deadlines import EXTENDED, MOVED
from domain.wordings.deduction import DEDUCTION
from domain.wordings.deposit import DEPOSIT
from domain.wordings.ending import ENDING
from domain.wordings.measures import MEASURES
from domain.wordings.refund import REFUND
from domain.wordings.renewal import RENEWAL
from domain.wordings.review import REVIEW
from domain.wordings.verification import VERIFICATION
from domain.wordings.wording import Wording

__all__ = ["WORDINGS", "Wording"]

WORDINGS: dict[str, Wording] = {
    **REVIEW, **DEPOSIT, **DEDUCTION, **REFUND, **CERTIFICATION, **RENEWAL, **ASSESSMENT, **MEASURES, **CONDUCT,
    **APPEAL, **ENDING, **EXTENDED, **MOVED, **VERIFICATION,
}  # fmt: skip
"""Every letter by its key."""
