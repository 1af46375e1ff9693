"""Entries for the official channel: drawn from the list, waiting until the channel has shown them, compared with it.

The list's revisions are the outbox. What waits is a certificate whose newest revision in effect has no confirmation
yet; what it overtook need not be sent. Before an entry is put on the channel it is drawn, in a transaction with the
case's row locked: whoever puts it there, however late, puts content that is on record under a revision of its own, and
the channel lets no older one take a newer one's place. Instants come from the caller; a case's clock is added to them
(decision 6).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, and_, case, exists, func, not_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from domain.case import Case
from domain.channel import URGENT, Compared, Difference, Expected, ListEntry, Waiting, ahead_of_list, of_list
from store.conflicts import again_after_conflict
from store.register import Clock
from store.tables import (
    CaseRow,
    ChannelComparisonRow,
    ChannelConfirmationRow,
    ChannelEntryRow,
    ListRow,
    Table,
    TermRow,
)

MOST_KEPT = 200
"""So many differences of a comparison are kept; all are counted."""
_AT_ONCE = 5000
_SHARE = 5
"""The part of a batch that is for what was refused before."""


@dataclass(frozen=True)
class Comparison:
    """A comparison on record: when, what it came to, and the first of its differences."""

    at: datetime
    compared: Compared
    differences: tuple[Difference, ...]


class ChannelStore:
    """What goes to the channel and what it has confirmed, on one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @again_after_conflict
    def draw(self, number: str, now: datetime) -> ListEntry | None:
        """A certificate's newest entry, made and put on record when what is public has changed since the last one.

        None for a certificate that was never made public and is not about to be.
        """
        with Session(self._engine) as session, session.begin():
            term = select(TermRow.case_number).where(TermRow.certificate_number == number)
            row = session.scalar(select(CaseRow).where(CaseRow.case_number.in_(term)).with_for_update())
            if row is None:
                return None
            newest = _newest(session, number)
            content = _content(session, row, number, now, newest)
            if content is None or (newest is not None and newest.says_the_same(content)):
                return newest
            # A late attempt reads with an earlier `now`: what was drawn since is not taken back.
            if newest is not None and newest.list_revision > content.list_revision:
                return newest
            entry = content.model_copy(update={"revision": newest.revision + 1 if newest else 1})
            session.add(
                ChannelEntryRow(
                    certificate_number=number,
                    revision=entry.revision,
                    case_number=row.case_number,
                    list_revision=entry.list_revision,
                    state=entry.state,
                    entry=entry.model_dump(mode="json"),
                    hash=entry.hash,
                    at=now,
                )
            )
            return entry

    @again_after_conflict
    def drawn(self, number: str, revision: int) -> ListEntry | None:
        """An entry on record."""
        with Session(self._engine) as session:
            row = session.get(ChannelEntryRow, (number, revision))
            return ListEntry.model_validate(row.entry) if row else None

    @again_after_conflict
    def confirm(self, entry: ListEntry, held_revision: int, evidence: str, at: datetime) -> None:
        """Put on record that the channel has shown an entry, once."""
        values = {
            "certificate_number": entry.number,
            "revision": entry.revision,
            "list_revision": entry.list_revision,
            "held_revision": held_revision,
            "evidence": evidence,
            "at": at,
        }
        self._add_once(ChannelConfirmationRow, values)

    @again_after_conflict
    def waiting(self, now: datetime, most: int, put_off: Sequence[str] = ()) -> Waiting:
        """What the channel has not confirmed. Of `put_off`, only what takes a right away, after all else that does."""
        with Session(self._engine) as session:
            clock = Clock(session, now)
            unconfirmed = _unconfirmed(clock)
            counts = select(ListRow.state, func.count()).select_from(ListRow)
            by_state = {state: count for state, count in session.execute(unconfirmed(counts).group_by(ListRow.state))}
            ahead = [] if not _any_ahead(session) else _taken_back(session, now)
            urgent = sum(by_state.get(state, 0) for state in URGENT) + len(ahead)
            row, off = ListRow, list(put_off)
            numbers = unconfirmed(select(row.certificate_number)).limit(most)
            rank = case((row.state.in_(URGENT), 0), else_=1)
            fresh = numbers.where(row.certificate_number.not_in(off)).order_by(rank, row.at, row.certificate_number)
            refused = numbers.where(row.certificate_number.in_(off), row.state.in_(URGENT)).order_by(row.at)
            found = session.execute(fresh.add_columns(row.state)).all() if by_state else []
            again = list(session.scalars(refused)) if by_state and off else []
        first = [number for number in ahead if number not in put_off]
        first += [number for number, state in found if state in URGENT]
        again = [*(number for number in ahead if number in put_off), *again]
        rest = [number for number, state in found if state not in URGENT]
        # What was refused has a share of its own: many of them keep nothing else waiting, nor are they kept.
        kept = min(len(again), max(most // _SHARE, most - len(first) - len(rest)))
        urgent_first = [*first[: most - kept], *again[:kept]]
        everything = [*urgent_first, *rest[: most - len(urgent_first)]]
        return Waiting(
            numbers=tuple(everything),
            waiting=sum(by_state.values()) + len(ahead),
            urgent=urgent,
            full=len(everything) >= most,
        )

    def expected(self, now: datetime, alive: Callable[[], object] = lambda: None) -> dict[str, Expected]:
        """The newest entry of every certificate made public, as our own list has it now, by number.

        A hundred thousand take half a minute: `alive` is called every second or two.
        """
        drawn, confirmed = self._drawn(), self._confirmed()
        found: dict[str, Expected] = {}
        last = ""
        while rows := self._listed(last, now):
            alive()
            for row, overtaken in rows:
                number = row.certificate_number
                if number in drawn or row.state not in ("published", "suspended") or not overtaken:
                    found[number] = _expected(of_list(row), drawn.get(number, []), confirmed.get(number, 0))
            last = rows[-1][0].certificate_number
        for number in drawn.keys() - found.keys():
            if (content := self._ahead(number)) is not None:
                found[number] = _expected(content, drawn[number], confirmed.get(number, 0))
        return found

    @again_after_conflict
    def compared(self, id: str, at: datetime, compared: Compared, differences: Iterable[Difference]) -> None:
        """Put a comparison on record, once for each id."""
        kept = [asdict(one) for one, _ in zip(differences, range(MOST_KEPT), strict=False)]
        values = compared.model_dump(include=set(Compared.model_fields))
        self._add_once(ChannelComparisonRow, {"id": id, "at": at, "differences": kept, **values})

    @again_after_conflict
    def last_comparison(self) -> Comparison | None:
        """The newest comparison on record."""
        with Session(self._engine) as session:
            row = session.scalar(select(ChannelComparisonRow).order_by(ChannelComparisonRow.at.desc()).limit(1))
            if row is None:
                return None
            values = {name: getattr(row, name) for name in Compared.model_fields}
            differences = tuple(Difference(**one) for one in row.differences)
            return Comparison(row.at, Compared(**values), differences)

    @again_after_conflict
    def _add_once(self, table: type[Table], values: dict[str, Any]) -> None:
        with Session(self._engine) as session, session.begin():
            insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
            session.execute(insert(table).values(**values).on_conflict_do_nothing())

    @again_after_conflict
    def _drawn(self) -> dict[str, list[str]]:
        """The hashes of each certificate's entries, first to last."""
        row = ChannelEntryRow
        rows = select(row.certificate_number, row.hash).order_by(row.certificate_number, row.revision)
        found: dict[str, list[str]] = {}
        with Session(self._engine) as session:
            for number, own in session.execute(rows.execution_options(yield_per=_AT_ONCE)):
                found.setdefault(number, []).append(own)
        return found

    @again_after_conflict
    def _confirmed(self) -> dict[str, int]:
        """The newest revision of each certificate that the channel has shown."""
        row = ChannelConfirmationRow
        with Session(self._engine) as session:
            newest = select(row.certificate_number, func.max(row.revision)).group_by(row.certificate_number)
            return {number: revision for number, revision in session.execute(newest)}

    @again_after_conflict
    def _listed(self, last: str, now: datetime) -> list[tuple[ListRow, bool]]:
        """So many certificates' newest revisions after a number, each with whether the base has a later one by now."""
        with Session(self._engine) as session:
            clock = Clock(session, now)
            rows = clock.with_case(select(ListRow, _overtaken(clock))).where(_is_newest(clock))  # type: ignore[arg-type]
            rows = rows.where(ListRow.certificate_number > last).order_by(ListRow.certificate_number).limit(_AT_ONCE)
            return [(row, bool(overtaken)) for row, overtaken in session.execute(rows)]

    @again_after_conflict
    def _ahead(self, number: str) -> ListEntry | None:
        with Session(self._engine) as session:
            term = select(TermRow.case_number).where(TermRow.certificate_number == number)
            row = session.scalar(select(CaseRow).where(CaseRow.case_number.in_(term)))
            return _before_the_list(row, number) if row is not None else None


def _expected(content: ListEntry, drawn: list[str], confirmed: int) -> Expected:
    """What the channel should have: the newest entry drawn, or the one that will be."""
    revision = len(drawn)
    own = content.model_copy(update={"revision": max(revision, 1)}).hash
    optional = content.list_revision == 0 and content.state != "withdrawn"
    if drawn and own == drawn[-1]:
        return Expected(content.number, revision, own, confirmed == revision, optional, tuple(drawn[:-1]))
    own = content.model_copy(update={"revision": revision + 1}).hash
    return Expected(content.number, revision + 1, own, False, optional, tuple(drawn))


def _newest(session: Session, number: str) -> ListEntry | None:
    row = ChannelEntryRow
    newest = select(row.entry).where(row.certificate_number == number).order_by(row.revision.desc()).limit(1)
    entry = session.scalar(newest)
    return ListEntry.model_validate(entry) if entry is not None else None


def _content(session: Session, row: CaseRow, number: str, now: datetime, newest: ListEntry | None) -> ListEntry | None:
    """What is public of a certificate: by its newest revision on the list, else by what its case is about to be."""
    clock = now + timedelta(milliseconds=row.clock_offset_ms)
    own = (ListRow.certificate_number == number, ListRow.effective_from <= clock, ListRow.valid_from <= clock)
    listed = session.scalar(select(ListRow).where(*own).order_by(ListRow.revision.desc()).limit(1))
    if listed is not None:
        return of_list(listed)
    if newest is not None and newest.list_revision:
        return newest
    content = _before_the_list(row, number)
    # What was never announced need not be taken back.
    return None if content is None or (newest is None and content.state == "withdrawn") else content


def _before_the_list(row: CaseRow, number: str) -> ListEntry | None:
    found = Case.model_validate(row.facts)
    term = next((term for term in found.terms if term.certificate_number == number), None)
    waiting = found.waiting_term
    return None if term is None or (waiting is not None and waiting == term) else ahead_of_list(found, term)


def _in_effect(row: Any, clock: Clock) -> ColumnElement[bool]:
    effective: ColumnElement[bool] = and_(row.effective_from <= clock.now, row.valid_from <= clock.now)
    return effective


def _is_newest(clock: Clock) -> ColumnElement[bool]:
    """The newest revision of its certificate that is in effect."""
    newer = aliased(ListRow)
    own = and_(newer.certificate_number == ListRow.certificate_number, newer.revision > ListRow.revision)
    return and_(_in_effect(ListRow, clock), not_(exists().where(own, _in_effect(newer, clock))))


def _overtaken(clock: Clock) -> ColumnElement[bool]:
    """The base has a later revision in effect, of another certificate."""
    later = aliased(ListRow)
    own = and_(later.case_number == ListRow.case_number, later.revision > ListRow.revision)
    return exists().where(own, _in_effect(later, clock))


def _unconfirmed(clock: Clock) -> Any:
    """Narrows a statement to the newest revisions of certificates that the channel has not shown.

    One that another certificate of the base has overtaken is over with its own term: nothing is sent of it any more.
    """
    row, shown = ListRow, ChannelConfirmationRow
    confirmed = exists().where(shown.certificate_number == row.certificate_number, shown.list_revision >= row.revision)

    def narrowed(statement: Select[Any]) -> Select[Any]:
        over = and_(row.state != "withdrawn", _overtaken(clock))
        return clock.with_case(statement).where(not_(confirmed), _is_newest(clock), not_(over))

    return narrowed


def _any_ahead(session: Session) -> bool:
    return session.scalar(select(ChannelEntryRow.revision).where(*_only_ahead()).limit(1)) is not None


def _only_ahead() -> tuple[ColumnElement[bool], ...]:
    """The newest entries of certificates that the list does not have, but for those taken back for good."""
    row, newer, shown = ChannelEntryRow, aliased(ChannelEntryRow), ChannelConfirmationRow
    confirmed = exists().where(shown.certificate_number == row.certificate_number, shown.revision >= row.revision)
    return (
        row.list_revision == 0,
        not_(exists().where(newer.certificate_number == row.certificate_number, newer.revision > row.revision)),
        not_(exists().where(ListRow.certificate_number == row.certificate_number)),
        not_(and_(row.state == "withdrawn", confirmed)),
    )


def _taken_back(session: Session, now: datetime) -> list[str]:
    """Certificates that were announced ahead of the list, and whose right is taken away or paused since."""
    row, shown = ChannelEntryRow, ChannelConfirmationRow
    confirmed = exists().where(shown.certificate_number == row.certificate_number, shown.revision >= row.revision)
    rows = (
        select(row, CaseRow, confirmed)
        .join(CaseRow, CaseRow.case_number == row.case_number)
        .where(*_only_ahead())
        .order_by(row.at, row.certificate_number)
    )
    found = []
    for entry, own, shown_once in session.execute(rows):
        content = _before_the_list(own, entry.certificate_number)
        if content is None or not content.urgent:
            continue
        if not shown_once or not ListEntry.model_validate(entry.entry).says_the_same(content):
            found.append(entry.certificate_number)
    return found
