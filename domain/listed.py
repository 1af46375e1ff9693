"""What the public sees of a certificate at an instant: the one rule of the official list (R3, R9; decision 20).

Certified is only what is published, in effect, in term and not ended; whatever is not known to be so is not. The rule
reads revisions of the list and the clock, so that nobody has to be running for a term to end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from domain.stages import Standing


class Seen(StrEnum):
    """What outsiders hear; what is none of these is answered as a number that never was."""

    CERTIFIED = "certified"
    SUSPENDED = "suspended"
    ENDED = "ended"


class Revision(Protocol):
    """One revision of a base's entry, as the list has it (`domain.records.ListRevision`)."""

    @property
    def revision(self) -> int: ...
    @property
    def state(self) -> str: ...
    @property
    def certificate_number(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def credit_code(self) -> str: ...
    @property
    def holder(self) -> str: ...
    @property
    def place(self) -> str: ...
    @property
    def valid_from(self) -> datetime: ...
    @property
    def valid_until(self) -> datetime: ...
    @property
    def effective_from(self) -> datetime: ...
    @property
    def suspended_since(self) -> datetime | None: ...
    @property
    def category(self) -> str | None: ...
    @property
    def ending(self) -> str | None: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def reasons_from(self) -> datetime | None: ...
    @property
    def at(self) -> datetime: ...


@dataclass(frozen=True)
class Certificate:
    """A certificate as the public sees it at one instant. The term is half-open `[valid_from, valid_until)`.

    `revision` is that of the base's entry it is seen by. `since` is since when it is suspended or ended; `category` is
    a suspension's; `ending` is the standing an ended one was left with, None where nobody has put it on record yet;
    `reason` is None until it is public. `succeeded_by` is the number of the same base's later certificate.
    """

    number: str
    seen: Seen
    revision: int
    name: str
    credit_code: str
    holder: str
    place: str
    valid_from: datetime
    valid_until: datetime
    since: datetime | None = None
    category: str | None = None
    ending: str | None = None
    reason: str | None = None
    succeeded_by: str | None = None

    @property
    def certified(self) -> bool:
        """Whether the base may call itself certified: a suspended one may not at present."""
        return self.seen is Seen.CERTIFIED


def seen(
    revisions: Sequence[Revision],
    number: str,
    now: datetime,
    *,
    case_ended: bool = False,
    known_at: datetime | None = None,
) -> Certificate | None:
    """A certificate by the revisions of its base's entry; None for one that was not made public by then.

    `now` is the base's clock. `case_ended` says that an ending is on record whatever the list says: it fails closed.
    `known_at` leaves out what was put on record later: what anybody could know at that instant.
    """
    in_effect = [one for one in revisions if one.effective_from <= now and (known_at is None or one.at <= known_at)]
    own = [
        one
        for one in in_effect
        if one.certificate_number == number and one.valid_from <= now and not was_overtaken(one, in_effect)
    ]
    if not own:
        return None
    latest = max(own, key=lambda one: one.revision)
    current = max(in_effect, key=lambda one: one.revision)
    if current.certificate_number != number:
        return _succeeded(latest, current)
    if current.state == "withdrawn":
        return _ended(current, current.effective_from, current.ending, now)
    if now >= current.valid_until:
        return _ended(current, current.valid_until, Standing.EXPIRED.value, now)
    if case_ended:
        return _ended(current, None, None, now)
    if current.state == "suspended":
        return _certificate(current, Seen.SUSPENDED, since=current.suspended_since, category=current.category)
    if current.state == "published":
        return _certificate(current, Seen.CERTIFIED)
    return _ended(current, None, None, now)


def was_overtaken(one: Revision, revisions: Sequence[Revision]) -> bool:
    """Whether it never took effect: a later revision stood before its day came, as a revocation does that is decided
    while the next term waits. What a certificate says was then never made public."""
    begins = max(one.effective_from, one.valid_from)
    return any(
        other.revision > one.revision and other.at < begins and other.effective_from < begins for other in revisions
    )


def next_change(revisions: Sequence[Revision], now: datetime) -> datetime | None:
    """The first instant after `now` at which one of these says something else by itself; None for never."""
    instants = [
        instant
        for one in revisions
        for instant in (one.effective_from, one.valid_from, one.valid_until, one.reasons_from)
        if instant is not None and instant > now
    ]
    return min(instants, default=None)


def _succeeded(latest: Revision, current: Revision) -> Certificate:
    """A certificate whose base has another one by now: over with its own term, or when it was taken away before."""
    if latest.state == "withdrawn":
        since, ending = latest.effective_from, latest.ending
    else:
        since, ending = min(latest.valid_until, current.effective_from), Standing.EXPIRED.value
    later = current.valid_from >= latest.valid_until or current.valid_from > latest.valid_from
    return _certificate(
        latest,
        Seen.ENDED,
        since=since,
        ending=ending,
        succeeded_by=current.certificate_number if later else None,
    )


def _ended(one: Revision, since: datetime | None, ending: str | None, now: datetime) -> Certificate:
    public = one.reasons_from is not None and one.reasons_from <= now
    return _certificate(one, Seen.ENDED, since=since, ending=ending, reason=one.reason if public else None)


def _certificate(
    one: Revision,
    how: Seen,
    *,
    since: datetime | None = None,
    category: str | None = None,
    ending: str | None = None,
    reason: str | None = None,
    succeeded_by: str | None = None,
) -> Certificate:
    return Certificate(
        number=one.certificate_number,
        seen=how,
        revision=one.revision,
        name=one.name,
        credit_code=one.credit_code,
        holder=one.holder,
        place=one.place,
        valid_from=one.valid_from,
        valid_until=one.valid_until,
        since=since,
        category=category,
        ending=ending,
        reason=reason,
        succeeded_by=succeeded_by,
    )
