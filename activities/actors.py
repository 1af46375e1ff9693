"""Changes of who may act: one transaction each (decision 33)."""

from __future__ import annotations

from datetime import datetime

from temporalio import activity

from domain.actors import GRANTABLE, changes_of, person_named
from domain.commands import ActorAnswer, ActorOutcome, ChangeActor
from domain.permissions import require_permission
from domain.refusals import Refusal, RefusalKind
from store import signatures
from store.actors import ActorStore, ActorTransaction
from store.conflicts import again_after_conflict


class ActorActivities:
    """What the workflow of `workflows/actors.py` does. `now` is its clock."""

    def __init__(self, store: ActorStore) -> None:
        self._store = store

    @activity.defn
    def change_actor(self, command: ChangeActor, now: datetime) -> ActorOutcome:
        """Carry out a change; the first answer for a repeat, a refusal as data."""
        try:
            require_permission(command.action, command.actor, None)
            return ActorOutcome(answer=self._changed(command, now))
        except Refusal as refusal:
            self._store.refused(command, refusal.detail, now)
            return ActorOutcome(refusal=refusal.detail)

    @again_after_conflict
    def _changed(self, command: ChangeActor, now: datetime) -> ActorAnswer:
        with self._store.transaction() as tx:
            if (before := tx.done_before(command, ActorAnswer, now)) is not None:
                return before
            tx.authorise(command, now)
            everybody = tx.people()
            tx.add(changes_of(command, everybody, _key_id(command)), str(command.actor), now)
            answer = _answer(tx, command, now)
            tx.remember(command, answer, now)
            return answer


def _key_id(command: ChangeActor) -> str | None:
    """The id of the key a command names: to add it the key itself, to revoke it its id."""
    unknown = [role for role in command.roles if role not in GRANTABLE]
    if unknown:
        message = f"There is no role {unknown[0][:40]}."
        raise Refusal(RefusalKind.INVALID_VALUE, message, f"Roles: {', '.join(GRANTABLE)}")
    if command.key is None or command.change == "revoke":
        return command.key
    try:
        return signatures.key_id(command.key)
    except ValueError as error:
        raise Refusal(RefusalKind.INVALID_VALUE, f"The key {error}.", "Make one with: livebase login NAME") from None


def _answer(tx: ActorTransaction, command: ChangeActor, now: datetime) -> ActorAnswer:
    person = person_named(tx.people(), command.name)
    assert person is not None
    return ActorAnswer(
        request_id=command.request_id,
        accepted_at=now,
        name=person.name,
        keys=person.valid_keys,
        roles=tuple(sorted(person.roles)),
    )
