"""Letters: which have been delivered, what they say, and sending them again."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from starter.applying import BaseArgument
from starter.errors import refused, usage
from starter.options import command, new_app
from starter.output import plain, print_table, say, when, word
from starter.session import Session

_PLACE = re.compile(r"[0-9]{1,6}\.[0-9]{1,3}")
_NOT_FOR_APPLICANTS = "An applicant may not look through the letters."  # those to the staff are among them
_HINT = "A letter goes by its number, such as 7.1; see: livebase notices list BASE"

LetterArgument = Annotated[str, typer.Argument(metavar="LETTER", help="Its number, such as 7.1.")]


def register(app: typer.Typer) -> None:
    notices = new_app("notices", "The letters the certification writes.")
    command(notices, "list")(list_notices)
    command(notices, "show")(show)
    command(notices, "resend")(resend)
    app.add_typer(notices)


def list_notices(
    session: Session,
    base: Annotated[str | None, typer.Argument(metavar="[BASE]", help="Credit code, LB-… or LBC-….")] = None,
    state: Annotated[
        str | None, typer.Option("--state", metavar="STATE", help="Only letters in this state of delivery.")
    ] = None,
) -> None:
    """The letters of a base with their delivery; without BASE all that have not arrived."""
    from domain.delivery import DeliveryState
    from store.letters import list_letters

    if state is not None and state not in set(DeliveryState):
        raise usage(f"--state {state[:40]!r} is unknown.", f"One of: {', '.join(DeliveryState)}")
    case_number = session.found(base).case.case_number if base is not None else None
    session.require_staff(_NOT_FOR_APPLICANTS)
    not_arrived = [each for each in DeliveryState if each is not DeliveryState.DELIVERED]
    states = [DeliveryState(state)] if state else list(DeliveryState) if base is not None else not_arrived
    letters = list_letters(session.engine, case_number=case_number, states=states)
    for letter in letters:
        del letter["body"], letter["edition"]
    session.show(letters, _list_table)


def show(session: Session, base: BaseArgument, letter: LetterArgument) -> None:
    """A letter as it was written; on the local server also the file it has arrived in."""
    from domain.delivery import unknown_letter
    from store.letters import list_letters

    case = session.found(base).case
    session.require_staff(_NOT_FOR_APPLICANTS)
    letters = list_letters(session.engine, case_number=case.case_number)
    found = next((each for each in letters if each["letter"] == letter), None)
    if found is None:
        raise refused(unknown_letter(case, letter[:20]))
    edition = found.pop("edition")
    session.show(found | {"file": _file(session, found, edition)}, _letter_text)


def resend(
    session: Session,
    base: BaseArgument,
    letter: Annotated[
        str | None, typer.Option("--letter", metavar="LETTER", help="This one, even if it had arrived.")
    ] = None,
) -> None:
    """Deliver again all letters of a base that have not arrived, or the one named. They go out within a minute."""
    from domain.commands import ResendLetters
    from starter.sending import act

    if letter is not None and _PLACE.fullmatch(letter) is None:
        raise usage(f"--letter {letter[:40]!r} is no letter's number.", _HINT)
    act(session, base, lambda envelope: ResendLetters(**envelope, letter=letter))


def _file(session: Session, letter: dict[str, Any], edition: int) -> str | None:
    """Where the local mail server keeps the letter, when it has it."""
    from domain.delivery import letter_id, message_id
    from starter.mail_sink import file_of

    sent = message_id(letter_id(letter["case_number"], letter["letter"]), edition, "localhost")
    path = Path(session.directory) / "mail" / f"{file_of(sent)}.eml"
    return str(path) if path.exists() else None


def _list_table(letters: list[dict[str, Any]]) -> None:
    if not letters:
        say("No such letters.")
        return
    print_table(
        ("case", "letter", "written", "to", "subject", "delivery", "tries", "next try", "message"),
        [
            (
                letter["case_number"],
                letter["letter"],
                when(letter["written_at"]),
                word(letter["recipient"]),
                letter["subject"],
                word(letter["state"], "delivery"),
                letter["attempts"],
                when(letter["next_try_at"]),
                letter["error"],
            )
            for letter in letters
        ],
    )


def _letter_text(letter: dict[str, Any]) -> None:
    print(f"{word('to')}: {word(letter['recipient'])}")
    print(f"{word('subject')}: {plain(letter['subject'])}")
    print(f"{word('delivery')}: {word(letter['state'], 'delivery')} {when(letter['delivered_at'])}".rstrip())
    if letter["error"]:
        print(plain(letter["error"]))
    print()
    print(plain(letter["body"]))
    if letter["file"]:
        say(f"The file: {letter['file']}")
