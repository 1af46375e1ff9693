"""Canonical JSON (RFC 8785) of the values our records hold: text, whole numbers, true, false, null, lists, objects."""

from __future__ import annotations

import json
from typing import Any

_LARGEST = 2**53 - 1
_QUICK = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True, check_circular=False)
_AS_ORDERED = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)


class NotCanonical(ValueError):
    """A value that no record of ours holds: a fraction, a number past 2^53 - 1, half a character."""


def quick(value: Any) -> bytes:
    """What is hashed, for all values but the rare ones `exact` is for; of those it may be other bytes."""
    return _QUICK.encode(value).encode(errors="surrogatepass")


def exact(value: Any) -> bytes:
    """What is hashed, for every value: keys in the order of their UTF-16 code units. Raises NotCanonical."""
    try:
        return _AS_ORDERED.encode(_ordered(value)).encode()
    except UnicodeEncodeError:
        raise NotCanonical("half a character") from None


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _ordered(value[key])
            for key in sorted(value, key=lambda key: str(key).encode("utf-16-be", "surrogatepass"))
        }
    if isinstance(value, list):
        return [_ordered(inner) for inner in value]
    if isinstance(value, float) or (isinstance(value, int) and not -_LARGEST <= value <= _LARGEST):
        raise NotCanonical("a number")
    return value
