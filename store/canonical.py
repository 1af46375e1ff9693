"""Canonical JSON (RFC 8785): how whatever is hashed is written, and how the database keeps JSON.

Kept as it is hashed, a record is proven without being written anew (docs/audit.md).
"""

from __future__ import annotations

import json
from typing import Any

_ENCODER = json.JSONEncoder(allow_nan=False, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def canonical_text(value: Any) -> str:
    """For what is on record: texts, whole numbers up to 2^53, lists, objects whose keys are names of ours."""
    return _ENCODER.encode(value)


def canonical(value: Any) -> bytes:
    """The same as bytes, UTF-8."""
    return canonical_text(value).encode()
