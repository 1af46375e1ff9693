"""Who may act: people with their keys and roles, as an append-only list of changes tells it (decision 33).

A person is known by name, however it is spelled. A key is one person's for good. Administrators change who may act and
have no other role; nobody changes what they may do themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from domain.commands import Actor, ChangeActor
from domain.names import same_name
from domain.refusals import Refusal, RefusalKind
from domain.stages import Role

ADMINISTRATOR = "administrator"
GRANTABLE = (*(role.value for role in Role if role is not Role.NOBODY), ADMINISTRATOR)

_ALONE = frozenset({ADMINISTRATOR, Role.BANK.value})
"""Who says who may act decides on no case, and the bank's word is nobody's of ours."""

What = Literal["key_added", "key_revoked", "role_granted", "role_revoked"]


@dataclass(frozen=True)
class Change:
    """One change of one person: `subject` is a role, or a key's id, `public_key` that key."""

    name: str
    what: What
    subject: str
    public_key: str | None = None


@dataclass(frozen=True)
class Person:
    """A person as the changes so far leave them: keys by id, each with whether it is still theirs."""

    name: str
    keys: tuple[tuple[str, str, bool], ...] = ()
    roles: frozenset[str] = frozenset()

    @property
    def valid_keys(self) -> dict[str, str]:
        """Key id → public key."""
        return {key_id: public for key_id, public, valid in self.keys if valid}

    def after(self, change: Change) -> Person:
        match change.what:
            case "key_added":
                return replace(self, keys=(*self.keys, (change.subject, change.public_key or "", True)))
            case "key_revoked":
                keys = tuple((key, public, valid and key != change.subject) for key, public, valid in self.keys)
                return replace(self, keys=keys)
            case "role_granted":
                return replace(self, roles=self.roles | {change.subject})
            case "role_revoked":
                return replace(self, roles=self.roles - {change.subject})


def people(changes: Iterable[Change]) -> tuple[Person, ...]:
    """Everybody there ever was, in the order they came."""
    found: list[Person] = []
    for change in changes:
        known = next((place for place, person in enumerate(found) if same_name(person.name, change.name)), None)
        if known is None:
            found.append(Person(change.name))
            known = len(found) - 1
        found[known] = found[known].after(change)
    return tuple(found)


def person_named(everybody: Iterable[Person], name: str) -> Person | None:
    return next((person for person in everybody if same_name(person.name, name)), None)


def require_role(person: Person | None, action: str, actor: Actor) -> None:
    """Refuse (4) an actor who does not have the role they act in, or for `change_actor` is no administrator."""
    needed = ADMINISTRATOR if action == ChangeActor.action else actor.role.value
    if person is None or needed not in person.roles:
        raise Refusal(
            RefusalKind.ROLE_NOT_GRANTED,
            f"{actor.name} does not have the role {needed}.",
            "An administrator grants it: livebase actors grant NAME ROLE",
        )


def changes_of(command: ChangeActor, everybody: tuple[Person, ...], key_id: str | None) -> tuple[Change, ...]:
    """What a command changes; `key_id` is the id of the key it names, None without one.

    Refused: (3) a person nobody knows, (4) of oneself, (5) a key that was anybody's, roles that do not go together, and
    what changes nothing.
    """
    if same_name(command.name, command.actor.name):
        raise Refusal(
            RefusalKind.SECOND_PERSON_REQUIRED,
            "Nobody changes what they may do themselves.",
            "Ask another administrator.",
        )
    known = person_named(everybody, command.name)
    if known is None and command.change != "add":
        message = f"Nobody is known as {command.name}."
        raise Refusal(RefusalKind.NOT_FOUND, message, "See who is with: livebase actors list")
    if known is not None and known.valid_keys and command.change == "add":
        raise Refusal(
            RefusalKind.ACTOR_KNOWN,
            f"{known.name} is on record with a key: whoever has another one for that name acts as them.",
            "Another person needs another name. For a further key of the same person: --further",
        )
    person = known or Person(command.name)
    found = _revoked(command, person, key_id) if command.change == "revoke" else _given(command, person, key_id)
    if command.change in ("add", "further") and key_id is not None:
        _require_free(everybody, key_id)
        found = (Change(person.name, "key_added", key_id, command.key), *found)
    if not found:
        message = f"{person.name} stands so already."
        raise Refusal(RefusalKind.ACTOR_UNCHANGED, message, "See with: livebase actors list")
    after = person
    for change in found:
        after = after.after(change)
    if len(after.roles) > 1 and (alone := after.roles & _ALONE):
        raise Refusal(
            RefusalKind.ROLES_CONFLICT,
            f"{person.name} would have {', '.join(sorted(after.roles))}.",
            f"Whoever is {min(alone)} has no other role.",
        )
    return found


def _given(command: ChangeActor, person: Person, key_id: str | None) -> tuple[Change, ...]:
    roles = [role for role in dict.fromkeys(command.roles) if role not in person.roles]
    return tuple(Change(person.name, "role_granted", role) for role in roles)


def _revoked(command: ChangeActor, person: Person, key_id: str | None) -> tuple[Change, ...]:
    everything = command.key is None and not command.roles
    keys = [key for key in person.valid_keys if everything or key == key_id]
    roles = [role for role in sorted(person.roles) if everything or role in command.roles]
    return (
        *(Change(person.name, "key_revoked", key) for key in keys),
        *(Change(person.name, "role_revoked", role) for role in roles),
    )


def owner_of(everybody: Iterable[Person], key_id: str) -> Person | None:
    """Whose a key is or was."""
    return next((person for person in everybody if any(key == key_id for key, _, _ in person.keys)), None)


def _require_free(everybody: tuple[Person, ...], key_id: str) -> None:
    if (owner := owner_of(everybody, key_id)) is not None:
        raise Refusal(
            RefusalKind.KEY_TAKEN,
            f"The key {key_id[:12]} is on record for {owner.name} already.",
            "A key is one person's for good. Make another one: livebase login NAME",
        )
