"""What is done about a certified base: suspend, reinstate, revoke, surrender, dissolve, correct."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from starter.applying import BaseArgument, FileArgument, Reason, given_reason, hand_in_sections, invalid_file
from starter.errors import usage
from starter.options import command
from starter.reviewing import AcceptedConditions, AcceptedReasons, acceptances
from starter.session import Session

if TYPE_CHECKING:
    from domain.commands import Command


def register(app: typer.Typer) -> None:
    command(app, "suspend")(suspend)
    command(app, "reinstate")(reinstate)
    command(app, "revoke")(revoke)
    command(app, "surrender")(surrender)
    command(app, "dissolve")(dissolve)
    command(app, "correct")(correct)


def suspend(session: Session, base: BaseArgument, reason: Reason) -> None:
    """Suspend the base at once: it stays listed as suspended, its benefits are paused."""
    from domain.commands import Suspend

    _with_reason(session, base, reason, Suspend)


def reinstate(session: Session, base: BaseArgument, reason: Reason) -> None:
    """Lift the suspension by compliance; others stay."""
    from domain.commands import Reinstate

    _with_reason(session, base, reason, Reinstate)


def revoke(session: Session, base: BaseArgument, reason: Reason) -> None:
    """Propose the revocation of the certification; it is done when a second person approves."""
    from domain.commands import Revoke

    why = given_reason(reason)
    require_typed_number(session, base)
    _with_reason(session, base, why, Revoke)


def surrender(session: Session, base: BaseArgument, reason: Reason) -> None:
    """Give the certification up, at once."""
    from domain.commands import Surrender

    _with_reason(session, base, reason, Surrender)


def dissolve(session: Session, base: BaseArgument, reason: Reason) -> None:
    """Put on record that the enterprise is no more; its case ends."""
    from domain.commands import Dissolve

    _with_reason(session, base, reason, Dissolve)


def correct(
    session: Session,
    base: BaseArgument,
    file: FileArgument,
    accept: AcceptedConditions = None,
    reason: AcceptedReasons = None,
) -> None:
    """Correct the base's name, address or contact after certification: the sections `base` and `contact`."""
    from domain.commands import Correct

    accepted = acceptances(accept, reason)
    _require_correctable(session, file)
    hand_in_sections(session, base, file, lambda given: Correct(**given, accepted=accepted))


def require_typed_number(session: Session, base: str) -> None:
    """Have the case's number typed before what takes a right away, gives it back or moves money out; `--yes` is for
    scripts (2)."""
    session.require_usable_options()
    if session.yes or session.dry_run or session.answered_before() is not None:
        return
    hint = "Add --yes when you mean it, or look first with --dry-run."
    if not sys.stdin.isatty():
        raise usage("This asks for the case number to be typed, and there is no terminal.", hint)
    found = session.meant(base)
    if found is None:
        return  # told when it is sent
    number = found.case.case_number
    print(f"{number} {found.case.name!r}. Type the case number to go on: ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().upper() != number:
        raise usage("That is not the case number; nothing was sent.", hint)


def _with_reason(session: Session, base: str, reason: str, kind: type[Command]) -> None:
    from starter.sending import act

    why = given_reason(reason)
    act(session, base, lambda envelope: kind(**envelope, reason=why))


def _require_correctable(session: Session, file: Path) -> None:
    """Refuse (2) a file with other sections, each named, before anything is reached."""
    from domain.refusals import Problem
    from starter.application_file import InvalidFile
    from starter.structured_text import read_structured_file

    session.require_usable_options()
    try:
        data, _ = read_structured_file(file)
    except InvalidFile as error:
        raise invalid_file(error.problems) from None
    names = data if isinstance(data, dict) else {}
    other = [name for name in names if name not in ("base", "contact", "documents_note")]
    if other:
        raise invalid_file(tuple(Problem(str(name), "can't be corrected: only base and contact can") for name in other))
