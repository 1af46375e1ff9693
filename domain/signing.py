"""Signed messages from outside: who sent these bytes, and when (`webhook-id`, `-timestamp`, `-signature`).

The scheme is the published Standard Webhooks one: HMAC-SHA256 with a shared secret over `id.timestamp.body`, the body
as it came, byte for byte. A message may carry several signatures, and a receiver know several secrets, so that a secret
can be changed while messages are under way.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=5)
"""How far a message's instant may be from ours: an older one is somebody's copy, a younger one has a wrong clock."""
SHORTEST_SECRET = 24
"""Bytes of a secret at least, as the scheme has it."""
_PREFIX = "whsec_"


class NotSigned(Exception):
    """Nobody we know has signed these bytes, or not now; nothing of them may be believed."""


def secret_key(text: str) -> bytes:
    """A secret as it is written, `whsec_` and base64. ValueError for one that is none, or too short."""
    if not text.startswith(_PREFIX):
        raise ValueError(f"begins with {_PREFIX}")
    try:
        key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        raise ValueError(f"is base64 after {_PREFIX}") from None
    if len(key) < SHORTEST_SECRET:
        raise ValueError(f"has {SHORTEST_SECRET} bytes at least")
    return key


def sign(key: bytes, id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers of a message signed at an instant."""
    timestamp = str(int(at.timestamp()))
    return {
        "webhook-id": id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{_signature(key, id, timestamp, body)}",
    }


def require_signed(headers: Mapping[str, str], body: bytes, keys: Sequence[bytes], now: datetime) -> str:
    """The id of a message that one of `keys` has signed within the window. Raises NotSigned, saying what is wrong.

    The signature comes first: who has no key learns nothing of our clock.
    """
    id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    given = [one.removeprefix("v1,") for one in headers.get("webhook-signature", "").split() if one.startswith("v1,")]
    if not id or not given or not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise NotSigned("it has no webhook-id, webhook-timestamp or webhook-signature of version 1")
    expected = [_signature(key, id, timestamp, body).encode() for key in keys]
    # Every pair is compared, in constant time each: how long it takes tells nothing.
    if not any([hmac.compare_digest(own, one.encode()) for own in expected for one in given]):
        raise NotSigned("no signature of it is one of ours")
    if abs(int(timestamp) - now.timestamp()) > WINDOW.total_seconds():
        raise NotSigned(f"it was signed more than {WINDOW // timedelta(minutes=1)} minutes from now")
    return id


def _signature(key: bytes, id: str, timestamp: str, body: bytes) -> str:
    signed = f"{id}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
