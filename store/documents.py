"""The document store: each case's documents under their sha256, encrypted with a key of the case's own.

In a folder or an object store, through obstore. A case's key lies beside its documents, wrapped by a key that is not
there (`LIVEBASE_DOCUMENT_KEYS`): who has the store alone reads nothing, and destroying one small object makes
everything of a case unreadable for good, in copies and backups too.

    <case>/key                       its key, wrapped
    <case>/erased                    when it was erased; nothing else is there then
    <case>/<2 digits>/<sha256>       a document, AES-256-GCM, bound to its case and its hash
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import obstore
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from obstore.exceptions import AlreadyExistsError
from obstore.store import ObjectStore, from_url

from domain.key_set import KEY_BYTES, KeySet

OFFICE = "office"
"""Whose documents of no single case are: a quarter's figures and what came of them. Never erased."""
_KEY, _ERASED = "key", "erased"
_NONCE_BYTES = 12
X25519_BYTES = 32
_SHA256 = re.compile(r"[0-9a-f]{64}")
_OWNER = re.compile(r"[A-Za-z0-9:_-]{1,80}")


class DocumentMissing(LookupError):
    """No document has this hash."""


class DocumentDamaged(Exception):
    """The bytes stored are no longer the ones that were put there."""


class DocumentsErased(LookupError):
    """The case's documents were erased: nobody can read them any more."""


class KeyUnknown(Exception):
    """The case's key was wrapped by a key we have not got."""


class DocumentStore:
    """Where all cases' documents are. `keys` wrap the cases' own keys: the newest new ones, any of them old ones."""

    def __init__(self, root: str | Path, keys: KeySet) -> None:
        self._keys = keys
        url = str(root)
        if "://" in url:
            self._store: ObjectStore = from_url(url)
        else:
            folder = Path(url).absolute()
            folder.mkdir(parents=True, exist_ok=True)
            self._store = from_url(folder.as_uri())

    def of(self, owner: str) -> Documents:
        """The documents of a case, by its workflow id, or those of the `OFFICE`."""
        if _OWNER.fullmatch(owner) is None:
            raise ValueError("no case has this id")
        return Documents(self._store, self._keys, owner)

    def pseudonym(self, text: str) -> str:
        """The same for the same text, in this installation alone, and telling nothing of it: 64 hexadecimal digits."""
        return hmac.new(self.of(OFFICE).key(), text.encode(), hashlib.sha256).hexdigest()

    def rewrap(self) -> tuple[int, list[str]]:
        """Wrap every case's key by the newest key: how many were not, and what stands in the way of others."""
        rewrapped, problems = 0, []
        for batch in obstore.list(self._store):
            for one in batch:
                owner, _, name = one["path"].partition("/")
                try:
                    rewrapped += name == _KEY and self.of(_owner(owner)).rewrap()
                except DocumentsErased:
                    continue
                except KeyUnknown as error:
                    problems.append(str(error))
        return rewrapped, problems


class Documents:
    """One case's documents: putting the same bytes twice is one document, reading checks case and hash."""

    def __init__(self, store: ObjectStore, keys: KeySet, owner: str) -> None:
        self._store = store
        self._keys = keys
        self._owner = owner
        self._folder = owner.replace(":", ".")
        self._own: AESGCM | None = None

    def put(self, data: bytes) -> str:
        """Keep the bytes; returns their sha256. What is there already is read again, and mended when damaged.

        Raises DocumentsErased, KeyUnknown.
        """
        sha256 = hashlib.sha256(data).hexdigest()
        try:
            self.get(sha256)
        except (DocumentMissing, DocumentDamaged):
            nonce = secrets.token_bytes(_NONCE_BYTES)
            sealed = nonce + self._cipher().encrypt(nonce, data, self._bound(sha256))
            obstore.put(self._store, self._path(sha256), sealed)
        return sha256

    def put_file(self, path: Path) -> str:
        return self.put(path.read_bytes())

    def get(self, sha256: str) -> bytes:
        """The bytes. Raises DocumentMissing, DocumentDamaged, DocumentsErased, KeyUnknown."""
        path = self._path(sha256)
        try:
            if self._own is None:  # never made here: reading makes nothing
                self._own = AESGCM(self._unwrapped(self._wrapped()))
            sealed = bytes(obstore.get(self._store, path).bytes())
        except FileNotFoundError:
            self._require_not_erased()
            raise DocumentMissing(f"no document {sha256}") from None
        try:
            data = self._own.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], self._bound(sha256))
        except (InvalidTag, ValueError):
            raise DocumentDamaged(f"document {sha256} was changed in the store") from None
        if hashlib.sha256(data).hexdigest() != sha256:
            raise DocumentDamaged(f"document {sha256} is not what was named")
        return data

    def has(self, sha256: str) -> bool:
        try:
            obstore.head(self._store, self._path(sha256))
        except (DocumentMissing, FileNotFoundError):
            return False
        return True

    @property
    def begun(self) -> bool:
        """Whether a key has been made."""
        try:
            obstore.head(self._store, self._path_of(_KEY))
        except FileNotFoundError:
            return False
        return True

    def erase(self, at: datetime) -> None:
        """Destroy the case's key, then its documents. Again is the same. `at` is only noted."""
        if self._owner == OFFICE:
            raise ValueError("the office's documents are no case's")
        # The note comes first: who makes or wraps a key looks for it afterwards.
        obstore.put(self._store, self._path_of(_ERASED), at.isoformat().encode())
        self._own = None
        paths = [one["path"] for batch in obstore.list(self._store, prefix=self._folder) for one in batch]
        obstore.delete(self._store, [path for path in paths if path != self._path_of(_ERASED)])

    def key(self) -> bytes:
        """The case's own key, made when there is none. Raises DocumentsErased, KeyUnknown."""
        try:
            return self._unwrapped(self._wrapped())
        except FileNotFoundError:
            self._require_not_erased()
        self._require_new()
        made = self._wrap(secrets.token_bytes(KEY_BYTES))
        with suppress(AlreadyExistsError):  # another process was first
            obstore.put(self._store, self._path_of(_KEY), made, mode="create")
        self._take_back_if_erased()
        return self._unwrapped(self._wrapped())

    def letterbox(self) -> bytes | None:
        """The private half of the key that complaints about the base are sealed to, of the case's own key: 32 bytes.

        None where no key is, or none any more. Raises KeyUnknown.
        """
        try:
            own = self._unwrapped(self._wrapped())
        except FileNotFoundError:
            return None
        return HKDF(SHA256(), X25519_BYTES, salt=None, info=self._bound("letterbox")).derive(own)

    def rewrap(self) -> bool:
        """Wrap the case's key by the newest key; whether it was not. A key left beside an erasure is destroyed."""
        try:
            wrapped = self._wrapped()
        except FileNotFoundError:
            return False
        self._take_back_if_erased()
        if wrapped["kid"] == self._keys.newest:
            return False
        obstore.put(self._store, self._path_of(_KEY), self._wrap(self._unwrapped(wrapped)))
        self._take_back_if_erased()
        return True

    def _require_new(self) -> None:
        """A key is made where nothing is yet, and by who has the workers' keys: else nobody could read it."""
        there = {one["path"] for batch in obstore.list(self._store, prefix=self._folder) for one in batch}
        if there and self._path_of(_KEY) not in there:  # which another process may have made just now
            raise KeyUnknown(f"the key of the documents of {self._owner} is missing")
        if self._owner != OFFICE:
            with suppress(FileNotFoundError):
                office = Documents(self._store, self._keys, OFFICE)
                office._unwrapped(office._wrapped())

    def _cipher(self) -> AESGCM:
        if self._own is None:
            self._own = AESGCM(self.key())
        return self._own

    def _require_not_erased(self) -> None:
        try:
            at = bytes(obstore.get(self._store, self._path_of(_ERASED)).bytes()).decode()
        except FileNotFoundError:
            return
        raise DocumentsErased(f"the documents of {self._owner} were erased on {at[:10]}")

    def _take_back_if_erased(self) -> None:
        """An erasure that came while a key was put there may not have seen it."""
        try:
            self._require_not_erased()
        except DocumentsErased:
            obstore.delete(self._store, self._path_of(_KEY))
            raise

    def _wrapped(self) -> dict[str, str]:
        text = bytes(obstore.get(self._store, self._path_of(_KEY)).bytes())
        try:
            wrapped = json.loads(text)
            return {"kid": str(wrapped["kid"]), "key": str(wrapped["key"])}
        except (ValueError, KeyError, TypeError):
            raise KeyUnknown(f"the key of the documents of {self._owner} was changed in the store") from None

    def _unwrapped(self, wrapped: dict[str, str]) -> bytes:
        id = wrapped["kid"]
        if id not in self._keys.keys:
            raise KeyUnknown(f"the documents of {self._owner} need the key {id}")
        try:
            sealed = base64.b64decode(wrapped["key"])
            return AESGCM(self._keys.keys[id]).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], self._bound(id))
        except (InvalidTag, ValueError):
            raise KeyUnknown(f"the key {id} is not the one that the documents of {self._owner} need") from None

    def _wrap(self, own: bytes) -> bytes:
        id, nonce = self._keys.newest, secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + AESGCM(self._keys.keys[id]).encrypt(nonce, own, self._bound(id))
        return json.dumps({"kid": id, "key": base64.b64encode(sealed).decode()}).encode()

    def _bound(self, name: str) -> bytes:
        """What a ciphertext is bound to: moved to another case or under another name it opens no more."""
        return f"livebase|{self._owner}|{name}".encode()

    def _path_of(self, name: str) -> str:
        return f"{self._folder}/{name}"

    def _path(self, sha256: str) -> str:
        """Where a document is. What is no hash, such as a path somebody made up, names none."""
        if _SHA256.fullmatch(sha256) is None:
            raise DocumentMissing(f"no document {sha256}")
        return self._path_of(f"{sha256[:2]}/{sha256}")


def _owner(folder: str) -> str:
    return folder.replace(".", ":")
