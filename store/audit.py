"""The audit chain: one entry per transition, each hash covering the entry and the hash before it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import rfc8785
from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from store.tables import AuditRow


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
    return hashlib.sha256(previous.encode() + rfc8785.dumps(entry)).hexdigest()


@dataclass(frozen=True)
class ChainReport:
    """Whether a case's chain is whole; otherwise the first broken entry and why."""

    ok: bool
    entries: int
    broken_at: int | None = None
    why: str = ""


def verify_chain(session: Session | Connection, case_number: str) -> ChainReport:
    """Walk the chain from its first entry."""
    previous, count = genesis(case_number), 0
    statement = (
        select(
            AuditRow.sequence, AuditRow.legal_at, AuditRow.observed_at, AuditRow.actor, AuditRow.event,
            AuditRow.detail, AuditRow.previous_hash, AuditRow.hash,
        )
        .where(AuditRow.case_number == case_number)
        .order_by(AuditRow.sequence)
    )  # fmt: skip
    for row in session.execute(statement):
        count += 1
        if row.sequence != count:
            return ChainReport(False, count, count, f"entry {count} is missing")
        if row.previous_hash != previous:
            return ChainReport(False, count, count, f"entry {count} does not follow the entry before it")
        expected = entry_hash(
            previous, case_number, row.sequence, row.legal_at, row.observed_at, row.actor, row.event, row.detail
        )
        if row.hash != expected:
            return ChainReport(False, count, count, f"entry {count} was changed after it was written")
        previous = row.hash
    return ChainReport(True, count)
