"""The official list: serving it to the public, proving what it says, and taking signed copies. Needs no Temporal."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from starter.channel import reconcile
from starter.errors import CommandError, unreachable, usage
from starter.list_reading import number_of, read_place
from starter.list_snapshots import Seen, next_snapshot
from starter.list_verdicts import judged_document, tell_verdict, verify_folder, verify_in_database, verify_paper
from starter.options import command, new_app
from starter.output import print_table, say, word
from starter.session import Session

if TYPE_CHECKING:
    from register.proof import Keys
    from register.settings import RegisterSettings


PortOption = Annotated[int | None, typer.Option("--port", metavar="PORT", help="Else 8300; 0 is any free one.")]
HostOption = Annotated[str | None, typer.Option("--host", metavar="ADDRESS", help="Else 127.0.0.1: this machine only.")]
WhatArgument = Annotated[
    str,
    typer.Argument(
        metavar="FILE|URL|NUMBER",
        help="A signed document, a certificate's PDF, a folder of snapshots, a certificate's page, or its number.",
    ),
]
KeysOption = Annotated[
    str | None,
    typer.Option(
        "--keys", metavar="FILE", help="The list's public keys (JWKS); else those of this machine's own list."
    ),
]
ListOption = Annotated[
    str | None,
    typer.Option("--list", metavar="FILE|URL", help="Look the number, or that of the PDF, up in this signed list."),
]
AtOption = Annotated[
    str | None,
    typer.Option("--at", metavar="INSTANT", help="Was it certified then? RFC 3339; of a date, its first instant."),
]
SeenOption = Annotated[
    str | None,
    typer.Option("--seen", metavar="FILE", help="Where the newest revision seen is kept; else the user's own place."),
]
ToOption = Annotated[
    str | None,
    typer.Option("--to", metavar="FOLDER", help="Adds a snapshot that names the one before; else it is printed."),
]


def register(app: typer.Typer) -> None:
    group = new_app("register", "The official list: what the public sees, and how it is proven.")
    command(group, "serve")(serve)
    command(group, "verify")(verify)
    command(group, "export")(export)
    command(group, "reconcile")(reconcile)
    app.add_typer(group)


def serve(session: Session, port: PortOption = None, host: HostOption = None) -> None:
    """The list as the public sees it: a web page, and the same for machines. SIGTERM ends it."""
    import gc

    from register.serving import CannotServe
    from register.serving import serve as serving
    from store.engine import open_engine
    from store.migrate import is_current

    if session.dry_run:
        raise usage("--dry-run says nothing about register serve: it changes no case.", "Leave it out.")
    gc.enable()  # it lives long
    settings = _settings(session, port=port, host=host)
    if not is_current(session.engine):
        raise unreachable("The database does not have the present schema.", "Run: python -m workers.prepare")

    def ready(url: str) -> None:
        session.show({"url": url}, lambda view: print_table(("", ""), [(word("official list"), view["url"])]))

    try:
        serving(session.engine, settings, ready, open_engine(session.database_url))
    except CannotServe as error:
        raise usage(error.message, error.hint) from None


def verify(
    session: Session,
    what: WhatArgument,
    keys: KeysOption = None,
    list_: ListOption = None,
    at: AtOption = None,
    seen: SeenOption = None,
) -> None:
    """Whether a base is certified, by a signed document and the list's public keys alone; 1 when it is not, 3 for a
    number that is not on the list. With a NUMBER and no --list, the database is asked. A certificate's PDF alone proves
    that it was issued, never that it is in force: 1 without --list."""
    from register.reading import is_pdf
    from store.register import certificate_number

    number = certificate_number(what)
    if at is not None and (number is None or list_ is not None):
        raise usage("--at goes with a certificate's number, and asks the database.", "Leave out --list, or --at.")
    if number is not None and list_ is None:
        verify_in_database(session, number, at)
        return
    if number is None and list_ is not None and not what.lower().endswith(".pdf"):
        raise usage(
            f"{what[:120]!r} is no certificate number.", "--list goes with one, such as LBC-2026-000001, or with a PDF."
        )
    public = _public_keys(session, keys)
    if number is None and list_ is not None:
        verify_paper(session, read_place(what, as_it_is=True), what, public, list_, Seen(seen))
        return
    place = list_ or what
    if Path(place).is_dir() and number is not None:
        raise usage(
            "A folder of snapshots is proven whole.", "Name its newest snapshot after --list, or leave out the number."
        )
    if Path(place).is_dir():
        verify_folder(session, Path(place), public, Seen(seen))
        return
    text, number = read_place(place), number or number_of(place)
    newest = Seen(seen)
    if is_pdf(text):
        if list_ is not None:
            raise usage(
                f"{place[:200]} is a certificate's PDF, no signed list.",
                "Name a list after --list, or verify the PDF: livebase register verify FILE.pdf",
            )
        verify_paper(session, text, place, public, None, newest)
        return
    judged, key = judged_document(session, text, place, public, newest, number)
    tell_verdict(session, judged, number, key)


def export(session: Session, to: ToOption = None) -> None:
    """The whole list, signed; with --to as the next of a chain of snapshots in a folder."""
    from register import formats
    from register.proof import sign
    from register.serving import CannotServe, keys_of
    from store.register import ListReader

    settings = _settings(session)
    if settings.keys is None:
        settings = settings.model_copy(update={"keys": _own_keys(session)})
    try:
        keys = keys_of(settings)
    except CannotServe as error:
        raise usage(error.message, error.hint) from None
    if keys is None:
        raise usage("There is no key to sign with.", "Set LIVEBASE_REGISTER_KEYS to a file with the list's keys.")
    reader = ListReader(session.engine)
    about = formats.header(reader.installation()[0], reader.revision(), session.wall, reader.next_change(session.wall))
    document = formats.list_document(reader.everything(session.wall), about)
    if to is None:
        session.show(sign(document, keys))
        return
    if session.dry_run:
        raise usage("--dry-run says nothing about register export: it changes no case.", "Leave it out.")
    file, number = next_snapshot(Path(to), document, lambda whole: sign(whole, keys))
    view = {"file": str(file), "snapshot": number, "list_revision": about["list_revision"], "count": document["count"]}
    session.show(view, lambda view: say(view["file"]))


def _settings(session: Session, **given: Any) -> RegisterSettings:
    """The site's settings, from the environment and what is typed. CommandError (2) for what can't be."""
    from pydantic import ValidationError

    from register.settings import RegisterSettings

    try:
        return RegisterSettings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        problems = [
            (
                f"LIVEBASE_REGISTER_{'_'.join(map(str, one['loc'])).upper()}".rstrip("_"),
                one["msg"].replace("Value error, ", ""),
            )
            for one in error.errors()
        ]
        raise CommandError(
            2, "bad_configuration", "The list's settings can't be.", "Mend what is named.", problems
        ) from None


def _own_keys(session: Session) -> Path | None:
    """The key file of the environment, or of `livebase dev` here."""
    from starter.development import register_keys

    if given := os.environ.get("LIVEBASE_REGISTER_KEYS"):
        return Path(given)
    local = register_keys(session.directory)
    return local if local.exists() else None


def _public_keys(session: Session, given: str | None) -> Keys:
    """The keys to prove with. Never those of whoever is to be proven, unless they are named."""
    from register.proof import read_keys

    place = given or _own_keys(session)
    if place is None:
        raise usage(
            "There are no keys to prove with.",
            "Get the list's public keys once, from /.well-known/livebase-keys.json, and name them: --keys FILE",
        )
    try:
        return read_keys(read_place(str(place)).decode("utf-8", "replace"))
    except ValueError as error:
        raise usage(f"{place} {error}.", "Name the list's public keys: --keys FILE") from None
