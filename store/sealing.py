"""Seals: which entry each case had come to, from time to time, chained to one another across all cases.

A case's chain tells what was changed within it, but not that its end, or all of it, is gone or was written anew. A seal
does: it has the newest entry's hash (the head) of every case that went on since the seal before. Seals are made every
minute, and not by each transaction: that would make each wait for the one before it, whichever case it was about, on a
row all cases share. So what is younger than the newest seal is guarded by its case's chain alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Engine, and_, func, select
from sqlalchemy.orm import Session

from store.audit import seal_genesis, seal_hash
from store.conflicts import again_after_conflict
from store.office import OFFICE
from store.tables import AuditRow, CaseRow, HeadRow, OfficeEntryRow, SealRow

LARGEST = 2000
"""How many cases' heads one seal has at most: a transaction of a fraction of a second."""


class SealStore:
    """Seals on one engine. Instants come from the caller."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @again_after_conflict
    def seal(self, at: datetime) -> int:
        """Seal what went on since the seal before; how many heads, 0 when nothing did. More may be left at `LARGEST`.

        IntegrityError when somebody else seals at the same moment: what they sealed is sealed.
        """
        with Session(self._engine) as session, session.begin():
            heads = _unsealed(session)
            if not heads:
                return 0
            last = session.scalar(select(SealRow).order_by(SealRow.number.desc()).limit(1))
            number, previous = (last.number + 1, last.hash) if last else (1, seal_genesis())
            own = seal_hash(previous, number, at, heads)
            session.add(SealRow(number=number, at=at, previous_hash=previous, hash=own))
            session.flush()
            session.add_all(HeadRow(case_number=case, sequence=n, hash=h, seal=number) for case, n, h in heads)
            return len(heads)

    @again_after_conflict
    def newest(self) -> int:
        """The number of the newest seal, 0 before the first."""
        with Session(self._engine) as session:
            return session.scalar(select(func.max(SealRow.number))) or 0


def _unsealed(session: Session) -> Sequence[tuple[str, int, str]]:
    """The head of every case that has none sealed yet at its present entry, by case number."""
    sealed = and_(HeadRow.case_number == CaseRow.case_number, HeadRow.sequence == CaseRow.sequence)
    newest = and_(AuditRow.case_number == CaseRow.case_number, AuditRow.sequence == CaseRow.sequence)
    rows = (
        select(CaseRow.case_number, CaseRow.sequence, AuditRow.hash)
        .join(AuditRow, newest)
        .outerjoin(HeadRow, sealed)
        .where(HeadRow.case_number.is_(None))
        .order_by(CaseRow.case_number)
        .limit(LARGEST)
    )
    offices = select(OfficeEntryRow.sequence, OfficeEntryRow.hash).order_by(OfficeEntryRow.sequence.desc()).limit(1)
    heads = [(number, sequence, own) for number, sequence, own in session.execute(rows)]
    for sequence, own in session.execute(offices):
        if session.get(HeadRow, (OFFICE, sequence)) is None:
            heads.append((OFFICE, sequence, own))
    return sorted(heads)
