"""The bank of `livebase dev`, `demo` and the tests: a server with a book of its own, that misbehaves when told to.

It speaks what `activities/bank.py` does: `PUT /refunds/<key>` is one payment for good, however often it is sent. How
the next orders fare is told by `PUT /behaviour` with a list, one entry an answer:

- `pay`: paid at once, as without any
- `process`: taken, and paid when it is asked the next time
- `pay_later`: taken, paid, and only told of it by an event
- `pay_part`: half of it is paid
- `return`: paid, and sent back by the other bank at once
- `refuse`: refused for good, with a reason
- `lose_reply`: paid, but the answer never arrives
- `fail`: not taken, an error

What happens on its accounts it tells by signed events (`starter/bank_telling.py`), each until it is heard, as well or
badly as `PUT /deliveries` says. `POST /payments` pays something in: `{"payer": …, "amount": fen, "note": …}`, also in
`"parts": n`, or told of under two events with `"again": true`. `POST /returns/<key>` sends a refund back.
`GET /book` is what the bank has paid, for the comparison with our ledger.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from domain.bank import BankAnswer, RefundOrder
from starter import bank_telling
from starter.bank_telling import Telling
from starter.local_http import LocalHttp

_BEHAVIOURS: TypeAdapter[list[str]] = TypeAdapter(list[str])
_KNOWN = frozenset({"pay", "process", "pay_later", "pay_part", "return", "refuse", "lose_reply", "fail"})
_BOOK = """
CREATE TABLE IF NOT EXISTS refunds (
    key TEXT PRIMARY KEY, content TEXT NOT NULL, amount INTEGER NOT NULL, payment TEXT NOT NULL,
    state TEXT NOT NULL, reference TEXT NOT NULL UNIQUE, why TEXT NOT NULL, asked INTEGER NOT NULL DEFAULT 1
)
"""


class _Payment(BaseModel):
    """Something paid in: `amount` fen in so many `parts`, under one bank reference each."""

    payer: str
    amount: int = Field(gt=0)
    note: str = ""
    reference: str | None = None
    paid_at: str | None = None
    parts: int = Field(default=1, ge=1, le=20)
    again: bool = False


class BankSandbox:
    """Listens on 127.0.0.1 only, and only while it is entered. Its book is a file, and outlives it."""

    def __init__(self, book: Path) -> None:
        self._path = book
        self.behaviour: list[str] = []
        self.deliveries: list[str] = []

    async def __aenter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._book = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        self._book.execute(_BOOK)
        self.telling = Telling(self._book, self.deliveries)
        self._http = LocalHttp(
            [
                Route("/refunds/{key}", self._refund, methods=["PUT"]),
                Route("/behaviour", self._behave, methods=["PUT"]),
                Route("/deliveries", self._behave_telling, methods=["PUT"]),
                Route("/payments", self._pay_in, methods=["POST"]),
                Route("/returns/{key}", self._send_back, methods=["POST"]),
                Route("/book", self._show, methods=["GET"]),
            ]
        )
        self._http.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.stop()
        await self.telling.close()
        self._book.close()

    @property
    def url(self) -> str:
        """Where `LIVEBASE_BANK_URL` has to point."""
        return self._http.url

    def paid(self) -> dict[str, int]:
        """Key → fen, of all that was paid."""
        rows = self._book.execute("SELECT key, amount FROM refunds WHERE state = 'paid'")
        return dict(rows.fetchall())

    def pay_in(self, payer: str, amount: int, **more: Any) -> list[str]:
        """Pay something in, as `POST /payments` does: the bank's references."""
        payment = _Payment(payer=payer, amount=amount, **more)
        first = payment.reference or f"IN-{self._count('events') + 1}"
        references = []
        for part in range(payment.parts):
            share = payment.amount // payment.parts + (payment.amount % payment.parts if part == 0 else 0)
            reference = first if payment.parts == 1 else f"{first}-{part + 1}"
            facts = {"reference": reference, "amount": share, "payer": payer, "note": payment.note}
            for _ in range(2 if payment.again else 1):
                self.telling.happened("payment.received", **facts, paid_at=payment.paid_at)
            references.append(reference)
        return references

    def send_back(self, key: str) -> bool:
        """The other bank returns a refund that was paid; False when none was."""
        returned = self._book.execute("UPDATE refunds SET state = 'returned' WHERE key = ? AND state = 'paid'", (key,))
        if returned.rowcount:
            self._tell_of_refund("refund.returned", key, "the account is closed")
        return bool(returned.rowcount)

    def _tell_of_refund(self, type: str, key: str, why: str = "") -> None:
        amount, reference = self._book.execute("SELECT amount, reference FROM refunds WHERE key = ?", (key,)).fetchone()
        self.telling.happened(type, key=key, amount=amount, reference=reference, why=why)

    def _count(self, table: str) -> int:
        count: int = self._book.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
        return count

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
        content, paid = (
            order.model_dump_json(exclude_none=True),
            order.amount // 2 if how == "pay_part" else order.amount,
        )
        row = (order.key, content, paid, order.payment, state, f"BANK-{order.key}", why)
        before = self._state(order.key)
        self._book.execute(
            "INSERT INTO refunds (key, content, amount, payment, state, reference, why) VALUES (?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (key) DO UPDATE SET asked = asked + 1, "
            "state = CASE WHEN state = 'processing' AND excluded.state = 'paid' THEN 'paid' ELSE state END "
            "WHERE content = excluded.content",
            row,
        )
        kept = self._book.execute(
            "SELECT state, reference, why, content, amount FROM refunds WHERE key = ?", (order.key,)
        ).fetchone()
        if kept[3] != content:
            return None
        if kept[0] == "paid" and before != "paid":
            self._tell_of_refund("refund.paid", order.key)
        if how == "return":
            self.send_back(order.key)
        if how == "pay_later":
            return BankAnswer(state="processing")
        part = kept[4] if kept[0] == "paid" and kept[4] != order.amount else None
        return BankAnswer(state=kept[0], reference=kept[1] if kept[0] == "paid" else "", why=kept[2], amount=part)

    def _state(self, key: str) -> str | None:
        row = self._book.execute("SELECT state FROM refunds WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    async def _pay_in(self, request: Request) -> Response:
        try:
            asked = _Payment.model_validate_json(await request.body())
        except ValidationError as error:
            return JSONResponse({"error": str(error)}, status_code=422)
        return JSONResponse({"references": self.pay_in(**asked.model_dump())}, status_code=201)

    async def _send_back(self, request: Request) -> Response:
        key = request.path_params["key"]
        if not self.send_back(key):
            return JSONResponse({"error": f"no refund {key} has been paid"}, status_code=404)
        return JSONResponse({"key": key})

    async def _behave_telling(self, request: Request) -> Response:
        return await self._told_how(request, self.deliveries, bank_telling.KNOWN)

    async def _behave(self, request: Request) -> Response:
        return await self._told_how(request, self.behaviour, _KNOWN)

    async def _told_how(self, request: Request, behaviour: list[str], known: frozenset[str]) -> Response:
        try:
            asked = _BEHAVIOURS.validate_json(await request.body())
        except ValidationError as error:
            return JSONResponse({"error": str(error)}, status_code=422)
        if unknown := sorted(set(asked) - known):
            return JSONResponse({"error": f"unknown: {', '.join(unknown)}"}, status_code=422)
        behaviour[:] = asked
        return JSONResponse(asked)

    async def _show(self, _: Request) -> Response:
        names = ("key", "payment", "amount", "state", "reference", "why", "asked")
        rows = self._book.execute(f"SELECT {', '.join(names)} FROM refunds ORDER BY key").fetchall()
        book: list[dict[str, Any]] = [dict(zip(names, row, strict=True)) for row in rows]
        return JSONResponse(book)
