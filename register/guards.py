"""What every request passes (host, method, limit), and what every answer carries: headers that bind a browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from register.limits import Clients, Limit

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
_STRICT = ("strict-transport-security", "max-age=31536000; includeSubDomains")
_PROBES = ("/livez", "/readyz")
_UNCOUNTED = (*_PROBES, "/static/")
_LONGEST_QUERY = 2000
_COST_OF_A_PDF = 8
"""As so many lookups a certificate counts that may have to be made."""
_COMPLAINT = re.compile(r"(?:/en)?/c/[A-Z0-9-]{1,20}/complaint")
"""The one address that takes something in."""
ADDRESS = "livebase.address"
"""Where in a request's scope the address stands that it is counted by."""


class Guards:
    """Around the whole site, its own errors included. `problem` makes an error's page."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: frozenset[str],
        secure: bool,
        limit: Limit,
        clients: Clients,
        seconds: Callable[[], float],
        problem: Callable[..., Response],
        takes_complaints: bool = False,
    ) -> None:
        self._app = app
        self._hosts = hosts
        self._secure = secure
        self._limit = limit
        self._clients = clients
        self._seconds = seconds
        self._problem = problem
        self._takes_complaints = takes_complaints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cross-origin-resource-policy", "same-origin")
                if self._secure:
                    headers.setdefault(*_STRICT)
            await send(message)

        request = Request(scope)
        refused = self._refused(request)
        await (self._app if refused is None else refused)(scope, receive, sending)

    def _refused(self, request: Request) -> Response | None:
        path = request.url.path
        if path in _PROBES:
            return None
        if request.headers.get("host", "").lower() not in self._hosts:
            return self._problem(request, 400)
        taking = self._takes_complaints and _COMPLAINT.fullmatch(path) is not None
        if request.method not in ("GET", "HEAD") and not (taking and request.method == "POST"):
            return self._problem(request, 405, {"allow": "GET, HEAD, POST" if taking else "GET, HEAD"})
        if len(request.scope["query_string"]) > _LONGEST_QUERY:
            return self._problem(request, 400)
        if not path.startswith(_UNCOUNTED):
            client: Any = request.client
            who = self._clients.of(client.host if client else "", ", ".join(request.headers.getlist("x-forwarded-for")))
            request.scope[ADDRESS] = who
            cost = _COST_OF_A_PDF if path.endswith(".pdf") else 1
            wait = self._limit.seconds_to_wait(who, self._seconds(), cost)
            if wait:
                return self._problem(request, 429, {"retry-after": str(wait)})
        return None
