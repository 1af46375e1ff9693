"""Complaints as the site takes them: bounded before they are read, sealed before they are kept, told nothing back.

The site can't read what it has taken, nor whether it has (`store/roles.py`). So a repeat is known by its reference,
which is the same for the same words from one address. Everybody hears the same: a reference, or to come again later.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256
from threading import Lock
from urllib.parse import parse_qsl, urlsplit

from joserfc.jwk import OKPKey
from starlette.requests import Request

from domain.complaints import Complaint, read_complaint
from register.limits import Limit
from store.complaints import ComplaintBox, seal

MOST_BYTES = 32 * 1024
"""Of a form: 2,400 characters of four bytes each, as a browser writes them."""
TRAP = "website"
"""A field that people don't see and programs fill in: what comes with it is answered alike and kept nowhere."""
_FORM = "application/x-www-form-urlencoded"
_FIELDS = 8
_DAY = 24 * 60 * 60
_REMEMBERED = 10_000


class NotAccepted(Exception):
    """A form that is no form of the site's own: the status it is answered with."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


class TooMany(Exception):
    """So many complaints for today: in how many seconds one more is taken."""

    def __init__(self, seconds: int) -> None:
        super().__init__(str(seconds))
        self.seconds = seconds


def require_own_form(request: Request, hosts: frozenset[str]) -> None:
    """Refuse what another site's page has sent, what is no form, and what is too long, before any of it is read.

    There is no cookie, so nothing is done in anybody's name; but nobody's browser is to be made to complain.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin", "")
    if site is not None and site != "same-origin":
        raise NotAccepted(403)
    if origin and _host(origin) not in hosts:
        raise NotAccepted(403)
    if site is None and not origin:
        raise NotAccepted(403)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise NotAccepted(415)
    length = request.headers.get("content-length", "")
    if not length.isascii() or not length.isdecimal():
        raise NotAccepted(411)
    if int(length[:12]) > MOST_BYTES:
        raise NotAccepted(413)


def _host(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def read_form(body: bytes) -> dict[str, str]:
    """The fields by name, the first of each. Raises NotAccepted for what no browser writes."""
    try:
        pairs = parse_qsl(body.decode("ascii"), True, True, errors="strict", max_num_fields=_FIELDS) if body else []
    except ValueError:
        raise NotAccepted(400) from None
    return dict(reversed(pairs))


class Complaints:
    """Takes complaints on an engine for that alone. `seconds` is a clock for the limits, `secret` what references hang
    on: where it stays the same, so does the reference of the same words from one address."""

    def __init__(
        self,
        box: ComplaintBox,
        *,
        seconds: Callable[[], float],
        secret: bytes | None = None,
        per_address: int = 10,
        per_certificate: int = 50,
        per_day: int = 1000,
    ) -> None:
        self._box = box
        self._seconds = seconds
        self._secret = secret or os.urandom(32)
        self._limits = (Limit(per_address, _DAY), Limit(per_certificate, _DAY), Limit(per_day, _DAY))
        self._taken: OrderedDict[str, None] = OrderedDict()
        self._one_at_a_time = Lock()

    def take(self, number: str, form: Mapping[str, str], address: str, letterbox: str, now: datetime) -> str:
        """Keep a complaint about a certificate; its reference. `letterbox` is whom it is sealed to.

        Raises `domain.complaints.NotReadable` for what is no complaint, TooMany.
        """
        complaint: Complaint = read_complaint(number, form)
        # By the address too: nobody finds out by guessing what others have said.
        reference = complaint.reference(self._secret + address.encode())
        if form.get(TRAP) or self._is_known(reference):
            return reference
        self._count(address, number)
        self._box.put(reference, number, seal(complaint, reference, letterbox), now)
        with self._one_at_a_time:
            self._taken[reference] = None
            if len(self._taken) > _REMEMBERED:
                self._taken.popitem(last=False)
        return reference

    def _is_known(self, reference: str) -> bool:
        with self._one_at_a_time:
            return reference in self._taken

    def _count(self, address: str, number: str) -> None:
        """The narrowest first: what one address may not send takes nothing from others."""
        with self._one_at_a_time:
            for limit, whose in zip(self._limits, (address, number, ""), strict=True):
                if wait := limit.seconds_to_wait(whose, self._seconds()):
                    raise TooMany(wait)


def secret_of(key: OKPKey | None) -> bytes | None:
    """What references hang on, of the key the list is signed with: for all processes that have it the same."""
    if key is None:
        return None
    return sha256(b"livebase complaints|" + key.as_dict(private=True)["d"].encode()).digest()  # type: ignore[union-attr]
