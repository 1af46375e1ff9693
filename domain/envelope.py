"""The envelope of a command: what its sender signs, and whether what was signed is what arrived.

The signature is a compact JWS by the sender's Ed25519 key (`store/signatures.py`); its claims name the command, so that
it fits no other one, no other case and no other time. A command sent again is recognised by its request id and has no
second effect, so that an envelope may be repeated while it is valid.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from domain.commands import Command
from domain.refusals import Refusal, RefusalKind

VALID = timedelta(minutes=10)
"""How long a signature is taken."""
SKEW = timedelta(minutes=1)
"""How far the sender's clock may be ahead."""
_AGAIN = "Send it again with the livebase command line: it signs anew each time."


def claims(command: Command, at: datetime, installation: str) -> dict[str, Any]:
    """What is signed of a command at an instant, for one installation: JSON values, instants as seconds since 1970."""
    issued = int(at.timestamp())
    return {**_named(command, installation), "iat": issued, "exp": issued + int(VALID.total_seconds())}


def require_fit(signed: Mapping[str, Any], command: Command, installation: str) -> None:
    """Refuse (4) what was signed for another command, or altered since."""
    other = [name for name, value in _named(command, installation).items() if signed.get(name) != value]
    if other:
        raise Refusal(
            RefusalKind.SIGNATURE_INVALID,
            f"The signature is not of this command: it was made for another {', '.join(other)}.",
            _AGAIN,
        )


def require_timely(signed: Mapping[str, Any], now: datetime) -> None:
    """Refuse (4) a signature that is over, of a time to come, or meant to last. `now` is the wall clock's."""
    issued, until = signed.get("iat"), signed.get("exp")
    if type(issued) is not int or type(until) is not int or until - issued > VALID.total_seconds():
        message = f"A signature says when it was made, and is taken for {VALID.seconds // 60} minutes at most."
        raise Refusal(RefusalKind.SIGNATURE_INVALID, message, _AGAIN)
    if not issued - SKEW.total_seconds() <= now.timestamp() < until:
        message = "The signature is of a time to come." if now.timestamp() < issued else "The signature has expired."
        raise Refusal(RefusalKind.SIGNATURE_EXPIRED, message, f"Check the machine's clock. {_AGAIN}")


def _named(command: Command, installation: str) -> dict[str, str]:
    return {
        "aud": installation,
        "request_id": command.request_id,
        "workflow_id": command.sent_to,
        "action": command.action,
        "params": command.params_hash(),
        "actor": str(command.actor),
    }
