"""Refunds: money back to who paid it, by the bank, when a case has ended (decision 17).

Proposed by finance, ordered when a second person approves, and out of our hands only when the bank confirms it. What
the bank refuses is held again. Money that fits nowhere is returned the same way (decision 15).

One refund is one bank transfer, back to the account of one payment. Its id is the key the bank knows it by: asked again
with the same key, a bank tells how it stands and pays nothing twice. It may tell of it unasked too, more than once and
in any order; what came back after it was paid is held again as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

from domain.bank import ACCOUNT, BankAnswer, masked
from domain.case import Case, Refund, with_more
from domain.commands import RefundDeposit, ReportRefund
from domain.judging import judge
from domain.ledger import Account, Transfer
from domain.letters import letter, long_date
from domain.money import format_cny
from domain.names import company, same_company
from domain.planning import Event, Planned, Task
from domain.records import Decision, Letter, Record, Transition
from domain.refusals import Problem, Refusal, RefusalKind
from domain.setting import SYSTEM, Setting, step
from domain.shanghai import end_of_day, last_day
from domain.stages import Role, Stage

_LONGEST_PAUSE = timedelta(days=1)
_SETTLEMENT = ("settle_deposit", "return_deposit")
_FROM = {"deposit": Account.DEPOSIT, "unmatched": Account.UNMATCHED}
_PENDING = {"deposit": Account.REFUND_PENDING, "unmatched": Account.RETURN_PENDING}
_ON_ITS_WAY = {"deposit": "refund_pending", "unmatched": "return_pending"}
_NOT_PAID = ("refused", "returned")


def refund(case: Case, command: RefundDeposit, setting: Setting) -> Transition:
    """Order the refund of `amount` fen of the deposit, to the accounts it was paid from, the oldest payment first.

    Refused (5) before the settlement period is over, while an appeal is open, for more than is there, and for less
    unless an open conduct case or an unconfirmed marks duty stands in its way: what is withheld for it is looked at
    again within the review period, with the reason on record.
    """
    judge(case, command)
    require_account(case, command)
    _require_time(case, setting)
    withheld = case.deposit.available - command.amount
    _require_ground(case, command.amount)
    id = f"{case.case_number}-{case.sequence + 1}"
    refunds = tuple(
        Refund(
            id=f"{id}-R{number}",
            of="deposit",
            payment=reference,
            amount=part,
            account=command.account,
            account_name=command.account_name,
        )
        for number, (reference, part) in enumerate(_parts(case, command.amount), 1)
    )
    facts: dict[str, Any] = {
        "amount": format_cny(command.amount),
        "withheld": format_cny(withheld),
        "reason": command.reason,
        "to": account_in_words(command.account, command.account_name),
        "payments": tuple(f"{one.payment}:{format_cny(one.amount)}元" for one in refunds),
    }
    again = end_of_day(setting.today + timedelta(days=setting.policy.settlement_review_days - 1))
    return ordered(
        case,
        refunds,
        setting,
        "refund_ordered",
        command,
        letter(case, "refund_ordered.part" if withheld else "refund_ordered", setting, until=again, **facts),
        detail={"withheld": {"fen": withheld}, "reason": command.reason, **_account_told(command)},
        **_left(case, withheld, again),
    )


def require_account(case: Case, command: RefundDeposit) -> None:
    """Refuse another account than the paying one without all it takes (2), or in another name than the entity's (5).

    The deposit goes back to who paid it; whoever else holds an account has no claim on it (decision 17).
    """
    account, name = command.account, command.account_name
    if account is None and name is None and not command.evidence:
        return
    problems = []
    if account is None:
        problems.append(Problem("account", "is missing: a name or evidence alone is no account"))
    elif re.fullmatch(ACCOUNT, account) is None:
        problems.append(Problem("account", "has 8 to 34 digits and letters"))
    if name is None or not company(name):
        problems.append(Problem("account_name", "is missing: the account's name, as the bank has it"))
    if not command.evidence:
        problems.append(Problem("evidence", "is missing: a document of the bank's or the entity's that names both"))
    of_another = name is not None and company(name) and not same_company(name, case.payer_names[0])
    if of_another:
        problems.append(Problem("account_name", f"is not the entity's, which is {case.payer_names[0]}"))
    if not problems:
        return
    raise Refusal(
        RefusalKind.ACCOUNT_OF_ANOTHER if of_another and len(problems) == 1 else RefusalKind.INVALID_VALUE,
        "The deposit cannot go to this account.",
        "Another account than the paying one is a corporate account in the entity's name, with evidence.",
        tuple(problems),
    )


def account_in_words(account: str | None, name: str | None) -> str:
    """Where a refund goes, as a letter tells it."""
    return f"户名为{name}、账号{masked(account)}的对公账户" if account else "付款账户"


def _account_told(command: RefundDeposit) -> dict[str, str]:
    if command.account is None:
        return {}
    return {"account": masked(command.account), "account_name": command.account_name or ""}


def answered(case: Case, planned: Planned, answer: BankAnswer, setting: Setting) -> Transition:
    """What the bank says of a refund it was asked for."""
    known = next(one for one in case.refunds if one.id == planned.subject)
    if answer.state == "paid" and answer.amount is not None and not 0 < answer.amount <= known.amount:
        answer = BankAnswer(state="unreachable", why=f"it says it paid {answer.amount} fen of {known.amount}")
    if answer.state == "paid":
        return _paid(case, known, answer, SYSTEM, setting)
    if answer.state == "refused":
        return _refused(case, known, answer, SYSTEM, setting)
    if answer.state == "returned":
        return _refused(case, known, answer, SYSTEM, setting, "returned")
    attempts = known.attempts + 1
    shortest = timedelta(minutes=setting.policy.refund_retry_minutes)
    again = setting.now + pause(attempts, shortest)
    return step(
        case,
        setting,
        "refund_under_way" if answer.state == "processing" else "bank_unreachable",
        SYSTEM,
        detail={"refund": known.id, "why": answer.why, "attempts": attempts},
        refunds=_with(case, known, attempts=attempts),
        plan=(*case.plan_without(planned), planned.model_copy(update={"at": again})),
    )


def pause(attempts: int, shortest: timedelta) -> timedelta:
    """How long the bank is left alone after so many tries in vain: twice as long each time, at most a day."""
    return min(shortest * (1 << min(attempts - 1, 10)), _LONGEST_PAUSE)


def reported(case: Case, command: ReportRefund, setting: Setting) -> Transition:
    """What the bank tells of a refund unasked: paid, failed, or paid and returned since.

    What is on record already is a repeat, also when it comes after what followed it. Refused: a refund nobody ordered
    (3), another amount (2), and what contradicts what the bank has said before (8); a person looks at the statement.
    """
    judge(case, command)
    known = _known(case, command)
    if is_on_record(case, command):
        detail = {"refund": known.id}
        return replace(step(case, setting, "refund_told_again", command.actor, detail=detail), repeated=True)
    partly = command.state == "paid" and known.state == "pending" and command.amount < known.amount
    if command.amount != known.amount and not partly:
        raise Refusal(
            RefusalKind.INVALID_VALUE,
            f"The refund {known.id} is one of {known.amount} fen, not of {command.amount}.",
            "Compare it with the bank's statement.",
        )
    answer = BankAnswer(state="paid", reference=command.reference, why=command.why, amount=command.amount)
    if known.state == "pending" and command.state == "paid":
        return _paid(case, known, answer, command.actor, setting)
    if known.state == "pending":
        state: Literal["refused", "returned"] = "refused" if command.state == "failed" else "returned"
        return _refused(case, known, answer, command.actor, setting, state)
    if known.state == "paid" and command.state == "returned":
        return _came_back(case, known, answer, command.actor, setting)
    raise Refusal(
        RefusalKind.REFERENCE_REUSED,
        f"The refund {known.id} is on record as {known.state}, {known.amount} fen; now the bank says {command.state}, "
        f"{command.amount} fen.",
        "Compare it with the bank's statement.",
    )


def is_on_record(case: Case, command: ReportRefund) -> bool:
    """Whether what the bank tells of a refund has been put on record before. Refused (3): nobody ordered it."""
    known = _known(case, command)
    return command.is_no_news(known.state, known.amount, known.bank_reference)


def _known(case: Case, command: ReportRefund) -> Refund:
    known = next((one for one in case.refunds if one.id == command.refund), None)
    if known is None:
        message = f"Case {case.case_number} has no refund {command.refund}."
        raise Refusal(RefusalKind.NOT_FOUND, message, f"See it with: livebase timeline {case.case_number}")
    return known


def _paid(case: Case, known: Refund, answer: BankAnswer, actor: object, setting: Setting) -> Transition:
    """Paid; of a part alone, the rest is held again."""
    paid = known.amount if answer.amount is None else answer.amount
    rest, deposit = known.amount - paid, case.deposit
    sums = {_ON_ITS_WAY[known.of]: getattr(deposit, _ON_ITS_WAY[known.of]) - known.amount}
    notes: tuple[Record, ...] = ()
    if known.of == "deposit":
        sums["refunded"] = deposit.refunded + paid
        notes = (_told(case, "refund_paid", known, paid, answer, setting),)
    changes: dict[str, Any] = {"plan": _plan_without(case, known)}
    if rest:
        sums, changes = _held_again(case, known, rest, sums, setting)
        why = answer.why or f"银行只付了{format_cny(paid)}元"
        back = Transfer(f"refund:{known.id}:rest", _PENDING[known.of], _FROM[known.of], rest, known.id)
        finance = _told(
            case, f"refund_refused.{known.of}", known, rest, answer.model_copy(update={"why": why}), setting
        )
        notes = (back, *notes, finance)
    return step(
        case,
        setting,
        "refund_paid" if known.of == "deposit" else "payment_returned",
        actor,
        Transfer(f"refund:{known.id}:settled", _PENDING[known.of], Account.BANK, paid, known.id),
        *notes,
        detail={
            "refund": known.id,
            "amount": {"fen": paid},
            "bank_reference": answer.reference,
            **({"not_paid": {"fen": rest}} if rest else {}),
        },
        refunds=_with(case, known, state="paid", bank_reference=answer.reference, amount=paid),
        deposit=deposit.model_copy(update=sums),
        **changes,
    )


def _refused(
    case: Case,
    known: Refund,
    answer: BankAnswer,
    actor: object,
    setting: Setting,
    state: Literal["refused", "returned"] = "refused",
) -> Transition:
    """The bank will not pay it, or it has come back before we heard that it was paid: it is held again."""
    way = _ON_ITS_WAY[known.of]
    sums = {way: getattr(case.deposit, way) - known.amount}
    sums, changes = _held_again(case, known, known.amount, sums, setting)
    return step(
        case,
        setting,
        "refund_refused" if state == "refused" else "refund_returned",
        actor,
        Transfer(f"refund:{known.id}:settled", _PENDING[known.of], _FROM[known.of], known.amount, known.id),
        _told(case, f"refund_{state}.{known.of}", known, known.amount, answer, setting),
        detail={"refund": known.id, "amount": {"fen": known.amount}, "why": answer.why},
        refunds=_with(case, known, state=state, why=answer.why, bank_reference=answer.reference or None),
        deposit=case.deposit.model_copy(update=sums),
        **changes,
    )


def _came_back(case: Case, known: Refund, answer: BankAnswer, actor: object, setting: Setting) -> Transition:
    """It was paid, and the other bank has sent it back: we hold it again, and a closed case is open again."""
    of_deposit, key = known.of == "deposit", f"refund:{known.id}:returned"
    sums = {"refunded": case.deposit.refunded - known.amount} if of_deposit else {}
    sums, changes = _held_again(case, known, known.amount, sums, setting)
    moved = [  # by the way it went, so that it counts as no payment
        Transfer(key, Account.BANK, _PENDING[known.of], known.amount, known.id),
        Transfer(f"{key}:held", _PENDING[known.of], _FROM[known.of], known.amount, known.id),
    ]
    if case.stage is Stage.CLOSED and of_deposit:
        changes["stage"] = Stage.SETTLING
    return step(
        case,
        setting,
        "refund_returned",
        actor,
        *moved,
        _told(case, f"refund_returned.{known.of}", known, known.amount, answer, setting),
        detail={"refund": known.id, "amount": {"fen": known.amount}, "why": answer.why},
        refunds=_with(case, known, state="returned", why=answer.why),
        deposit=case.deposit.model_copy(update=sums),
        **changes,
    )


def _held_again(
    case: Case, known: Refund, amount: int, sums: dict[str, int], setting: Setting
) -> tuple[dict[str, int], dict[str, Any]]:
    """What is held again is the deposit's or fits nowhere, as before; finance has to find out why."""
    plan = _plan_without(case, known)
    if known.of == "deposit":
        if case.ending is None:
            return sums, {"plan": plan}
        return sums, owed(case.model_copy(update={"plan": plan}), setting)
    back = with_more(case.unmatched_payments, known.payment, amount)
    return {**sums, "unmatched": case.deposit.unmatched + amount}, {"unmatched_payments": back, "plan": plan}


def _told(case: Case, kind: str, known: Refund, amount: int, answer: BankAnswer, setting: Setting) -> Letter:
    facts: dict[str, Any] = {
        "amount": format_cny(amount),
        "payment": known.payment,
        "bank": answer.reference,
        "why": answer.why or "银行未说明原因",
        "refund": known.id,
    }
    return letter(case, kind, setting, **facts)


def ordered(
    case: Case, refunds: tuple[Refund, ...], setting: Setting, event: str, command: Any, *notes: Record, **more: Any
) -> Transition:
    """Refunds ordered: off the account they stood on, and the bank is asked at once."""
    detail, plan = more.pop("detail"), more.pop("plan", case.plan)
    of = refunds[0].of
    total = sum(one.amount for one in refunds)
    deposit = case.deposit
    if of == "deposit":
        sums = {"refund_pending": deposit.refund_pending + total}
    else:
        sums = {
            "unmatched": deposit.unmatched - total,
            "return_pending": deposit.return_pending + total,
        }
    sends = tuple(
        Planned(event=Event.SEND_REFUND, at=setting.now, what="the bank is asked to pay a refund", subject=one.id)
        for one in refunds
    )
    return step(
        case,
        setting,
        event,
        command.actor,
        Decision(event, command.actor.name, command.actor.role, case.revision, command.reason),
        *(Transfer(f"refund:{one.id}", _FROM[of], _PENDING[of], one.amount, one.id) for one in refunds),
        *notes,
        detail={
            "refunds": [{"id": one.id, "payment": one.payment, "amount": {"fen": one.amount}} for one in refunds],
            "amount": {"fen": total},
            **detail,
        },
        deposit=deposit.model_copy(update=sums),
        refunds=(*case.refunds, *refunds),
        plan=(*plan, *sends),
        # Money on its way out keeps a case from being closed, and opens a closed one again.
        **{"stage": Stage.SETTLING if case.stage is Stage.CLOSED else case.stage, **more},
    )


def owed(case: Case, setting: Setting) -> dict[str, Any]:
    """Money held after an ending that nobody has the task to give back: finance has it, within the days for it."""
    if _settlement(case):
        return {"plan": case.plan}
    due = setting.working_days(setting.policy.deposit_return_working_days)
    late = due.event(Event.ESCALATE_SETTLEMENT, "giving the deposit back is overdue and is escalated")
    return {"tasks": (*case.tasks, due.task(_kind(case), Role.FINANCE)), "plan": (*case.plan, late)}


def _parts(case: Case, amount: int) -> Iterator[tuple[str, int]]:
    """Of which payments the amount goes back, and how much of each: the oldest first."""
    for one in case.credited:
        back = sum(
            other.amount
            for other in case.refunds
            if other.of == "deposit" and other.payment == one.reference and other.state not in _NOT_PAID
        )
        part = min(amount, one.amount - back)
        if part > 0:
            yield one.reference, part
            amount -= part


def _require_time(case: Case, setting: Setting) -> None:
    if case.appeal is not None and case.appeal.outcome is None:
        raise Refusal(
            RefusalKind.APPEAL_PENDING,
            "An appeal is open: set aside, the deposit has to be whole (decision 28).",
            f"See it with: livebase show {case.case_number}",
        )
    settle = next((task for task in case.tasks if task.kind == "settle_deposit"), None)
    first = not any(one.of == "deposit" for one in case.refunds)
    if first and settle is not None and settle.due_at is not None and setting.now < settle.due_at:
        raise Refusal(
            RefusalKind.TOO_EARLY,
            f"The settlement period runs through {long_date(last_day(settle.due_at))} (decision 17).",
            f"See it with: livebase next {case.case_number}",
        )


def _require_ground(case: Case, amount: int) -> None:
    there = case.deposit.available
    shown = f"See it with: livebase deposit show {case.case_number}"
    if case.shortfalls:
        short = case.shortfalls[0]
        raise Refusal(
            RefusalKind.DEPOSIT_TOO_SMALL,
            f"CNY {format_cny(short.amount)} of the payment {short.reference} is still to be taken back: the deposit "
            "is not the base's to have before.",
            f"Take it back first: livebase deposit reverse {case.case_number} --reference {short.reference} --reason R",
        )
    if amount > there:
        message = f"CNY {format_cny(amount)} cannot be refunded: CNY {format_cny(there)} is there."
        raise Refusal(RefusalKind.DEPOSIT_TOO_SMALL, message, shown)
    unconfirmed = case.marks is not None and case.marks.confirmed_at is None
    if amount < there and not unconfirmed and not case.open_conduct:
        raise Refusal(
            RefusalKind.NOTHING_WITHHOLDS,
            f"Nothing withholds a part of the deposit: all of it, CNY {format_cny(there)}, is to be refunded.",
            "A part is withheld only for an open conduct case or an unconfirmed marks duty (decision 17).",
        )


def _left(case: Case, withheld: int, again: Any) -> dict[str, Any]:
    """What of the settlement is left: a part withheld is looked at again, else nothing."""
    rest, others = case.tasks_without(*_SETTLEMENT), case.plan_without(Event.ESCALATE_SETTLEMENT)
    if not withheld:
        return {"tasks": rest, "plan": others}
    look = Planned(event=Event.ESCALATE_SETTLEMENT, at=again, what="what is withheld of the deposit is looked at again")
    return {"tasks": (*rest, Task(kind=_kind(case), role=Role.FINANCE, due_at=again)), "plan": (*others, look)}


def _kind(case: Case) -> str:
    return "settle_deposit" if case.terms else "return_deposit"


def _settlement(case: Case) -> bool:
    return any(task.kind in _SETTLEMENT for task in case.tasks)


def _plan_without(case: Case, known: Refund) -> tuple[Planned, ...]:
    return tuple(one for one in case.plan if one.event is not Event.SEND_REFUND or one.subject != known.id)


def _with(case: Case, known: Refund, **changes: Any) -> tuple[Refund, ...]:
    changed = known.model_copy(update=changes)
    return tuple(changed if one.id == known.id else one for one in case.refunds)
