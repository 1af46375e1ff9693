"""Letters on their way: claimed in batches by their state, each held by one sender at a time, each outcome at once.

A claim is a lease. Whoever holds it may send; when it has run out, or another attempt has taken it over, the letter
is another's. Instants come from the caller and are the delivery's clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, and_, func, or_, select, update
from sqlalchemy.orm import Session

from domain.delivery import SHORTEST_PAUSE, DeliveryState, StoredLetter, letter_id, next_try
from domain.stages import Role
from store import tables
from store.conflicts import again_after_conflict
from store.queries import shown

_ROW = tables.NoticeRow
_WAITING = (DeliveryState.PENDING, DeliveryState.FAILED)


@dataclass(frozen=True)
class OutgoingLetter:
    """A letter about to be sent. `submission` is the newest revision's, where the applicant's address is.

    `workflow_id` is its case's, whose documents the submission is one of.
    """

    id: str
    recipient: Role
    subject: str
    body: str
    edition: int
    submission: str
    workflow_id: str


class LetterStore:
    """What the delivery reads and writes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @again_after_conflict
    def claim(self, holder: str, now: datetime, until: datetime, limit: int) -> list[str]:
        """Claim letters that are due for `holder` until an instant; their ids, longest waiting first.

        Asked again with the same holder, it gives the letters it gave before, as long as they are still held.
        """
        with Session(self._engine) as session, session.begin():
            held = session.scalars(select(_ROW).where(_ROW.claimed_by == holder)).all()
            if held:
                return [_id(row) for row in held]
            due = (
                select(_ROW)
                .where(_is_due(now))
                .order_by(_ROW.try_at.is_not(None), _ROW.try_at, _ROW.at, _ROW.case_number, _ROW.sequence, _ROW.place)
                .limit(limit)
                .with_for_update(skip_locked=True)
            )
            rows = session.scalars(due).all()
            for row in rows:
                row.state = DeliveryState.SENDING.value
                row.claimed_by, row.claimed_until = holder, until
            return [_id(row) for row in rows]

    @again_after_conflict
    def take_over(self, holder: str, successor: str) -> list[str]:
        """Hand all letters of a claim, whichever attempt holds them, to its newest attempt; their ids.

        From then on an older attempt, perhaps not dead but slow, can begin no letter any more.
        """
        with Session(self._engine) as session, session.begin():
            held = or_(_ROW.claimed_by == holder, _ROW.claimed_by.startswith(f"{holder}#", autoescape=True))
            rows = session.scalars(select(_ROW).where(held).order_by(_ROW.at, *_KEY).with_for_update()).all()
            for row in rows:
                row.claimed_by = successor
            return [_id(row) for row in rows]

    @again_after_conflict
    def begin(self, letter: str, holder: str) -> OutgoingLetter | None:
        """Count a try and return the letter; None when `holder` does not hold it any more."""
        with Session(self._engine) as session, session.begin():
            row = session.scalar(select(_ROW).where(_named(letter), _ROW.claimed_by == holder).with_for_update())
            if row is None:
                return None
            row.attempts += 1
            application, case = tables.ApplicationRow, tables.CaseRow
            submission, workflow_id = session.execute(
                select(application.submission, case.workflow_id)
                .join(case, case.case_number == application.case_number)
                .where(application.case_number == row.case_number)
                .order_by(application.revision.desc())
                .limit(1)
            ).one()
            recipient = Role(row.recipient)
            return OutgoingLetter(letter, recipient, row.subject, row.body, row.edition, submission, workflow_id)

    def arrived(self, letter: OutgoingLetter, now: datetime) -> None:
        """The mail server took it. A fact, whoever holds the letter by now."""
        self._change(
            and_(_named(letter.id), _ROW.edition == letter.edition, _ROW.delivered_at.is_(None)),
            state=DeliveryState.DELIVERED.value,
            delivered_at=now,
            error="",
            try_at=None,
            put_off_since=None,
        )

    def refused(self, letter: OutgoingLetter, holder: str, why: str) -> None:
        """The mail server will never take it: a person must look."""
        self._change(
            and_(_named(letter.id), _ROW.claimed_by == holder),
            state=DeliveryState.UNDELIVERABLE.value,
            error=why,
            try_at=None,
        )

    @again_after_conflict
    def put_off(self, letter: OutgoingLetter, holder: str, why: str, now: datetime) -> None:
        """The mail server did not take it now: tried again later, at last put before a person."""
        with Session(self._engine) as session, session.begin():
            row = session.scalar(select(_ROW).where(_named(letter.id), _ROW.claimed_by == holder).with_for_update())
            if row is None:
                return
            row.put_off_since = row.put_off_since or now
            row.try_at = next_try(row.put_off_since, now)
            row.state = (DeliveryState.FAILED if row.try_at else DeliveryState.UNDELIVERABLE).value
            row.error = why
            row.claimed_by = row.claimed_until = None

    def wait(self, letter: OutgoingLetter, holder: str, why: str, now: datetime) -> None:
        """Something of ours is lacking: tried again, and never given up for it."""
        self._change(
            and_(_named(letter.id), _ROW.claimed_by == holder),
            state=DeliveryState.FAILED.value,
            error=why,
            try_at=now + SHORTEST_PAUSE,
            put_off_since=None,
        )

    def give_back(self, holder: str, why: str = "") -> None:
        """Let go of all letters still held: due at once, `failed` with the reason when there is one.

        With a reason the mail server was away, and how long a letter was put off before counts anew: its patience
        is for the recipient's server, not for ours.
        """
        reason: dict[str, Any] = {"error": why, "put_off_since": None} if why else {}
        for condition, state in (
            (_ROW.error != "", DeliveryState.FAILED),
            (_ROW.error == "", DeliveryState.FAILED if why else DeliveryState.PENDING),
        ):
            self._change(and_(_ROW.claimed_by == holder, condition), state=state.value, try_at=None, **reason)

    @again_after_conflict
    def undeliverable(self) -> int:
        """How many letters a person must look at."""
        with Session(self._engine) as session:
            rows = select(func.count()).select_from(_ROW).where(_ROW.state == DeliveryState.UNDELIVERABLE.value)
            return session.scalar(rows) or 0

    @again_after_conflict
    def _change(self, condition: ColumnElement[bool], **values: Any) -> None:
        with Session(self._engine) as session, session.begin():
            session.execute(update(_ROW).where(condition).values(claimed_by=None, claimed_until=None, **values))


@again_after_conflict
def list_letters(
    engine: Engine, *, case_number: str | None = None, states: Sequence[DeliveryState] = tuple(DeliveryState)
) -> list[dict[str, Any]]:
    """Letters with their delivery, case by case, first to last; of one case when it is named."""
    rows = select(_ROW).where(_ROW.state.in_([state.value for state in states])).order_by(*_KEY)
    if case_number is not None:
        rows = rows.where(_ROW.case_number == case_number)
    with Session(engine) as session:
        return [
            {
                "case_number": row.case_number,
                "letter": _place(row),
                "kind": row.kind,
                "recipient": row.recipient,
                "subject": row.subject,
                "body": row.body,
                "state": row.state,
                "attempts": row.attempts,
                "edition": row.edition,
                "written_at": shown(row.at),
                "next_try_at": shown(row.try_at),
                "delivered_at": shown(row.delivered_at),
                "error": row.error,
            }
            for row in session.scalars(rows)
        ]


def letters_of(session: Session, case_number: str, *, locked: bool = False) -> list[StoredLetter]:
    """A case's letters, first to last; `locked` keeps everybody's hands off them until the transaction ends."""
    rows = select(_ROW).where(_ROW.case_number == case_number).order_by(*_KEY)
    found = session.scalars(rows.with_for_update() if locked else rows)
    return [StoredLetter(_place(row), DeliveryState(row.state)) for row in found]


def send_again(session: Session, case_number: str, places: Sequence[str]) -> None:
    """Make letters due at once, with all the patience of new ones."""
    for place in places:
        row = session.get_one(_ROW, (case_number, *map(int, place.split("."))))
        row.edition += row.state == DeliveryState.DELIVERED.value
        row.state, row.error = DeliveryState.PENDING.value, ""
        row.try_at = row.put_off_since = row.delivered_at = None


_KEY = (_ROW.case_number, _ROW.sequence, _ROW.place)


def _is_due(now: datetime) -> ColumnElement[bool]:
    waiting = and_(_ROW.state.in_([state.value for state in _WAITING]), or_(_ROW.try_at.is_(None), _ROW.try_at <= now))
    abandoned = and_(_ROW.state == DeliveryState.SENDING.value, _ROW.claimed_until <= now)
    return or_(waiting, abandoned)


def _named(letter: str) -> ColumnElement[bool]:
    case_number, _, place = letter.partition("/")
    sequence, _, number = place.partition(".")
    return and_(_ROW.case_number == case_number, _ROW.sequence == int(sequence), _ROW.place == int(number))


def _place(row: tables.NoticeRow) -> str:
    return f"{row.sequence}.{row.place}"


def _id(row: tables.NoticeRow) -> str:
    return letter_id(row.case_number, _place(row))
