"""A small HTTP server of this machine: for what stands for parties outside, in `livebase dev`, `demo` and the tests."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from connection.listening import listen

HOST = "127.0.0.1"


class LocalHttp:
    """Serves routes on 127.0.0.1, on a port of its own, from `start` to `stop`."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._app = Starlette(routes=list(routes))

    def start(self) -> None:
        self._socket = listen(HOST, 0)
        self._server = _Server(
            uvicorn.Config(
                self._app, log_config=None, access_log=False, lifespan="off", ws="none", timeout_graceful_shutdown=1
            )
        )
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._socket]))

    async def stop(self) -> None:
        self._server.should_exit = True
        await self._serving

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._socket.getsockname()[1]}"


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are those of the process it lives in."""
        yield
