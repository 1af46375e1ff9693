"""What a proposal is bound to: an act's exact content, and the state of the case it was made on (decision 29)."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from domain.bank import masked
from domain.case import Case, Proposal
from domain.stages import Stage


def content_of(case: Case, action: str, parameters: dict[str, Any]) -> str:
    """The sha256 (hex) of what would be done, and of all about the case that it is decided on."""
    bound = {"action": action, "parameters": parameters, "state": state_of(case), **_of_payment(case, parameters)}
    text = json.dumps(bound, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def with_masked_account(parameters: dict[str, Any]) -> dict[str, Any]:
    """An act's parameters as lists, letters and the audit log have them: an account's number is only recognised."""
    account = parameters.get("account")
    return parameters if account is None else {**parameters, "account": masked(account)}


def _of_payment(case: Case, parameters: dict[str, Any]) -> dict[str, Any]:
    """What is on the case of the payment an act is about: credited, and unmatched, in fen."""
    if (reference := parameters.get("reference")) is None:
        return {}
    parts = (case.credited, case.unmatched_payments)
    return {"payment": [sum(one.amount for one in part if one.reference == reference) for part in parts]}


def state_of(case: Case) -> dict[str, Any]:
    """What an act is decided on, by part: all that people have made of the case.

    What comes of itself or from outside holds up no approval: publication (`publishing` and `valid` are one) and a
    case that closes, a suspension that begins with a day that is over, a quarter's figures until somebody decides or
    confirms them, money that comes in.
    """
    ending, appeal, deposit, hold = case.ending, case.appeal, case.deposit, case.hold("compliance")
    alike = {Stage.PUBLISHING: Stage.VALID, Stage.CLOSED: Stage.SETTLING}
    return {
        "stage": alike.get(case.stage, case.stage).value,
        "revision": case.revision,
        "terms": [[term.certificate_number, term.until.isoformat()] for term in case.terms],
        "suspension": None if hold is None else [hold.since.isoformat(), hold.reason],
        "violations": [[conduct.id, conduct.acts] for conduct in case.conduct],
        "assessments": [
            # What has been corrected since is a reason to set aside what a fail has ended.
            [one.period, one.state, one.result, one.revision if ending else None]
            for one in case.assessments
            if one.state in ("decided", "confirmed")
        ],
        "ending": None if ending is None else [ending.kind.value, ending.decision, ending.legal_at.isoformat()],
        "appeal": None if appeal is None else [appeal.decision, appeal.outcome],
        "deposit": [deposit.required, deposit.deducted, deposit.refunded + deposit.refund_pending],
    }


def changed_since(case: Case, proposal: Proposal) -> tuple[str, ...]:
    """Which parts of the state people have changed since it was proposed; nothing when it is as it was."""
    if content_of(case, proposal.action, proposal.parameters) == proposal.content:
        return ()
    now = state_of(case)
    return tuple(part for part in now if now[part] != proposal.seen.get(part)) or (
        "payment" if "reference" in proposal.parameters else "state",
    )
