"""A file of keys (`domain/key_set.py`), for its owner alone: read, made, and changed in one step."""

from __future__ import annotations

import secrets
from datetime import datetime
from pathlib import Path

from connection.errors import BadConfiguration
from connection.private_file import read_private, write_private
from domain.key_set import KEY_BYTES, KeySet, read_key_set, written_key_set

_HINT = "The first one is made with: python -m workers.keys FILE"


def read_keys(file: Path, named: str = "The key file") -> KeySet:
    """The keys in it; `named` is the variable that names it. Raises BadConfiguration with everything that is wrong."""
    text = read_private(file, named)
    try:
        return read_key_set(text)
    except ValueError as error:
        raise BadConfiguration(f"{named}: {file} {error}.", _HINT) from None


def write_keys(file: Path, keys: KeySet) -> None:
    """In one step, never open to others (`connection.private_file`). Raises OSError."""
    write_private(file, written_key_set(keys))


def new_key(today: datetime) -> tuple[str, bytes]:
    """A key and its id: the day it was made, and something that tells two of a day apart."""
    return f"{today:%Y-%m-%d}-{secrets.token_hex(2)}", secrets.token_bytes(KEY_BYTES)
