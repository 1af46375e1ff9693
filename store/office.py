"""The office's own chain: what people do for no single case, a calendar notice, a quarter's figures, a confirmation.

What it leads to in a case is an entry of that case. Its entries are hashed, sealed and exported as those of a case with
the number `office`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from domain.commands import Command
from store.audit import entry_hash, genesis, signed
from store.tables import OfficeEntryRow, Table
from store.told import TOLD, added

OFFICE = "office"
"""Where a case's number stands in others."""
_LOCK = 5201315  # any number, as long as nobody else uses it in this database


def record_command(
    session: Session, command: Command, answer: BaseModel, at: datetime, rows: Sequence[Table] = ()
) -> None:
    """Chain an accepted command, with its signature and what it added that is no case's."""
    detail = {"parameters": command.params_hash(), "answer": answer.model_dump(mode="json"), **signed(command)}
    record_for_office(session, str(command.actor), command.action, detail, at, rows)


def record_for_office(
    session: Session, actor: str, event: str, detail: dict[str, Any], at: datetime, rows: Sequence[Table] = ()
) -> None:
    """Chain what happened. Such transactions are rare: they wait for each other until they end."""
    if session.get_bind().dialect.name == "postgresql":  # a writer of SQLite is alone anyway
        session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    last = session.scalar(select(OfficeEntryRow).order_by(OfficeEntryRow.sequence.desc()).limit(1))
    previous, sequence = (last.hash, last.sequence + 1) if last else (genesis(OFFICE), 1)
    entry: dict[str, Any] = {
        "sequence": sequence,
        "actor": actor,
        "event": event,
        "detail": detail | {TOLD: added(rows)},
    }
    own = entry_hash(previous, OFFICE, legal_at=at, observed_at=at, **entry)
    session.add(OfficeEntryRow(**entry, at=at, previous_hash=previous, hash=own))
