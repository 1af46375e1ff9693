"""Who may act: people, their keys, their roles (decision 33)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from starter.errors import refused, usage
from starter.options import command, new_app
from starter.output import print_table, say, word
from starter.session import Session
from starter.updating import Start

if TYPE_CHECKING:
    from domain.actors import Person
    from domain.commands import ActorAnswer, ChangeActor

NameArgument = Annotated[str, typer.Argument(metavar="NAME")]
RoleArgument = Annotated[str, typer.Argument(metavar="ROLE")]


def register(app: typer.Typer) -> None:
    actors = new_app("actors", "Who may act: people, their keys, their roles.")
    command(actors, "add")(add)
    command(actors, "grant")(grant)
    command(actors, "revoke")(revoke)
    command(actors, "list")(list_actors)
    app.add_typer(actors)


def add(
    session: Session,
    name: NameArgument,
    key: Annotated[str, typer.Option("--key", metavar="KEY", help="The public key that `livebase login` printed.")],
    role: Annotated[list[str] | None, typer.Option("--role", metavar="ROLE", help="A role; may be repeated.")] = None,
    further: Annotated[bool, typer.Option("--further", help="One more key of somebody who has one.")] = False,
) -> None:
    """Put a person's key on record, with roles. A name is one person's; with --further it is another key of theirs."""
    from store.signatures import key_id

    try:
        key_id(key.strip())
    except ValueError as error:
        raise usage(f"--key {error}.", "They make one with: livebase login NAME") from None
    _change(session, "further" if further else "add", name, key=key.strip(), roles=_roles(role or []))


def grant(session: Session, name: NameArgument, role: RoleArgument) -> None:
    """Give a person a role."""
    _change(session, "grant", name, roles=_roles([role]))


def revoke(
    session: Session,
    name: NameArgument,
    role: Annotated[list[str] | None, typer.Option("--role", metavar="ROLE", help="This role alone.")] = None,
    key: Annotated[str | None, typer.Option("--key", metavar="KEY_ID", help="This key alone.")] = None,
) -> None:
    """Take roles or a key from a person; without either, everything: they can act no more."""
    _change(session, "revoke", name, key=key, roles=_roles(role or []))


def list_actors(session: Session) -> None:
    """Everybody on record, with their keys and roles."""
    from store.actors import ActorStore

    session.require_staff("Who may act is for the staff to see.")
    rows = [_view(person) for person in ActorStore(session.engine).people()]
    session.show(rows, _table)


def _roles(given: list[str]) -> tuple[str, ...]:
    from domain.actors import GRANTABLE

    unknown = [role for role in given if role not in GRANTABLE]
    if unknown:
        raise usage(f"There is no role {unknown[0][:40]!r}.", f"Roles: {', '.join(GRANTABLE)}")
    return tuple(given)


def _change(
    session: Session,
    change: Literal["add", "further", "grant", "revoke"],
    name: str,
    *,
    key: str | None = None,
    roles: Any = (),
) -> None:
    from domain.commands import ActorAnswer, ChangeActor, actor_workflow_id
    from starter.office import done_before, send
    from starter.sending import envelope
    from workflows.messages import ACTORS_WORKFLOW

    session.require_usable_options()
    given = name.strip()
    if not 0 < len(given) <= 100 or not given.isprintable() or ":" in given:
        raise usage("A name has 1 to 100 printable characters and no colon.", "For example: livebase actors add li …")
    asked = ChangeActor(**envelope(session, actor_workflow_id(given)), change=change, name=given, key=key, roles=roles)
    answer = done_before(session, asked, ActorAnswer)
    if answer is None and session.dry_run:
        _foresee(session, asked)
        return
    start = Start(ACTORS_WORKFLOW, None, "操作人 Who may act")
    _print(session, answer or send(session, asked, ActorAnswer, start))


def _foresee(session: Session, asked: ChangeActor) -> None:
    """What would change. Nothing is sent."""
    from domain.actors import changes_of
    from domain.refusals import Refusal
    from starter.sending import require_own_request_id
    from store.actors import ActorStore
    from store.signatures import key_id

    require_own_request_id(session, asked, None)
    named = key_id(asked.key) if asked.key and asked.change in ("add", "further") else asked.key
    try:
        changes = changes_of(asked, ActorStore(session.engine).people(), named)
    except Refusal as refusal:
        raise refused(refusal) from None
    rows = [{"name": one.name, "what": one.what, "subject": one.subject} for one in changes]
    session.show(
        {"dry_run": True, "request_id": session.request_id, "changes": rows},
        lambda _: print_table(("name", "what", ""), [(r["name"], word(r["what"]), r["subject"]) for r in rows]),
    )
    say("Nothing was sent.")


def _print(session: Session, answer: ActorAnswer) -> None:
    from store.queries import shown

    view = {
        "request_id": answer.request_id,
        "accepted_at": shown(answer.accepted_at),
        "repeated": answer.repeated,
        "name": answer.name,
        "keys": sorted(answer.keys),
        "roles": list(answer.roles),
    }
    session.show(view, lambda _: _table([view]))


def _view(person: Person) -> dict[str, Any]:
    return {"name": person.name, "keys": sorted(person.valid_keys), "roles": sorted(person.roles)}


def _table(rows: list[dict[str, Any]]) -> None:
    if not rows:
        say("Nobody is on record.")
        return
    print_table(
        ("name", "roles", "keys"),
        [(row["name"], ", ".join(word(role) for role in row["roles"]), "\n".join(row["keys"])) for row in rows],
    )
