"""A certificate's page, which never disappears; the same for machines; and the certificate itself, while in force."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from domain.listed import Seen
from register import formats
from register.answers import Answer, json_answer, unknown
from register.certificate import CertificateMaker
from register.pages import render
from register.proof import canonical, sign
from register.source import Source
from register.words import Words

_AT_ONCE = 2
"""So many certificates are made at the same time."""
_WAITING = 50
"""So many wait for one, or for theirs to be made: some seconds' work."""
_TIMES = 3
"""So often one is made for one request, should it be another each time it is done."""
_NOT_FOR_SEARCH = {"x-robots-tag": "noindex, noarchive"}
"""A search engine's copy would outlive the certification."""


class CertificatePages:
    """`fonts` is the folder with those of certificates; `complaints` is whether the site takes any."""

    def __init__(self, source: Source, fonts: Path, *, complaints: bool) -> None:
        self._source = source
        self._complaints = complaints
        self._maker = CertificateMaker(fonts)
        self._making: CapacityLimiter | None = None
        self._waiting = 0

    def page(self, request: Request, now: datetime, words: Words) -> Answer:
        """One certificate, for ever."""
        one, changes_at = self._source.certificate(request, now)
        signed = self._source.keys is not None
        frame = self._source.frame(now, f"/c/{one.number}")
        body = render("certificate.html", words, one=one, signed=signed, complaints=self._complaints, **frame)
        return Answer(body, "text/html", (words.language, one), now, changes_at)

    def json(self, request: Request, now: datetime) -> Answer:
        """One certificate for machines, signed."""
        # Known first: a change that comes meanwhile is told with an older number, never without its own.
        revision = self._source.standing(now).revision
        if (found := self._source.find(request, now)) is None:
            return unknown(now)
        one, changes_at = found
        document = formats.certificate_document(one, formats.header(self._source.issuer, revision, now, changes_at))
        return json_answer(self._source.signed(document), (one, document["good_until"]), now, changes_at)

    async def pdf(self, request: Request) -> Response:
        """The certificate to keep and print, while it is in force: one that is not could pass for one that is.

        It is made in threads of its own: whoever waits for one keeps nobody from looking something up. How things stand
        is asked again when it is made: much can be revoked while it waits.
        """
        self._making = self._making or CapacityLimiter(_AT_ONCE)
        for _ in range(_TIMES):
            answer, document, record = await to_thread.run_sync(self._paper, request, self._source.clock())
            told = self._source.response(request, answer)
            if document is None or told.status_code != 200:
                return told
            if (made := self._maker.kept(document, record)) is not None:
                return self._source.response(request, replace(answer, body=made))
            if self._waiting >= _WAITING:
                break
            self._waiting += 1
            try:
                await to_thread.run_sync(self._maker.made, document, record, limiter=self._making)
            finally:
                self._waiting -= 1
        raise HTTPException(503, headers={"retry-after": "10"})

    def _paper(self, request: Request, now: datetime) -> tuple[Answer, dict[str, Any] | None, bytes | None]:
        """What to answer, and what the certificate is to be made of: None while it is not handed out."""
        source = self._source
        one, changes_at = source.certificate(request, now)
        if not one.certified:
            status = 403 if one.seen is Seen.SUSPENDED else 410
            frame = source.frame(now, f"/c/{one.number}")
            body = render("withheld.html", Words("zh"), one=one, english=Words("en"), **frame)
            return Answer(body, "text/html", one, now, changes_at, _NOT_FOR_SEARCH, status), None, None
        document = formats.term_document(one, source.issuer, f"{source.url}/c/{one.number}")
        record = canonical(sign(document, source.keys)) if source.keys is not None else None
        headers = {**_NOT_FOR_SEARCH, "content-disposition": f'attachment; filename="{one.number}.pdf"'}
        return Answer(b"", "application/pdf", (document, record), now, changes_at, headers), document, record
