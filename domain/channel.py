"""What the official channel holds of a certificate, and how all that it holds differs from our own list.

The channel keeps one entry per certificate number, the newest. Each entry we put there is on record with us first,
under a revision of its own, counted per number: a base is announced before its entry is on our list, and one that is
revoked meanwhile has to come off the channel though our list never had it, so the list's own revisions do not tell two
entries of a number apart. `list_revision` says which revision of the list an entry follows.

No entry says *certified* by itself: it has its term, and whoever reads it applies the clock (`ListEntry.certified`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from domain.case import Case
from domain.listed import Revision
from domain.official_list import category
from domain.terms import Term
from domain.verified import enterprise_of


def _in_utc(instant: datetime) -> datetime:
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise ValueError("no instant of ours") from None


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
State = Literal["published", "suspended", "withdrawn"]
CERTIFICATE_NUMBER = r"LBC-[0-9]{4}-[0-9]{6,9}"
URGENT: frozenset[State] = frozenset({"withdrawn", "suspended"})
"""What takes a right away goes out before anything else."""


class ListEntry(BaseModel):
    """What is public of a certificate, as one revision of its entry on the channel. The term is half-open.

    `list_revision` is 0 for what is not on our list: announced ahead of its record, or taken back before it had one.
    `ended_at` and `ending` are a withdrawn entry's. Reasons are not for the channel: they become public by time alone.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: str = Field(pattern=f"^{CERTIFICATE_NUMBER}$")
    revision: int = Field(ge=1)
    list_revision: int = Field(ge=0)
    state: State
    name: str
    credit_code: str
    holder: str
    place: str
    valid_from: Instant
    valid_until: Instant
    suspended_since: Instant | None = None
    category: str | None = None
    ended_at: Instant | None = None
    ending: str | None = None

    @property
    def key(self) -> str:
        """By what a channel knows the same entry again."""
        return f"{self.number}:{self.revision}"

    @property
    def hash(self) -> str:
        """The sha256 (hex) of the canonical entry: JSON, keys sorted, no spaces, instants in UTC."""
        return hashlib.sha256(_canonical(self.model_dump(mode="json"))).hexdigest()

    @property
    def urgent(self) -> bool:
        return self.state in URGENT

    def certified(self, now: datetime) -> bool:
        """Whether who reads the entry at an instant may take the base for certified."""
        return self.state == "published" and self.valid_from <= now < self.valid_until

    def says_the_same(self, other: ListEntry) -> bool:
        """Whether another entry differs in nothing but its own revision."""
        return self == other.model_copy(update={"revision": self.revision})

    def document(self) -> bytes:
        """The entry as it travels and is kept: its fields and their `hash`, as canonical JSON."""
        return _canonical({**self.model_dump(mode="json"), "hash": self.hash})


def read_entry(document: bytes) -> ListEntry:
    """The entry of a document. ValueError for one that is no entry, or was changed since it was written."""
    try:
        fields = json.loads(document)
    except RecursionError:
        raise ValueError("no entry") from None
    if not isinstance(fields, dict):
        raise ValueError("no entry")
    said = fields.pop("hash", None)
    entry = ListEntry.model_validate_json(json.dumps(fields))
    if entry.hash != said:
        raise ValueError("not what its hash was made of")
    return entry


def of_list(revision: Revision, number: int = 1) -> ListEntry:
    """The entry that a revision of our list makes, as the `number`th of its certificate."""
    withdrawn = revision.state == "withdrawn"
    return ListEntry(
        number=revision.certificate_number,
        revision=number,
        list_revision=revision.revision,
        state=revision.state,
        name=revision.name,
        credit_code=revision.credit_code,
        holder=revision.holder,
        place=revision.place,
        valid_from=revision.valid_from,
        valid_until=revision.valid_until,
        suspended_since=revision.suspended_since,
        category=revision.category,
        ended_at=revision.effective_from if withdrawn else None,
        ending=revision.ending,
    )


def ahead_of_list(case: Case, term: Term, number: int = 1) -> ListEntry:
    """The entry of a term that our list does not have (yet): announced, or taken back when it was not to be."""
    ending = case.ending
    waits = ending is None and case.running_term == term
    state: State = ("suspended" if case.holds else "published") if waits else "withdrawn"
    return ListEntry(
        number=term.certificate_number,
        revision=number,
        list_revision=0,
        state=state,
        name=case.name,
        credit_code=case.credit_code,
        holder=enterprise_of(case.payer_names) if case.payer_names else "",
        place=case.place,
        valid_from=term.from_,
        valid_until=term.until,
        suspended_since=case.suspended_since if state == "suspended" else None,
        category=category(case.holds) if state == "suspended" else None,
        ended_at=ending.legal_at if ending and state == "withdrawn" else None,
        ending=ending.kind.value if ending and state == "withdrawn" else None,
    )


# Delivering: what the workflow is told.


class Waiting(BaseModel):
    """Certificates whose newest entry the channel has not confirmed, the urgent ones first, as many as go at once.

    `waiting` counts all of them, `urgent` those among them that take a right away; `full` says that there are more than
    `numbers`. `pause_seconds` is the rest when nothing waits.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    numbers: tuple[str, ...] = ()
    waiting: int = 0
    urgent: int = 0
    full: bool = False
    pause_seconds: float = 60


class Delivered(BaseModel):
    """What became of certificates that were delivered; `away` when the channel takes nothing now, with what it said."""

    model_config = ConfigDict(extra="allow", frozen=True)

    confirmed: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    away: str = ""


# Reconciling: the whole channel against our list.

Kind = Literal["missing", "extra", "different"]
Why = Literal["waiting", "lost", "unknown", "older", "newer", "content"]


@dataclass(frozen=True)
class Held:
    """What a channel's listing says of one certificate. Revision 0 is an entry that can't be read."""

    number: str
    revision: int
    hash: str


@dataclass(frozen=True)
class Expected:
    """The newest entry of a certificate by our records.

    `confirmed`: the channel has shown it once. `optional`: announced, and not on our list: it may be there already.
    `former`: the hashes of the revisions before, first to last.
    """

    number: str
    revision: int
    hash: str
    confirmed: bool = False
    optional: bool = False
    former: tuple[str, ...] = ()


@dataclass(frozen=True)
class Difference:
    """Where channel and list differ.

    `waiting`: on its way. `lost`: it was there. `unknown`: we have no such entry. `older`: an earlier one of ours.
    `newer`: a later one than any of ours. `content`: this one, or an earlier one, with other content.
    """

    number: str
    kind: Kind
    why: Why
    ours: int | None = None
    theirs: int | None = None

    @property
    def ours_is_newer(self) -> bool:
        """Whether sending ours again mends it: no channel lets an older revision take a newer one's place."""
        return self.kind == "missing" or (self.kind == "different" and (self.theirs or 0) < (self.ours or 0))


def compare(
    ours: Mapping[str, Expected], theirs: Iterable[Held], drawn: Callable[[str, int], ListEntry | None]
) -> Iterator[Difference]:
    """Every difference: first of what the channel has, as it comes, then of what it has not.

    `drawn` gives an entry on record: what was sent while the channel was read is there, and none of `ours` yet.
    """
    seen = set()
    for held in theirs:
        seen.add(held.number)
        expected = ours.get(held.number)
        if expected is None or held.revision > expected.revision:
            since = drawn(held.number, held.revision)
            if since is not None and since.hash == held.hash:
                continue
        if expected is None:
            yield Difference(held.number, "extra", "unknown", theirs=held.revision)
        elif (held.revision, held.hash) != (expected.revision, expected.hash) and not _on_its_way(expected, held):
            yield Difference(held.number, "different", _why(expected, held), expected.revision, held.revision)
    for number, expected in ours.items():
        if number not in seen and not expected.optional:
            why: Why = "lost" if expected.confirmed else "waiting"
            yield Difference(number, "missing", why, expected.revision)


def _on_its_way(expected: Expected, held: Held) -> bool:
    """An announcement that is tried again may be there in an earlier edition."""
    return expected.optional and _as_it_was(expected, held)


def _as_it_was(expected: Expected, held: Held) -> bool:
    return 0 < held.revision <= len(expected.former) and expected.former[held.revision - 1] == held.hash


def _why(expected: Expected, held: Held) -> Why:
    if held.revision > expected.revision:
        return "newer"
    if held.revision == expected.revision or not _as_it_was(expected, held):
        return "content"
    return "older" if expected.confirmed else "waiting"


class Compared(BaseModel):
    """What a comparison found: how many certificates on either side, differences by kind, how many were sent again.

    `fault` is why there was none: the channel did not answer.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    ours: int = 0
    theirs: int = 0
    missing: int = 0
    extra: int = 0
    different: int = 0
    sent_again: int = 0
    fault: str = ""


def _canonical(fields: Mapping[str, object]) -> bytes:
    return json.dumps(fields, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
