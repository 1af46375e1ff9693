"""Endings and what outlives them: off the list, benefits withdrawn, marks, settlement (R9; decisions 17, 28, 31)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from domain.case import Case, Decided, Ending, Event, Marks, Planned, Task
from domain.commands import ConfirmMarks, Reject, Withdraw
from domain.judging import judge
from domain.letters import before_end_of, letter, long_date
from domain.money import format_cny
from domain.policy import Policy
from domain.records import BenefitsWithdrawn, Decision, Evidence, Letter, ListRevision, Record, Transition
from domain.refusals import Refusal, RefusalKind
from domain.setting import SYSTEM, Due, Setting, step
from domain.shanghai import end_of_day, last_day, shanghai_date
from domain.stages import Role, Stage, Standing


def earliest_new_application(kind: Standing, ended_at: datetime, policy: Policy) -> date:
    """From which Shanghai date the enterprise may apply again after a case that ended so (decision 30)."""
    days = policy.cooling_off_days.get(kind, 0)
    # A period of days ends with its last day (decision 2); no cooling-off at all leaves the day itself free.
    return shanghai_date(ended_at) + timedelta(days=days + 1 if days else 0)


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
) -> Transition:
    """End a case that was never certified. Money held is to be returned within 10 working days (decision 17).

    Closed at once, unless money is held or (rejected) the appeal window is open.
    """
    ended_at = legal_at or setting.now
    ending = Ending(kind=kind, cause=cause, legal_at=ended_at, observed_at=setting.now, reason=reason)
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
        by = before_end_of(back.at, provisional=back.provisional)
        money = f"已缴保证金人民币{format_cny(case.deposit.held)}元将在{by}退还至付款账户。"
    if case.deposit.unmatched > 0:
        money += f"另收到未计入保证金的款项人民币{format_cny(case.deposit.unmatched)}元,由财务核对后处理。"
    note = letter(
        case,
        f"application_{kind}",
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
        stage=Stage.SETTLING if plan else Stage.CLOSED,
        ending=ending,
        review_held_by=None,
        appeal_until=appeal_until,
        tasks=tasks,
        plan=plan,
        **({"decided": _rejected(case, actor, setting)} if cause == "rejected_by_reviewer" else {}),
    )


def expire(case: Case, planned: Planned, setting: Setting) -> Transition:
    """The term is over (R9): off the list and benefits withdrawn at the legal instant, marks duty opened.

    Deadlines count from the legal instant, however late it was observed (decision 7).
    """
    term = case.terms[-1]
    ended_on = shanghai_date(term.until)
    marks_due = setting.working_days(setting.policy.marks_working_days, ended_on)
    duty = marks_by(marks_due, Marks(due_at=marks_due.at))
    settle_at = end_of_day(ended_on + timedelta(days=setting.policy.settlement_days))
    publication = case.publication
    withdrawal: tuple[ListRevision, ...] = ()
    if publication is not None:
        if publication.state == "published":
            withdrawal = (
                ListRevision(
                    revision=setting.list_revision,
                    state="withdrawn",
                    certificate_number=term.certificate_number,
                    name=case.name,
                    valid_from=term.from_,
                    valid_until=term.until,
                ),
            )
            publication = publication.model_copy(update={"register_revision": setting.list_revision})
        breached = publication.breached or publication.published_at is None
        publication = publication.model_copy(update={"state": "withdrawn", "breached": breached})
    return step(
        case,
        setting,
        "certification_expired",
        SYSTEM,
        *withdrawal,
        BenefitsWithdrawn(term.ordinal),
        letter(
            case,
            "certification_expired",
            setting,
            until=marks_due.at,
            provisional=marks_due.provisional,
            certificate=term.certificate_number,
            ended=long_date(last_day(term.until)),
            held=format_cny(case.deposit.held),
            settle_by=before_end_of(settle_at),
        ),
        legal_at=term.until,
        detail={"certificate_number": term.certificate_number, "last_day": term.last_day.isoformat()},
        stage=Stage.SETTLING,
        ending=Ending(
            kind=Standing.EXPIRED,
            cause="term_ended",
            legal_at=term.until,
            observed_at=setting.now,
            reason="the term ended without a renewal",
        ),
        publication=publication,
        marks=duty["marks"],
        tasks=(*duty["tasks"], Task(kind="settle_deposit", role=Role.FINANCE, due_at=settle_at)),
        plan=(
            *duty["plan"],
            Planned(
                event=Event.ESCALATE_SETTLEMENT,
                at=settle_at,
                what="the settlement falls due and is escalated",
            ),
        ),
    )


def marks_by(due: Due, marks: Marks) -> dict[str, Any]:
    """What hangs on the deadline of the stop-using-marks duty: the applicant's task and its escalation (R9)."""
    escalation = due.event(Event.ESCALATE_MARKS, "the missing confirmation that marks are out of use is escalated")
    return {
        "marks": marks.model_copy(update={"due_at": due.at}),
        "tasks": (due.task("confirm_marks", Role.APPLICANT),),
        "plan": (escalation,),
    }


def confirm_marks(case: Case, command: ConfirmMarks, setting: Setting) -> Transition:
    """The base confirms, with evidence, that every sign and mark is out of use."""
    judge(case, command)
    if case.marks is None or case.marks.confirmed_at is not None:
        raise Refusal(
            RefusalKind.WRONG_STAGE,
            "There is no open stop-using-marks duty on this case.",
            f"See it with: livebase show {case.case_number}",
        )
    return step(
        case,
        setting,
        "marks_confirmed",
        command.actor,
        Evidence("marks", command.evidence),
        detail={"evidence": list(command.evidence), "late": setting.now >= case.marks.due_at},
        marks=case.marks.model_copy(update={"confirmed_at": setting.now}),
        tasks=tuple(task for task in case.tasks if task.kind != "confirm_marks"),
        plan=tuple(planned for planned in case.plan if planned.event is not Event.ESCALATE_MARKS),
    )


def escalate_marks(case: Case, planned: Planned, setting: Setting) -> Transition:
    assert case.ending is not None
    note = letter(case, "marks_escalated", setting, ended=long_date(last_day(case.ending.legal_at)))
    return _escalate(case, planned, setting, "marks_escalated", note)


def escalate_settlement(case: Case, planned: Planned, setting: Setting) -> Transition:
    """Money still held past its date is looked at by a person, again each review period (decision 17)."""
    again = end_of_day(setting.today + timedelta(days=setting.policy.settlement_review_days - 1))
    note = letter(
        case,
        "settlement_escalated",
        setting,
        until=again,
        held=format_cny(case.deposit.held),
        act="结算" if case.terms else "退还",
    )
    again_planned = planned.model_copy(update={"at": again, "provisional": False, "counted": None})
    return _escalate(case, planned, setting, "settlement_escalated", note, again_planned)


def close(case: Case, planned: Planned, setting: Setting) -> Transition:
    """The appeal window is over; the case closes unless money is still held."""
    rest = tuple(other for other in case.plan if other != planned)
    stage = Stage.SETTLING if rest else Stage.CLOSED
    return step(case, setting, "appeal_window_ended", SYSTEM, legal_at=planned.at, stage=stage, plan=rest)


def _escalate(case: Case, planned: Planned, setting: Setting, event: str, note: Letter, *again: Planned) -> Transition:
    return step(
        case,
        setting,
        event,
        SYSTEM,
        note,
        legal_at=planned.at,
        plan=(*again, *(other for other in case.plan if other != planned)),
    )


def _rejected(case: Case, actor: Any, setting: Setting) -> Any:
    return Decided(outcome="rejected", revision=case.revision, by=actor.name, at=setting.now)
