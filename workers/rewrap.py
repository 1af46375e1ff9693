"""Wraps every case's document key by the newest: `python -m workers.rewrap`, after a key was put before the old one."""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

from connection.errors import BadConfiguration
from connection.key_file import read_keys
from store.documents import DocumentStore, KeyUnknown
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
    try:
        rewrapped = DocumentStore(settings.documents, keys).rewrap()
    except KeyUnknown as error:
        print(f"✗ {error}. Put it into {settings.document_keys} again.", file=sys.stderr)
        return 1
    print(f"{rewrapped} keys wrapped anew by {keys.newest}. Older keys are needed for backups alone.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
