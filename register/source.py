"""What every answer is made of: the list as it is read, the address it is known by, and what it is signed with."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from sqlalchemy import Engine
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from domain.listed import Certificate
from register.answers import Answer, may_be_told, response
from register.proof import Keys, sign
from store.register import ListReader, Look, certificate_number

SOON = timedelta(seconds=1)
_COUNTS = 500


@dataclass
class Standing:
    """How the list stood at an instant: its number, when it says something else by itself, and what was counted."""

    revision: int
    changes_at: datetime | None
    at: datetime
    counts: OrderedDict[Look, int]

    def fits(self, now: datetime, kept: timedelta) -> bool:
        """Whether it may still be told."""
        return may_be_told(now, self.at, kept, self.changes_at)


class Source:
    """Reads on one engine. `url` is the address the public knows the site by, `clock` the wall clock."""

    def __init__(
        self, engine: Engine, *, url: str, keys: Keys | None, cache_seconds: int, clock: Callable[[], datetime]
    ) -> None:
        self.reader = ListReader(engine)
        self.url = url
        self.keys = keys
        self.cache_seconds = cache_seconds
        self.clock = clock
        self._issuer: str | None = None
        self._stands: Standing | None = None
        self._asking = Lock()

    @property
    def issuer(self) -> str:
        """Whose list it is."""
        if self._issuer is None:
            self._issuer = self.reader.installation()[0]
        return self._issuer

    def find(self, request: Request, now: datetime) -> tuple[Certificate, datetime | None] | None:
        """The certificate a path names, and when it says something else by itself; None if the public knows of none."""
        number = request.path_params["number"]
        return self.reader.certificate(number, now) if certificate_number(number) == number else None

    def certificate(self, request: Request, now: datetime) -> tuple[Certificate, datetime | None]:
        """The same; HTTPException 404 if the public knows of none."""
        if (found := self.find(request, now)) is None:
            raise HTTPException(404)
        return found

    def standing(self, now: datetime) -> Standing:
        """How the list stands, asked once a second: to count a hundred thousand takes as long as several answers.

        Who comes while it is asked has the one before.
        """
        one = self._stands
        if one is not None and one.fits(now, SOON):
            return one
        if not self._asking.acquire(blocking=one is None or not one.fits(now, 2 * SOON)):
            assert one is not None
            return one
        try:
            one = self._stands
            if one is None or not one.fits(now, SOON):
                revision, changes_at = self.reader.revision(), self.reader.next_change(now)
                same = one is not None and one.at <= now and (revision, changes_at) == (one.revision, one.changes_at)
                counts = one.counts if one is not None and same else OrderedDict()
                one = self._stands = Standing(revision, changes_at, now, counts)
            return one
        finally:
            self._asking.release()

    def count(self, look: Look, now: datetime, stands: Standing) -> int:
        """How many there are, counted once until something changes."""
        found = stands.counts.get(look)
        if found is None:
            found = stands.counts[look] = self.reader.count(look, now)
            while len(stands.counts) > _COUNTS:
                stands.counts.popitem(last=False)
        return found

    def signed(self, document: dict[str, Any]) -> dict[str, Any]:
        """A document with its signature, or with none where nothing is signed."""
        return sign(document, self.keys) if self.keys is not None else {"document": document, "signature": None}

    def frame(self, now: datetime, path: str, query: str = "") -> dict[str, Any]:
        """What every page has: when it was true, and where it is."""
        return {"now": now, "path": path, "query": f"?{query}" if query else "", "site": self.url}

    def response(self, request: Request, answer: Answer) -> Response:
        """The answer as it is sent."""
        return response(request, answer, self.cache_seconds)

    def answered(self, question: Callable[[Request, datetime], Answer]) -> Callable[[Request], Response]:
        """A question as Starlette asks it, for the instant at which it comes."""

        def endpoint(request: Request) -> Response:
            return self.response(request, question(request, self.clock()))

        return endpoint
