"""What was seen of a list before, and the chain of its snapshots in a folder."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

from starter.errors import usage
from starter.output import say

_SNAPSHOT = re.compile(r"list-(\d{6})\.json")


class Seen:
    """The newest revision of each issuer's list that was ever proven here."""

    def __init__(self, given: str | None) -> None:
        if given is None:
            from platformdirs import user_state_path

            self._file = user_state_path("livebase") / "register-seen.json"
        else:
            self._file = Path(given)
        try:
            found = json.loads(self._file.read_text("utf-8"))
            self._newest = {str(issuer): int(revision) for issuer, revision in found.items()}
        except FileNotFoundError:
            self._newest = {}
        except (OSError, ValueError, TypeError, AttributeError):
            raise usage(
                f"{self._file} does not say what was seen.", "Remove it, or name another: --seen FILE"
            ) from None

    def of(self, document: dict[str, Any]) -> int:
        return self._newest.get(str(document.get("issuer")), 0)

    def remember(self, document: dict[str, Any]) -> None:
        """Keep the revision, if it is the newest; what can't be kept is said, and changes nothing."""
        if document["list_revision"] <= self.of(document):
            return
        self._newest[document["issuer"]] = document["list_revision"]
        part = self._file.with_name(f"{self._file.name}.{os.getpid()}.part")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps(self._newest), "utf-8")
            part.replace(self._file)
        except OSError:
            say("What was seen can't be kept: an older document would not be noticed.")


def snapshots(folder: Path) -> list[Path]:
    """The snapshots of a folder, first to last."""
    return sorted(file for file in folder.iterdir() if _SNAPSHOT.fullmatch(file.name))


def next_snapshot(folder: Path, document: dict[str, Any], sign: Any) -> tuple[Path, int]:
    """The document signed as the next snapshot, in a new file that is there only once it is whole."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        before = snapshots(folder)
        previous = hashlib.sha256(before[-1].read_bytes()).hexdigest() if before else None
        number = len(before) + 1
        file = folder / f"list-{number:06d}.json"
        signed = sign({**document, "snapshot": {"number": number, "previous": previous}})
        part = folder / f".{file.name}.{os.getpid()}"
        with part.open("w", encoding="utf-8") as opened:
            opened.write(json.dumps(signed, ensure_ascii=False, separators=(",", ":")) + "\n")
            opened.flush()
            os.fsync(opened.fileno())
        try:
            os.link(part, file)  # never over one that another export has made meanwhile
        finally:
            part.unlink()
    except OSError as error:
        raise usage(
            f"{folder} can't take a snapshot ({error.strerror}).", "Name another folder, or try again."
        ) from None
    return file, number
