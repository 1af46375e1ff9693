"""On this machine: dev, demo, doctor, worker, fast-forward."""

from typing import Annotated, Any

import typer

from starter.applying import BaseArgument
from starter.errors import CommandError, usage
from starter.options import command
from starter.session import Session


def register(app: typer.Typer) -> None:
    command(app, "dev")(dev)
    command(app, "demo")(demo)
    command(app, "doctor")(doctor)
    command(app, "worker")(worker)
    command(app, "fast-forward")(fast_forward)


def dev(
    session: Session,
    detach: Annotated[bool, typer.Option("--detach", help="Return when all is ready.")] = False,
    stop: Annotated[bool, typer.Option("--stop", help="End what runs.")] = False,
    verification: Annotated[
        bool,
        typer.Option("--verification", help="Also run who verifies enterprises, and have it asked (A1)."),
    ] = False,
) -> None:
    """Temporal server, Temporal Web, a worker and the official list on this machine. Ctrl-C stops all."""
    from starter import development

    _require_real(session, "dev")
    if stop:
        development.stop(session)
    elif detach:
        development.start_detached(session, verification=verification)
    else:
        _run(development.run(session, verification=verification))


def demo(
    session: Session, keep: Annotated[bool, typer.Option("--keep", help="Leave the servers up to look at.")] = False
) -> None:
    """One base through its whole path on a real server, its time moved forward."""
    from starter.demonstration import demonstrate

    _require_real(session, "demo")
    _run(demonstrate(session, keep=keep))


def doctor(session: Session) -> None:
    """Every dependency checked, each with how to mend it."""
    from starter.diagnosis import diagnose, table

    checks = _run(diagnose(session))
    session.show(checks, table)
    if not all(check["ok"] for check in checks):
        broken = ", ".join(check["check"] for check in checks if not check["ok"])
        raise CommandError(1, "doctor", f"Not in order: {broken}.", "Each line says how to mend it.", told=True)


def worker(session: Session) -> None:
    """A worker: what the cluster runs. SIGTERM lets it finish what it is at."""
    from starter.development import work

    _require_real(session, "worker")
    _run(work(session))


def fast_forward(
    session: Session,
    base: BaseArgument,
    duration: Annotated[str, typer.Argument(metavar="DURATION", help="8d, 12h, 90m, or ISO 8601 such as P1Y.")],
) -> None:
    """Move a case's time forward, stopping at all that comes of itself. Local server only."""
    from starter.fast_forwarding import fast_forward, parse_duration

    session.show(_run(fast_forward(session, base, parse_duration(duration))))


def _require_real(session: Session, name: str) -> None:
    if session.dry_run:
        raise usage(f"--dry-run says nothing about {name}: it changes no case.", f"Run it: livebase {name}")


def _run(coroutine: Any) -> Any:
    import asyncio
    import gc

    from connection.errors import BadConfiguration, ConnectionProblem

    gc.enable()  # most of these live long
    try:
        return asyncio.run(coroutine)
    except BadConfiguration as error:
        raise CommandError(2, "bad_configuration", error.message, error.hint) from error
    except ConnectionProblem as error:
        raise CommandError(6, "unreachable", error.message, error.hint) from error
