"""Appeals, and decisions of ours set aside (decisions 28 and 34)."""

from __future__ import annotations

from typing import Annotated

import typer

from starter.applying import BaseArgument, FileArgument, Reason, given_reason, invalid_file
from starter.errors import usage
from starter.measures import require_typed_number
from starter.options import command, new_app
from starter.session import Session

DecisionOption = Annotated[str, typer.Option("--decision", metavar="ID", help="As in: livebase why BASE")]
_OUTCOMES = ("uphold", "set-aside")
_LONGEST_ID = 40


def register(app: typer.Typer) -> None:
    appeal = new_app("appeal", "Appeals against a rejection, a revocation, an invalidity.")
    command(appeal, "file")(file)
    command(appeal, "decide")(decide)
    app.add_typer(appeal)
    command(app, "set-aside")(set_aside)
    command(app, "waive")(waive)


def file(session: Session, base: BaseArgument, paper: FileArgument) -> None:
    """Appeal once, within the time the letter names; the decision stands meanwhile."""
    from domain.commands import FileAppeal
    from domain.statement import InvalidStatement, read_appeal
    from domain.written import WrittenStatement
    from starter.paper_file import InvalidFile, read_paper_file
    from starter.sending import act

    session.require_usable_options()
    try:
        read = read_paper_file(paper, read_appeal, InvalidStatement)
    except InvalidFile as error:
        raise invalid_file(error.problems) from None
    written = WrittenStatement(statement=read.paper.statement, salt=session.request)
    stated = {"decision": read.paper.decision, "paper": written.sha256, "evidence": read.hashes}
    content = written.canonical_bytes()
    act(session, base, lambda envelope: FileAppeal(**envelope, **stated), read.document_files, content)


def decide(
    session: Session,
    base: BaseArgument,
    outcome: Annotated[str, typer.Option("--outcome", metavar="|".join(_OUTCOMES))],
    reason: Reason,
) -> None:
    """Decide an appeal; by somebody who took no part in the decision."""
    from domain.commands import DecideAppeal
    from starter.sending import act

    if outcome not in _OUTCOMES:
        raise usage(f"--outcome {outcome[:40]!r} is unknown.", f"One of: {', '.join(_OUTCOMES)}")
    why = given_reason(reason)
    if outcome == "set-aside":
        require_typed_number(session, base)
    act(session, base, lambda envelope: DecideAppeal(**envelope, outcome=outcome, reason=why))


def set_aside(session: Session, base: BaseArgument, decision: DecisionOption, reason: Reason) -> None:
    """Propose to undo a decision of ours that was a mistake; a second person approves it."""
    from domain.commands import SetAside
    from starter.sending import act

    if not 0 < len(decision.strip()) <= _LONGEST_ID:
        raise usage("--decision is the id of a decision.", "See it with: livebase why BASE")
    why = given_reason(reason)
    require_typed_number(session, base)
    act(session, base, lambda envelope: SetAside(**envelope, decision=decision.strip().upper(), reason=why))


def waive(session: Session, base: BaseArgument, reason: Reason) -> None:
    """Propose that the enterprise may apply again at once, without its cooling-off; a second person approves it."""
    from domain.commands import WaiveCoolingOff
    from starter.sending import act

    why = given_reason(reason)
    act(session, base, lambda envelope: WaiveCoolingOff(**envelope, reason=why))
