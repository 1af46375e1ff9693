"""Key files: sets of AES-256 keys (`domain/key_set.py`) on disk, for their owner alone."""

from __future__ import annotations

import os
import secrets
from datetime import date
from pathlib import Path

from domain.key_set import KEY_BYTES, KeySet, read_key_set, written_key_set


def keys_in(file: Path) -> KeySet:
    """The keys in a file. ValueError says what is wrong with it, and holds no key."""
    try:
        text = file.read_text("utf-8")
    except OSError as error:
        raise ValueError(f"{file} can't be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise ValueError(f"{file} is no text") from None
    try:
        return read_key_set(text)
    except ValueError as error:
        raise ValueError(f"{file} {error}") from None


def make_keys(file: Path, day: date) -> KeySet:
    """The keys in a file, made when there is none: one key, named after the day."""
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return keys_in(file)
    keys = KeySet({f"{day:%Y-%m-%d}-{secrets.token_hex(3)}": secrets.token_bytes(KEY_BYTES)})
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(written_key_set(keys))
        opened.flush()
        os.fsync(opened.fileno())
    return keys
