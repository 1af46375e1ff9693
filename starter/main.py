"""`livebase`: the certification of Taobao Live bases, from the command line.

Commands are plain functions; whatever is heavy is imported inside them, so that `--help` stays quick.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import typer

from starter import applying, depositing, local, reading, reference, reviewing
from starter.errors import CommandError
from starter.options import checked_choices, new_app, remember_common, report, wants_debug


def build_app() -> typer.Typer:
    """All commands, in the order of the path."""
    app = new_app(help="The certification of Taobao Live bases (淘宝直播基地), as durable workflows.")
    app.callback()(remember_common)
    local.register(app)
    applying.register(app)
    reviewing.register(app)
    depositing.register(app)
    reading.register(app)
    reference.register(app)
    return app


def main() -> None:
    """The entry point: runs a command and exits with its fixed code."""
    arguments = sys.argv[1:]
    try:
        checked_choices(arguments)
        build_app()()
    except CommandError as error:
        if wants_debug(arguments):
            raise
        sys.exit(report(error, arguments))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if wants_debug(arguments):
            raise
        sys.exit(report(_unexpected(error), arguments))


def _unexpected(error: Any) -> CommandError:
    kind = type(error).__name__
    if type(error).__module__.startswith("sqlalchemy"):
        return CommandError(6, "unreachable", f"The database did not answer ({kind}).", "Run: livebase doctor")
    return CommandError(
        1, "failed", f"Something unexpected happened: {kind}.", "Run it again with --debug to see where."
    )


if __name__ == "__main__":
    main()
