"""The official list as the public reads it: every question is answered for one instant, by the list alone.

Nobody has to be running: the end of a term and any ending on record are applied by the query, and again by the rule
(`domain/listed.py`) to what it finds. `wall` is the caller's instant; a case's own clock is added to it (decision 6).
All that is read are the list's revisions and, of a case, its clock and whether it has ended (`store/roles.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Engine, Select, and_, case, exists, func, literal, not_, or_, select
from sqlalchemy.orm import Session, aliased

from domain.listed import Certificate, Seen, next_change, seen, was_overtaken
from domain.names import folded, searched
from domain.skeleton import skeleton
from store.conflicts import again_after_conflict
from store.tables import CaseRow, Installation, Instant, ListRow

Shown = Literal["listed", "suspended", "ended", "all"]
CERTIFICATE_NUMBER = re.compile(r"LBC-[0-9]{4}-[0-9]{6,9}")
_CREDIT_CODE = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}")
_COUNTED = 1000
"""A search counts no further than this."""
_AT_ONCE = 5000


@dataclass(frozen=True)
class Look:
    """What of the list is looked at. `region` is what a place begins with; at most one of `after` and `before`.

    `after` and `before` are certificate numbers: pages go from the newest number to the oldest.
    """

    text: str = ""
    shown: Shown = "listed"
    region: str = ""
    after: str = ""
    before: str = ""

    @property
    def number(self) -> str | None:
        """The certificate number the text is, if it is one."""
        return certificate_number(self.text)

    @property
    def credit_code(self) -> str | None:
        """The credit code the text is, if it is one."""
        code = folded(self.text).upper()
        return code if _CREDIT_CODE.fullmatch(code) else None


@dataclass(frozen=True)
class Page:
    """Certificates of one page, and whether there are more on either side."""

    certificates: tuple[Certificate, ...]
    more_before: bool
    more_after: bool


@dataclass(frozen=True)
class Change:
    """One revision of an entry, with the certificate as it was from then on. `at` is when it came on record."""

    certificate: Certificate
    revision: int
    at: datetime


def certificate_number(text: str) -> str | None:
    """A certificate number as people type it, or None for what can be none."""
    number = folded(text).upper()
    return number if CERTIFICATE_NUMBER.fullmatch(number) else None


class ListReader:
    """Reads on one engine, best a read-only one."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @again_after_conflict
    def revision(self) -> int:
        """The number of the list: how many revisions of entries it has. It only ever grows."""
        with Session(self._engine) as session:
            return session.scalar(select(func.count()).select_from(ListRow)) or 0

    @again_after_conflict
    def installation(self) -> tuple[str, bool]:
        """The name of this installation, and whether it is a local server's."""
        with Session(self._engine) as session:
            row = session.scalars(select(Installation)).one()
            return row.name, row.local_server

    @again_after_conflict
    def certificate(self, number: str, wall: datetime) -> tuple[Certificate, datetime | None] | None:
        """A certificate, and the next instant at which it says something else by itself; None for an unknown number."""
        with Session(self._engine) as session:
            entry = self._entry(session, number)
        if entry is None:
            return None
        now = wall + entry.ahead
        found = seen(entry.revisions, number, now, case_ended=entry.ended)
        if found is None:
            return None
        following = next_change(entry.revisions, now)
        return found, None if following is None else following - entry.ahead

    @again_after_conflict
    def letterbox(self, number: str) -> str | None:
        """The public key that complaints about a certificate's base are sealed to; None where there is none, or its
        other half is destroyed with the case's documents."""
        keys = select(ListRow.letterbox).join(CaseRow, CaseRow.case_number == ListRow.case_number)
        newest = keys.where(ListRow.certificate_number == number, not_(CaseRow.documents_erased))
        with Session(self._engine) as session:
            return session.scalar(newest.order_by(ListRow.revision.desc()).limit(1))

    @again_after_conflict
    def certificate_at(self, number: str, at: datetime) -> tuple[Certificate | None, Certificate | None]:
        """A certificate at an instant of its base's clock, by all that is on record by now, and as it was known then.

        The two differ where something took effect before it was put on record: an end found late.
        """
        with Session(self._engine) as session:
            entry = self._entry(session, number)
        revisions = entry.revisions if entry else []
        return seen(revisions, number, at), seen(revisions, number, at, known_at=at)

    def _entry(self, session: Session, number: str) -> _Entry | None:
        of = select(ListRow.case_number).where(ListRow.certificate_number == number).limit(1)
        return self._entries(session, list(session.scalars(of))).get(number)

    @again_after_conflict
    def page(self, look: Look, wall: datetime, size: int) -> Page:
        """A page of certificates, the newest number first."""
        with Session(self._engine) as session:
            if look.number is not None:
                named = self._seen(session, [look.number], wall, look.shown)
                return Page(tuple(one for one in named if one.place.startswith(look.region)), False, False)
            clock = Clock(session, wall)
            numbers = _numbers(look, clock)
            column = ListRow.certificate_number
            if look.before:
                rows = numbers.where(column > look.before).order_by(column).limit(size + 1)
                found = list(session.scalars(rows))
                more_before, more_after = len(found) > size, True
                wanted = found[:size][::-1]
            else:
                if look.after:
                    numbers = numbers.where(column < look.after)
                found = list(session.scalars(numbers.order_by(column.desc()).limit(size + 1)))
                more_before, more_after = bool(look.after), len(found) > size
                wanted = found[:size]
            return Page(tuple(self._seen(session, wanted, wall, look.shown)), more_before, more_after)

    @again_after_conflict
    def count(self, look: Look, wall: datetime) -> int:
        """How many certificates there are: all that are listed; what a search finds is counted to 1,001 at most."""
        with Session(self._engine) as session:
            numbers = _numbers(look, Clock(session, wall))
            if look != Look():
                numbers = numbers.limit(_COUNTED + 1)
            return session.scalar(select(func.count()).select_from(numbers.subquery())) or 0

    def everything(self, wall: datetime) -> list[Certificate]:
        """Every certificate on the list, certified or suspended, in the order of the numbers."""
        found: list[Certificate] = []
        last = ""
        while rows := self._following(last, wall):
            for row in rows:
                now = wall + timedelta(milliseconds=row.clock_offset_ms)
                one = seen((row,), row.certificate_number, now, case_ended=row.ended)
                if one is not None and one.seen in _SHOWN["listed"]:
                    found.append(one)
            last = rows[-1].certificate_number
        return found

    @again_after_conflict
    def _following(self, last: str, wall: datetime) -> Sequence[Any]:
        """The revisions that list so many certificates after a number, each with what is known of its case."""
        with Session(self._engine) as session:
            listed = _numbers(Look(), Clock(session, wall)).where(ListRow.certificate_number > last)
            rows = listed.with_only_columns(*_COLUMNS, CaseRow.clock_offset_ms, CaseRow.ended)
            return session.execute(rows.order_by(ListRow.certificate_number).limit(_AT_ONCE)).all()

    @again_after_conflict
    def changes(self, wall: datetime, most: int) -> list[Change]:
        """The newest revisions that are in effect, each with the certificate as it was in its instant."""
        with Session(self._engine) as session:
            clock = Clock(session, wall)
            newest = clock.with_case(select(ListRow)).where(ListRow.effective_from <= clock.now)
            rows = list(session.scalars(newest.order_by(ListRow.at.desc(), ListRow.revision.desc()).limit(most)))
            entries = self._entries(session, [row.case_number for row in rows])
        found = []
        for row in rows:
            entry = entries[row.certificate_number]
            instant = max(row.effective_from, row.valid_from)
            if was_overtaken(row, entry.revisions):
                continue
            upto = [one for one in entry.revisions if one.revision <= row.revision]
            was = seen(upto, row.certificate_number, instant)
            before = seen(upto[:-1], row.certificate_number, instant)
            # An appeal makes a revision in which nothing is to be seen: what is not told shows in no feed either.
            if was is not None and (before is None or replace(before, revision=was.revision) != was):
                found.append(Change(was, row.revision, max(row.at, instant) - entry.ahead))
        return found

    @again_after_conflict
    def next_change(self, wall: datetime) -> datetime | None:
        """The first instant at which the list says something else by itself: a term ends, or an entry takes effect."""
        found: list[datetime] = []
        with Session(self._engine) as session:
            clock = Clock(session, wall)
            for ahead in clock.ahead:
                now = wall + timedelta(milliseconds=ahead)
                for column in (ListRow.valid_until, ListRow.effective_from):
                    following = select(func.min(column)).where(column > now)
                    if clock.moved:
                        following = clock.with_case(following).where(CaseRow.clock_offset_ms == ahead)
                    if (instant := session.scalar(following)) is not None:
                        found.append(instant - timedelta(milliseconds=ahead))
        return min(found, default=None)

    def _seen(self, session: Session, numbers: Sequence[str], wall: datetime, shown: Shown) -> Iterator[Certificate]:
        """The certificates of these numbers, in their order, as the rule sees them: what it does not list is not."""
        cases = select(ListRow.case_number).where(ListRow.certificate_number.in_(numbers)).distinct()
        entries = self._entries(session, list(session.scalars(cases)))
        for number in numbers:
            if (entry := entries.get(number)) is None:
                continue
            one = seen(entry.revisions, number, wall + entry.ahead, case_ended=entry.ended)
            if one is not None and one.seen in _SHOWN[shown]:
                yield one

    @staticmethod
    def _entries(session: Session, case_numbers: Sequence[str]) -> dict[str, _Entry]:
        """Certificate number → the entry it is of."""
        entries = _by_case(session, case_numbers).values()
        return {row.certificate_number: entry for entry in entries for row in entry.revisions}


def _by_case(session: Session, case_numbers: Sequence[str]) -> dict[str, _Entry]:
    """Case number → its entry, in the order of the numbers."""
    statement = (
        select(*_COLUMNS, CaseRow.clock_offset_ms, CaseRow.ended)
        .join(CaseRow, CaseRow.case_number == ListRow.case_number)
        .where(ListRow.case_number.in_(case_numbers))
        .order_by(ListRow.case_number, ListRow.revision)
    )
    entries: dict[str, _Entry] = {}
    for row in session.execute(statement):
        ahead = timedelta(milliseconds=row.clock_offset_ms)
        entries.setdefault(row.case_number, _Entry([], ahead, row.ended)).revisions.append(row)
    return entries


_SHOWN: dict[Shown, tuple[Seen, ...]] = {
    "listed": (Seen.CERTIFIED, Seen.SUSPENDED),
    "suspended": (Seen.SUSPENDED,),
    "ended": (Seen.ENDED,),
    "all": tuple(Seen),
}


_COLUMNS = tuple(
    column
    for column in ListRow.__table__.columns
    if column.name not in ("evidence", "searched", "skeleton", "letterbox")
)


@dataclass(frozen=True)
class _Entry:
    """A base's entry: its revisions, how far its clock is ahead, whether an ending is on record."""

    revisions: list[Any]
    ahead: timedelta
    ended: bool


class Clock:
    """What time it is for each case: the caller's instant, but on a local server, where clocks are moved."""

    def __init__(self, session: Session, wall: datetime) -> None:
        local = session.scalar(select(Installation.local_server))
        self.ahead = list(session.scalars(select(CaseRow.clock_offset_ms).distinct())) if local else [0]
        self.moved = any(self.ahead)
        instant: ColumnElement[datetime] = literal(wall, Instant())
        if self.moved:
            clocks = {ahead: literal(wall + timedelta(milliseconds=ahead), Instant()) for ahead in self.ahead}
            instant = case(clocks, value=CaseRow.clock_offset_ms, else_=instant)
        self.now = instant

    @staticmethod
    def with_case(statement: Select[Any]) -> Select[Any]:
        return statement.join(CaseRow, CaseRow.case_number == ListRow.case_number)


def _numbers(look: Look, clock: Clock) -> Select[Any]:
    """The numbers of the certificates looked at, each once: by its newest revision in effect."""
    row, newer, now = ListRow, aliased(ListRow), clock.now
    later = and_(newer.case_number == row.case_number, newer.revision > row.revision, newer.effective_from <= now)
    listed = and_(
        row.state.in_(("published", "suspended")),
        row.valid_until > now,
        not_(CaseRow.ended),
        not_(exists().where(later)),
    )
    statement = clock.with_case(select(row.certificate_number)).where(row.effective_from <= now, row.valid_from <= now)
    if look.shown in ("listed", "suspended"):
        statement = statement.where(listed)
        if look.shown == "suspended":
            statement = statement.where(row.state == "suspended")
    else:
        own = and_(later, newer.certificate_number == row.certificate_number, not_(_overtaken(newer)))
        statement = statement.where(not_(exists().where(own)), not_(_overtaken(row)))
        if look.shown == "ended":
            statement = statement.where(not_(listed))
    if look.region:
        statement = statement.where(row.place.startswith(look.region, autoescape=True))
    return statement.where(*_matches(look))


def _overtaken(row: Any) -> ColumnElement[bool]:
    """Whether a revision never took effect, as the rule has it (`domain.listed.was_overtaken`)."""
    other = aliased(ListRow)

    def stood_before(begins: Any) -> ColumnElement[bool]:
        return and_(other.at < begins, other.effective_from < begins)

    before_it_began = or_(stood_before(row.effective_from), stood_before(row.valid_from))
    return exists().where(other.case_number == row.case_number, other.revision > row.revision, before_it_began)


def _matches(look: Look) -> Iterator[ColumnElement[bool]]:
    if look.number is not None:
        yield ListRow.certificate_number == look.number
    elif look.credit_code is not None:
        yield ListRow.credit_code == look.credit_code
    elif look.text:
        as_typed = ListRow.searched.contains(searched(look.text), autoescape=True)
        # In traditional characters, or in letters of another alphabet: who types a name so finds the base of that name.
        bare = skeleton(look.text)
        yield or_(as_typed, ListRow.skeleton.contains(bare, autoescape=True)) if bare else as_typed
