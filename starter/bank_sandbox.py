"""The bank of `livebase dev`, `demo` and the tests: a server with a book of its own, that misbehaves when told to.

It speaks what `activities/bank.py` does: `PUT /refunds/<key>` is one payment for good, however often it is sent. How
the next orders fare is told by `PUT /behaviour` with a list, one entry an answer:

- `pay`: paid at once, as without any
- `process`: taken, and paid when it is asked the next time
- `refuse`: refused for good, with a reason
- `lose_reply`: paid, but the answer never arrives
- `fail`: not taken, an error

`GET /book` is what the bank has paid, for the comparison with our ledger.
"""

from __future__ import annotations

import asyncio
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import uvicorn
from pydantic import TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from domain.bank import BankAnswer, RefundOrder

HOST = "127.0.0.1"
_BEHAVIOURS: TypeAdapter[list[str]] = TypeAdapter(list[str])
_KNOWN = frozenset({"pay", "process", "refuse", "lose_reply", "fail"})
_BOOK = """
CREATE TABLE IF NOT EXISTS refunds (
    key TEXT PRIMARY KEY, content TEXT NOT NULL, amount INTEGER NOT NULL, payment TEXT NOT NULL,
    state TEXT NOT NULL, reference TEXT NOT NULL UNIQUE, why TEXT NOT NULL, asked INTEGER NOT NULL DEFAULT 1
)
"""


class BankSandbox:
    """Listens on 127.0.0.1 only, and only while it is entered. Its book is a file, and outlives it."""

    def __init__(self, book: Path) -> None:
        self._path = book
        self.behaviour: list[str] = []

    async def __aenter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._book = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        self._book.execute(_BOOK)
        app = Starlette(
            routes=[
                Route("/refunds/{key}", self._refund, methods=["PUT"]),
                Route("/behaviour", self._behave, methods=["PUT"]),
                Route("/book", self._show, methods=["GET"]),
            ]
        )
        self._socket = socket.create_server((HOST, 0))  # listening: who connects before it serves waits
        self._server = _Server(
            uvicorn.Config(
                app, log_config=None, access_log=False, lifespan="off", ws="none", timeout_graceful_shutdown=1
            )
        )
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.should_exit = True
        await self._serving
        self._book.close()

    @property
    def url(self) -> str:
        """Where `LIVEBASE_BANK_URL` has to point."""
        return f"http://{HOST}:{self._socket.getsockname()[1]}"

    def paid(self) -> dict[str, int]:
        """Key → fen, of all that was paid."""
        rows = self._book.execute("SELECT key, amount FROM refunds WHERE state = 'paid'")
        return dict(rows.fetchall())

    async def _refund(self, request: Request) -> Response:
        key = request.path_params["key"]
        try:
            order = RefundOrder.model_validate_json(await request.body())
        except ValidationError as error:
            return JSONResponse({"error": str(error)}, status_code=422)
        if order.key != key or order.amount <= 0:
            return JSONResponse({"error": "the order is not the one of this address"}, status_code=422)
        how = self.behaviour.pop(0) if self.behaviour else "pay"
        if how == "fail":
            return JSONResponse({"error": "try again later"}, status_code=503)
        answer = self.booked(order, how)
        if answer is None:
            return JSONResponse({"error": "the key is known for another order"}, status_code=409)
        if how == "lose_reply":
            return Response(status_code=504)
        return JSONResponse(answer.model_dump(mode="json"))

    def booked(self, order: RefundOrder, how: str) -> BankAnswer | None:
        """What the bank answers to an order, which it keeps; None when the key is known for another one."""
        state = {"process": "processing", "refuse": "refused"}.get(how, "paid")
        why = "the account is closed" if state == "refused" else ""
        content = order.model_dump_json()
        row = (order.key, content, order.amount, order.payment, state, f"BANK-{order.key}", why)
        self._book.execute(
            "INSERT INTO refunds (key, content, amount, payment, state, reference, why) VALUES (?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (key) DO UPDATE SET asked = asked + 1, "
            "state = CASE WHEN state = 'processing' AND excluded.state = 'paid' THEN 'paid' ELSE state END "
            "WHERE content = excluded.content",
            row,
        )
        kept = self._book.execute(
            "SELECT state, reference, why, content FROM refunds WHERE key = ?", (order.key,)
        ).fetchone()
        if kept[3] != content:
            return None
        return BankAnswer(state=kept[0], reference=kept[1] if kept[0] == "paid" else "", why=kept[2])

    async def _behave(self, request: Request) -> Response:
        try:
            asked = _BEHAVIOURS.validate_json(await request.body())
        except ValidationError as error:
            return JSONResponse({"error": str(error)}, status_code=422)
        if unknown := sorted(set(asked) - _KNOWN):
            return JSONResponse({"error": f"unknown: {', '.join(unknown)}"}, status_code=422)
        self.behaviour = asked
        return JSONResponse(asked)

    async def _show(self, _: Request) -> Response:
        names = ("key", "payment", "amount", "state", "reference", "why", "asked")
        rows = self._book.execute(f"SELECT {', '.join(names)} FROM refunds ORDER BY key").fetchall()
        book: list[dict[str, Any]] = [dict(zip(names, row, strict=True)) for row in rows]
        return JSONResponse(book)


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are those of the process it lives in."""
        yield
