"""Wraps every case's document key by the newest: `python -m workers.rewrap`, after a key was put before the old one."""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

from connection.errors import BadConfiguration
from connection.key_file import read_keys
from store.documents import DocumentStore
from workers.settings import PREFIX, read_settings


class RewrapSettings(BaseSettings):
    """Where documents and their keys are, as workers have it."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True)

    documents: str
    document_keys: Path


def main() -> int:
    try:
        settings = read_settings(RewrapSettings)
        keys = read_keys(settings.document_keys)
    except BadConfiguration as error:
        print(f"✗ {error}", file=sys.stderr)
        return 6
    rewrapped, problems = DocumentStore(settings.documents, keys).rewrap()
    print(f"{rewrapped} keys wrapped anew by {keys.newest}.")
    for problem in problems:
        print(f"✗ {problem}", file=sys.stderr)
    if problems:
        print(f"→ Put the keys they need into {settings.document_keys} again.", file=sys.stderr)
        return 1
    print("Older keys are needed for backups alone.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
