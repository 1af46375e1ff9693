"""Who may act: keys and roles as a list of changes tells them (decision 33)."""

from __future__ import annotations

from typing import Any

import pytest

from domain.actors import ADMINISTRATOR, Change, Person, changes_of, people, person_named, require_role
from domain.commands import Actor, ChangeActor, actor_workflow_id
from domain.refusals import Refusal, RefusalKind
from domain.stages import Role

ADMIN = Actor(role=Role.OPERATOR, name="zheng")
EVERYBODY = people(
    (
        Change("zheng", "key_added", "Z", "ed25519:z"),
        Change("zheng", "role_granted", ADMINISTRATOR),
        Change("li", "key_added", "L1", "ed25519:l1"),
        Change("li", "role_granted", "reviewer"),
        Change("Li ", "key_added", "L2", "ed25519:l2"),
        Change("li", "key_revoked", "L1"),
    )
)


def command(change: str, name: str, key: str | None = None, *roles: str, by: Actor = ADMIN) -> ChangeActor:
    fields: dict[str, Any] = {"change": change, "name": name, "key": key, "roles": roles}
    return ChangeActor(request_id="r", workflow_id=actor_workflow_id(name), actor=by, **fields)


def test_a_person_is_who_they_are_however_they_are_spelled() -> None:
    assert [person.name for person in EVERYBODY] == ["zheng", "li"]
    li = person_named(EVERYBODY, "LI")
    assert li is not None and (li.valid_keys, li.roles) == ({"L2": "ed25519:l2"}, {"reviewer"})
    assert person_named(EVERYBODY, "wang") is None


DONE: dict[str, tuple[ChangeActor, list[tuple[str, str, str]]]] = {
    "somebody new": (
        command("add", "wang", "W", "finance", "finance"),
        [("wang", "key_added", "W"), ("wang", "role_granted", "finance")],
    ),
    "a further key": (command("further", "LI", "L3"), [("li", "key_added", "L3")]),
    "a role": (command("grant", "li", None, "reviewer", "certifier"), [("li", "role_granted", "certifier")]),
    "a role taken": (command("revoke", "li", None, "reviewer"), [("li", "role_revoked", "reviewer")]),
    "a key taken": (command("revoke", "li", "L2"), [("li", "key_revoked", "L2")]),
    "everything taken": (command("revoke", "li"), [("li", "key_revoked", "L2"), ("li", "role_revoked", "reviewer")]),
}


@pytest.mark.parametrize("case", DONE)
def test_what_a_change_comes_to(case: str) -> None:
    asked, expected = DONE[case]
    assert [(one.name, one.what, one.subject) for one in changes_of(asked, EVERYBODY, asked.key)] == expected


REFUSED: dict[str, tuple[ChangeActor, RefusalKind]] = {
    "somebody unknown": (command("grant", "wang", None, "finance"), RefusalKind.NOT_FOUND),
    "oneself": (command("grant", "ZHENG", None, "finance"), RefusalKind.SECOND_PERSON_REQUIRED),
    "another's key": (command("add", "wang", "L2"), RefusalKind.KEY_TAKEN),
    "another of the same name": (command("add", "LI", "L3"), RefusalKind.ACTOR_KNOWN),
    "a further key of nobody": (command("further", "wang", "W"), RefusalKind.NOT_FOUND),
    "a key that was revoked": (command("further", "li", "L1"), RefusalKind.KEY_TAKEN),
    "what is so already": (command("grant", "li", None, "reviewer"), RefusalKind.ACTOR_UNCHANGED),
    "a role not had": (command("revoke", "li", None, "finance"), RefusalKind.ACTOR_UNCHANGED),
    "decides on cases and on who may act": (
        command("grant", "li", None, ADMINISTRATOR),
        RefusalKind.ROLES_CONFLICT,
    ),
    "the bank's word and another role": (command("add", "wang", "W", "bank", "finance"), RefusalKind.ROLES_CONFLICT),
    "a new one with both": (command("add", "wang", "W", ADMINISTRATOR, "finance"), RefusalKind.ROLES_CONFLICT),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case: str) -> None:
    asked, kind = REFUSED[case]
    with pytest.raises(Refusal) as info:
        changes_of(asked, EVERYBODY, asked.key)
    assert info.value.kind is kind


def test_a_role_is_what_one_has_now() -> None:
    li = person_named(EVERYBODY, "li")
    require_role(li, "approve", Actor(role=Role.REVIEWER, name="li"))
    require_role(person_named(EVERYBODY, "zheng"), "change_actor", ADMIN)
    refused: list[tuple[Person | None, str, Actor]] = [
        (li, "certify", Actor(role=Role.CERTIFIER, name="li")),
        (None, "approve", Actor(role=Role.REVIEWER, name="wang")),
        (Person("chen", roles=frozenset({"operator"})), "change_actor", Actor(role=Role.OPERATOR, name="chen")),
    ]
    for person, action, actor in refused:
        with pytest.raises(Refusal) as info:
            require_role(person, action, actor)
        assert info.value.kind is RefusalKind.ROLE_NOT_GRANTED
