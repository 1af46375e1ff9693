"""The official list's site: pages and their twins for machines, worked out for the instant of each question.

It reads the store and nothing else. What it does not tell, it answers always alike: a number that never was, one that
is not made public yet, and one that is no number. Links are made with the address it is set up with, never with what a
request says of itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from register.answers import Answer
from register.certificate_pages import CertificatePages
from register.complaining import Complaints
from register.complaint_pages import ComplaintPages
from register.guards import Guards
from register.limits import Clients, Limit
from register.list_page import ListPage
from register.pages import assets, render
from register.problems import HANDLERS, problem
from register.proof import Keys
from register.settings import FONTS
from register.source import Source
from register.whole_list import WholeList
from register.words import LANGUAGES, Words
from store.migrate import is_current

_FOR_EVER = "public, max-age=31536000, immutable"


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
    """The site as an ASGI application. `url` is the address the public knows it by, `hosts` are names it answers to
    beside that; `clock` reads the wall clock, once for each question; without `complaints` it takes none."""
    own = frozenset({urlsplit(url).netloc.lower(), *(host.lower() for host in hosts)})
    source = Source(engine, url=url, keys=keys, cache_seconds=cache_seconds, clock=clock)
    app = Starlette(routes=_routes(source, engine, fonts, complaints, own), exception_handlers=HANDLERS)
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


def _routes(
    source: Source, engine: Engine, fonts: Path, complaints: Complaints | None, hosts: frozenset[str]
) -> list[BaseRoute]:
    takes = complaints is not None
    certificate = CertificatePages(source, fonts, complaints=takes)
    complaint = ComplaintPages(source, complaints, hosts)
    listed, whole, answered = ListPage(source), WholeList(source), source.answered
    found: list[BaseRoute] = []
    for language in LANGUAGES:
        words, there = Words(language), "" if language == "zh" else f"/{language}"
        for path, page in (
            ("/", listed),
            ("/c/{number}", certificate.page),
            ("/c/{number}/complaint", complaint.form),
            ("/c/{number}/complaint/{reference}", complaint.received),
            ("/complaints", partial(_still, source, "complaints.html", "/complaints", takes)),
            ("/about", partial(_still, source, "about.html", "/about", takes)),
        ):
            if path == "/c/{number}" and language == "zh":
                found.append(Route("/c/{number}.json", answered(certificate.json)))
                found.append(Route("/c/{number}.pdf", certificate.pdf))
            found.append(Route(f"{there}{path}", answered(partial(page, words=words))))
        if takes:
            taken = partial(complaint.take, words=words)
            found.append(Route(f"{there}/c/{{number}}/complaint", taken, methods=["POST"]))
    return [
        *found,
        Route("/list.json", answered(whole.json)),
        Route("/list.csv", answered(whole.csv)),
        Route("/changes.atom", answered(whole.feed)),
        Route("/.well-known/livebase-keys.json", answered(whole.keys)),
        Route("/robots.txt", lambda _: PlainTextResponse("User-agent: *\nAllow: /\n")),
        Route("/static/{name}", _static),
        Route("/livez", lambda _: PlainTextResponse("ok\n", headers={"cache-control": "no-store"})),
        Route("/readyz", partial(_ready, engine)),
    ]


def _still(
    source: Source, template: str, path: str, complaints: bool, request: Request, now: datetime, words: Words
) -> Answer:
    """A page that says the same at every instant."""
    body = render(
        template,
        words,
        signed=source.keys is not None,
        cache_seconds=source.cache_seconds,
        complaints=complaints,
        **source.frame(now, path),
    )
    return Answer(body, "text/html", (words.language, template, source.cache_seconds), now)


def _ready(engine: Engine, request: Request) -> Response:
    """Whether the database answers, with the schema this is made for."""
    try:
        current = is_current(engine)
    except SQLAlchemyError:
        current = False
    return PlainTextResponse(
        "ok\n" if current else "not ready\n", 200 if current else 503, headers={"cache-control": "no-store"}
    )


def _static(request: Request) -> Response:
    """A file of the site, which may be kept for ever: its name has its hash in it."""
    name = request.path_params["name"]
    for asset in assets().values():
        if asset.name == name:
            return Response(asset.content, headers={"cache-control": _FOR_EVER}, media_type=asset.media_type)
    raise HTTPException(404)
