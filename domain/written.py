"""What people write in their own words about a case: a report's facts, a base's answer, objection or appeal, a note.

It may name anybody, and histories keep what is sent. So it is handed over first, like a document, and its command
names it by its sha256 (`paper`); the transaction reads it. A command sent before that carries the words themselves.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.refusals import Refusal, RefusalKind

_AGAIN = "Send it again: papers are handed over first. Worker and command line must share LIVEBASE_DOCUMENTS."


class Written(BaseModel):
    """What somebody wrote, as it is handed over."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

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
    """The command with what its paper says in its fields. Refuses (2) a paper of another kind, or none and no words."""
    if paper is None:
        if any(field.is_required() and not getattr(command, name) for name, field in kind.model_fields.items()):
            raise Refusal(RefusalKind.INVALID_FILE, "The command names no paper and says nothing.", _AGAIN)
        return command
    try:
        written = kind.model_validate_json(paper)
    except ValidationError:
        raise Refusal(RefusalKind.INVALID_FILE, "The paper is none of its kind.", _AGAIN) from None
    return command.model_copy(update={name: getattr(written, name) for name in kind.model_fields})
