"""A set of AES-256 keys in a file: a JSON Web Key Set (RFC 7517) of `oct` keys, the newest first.

New things are sealed with the first key and opened with any, so that a key is changed by putting another before it and
taken away when nothing sealed with it is left.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

KEY_BYTES = 32
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True)
class KeySet:
    """Keys by their ids, the newest first; what is printed of it holds no key."""

    keys: Mapping[str, bytes] = field(repr=False)

    @property
    def newest(self) -> str:
        return next(iter(self.keys))


def read_key_set(text: str) -> KeySet:
    """The keys in a file's text. ValueError names everything that is wrong with it, and no key."""
    members = members_of(text)
    keys: dict[str, bytes] = {}
    problems = []
    for place, member in enumerate(members, 1):
        try:
            id, key = _key(member)
            if id in keys:
                raise ValueError(f"has the kid {id} of one before it")
        except ValueError as error:
            problems.append(f"key {place} {error}")
        else:
            keys[id] = key
    if problems:
        raise ValueError("; ".join(problems))
    return KeySet(keys)


def members_of(text: str) -> list[object]:
    """What a JSON Web Key Set lists, whatever it is, at least one. ValueError for a text that is none."""
    try:
        members = json.loads(text)["keys"]
    except (ValueError, KeyError, TypeError):
        raise ValueError("is no JSON Web Key Set: an object whose `keys` is a list") from None
    if not isinstance(members, list) or not members:
        raise ValueError("has no keys")
    return members


def written_key_set(keys: KeySet) -> str:
    """The text of a file that holds these keys."""
    members = [{"kty": "oct", "kid": id, "k": _base64url(key)} for id, key in keys.keys.items()]
    return json.dumps({"keys": members}, indent=2) + "\n"


def _key(member: object) -> tuple[str, bytes]:
    if not isinstance(member, dict) or member.get("kty") != "oct":
        raise ValueError("is no JWK whose kty is oct")
    id, text = member.get("kid"), member.get("k")
    if not isinstance(id, str) or _ID.fullmatch(id) is None:
        raise ValueError("has no kid of 1 to 64 letters, digits, points, hyphens and underscores")
    try:
        key = base64.b64decode(
            str(text).replace("-", "+").replace("_", "/") + "=" * (-len(str(text)) % 4), validate=True
        )
    except binascii.Error:
        raise ValueError("has no k in base64url") from None
    if len(key) != KEY_BYTES:
        raise ValueError(f"has no k of {KEY_BYTES} bytes")
    return id, key


def _base64url(key: bytes) -> str:
    return base64.urlsafe_b64encode(key).decode().rstrip("=")
