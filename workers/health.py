"""/livez and /readyz over HTTP, answered by the worker's own event loop: a loop that no longer turns can't answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Engine
from temporalio.client import Client

from store.migrate import is_current
from workers.http import serving
from workers.pair import WorkerPair
from workers.settings import WorkerSettings

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope

_PATIENCE = timedelta(seconds=4)
"""How long a check may take before what it asks counts as away."""


class Readiness:
    """Whether this worker can do its work. Many askers at once share one check."""

    def __init__(self, client: Client, engine: Engine, workers: WorkerPair) -> None:
        self._client = client
        self._engine = engine
        self._workers = workers
        self._checking: asyncio.Task[dict[str, bool]] | None = None

    async def state(self) -> dict[str, bool]:
        """`temporal`: the server answers. `schema`: the database does, and has the present schema. `polling`:
        both workers take tasks, and are not draining."""
        if self._checking is None or self._checking.done():
            self._checking = asyncio.create_task(self._check())
        return await asyncio.shield(self._checking)

    async def _check(self) -> dict[str, bool]:
        temporal, schema = await asyncio.gather(self._temporal(), self._schema())
        return {"temporal": temporal, "schema": schema, "polling": self._workers.polling}

    async def _temporal(self) -> bool:
        try:
            return await self._client.service_client.check_health(timeout=_PATIENCE)
        except Exception:
            return False

    async def _schema(self) -> bool:
        try:
            async with asyncio.timeout(_PATIENCE.total_seconds()):
                return await asyncio.to_thread(is_current, self._engine)
        except Exception:
            return False


@asynccontextmanager
async def health_server(readiness: Readiness, settings: WorkerSettings) -> AsyncIterator[None]:
    """Answers on the health port while the block runs; with port 0 nobody does.

    Raises BadConfiguration when the port can't be opened.
    """
    if not settings.health_port:
        yield
        return

    async def answer(scope: Scope, _: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        assert scope["type"] == "http"
        status, body = await _answer(scope["method"], scope["path"], readiness)
        headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": status, "headers": headers, "trailers": False})
        await send({"type": "http.response.body", "body": json.dumps(body).encode(), "more_body": False})

    async with serving(answer, settings.health_host, settings.health_port, what="health", variables="LIVEBASE_HEALTH"):
        yield


async def _answer(method: str, path: str, readiness: Readiness) -> tuple[int, dict[str, bool]]:
    if path not in ("/livez", "/readyz"):
        return 404, {}
    if method not in ("GET", "HEAD"):
        return 405, {}
    if path == "/livez":
        return 200, {"alive": True}
    state = await readiness.state()
    return (200 if all(state.values()) else 503), state
