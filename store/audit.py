"""The audit chain: one entry per transition, each hash covering the entry and the hash before it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import rfc8785
from sqlalchemy import Connection, Row, select
from sqlalchemy.orm import Session

from store.tables import AuditRow, CaseRow


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
    """Whether a case's chain is whole, entry by entry as the case wrote it; else the first broken one and why."""

    ok: bool
    entries: int
    broken_at: int | None = None
    why: str = ""


def verify_chain(session: Session | Connection, case_number: str) -> ChainReport:
    """Walk the chain from its first entry to the last one the case wrote. An unknown case is not whole either."""
    connection = session.connection() if isinstance(session, Session) else session
    # One statement, so that a case that goes on meanwhile is seen at one moment.
    statement = (
        select(
            CaseRow.sequence.label("written"), AuditRow.sequence, AuditRow.legal_at, AuditRow.observed_at,
            AuditRow.actor, AuditRow.event, AuditRow.detail, AuditRow.previous_hash, AuditRow.hash,
        )
        .outerjoin(AuditRow, AuditRow.case_number == CaseRow.case_number)
        .where(CaseRow.case_number == case_number)
        .order_by(AuditRow.sequence)
    )  # fmt: skip
    previous, count, written = genesis(case_number), 0, 0
    try:
        for row in connection.execute(statement):
            written = row.written
            if row.sequence is None:
                break
            count += 1
            if why := _broken(row, case_number, count, previous):
                return ChainReport(False, count, count, f"entry {count} {why}")
            previous = row.hash
    except ValueError:
        return ChainReport(False, count + 1, count + 1, f"entry {count + 1} can't be read")
    if not written:
        return ChainReport(False, 0, None, f"there is no case {case_number}")
    if count < written:
        return ChainReport(False, count, count + 1, f"entry {count + 1} is missing")
    return ChainReport(True, count)


def _broken(row: Row[Any], case_number: str, place: int, previous: str) -> str:
    if row.sequence != place:
        return "is missing"
    if place > row.written:
        return f"is not the case's: it wrote {row.written}"
    if row.previous_hash != previous:
        return "does not follow the entry before it"
    try:
        expected = entry_hash(
            previous, case_number, row.sequence, row.legal_at, row.observed_at, row.actor, row.event, row.detail
        )
    except rfc8785.CanonicalizationError:
        expected = ""
    return "" if row.hash == expected else "was changed after it was written"
