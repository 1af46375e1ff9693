"""A file with secrets: read only when nobody else can read it, and written so that nobody else ever can."""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connection.errors import BadConfiguration

_MODE = 0o600
_PATIENCE = 10.0  # seconds


def read_private(file: Path, variable: str) -> str:
    """Its text. Raises BadConfiguration for one that can't be read, or that others may read or change.

    Its group may read it: that is how a container gets a secret as a file (0440 and the pod's group).
    """
    try:
        with open(file, encoding="utf-8") as opened:
            mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
            text = opened.read()
    except OSError as error:
        raise BadConfiguration(f"{variable}: {file} can't be read ({error.strerror}).", "Name a file here.") from None
    except ValueError:
        raise BadConfiguration(f"{variable}: {file} is no UTF-8 text.", "Name another file.") from None
    if mode & 0o027:
        raise BadConfiguration(
            f"{variable}: {file} may be read or changed by others (mode {mode:04o}).",
            f"Keep it to its owner, and its group at most: chmod 600 {file} (in a pod: defaultMode: 0440)",
        )
    return text


def write_private(file: Path, text: str) -> None:
    """In one step, so that whoever reads it meanwhile finds the one or the other; never open to others.

    A file that is there keeps its mode and its owner, who may be another one than who renews it. Raises OSError.
    """
    before = file.stat() if file.exists() else None
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    opened = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
    try:
        with os.fdopen(opened, "w", encoding="utf-8") as target:
            target.write(text)
            target.flush()
            if before is not None:
                own = os.fstat(target.fileno())
                if (own.st_uid, own.st_gid) != (before.st_uid, before.st_gid):
                    os.fchown(target.fileno(), before.st_uid, before.st_gid)
                os.fchmod(target.fileno(), stat.S_IMODE(before.st_mode))
            os.fsync(target.fileno())
        os.replace(beside, file)
    finally:
        beside.unlink(missing_ok=True)
    folder = os.open(file.absolute().parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # a key that documents are sealed with already is not to go with the power
    finally:
        os.close(folder)


@contextmanager
def changing(file: Path) -> Iterator[None]:
    """One at a time changes a file: a key that two put in front at once would be lost. A file beside it, for its owner
    alone, is the lock. Raises OSError; TimeoutError, which is one, when somebody else holds it for long."""
    path = file.with_name(f".{file.name}.lock")
    lock, until = _locked(path), time.monotonic() + _PATIENCE
    while lock is None:
        if time.monotonic() > until:
            raise TimeoutError(f"{file} is being changed by somebody else")
        time.sleep(0.05)
        lock = _locked(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(lock)


def _locked(path: Path) -> int | None:
    """The lock, None while somebody else has it: the file that is there, not one that was let go of meanwhile."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT, _MODE)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(lock).st_ino == path.stat().st_ino:
            return lock
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(lock)
    return None
