"""Endings and what outlives them: off the list, benefits withdrawn, marks, settlement (R9; decisions 17, 28, 31)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from domain.case import Case, Decided, Ending
from domain.commands import Actor, Reject, Withdraw
from domain.cooling_off import earliest_new_application
from domain.judging import judge
from domain.letters import before_end_of, letter, long_date
from domain.money import format_cny
from domain.planning import Event, Planned, Task
from domain.records import Decision, Record, Transition
from domain.setting import Setting, step
from domain.shanghai import shanghai_date
from domain.stages import Role, Stage, Standing


def withdraw(case: Case, command: Withdraw, setting: Setting) -> Transition:
    """The applicant withdraws, until certification."""
    judge(case, command)
    return end_before_term(case, setting, command.actor, Standing.WITHDRAWN, "withdrawn_by_applicant", command.reason)


def reject(case: Case, command: Reject, setting: Setting) -> Transition:
    """The reviewer rejects the revision named; the applicant may appeal once (decision 28)."""
    judge(case, command)
    return end_before_term(
        case,
        setting,
        command.actor,
        Standing.REJECTED,
        "rejected_by_reviewer",
        command.reason,
        Decision("rejected", command.actor.name, command.actor.role, case.revision, command.reason),
        by=(*case.reviewers, command.actor.name),
        **reviewed("rejected", case, command.actor, setting),
    )


def end_before_term(
    case: Case,
    setting: Setting,
    actor: object,
    kind: Standing,
    cause: str,
    reason: str,
    *records: Record,
    legal_at: datetime | None = None,
    by: tuple[str, ...] = (),
    **changes: Any,
) -> Transition:
    """End a case that was never certified. Money held is to be returned within 10 working days (decision 17).

    `reason` is what a person gave, or our own words in English, which tables put into the language asked for.

    Closed at once, unless money is held or (rejected) the appeal window is open. `by` are all who took part in the
    decision, when there is more than the actor.
    """
    ended_at = legal_at or setting.now
    ending = Ending(kind=kind, cause=cause, legal_at=ended_at, observed_at=setting.now, reason=reason, by=by)
    tasks: tuple[Task, ...] = ()
    plan: tuple[Planned, ...] = ()
    appeal_until = None
    appeal_provisional = False
    money = "本案没有需要退还的保证金。"
    if kind is Standing.REJECTED:
        window = setting.days(setting.policy.appeal_days, shanghai_date(ended_at))
        appeal_until, appeal_provisional = window.at, window.provisional
        plan = (window.event(Event.CLOSE_CASE, "the appeal window ends"),)
    if case.deposit.held > 0:
        back = setting.working_days(setting.policy.deposit_return_working_days, shanghai_date(ended_at))
        tasks = (back.task("return_deposit", Role.FINANCE),)
        plan = (*plan, back.event(Event.ESCALATE_SETTLEMENT, "returning the deposit is overdue and is escalated"))
        until = before_end_of(back.at, provisional=back.provisional)
        money = f"已缴保证金人民币{format_cny(case.deposit.held)}元将在{until}退还至付款账户。"
    if case.deposit.unmatched > 0:
        money += f"另收到未计入保证金的款项人民币{format_cny(case.deposit.unmatched)}元,由财务核对后处理。"
    note = letter(
        case,
        f"application_{kind}.{cause}" if kind is Standing.LAPSED else f"application_{kind}",
        setting,
        appeal_until=appeal_until,
        provisional=appeal_provisional,
        reason=reason,
        money=money,
        again=long_date(earliest_new_application(kind, ended_at, setting.policy)),
    )
    return step(
        case,
        setting,
        f"application_{kind}",
        actor,
        *records,
        note,
        legal_at=ended_at,
        detail={"cause": cause, "reason": reason, "to_be_returned": {"fen": case.deposit.held}},
        stage=Stage.SETTLING,
        ending=ending,
        review_held_by=None,
        appeal_until=appeal_until,
        tasks=tasks,
        plan=plan,
        **changes,
    )


def reviewed(outcome: Any, case: Case, actor: Actor, setting: Setting) -> dict[str, Any]:
    """What a reviewer's decision on a revision leaves in the case."""
    return {
        "decided": Decided(outcome=outcome, revision=case.revision, by=actor.name, at=setting.now),
        "reviewers": (*case.reviewers, actor.name),
    }
