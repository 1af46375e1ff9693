"""The calendar notices that were imported, and the calendar a transaction decides with: shipped and imported.

Notices are append-only; a later published one wins for the days it names (`domain/working_days.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, func, select, text
from sqlalchemy.orm import InstrumentedAttribute, Session

from domain.case import Case
from domain.commands import ImportCalendar
from domain.notices import Notice
from domain.refusals import RefusalDetail
from domain.stages import Stage
from domain.working_days import Calendar
from store import actors, tables
from store.conflicts import again_after_conflict
from store.reference import shipped_notices


@dataclass(frozen=True)
class ImportedNotice:
    """A notice as it was imported: by whom, when, and in how many cases it has moved a deadline so far."""

    notice: Notice
    imported_by: str
    at: datetime
    cases_moved: int


@dataclass(frozen=True)
class LiveCase:
    """A case that is not closed, with how far its clock is ahead (decision 6)."""

    workflow_id: str
    facts: dict[str, Any]
    clock_offset: timedelta

    @property
    def case(self) -> Case:
        """Read only when it is asked for: to be told of a notice, the id is enough."""
        return Case.model_validate(self.facts)


def calendar_in(session: Session) -> Calendar:
    """The calendar as this transaction sees it: one small query, parsed once per distinct set of notices."""
    return _calendar(tuple(session.scalars(select(tables.CalendarNoticeRow.content).order_by(*_IMPORTED_FIRST))))


@lru_cache(maxsize=16)
def _calendar(imported: tuple[str, ...]) -> Calendar:
    return Calendar((*shipped_notices(), *(Notice.model_validate_json(content) for content in imported)))


_IMPORTED_FIRST = (tables.CalendarNoticeRow.at, tables.CalendarNoticeRow.sha256)
_LIVE = tables.CaseRow.stage != Stage.CLOSED.value


def _cases_moved(sha256: ColumnElement[str] | InstrumentedAttribute[str] | str) -> Select[int]:
    entry = tables.AuditRow
    return select(func.count(entry.case_number.distinct())).where(
        text(tables.RECOUNTED),  # written out as the index has it, so that it is used
        entry.detail[("notice", "sha256")].as_string() == sha256,
        entry.detail["moved"].as_integer() > 0,
    )


class CalendarStore:
    """Imported notices, and the live cases they reach. Instants come from the caller."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def importing(self) -> Iterator[CalendarTransaction]:
        """One transaction that may import a notice, beside which no other transaction reads the calendar.

        Whoever decided with the calendar before has committed when this transaction goes on; whoever reads it
        later sees the notice. So a case told of the notice afterwards is the last that could have an older date.
        """
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            if session.get_bind().dialect.name == "postgresql":  # a writer of SQLite is alone anyway
                session.execute(text(f"LOCK TABLE {tables.CalendarNoticeRow.__tablename__} IN ACCESS EXCLUSIVE MODE"))
            yield CalendarTransaction(session)

    @again_after_conflict
    def refused(self, command: ImportCalendar, refusal: RefusalDetail, now: datetime) -> None:
        """Keep that an import was refused."""
        with Session(self._engine) as session, session.begin():
            actors.record_refusal(session, command, refusal, now)

    @again_after_conflict
    def calendar(self) -> Calendar:
        with Session(self._engine) as session:
            return calendar_in(session)

    @again_after_conflict
    def imported(self) -> list[ImportedNotice]:
        """Every imported notice, first to last."""
        moved = _cases_moved(tables.CalendarNoticeRow.sha256).scalar_subquery()
        statement = select(tables.CalendarNoticeRow, moved).order_by(*_IMPORTED_FIRST)
        with Session(self._engine) as session:
            return [
                ImportedNotice(Notice.model_validate_json(row.content), row.imported_by, row.at, count)
                for row, count in session.execute(statement)
            ]

    @again_after_conflict
    def cases_moved(self, sha256: str) -> int:
        """In how many cases the notice has moved a deadline."""
        with Session(self._engine) as session:
            return session.scalar(_cases_moved(sha256)) or 0

    @again_after_conflict
    def live_cases(self, after: str, limit: int) -> list[LiveCase]:
        """Up to `limit` live cases in the order of their workflow ids, those after `after`: a page that never skips
        one, whatever ends or begins meanwhile."""
        row = tables.CaseRow
        statement = select(row).where(row.workflow_id > after, _LIVE).order_by(row.workflow_id).limit(limit)
        with Session(self._engine) as session:
            return [
                LiveCase(found.workflow_id, found.facts, timedelta(milliseconds=found.clock_offset_ms))
                for found in session.scalars(statement)
            ]


class CalendarTransaction(actors.CommandTransaction):
    """What the transaction of an import sees and does."""

    @property
    def calendar(self) -> Calendar:
        return calendar_in(self._session)

    def add(self, notice: Notice, imported_by: str, at: datetime) -> bool:
        """Import a notice; False when the same content is in already."""
        if self._session.get(tables.CalendarNoticeRow, notice.sha256) is not None:
            return False
        self._session.add(
            tables.CalendarNoticeRow(
                sha256=notice.sha256,
                year=notice.year,
                source=notice.source,
                published_on=notice.published_on,
                content=notice.canonical(),
                imported_by=imported_by,
                at=at,
            )
        )
        self._session.flush()
        return True

    def count_live_cases(self) -> int:
        return self._session.scalar(select(func.count()).select_from(tables.CaseRow).where(_LIVE)) or 0
