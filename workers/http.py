"""The small HTTP servers of our programs, on their own event loop: one that no longer turns can't answer."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from connection.errors import BadConfiguration
from connection.listening import listen

_READING = 10.0
"""Seconds a body may take to arrive."""


@asynccontextmanager
async def serving(app: Any, host: str, port: int, *, what: str, variables: str) -> AsyncIterator[None]:
    """Answers with `app`, an ASGI application, on HOST:PORT while the block runs.

    Raises BadConfiguration when the port can't be opened.

    `what` is the server's and `variables` the beginning of its settings' names, as whoever sets it up is told.
    """
    listener = _listen(host, port, what, variables)
    server = _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
    )
    served = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await served


async def read_body(request: Request, largest: int) -> bytes:
    """The raw body, whole, before anything of it is looked at. Raises HTTPException for one too large or too slow."""
    content = bytearray()
    try:
        async with asyncio.timeout(_READING):
            async for chunk in request.stream():
                content += chunk
                if len(content) > largest:
                    raise HTTPException(413)
    except (TimeoutError, ClientDisconnect):
        raise HTTPException(408) from None
    return bytes(content)


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGTERM is the worker's: it drains, and answers until it is done."""
        yield


def _listen(host: str, port: int, what: str, variables: str) -> socket.socket:
    try:
        return listen(host, port)
    except OSError as error:
        raise BadConfiguration(
            f"The {what} port {host}:{port} can't be opened: {error.strerror or error}.",
            f"Set {variables}_PORT to a free port and {variables}_HOST to an address of this machine.",
        ) from error
