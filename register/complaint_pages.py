"""Complaining about a base on the list: the form, what comes of one, and how to complain otherwise."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from domain.complaints import NotReadable, complaint_reference
from domain.listed import Certificate
from register.answers import Answer
from register.complaining import MOST_BYTES, TRAP, Complaints, NotAccepted, read_form, require_own_form
from register.guards import ADDRESS
from register.pages import render
from register.source import Source
from register.words import Words

_SLOWEST = 20.0
"""Seconds in which a form has to have come."""


class ComplaintPages:
    """`hosts` are the site's own names; without `complaints` it takes none."""

    def __init__(self, source: Source, complaints: Complaints | None, hosts: frozenset[str]) -> None:
        self._source = source
        self._complaints = complaints
        self._hosts = hosts

    def form(self, request: Request, now: datetime, words: Words) -> Answer:
        """A form to complain with, or how to do it otherwise where nothing can be sealed."""
        one, _ = self._source.certificate(request, now)
        body = self._form(one, now, words)
        # Else a browser would not say that the form was the site's own page (Fetch, 3.2: `null`).
        return Answer(body, "text/html", (words.language, one, body), now, headers={"referrer-policy": "same-origin"})

    def received(self, request: Request, now: datetime, words: Words) -> Answer:
        """A reference to keep. It says the same of any: nobody finds out here what is on record."""
        reference = complaint_reference(request.path_params["reference"])
        if self._complaints is None or reference is None:
            raise HTTPException(404)
        one, _ = self._source.certificate(request, now)
        frame = self._source.frame(now, f"/c/{one.number}/complaint/{reference}")
        body = render("complaint_received.html", words, reference=reference, **frame)
        return Answer(body, "text/html", body, now, headers={"cache-control": "no-store"})

    async def take(self, request: Request, words: Words) -> Response:
        """A complaint as a form brings it, answered with the way to its reference."""
        require_own_form(request, self._hosts)
        body = b""
        async with asyncio.timeout(_SLOWEST):
            async for part in request.stream():
                body += part
                if len(body) > MOST_BYTES:
                    raise NotAccepted(413)
        return await run_in_threadpool(self._take, request, read_form(body), words)

    def _take(self, request: Request, written: dict[str, str], words: Words) -> Response:
        now = self._source.clock()
        one, _ = self._source.certificate(request, now)
        letterbox = self._source.reader.letterbox(one.number)
        if self._complaints is None or letterbox is None:
            raise HTTPException(404)
        try:
            reference = self._complaints.take(one.number, written, request.scope[ADDRESS], letterbox, now)
        except NotReadable as error:
            form = self._form(one, now, words, written, error.fields)
            headers = {"cache-control": "no-store", "referrer-policy": "same-origin"}
            return Response(form, 422, headers, "text/html; charset=utf-8")
        there = "" if words.language == "zh" else f"/{words.language}"
        to = f"{there}/c/{one.number}/complaint/{reference}"
        return Response(status_code=303, headers={"location": to, "cache-control": "no-store"})

    def _form(
        self,
        one: Certificate,
        now: datetime,
        words: Words,
        written: Mapping[str, str] = MappingProxyType({}),
        wrong: tuple[str, ...] = (),
    ) -> str:
        return render(
            "complaint.html",
            words,
            one=one,
            offered=self._complaints is not None and self._source.reader.letterbox(one.number) is not None,
            written={name: _writable(written.get(name, "")) for name in ("text", "contact", "link")},
            wrong=wrong,
            trap=TRAP,
            **self._source.frame(now, f"/c/{one.number}/complaint"),
        )


def _writable(text: str) -> str:
    """What somebody typed, to be put right: as a page can have it, and no longer than a form takes."""
    return "".join(
        char for char in text[:MOST_BYTES] if unicodedata.category(char) not in ("Cs", "Cc") or char in "\n\t"
    )
