"""`livebase`: the certification of Taobao Live bases, from the command line.

Commands are plain functions; whatever is heavy is imported inside them, so that `--help` stays quick.
"""

from __future__ import annotations

import os
import sys
import traceback
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
    code = _run(sys.argv[1:])
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        pass  # nobody reads any more; the exit code still tells
    # Threads of the Temporal client may still be at work; Python's own way out then aborts now and again
    # (seen: "PyGILState_Release … finalizing", exit code 134 after a command that was done).
    os._exit(code)


def _run(arguments: list[str]) -> int:
    try:
        checked_choices(arguments)
        build_app()()
        return 0
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except CommandError as error:
        return _report(error, error, arguments)
    except BrokenPipeError:
        return 0
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        return _report(_unexpected(error), error, arguments)


def _report(told: CommandError, cause: BaseException, arguments: list[str]) -> int:
    if wants_debug(arguments):
        traceback.print_exception(cause)
    return report(told, arguments)


def _unexpected(error: Any) -> CommandError:
    kind = type(error).__name__
    if type(error).__module__.startswith("sqlalchemy"):
        return CommandError(6, "unreachable", f"The database did not answer ({kind}).", "Run: livebase doctor")
    return CommandError(
        1, "failed", f"Something unexpected happened: {kind}.", "Run it again with --debug to see where."
    )


if __name__ == "__main__":
    main()
