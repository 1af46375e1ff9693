"""What a question is answered with, and for how long anybody may keep the answer."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from register.pages import build

_UNKNOWN = object()


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


def response(request: Request, answer: Answer, cache_seconds: int) -> Response:
    """The answer with how long it may be kept: never past the instant at which it says something else."""
    left = cache_seconds
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


def unknown(now: datetime) -> Answer:
    """What a machine hears of anything that is not told, always the same."""
    return Answer('{"error": "unknown"}\n', "application/json", _UNKNOWN, now)


def json_answer(content: object, tag: object, now: datetime, changes_at: datetime | None) -> Answer:
    """An answer in JSON."""
    return Answer(json_text(content), "application/json", tag, now, changes_at)


def json_text(content: object) -> bytes:
    """JSON as it is sent."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"


def may_be_told(now: datetime, made: datetime, kept: timedelta, changes_at: datetime | None) -> bool:
    """Whether what was made at an instant is still true enough: never past the one at which it says something else."""
    return made <= now < made + kept and (changes_at is None or now < changes_at)
