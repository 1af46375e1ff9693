"""A base's entry on the official list: every change is a new revision, and the highest one in effect counts.

A base is listed while it is certified, published and in term; suspended, it stays listed as such (decisions 19, 20).
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from domain.case import Case
from domain.records import ListRevision
from domain.setting import Setting
from domain.terms import Term


def entry(
    case: Case,
    state: Literal["published", "suspended", "withdrawn"],
    term: Term,
    setting: Setting,
    *,
    effective_from: datetime | None = None,
    evidence: str | None = None,
) -> ListRevision:
    """The base's next revision, for one term; in effect from now unless said otherwise."""
    return ListRevision(
        revision=setting.list_revision,
        state=state,
        certificate_number=term.certificate_number,
        name=case.name,
        valid_from=term.from_,
        valid_until=term.until,
        effective_from=effective_from or setting.now,
        evidence=evidence,
    )
