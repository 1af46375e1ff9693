"""A person's key on this machine: made once, kept for its owner alone, and what signs each of their commands."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from starter.errors import CommandError, usage
from starter.options import command
from starter.output import print_table, say
from starter.session import Session


@dataclass(frozen=True)
class Login:
    """Who works on this machine: a name, and a private key (a JWK as JSON)."""

    name: str
    private: str

    @property
    def public(self) -> str:
        from store.signatures import public_key

        return public_key(self.private)


def register(app: typer.Typer) -> None:
    command(app, "login")(login)


def login(
    session: Session,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Your name, as it stands in decisions.")] = None,
) -> None:
    """Make a key that signs your commands; with one already, show whose it is."""
    from store.signatures import key_id, new_key

    file = key_file()
    found = read(file)
    if found is None:
        if name is None:
            raise usage(f"There is no key in {file}.", "Make one: livebase login NAME")
        found = Login(_given(name), new_key())
        _write(file, found)
        say(f"A key was made in {file}. Whoever has it can act as you: it stays on this machine.")
    elif name is not None and name.strip() != found.name:
        hint = "Use another file for another person: LIVEBASE_LOGIN=FILE livebase login NAME"
        raise usage(f"The key in {file} is {found.name}'s.", hint)
    view = {"name": found.name, "key_id": key_id(found.public), "public_key": found.public, "file": str(file)}
    session.show(view, lambda _: print_table(("", ""), list(view.items())))
    say(f"An administrator puts it on record: livebase actors add {found.name} --key {found.public} --role ROLE")


def key_file() -> Path:
    """Where the key is: LIVEBASE_LOGIN, or the user's configuration folder."""
    if given := os.environ.get("LIVEBASE_LOGIN"):
        return Path(given)
    from platformdirs import user_config_path

    return user_config_path("livebase") / "key.json"


def read(file: Path) -> Login | None:
    """The key of this machine's user; None without one. CommandError (2) for a file others may read, or no key."""
    try:
        with os.fdopen(os.open(file, os.O_RDONLY), encoding="utf-8") as opened:
            text, mode = opened.read(), os.fstat(opened.fileno()).st_mode
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _unusable(file, f"can't be read ({type(error).__name__})", "Check its rights.") from None
    if mode & 0o077:
        raise _unusable(file, "may be read by others", f"Keep it to yourself: chmod 600 {file}")
    from store.signatures import key_in

    try:
        return Login(*key_in(text))
    except ValueError:
        raise _unusable(file, "is no key", "Move it away and make another: livebase login NAME") from None


def _given(name: str) -> str:
    stripped = name.strip()
    if not 0 < len(stripped) <= 100 or not stripped.isprintable() or ":" in stripped:
        raise usage("A name has 1 to 100 printable characters and no colon.", "For example: livebase login li")
    return stripped


def _write(file: Path, made: Login) -> None:
    """Never over a key that is there, and never readable by others, not even for a moment."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise _unusable(file, f"can't be written ({error.strerror})", "Name another with LIVEBASE_LOGIN.") from None
    with os.fdopen(handle, "w", encoding="utf-8") as target:
        json.dump({"name": made.name, "key": json.loads(made.private)}, target, ensure_ascii=False)


def _unusable(file: Path, why: str, hint: str) -> CommandError:
    return CommandError(2, "bad_configuration", f"The key file {file} {why}.", hint)
