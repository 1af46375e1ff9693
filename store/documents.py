"""The document store: bytes under their sha256, in a folder or an object store, through obstore."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import obstore
from obstore.store import ObjectStore, from_url

_HEAD = 32
_SHA256 = re.compile(r"[0-9a-f]{64}")


class DocumentMissing(LookupError):
    """No document has this hash."""


class DocumentDamaged(Exception):
    """The bytes stored are no longer the ones that were put there."""


class DocumentStore:
    """Content-addressed documents: putting the same bytes twice is one document, reading checks the hash."""

    def __init__(self, root: str | Path) -> None:
        url = str(root)
        if "://" in url:
            self._store: ObjectStore = from_url(url)
        else:
            folder = Path(url).absolute()
            folder.mkdir(parents=True, exist_ok=True)
            self._store = from_url(folder.as_uri())

    def put(self, data: bytes) -> str:
        """Keep the bytes; returns their sha256. What is there already is read again, and mended when damaged."""
        sha256 = hashlib.sha256(data).hexdigest()
        try:
            self.get(sha256)
        except (DocumentMissing, DocumentDamaged):
            obstore.put(self._store, _key(sha256), data)
        return sha256

    def put_file(self, path: Path) -> str:
        return self.put(path.read_bytes())

    def get(self, sha256: str) -> bytes:
        """The bytes. Raises DocumentMissing, DocumentDamaged."""
        try:
            data = bytes(obstore.get(self._store, _key(sha256)).bytes())
        except FileNotFoundError:
            raise DocumentMissing(f"no document {sha256}") from None
        if hashlib.sha256(data).hexdigest() != sha256:
            raise DocumentDamaged(f"document {sha256} was changed in the store")
        return data

    def look(self, sha256: str) -> tuple[int, bytes]:
        """The size in bytes and the first few of them, unchecked. Raises DocumentMissing."""
        try:
            size: int = obstore.head(self._store, _key(sha256))["size"]
            head = obstore.get_range(self._store, _key(sha256), start=0, end=min(size, _HEAD)) if size else b""
        except FileNotFoundError:
            raise DocumentMissing(f"no document {sha256}") from None
        return size, bytes(head)

    def has(self, sha256: str) -> bool:
        try:
            obstore.head(self._store, _key(sha256))
        except (DocumentMissing, FileNotFoundError):
            return False
        return True


def _key(sha256: str) -> str:
    """Where a document is. What is no hash, such as a path somebody made up, names none."""
    if _SHA256.fullmatch(sha256) is None:
        raise DocumentMissing(f"no document {sha256}")
    return f"{sha256[:2]}/{sha256}"
