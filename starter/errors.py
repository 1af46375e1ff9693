"""How a command ends when it can't do what it was asked: the fixed exit codes, one line why, one line what next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class CommandError(Exception):
    """Ends the command with `code`: what happened and why, what to type next, every problem with its path."""

    def __init__(
        self, code: int, kind: str, message: str, hint: str = "", problems: Sequence[tuple[str, str]] = ()
    ) -> None:
        super().__init__(message)
        self.code = code
        self.kind = kind
        self.message = message
        self.hint = hint
        self.problems = tuple(problems)

    def as_json(self) -> dict[str, Any]:
        """The fixed JSON of an error."""
        problems = [{"path": path, "message": message} for path, message in self.problems]
        return {"error": {"kind": self.kind, "message": self.message, "hint": self.hint, "problems": problems}}


def usage(message: str, hint: str = "") -> CommandError:
    """Wrong usage (2)."""
    return CommandError(2, "usage", message, hint)


def not_found(base: str) -> CommandError:
    """No such base, case or certificate (3)."""
    hint = "Give a credit code, a case number LB-… or a certificate number LBC-…; see: livebase list"
    return CommandError(3, "not_found", f"Nothing goes by {base[:40]!r}.", hint)


def unreachable(message: str, hint: str) -> CommandError:
    """Temporal or the database can't be reached (6)."""
    return CommandError(6, "unreachable", message, hint)


def no_answer(request_id: str) -> CommandError:
    """No answer in time (7): it may still happen."""
    return CommandError(
        7,
        "no_answer",
        "No answer in time. It may still happen.",
        f"Ask again with the same words and: --request-id {request_id}",
    )
