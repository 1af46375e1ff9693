"""What staff do to a case beside deciding it: assign, extend, note."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from starter.applying import BaseArgument, Reason, given_reason, readable
from starter.errors import usage
from starter.options import command, given_day, new_app
from starter.output import plain, print_table, say, when
from starter.phrases import actor
from starter.session import Session

_DEADLINES = ("supplement", "deposit", "rectification", "marks")
_LONGEST_NAME, _LONGEST_TEXT = 100, 2000


def register(app: typer.Typer) -> None:
    command(app, "assign")(assign)
    command(app, "extend")(extend)
    note = new_app("note", "Notes for the staff.")
    command(note, "add")(add)
    command(note, "list")(list_notes)
    app.add_typer(note)


def assign(
    session: Session,
    base: BaseArgument,
    to: Annotated[str, typer.Option("--to", metavar="NAME", help="Whose it is from now on.")],
    reason: Reason,
) -> None:
    """Give what waits for staff to one of them; an assigned review is held by them."""
    from domain.commands import Assign
    from starter.sending import act

    if not readable(to) or len(to) > _LONGEST_NAME:
        raise usage(f"--to has 1 to {_LONGEST_NAME} printable characters.", "For example: --to li")
    why = given_reason(reason)
    act(session, base, lambda envelope: Assign(**envelope, to=to.strip(), reason=why))


def extend(
    session: Session,
    base: BaseArgument,
    deadline: Annotated[str, typer.Option("--deadline", metavar="|".join(_DEADLINES), help="Which one.")],
    to: Annotated[str, typer.Option("--to", metavar="DATE", help="Its new last day.")],
    reason: Reason,
) -> None:
    """Move an applicant's deadline to a later day; reminders and what follows move along."""
    from domain.commands import ExtendDeadline
    from starter.sending import act

    if deadline not in _DEADLINES:
        raise usage(f"--deadline {deadline[:40]!r} is unknown.", f"One of: {', '.join(_DEADLINES)}")
    day = given_day("--to", to)
    why = given_reason(reason)
    act(session, base, lambda envelope: ExtendDeadline(**envelope, deadline=deadline, to=day, reason=why))


def add(
    session: Session, base: BaseArgument, text: Annotated[str, typer.Option("--text", help="What is to be kept.")]
) -> None:
    """Keep a note for the staff; applicants don't see it."""
    from domain.commands import AddNote
    from domain.written import WrittenNote
    from starter.sending import act

    if not readable(text) or len(text) > _LONGEST_TEXT:
        raise usage(f"--text has 1 to {_LONGEST_TEXT} printable characters.", "For example: --text 已电话核实")
    written = WrittenNote(text=text.strip(), salt=session.request)
    act(session, base, lambda envelope: AddNote(**envelope, paper=written.sha256), content=written.canonical_bytes())


def list_notes(session: Session, base: BaseArgument) -> None:
    """The notes on a case, oldest first."""
    from store.grounds import notes

    case = session.found(base).case
    session.require_staff("An applicant may not read the staff's notes.")
    session.show(notes(session.engine, case.case_number), _notes_table)


def _notes_table(notes: list[dict[str, Any]]) -> None:
    if not notes:
        say("No notes.")
        return
    print_table(
        ("#", "when", "who", "note"),
        [(note["sequence"], when(note["at"]), actor(note["by"]), plain(note["text"])) for note in notes],
    )
