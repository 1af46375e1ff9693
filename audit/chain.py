"""A case's chain: each entry's hash covers the entry and the hash before it, back to one made of the case's number."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from audit.canonical import NotCanonical, exact, quick
from audit.files import CONTENT
from audit.report import Broken, Record

_HASHED = ("actor", "case_number", "detail", "event", "legal_at", "observed_at", "sequence")


def genesis(case_number: str) -> str:
    """The hash before a case's first entry."""
    return hashlib.sha256(f"livebase audit {case_number}".encode()).hexdigest()


def is_hash_of(own: str, previous: str, content: Record) -> bool:
    """Whether it is the sha256 over the hash before and the canonical JSON of the content."""
    before = previous.encode()
    if hashlib.sha256(before + quick(content)).hexdigest() == own:
        return True
    try:
        return hashlib.sha256(before + exact(content)).hexdigest() == own
    except NotCanonical:
        return False


def first_broken(case_number: str, entries: Sequence[Record], written: int) -> Broken | None:
    """The first entry that breaks the chain, in the order of their numbers; the case wrote `written` of them."""
    previous = genesis(case_number)
    for place, entry in enumerate(entries, 1):
        if kind := _how_broken(entry, place, previous, written):
            values = (place, written) if kind == "surplus" else (place,)
            return Broken(kind, values, case_number, place)
        previous = entry["hash"]
    if (place := len(entries) + 1) <= written:
        return Broken("missing", (place,), case_number, place)
    return None


def _how_broken(entry: Record, place: int, previous: str, written: int) -> str:
    if entry["sequence"] != place:
        return "missing" if entry["sequence"] > place else "doubled"
    if place > written:
        return "surplus"
    if entry["previous_hash"] != previous:
        return "unlinked"
    if entry["detail"] is None:
        return "unreadable"
    if CONTENT in entry and hashlib.sha256(previous.encode() + entry[CONTENT]).hexdigest() == entry["hash"]:
        return ""
    content = {name: entry[name] for name in _HASHED}
    return "" if is_hash_of(entry["hash"], previous, content) else "changed"
