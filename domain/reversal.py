"""A payment taken back: the bank has reversed it, or it was recorded wrongly (decisions 15, 16 and 29).

Proposed by finance and done when a second person approves. What of the payment is on the case is taken off its accounts
as if it had never come; what is on another case is taken back there. A deposit that is short then is waited for again
before the certification, and topped up after it, as after a deduction.

Of a payment that was deducted from or refunded, what is there is taken back now. The rest stays credited, as the ledger
has no money to take: a shortfall that `deposit reconcile` names at every statement, that bars a refund, and that is
taken back the same way once the base has topped up. So no fen is invented and no account is ever below zero (L4, L5).
"""

from __future__ import annotations

from typing import Any

from domain import deposit, top_up
from domain.case import Case, Credited, with_more
from domain.commands import ReversePayment
from domain.judging import judge
from domain.ledger import Account, Transfer
from domain.letters import letter
from domain.money import format_cny
from domain.planning import Event
from domain.records import Decision, Letter, PaymentReversed, Reported, Transition
from domain.refusals import Refusal, RefusalKind
from domain.setting import Setting, step
from domain.stages import Stage

_SETTLEMENT = ("settle_deposit", "return_deposit")
_BEFORE_TERM = frozenset({Stage.REVIEW, Stage.SUPPLEMENT})


def reverse(case: Case, command: ReversePayment, known: Reported | None, setting: Setting) -> Transition:
    """Take back what of a payment is on the case. `known` is what is on record under its reference.

    Refused (5) when nothing of it is, when some of it is on its way out, and when all of it has been deducted or
    refunded.
    """
    judge(case, command)
    reference = command.reference
    credited, unmatched = _of(case.credited, reference), _of(case.unmatched_payments, reference)
    if known is None or not credited + unmatched:
        raise Refusal(
            RefusalKind.NOTHING_TO_TAKE_BACK,
            f"Nothing of the payment {reference} is on case {case.case_number}.",
            f"See what is with: livebase deposit show {case.case_number}",
        )
    back = min(credited, case.deposit.available)
    short = credited - back
    _require_still_here(case, reference, back + unmatched)
    sums = case.deposit.model_copy(
        update={"received": case.deposit.received - back, "unmatched": case.deposit.unmatched - unmatched}
    )
    after = case.model_copy(
        update={
            "deposit": sums,
            "credited": _left(case.credited, reference, short),
            "shortfalls": _left(with_more(case.shortfalls, reference, short), reference, short),
            "unmatched_payments": _left(case.unmatched_payments, reference, 0),
        }
    )
    changes = _follows(after, back, setting)
    id = f"{case.case_number}-{case.sequence + 1}"
    accounts = ((Account.DEPOSIT, back), (Account.UNMATCHED, unmatched))
    return step(
        case,
        setting,
        "payment_reversed",
        command.actor,
        Decision("payment_reversed", command.actor.name, command.actor.role, case.revision, command.reason),
        *(
            Transfer(f"reversed:{id}:{account}", account, Account.BANK, part, reference)
            for account, part in accounts
            if part
        ),
        PaymentReversed(reference, known.payment.edition, back + unmatched),
        *_told(after, changes, command, back, short, setting),
        detail={
            "reference": reference,
            "credited": {"fen": back},
            "unmatched": {"fen": unmatched},
            "reason": command.reason,
            **({"shortfall": {"fen": short}} if short else {}),
        },
        **{
            "deposit": sums,
            "credited": after.credited,
            "shortfalls": after.shortfalls,
            "unmatched_payments": after.unmatched_payments,
            **changes,
        },
    )


def _follows(after: Case, credited: int, setting: Setting) -> dict[str, Any]:
    """What the deposit that is left opens, in whatever stage the case is."""
    if not credited:
        return {}
    if after.stage is Stage.CERTIFYING:
        return deposit.no_longer_full(after, setting)
    if after.stage is Stage.SETTLING and not after.deposit.held:  # nothing is left to be given back
        return {
            "tasks": after.tasks_without(*_SETTLEMENT),
            "plan": after.plan_without(Event.ESCALATE_SETTLEMENT),
        }
    return top_up.opened(after, setting)


def _told(
    after: Case, changes: dict[str, Any], command: ReversePayment, credited: int, short: int, setting: Setting
) -> tuple[Letter, ...]:
    """The applicant hears of what had been credited; what had not, they were never told of."""
    if not credited:
        return ()
    tasks = changes.get("tasks", after.tasks)
    owed = next((task for task in tasks if task.kind in ("deposit", top_up.TASK)), None)
    if after.stage in (Stage.SETTLING, Stage.CLOSED):
        how, owed = "ended", None
    elif after.stage in _BEFORE_TERM or owed is None:
        how, owed = ("early" if after.stage in _BEFORE_TERM else "ended"), None
    elif owed.kind == "deposit":
        how = "waiting"
    else:
        how = "top_up" if owed.due_at else "suspended"
    dated = owed if owed is not None and owed.due_at is not None else None
    return (
        letter(
            after,
            f"payment_reversed.{how}",
            setting,
            until=dated.due_at if dated else None,
            provisional=dated.provisional if dated else False,
            amount=format_cny(credited),
            reference=command.reference,
            reason=command.reason,
            left=format_cny(after.deposit.held),
            missing=format_cny(after.deposit.missing),
            rest=f"另有人民币{format_cny(short)}元此前已扣除或退还,待保证金补足后再行冲销。" if short else "",
        ),
    )


def _require_still_here(case: Case, reference: str, there: int) -> None:
    shown = f"livebase deposit show {case.case_number}"
    if any(one.payment == reference and one.state == "pending" for one in case.refunds):
        raise Refusal(
            RefusalKind.PAYMENT_SPENT,
            f"Money of the payment {reference} is on its way out.",
            f"Take it back when the bank has answered; see: {shown}",
        )
    if not there:
        raise Refusal(
            RefusalKind.PAYMENT_SPENT,
            f"Nothing of the payment {reference} is there to be taken back: all of it was deducted or refunded.",
            "What was deducted is taken back when the base has topped up, what was refunded is claimed from who got "
            f"it; livebase deposit reconcile names it until then. See: {shown}",
        )


def _of(payments: tuple[Credited, ...], reference: str) -> int:
    return sum(one.amount for one in payments if one.reference == reference)


def _left(payments: tuple[Credited, ...], reference: str, amount: int) -> tuple[Credited, ...]:
    """Payments of which so much is left under a reference; none when it is nothing."""
    left = (one.model_copy(update={"amount": amount}) if one.reference == reference else one for one in payments)
    return tuple(one for one in left if one.amount)
