"""The return of money of no case: proposed by finance, ordered when a second person approves (decisions 15, 17, 29).

As from a case (`domain/unmatched.py`, `domain/refund.py`), but nobody's case has it on record: what happened to it is a
list of steps, only ever added to, and how it stands is what they come to. One proposal is one order to the bank.

It leaves by the key by which a case would take it over, so that of the two one happens.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from domain.bank import BankAnswer
from domain.commands import ApproveProposal, DenyProposal, ReportRefund, ReturnPayment, UnplacedView, payment_number
from domain.ledger import Account, Transfer
from domain.permissions import require_may_decide
from domain.records import Approval, Payment, Reported
from domain.refusals import Refusal, RefusalKind
from domain.unmatched import leaves_nobody

ACTION = ReturnPayment.action
SYSTEM = "system"
_OUT = frozenset({"approved", "paid"})
_LISTED = "See what waits with: livebase deposit unmatched"
_STATEMENT = "Compare it with the bank's statement."


@dataclass(frozen=True)
class Step:
    """One thing that happened to the return of a payment; `amount` fen of it, for `paid` what the bank has paid.

    `proposal` is the id it goes by; `by` a person and their `role`, or the system. `reason` is theirs or the bank's.
    """

    what: Literal["proposed", "approved", "denied", "expired", "paid", "refused", "returned"]
    proposal: str
    amount: int
    content: str
    by: str
    role: str
    at: datetime
    reason: str = ""
    bank_reference: str = ""
    expires_at: datetime | None = None


@dataclass(frozen=True)
class Unplaced:
    """A payment that was recorded as no case's, and what has happened to its return, first to last."""

    known: Reported
    steps: tuple[Step, ...] = ()

    @property
    def payment(self) -> Payment:
        return self.known.payment

    @property
    def last(self) -> dict[str, Step]:
        """Proposal → what happened to it last."""
        return {step.proposal: step for step in self.steps}

    @property
    def left(self) -> int:
        """What of it nobody has yet, and is not on its way back. Fen."""
        if self.known.case_number is not None:
            return 0
        return self.payment.amount - sum(step.amount for step in self.last.values() if step.what in _OUT)

    @property
    def orders(self) -> int:
        """How often its return has been ordered."""
        return sum(step.what == "approved" for step in self.steps)

    @property
    def open(self) -> Step | None:
        """The proposal that waits for a second person; none does once a case has the money."""
        return self._now("proposed") if self.known.case_number is None else None

    @property
    def order(self) -> Step | None:
        """The order the bank has not settled."""
        return self._now("approved")

    @property
    def view(self) -> UnplacedView:
        proposal, order = self.open, self.order
        return UnplacedView(
            reference=self.payment.reference,
            left=self.left,
            amount=self.payment.amount,
            case_number=self.known.case_number,
            proposal=proposal.proposal if proposal else None,
            expires_at=proposal.expires_at if proposal else None,
            order=order_of(order.proposal) if order else None,
        )

    def proposed(self, proposal: str) -> Step | None:
        """How a proposal was made."""
        return next((step for step in self.steps if step.proposal == proposal and step.what == "proposed"), None)

    def _now(self, what: str) -> Step | None:
        return next((step for step in self.last.values() if step.what == what), None)


@dataclass(frozen=True)
class Done:
    """What an act comes to: the step, its transfers, and the two people of an approval. `repeated`: nothing new."""

    step: Step
    transfers: tuple[Transfer, ...] = ()
    approval: Approval | None = None
    repeated: bool = False


def order_of(proposal: str) -> str:
    """The key by which the bank knows the order of an approved proposal."""
    return f"{proposal}-R1"


def proposal_of(order: str) -> str:
    """The proposal an order is of."""
    return order.removesuffix("-R1")


def content_of(unplaced: Unplaced, reason: str) -> str:
    """The sha256 (hex) of what would be done, and of what it is decided on."""
    payment = unplaced.payment
    bound = {
        "action": ACTION,
        "parameters": {"reference": payment.reference, "reason": reason},
        "payment": [payment.edition, payment.amount, payment.payer, payment.value_date.isoformat()],
        "left": unplaced.left,
        "orders": unplaced.orders,
    }
    return hashlib.sha256(json.dumps(bound, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def propose(unplaced: Unplaced | None, command: ReturnPayment, due_at: datetime, now: datetime) -> Done:
    """Put the return of all that is left before a second person, who has until `due_at`."""
    if unplaced is None:
        raise Refusal(RefusalKind.NOT_FOUND, f"There is no payment {command.reference}.", _LISTED)
    payment = unplaced.payment
    if not unplaced.left:
        where = unplaced.known.case_number
        raise Refusal(
            RefusalKind.NOTHING_UNMATCHED,
            f"The payment {payment.reference} is on case {where} by now."
            if where
            else f"The payment {payment.reference} has been returned, or is on its way back.",
            _LISTED,
        )
    if (other := unplaced.open) is not None:
        raise Refusal(
            RefusalKind.PROPOSAL_PENDING,
            f"{other.by} has proposed the same ({ACTION}); it waits for a second person.",
            f"See it with: livebase approvals show {other.proposal}",
        )
    step = Step(
        what="proposed",
        proposal=f"{payment_number(payment.reference)}-{len(unplaced.steps) + 1}",
        amount=unplaced.left,
        content=content_of(unplaced, command.reason),
        by=command.actor.name,
        role=command.actor.role.value,
        at=now,
        reason=command.reason,
        expires_at=due_at,
    )
    return Done(step)


def approve(unplaced: Unplaced | None, command: ApproveProposal, now: datetime) -> Done:
    """The second person approves: it is off the account it stood on, and the bank is to be asked."""
    unplaced, proposed = _decided_on(unplaced, command.proposal, command)
    changed = content_of(unplaced, proposed.reason) != proposed.content
    if changed or command.content != proposed.content:
        raise Refusal(
            RefusalKind.PROPOSAL_CHANGED,
            f"The payment has changed since the proposal {proposed.proposal} was made."
            if changed
            else f"The proposal {proposed.proposal} is not what the approval saw.",
            f"See it with: livebase approvals show {proposed.proposal}",
        )
    _require_open(unplaced, proposed, now)
    transfer = Transfer(
        leaves_nobody(unplaced.payment, unplaced.orders),
        Account.UNPLACED,
        Account.RETURN_PENDING,
        proposed.amount,
        order_of(proposed.proposal),
        approval=proposed.proposal,
    )
    second = command.actor
    return Done(
        _then(proposed, "approved", second.name, second.role.value, now),
        (transfer,),
        Approval(proposed.proposal, ACTION, proposed.content, proposed.by, second.name),
    )


def deny(unplaced: Unplaced | None, command: DenyProposal, now: datetime) -> Done:
    """One denial ends a proposal; whoever made it may take it back so."""
    unplaced, proposed = _decided_on(unplaced, command.proposal, command)
    _require_open(unplaced, proposed, now)
    return Done(_then(proposed, "denied", command.actor.name, command.actor.role.value, now, command.reason))


def expire(unplaced: Unplaced, proposal: str, now: datetime) -> Done | None:
    """Nobody has approved or denied it in time; None when there is nothing to expire (any more)."""
    proposed = unplaced.open
    if proposed is None or proposed.proposal != proposal or proposed.expires_at is None or now < proposed.expires_at:
        return None
    return Done(_then(proposed, "expired", SYSTEM, "", now))


def answered(unplaced: Unplaced, order: str, answer: BankAnswer, now: datetime) -> Done | None:
    """What the bank says of an order it was asked for; None for no answer that settles it, or a settled order."""
    approved = unplaced.order
    if approved is None or order_of(approved.proposal) != order or answer.state in ("processing", "unreachable"):
        return None
    if answer.state == "paid" and answer.amount is not None and not 0 < answer.amount <= approved.amount:
        return None
    return _settled(approved, answer, SYSTEM, "", now)


def reported(unplaced: Unplaced | None, command: ReportRefund, now: datetime) -> Done:
    """What the bank tells of an order unasked, as `domain.refund.reported`: the same events, the same refusals."""
    last = unplaced.last.get(proposal_of(command.refund)) if unplaced else None
    if last is None or last.what in ("proposed", "denied", "expired"):
        message = f"Nobody ordered the return {command.refund}."
        raise Refusal(RefusalKind.NOT_FOUND, message, _STATEMENT)
    if command.is_no_news(last.what, last.amount, last.bank_reference):
        return Done(last, repeated=True)
    partly = command.state == "paid" and last.what == "approved" and command.amount < last.amount
    if command.amount != last.amount and not partly:
        raise Refusal(
            RefusalKind.INVALID_VALUE,
            f"The return {command.refund} is one of {last.amount} fen, not of {command.amount}.",
            _STATEMENT,
        )
    who, role = command.actor.name, command.actor.role.value
    if last.what == "approved":
        states: dict[str, Literal["paid", "refused", "returned"]] = {"failed": "refused"}
        state = states.get(command.state, "paid" if command.state == "paid" else "returned")
        answer = BankAnswer(state=state, reference=command.reference, why=command.why, amount=command.amount)
        return _settled(last, answer, who, role, now)
    if last.what == "paid" and command.state == "returned":
        # By the way it went, so that it counts as no payment.
        key, order = f"return:{last.proposal}:returned", order_of(last.proposal)
        back = (
            Transfer(key, Account.BANK, Account.RETURN_PENDING, last.amount, order),
            Transfer(f"{key}:held", Account.RETURN_PENDING, Account.UNPLACED, last.amount, order),
        )
        return Done(_then(last, "returned", who, role, now, command.why), back)
    raise Refusal(
        RefusalKind.REFERENCE_REUSED,
        f"The return {command.refund} is on record as {last.what}, {last.amount} fen; now the bank says "
        f"{command.state}, {command.amount} fen.",
        _STATEMENT,
    )


def _settled(approved: Step, answer: BankAnswer, by: str, role: str, now: datetime) -> Done:
    key, order = f"return:{approved.proposal}", order_of(approved.proposal)
    if answer.state != "paid":
        what: Literal["refused", "returned"] = "refused" if answer.state == "refused" else "returned"
        back = Transfer(f"{key}:settled", Account.RETURN_PENDING, Account.UNPLACED, approved.amount, order)
        return Done(_then(approved, what, by, role, now, answer.why, answer.reference), (back,))
    paid = approved.amount if answer.amount is None else answer.amount
    transfers = [Transfer(f"{key}:settled", Account.RETURN_PENDING, Account.BANK, paid, order)]
    if rest := approved.amount - paid:
        transfers.append(Transfer(f"{key}:rest", Account.RETURN_PENDING, Account.UNPLACED, rest, order))
    return Done(_then(approved, "paid", by, role, now, answer.why, answer.reference, amount=paid), tuple(transfers))


def _decided_on(
    unplaced: Unplaced | None, proposal: str, command: ApproveProposal | DenyProposal
) -> tuple[Unplaced, Step]:
    """The proposal a decision is about. Refused: an unknown one (3), and who may not decide on it (4)."""
    proposed = unplaced.proposed(proposal) if unplaced else None
    if unplaced is None or proposed is None:
        hint = "See what waits for a second person with: livebase approvals"
        raise Refusal(RefusalKind.NOT_FOUND, f"There is no proposal {proposal}.", hint)
    require_may_decide(ACTION, proposed.by, command.actor, approves=isinstance(command, ApproveProposal))
    now = unplaced.last[proposal].what
    if now not in ("proposed", "expired"):
        raise Refusal(
            RefusalKind.ALREADY_DECIDED,
            f"The proposal {proposal} has been {'denied' if now == 'denied' else 'approved'} already.",
            f"See it with: livebase approvals show {proposal}",
        )
    return unplaced, proposed


def _require_open(unplaced: Unplaced, proposed: Step, now: datetime) -> None:
    over = proposed.expires_at is not None and now >= proposed.expires_at
    if over or unplaced.last[proposed.proposal].what == "expired":
        message = f"The proposal {proposed.proposal} has expired."
        raise Refusal(RefusalKind.TOO_LATE, message, "It may be proposed anew.")


def _then(
    before: Step,
    what: Literal["approved", "denied", "expired", "paid", "refused", "returned"],
    by: str,
    role: str,
    at: datetime,
    reason: str = "",
    bank_reference: str = "",
    *,
    amount: int | None = None,
) -> Step:
    return Step(
        what=what,
        proposal=before.proposal,
        amount=before.amount if amount is None else amount,
        content=before.content,
        by=by,
        role=role,
        at=at,
        reason=reason,
        bank_reference=bank_reference,
    )


def steps_by_reference(steps: Sequence[tuple[str, int, Step]]) -> dict[tuple[str, int], tuple[Step, ...]]:
    """(reference, edition) → its steps, in the order they are given."""
    found: dict[tuple[str, int], tuple[Step, ...]] = {}
    for reference, edition, step in steps:
        found[reference, edition] = (*found.get((reference, edition), ()), step)
    return found
