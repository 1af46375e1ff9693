"""What a shell offers for BASE, DOCUMENT and the words of `list`: from the store, quickly, and silently without one."""

from __future__ import annotations

import os
from pathlib import Path

import typer

from starter.output import plain
from starter.session import Session


def bases(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Case numbers, certificate numbers and credit codes, each with the base's name."""
    from store.completion import numbers

    try:
        session = _session(ctx)
        found = numbers(session.database_url, incomplete, _only_applicant(session))
        return [(number, plain(name)) for number, name in found]
    except Exception:  # a shell is no place for complaints
        return []


def documents(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """The documents of the base typed before, by their paths, each with its type, and the evidence on its case."""
    import json

    from store.completion import evidence, submission

    try:
        session = _session(ctx)
        asked = (session.database_url, ctx.params["base"], _only_applicant(session))
        found = submission(*asked)
        root = session.documents_root
        if found is None or ("://" not in root and not Path(root).is_dir()):
            return []
        workflow_id, sha256 = found
        named = json.loads(session.documents_of(workflow_id).get(sha256))["documents"]
        return [*((_typed(one["path"]), one["media_type"]) for one in named), *evidence(*asked)]
    except Exception:
        return []


def stages(incomplete: str) -> list[str]:
    from domain.stages import Stage

    return [stage.value for stage in Stage]


def standings(incomplete: str) -> list[str]:
    from domain.stages import Standing

    return [standing.value for standing in Standing]


def roles(incomplete: str) -> list[str]:
    from domain.stages import PEOPLE, Role

    return [role.value for role in (*PEOPLE, Role.NOBODY)]


def _session(ctx: typer.Context) -> Session:
    """The common options typed so far, of the command and of those before it."""
    typed: dict[str, str] = {}
    context: typer.Context | None = ctx
    while context is not None:
        typed = {key: value for key, value in context.params.items() if value} | typed
        context = context.parent  # type: ignore[assignment]
    return Session(data_dir=typed.get("data_dir"), acting_as=typed.get("acting_as") or os.environ.get("LIVEBASE_AS"))


def _only_applicant(session: Session) -> str | None:
    role, _, name = (session.acting_as or "").partition(":")
    return name if role == "applicant" else None


def _typed(path: str) -> str:
    """As it is typed: bash takes what is offered as it stands."""
    bash = os.environ.get("_LIVEBASE_COMPLETE") == "complete_bash"
    return path.replace(" ", "\\ ") if bash else path
