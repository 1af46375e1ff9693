"""Money that fits nowhere: counted towards the deposit after all, or returned to who paid it (decision 15).

It has waited on the case itself, on another one, or on none. Finance counts it alone; to return it takes a second
person, as whatever moves money out does (decision 29).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from domain import deposit, refund
from domain.case import Case, Credited, Refund, with_more
from domain.commands import AssignPayment, ReturnPayment
from domain.judging import judge
from domain.ledger import Account, Transfer
from domain.letters import letter
from domain.money import format_cny
from domain.records import Decision, KnownBy, Payment, PaymentMoved, Record, Transition
from domain.refusals import Refusal, RefusalKind
from domain.setting import Setting, step
from domain.stages import Stage


@dataclass(frozen=True)
class Elsewhere:
    """A payment that waits on another case, with that case's setting; or on none, with None for both.

    Of one of no case `left` fen wait, None being all, after so many `orders` to return it.
    """

    payment: Payment
    case: Case | None = None
    setting: Setting | None = None
    left: int | None = None
    orders: int = 0


def leaves_nobody(payment: Payment, orders: int) -> str:
    """The one key under which money of no case leaves: for a case, or back to who paid it, whichever is first."""
    return f"placed:{payment.reference}:{payment.edition}" + (f":{orders}" if orders else "")


def is_here(case: Case, reference: str) -> bool:
    """Whether something of a payment is unmatched on the case."""
    return any(one.reference == reference for one in case.unmatched_payments)


def take(case: Case, command: AssignPayment, stands: Elsewhere, setting: Setting) -> Transition:
    """Take over what of a payment waits elsewhere, and count it towards the deposit as far as the deposit lacks it.

    The rest is unmatched here. On a case that has ended all of it is: to be returned, or counted by a decision of its
    own. The other case's books are put right in the same transaction.
    """
    judge(case, command)
    reference = stands.payment.reference
    if stands.left is not None and stands.left < stands.payment.amount:
        # What is out may come back: then it would be neither the case's nor anybody's.
        raise Refusal(
            RefusalKind.ALREADY_DECIDED,
            f"A part of the payment {reference} has been returned already; the rest of it can only be returned too.",
            f"Return it with: livebase deposit unmatched return {reference} --reason R",
        )
    amount = _waiting(stands.case, reference).amount if stands.case else stands.payment.amount
    amount = amount if stands.left is None else stands.left
    credited = 0 if case.ending is not None else min(amount, case.deposit.missing)
    left = amount - credited
    records, changes = deposit.credit(case, reference, credited, setting)
    received = case.deposit.received + credited
    sums = case.deposit.model_copy(update={"received": received, "unmatched": case.deposit.unmatched + left})
    if left:
        changes["unmatched_payments"] = with_more(case.unmatched_payments, reference, left)
    id = f"{case.case_number}-{case.sequence + 1}"
    came_from = stands.case.case_number if stands.case else None
    reasoned = Decision("payment_assigned", command.actor.name, command.actor.role, case.revision, command.reason)
    here = step(
        case,
        setting,
        "payment_taken_over",
        command.actor,
        reasoned,
        PaymentMoved(reference, stands.payment.edition, amount, came_from),
        Transfer(_key(stands, id), Account.UNPLACED, Account.UNMATCHED, amount, reference),
        *([Transfer(f"assigned:{id}", Account.UNMATCHED, Account.DEPOSIT, credited, reference)] if credited else []),
        *records,
        KnownBy({"reference": reference, "payer": stands.payment.payer}),
        *_told(case, reference, amount, credited, sums.missing, setting),
        detail={
            "reference": reference,
            "payer": stands.payment.payer,
            "value_date": stands.payment.value_date.isoformat(),
            "from_case": came_from,
            "credited": {"fen": credited},
            "unmatched": {"fen": left},
            "reason": command.reason,
        },
        **{**changes, "deposit": sums},
    )
    if stands.case is None or stands.setting is None:
        return here
    return replace(here, beside=_gone(stands.case, command, stands.setting, case.case_number, id))


def _key(stands: Elsewhere, id: str) -> str:
    """Money of no case is nobody's row to lock: of two cases that take it at once, the second finds its key used."""
    return f"moved:{id}" if stands.case else leaves_nobody(stands.payment, stands.orders)


def _gone(case: Case, command: AssignPayment, setting: Setting, to_case: str, id: str) -> Transition:
    """What it does to the case a payment has waited on."""
    waiting = _waiting(case, command.reference)
    return step(
        case,
        setting,
        "payment_moved_away",
        command.actor,
        Decision("payment_moved_away", command.actor.name, command.actor.role, case.revision, command.reason),
        Transfer(f"moved:{id}:away", Account.UNMATCHED, Account.UNPLACED, waiting.amount, waiting.reference),
        detail={
            "reference": waiting.reference,
            "amount": {"fen": waiting.amount},
            "to_case": to_case,
            "reason": command.reason,
        },
        deposit=case.deposit.model_copy(update={"unmatched": case.deposit.unmatched - waiting.amount}),
        unmatched_payments=_less(case, waiting, waiting.amount),
    )


def _told(case: Case, reference: str, amount: int, credited: int, missing: int, setting: Setting) -> Iterator[Record]:
    """The applicant hears of what counts now, finance of what is left."""
    if credited:
        yield letter(
            case,
            "payment_assigned.part" if missing else "payment_assigned",
            setting,
            amount=format_cny(credited),
            reference=reference,
            missing=format_cny(missing),
        )
    if amount > credited:
        yield letter(
            case,
            "payment_unmatched",
            setting,
            amount=format_cny(amount),
            unmatched=format_cny(amount - credited),
            reference=reference,
            reason="案件已结束" if case.ending is not None else "超出应缴的保证金",
        )


def assign(case: Case, command: AssignPayment, setting: Setting) -> Transition:
    """Count what of a payment fits nowhere towards the deposit, as far as the deposit lacks it.

    Refused (5) when nothing of the payment is unmatched on this case, or the deposit lacks nothing.
    """
    judge(case, command)
    waiting = _waiting(case, command.reference)
    if not case.deposit.missing:
        raise Refusal(
            RefusalKind.NOTHING_LACKING,
            "The deposit lacks nothing: what is too much can only be returned.",
            f"Return it with: livebase deposit unmatched return {waiting.reference} --reason R",
        )
    amount = min(waiting.amount, case.deposit.missing)
    records, changes = deposit.credit(case, waiting.reference, amount, setting)
    sums = changes["deposit"].model_copy(update={"unmatched": case.deposit.unmatched - amount})
    if case.stage in (Stage.SETTLING, Stage.CLOSED):
        # For a decision that is to be set aside (decision 28); until then it is held, and somebody's task.
        changes |= {"stage": Stage.SETTLING, **refund.owed(case, setting)}
    return step(
        case,
        setting,
        "payment_assigned",
        command.actor,
        Decision("payment_assigned", command.actor.name, command.actor.role, case.revision, command.reason),
        Transfer(
            f"assigned:{case.case_number}-{case.sequence + 1}",
            Account.UNMATCHED,
            Account.DEPOSIT,
            amount,
            waiting.reference,
        ),
        *records,
        letter(
            case,
            "payment_assigned.part" if sums.missing else "payment_assigned",
            setting,
            amount=format_cny(amount),
            reference=waiting.reference,
            missing=format_cny(sums.missing),
        ),
        detail={"reference": waiting.reference, "amount": {"fen": amount}, "reason": command.reason},
        **{**changes, "deposit": sums, "unmatched_payments": _less(case, waiting, amount)},
    )


def give_back(case: Case, command: ReturnPayment, setting: Setting) -> Transition:
    """Order the return of what of a payment fits nowhere, to the account it came from.

    Refused (5) when nothing of the payment is unmatched on this case.
    """
    judge(case, command)
    waiting = _waiting(case, command.reference)
    back = Refund(
        id=f"{case.case_number}-{case.sequence + 1}-R1",
        of="unmatched",
        payment=waiting.reference,
        amount=waiting.amount,
    )
    return refund.ordered(
        case,
        (back,),
        setting,
        "payment_return_ordered",
        command,
        detail={"reason": command.reason},
        unmatched_payments=_less(case, waiting, waiting.amount),
    )


def _waiting(case: Case, reference: str) -> Credited:
    waiting = next((one for one in case.unmatched_payments if one.reference == reference), None)
    if waiting is None:
        raise Refusal(
            RefusalKind.NOTHING_UNMATCHED,
            f"Nothing of the payment {reference} is unmatched on case {case.case_number}.",
            "See what is with: livebase deposit unmatched",
        )
    return waiting


def _less(case: Case, waiting: Credited, amount: int) -> tuple[Credited, ...]:
    left = waiting.model_copy(update={"amount": waiting.amount - amount})
    others = tuple(one for one in case.unmatched_payments if one != waiting)
    return (*others, left) if left.amount else others
