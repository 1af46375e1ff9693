"""`livebase doctor`: what must be in order, checked one by one, each with how to mend it."""

from __future__ import annotations

import tempfile
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starter.errors import CommandError
from starter.output import print_table
from starter.session import Session

if TYPE_CHECKING:
    from temporalio.client import Client


class _Broken(Exception):
    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what)
        self.what = what
        self.mend = mend


async def diagnose(session: Session) -> list[dict[str, Any]]:
    """Each check as {check, ok, what, mend}. A check that rests on a broken one is broken too, and says so."""
    clients: list[Client] = []

    async def server() -> str:
        client, target = await session.connect("livebase:doctor"), session.target
        await _require_namespace(client)
        clients.append(client)
        return f"{target.address} ({target.described_source}), namespace {target.namespace}"

    def client() -> Client:
        if not clients:
            raise _Broken("no server to ask", "mend the server first")
        return clients[0]

    async def attributes() -> str:
        from connection.search_attributes import missing

        lacking = await missing(client())
        if lacking:
            raise _Broken(f"missing: {', '.join(sorted(lacking))}", "python -m workers.prepare")
        return "all registered"

    async def workers() -> str:
        from starter.development import polled
        from workflows.messages import TASK_QUEUE

        if not await polled(client(), TASK_QUEUE):
            raise _Broken(f"nobody works on task queue {TASK_QUEUE}", "livebase worker (or livebase dev)")
        return f"task queue {TASK_QUEUE} is worked on"

    checks: list[tuple[str, Callable[[], Awaitable[str]]]] = [
        ("Temporal server", server),
        ("search attributes", attributes),
        ("worker", workers),
        ("database", lambda: _database(session)),
        ("documents", lambda: _documents(session)),
        ("calendar", lambda: _calendar(session)),
    ]
    return [await _checked(name, check) for name, check in checks]


def table(checks: list[dict[str, Any]]) -> None:
    rows = [("✓" if c["ok"] else "✗", c["check"], c["what"], c["mend"]) for c in checks]
    print_table(("", "check", "found", "how to mend"), rows)


async def _checked(name: str, check: Callable[[], Awaitable[str]]) -> dict[str, Any]:
    from connection.errors import ConnectionProblem

    try:
        return {"check": name, "ok": True, "what": await check(), "mend": ""}
    except _Broken as broken:
        return {"check": name, "ok": False, "what": broken.what, "mend": broken.mend}
    except (CommandError, ConnectionProblem) as error:
        return {"check": name, "ok": False, "what": error.message, "mend": error.hint}
    except Exception as error:
        return {"check": name, "ok": False, "what": f"{type(error).__name__}: {error}"[:200], "mend": "see --debug"}


async def _require_namespace(client: Client) -> None:
    from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
    from temporalio.service import RPCError, RPCStatusCode

    try:
        await client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace=client.namespace), timeout=timedelta(seconds=5)
        )
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        raise _Broken(f"there is no namespace {client.namespace}", "python -m workers.prepare") from error


async def _database(session: Session) -> str:
    from sqlalchemy import make_url

    from store.migrate import is_current

    if not is_current(session.engine):
        raise _Broken("the schema is not the newest", "restart livebase dev; on a cluster: python -m workers.prepare")
    return make_url(session.database_url).render_as_string(hide_password=True)


async def _documents(session: Session) -> str:
    root = session.documents_root
    if "://" not in root and not Path(root).is_dir():
        raise _Broken(f"there is no folder {root}", "livebase dev makes it; or set LIVEBASE_DOCUMENTS")
    try:
        session.documents.get(session.documents.put(b"livebase doctor"))  # the same every time: one document
        if "://" not in root:
            with tempfile.TemporaryFile(dir=root):
                pass
    except Exception as error:
        raise _Broken(f"can't be written: {type(error).__name__}", "check LIVEBASE_DOCUMENTS and its rights") from error
    return root


async def _calendar(session: Session) -> str:
    from starter.reference import provisional_from
    from store.reference import shipped_calendar

    calendar = shipped_calendar()
    if session.today.year not in {notice.year for notice in calendar.notices}:
        raise _Broken(
            f"no notice for {session.today.year}: every deadline is provisional",
            "install the release with the State Council's notice for this year",
        )
    since = provisional_from(calendar, session.today)
    ahead = f", provisional from {since} on" if since <= session.today + timedelta(days=365) else ""
    return f"notice for {session.today.year} known today{ahead} ({calendar.version})"
