"""The papers of a case beside its application: evidence, each with the entry it came with."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from domain.papers import evidence_name, readable
from store import tables
from store.conflicts import again_after_conflict


@dataclass(frozen=True)
class Evidence:
    """One piece: what it is called by, its content's sha256, what it belongs to, the entry it came with and by whom."""

    name: str
    sha256: str
    purpose: str
    sequence: int
    event: str
    by: str


@again_after_conflict
def evidence_of(engine: Engine, case_number: str, *, staff: bool) -> list[Evidence]:
    """The evidence on record, first to last; what the base may not read only for `staff`."""
    row, entry = tables.EvidenceRow, tables.AuditRow
    statement = (
        select(row, entry.event, entry.actor)
        .join(entry, (entry.case_number == row.case_number) & (entry.sequence == row.sequence))
        .where(row.case_number == case_number)
        .order_by(row.sequence, row.sha256)
    )
    found: list[Evidence] = []
    places: Counter[int] = Counter()
    with Session(engine) as session:
        for one, event, actor in session.execute(statement):
            places[one.sequence] += 1
            if readable(event, staff=staff):
                called = evidence_name(one.purpose, one.sequence, places[one.sequence])
                found.append(Evidence(called, one.sha256, one.purpose, one.sequence, event, actor))
    return found
