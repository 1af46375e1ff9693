"""The options every command takes, before or after its name, made into one `Session`."""

from __future__ import annotations

import functools
import inspect
import os
import sys
import typing
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Literal

import typer

from starter.errors import CommandError, usage
from starter.session import Session

COMMON: dict[str, Any] = {
    "output": Annotated[
        Literal["table", "json", "jsonl"] | None,
        typer.Option("--output", "-o", metavar="table|json|jsonl", help="How to print data."),
    ],
    "acting_as": Annotated[
        str | None, typer.Option("--as", metavar="ROLE:NAME", help="Who acts; ROLE alone with a login. Or LIVEBASE_AS.")
    ],
    "on_behalf": Annotated[
        str | None, typer.Option("--on-behalf", metavar="NAME", help="The applicant an operator acts for.")
    ],
    "request_id": Annotated[str | None, typer.Option("--request-id", metavar="ID", help="Makes a repeat harmless.")],
    "lang": Annotated[
        Literal["zh", "en"] | None, typer.Option("--lang", metavar="zh|en", help="Language of the tables' words.")
    ],
    "dry_run": Annotated[bool | None, typer.Option("--dry-run", help="Only say what would happen.")],
    "debug": Annotated[bool | None, typer.Option("--debug", help="Show tracebacks.")],
    "yes": Annotated[bool | None, typer.Option("--yes", help="Do not ask.")],
    "profile": Annotated[
        str | None, typer.Option("--profile", metavar="NAME", help="Profile of the temporal CLI's configuration.")
    ],
    "address": Annotated[str | None, typer.Option("--address", metavar="HOST:PORT", help="Temporal server.")],
    "namespace": Annotated[str | None, typer.Option("--namespace", metavar="NAME", help="Temporal namespace.")],
    "data_dir": Annotated[
        str | None,
        typer.Option("--data-dir", metavar="DIR", help="Data folder of `livebase dev`; or LIVEBASE_DATA_DIR."),
    ],
}
# Read here and not by Typer: what is typed before the command's name goes over the environment too.
_FROM_ENVIRONMENT = {"acting_as": "LIVEBASE_AS"}
_COMMON_PARAMETERS = [
    inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, annotation=hint, default=None)
    for key, hint in COMMON.items()
]
_CONTEXT = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)


def given_day(name: str, text: str) -> date:
    """The Shanghai date an option names. CommandError (2) when it is none."""
    from domain.shanghai import parse_date

    try:
        return parse_date(text)
    except (ValueError, OverflowError):
        raise usage(f"{name} is a date such as 2026-03-02.", "Dates are Shanghai dates.") from None


def new_app(
    name: str | None = None, help: str | None = None, alone: Callable[[Session], None] | None = None
) -> typer.Typer:
    """A command group without Rich's own tracebacks and markup; it takes the common options too.

    `alone` is what it does when no command of the group is named; else its help is shown.
    """
    app = typer.Typer(
        name=name,
        help=help,
        no_args_is_help=alone is None,
        invoke_without_command=alone is not None,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )

    def remember(ctx: typer.Context, **common: Any) -> None:
        root = ctx.find_root()
        root.obj = {**(root.obj or {}), **_told(common)}
        if alone is not None and ctx.invoked_subcommand is None:
            alone(_session(root.obj))

    app.callback(help=help)(_with_parameters(remember, [_CONTEXT, *_COMMON_PARAMETERS]))
    return app


def command(app: typer.Typer, name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function taking a `Session` first; the common options are added to its own."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        own = list(inspect.signature(function).parameters.values())[1:]
        hints = typing.get_type_hints(function, include_extras=True)
        parameters = [p.replace(annotation=hints[p.name], kind=p.KEYWORD_ONLY) for p in own]

        @functools.wraps(function)
        def run(ctx: typer.Context, **given: Any) -> None:
            common = {key: given.pop(key) for key in COMMON}
            function(_session({**(ctx.find_root().obj or {}), **_told(common)}), **given)

        app.command(name)(_with_parameters(run, [_CONTEXT, *parameters, *_COMMON_PARAMETERS]))
        return function

    return register


def _session(chosen: dict[str, Any]) -> Session:
    environment = {key: os.environ.get(variable) for key, variable in _FROM_ENVIRONMENT.items()}
    return Session(
        **{key: value for key, value in (environment | chosen).items() if key in COMMON and value is not None}
    )


def _told(common: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in common.items() if value is not None}


def _with_parameters(function: Callable[..., None], parameters: list[inspect.Parameter]) -> Callable[..., None]:
    """The function as Typer shall see it."""
    function.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    function.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return function


def wanted_output(arguments: list[str]) -> str:
    """The output asked for, as far as the words of the command line tell: errors come before they are parsed."""
    wanted = "table"
    for argument, following in zip(arguments, [*arguments[1:], ""], strict=False):
        if argument == "--":
            break
        if argument in ("-o", "--output"):
            wanted = following
        elif argument.startswith("--output="):
            wanted = argument.removeprefix("--output=")
        elif argument.startswith("-o"):
            wanted = argument.removeprefix("-o")
    return wanted


def report(error: CommandError, arguments: list[str]) -> None:
    """Print a command's error as asked for."""
    from starter.output import plain, show

    output = wanted_output(arguments)
    if output.startswith("json") and not error.told:
        show("jsonl" if output == "jsonl" else "json", error.as_json())
    print(plain(f"{error.kind}: {error.message}"), file=sys.stderr)
    for path, message in error.problems:
        print(plain(f"  {path or '(the file)'}: {message}"), file=sys.stderr)
    if error.hint:
        print(plain(f"→ {error.hint}"), file=sys.stderr)
