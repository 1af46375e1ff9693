"""The deposit: parts add up, only the full sum passes, and no payment is ever dropped (decisions 14, 15)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from domain import top_up
from domain.case import Case, with_more
from domain.commands import ReceiveDeposit
from domain.ending import end_before_term
from domain.judging import judge
from domain.ledger import Account, Transfer
from domain.letters import letter
from domain.money import format_cny
from domain.names import same_company
from domain.planning import Event, Planned, Task
from domain.records import KnownBy, Letter, Payment, Record, Transition
from domain.refusals import Refusal, RefusalKind
from domain.setting import SYSTEM, Due, Setting, step
from domain.shanghai import shanghai_date
from domain.stages import Role, Stage, Standing

_CREDITING = frozenset({Stage.REVIEW, Stage.SUPPLEMENT, Stage.DEPOSIT})
_CHINESE = {
    "paid before the application": "起息日早于申请",
    "from another payer": "付款方不是申请主体,也不是受托企业",
    "paid after the due date": "起息日晚于缴纳期限",
    "more than the deposit required": "超出应缴的保证金",
}
"""Why money fits nowhere, as a letter tells it; else the case has ended."""


def deposit_opened(setting: Setting) -> dict[str, Any]:
    """What opens with the approval."""
    return {"stage": Stage.DEPOSIT, **deposit_by(setting.days(setting.policy.deposit_due_days), setting)}


def deposit_by(due: Due, setting: Setting) -> dict[str, Any]:
    """What hangs on the deposit's due date: the applicant's task, reminders, and the lapse after the grace.

    The due date is the last value date that counts; the grace only waits for the bank's report of it.
    """
    policy = setting.policy
    grace = setting.grace(due, policy.deposit_grace_working_days)
    reminders = tuple(
        setting.before(due, days).event(
            Event.REMIND_DEPOSIT, f"the applicant is reminded of the deposit (days left: {days})"
        )
        for days in policy.deposit_reminder_days_before
    )
    lapse = grace.event(Event.LAPSE_DEPOSIT, "without the full deposit the application lapses")
    return {
        "deposit_due_on": due.day,
        "tasks": (due.task("deposit", Role.APPLICANT),),
        "plan": (*reminders, lapse),
    }


def no_longer_full(case: Case, setting: Setting) -> dict[str, Any]:
    """What a deposit that has become short before the certification opens: the whole time to pay the rest, anew."""
    opened = deposit_opened(setting)
    return {
        **opened,
        "tasks": (*case.tasks_without("certify"), *opened["tasks"]),
        "plan": (*case.plan_without(Event.ESCALATE_CERTIFICATION), *opened["plan"]),
    }


def full_deposit(setting: Setting) -> dict[str, Any]:
    """What a full deposit opens: the certifier's task and its escalation (decision 18)."""
    due = setting.working_days(setting.policy.certify_working_days)
    return {
        "stage": Stage.CERTIFYING,
        "tasks": (due.task("certify", Role.CERTIFIER),),
        "plan": (due.event(Event.ESCALATE_CERTIFICATION, "the certification decision is overdue and is escalated"),),
    }


def receive(
    case: Case,
    command: ReceiveDeposit,
    known: Payment | None,
    known_case: str | None,
    setting: Setting,
    *,
    taken_back: bool = False,
) -> Transition:
    """Record one payment, once per bank reference: credited, or unmatched with the reason.

    `known` is the payment already recorded under the reference, in case `known_case`: the one it is on, and the one
    it was recorded for as well. The same content is a
    repeat without effect; other content is refused (8). A value date after the case's today is invalid (2).
    One that was `taken_back` counts again only when it is reported as a correction, in an edition of its own.
    """
    judge(case, command)
    value_date = command.paid_on or setting.today
    if command.correction and command.actor.role is Role.BANK:
        raise Refusal(
            RefusalKind.ROLE_NOT_ALLOWED,
            "What was recorded wrongly is corrected by finance, not by the bank.",
            "Report it with: livebase deposit receive --correction",
        )
    if command.correction and not taken_back:
        raise Refusal(
            RefusalKind.NOTHING_TO_CORRECT,
            f"No payment {command.reference} has been taken back.",
            "Take it back first: livebase deposit reverse BASE --reference REF --reason R",
        )
    if taken_back and not command.correction:
        raise Refusal(
            RefusalKind.REFERENCE_REUSED,
            f"The payment {command.reference} has been taken back.",
            "Recorded wrongly by us, it is reported anew with --correction. What the bank has taken back stays so.",
        )
    if known is not None and not taken_back:
        return _reported_again(case, command, known, known_case, setting)
    if value_date > setting.today:
        raise Refusal(
            RefusalKind.INVALID_VALUE,
            f"The value date {value_date} is after today ({setting.today}).",
            "Give the bank's value date with --paid-at.",
        )
    why = _unmatched_because(case, command.payer, value_date)
    credited = 0 if why else min(command.amount, case.deposit.missing)
    unmatched = command.amount - credited
    if unmatched and not why:
        why = "more than the deposit required"
    deposit = case.deposit.model_copy(
        update={
            "received": case.deposit.received + credited,
            "unmatched": case.deposit.unmatched + unmatched,
        }
    )
    edition = known.edition + 1 if known else 1
    payment = Payment(command.reference, command.amount, command.payer, value_date, credited, unmatched, why, edition)
    records, changes = credit(case, payment.reference, credited, setting)
    opens: Task | None = None
    if case.stage is Stage.DEPOSIT and "stage" in changes:
        (opens,) = changes["tasks"]
    changes["deposit"] = deposit
    if unmatched:
        changes["unmatched_payments"] = with_more(case.unmatched_payments, payment.reference, unmatched)
    return step(
        case,
        setting,
        "deposit_received" if credited else "payment_unmatched",
        command.actor,
        payment,
        *_transfers(payment),
        *records,
        KnownBy({"reference": payment.reference, "payer": payment.payer}),
        *_receipts(case, payment, deposit.missing, opens, setting),
        detail={
            "reference": command.reference,
            "payer": command.payer,
            "value_date": value_date.isoformat(),
            "credited": {"fen": credited},
            "unmatched": {"fen": unmatched},
            "why": why,
            **({"edition": edition} if edition > 1 else {}),
        },
        **changes,
    )


def credit(case: Case, reference: str, amount: int, setting: Setting) -> tuple[tuple[Record, ...], dict[str, Any]]:
    """What `amount` fen of a payment more do to the deposit: a full one passes, and makes good a deduction (16)."""
    if not amount:
        return (), {}
    deposit = case.deposit.model_copy(update={"received": case.deposit.received + amount})
    credited = with_more(case.credited, reference, amount)
    records: tuple[Record, ...] = ()
    changes: dict[str, Any] = {}
    if deposit.missing == 0:
        if case.stage is Stage.DEPOSIT:
            changes = full_deposit(setting)
        elif top_up.is_due(case):
            records, changes = top_up.made(case, setting)
    return records, {**changes, "deposit": deposit, "credited": credited}


def _transfers(payment: Payment) -> Iterator[Transfer]:
    for account, amount in ((Account.DEPOSIT, payment.credited), (Account.UNMATCHED, payment.unmatched)):
        if amount:
            key = f"payment:{payment.reference}:{account}" + (f":{payment.edition}" if payment.edition > 1 else "")
            yield Transfer(key, Account.BANK, account, amount, payment.reference)


def remind(case: Case, planned: Planned, setting: Setting) -> Transition:
    """Remind the applicant of what is still missing."""
    task = next(task for task in case.tasks if task.kind == "deposit")
    return step(
        case,
        setting,
        "remind_deposit",
        SYSTEM,
        letter(
            case,
            "remind_deposit",
            setting,
            until=task.due_at,
            provisional=task.provisional,
            missing=format_cny(case.deposit.missing),
        ),
        legal_at=planned.at,
        plan=case.plan_without(planned),
    )


def lapse(case: Case, planned: Planned, setting: Setting) -> Transition:
    """The grace is over and the deposit is not full: the application lapses (decision 14)."""
    return end_before_term(
        case,
        setting,
        SYSTEM,
        Standing.LAPSED,
        "deposit_overdue",
        "the deposit was not paid in full in time",
        legal_at=planned.at,
    )


def _unmatched_because(case: Case, payer: str, value_date: date) -> str:
    if case.ending is not None:
        return f"the case has ended ({case.ending.kind})"
    if value_date < shanghai_date(case.opened_at):
        return "paid before the application"
    if not any(same_company(payer, name) for name in case.payer_names):
        return "from another payer"
    if case.stage in _CREDITING and case.deposit_due_on and value_date > case.deposit_due_on:
        return "paid after the due date"
    if case.deposit.missing == 0:
        return "more than the deposit required"
    return ""


def _reported_again(
    case: Case, command: ReceiveDeposit, known: Payment, known_case: str | None, setting: Setting
) -> Transition:
    same = (
        known_case == case.case_number
        and known.amount == command.amount
        and same_company(known.payer, command.payer)
        and command.paid_on in (None, known.value_date)
    )
    if not same:
        raise Refusal(
            RefusalKind.REFERENCE_REUSED,
            f"Bank reference {command.reference} is on record with another amount, payer, date or case.",
            "A payment has one reference for good; check the statement."
            if known_case
            else f"It is no case's yet: livebase deposit unmatched assign {command.reference} BASE --reason R",
        )
    again = step(case, setting, "payment_reported_again", command.actor, detail={"reference": command.reference})
    return replace(again, repeated=True)


def _receipts(case: Case, payment: Payment, missing: int, opens: Task | None, setting: Setting) -> Iterator[Letter]:
    """What was credited is told to the applicant, what fits nowhere to finance.

    `opens` is the certifier's task when this payment made the deposit full after the approval.
    """
    if payment.credited and case.terms:
        yield top_up.receipt(case, payment, missing, setting)
    elif payment.credited:
        waiting = opens or next((task for task in case.tasks if task.kind in ("deposit", "supplement")), None)
        when = "_early" if waiting is None else "_supplement" if waiting.kind == "supplement" else ""
        yield letter(
            case,
            f"deposit_received.{'part' if missing else 'full'}{when}",
            setting,
            until=waiting.due_at if waiting else None,
            provisional=waiting.provisional if waiting else False,
            credited=format_cny(payment.credited),
            missing=format_cny(missing),
            reference=payment.reference,
        )
    if payment.unmatched:
        yield letter(
            case,
            "payment_unmatched",
            setting,
            amount=format_cny(payment.amount),
            unmatched=format_cny(payment.unmatched),
            reference=payment.reference,
            reason=_CHINESE.get(payment.why, "案件已结束"),
        )
