"""The documents beside an application file: found without following links, judged by content, hashed.

PDF, JPEG or PNG by what is in them and not by their name: 20 MiB each, 50 files, 200 MiB together. A document is
opened folder by folder below the file's own one, so that no link on the way can lead outside.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from pydantic import TypeAdapter, ValidationError

from domain.fields import DocumentPath, plain_problems
from domain.refusals import Problem
from domain.submission import DocumentRef, MediaType

MIB = 1024**2
MAX_DOCUMENT_BYTES = 20 * MIB
MAX_DOCUMENTS = 50
MAX_TOTAL_BYTES = 200 * MIB

PATH: TypeAdapter[str] = TypeAdapter(DocumentPath)
"""Judges a document's path, and normalises it."""

_CHUNK = MIB
_TAIL = 64 * 1024 + 22  # a ZIP archive's end record with the longest comment
_PDF_END = 1024
_PNG_START = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
_PNG_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"
_ZIP_END = b"PK\x05\x06"
_ZIP_END_SIZE = 22
_ENCRYPTED = re.compile(rb"/Encrypt\s*(<<|[0-9]+\s+[0-9]+\s+R)")
_ENCRYPTED_LENGTH = 64
_TOO_LARGE = f"is larger than {MAX_DOCUMENT_BYTES // MIB} MiB"


@dataclass
class Documents:
    """What was found: a reference per path, where each content lies, and the problems of the others."""

    refs: list[DocumentRef] = field(default_factory=list)
    files: dict[str, Path] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


class _Unusable(Exception):
    """A document can't be used; the message says why, without its name."""


def read_documents(folder: Path, named: Mapping[str, tuple[str, ...]]) -> Documents:
    """The documents named, document path → the paths of the fields naming it, read below `folder`.

    Every document is read once, in pieces. A problem is told for each field that names its document.
    """
    found = Documents()
    if len(named) > MAX_DOCUMENTS:
        found.problems.append(Problem("", f"names {len(named)} documents: {MAX_DOCUMENTS} are possible"))
        return found
    total = 0
    for path, fields in sorted(named.items()):
        try:
            ref = _read(folder, path)
        except _Unusable as unusable:
            found.problems.extend(Problem(field_path, str(unusable)) for field_path in fields)
            continue
        total += ref.size
        if total > MAX_TOTAL_BYTES:
            found.problems.append(Problem("", f"names documents of more than {MAX_TOTAL_BYTES // MIB} MiB together"))
            return found
        found.refs.append(ref)
        found.files.setdefault(ref.sha256, folder / path)
    return found


def _read(folder: Path, path: str) -> DocumentRef:
    try:
        path = PATH.validate_python(path)
    except ValidationError as error:
        raise _Unusable(plain_problems(error)[0].message) from None
    descriptor = _open_below(folder, path)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise _Unusable("is not a regular file")
        if status.st_size == 0:
            raise _Unusable("is an empty document")
        if status.st_size > MAX_DOCUMENT_BYTES:
            raise _Unusable(_TOO_LARGE)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return _digest(file, path)
    except OSError:
        raise _Unusable("can't be read") from None
    finally:
        os.close(descriptor)


def _open_below(folder: Path, path: str) -> int:
    """A descriptor of the document, every part of its path opened without following a link."""
    parts = PurePosixPath(path).parts
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        parent = os.open(folder, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
    except OSError:
        raise _Unusable("can't be read: the file's folder can't be opened") from None
    try:
        for part in parts[:-1]:
            below = _open_at(part, flags | os.O_DIRECTORY, parent)
            os.close(parent)
            parent = below
        return _open_at(parts[-1], flags | os.O_NONBLOCK | os.O_NOCTTY, parent)
    finally:
        os.close(parent)


def _open_at(name: str, flags: int, parent: int) -> int:
    try:
        if stat.S_ISLNK(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
            raise _Unusable("is a link, or below one: documents are files of the folder itself")
        return os.open(name, flags, dir_fd=parent)
    except (FileNotFoundError, NotADirectoryError):
        raise _Unusable("is not there: no such document beside the file") from None
    except (OSError, ValueError):
        raise _Unusable("can't be opened") from None


def _digest(file: BinaryIO, path: str) -> DocumentRef:
    """One pass over the document: its hash, its size, and what its beginning, middle and end say."""
    digest, size = hashlib.sha256(), 0
    head, tail, carried, encrypted = b"", b"", b"", False
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
        if size > MAX_DOCUMENT_BYTES:
            raise _Unusable(_TOO_LARGE)
        head = head or chunk[: len(_PNG_START)]
        tail = (tail + chunk)[-_TAIL:]
        encrypted = encrypted or _ENCRYPTED.search(carried + chunk) is not None
        carried = chunk[-_ENCRYPTED_LENGTH:]
    kind = media_type(head)
    if kind is None:
        raise _Unusable("is no PDF, JPEG or PNG by its content, whatever its name")
    if not _complete(kind, tail):
        raise _Unusable("is cut off: its end is missing")
    if _is_archive(tail):
        raise _Unusable("is an archive as well: hand in the document alone")
    if kind == "application/pdf" and encrypted:
        raise _Unusable("is an encrypted PDF: hand it in without a password")
    return DocumentRef(path=path, sha256=digest.hexdigest(), size=size, media_type=kind)


def media_type(head: bytes) -> MediaType | None:
    """What a document is by its first bytes, None for what it can't be."""
    if head.startswith(b"%PDF-"):
        return "application/pdf"
    if head.startswith(_PNG_START):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    return None


def _complete(kind: MediaType, tail: bytes) -> bool:
    if kind == "application/pdf":
        return b"%%EOF" in tail[-_PDF_END:]
    if kind == "image/png":
        return tail.endswith(_PNG_END)
    return b"\xff\xd9" in tail[2:]  # cameras write more behind the picture's end


def _is_archive(tail: bytes) -> bool:
    """Whether a ZIP archive ends where the document ends: its end record, whose comment is all that follows."""
    at = tail.rfind(_ZIP_END)
    while at >= 0:
        record = tail[at:]
        comment = int.from_bytes(record[_ZIP_END_SIZE - 2 : _ZIP_END_SIZE], "little")
        if len(record) >= _ZIP_END_SIZE and comment == len(record) - _ZIP_END_SIZE:
            return True
        at = tail.rfind(_ZIP_END, 0, at)
    return False
