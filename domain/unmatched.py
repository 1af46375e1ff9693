"""Money that fits nowhere: counted towards the deposit after all, or returned to who paid it (decision 15).

Finance counts it alone; to return it takes a second person, as whatever moves money out does (decision 29).
"""

from __future__ import annotations

from domain import deposit, refund
from domain.case import Case, Credited, Refund
from domain.commands import AssignPayment, ReturnPayment
from domain.judging import judge
from domain.ledger import Account, Transfer
from domain.letters import letter
from domain.money import format_cny
from domain.records import Decision, Transition
from domain.refusals import Refusal, RefusalKind
from domain.setting import Setting, step
from domain.stages import Stage


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
