"""The papers of a case beside its application: what evidence is called by, and who may read it.

Each is known by what it belongs to and the audit entry it came with, as in `conduct-C1-9-1`: the first of entry 9.
"""

from __future__ import annotations

_NOT_FOR_THE_BASE = frozenset({"conduct_reported"})
"""What comes with these entries may show who reported: the base hears of it what its notice tells (R7, decision 27)."""


def evidence_name(purpose: str, sequence: int, place: int) -> str:
    """What a piece of evidence is called: `purpose` as on record, its entry, its place among the entry's from 1."""
    ground, _, whose = purpose.partition(" ")
    belongs = f"{ground}-{whose.rpartition('-')[2]}" if whose else ground
    return f"{belongs}-{sequence}-{place}"


def readable(event: str, *, staff: bool) -> bool:
    """Whether the evidence that came with an entry may be read: all of it by the staff."""
    return staff or event not in _NOT_FOR_THE_BASE
