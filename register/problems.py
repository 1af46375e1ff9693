"""Errors as pages of their own, which say nothing of what was asked."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from register.certificate import NotMade
from register.complaining import NotAccepted, TooMany
from register.pages import render
from register.words import Words

_PROBLEMS = {404: "unknown", 400: "wrong", 405: "wrong", 429: "often", 500: "down", 503: "down"}
_log = logging.getLogger("livebase.register")


def problem(
    request: Request, status: int, headers: Mapping[str, str] | None = None, kind: str | None = None
) -> Response:
    """An error's page."""
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


HANDLERS: Any = {
    HTTPException: _http,
    NotAccepted: _not_accepted,
    TimeoutError: _not_accepted,
    ClientDisconnect: _not_accepted,
    TooMany: _too_many,
    NotMade: _not_made,
    SQLAlchemyError: _database,
    Exception: _unexpected,
}
"""What becomes of an error, by its kind."""
