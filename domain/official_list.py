"""A base's entry on the official list: every change is a new revision, and the highest one in effect counts.

A base is listed while it is certified, published and in term; suspended, it stays listed as such, with the date and
the category of the suspension and no details (decisions 19, 20). What the public sees of a certificate at an instant
is in `domain/listed.py`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from domain.case import Case, Hold
from domain.records import ListRevision
from domain.setting import Setting
from domain.stages import Standing
from domain.terms import Term
from domain.verified import enterprise_of


def entry(
    case: Case,
    state: Literal["published", "suspended", "withdrawn"],
    term: Term,
    setting: Setting,
    *,
    revision: int | None = None,
    effective_from: datetime | None = None,
    evidence: str | None = None,
    ending: Standing | None = None,
) -> ListRevision:
    """The base's next revision (or a later one), for one term; in effect from now unless said otherwise."""
    suspended = state == "suspended"
    return ListRevision(
        revision=revision or setting.list_revision,
        state=state,
        certificate_number=term.certificate_number,
        name=case.name,
        valid_from=term.from_,
        valid_until=term.until,
        effective_from=effective_from or setting.now,
        evidence=evidence,
        suspended_since=case.suspended_since if suspended else None,
        category=category(case.holds) if suspended else None,
        credit_code=case.credit_code,
        holder=enterprise_of(case.payer_names) if case.payer_names else "",
        place=case.place,
        ending=ending.value if ending else None,
    )


def entries(
    case: Case, setting: Setting, *, effective_from: datetime | None = None, evidence: str | None = None
) -> tuple[ListRevision, ...]:
    """How a listed base stands on the list by its holds: for the term under way, and for one that waits for its day.

    The next term's own entry would put an older one back in effect on its first day, so it is renewed with it.
    """
    state: Literal["published", "suspended"] = "suspended" if case.holds else "published"
    running, waiting = case.running_term, case.waiting_term
    assert running is not None
    now = entry(case, state, running, setting, effective_from=effective_from, evidence=evidence)
    if waiting is None:
        return (now,)
    return now, entry(case, state, waiting, setting, revision=now.revision + 1, effective_from=waiting.from_)


def with_reason(withdrawn: ListRevision, reason: str | None, public_from: datetime | None) -> ListRevision:
    """A withdrawn entry with its reason, which is public from an instant on; without that instant there is none."""
    if not reason or public_from is None:
        return withdrawn
    return replace(withdrawn, reason=reason, reasons_from=public_from)


def with_reasons_from(
    case: Case, setting: Setting, reasons_from: datetime | None
) -> tuple[tuple[ListRevision, ...], dict[str, Any]]:
    """The entry of a base off the list whose ending's reason is withheld from now on, or public from an instant on; and
    what changes in the case.

    An appeal that is filed in the last hour of its time keeps the reason back until it is decided (decision 20); a
    window that is counted again keeps it back as long as the window lasts.
    """
    ending, term, publication = case.ending, case.term, case.publication
    if ending is None or term is None or publication is None or publication.register_revision is None:
        return (), {}
    off = entry(case, "withdrawn", term, setting, effective_from=ending.legal_at, ending=ending.kind)
    listed = with_reason(off, ending.reason, reasons_from)
    return (listed,), {"publication": publication.model_copy(update={"register_revision": listed.revision})}


def category(holds: tuple[Hold, ...]) -> str | None:
    """The category the public sees: the ground of the oldest open hold, without what follows its colon."""
    return holds[0].kind.partition(":")[0] if holds else None
