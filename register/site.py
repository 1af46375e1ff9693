"""The official list's site: pages and their twins for machines, worked out for the instant of each question.

It reads the store and nothing else. What it does not tell, it answers always alike: a number that never was, one that
is not made public yet, and one that is no number. Links are made with the address it is set up with, never with what a
request says of itself.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import math
import time
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode, urlsplit

from anyio import CapacityLimiter, to_thread
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from domain.complaints import NotReadable, complaint_reference
from domain.listed import Certificate, Seen
from domain.regions import REGIONS
from register import formats
from register.certificate import CertificateMaker, NotMade
from register.complaining import (
    MOST_BYTES,
    TRAP,
    Complaints,
    NotAccepted,
    TooMany,
    read_form,
    require_own_form,
)
from register.guards import ADDRESS, Guards
from register.limits import Clients, Limit
from register.pages import assets, build, render
from register.proof import Keys, canonical, sign
from register.settings import FONTS
from register.words import LANGUAGES, Words
from store.migrate import is_current
from store.register import ListReader, Look, Shown, certificate_number

PER_PAGE = 20
_LONGEST = 100
"""So many characters of what is looked for count."""
_SHOWN: tuple[Shown, ...] = ("listed", "suspended", "ended", "all")
_CHANGES = 50
_COUNTS = 500
_PAGES = 200
_SOON = timedelta(seconds=1)
_AT_ONCE = 2
"""So many certificates are made at the same time."""
_WAITING = 50
"""So many wait for one, or for theirs to be made: some seconds' work."""
_TIMES = 3
"""So often one is made for one request, should it be another each time it is done."""
_NOT_FOR_SEARCH = {"x-robots-tag": "noindex, noarchive"}
"""A search engine's copy would outlive the certification."""
_FOR_EVER = "public, max-age=31536000, immutable"
_log = logging.getLogger("livebase.register")


@dataclass(frozen=True)
class Answer:
    """What a question is answered with. `changes_at` is when it says something else by itself.

    `tag` names what it says, whenever it says it.
    """

    body: str | bytes
    media_type: str
    tag: object
    now: datetime
    changes_at: datetime | None = None
    headers: Mapping[str, str] | None = None
    status: int = 200
    kept_since: datetime | None = None
    """Since when it has been kept here already."""


@dataclass
class _Whole:
    """The whole list as it was at an instant; `signed` once somebody has asked for it so."""

    certificates: list[Certificate]
    as_of: datetime
    changes_at: datetime | None
    header: dict[str, Any]
    signed: bytes | None = None


@dataclass
class _Standing:
    """How the list stood at an instant: its number, when it says something else by itself, and what was counted."""

    revision: int
    changes_at: datetime | None
    at: datetime
    counts: OrderedDict[Look, int]

    def fits(self, now: datetime, kept: timedelta) -> bool:
        return _fits(now, self.at, kept, self.changes_at)


def _fits(now: datetime, made: datetime, kept: timedelta, changes_at: datetime | None) -> bool:
    """Whether what was made at an instant may still be told: never past the one at which it says something else."""
    return made <= now < made + kept and (changes_at is None or now < changes_at)


class Site:
    """`url` is the address the public knows it by; `clock` reads the wall clock, once for each question."""

    def __init__(
        self,
        engine: Engine,
        *,
        url: str,
        keys: Keys | None = None,
        cache_seconds: int = 30,
        fonts: Path = FONTS,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        complaints: Complaints | None = None,
        hosts: frozenset[str] = frozenset(),
    ) -> None:
        self._engine = engine
        self._reader = ListReader(engine)
        self._url = url
        self._keys = keys
        self._cache_seconds = cache_seconds
        self._clock = clock
        self._maker = CertificateMaker(fonts)
        self._making: CapacityLimiter | None = None
        self._waiting = 0
        self._complaints = complaints
        self._hosts = hosts
        self._whole: _Whole | None = None
        self._issuer: str | None = None
        self._one_at_a_time = Lock()
        self._stands: _Standing | None = None
        self._asking = Lock()
        self._pages: OrderedDict[tuple[str, str], Answer] = OrderedDict()
        self._being_made: set[tuple[str, str]] = set()

    def routes(self) -> list[BaseRoute]:
        found: list[BaseRoute] = []
        for language in LANGUAGES:
            words, there = Words(language), "" if language == "zh" else f"/{language}"
            for path, page in (
                ("/", self.list_page),
                ("/c/{number}", self.certificate_page),
                ("/c/{number}/complaint", self.complaint_form),
                ("/c/{number}/complaint/{reference}", self.complaint_received),
                ("/complaints", self.complaints_page),
                ("/about", self.about_page),
            ):
                if path == "/c/{number}" and language == "zh":
                    found.append(Route("/c/{number}.json", self._answered(self.certificate_json)))
                    found.append(Route("/c/{number}.pdf", self.certificate_pdf))
                found.append(Route(f"{there}{path}", self._answered(partial(page, words=words))))
            if self._complaints is not None:
                taken = partial(self.take_complaint, words=words)
                found.append(Route(f"{there}/c/{{number}}/complaint", taken, methods=["POST"]))
        return [
            *found,
            Route("/list.json", self._answered(self.list_json)),
            Route("/list.csv", self._answered(self.list_csv)),
            Route("/changes.atom", self._answered(self.changes_feed)),
            Route("/.well-known/livebase-keys.json", self._answered(self.public_keys)),
            Route("/robots.txt", lambda _: PlainTextResponse("User-agent: *\nAllow: /\n")),
            Route("/static/{name}", static),
            Route("/livez", lambda _: PlainTextResponse("ok\n", headers={"cache-control": "no-store"})),
            Route("/readyz", self.ready),
        ]

    def list_page(self, request: Request, now: datetime, words: Words) -> Answer:
        """The list, looked through. What many look at is made once a second; meanwhile they get the one before."""
        asked = words.language, str(request.url.query)
        kept = self._pages.get(asked)
        soon = 2 * _SOON if asked in self._being_made else _SOON
        if kept is not None and _fits(now, kept.now, soon, kept.changes_at):
            return replace(kept, now=now, kept_since=kept.now)
        self._being_made.add(asked)
        try:
            made = self._pages[asked] = self._list_page(request, now, words)
        finally:
            self._being_made.discard(asked)
        while len(self._pages) > _PAGES:
            self._pages.popitem(last=False)
        return made

    def _list_page(self, request: Request, now: datetime, words: Words) -> Answer:
        look = look_of(request)
        stands = self._standing(now)
        page = self._reader.page(look, now, PER_PAGE)
        whole = not (page.more_before or page.more_after)
        count = len(page.certificates) if whole else self._count(replace(look, after="", before=""), now, stands)
        numbers = [one.number for one in page.certificates]
        there = "" if words.language == "zh" else f"/{words.language}"
        asked = {"q": look.text, "region": request_region(request), "show": _chosen(request)}

        def to(**more: str) -> str:
            wanted = urlencode({name: value for name, value in (asked | more).items() if value})
            return f"{there}/?{wanted}" if wanted else f"{there}/"

        body = render(
            "list.html",
            words,
            certificates=page.certificates,
            count=count,
            look=look,
            asked=asked,
            narrowed=bool(look.text or asked["region"] or asked["show"]),
            older=to(after=numbers[-1]) if page.more_after and numbers else None,
            newer=to(before=numbers[0]) if page.more_before and numbers else None,
            filters=[(shown, to(show=shown), shown == look.shown) for shown in _SHOWN],
            regions=[(code, names[LANGUAGES.index(words.language)]) for code, names in REGIONS.items()],
            **self._frame(now, "/", str(request.url.query)),
        )
        return Answer(body, "text/html", (words.language, look, page, count), now, stands.changes_at)

    def _count(self, look: Look, now: datetime, stands: _Standing) -> int:
        """How many there are, counted once until something changes."""
        found = stands.counts.get(look)
        if found is None:
            found = stands.counts[look] = self._reader.count(look, now)
            while len(stands.counts) > _COUNTS:
                stands.counts.popitem(last=False)
        return found

    def _standing(self, now: datetime) -> _Standing:
        """How the list stands, asked once a second: to count a hundred thousand takes as long as several answers.

        Who comes while it is asked has the one before.
        """
        one = self._stands
        if one is not None and one.fits(now, _SOON):
            return one
        if not self._asking.acquire(blocking=one is None or not one.fits(now, 2 * _SOON)):
            assert one is not None
            return one
        try:
            one = self._stands
            if one is None or not one.fits(now, _SOON):
                revision, changes_at = self._reader.revision(), self._reader.next_change(now)
                same = one is not None and one.at <= now and (revision, changes_at) == (one.revision, one.changes_at)
                counts = one.counts if one is not None and same else OrderedDict()
                one = self._stands = _Standing(revision, changes_at, now, counts)
            return one
        finally:
            self._asking.release()

    def certificate_page(self, request: Request, now: datetime, words: Words) -> Answer:
        """One certificate, for ever."""
        number = request.path_params["number"]
        found = self._reader.certificate(number, now) if certificate_number(number) == number else None
        if found is None:
            raise HTTPException(404)
        one, changes_at = found
        frame = self._frame(now, f"/c/{one.number}")
        body = render(
            "certificate.html",
            words,
            one=one,
            signed=self._keys is not None,
            complaints=self._complaints is not None,
            **frame,
        )
        return Answer(body, "text/html", (words.language, one), now, changes_at)

    async def certificate_pdf(self, request: Request) -> Response:
        """The certificate to keep and print, while it is in force: one that is not could pass for one that is.

        It is made in threads of its own: whoever waits for one keeps nobody from looking something up. How things stand
        is asked again when it is made: much can be revoked while it waits.
        """
        self._making = self._making or CapacityLimiter(_AT_ONCE)
        for _ in range(_TIMES):
            answer, document, record = await to_thread.run_sync(self._paper, request, self._clock())
            told = self._response(request, answer)
            if document is None or told.status_code != 200:
                return told
            if (made := self._maker.kept(document, record)) is not None:
                return self._response(request, replace(answer, body=made))
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
        number = request.path_params["number"]
        found = self._reader.certificate(number, now) if certificate_number(number) == number else None
        if found is None:
            raise HTTPException(404)
        one, changes_at = found
        if not one.certified:
            status = 403 if one.seen is Seen.SUSPENDED else 410
            frame = self._frame(now, f"/c/{one.number}")
            body = render("withheld.html", Words("zh"), one=one, english=Words("en"), **frame)
            return Answer(body, "text/html", one, now, changes_at, _NOT_FOR_SEARCH, status), None, None
        document = formats.term_document(one, self._named(), f"{self._url}/c/{one.number}")
        record = canonical(sign(document, self._keys)) if self._keys is not None else None
        headers = {**_NOT_FOR_SEARCH, "content-disposition": f'attachment; filename="{one.number}.pdf"'}
        return Answer(b"", "application/pdf", (document, record), now, changes_at, headers), document, record

    def complaint_form(self, request: Request, now: datetime, words: Words) -> Answer:
        """A form to complain with, or how to do it otherwise where nothing can be sealed."""
        one = self._certificate(request, now)
        body = self._form(one, now, words)
        # Else a browser would not say that the form was the site's own page (Fetch, 3.2: `null`).
        return Answer(body, "text/html", (words.language, one, body), now, headers={"referrer-policy": "same-origin"})

    def complaint_received(self, request: Request, now: datetime, words: Words) -> Answer:
        """A reference to keep. It says the same of any: nobody finds out here what is on record."""
        reference = complaint_reference(request.path_params["reference"])
        if self._complaints is None or reference is None:
            raise HTTPException(404)
        frame = self._frame(now, f"/c/{self._certificate(request, now).number}/complaint/{reference}")
        body = render("complaint_received.html", words, reference=reference, **frame)
        return Answer(body, "text/html", body, now, headers={"cache-control": "no-store"})

    async def take_complaint(self, request: Request, words: Words) -> Response:
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
        now = self._clock()
        one = self._certificate(request, now)
        letterbox = self._reader.letterbox(one.number)
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
            offered=self._complaints is not None and self._reader.letterbox(one.number) is not None,
            written={name: _writable(written.get(name, "")) for name in ("text", "contact", "link")},
            wrong=wrong,
            trap=TRAP,
            **self._frame(now, f"/c/{one.number}/complaint"),
        )

    def _certificate(self, request: Request, now: datetime) -> Certificate:
        """The certificate that a path names, if the public knows it."""
        number = request.path_params["number"]
        found = self._reader.certificate(number, now) if certificate_number(number) == number else None
        if found is None:
            raise HTTPException(404)
        return found[0]

    def complaints_page(self, request: Request, now: datetime, words: Words) -> Answer:
        return self._still("complaints.html", "/complaints", now, words)

    def about_page(self, request: Request, now: datetime, words: Words) -> Answer:
        return self._still("about.html", "/about", now, words)

    def _still(self, template: str, path: str, now: datetime, words: Words) -> Answer:
        """A page that says the same at every instant."""
        signed = self._keys is not None
        complaints = self._complaints is not None
        frame = self._frame(now, path)
        body = render(template, words, signed=signed, cache_seconds=self._cache_seconds, complaints=complaints, **frame)
        return Answer(body, "text/html", (words.language, template, self._cache_seconds), now)

    def certificate_json(self, request: Request, now: datetime) -> Answer:
        """One certificate for machines, signed."""
        number = request.path_params["number"]
        known = certificate_number(number) == number
        # Read first: a change that comes meanwhile is told with an older number, never without its own.
        revision = self._standing(now).revision if known else 0
        found = self._reader.certificate(number, now) if known else None
        if found is None:
            return _unknown(now)
        one, changes_at = found
        document = formats.certificate_document(one, formats.header(self._named(), revision, now, changes_at))
        return _json(self._signed(document), (one, document["good_until"]), now, changes_at)

    def list_json(self, request: Request, now: datetime) -> Answer:
        """Everything on the list, signed."""
        whole = self._everything(now)
        with self._one_at_a_time:
            if whole.signed is None:
                document = formats.list_document(whole.certificates, whole.header)
                whole.signed = json_text(self._signed(document))
        tag = ("list", whole.header["as_of"])
        return Answer(whole.signed, "application/json", tag, now, whole.changes_at, kept_since=whole.as_of)

    def list_csv(self, request: Request, now: datetime) -> Answer:
        """Everything on the list, for a spreadsheet."""
        whole = self._everything(now)
        body = "".join(formats.table(whole.certificates))
        attached = {"content-disposition": 'attachment; filename="taobao-live-bases.csv"'}
        return Answer(body, "text/csv", body, now, whole.changes_at, attached, kept_since=whole.as_of)

    def _everything(self, now: datetime) -> _Whole:
        """The whole list, read once for as long as an answer may be kept: who asks later may keep it less long."""
        with self._one_at_a_time:
            whole = self._whole
            kept = timedelta(seconds=self._cache_seconds)
            if whole is None or not _fits(now, whole.as_of, kept, whole.changes_at):
                changes_at = self._reader.next_change(now)
                # Before the list, which may go on meanwhile.
                header = formats.header(self._named(), self._reader.revision(), now, changes_at)
                whole = self._whole = _Whole(self._reader.everything(now), now, changes_at, header)
            return whole

    def changes_feed(self, request: Request, now: datetime) -> Answer:
        """What has changed lately."""
        changes = self._reader.changes(now, _CHANGES)
        body = formats.feed(changes, self._url, Words("zh"), now)
        return Answer(body, "application/atom+xml", tuple(changes), now, self._reader.next_change(now))

    def public_keys(self, request: Request, now: datetime) -> Answer:
        """The keys to prove with, former ones too."""
        if self._keys is None:
            return _unknown(now)
        published = self._keys.published()
        return _json(published, json.dumps(published), now, None)

    def ready(self, request: Request) -> Response:
        """Whether the database answers, with the schema this is made for."""
        try:
            current = is_current(self._engine)
        except SQLAlchemyError:
            current = False
        return PlainTextResponse(
            "ok\n" if current else "not ready\n", 200 if current else 503, headers={"cache-control": "no-store"}
        )

    def _frame(self, now: datetime, path: str, query: str = "") -> dict[str, Any]:
        """What every page has: when it was true, and where it is."""
        return {"now": now, "path": path, "query": f"?{query}" if query else "", "site": self._url}

    def _named(self) -> str:
        """Whose list it is."""
        if self._issuer is None:
            self._issuer = self._reader.installation()[0]
        return self._issuer

    def _signed(self, document: dict[str, Any]) -> dict[str, Any]:
        return sign(document, self._keys) if self._keys is not None else {"document": document, "signature": None}

    def _answered(self, question: Callable[[Request, datetime], Answer]) -> Callable[[Request], Response]:
        def endpoint(request: Request) -> Response:
            answer = question(request, self._clock())
            return self._response(request, answer)

        return endpoint

    def _response(self, request: Request, answer: Answer) -> Response:
        """The answer with how long it may be kept: never past the instant at which it says something else."""
        left = self._cache_seconds
        if answer.kept_since is not None:
            left = max(0, left - math.ceil((answer.now - answer.kept_since).total_seconds()))
        if answer.changes_at is not None:
            left = max(0, min(left, int((answer.changes_at - answer.now).total_seconds())))
        tag = f'W/"{hashlib.sha256(repr((build(), answer.tag)).encode()).hexdigest()[:32]}"'
        headers = {"cache-control": f"public, max-age={left}, must-revalidate", "etag": tag, **(answer.headers or {})}
        if not answer.media_type.startswith("text/html"):
            headers["access-control-allow-origin"] = "*"
            headers["cross-origin-resource-policy"] = "cross-origin"
        status = 404 if answer.tag is _UNKNOWN else answer.status
        if status == 200 and tag in (one.strip() for one in request.headers.get("if-none-match", "").split(",")):
            return Response(status_code=304, headers=headers)
        binary = answer.media_type == "application/pdf"
        return Response(
            answer.body, status, headers, answer.media_type if binary else f"{answer.media_type}; charset=utf-8"
        )


_UNKNOWN = object()


def _unknown(now: datetime) -> Answer:
    return Answer('{"error": "unknown"}\n', "application/json", _UNKNOWN, now)


def _json(content: object, tag: object, now: datetime, changes_at: datetime | None) -> Answer:
    return Answer(json_text(content), "application/json", tag, now, changes_at)


def json_text(content: object) -> bytes:
    """JSON as it is sent."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"


def look_of(request: Request) -> Look:
    """What is looked for, by the first of each parameter it knows; what it does not know changes nothing."""
    asked = request.query_params.multi_items()
    first = {name: value for name, value in reversed(asked)}
    text = _plain(first.get("q", ""))
    shown = next((one for one in _SHOWN if one == first.get("show")), "all" if text else "listed")
    region = REGIONS.get(first.get("region", ""), ("", ""))[0]
    after, before = (certificate_number(_plain(first.get(name, ""))) or "" for name in ("after", "before"))
    return Look(text, shown, region, after, "" if after else before)


def request_region(request: Request) -> str:
    code = next((value for name, value in request.query_params.multi_items() if name == "region"), "")
    return code if code in REGIONS else ""


def _chosen(request: Request) -> str:
    shown = next((value for name, value in request.query_params.multi_items() if name == "show"), "")
    return shown if shown in _SHOWN else ""


def _plain(text: str) -> str:
    """What somebody typed without what is not seen, cut to what counts."""
    seen = "".join(char for char in text[: 4 * _LONGEST] if unicodedata.category(char)[0] != "C")
    return " ".join(seen.split())[:_LONGEST]


def static(request: Request) -> Response:
    """A file of the site, which may be kept for ever: its name has its hash in it."""
    name = request.path_params["name"]
    for asset in assets().values():
        if asset.name == name:
            return Response(asset.content, headers={"cache-control": _FOR_EVER}, media_type=asset.media_type)
    raise HTTPException(404)


_SLOWEST = 20.0
"""Seconds in which a form has to have come."""


def _writable(text: str) -> str:
    """What somebody typed, to be put right: as a page can have it, and no longer than a form takes."""
    return "".join(
        char for char in text[:MOST_BYTES] if unicodedata.category(char) not in ("Cs", "Cc") or char in "\n\t"
    )


_PROBLEMS = {404: "unknown", 400: "wrong", 405: "wrong", 429: "often", 500: "down", 503: "down"}


def problem(
    request: Request, status: int, headers: Mapping[str, str] | None = None, kind: str | None = None
) -> Response:
    """An error as a page of its own, which says nothing of what was asked."""
    words = Words("en" if request.url.path == "/en" or request.url.path.startswith("/en/") else "zh")
    kept = "public, max-age=10" if status == 404 else "no-store"
    page = render("problem.html", words, status=status, kind=kind or _PROBLEMS.get(status, "wrong"), path="/", query="")
    return Response(page, status, {"cache-control": kept, **(headers or {})}, "text/html; charset=utf-8")


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kept = {name: value for name, value in (error.headers or {}).items() if name.lower() in ("allow", "retry-after")}
    return problem(request, error.status_code, kept)


def _not_accepted(request: Request, error: Exception) -> Response:
    return problem(request, error.status if isinstance(error, NotAccepted) else 408)


def _too_many(request: Request, error: Exception) -> Response:
    assert isinstance(error, TooMany)
    return problem(request, 429, {"retry-after": str(error.seconds)})


def _database(request: Request, error: Exception) -> Response:
    _log.error("the database did not answer: %s", type(error).__name__)
    return problem(request, 503, {"retry-after": "10"})


def _not_made(request: Request, error: Exception) -> Response:
    _log.error("a certificate could not be made: %s", error)
    return problem(request, 503, {"retry-after": "60"}, "unmade")


def _unexpected(request: Request, error: Exception) -> Response:
    _log.error("a request could not be answered", exc_info=error)
    return problem(request, 500)


def build_site(
    engine: Engine,
    *,
    url: str,
    hosts: tuple[str, ...] = (),
    keys: Keys | None = None,
    proxies: str = "",
    per_minute: int = 240,
    cache_seconds: int = 30,
    fonts: Path = FONTS,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    seconds: Callable[[], float] = time.monotonic,
    complaints: Complaints | None = None,
) -> Guards:
    """The site as an ASGI application. `hosts` are names it answers to beside that of `url`; without `complaints` it
    takes none."""
    own = frozenset({urlsplit(url).netloc.lower(), *(host.lower() for host in hosts)})
    site = Site(
        engine,
        url=url,
        keys=keys,
        cache_seconds=cache_seconds,
        fonts=fonts,
        clock=clock,
        complaints=complaints,
        hosts=own,
    )
    handlers: Any = {
        HTTPException: _http,
        NotAccepted: _not_accepted,
        TimeoutError: _not_accepted,
        ClientDisconnect: _not_accepted,
        TooMany: _too_many,
        NotMade: _not_made,
        SQLAlchemyError: _database,
        Exception: _unexpected,
    }
    app = Starlette(routes=site.routes(), exception_handlers=handlers)
    app.router.redirect_slashes = False  # a redirect would be made with what the request says of itself
    return Guards(  # around Starlette's own handling of errors too
        app,
        hosts=own,
        secure=url.startswith("https:"),
        limit=Limit(per_minute),
        clients=Clients(proxies),
        seconds=seconds,
        problem=problem,
        takes_complaints=complaints is not None,
    )
