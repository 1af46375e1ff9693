"""How other commands find what `livebase dev` runs: `dev.json` in its data directory.

Imports neither temporalio nor psutil before it has to, since every command line passes here.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

FILE = "dev.json"
DEFAULT_DIRECTORY = ".livebase"
_CREATE_TIME_TOLERANCE = 1.0  # seconds; the kernel's clock ticks are coarser than a float


@dataclass(frozen=True)
class LocalState:
    """What runs: the process of `livebase dev`, and where its parts answer.

    `started_at` is RFC 3339 with offset. `web_url` is None without Temporal Web; `web_hint` then says how to
    get it. `mail_address` is the local mail server's HOST:PORT, `mail_folder` where it keeps what it takes.
    `bank_url` is where the local bank answers, `verification_url` who says which enterprises are verified;
    `register_url` is the official list, as the public sees it.
    """

    pid: int
    address: str
    namespace: str
    web_url: str | None
    web_hint: str | None
    started_at: str
    mail_address: str | None = None
    mail_folder: str | None = None
    bank_url: str | None = None
    verification_url: str | None = None
    register_url: str | None = None


def data_directory(flag: str | os.PathLike[str] | None, environ: Mapping[str, str] = os.environ) -> Path:
    """Where `livebase dev` keeps all it owns: `--data-dir`, else LIVEBASE_DATA_DIR, else `.livebase` here.

    Absolute; need not exist.
    """
    chosen = flag or environ.get("LIVEBASE_DATA_DIR") or DEFAULT_DIRECTORY
    return Path(chosen).expanduser().absolute()


def write(directory: Path, state: LocalState) -> None:
    """Record `state`, whole or not at all. `state.pid` must be running.

    The process's creation time is kept beside it, so that a later process with the same id is not taken for it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    content = asdict(state) | {"process_created": _created(state.pid)}
    descriptor, name = tempfile.mkstemp(dir=directory, prefix=f".{FILE}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=2)
            file.write("\n")
        os.replace(name, directory / FILE)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read(directory: Path) -> LocalState | None:
    """What runs there; None when nothing does: no file, an unreadable one, or the process is gone."""
    try:
        content = json.loads((directory / FILE).read_text(encoding="utf-8"))
        state = LocalState(**{field.name: content[field.name] for field in fields(LocalState) if field.name in content})
        created, recorded = _created(state.pid), content["process_created"]
        same = created is not None and abs(created - recorded) <= _CREATE_TIME_TOLERANCE
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return state if same else None


def clear(directory: Path) -> None:
    """Forget what ran there. No error when nothing is recorded."""
    (directory / FILE).unlink(missing_ok=True)


def _created(pid: int) -> float | None:
    """When the process was created, in seconds since the epoch; None when it is gone or only a zombie."""
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return float(process.create_time())
    except psutil.Error:
        return None
