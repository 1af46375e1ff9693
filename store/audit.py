"""The audit chain as it is written: one entry per transition, each hash covering the entry and the hash before it.

It is proven by `audit`, which shares no code with this.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from store.canonical import canonical

if TYPE_CHECKING:
    from domain.commands import Command


SIGNED = "signed"
"""The key in the detail of an entry that a person's command made: the command's signature, None where it has none."""


def signed(command: Command) -> dict[str, str | None]:
    """What an entry's detail says of who sent the command."""
    return {SIGNED: command.signature or None}


def genesis(case_number: str) -> str:
    """The hash before a case's first entry."""
    return hashlib.sha256(f"livebase audit {case_number}".encode()).hexdigest()


def entry_hash(
    previous: str,
    case_number: str,
    sequence: int,
    legal_at: datetime,
    observed_at: datetime,
    actor: str,
    event: str,
    detail: dict[str, Any],
) -> str:
    """sha256 over the previous hash and the entry as canonical JSON (RFC 8785); instants in UTC."""
    entry: dict[str, Any] = {
        "case_number": case_number,
        "sequence": sequence,
        "legal_at": legal_at.astimezone(UTC).isoformat(),
        "observed_at": observed_at.astimezone(UTC).isoformat(),
        "actor": actor,
        "event": event,
        "detail": detail,
    }
    return hashlib.sha256(previous.encode() + canonical(entry)).hexdigest()


def seal_genesis() -> str:
    """The hash before the first seal."""
    return hashlib.sha256(b"livebase audit seals").hexdigest()


def seal_hash(previous: str, number: int, at: datetime, heads: Sequence[tuple[str, int, str]]) -> str:
    """sha256 over the previous seal's hash and the seal as canonical JSON: its heads by case number."""
    seal = {"number": number, "at": at.astimezone(UTC).isoformat(), "heads": [list(head) for head in heads]}
    return hashlib.sha256(previous.encode() + canonical(seal)).hexdigest()
