"""Who may act, on record: changes of keys and roles, whether a command is by whom it says, and what was refused.

Everywhere but on a local server a command is taken only with a signature (`domain/envelope.py`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar, cast

from pydantic import BaseModel
from sqlalchemy import Connection, Engine, false, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from domain.actors import ADMINISTRATOR, Change, Person, What, owner_of, people, person_named, require_role
from domain.commands import ActorAnswer, Command, PeriodAnswer, UnplacedAnswer
from domain.conduct import conduct_workflow_id
from domain.envelope import require_fit, require_timely
from domain.names import person
from domain.refusals import Refusal, RefusalDetail, RefusalKind, request_id_reused
from store import answers, signatures, tables
from store.conflicts import again_after_conflict
from store.office import record_for_office
from store.queries import shown

Given = TypeVar("Given", ActorAnswer, PeriodAnswer, UnplacedAnswer)
_ROW = tables.ActorChangeRow
_LOCK = 5201316  # any number, as long as nobody else uses it in this database
APPOINTED = "administrator_appointed"
"""The office's entry of the first administrators, whom the owner of the database names."""
OWNER = "the owner of the database"


class ActorStore:
    """Who may act, on one engine. Instants come from the caller."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @again_after_conflict
    def people(self) -> tuple[Person, ...]:
        """Everybody there ever was, in the order they came."""
        with Session(self._engine) as session:
            return people(_changes(session))

    @contextmanager
    def transaction(self) -> Iterator[ActorTransaction]:
        """One transaction that may change who may act; such ones wait for each other."""
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            _hold_still(session, shared=False)
            yield ActorTransaction(session)

    @again_after_conflict
    def appoint(self, name: str, public_key: str, at: datetime) -> bool:
        """Make somebody nobody knows an administrator, by who owns the database; False when they are known already.

        ValueError for a key that is none, or was anybody's.
        """
        key_id = signatures.key_id(public_key)
        with self.transaction() as tx:
            everybody = tx.people()
            if person_named(everybody, name) is not None:
                return False
            if (owner := owner_of(everybody, key_id)) is not None:
                raise ValueError(f"is {owner.name}'s")
            changes = (Change(name, "key_added", key_id, public_key), Change(name, "role_granted", ADMINISTRATOR))
            tx.add(changes, OWNER, at)
            tx.record(APPOINTED, {"name": name, "keys": {key_id: public_key}, "roles": [ADMINISTRATOR]}, at)
        return True

    @again_after_conflict
    def refused(self, command: Command, refusal: RefusalDetail, now: datetime) -> None:
        """Keep that a command was refused; once for one sending, however often its transaction is tried."""
        with Session(self._engine) as session, session.begin():
            record_refusal(session, command, refusal, now)


class CommandTransaction:
    """What every transaction does for a command that is no case's."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def answered(self, request_id: str) -> tuple[str, dict[str, Any]] | None:
        """As `store.answers.kept`."""
        return answers.kept(self._session, request_id)

    def done_before(self, command: Command, kind: type[Given], now: datetime) -> Given | None:
        """The first answer of a request done with the same parameters, None for a new one; (8) with others.

        It is a repeat, but for a lost attempt of this very command, which came at `now` too.
        """
        done = self.answered(command.request_id)
        if done is None:
            return None
        if done[0] != command.params_hash():
            raise request_id_reused(command.request_id)
        answer = kind.model_validate(done[1])
        return answer if answer.accepted_at == now else answer.model_copy(update={"repeated": True})

    def authorise(self, command: Command, now: datetime) -> None:
        """Refuse (4) a command that is not by whom it says (`authorise`)."""
        authorise(self._session, command, now)

    def refused(self, command: Command, refusal: RefusalDetail, now: datetime) -> None:
        """Keep that a command was refused; once for one sending, however often its transaction is tried."""
        record_refusal(self._session, command, refusal, now)

    def remember(self, command: Command, answer: BaseModel, at: datetime) -> None:
        """Keep the answer of a done request for good, beside those of the cases' commands."""
        answers.remember(self._session, command, None, answer, at)


class ActorTransaction(CommandTransaction):
    """What a transaction on who may act sees and does."""

    def record(self, event: str, detail: dict[str, Any], at: datetime) -> None:
        """An entry of the office's chain that no command made."""
        record_for_office(self._session, "system", event, detail, at)

    def people(self) -> tuple[Person, ...]:
        return people(_changes(self._session))

    def add(self, changes: tuple[Change, ...], by: str, at: datetime) -> None:
        for change in changes:
            self._session.add(
                _ROW(
                    person=person(change.name),
                    name=change.name,
                    what=change.what,
                    subject=change.subject,
                    public_key=change.public_key,
                    by=by,
                    at=at,
                )
            )
        self._session.flush()


def authorise(session: Session, command: Command, now: datetime) -> None:
    """Refuse (4) a command that is not by whom it says, or by nobody who has the role they act in.

    `now` is the workflow's clock, everywhere but on a local server the true one. There, a command without a signature,
    or of somebody nobody knows, is taken as whoever sends it says; and a signature's time is not looked at, since
    clocks are moved. What was refused with a signature is refused again, for whatever reason it was.
    """
    _hold_still(session, shared=True)
    installation = session.scalars(select(tables.Installation)).one()
    local = installation.local_server
    if local and not command.signature:
        return
    if not command.signature:
        raise Refusal(
            RefusalKind.NOT_SIGNED,
            "The command is not signed: --as alone says who acts only on the local server.",
            "Make a key with: livebase login NAME. An administrator puts it on record with: livebase actors add",
        )
    who = _person(session, command.actor.name)
    if local and who is None:
        return
    if (before := _refused_before(session, command)) is not None:
        raise before
    public = who.valid_keys.get(signatures.signer(command.signature) or "") if who else None
    signed = signatures.verified(command.signature, public) if public else None
    if signed is None:
        raise Refusal(
            RefusalKind.SIGNATURE_INVALID,
            f"The signature is by no key of {command.actor.name}'s.",
            "See the keys on record with: livebase actors list. An administrator adds one with: livebase actors add",
        )
    require_fit(signed, command, installation.name)
    if not local:
        require_timely(signed, now)
    require_role(who, command.action, command.actor)


@again_after_conflict
def installation_name(engine: Engine) -> str:
    """What signatures for this database name it by."""
    with Session(engine) as session:
        return session.scalars(select(tables.Installation.name)).one()


@again_after_conflict
def is_local(engine: Engine) -> bool:
    """Whether the database is a local server's, where commands need no signature."""
    with Session(engine) as session:
        return session.scalars(select(tables.Installation.local_server)).one()


@again_after_conflict
def refusals(engine: Engine, cases: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """The commands that were refused in their transaction, first to last; with `cases` those to workflows of these."""
    row = tables.RefusedRow
    statement = select(row).order_by(row.at, row.request_id, row.params_hash)
    if cases is not None:
        own = [part for case in cases for part in (row.workflow_id == case, row.workflow_id.startswith(_conduct(case)))]
        statement = statement.where(or_(false(), *own))
    with Session(engine) as session:
        return [
            {
                "at": shown(one.at),
                "workflow_id": one.workflow_id,
                "action": one.action,
                "actor": one.actor,
                "key": one.key_id,
                "kind": one.kind,
                "message": one.message,
                "request_id": one.request_id,
            }
            for one in session.scalars(statement)
        ]


def _conduct(case: str) -> str:
    """How the ids of a case's conduct workflows begin."""
    return conduct_workflow_id(case, "-")


def _refused_before(session: Session, command: Command) -> Refusal | None:
    """The refusal of this very command with this very signature; whoever altered it spoils nobody's."""
    row = tables.RefusedRow
    this = (row.request_id == command.request_id, row.params_hash == command.params_hash())
    found = session.scalar(select(row).where(*this, row.signature == _hash(command.signature)).limit(1))
    return Refusal(RefusalKind(found.kind), found.message, found.hint) if found else None


def _hash(signature: str) -> str:
    return hashlib.sha256(signature.encode(errors="replace")).hexdigest()


def _hold_still(session: Session, *, shared: bool) -> None:
    """Who may act does not change while a command is carried out: a change waits for it, and it for a change."""
    if session.get_bind().dialect.name == "postgresql":  # a writer of SQLite is alone anyway
        lock = func.pg_advisory_xact_lock_shared if shared else func.pg_advisory_xact_lock
        session.execute(select(lock(_LOCK)))


def require_still(session: Session, name: str, role: str) -> None:
    """Refuse (4) what was proposed by somebody who does not have the role any more (decision 29)."""
    if session.scalars(select(tables.Installation.local_server)).one():
        return
    who = _person(session, name)
    if who is None or role not in who.roles:
        raise Refusal(
            RefusalKind.ROLE_NOT_GRANTED,
            f"{name}, who proposed it, does not have the role {role} any more.",
            "Deny it; whoever has the role may propose it anew.",
        )


def record_refusal(session: Session, command: Command, refusal: RefusalDetail, now: datetime) -> None:
    """As `ActorStore.refused`, in a transaction of the caller's."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(
        insert(tables.RefusedRow)
        .values(
            request_id=command.request_id,
            params_hash=command.params_hash(),
            at=now,
            workflow_id=command.sent_to,
            action=command.action,
            actor=str(command.actor),
            key_id=signatures.signer(command.signature) if command.signature else None,
            signature=_hash(command.signature) if command.signature else None,
            kind=refusal.kind.value,
            message=refusal.message,
            hint=refusal.hint,
        )
        .on_conflict_do_nothing()
    )


def _person(session: Session, name: str) -> Person | None:
    found = people(_changes(session, person(name)))
    return found[0] if found else None


def changes_in(connection: Connection, of: str | None = None) -> Iterator[Change]:
    """Every change on record, first to last; with `of` those of one person."""
    table = _ROW.__table__
    rows = select(table).order_by(table.c.number)
    for row in connection.execute(rows if of is None else rows.where(table.c.person == of)):
        yield Change(row.name, cast(What, row.what), row.subject, row.public_key)


def _changes(session: Session, of: str | None = None) -> Iterator[Change]:
    return changes_in(session.connection(), of)
