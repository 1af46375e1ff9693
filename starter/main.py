"""`livebase`: the certification of Taobao Live bases, from the command line.

Commands are plain functions; whatever is heavy is imported inside them, so that `--help` stays quick.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import io
import os
import sys
import traceback
from copy import copy
from functools import cache

import typer

from starter import (
    actors,
    appealing,
    applying,
    approvals,
    assessing,
    auditing,
    casework,
    conducting,
    depositing,
    explaining,
    handed_in,
    lists,
    local,
    login,
    measures,
    notices,
    official_list,
    papers,
    reading,
    reference,
    renewing,
    reports,
    reviewing,
    verifying,
)
from starter.errors import CommandError, usage
from starter.options import new_app, report

_COMPLETING = "_LIVEBASE_COMPLETE"
"""Set by a shell that asks what could follow (Typer)."""


@cache
def build_app() -> typer.Typer:
    """All commands, in the order of the path."""
    app = new_app(help="The certification of Taobao Live bases (淘宝直播基地), as durable workflows.")
    local.register(app)
    applying.register(app)
    reviewing.register(app)
    renewing.register(app)
    measures.register(app)
    approvals.register(app)
    verifying.register(app)
    casework.register(app)
    conducting.register(app)
    appealing.register(app)
    depositing.register(app)
    assessing.register(app)
    lists.register(app)
    reading.register(app)
    explaining.register(app)
    reports.register(app)
    official_list.register(app)
    auditing.register(app)
    login.register(app)
    actors.register(app)
    handed_in.register(app)
    papers.register(app)
    notices.register(app)
    reference.register(app)
    return app


def asked_for(words: list[str]) -> typer.Typer:
    """The command alone that the first word names, all of them where it names none.

    Typer makes every command it has, each with all its options, before it looks for the one that was typed.
    """
    app = copy(build_app())
    commands = [one for one in app.registered_commands if [one.name] == words[:1]]
    groups = [
        one for one in app.registered_groups if one.typer_instance and [one.typer_instance.info.name] == words[:1]
    ]
    if commands or groups:
        app.registered_commands, app.registered_groups = commands, groups
    return app


def main() -> None:
    """The entry point: runs a command and exits with its fixed code."""
    gc.disable()  # a command is over before there is anything to collect; what lives on has it again (starter/local.py)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller: what would be printed goes nowhere, never elsewhere
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that can't show Chinese gets its code points
    code = run(sys.argv[1:])
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        pass  # nobody reads any more; the exit code still tells
    except OSError:
        code = code or 1  # a full disk behind a redirection: what was asked for has not been printed
    # Threads of the Temporal client may still be at work; Python's own way out then aborts now and again
    # (seen: "PyGILState_Release … finalizing", exit code 134 after a command that was done).
    os._exit(code)


def run(arguments: list[str]) -> int:
    """Run a command as it is typed; its exit code."""
    try:
        if any("\ud800" <= char <= "\udfff" for argument in arguments for char in argument):
            raise usage("The command line holds bytes that are not UTF-8.", "Type it again in UTF-8.")
        app = asked_for(_before_the_tab() if _COMPLETING in os.environ else arguments)
        ended = app(args=arguments, prog_name="livebase", standalone_mode=False)
        return ended if isinstance(ended, int) else 0
    except CommandError as error:
        return _report(error, error, arguments)
    except typer.TyperException as error:
        return _report(_wrong_usage(error), error, arguments)
    except BrokenPipeError:
        return 0  # nobody reads any more; what was asked for is done
    except SystemExit as ended:  # shell completion
        return ended.code if isinstance(ended.code, int) else 0
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except Exception as error:
        return _report(_unexpected(error), error, arguments)


def _before_the_tab() -> list[str]:
    """The words before the one that is to be completed, as bash and as other shells hand them over."""
    in_bash = os.environ.get("COMP_WORDS", "").split()[1 : int(os.environ.get("COMP_CWORD", "0"))]
    return in_bash or os.environ.get("_TYPER_COMPLETE_ARGS", "").split(" ")[1:-1]


def _report(told: CommandError, cause: BaseException, arguments: list[str]) -> int:
    with contextlib.suppress(OSError):  # nobody reads any more, or the disk is full; the exit code still tells
        if "--debug" in arguments:
            traceback.print_exception(cause)
        report(told, arguments)
    return told.code


def _wrong_usage(error: typer.TyperException) -> CommandError:
    """Typer's own complaint about the words of the command line, as an error like any other."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "livebase"
    message = error.format_message().strip().replace("Value error, ", "")
    if context is not None and type(error).__name__ == "NoArgsIsHelpError":
        with contextlib.suppress(BrokenPipeError):
            print(message, file=sys.stderr)  # the help itself
        message = "No command is given."
    return usage(message, f"See: {path} --help")


def _unexpected(error: Exception) -> CommandError:
    kind = type(error).__name__
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return CommandError(1, "not_printed", "What was asked for can't be written: no space.", "Free some space.")
    if type(error).__module__.startswith("sqlalchemy"):
        return CommandError(6, "unreachable", f"The database did not answer ({kind}).", "Run: livebase doctor")
    return CommandError(
        1, "failed", f"Something unexpected happened: {kind}.", "Run it again with --debug to see where."
    )


if __name__ == "__main__":
    main()
