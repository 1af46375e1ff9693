"""The keys Temporal's payloads are sealed with: `LIVEBASE_PAYLOAD_KEYS` names their file (`domain/key_set.py`)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from connection.errors import BadConfiguration
from connection.key_file import read_keys
from domain.key_set import KeySet

if TYPE_CHECKING:
    from connection.codec import KeyRing

VARIABLE = "LIVEBASE_PAYLOAD_KEYS"
HINT = f"Name a key file with {VARIABLE}; the first one is made with: python -m workers.keys FILE"


def payload_keys(environ: Mapping[str, str] = os.environ) -> KeySet | None:
    """The keys in the file; None where none is named. Raises BadConfiguration with everything that is wrong with it."""
    named = environ.get(VARIABLE)
    if not named:
        return None
    return read_keys(Path(named), VARIABLE)


def key_ring(environ: Mapping[str, str] = os.environ) -> KeyRing | None:
    """The keys, looked for in the file again when one is met that was not there before."""
    keys = payload_keys(environ)
    if keys is None:
        return None
    from connection.codec import KeyRing

    def again() -> KeySet | None:
        try:
            return payload_keys(environ)
        except BadConfiguration:
            return None  # what was read last still holds

    return KeyRing(keys, again)
