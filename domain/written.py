"""What people write in their own words about a case: a report's facts, a base's answer, objection or appeal, a note.

It may name anybody, and histories, records and the audit log keep what is sent. So it is handed over first, like a
document, and its command names it by its sha256 (`paper`); the transaction looks at it, and what goes on record is a
reference to its words, `[[<case>/<sha256>#<place>]]`, filled in for who reads it. Erased with the case's documents,
they are gone everywhere.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.refusals import Refusal, RefusalKind

_AGAIN = "Send it again: papers are handed over first. Worker and command line must share LIVEBASE_DOCUMENTS."

_REFERENCE = re.compile(
    r"\[\[(?P<case>base:[0-9A-Z]+:\d+)/(?P<sha256>[0-9a-f]{64})#(?P<place>[a-z_]+(\.[a-z_0-9]+)*)\]\]"
)
ERASED = "(已删除)"
"""What stands in the place of words that were erased."""
FOR_THE_STAFF = ("text", "affected_accounts", "losses")
"""Where the words of papers begin that a base may not read: notes, and whom a violation has cost what."""
UNREADABLE = b""
"""The paper of who can't read it: the reference stays as it is."""


class Written(BaseModel):
    """What somebody wrote, as it is handed over."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    salt: str = Field(default="", max_length=200)
    """Its command's request id: so that a few words can't be found out by their sha256, and a repeat has the same."""

    @property
    def sha256(self) -> str:
        """What its command names it by."""
        return hashlib.sha256(self.canonical_bytes()).hexdigest()

    def canonical_bytes(self) -> bytes:
        """The bytes to keep."""
        data = self.model_dump(mode="json")
        return json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


class WrittenLoss(Written):
    kind: Literal["penalty_points", "frozen_permissions", "removal", "other"]
    description: str = Field(min_length=1, max_length=2000)


class WrittenReport(Written):
    """What a violation was found to be, whom it has cost what (R8)."""

    facts: str = Field(min_length=1, max_length=2000)
    affected_accounts: tuple[str, ...] = ()
    losses: tuple[WrittenLoss, ...] = ()


class WrittenNote(Written):
    """What the staff keeps about a case."""

    text: str = Field(min_length=1, max_length=2000)


class WrittenStatement(Written):
    """What a base states in its own defence."""

    statement: str = Field(min_length=1, max_length=2000)


def with_words(command: Any, kind: type[Written], paper: bytes | None) -> Any:
    """The command with references to its paper's words in its fields, which is all that goes on record.

    Refuses (2) a paper of another kind, or none and no words.
    """
    if paper is None:
        if any(field.is_required() and not getattr(command, name) for name, field in kind.model_fields.items()):
            raise Refusal(RefusalKind.INVALID_FILE, "The command names no paper and says nothing.", _AGAIN)
        return command
    try:
        written = kind.model_validate_json(paper)
    except ValidationError:
        raise Refusal(RefusalKind.INVALID_FILE, "The paper is none of its kind.", _AGAIN) from None
    begun = f"{command.workflow_id}/{command.paper}"
    fields = [name for name in kind.model_fields if name != "salt"]
    return command.model_copy(update={name: _named(getattr(written, name), begun, name) for name in fields})


def require_handed_over(command: Any) -> None:
    """Refuse (2) words that came with their command, to be kept where nothing can be erased, and words of others."""
    if getattr(command, "paper", "") is None:
        raise Refusal(RefusalKind.INVALID_FILE, "The command names no paper.", _AGAIN)
    if _REFERENCE.search(command.model_dump_json()):
        raise Refusal(RefusalKind.INVALID_VALUE, "A reference to what somebody wrote can't be typed.", "Write it out.")


def _named(value: Any, begun: str, place: str) -> Any:
    """A reference in the place of each text: what its values mean to the rules stays."""
    if isinstance(value, tuple):
        return tuple(_named(one, begun, f"{place}.{number}") for number, one in enumerate(value))
    if isinstance(value, WrittenLoss):
        return value.model_copy(update={"description": _named(value.description, begun, f"{place}.description")})
    return f"[[{begun}#{place}]]"


def filled_in(told: Any, read: Callable[[str, str, str], bytes | None], clean: Callable[[str], str] = str) -> Any:
    """What is told, texts within lists and mappings, with the words in the place of every reference to them.

    `read` gives a paper by its case's workflow id, its sha256 and the place that is wanted; None for one that was
    erased. `clean` makes of words what may stand among others.
    """
    if isinstance(told, dict):
        return {name: filled_in(value, read, clean) for name, value in told.items()}
    if isinstance(told, list | tuple):
        return type(told)(filled_in(value, read, clean) for value in told)
    if isinstance(told, str) and "[[" in told:
        return _REFERENCE.sub(lambda found: clean(_words(found, read)), told)
    return told


def _words(found: re.Match[str], read: Callable[[str, str, str], bytes | None]) -> str:
    paper = read(found["case"], found["sha256"], found["place"])
    if paper is None:
        return ERASED
    try:
        value = json.loads(paper)
        for step in found["place"].split("."):
            value = value[int(step) if isinstance(value, list) else step]
    except (ValueError, LookupError, TypeError, RecursionError):
        return found[0]  # somebody typed it
    return str(value)
