"""A verification that is not confirmed any more."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from starter.applying import BaseArgument, Reason, evidence, given_reason
from starter.options import command, new_app
from starter.session import Session


def register(app: typer.Typer) -> None:
    verification = new_app("verification", "The enterprise's real-name verification.")
    command(verification, "accept")(accept)
    app.add_typer(verification)


def accept(
    session: Session,
    base: BaseArgument,
    reason: Reason,
    files: Annotated[list[Path] | None, typer.Argument(metavar="[FILE]...")] = None,
) -> None:
    """Accept, having looked, that a base's verification is not confirmed any more; with what proves it."""
    from domain.commands import AcceptVerification
    from starter.sending import act

    why, documents = given_reason(reason), evidence(files or [])
    act(
        session,
        base,
        lambda envelope: AcceptVerification(**envelope, reason=why, evidence=tuple(documents)),
        documents,
    )
