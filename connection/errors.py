"""What can go wrong on the way to Temporal. Each error says what happened and why, and what to type next."""

from __future__ import annotations


class ConnectionProblem(Exception):
    """Base of this package's errors.

    `message` is one line: what happened and why. `hint` is what to do next, as few lines as it takes.
    `str()` gives both.
    """

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class Unreachable(ConnectionProblem):
    """No server is configured, or the configured one does not answer (exit code 6)."""


class BadConfiguration(ConnectionProblem):
    """A profile, a TOML file or a TEMPORAL_* variable can't be used (exit code 2)."""


class NoServer(ConnectionProblem):
    """There is no Temporal server on this machine and no way to get one; the hint names the four ways."""


class StartFailed(ConnectionProblem):
    """A local server was found but did not come up, or went away; the message ends with its last log lines."""


class ClockRefused(ConnectionProblem):
    """A case's clock can't be moved: not on this server, or not while someone else moves it."""


class PayloadRefused(Exception):
    """A payload that is not what the workflow it stands in was sent: in clear, changed, or another one's."""


class KeyUnknown(Exception):
    """A payload was sealed with a key that is not among ours; it can be opened once it is."""
