"""How a command ends when it can't do what it was asked: the fixed exit codes, one line why, one line what next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from domain.refusals import Refusal


class CommandError(Exception):
    """Ends the command with `code`: what happened and why, what to type next, every problem with its path.

    `told` says that what the command has printed on stdout tells it already, so that no error follows there.
    """

    def __init__(
        self,
        code: int,
        kind: str,
        message: str,
        hint: str = "",
        problems: Sequence[tuple[str, str]] = (),
        *,
        told: bool = False,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.kind = kind
        self.message = message
        self.hint = hint
        self.problems = tuple(problems)
        self.told = told

    def as_json(self) -> dict[str, Any]:
        """The fixed JSON of an error."""
        problems = [{"path": path, "message": message} for path, message in self.problems]
        return {"error": {"kind": self.kind, "message": self.message, "hint": self.hint, "problems": problems}}


def usage(message: str, hint: str = "") -> CommandError:
    """Wrong usage (2)."""
    return CommandError(2, "usage", message, hint)


def refused(refusal: Refusal) -> CommandError:
    """A refusal of the rules, with its fixed exit code."""
    return CommandError(refusal.kind.exit_code, refusal.kind.value, refusal.message, refusal.hint, refusal.problems)


def not_found(base: str) -> CommandError:
    """No such base, case or certificate (3)."""
    hint = "Give a credit code, a case number LB-… or a certificate number LBC-…; see: livebase list"
    return CommandError(3, "not_found", f"Nothing goes by {base[:40]!r}.", hint)


def unreachable(message: str, hint: str) -> CommandError:
    """Temporal or the database can't be reached (6)."""
    return CommandError(6, "unreachable", message, hint)


def no_answer(request_id: str, why: str = "No answer in time") -> CommandError:
    """No answer (7): it may still happen."""
    return CommandError(
        7,
        "no_answer",
        f"{why}. It may still happen.",
        f"Ask again with the same words and: --request-id {request_id}",
    )
