"""An official channel over HTTP, as its owner might run it: a real server, with the faults of real ones on demand."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from domain.channel import ListEntry, read_entry
from workers.http import serving

TOKEN = "channel-token"


class ChannelServer:
    """It keeps the newest entry of each number. `published` counts what changed it, `asked` every PUT, by key.

    `down` it answers nothing but 503; of the next `losing` PUTs it takes the entry and the answer never arrives; what
    is in `refusing` it does not take. `states` is what it was changed to, one after the other.
    """

    def __init__(self) -> None:
        self.url = ""
        self.entries: dict[str, ListEntry] = {}
        self.published: Counter[str] = Counter()
        self.asked: list[str] = []
        self.states: list[tuple[str, str]] = []
        self.down = False
        self.losing = 0
        self.refusing: set[str] = set()

    def app(self) -> Starlette:
        one = "/entries/{number}"
        return Starlette(
            routes=[
                Route(one, self._put, methods=["PUT"]),
                Route(one, self._get, methods=["GET"]),
                Route("/entries", self._list, methods=["GET"]),
            ]
        )

    async def _put(self, request: Request) -> Response:
        content = await request.body()
        self.asked.append(request.headers["idempotency-key"])
        if (fault := self._fault(request)) is not None:
            return fault
        if request.path_params["number"] in self.refusing:
            return Response(status_code=422)
        entry = read_entry(content)
        assert (entry.number, entry.key) == (request.path_params["number"], self.asked[-1])
        held = self.entries.get(entry.number)
        if held is None or held.revision < entry.revision:
            self.entries[entry.number] = entry
            self.published[entry.key] += 1
            self.states.append((entry.number, entry.state))
        if self.losing:
            self.losing -= 1
            return Response(headers={"content-length": "100"})  # and the connection breaks
        return Response(status_code=204 if self.entries[entry.number] == entry else 409)

    async def _get(self, request: Request) -> Response:
        if (fault := self._fault(request)) is not None:
            return fault
        held = self.entries.get(request.path_params["number"])
        return Response(held.document()) if held else Response(status_code=404)

    async def _list(self, request: Request) -> Response:
        if (fault := self._fault(request)) is not None:
            return fault
        after, limit = request.query_params["after"], int(request.query_params["limit"])
        page = [self.entries[number] for number in sorted(self.entries) if number > after][:limit]
        return JSONResponse(
            {"entries": [{"number": one.number, "revision": one.revision, "hash": one.hash} for one in page]}
        )

    def _fault(self, request: Request) -> Response | None:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Response(status_code=401)
        return Response(status_code=503) if self.down else None


@asynccontextmanager
async def channel_server() -> AsyncIterator[ChannelServer]:
    """A channel that answers while the block runs."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    channel = ChannelServer()
    channel.url = f"http://127.0.0.1:{port}"
    async with serving(channel.app(), "127.0.0.1", port, what="channel", variables="CHANNEL"):
        yield channel
