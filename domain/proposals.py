"""What a proposal is bound to: an act's exact content, and the state of the case it was made on (decision 29)."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from domain.case import Case
from domain.stages import Stage


def content_of(case: Case, action: str, parameters: dict[str, Any]) -> str:
    """The sha256 (hex) of what would be done, and of all about the case that it is decided on."""
    bound = {"action": action, "parameters": parameters, "state": state_of(case)}
    text = json.dumps(bound, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def state_of(case: Case) -> dict[str, Any]:
    """What an act is decided on: stage, revision, terms, holds, ending, what is paid.

    What comes of itself or from outside holds up no approval: publication does not count (`publishing` and `valid`
    are one), nor does money that fits nowhere.
    """
    ending, deposit = case.ending, case.deposit
    return {
        "stage": (Stage.VALID if case.stage is Stage.PUBLISHING else case.stage).value,
        "revision": case.revision,
        "terms": [[term.certificate_number, term.until.isoformat()] for term in case.terms],
        "holds": [[hold.kind, hold.since.isoformat()] for hold in case.holds],
        "ending": None if ending is None else [ending.kind.value, ending.legal_at.isoformat()],
        "deposit": [deposit.required, deposit.received, deposit.deducted, deposit.refunded],
    }
