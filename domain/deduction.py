"""Deductions from the deposit, for a violation that has been decided (decision 16).

Proposed by finance and done when a second person approves (`domain/approving.py`).
"""

from __future__ import annotations

from typing import Any

from domain import top_up
from domain.case import Case
from domain.commands import DeductDeposit
from domain.conduct import ConductCase, Outcome
from domain.judging import judge
from domain.ledger import Account, Transfer
from domain.letters import letter
from domain.money import format_cny
from domain.records import Decision, Transition
from domain.refusals import Refusal, RefusalKind
from domain.setting import Setting, step


def deduct(case: Case, command: DeductDeposit, setting: Setting) -> Transition:
    """Deduct `amount` fen for a decided conduct case. In its term, the base has to top its deposit up.

    Refused (3) for an unknown conduct case, (5) for one not decided against the base, and for more than is there.
    """
    judge(case, command)
    conduct = _decided(case, command.violation)
    if command.amount > case.deposit.available:
        raise Refusal(
            RefusalKind.DEPOSIT_TOO_SMALL,
            f"CNY {format_cny(command.amount)} cannot be deducted: CNY {format_cny(case.deposit.available)} is there.",
            f"See it with: livebase deposit show {case.case_number}",
        )
    id = f"{case.case_number}-{case.sequence + 1}"
    deposit = case.deposit.model_copy(update={"deducted": case.deposit.deducted + command.amount})
    changes = top_up.opened(case, setting)
    owed = next((task for task in changes.get("tasks", ()) if task.kind == top_up.TASK), None)
    facts: dict[str, Any] = {
        "amount": format_cny(command.amount),
        "rule": conduct.rule,
        "conduct": conduct.id,
        "reason": command.reason,
        "left": format_cny(deposit.held),
        "missing": format_cny(deposit.missing),
    }
    how = "top_up" if owed else "suspended" if case.hold(top_up.HOLD) else "ended"
    return step(
        case,
        setting,
        "deposit_deducted",
        command.actor,
        Decision("deducted", command.actor.name, command.actor.role, case.revision, command.reason),
        Transfer(f"deduction:{id}", Account.DEPOSIT, Account.DEDUCTED, command.amount, id),
        letter(
            case,
            f"deposit_deducted.{how}",
            setting,
            until=owed.due_at if owed else None,
            provisional=owed.provisional if owed else False,
            **facts,
        ),
        detail={
            "deduction": id,
            "conduct": conduct.id,
            "amount": {"fen": command.amount},
            "reason": command.reason,
        },
        deposit=deposit,
        **changes,
    )


def _decided(case: Case, id: str) -> ConductCase:
    conduct = case.conduct_case(id)
    if conduct is None:
        hint = "See them with: livebase conduct list"
        raise Refusal(RefusalKind.NOT_FOUND, f"Case {case.case_number} has no conduct case {id}.", hint)
    if conduct.outcome in (None, Outcome.DISMISSED):
        raise Refusal(
            RefusalKind.NOT_DECIDED,
            f"The conduct case {id} has not been decided against the base: nothing is deducted for it (decision 16).",
            f"See it with: livebase conduct show {id}",
        )
    return conduct
