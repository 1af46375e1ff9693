"""An official channel over HTTP.

    PUT /entries/<number>               an entry with its hash; `Idempotency-Key: <number>:<revision>`
    GET /entries/<number>               the entry it holds, 404 for none
    GET /entries?after=<number>&limit=n {"entries": [{"number", "revision", "hash"}]}: those after a number, in order;
                                        an empty list is the end

200, 201, 202 and 204 say that an entry was taken, 409 that another one is held, which is read back in either case; 400,
413 and 422 that this entry is not taken. All else is no answer: what was put may have been taken.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx

from activities.channel import ChannelAway, EntryRefused
from domain.channel import Held, ListEntry, read_entry

_PATIENCE = httpx.Timeout(10.0, connect=5.0)
_LONGEST = 15.0
"""Seconds of a whole answer: an entry put and read back takes less than the activity may be silent for."""
_LARGEST = 1 << 20
"""Bytes of an answer, as they come: nothing packed is taken."""
_PAGE = 500
_TAKEN, _NOT_TAKEN = (200, 201, 202, 204, 409), (400, 413, 422)


class HttpChannel:
    """The channel at a URL; `token` is a bearer's."""

    def __init__(self, url: str, token: str = "", patience: httpx.Timeout = _PATIENCE) -> None:
        headers = {"Accept-Encoding": "identity", **({"Authorization": f"Bearer {token}"} if token else {})}
        self._client = httpx.Client(
            base_url=url, headers=headers, timeout=patience, trust_env=False, follow_redirects=False
        )
        self._name = str(self._client.base_url.copy_with(username=None, password=None, query=None)).rstrip("/")

    @property
    def name(self) -> str:
        return self._name

    def put(self, entry: ListEntry) -> None:
        headers = {"Content-Type": "application/json", "Idempotency-Key": entry.key}
        answer = self._asked("PUT", f"/entries/{entry.number}", content=entry.document(), headers=headers)
        if answer.status_code in _NOT_TAKEN:
            raise EntryRefused(f"the channel does not take {entry.number} ({answer.status_code})")
        if answer.status_code not in _TAKEN:
            raise _away(answer)

    def get(self, number: str) -> ListEntry | None:
        answer = self._asked("GET", f"/entries/{number}")
        if answer.status_code == 404:
            return None
        if answer.status_code != 200:
            raise _away(answer)
        try:
            entry = read_entry(answer.content)
        except (ValueError, ArithmeticError):
            raise EntryRefused(f"what the channel shows of {number} is no entry, whole and unchanged") from None
        if entry.number != number:
            raise EntryRefused(f"the channel shows another certificate for {number}")
        return entry

    def held(self) -> Iterator[Held]:
        after = ""
        while page := self._page(after):
            for held in page:
                if held.number <= after:
                    raise ChannelAway("the channel's listing is not in order")
                after = held.number
                yield held

    def _page(self, after: str) -> list[Held]:
        answer = self._asked("GET", "/entries", params={"after": after, "limit": str(_PAGE)})
        if answer.status_code != 200:
            raise _away(answer)
        try:
            return [_held(one) for one in answer.json()["entries"]]
        except (ValueError, KeyError, TypeError, ArithmeticError):
            raise ChannelAway("the channel's listing can't be read") from None

    def _asked(self, method: str, path: str, **more: Any) -> httpx.Response:
        """The answer, read whole. ChannelAway also for one that is too slow or too long."""
        until, body = time.monotonic() + _LONGEST, b""
        try:
            with self._client.stream(method, path, **more) as answer:
                for part in answer.iter_raw():
                    body += part
                    if len(body) > _LARGEST or time.monotonic() > until:
                        raise ChannelAway("the official channel's answer is too long, or too slow")
            return httpx.Response(answer.status_code, content=body)
        except httpx.HTTPError as error:
            raise ChannelAway(f"no answer from the official channel ({type(error).__name__})") from error


def _held(one: dict[str, Any]) -> Held:
    number, revision, own = one["number"], one["revision"], one["hash"]
    if not (isinstance(number, str) and 0 < len(number) <= 40 and number.isprintable() and isinstance(own, str)):
        raise ValueError
    return Held(number, int(revision), own[:64])


def _away(answer: httpx.Response) -> ChannelAway:
    status = answer.status_code
    if status in (401, 403):
        return ChannelAway(f"the official channel does not let us in ({status}): look at LIVEBASE_CHANNEL_TOKEN")
    if status in (408, 429) or status >= 500:
        return ChannelAway(f"the official channel is not there now ({status})")
    return ChannelAway(
        f"the official channel does not know this way of asking ({status}): look at LIVEBASE_CHANNEL_URL"
    )
