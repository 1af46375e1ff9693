"""An official channel in a folder or an object store, through obstore: one JSON document a certificate.

    <number>.json        its newest entry with its hash (`domain/channel.py`)

In a folder a lock keeps two writers apart, in an object store the condition that what was read is still there.
"""

from __future__ import annotations

import fcntl
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotSupportedError, PreconditionError
from obstore.store import ObjectStore, from_url

from activities.channel import ChannelAway, EntryRefused
from domain.channel import CERTIFICATE_NUMBER, Held, ListEntry, read_entry

_FILE = re.compile(rf"({CERTIFICATE_NUMBER})\.json")
_LOCK = ".lock"
_TRIES = 8
_AT_ONCE = 16
_LARGEST = 1 << 16


class FolderChannel:
    """The channel at a place. `lock` is a file that writers hold, where the store itself knows no conditions."""

    def __init__(self, store: ObjectStore, name: str, lock: Path | None = None) -> None:
        self._store = store
        self._name = name
        self._lock = lock

    @classmethod
    def at(cls, place: str) -> FolderChannel:
        """A folder, which is made when it is not there, or an object store's URL. ValueError for what is neither."""
        parts = urlsplit(place)
        if "://" in place and parts.scheme != "file":
            try:
                return cls(from_url(place), f"{parts.scheme}://{parts.hostname or ''}{parts.path}")
            except BaseError as error:
                raise ValueError(f"is no place that can be used ({type(error).__name__})") from None
        folder = Path(unquote(parts.path) if "://" in place else place).absolute()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ValueError(f"{folder} can't be a folder ({error.strerror})") from None
        return cls(from_url(folder.as_uri()), str(folder), folder / _LOCK)

    @property
    def name(self) -> str:
        return self._name

    def put(self, entry: ListEntry) -> None:
        path = _path(entry.number)
        with _reached(), self._alone():
            for _ in range(_TRIES):
                found, version = self._read(path)
                if found is not None and found.revision >= entry.revision:
                    return
                try:
                    self._write(path, entry.document(), version)
                    return
                except (AlreadyExistsError, PreconditionError):
                    continue  # somebody else was first: look at theirs
        raise ChannelAway("others write there all the time")

    def get(self, number: str) -> ListEntry | None:
        with _reached():
            try:
                content = self._content(_path(number))[0]
            except FileNotFoundError:
                return None
        return _entry(content, number)

    def held(self) -> Iterator[Held]:
        with _reached(), ThreadPoolExecutor(_AT_ONCE) as readers:
            numbers = self._numbers()
            while some := list(islice(numbers, _AT_ONCE * 8)):
                yield from filter(None, readers.map(self._held, some))

    def _numbers(self) -> Iterator[str]:
        for batch in obstore.list(self._store):
            for one in batch:
                if (match := _FILE.fullmatch(one["path"])) is not None:
                    yield match[1]

    def _held(self, number: str) -> Held | None:
        try:
            entry = _entry(self._content(_path(number))[0], number)
        except FileNotFoundError:
            return None
        except EntryRefused:
            return Held(number, 0, "")
        return Held(number, entry.revision, entry.hash)

    def _read(self, path: str) -> tuple[ListEntry | None, dict[str, str] | None]:
        """What is there, and by what it is known to be still the same; None for what is damaged, and for nothing."""
        try:
            content, version = self._content(path)
        except FileNotFoundError:
            return None, None
        try:
            return _entry(content, path.removesuffix(".json")), version
        except EntryRefused:
            return None, version

    def _content(self, path: str) -> tuple[bytes, dict[str, str]]:
        found = obstore.get(self._store, path)
        e_tag, version = found.meta["e_tag"], found.meta["version"]
        same = ({"e_tag": e_tag} if e_tag else {}) | ({"version": version} if version else {})
        return b"" if found.meta["size"] > _LARGEST else bytes(found.bytes()), same

    def _write(self, path: str, content: bytes, version: dict[str, str] | None) -> None:
        """Over what was read, or where nothing was, and over nothing else. What is known by nothing is written over."""
        mode: Any = "create" if version is None else version or "overwrite"
        try:
            obstore.put(self._store, path, content, mode="overwrite" if self._lock else mode)
        except (NotSupportedError, NotImplementedError):  # a store without conditions
            obstore.put(self._store, path, content)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if self._lock is None:
            yield
            return
        with self._lock.open("ab") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield


def _path(number: str) -> str:
    return f"{number}.json"


def _entry(content: bytes, number: str) -> ListEntry:
    try:
        entry = read_entry(content)
    except ValueError:
        raise EntryRefused(f"what the channel shows of {number} is no entry, whole and unchanged") from None
    if entry.number != number:
        raise EntryRefused(f"the channel shows another certificate for {number}")
    return entry


@contextmanager
def _reached() -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError) as error:
        raise ChannelAway(f"the place of the official channel can't be used ({type(error).__name__})") from error
