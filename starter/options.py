"""The options every command takes, before or after its name, made into one `Session`."""

from __future__ import annotations

import functools
import inspect
import sys
import typing
from collections.abc import Callable
from typing import Annotated, Any

import typer

from starter.errors import CommandError
from starter.session import Session

COMMON: dict[str, Any] = {
    "output": Annotated[str, typer.Option("--output", "-o", metavar="table|json|jsonl", help="How to print data.")],
    "acting_as": Annotated[
        str, typer.Option("--as", envvar="LIVEBASE_AS", metavar="ROLE:NAME", help="Who acts, on the local server.")
    ],
    "on_behalf": Annotated[
        str, typer.Option("--on-behalf", metavar="NAME", help="The applicant an operator acts for.")
    ],
    "request_id": Annotated[str, typer.Option("--request-id", metavar="ID", help="Makes a repeat harmless.")],
    "lang": Annotated[str, typer.Option("--lang", metavar="zh|en", help="Language of letters and labels.")],
    "dry_run": Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")],
    "debug": Annotated[bool, typer.Option("--debug", help="Show tracebacks.")],
    "yes": Annotated[bool, typer.Option("--yes", help="Do not ask.")],
    "profile": Annotated[str, typer.Option("--profile", help="Profile of the temporal CLI's configuration.")],
    "address": Annotated[str, typer.Option("--address", help="Temporal server, HOST:PORT.")],
    "namespace": Annotated[str, typer.Option("--namespace", help="Temporal namespace.")],
    "data_dir": Annotated[
        str, typer.Option("--data-dir", envvar="LIVEBASE_DATA_DIR", help="Data folder of `livebase dev`.")
    ],
}
_CHOICES = {"output": ("table", "json", "jsonl"), "lang": ("zh", "en")}


def new_app(name: str | None = None, help: str | None = None, **kwargs: Any) -> typer.Typer:
    """A command group without Rich's own tracebacks and markup."""
    return typer.Typer(
        name=name, help=help, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None, **kwargs
    )


def command(app: typer.Typer, name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function taking a `Session` first; the common options are added to its own."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        own = list(inspect.signature(function).parameters.values())[1:]
        hints = typing.get_type_hints(function, include_extras=True)
        parameters = [p.replace(annotation=hints[p.name], kind=p.KEYWORD_ONLY) for p in own]
        parameters += [
            inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, annotation=hint, default=None)
            for key, hint in COMMON.items()
        ]

        @functools.wraps(function)
        def run(ctx: typer.Context, **given: Any) -> None:
            common = {key: given.pop(key) for key in COMMON}
            before: dict[str, Any] = ctx.find_root().obj or {}
            chosen = {key: common[key] if common[key] else before.get(key) for key in COMMON}
            function(Session(**{key: value for key, value in chosen.items() if value is not None}), **given)

        context = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
        run.__signature__ = inspect.Signature([context, *parameters])  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in (context, *parameters)}
        app.command(name)(run)
        return function

    return register


def remember_common(ctx: typer.Context, **common: Any) -> None:
    """The root callback: options given before the command's name."""
    ctx.obj = common


remember_common.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
    [
        inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context),
        *(
            inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, annotation=hint, default=None)
            for key, hint in COMMON.items()
        ),
    ]
)
remember_common.__annotations__ = {"ctx": typer.Context, **COMMON}


def checked_choices(arguments: list[str]) -> None:
    """Refuse (2) a value of --output or --lang that is none of theirs, wherever it stands."""
    names = {"--output": "output", "-o": "output", "--lang": "lang"}
    for position, argument in enumerate(arguments):
        flag, _, value = argument.partition("=")
        if flag not in names:
            continue
        value = value or (arguments[position + 1] if position + 1 < len(arguments) else "")
        choices = _CHOICES[names[flag]]
        if value not in choices:
            raise CommandError(
                2, "usage", f"{flag} is one of: {', '.join(choices)}.", f"For example: {flag} {choices[0]}"
            )


def wants_json(arguments: list[str]) -> bool:
    """Whether the output asked for is JSON, as far as the words of the command line tell."""
    joined = " ".join(arguments)
    return any(f"{flag}{sep}json" in joined for flag in ("-o", "--output") for sep in (" ", "=", ""))


def wants_debug(arguments: list[str]) -> bool:
    return "--debug" in arguments


def report(error: CommandError, arguments: list[str]) -> int:
    """Print a command's error as asked for, and return its exit code."""
    from starter.output import plain, show

    if wants_json(arguments):
        show("json", error.as_json())
    print(plain(f"{error.kind}: {error.message}"), file=sys.stderr)
    for path, message in error.problems:
        print(plain(f"  {path}: {message}"), file=sys.stderr)
    if error.hint:
        print(plain(f"→ {error.hint}"), file=sys.stderr)
    return error.code
