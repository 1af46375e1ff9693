"""Decodes payloads for Temporal Web and the `temporal` command line: `python -m workers.codec_server`.

`POST /decode` with the namespace in `X-Namespace`, or `POST /NAMESPACE/decode`; the body is protobuf-JSON `Payloads`,
and so is the answer. Nothing is encoded. Whoever asks has a token (`workers/codec_tokens.py`), as
`Authorization: Bearer …` or, in a browser, in the cookie that `/sign-in` gives for it: Temporal Web sends no header of
ours. What is not sealed, or can't be opened, comes back as it was. Each answer is logged: who, how many payloads, of
which workflows.

It holds the keys. It listens on this machine alone unless told otherwise; put TLS before it, and let no page but
Temporal Web's ask it (`LIVEBASE_CODEC_ORIGINS`).
"""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

import structlog
from google.protobuf import json_format
from pydantic import AfterValidator, Field
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp
from temporalio.api.common.v1 import Payload, Payloads

from connection.codec import ENCODING, KeyRing, PayloadCodec, workflow_of
from connection.errors import BadConfiguration, KeyUnknown, PayloadRefused
from connection.payload_keys import HINT, VARIABLE, key_ring
from workers.codec_tokens import read_tokens, whose
from workers.http import read_body, serving
from workers.logs import configure_logging
from workers.settings import LogSettings, read_settings

_LARGEST = 8 * 1024 * 1024
_COOKIE = "livebase_codec"
_SIGNED_IN = 12 * 3600
"""Seconds a browser keeps a token."""
_MOST_IDS = 100
"""So many workflows are named in the log of one answer."""
_KEPT_TO_ITSELF = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
}
_FORM = """<!doctype html><meta charset="utf-8"><title>livebase</title>
<form method="post" action="/sign-in"><label>Token <input type="password" name="token" autocomplete="off"></label>
<button>Sign in</button></form>"""
_log = structlog.stdlib.get_logger("livebase.codec")


def _origins(text: str) -> str:
    for one in text.split():
        parts = urlsplit(one)
        if parts.scheme not in ("http", "https") or not parts.hostname or one != f"{parts.scheme}://{parts.netloc}":
            raise ValueError(f"{one[:80]!r} is no origin, such as https://temporal.example (no path, no *)")
    return text


class CodecSettings(LogSettings):
    """Beside these, `LIVEBASE_PAYLOAD_KEYS` names the keys."""

    codec_tokens: Path
    """Who may ask: a file `workers/codec_tokens.py` writes, read anew with each request."""
    codec_origins: Annotated[str, AfterValidator(_origins)] = ""
    """The pages whose scripts may ask, Temporal Web's: `https://temporal.example`, several parted by spaces."""
    codec_port: int = Field(default=8234, ge=1, le=65535)
    codec_host: str = "127.0.0.1"


def codec_app(ring: KeyRing, tokens: Path, origins: frozenset[str]) -> ASGIApp:
    """The server's ASGI application."""
    codec = _Codec(ring, tokens, origins)
    app = Starlette(
        routes=[
            Route("/decode", codec.decode, methods=["POST"]),
            Route("/{namespace}/decode", codec.decode, methods=["POST"]),
            Route("/sign-in", codec.form, methods=["GET"]),
            Route("/sign-in", codec.sign_in, methods=["POST"]),
        ]
    )
    # Outermost, so that what is refused can be read by the page that asked.
    return CORSMiddleware(
        app,
        allow_origins=sorted(origins),
        allow_methods=["POST"],
        allow_headers=["content-type", "x-namespace", "authorization", "authorization-extras"],
        allow_credentials=True,
    )


class _Codec:
    def __init__(self, ring: KeyRing, tokens: Path, origins: frozenset[str]) -> None:
        self._ring = ring
        self._tokens = tokens
        self._origins = origins

    async def decode(self, request: Request) -> Response:
        origin = request.headers.get("origin")
        if origin is not None and origin not in self._origins:
            raise HTTPException(403, "not from this page")
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        who = self._known(token.strip() if scheme.lower() == "bearer" else request.cookies.get(_COOKIE, ""))
        namespace = request.path_params.get("namespace") or request.headers.get("x-namespace")
        if not namespace:
            raise HTTPException(400, "of which namespace? X-Namespace, or /NAMESPACE/decode")
        payloads = _payloads(await read_body(request, _LARGEST))
        codec = PayloadCodec(self._ring, namespace)
        answer, workflows, refused = Payloads(), set(), 0
        for payload in payloads:
            if payload.metadata.get("encoding") == ENCODING:
                try:
                    answer.payloads.append(codec.opened(payload))
                    workflows.add(workflow_of(payload))
                    continue
                except (PayloadRefused, KeyUnknown):
                    refused += 1
            answer.payloads.append(payload)
        _log.info(
            "payloads decoded",
            who=who,
            namespace=namespace,
            payloads=len(payloads) - refused,
            refused=refused,
            workflow_id=sorted(workflows)[:_MOST_IDS],
        )
        return Response(json_format.MessageToJson(answer), media_type="application/json", headers=_KEPT_TO_ITSELF)

    async def form(self, request: Request) -> Response:
        return HTMLResponse(_FORM, headers=_KEPT_TO_ITSELF)

    async def sign_in(self, request: Request) -> Response:
        """The token as a cookie that goes to `/decode` alone, and from pages of the same site alone."""
        [token, *_] = parse_qs((await read_body(request, 4096)).decode("utf-8", "replace")).get("token", [""])
        who = self._known(token.strip())
        _log.info("signed in", who=who)
        answer = HTMLResponse("Signed in. Temporal Web can decode now.", headers=_KEPT_TO_ITSELF)
        secure = "https" in (request.url.scheme, request.headers.get("x-forwarded-proto"))
        answer.set_cookie(
            _COOKIE, token.strip(), _SIGNED_IN, path="/decode", secure=secure, httponly=True, samesite="strict"
        )
        return answer

    def _known(self, token: str) -> str:
        """Whose token it is. Raises HTTPException (401)."""
        try:
            who = whose(token, read_tokens(self._tokens))
        except BadConfiguration as error:
            _log.error("the file of tokens can't be used")
            raise HTTPException(503, "nobody can be let in now") from error
        if who is None:
            _log.warning("somebody without a token asks")
            raise HTTPException(401, "a token is wanted", {"www-authenticate": "Bearer"})
        return who


def _payloads(body: bytes) -> list[Payload]:
    try:
        return list(json_format.Parse(body, Payloads(), ignore_unknown_fields=True).payloads)
    except Exception:  # the library's ParseError, and what else Python makes of JSON meant to harm
        raise HTTPException(400, "no payloads in protobuf's JSON") from None


async def serve(settings: CodecSettings) -> None:
    """Answer until SIGTERM or SIGINT. Raises BadConfiguration for keys, tokens or a port that can't be used."""
    ring = key_ring()
    if ring is None:
        raise BadConfiguration(f"{VARIABLE} is not set: nothing could be decoded.", HINT)
    read_tokens(settings.codec_tokens)
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    app = codec_app(ring, settings.codec_tokens, frozenset(settings.codec_origins.split()))
    async with serving(app, settings.codec_host, settings.codec_port, what="codec", variables="LIVEBASE_CODEC"):
        _log.info("decoding")
        await stop.wait()


def main() -> int:
    """Serve what the environment names; the exit code."""
    try:
        settings = read_settings(CodecSettings)
        configure_logging(settings)
        asyncio.run(serve(settings))
    except BadConfiguration as problem:
        print(f"failed: {problem.message}\n→ {problem.hint}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
