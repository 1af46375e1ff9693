"""How the bank of `livebase dev` and the tests tells what happens on its accounts, as badly as it is told to.

Every event stays until whoever is told has answered with 200, and is told again. How the next deliveries fare is a
list, one entry a delivery:

- `tell`: as it should be, as without any
- `twice`: the same message twice
- `hold`: not this time, so that later events overtake it
- `lose_reply`: told, and the answer never arrives
- `forge`: signed by somebody else
- `alter`: changed after it was signed
- `stale`: signed an hour ago
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from domain.signing import secret_key, sign

KNOWN = frozenset({"tell", "twice", "hold", "lose_reply", "forge", "alter", "stale"})
_EVENTS = """
CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, content TEXT NOT NULL, told INTEGER NOT NULL DEFAULT 0
)
"""
_EVERY = 1.0
_LONG_AGO = timedelta(hours=1)


class Telling:
    """The events in a bank's book, and their way out. Without an address nobody is told, and they wait."""

    def __init__(self, book: sqlite3.Connection, behaviour: list[str]) -> None:
        self._book = book
        self._book.execute(_EVENTS)
        self._behaviour = behaviour
        self.answers: Counter[int] = Counter()
        """Status answered → how many messages; 0 for those without an answer."""
        self._client = httpx.AsyncClient(trust_env=False, timeout=30)
        self.url, self._key = "", b""
        self._loop: asyncio.Task[None] | None = None

    def to(self, url: str, secret: str) -> None:
        """Whom to tell, and the secret to sign with (`whsec_…`)."""
        self.url, self._key = url, secret_key(secret)

    def go_on(self, at_once: int = 1) -> None:
        """Deliver by itself from now on, so many messages at the same time."""
        self._loop = asyncio.create_task(self._keep_delivering(at_once))

    async def close(self) -> None:
        if self._loop is not None:
            self._loop.cancel()
            with suppress(asyncio.CancelledError):
                await self._loop
        await self._client.aclose()

    def happened(self, type: str, **facts: Any) -> str:
        """Something to tell, on record in the book first; its id."""
        number = self._book.execute("SELECT COALESCE(MAX(number), 0) + 1 FROM events").fetchone()[0]
        id = f"event-{number}"
        content = json.dumps({"id": id, "type": type, "currency": "CNY", **facts}, ensure_ascii=False)
        self._book.execute("INSERT INTO events (number, id, content) VALUES (?, ?, ?)", (number, id, content))
        return id

    def waiting(self) -> list[dict[str, Any]]:
        """The events nobody has heard yet, first to last."""
        rows = self._book.execute("SELECT content FROM events WHERE told = 0 ORDER BY number").fetchall()
        return [json.loads(content) for (content,) in rows]

    def history(self) -> list[dict[str, Any]]:
        """All that ever happened, first to last, whoever has heard of it."""
        rows = self._book.execute("SELECT content FROM events ORDER BY number").fetchall()
        return [json.loads(content) for (content,) in rows]

    async def deliver(self, at_once: int = 1) -> list[tuple[str, int]]:
        """Try every event that waits, once, first to last: (id, status answered); 0 without an answer."""
        waiting = self._book.execute("SELECT id, content FROM events WHERE told = 0 ORDER BY number").fetchall()
        free = asyncio.Semaphore(at_once)

        async def one(id: str, content: str) -> list[tuple[str, int]]:
            async with free:
                return await self._deliver(id, content.encode())

        return [answer for answers in await asyncio.gather(*(one(*event) for event in waiting)) for answer in answers]

    async def _deliver(self, id: str, body: bytes) -> list[tuple[str, int]]:
        how = self._behaviour.pop(0) if self._behaviour else "tell"
        if how == "hold" or not self.url:
            return []
        at = datetime.now(UTC) - (_LONG_AGO if how == "stale" else timedelta())
        key = bytes(byte ^ 1 for byte in self._key) if how == "forge" else self._key
        headers = {**sign(key, id, at, body), "content-type": "application/json"}
        if how == "alter":
            body = body.replace(b'"amount": ', b'"amount": 9')
        answers = [await self._post(id, headers, body) for _ in range(2 if how == "twice" else 1)]
        if how == "lose_reply":
            return [(id, 0)]
        if answers[-1][1] == 200:
            self._book.execute("UPDATE events SET told = 1 WHERE id = ?", (id,))
        return answers

    async def _post(self, id: str, headers: dict[str, str], body: bytes) -> tuple[str, int]:
        try:
            response = await self._client.post(self.url, headers=headers, content=body)
        except httpx.HTTPError:
            self.answers[0] += 1
            return id, 0
        self.answers[response.status_code] += 1
        return id, response.status_code

    async def _keep_delivering(self, at_once: int) -> None:
        while True:
            await self.deliver(at_once)
            await asyncio.sleep(_EVERY)
