"""Figures of quarters and what they come to, for all bases: append-only revisions, and confirmations (decision 22).

A quarter's own transactions write here and never to a case; a case hears of it in its own (`CaseTransaction.news`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Engine, Select, select
from sqlalchemy.orm import Session

from domain.assessing import AssessedBase, KnownBase, Line, OnRecord
from domain.assessment import FiguresRecorded, News, ResultConfirmed, unheard
from domain.case import Case
from domain.figures import Figures, Metric, Result
from domain.names import same_name
from domain.periods import Period
from domain.stages import Stage
from store import actors, tables
from store.conflicts import again_after_conflict
from store.queries import shown

_FIGURES, _CONFIRMED, _CASE = tables.AssessmentRow, tables.ConfirmationRow, tables.CaseRow
_AT_ONCE = 500
_UNDER_ASSESSMENT = (Stage.PUBLISHING.value, Stage.VALID.value, Stage.RENEWAL_LATE.value)


class AssessmentStore:
    """Quarters on one engine. Instants come from the caller."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def transaction(self) -> Iterator[PeriodTransaction]:
        """One transaction over many bases; their cases' rows are locked in the order of their numbers."""
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            yield PeriodTransaction(session, locks=True)

    @contextmanager
    def reading(self) -> Iterator[PeriodTransaction]:
        """The same to look, without a lock."""
        with Session(self._engine) as session:
            yield PeriodTransaction(session, locks=False)

    @again_after_conflict
    def assessed(self, period: str, now: datetime) -> list[AssessedBase]:
        """Every base with a result of the quarter on record, in the order of the cases' numbers."""
        with self.reading() as tx:
            return tx.assessed(period, now)

    @again_after_conflict
    def passes_to_confirm(self, by: str | None = None) -> dict[str, int]:
        """How many passes of which quarter wait for a second person, the oldest first; with `by` for that one."""
        with self.reading() as tx:
            waiting = tx.unconfirmed_passes()
            periods = sorted(waiting, key=Period.parse)
            return {
                period: waiting[period]
                for period in periods
                if by is None or not any(same_name(one, by) for one in tx.importers(period))
            }

    @again_after_conflict
    def history(self, case: Case) -> list[dict[str, Any]]:
        """Each quarter of a case, first to last: how it stands, every revision of its figures, its confirmations."""
        with Session(self._engine) as session:
            figures = session.scalars(
                select(_FIGURES)
                .where(_FIGURES.case_number == case.case_number)
                .order_by(_FIGURES.period, _FIGURES.revision)
            ).all()
        periods = sorted({row.period for row in figures} | {one.period for one in case.assessments})
        return [_quarter(case, period, [row for row in figures if row.period == period]) for period in periods]


class PeriodTransaction(actors.CommandTransaction):
    """What a quarter's transaction sees and does."""

    def __init__(self, session: Session, *, locks: bool) -> None:
        super().__init__(session)
        self._locks = locks

    def bases(self, credit_codes: Sequence[str], period: str, now: datetime) -> dict[str, list[KnownBase]]:
        """Every case of these enterprises, the newest last, each at its own clock's `now`, with its figures."""
        rows = [
            row
            for part in _parts(sorted(set(credit_codes)))
            for row in self._rows(select(_CASE).where(_CASE.credit_code.in_(part)))
        ]
        newest = self._newest(period, [row.case_number for row in rows])
        found: dict[str, list[KnownBase]] = {}
        for row in sorted(rows, key=lambda row: row.ordinal):
            clock = now + timedelta(milliseconds=row.clock_offset_ms)
            known = KnownBase(Case.model_validate(row.facts), clock, newest.get(row.case_number))
            found.setdefault(row.credit_code, []).append(known)
        return found

    def assessed(self, period: str, now: datetime) -> list[AssessedBase]:
        """As `AssessmentStore.assessed`: by figures, or by a person's decision without any."""
        decision = tables.DecisionRow
        decided = select(decision.case_number).where(
            decision.kind == "assessment_failed", decision.detail["period"].as_string() == period
        )
        imported = select(_FIGURES.case_number).where(_FIGURES.period == period)
        numbers = sorted({*self._session.scalars(imported), *self._session.scalars(decided)})
        rows = [row for part in _parts(numbers) for row in self._rows(select(_CASE).where(_CASE.case_number.in_(part)))]
        news = _news(self._session, [row.case_number for row in rows], period)
        found = []
        for row in sorted(rows, key=lambda row: row.case_number):
            case = Case.model_validate(row.facts)
            hears = any(unheard(case, one) for one in news.get(row.case_number, ()))
            found.append(AssessedBase(case, now + timedelta(milliseconds=row.clock_offset_ms), hears))
        return found

    def unconfirmed_passes(self) -> dict[str, int]:
        """How many bases' passes of each quarter nobody has confirmed yet; those of ended certifications never are."""
        same = (_CONFIRMED.case_number == _FIGURES.case_number, _CONFIRMED.period == _FIGURES.period)
        confirmed = select(_CONFIRMED.case_number).where(*same, _CONFIRMED.revision >= _FIGURES.revision).exists()
        passes = select(_FIGURES.case_number, _FIGURES.period).where(_FIGURES.result == "pass", ~confirmed).distinct()
        periods: dict[str, list[str]] = {}
        for number, period in self._session.execute(passes):
            periods.setdefault(number, []).append(period)
        waiting: Counter[str] = Counter()
        for part in _parts(sorted(periods)):
            rows = select(_CASE).where(_CASE.case_number.in_(part), _CASE.stage.in_(_UNDER_ASSESSMENT))
            for row in self._session.scalars(rows):
                case = Case.model_validate(row.facts)
                known = [case.assessment(period) for period in periods[row.case_number]]
                waiting.update(
                    one.period for one in known if one and (one.state, one.result) == ("provisional", "pass")
                )
        return waiting

    def importers(self, period: str) -> list[str]:
        """Everybody who has imported figures of the quarter."""
        rows = select(_FIGURES.imported_by).where(_FIGURES.period == period).distinct()
        return sorted(self._session.scalars(rows))

    def add(self, line: Line, figures: Figures, batch: str, by: str, at: datetime) -> None:
        """Put a base's figures on record; `at` is the base's own clock."""
        self._session.add(
            _FIGURES(
                case_number=line.case_number,
                period=line.period,
                revision=line.revision,
                live_merchants=figures.live_merchants,
                active_merchants=figures.active_merchants,
                gmv=figures.gmv,
                result=line.result,
                missed=list(line.missed),
                policy_version=line.policy_version,
                batch=batch,
                imported_by=by,
                at=at,
            )
        )

    def confirm(self, case_number: str, news: ResultConfirmed) -> None:
        self._session.add(
            _CONFIRMED(
                case_number=case_number,
                period=news.period,
                revision=news.revision,
                result=news.result,
                confirmed_by=news.by,
                at=news.at,
            )
        )

    def _rows(self, statement: Select[tables.CaseRow]) -> Sequence[tables.CaseRow]:
        statement = statement.order_by(_CASE.case_number)
        statement = statement.with_for_update() if self._locks else statement
        return list(self._session.scalars(statement))

    def _newest(self, period: str, case_numbers: Sequence[str]) -> dict[str, OnRecord]:
        found: dict[str, OnRecord] = {}
        for part in _parts(case_numbers):
            rows = select(_FIGURES).where(_FIGURES.period == period, _FIGURES.case_number.in_(part))
            for row in self._session.scalars(rows.order_by(_FIGURES.revision)):
                found[row.case_number] = OnRecord(row.revision, (row.live_merchants, row.active_merchants, row.gmv))
        return found


def unheard_news(session: Session, case: Case) -> list[News]:
    """What the case has still to hear of, in the order it came."""
    news = _news(session, [case.case_number]).get(case.case_number, [])
    return [one for one in news if unheard(case, one)]


def _news(session: Session, case_numbers: Sequence[str], period: str | None = None) -> dict[str, list[News]]:
    found: dict[str, list[News]] = {}
    for part in _parts(case_numbers):
        figures = select(_FIGURES, _CASE.credit_code).join(_CASE).where(_FIGURES.case_number.in_(part))
        confirmed = select(_CONFIRMED).where(_CONFIRMED.case_number.in_(part))
        if period is not None:
            figures, confirmed = figures.where(_FIGURES.period == period), confirmed.where(_CONFIRMED.period == period)
        for row, credit_code in session.execute(figures):
            found.setdefault(row.case_number, []).append(_recorded(row, credit_code))
        for one in session.scalars(confirmed):
            result = cast(Result, one.result)
            news = ResultConfirmed(one.period, one.revision, result, one.confirmed_by, one.at)
            found.setdefault(one.case_number, []).append(news)
    return {number: sorted(news, key=lambda one: one.order) for number, news in found.items()}


def _recorded(row: tables.AssessmentRow, credit_code: str) -> FiguresRecorded:
    figures = Figures(
        credit_code=credit_code,
        period=row.period,
        live_merchants=row.live_merchants,
        active_merchants=row.active_merchants,
        gmv=row.gmv,
    )
    missed = cast(tuple[Metric, ...], tuple(row.missed))
    return FiguresRecorded(figures, row.revision, cast(Result, row.result), missed, row.imported_by, row.at)


def _quarter(case: Case, period: str, rows: Sequence[tables.AssessmentRow]) -> dict[str, Any]:
    known = case.assessment(period)
    newest = rows[-1] if rows else None
    return {
        "period": period,
        "result": known.result if known else newest.result if newest else "unknown",
        "state": known.state if known else "recorded",
        "objection_until": shown(known.objection_until) if known else None,
        "decided_by": known.decided_by if known else None,
        "confirmed_by": known.confirmed_by if known else None,
        "confirmed_at": shown(known.confirmed_at) if known else None,
        "figures": [_figures(row) for row in rows],
    }


def _figures(row: tables.AssessmentRow) -> Mapping[str, Any]:
    return {
        "revision": row.revision,
        "live_merchants": row.live_merchants,
        "active_merchants": row.active_merchants,
        "gmv": {"fen": row.gmv},
        "result": row.result,
        "missed": row.missed,
        "policy_version": row.policy_version,
        "batch": row.batch,
        "imported_by": row.imported_by,
        "at": shown(row.at),
    }


def _parts(items: Sequence[str]) -> Iterator[Sequence[str]]:
    """Few enough at once for one statement."""
    for first in range(0, len(items), _AT_ONCE):
        yield items[first : first + _AT_ONCE]
