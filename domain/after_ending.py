"""What follows an ending: off the list, benefits withdrawn, marks out of use, the deposit settled (R9; 17, 31).

It outlives the certification: the case stays open until all of it is done.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from domain import official_list
from domain.case import Case, Marks
from domain.commands import CheckMarks, ConfirmMarks
from domain.judging import judge
from domain.letters import letter, long_date
from domain.money import format_cny
from domain.planning import Event, Planned, Task
from domain.records import BenefitsWithdrawn, Decision, Evidence, Letter, Record, Transition
from domain.setting import SYSTEM, Due, Setting, step
from domain.shanghai import end_of_day, last_day, shanghai_date
from domain.stages import Role, Standing

TASKS_OF_THE_END = ("confirm_marks", "settle_deposit")
"""The tasks the end of a certification opens."""
EVENTS_OF_THE_END = (Event.ESCALATE_MARKS, Event.ESCALATE_SETTLEMENT)
"""What it plans."""


def withdrawn(
    case: Case,
    setting: Setting,
    legal_at: datetime,
    kind: Standing,
    *,
    reason: str | None = None,
    appeal_until: datetime | None = None,
) -> tuple[tuple[Record, ...], dict[str, Any]]:
    """Off the official list and without benefits from the legal instant on: records, and what changes.

    The `reason` of what can be appealed is public once it can't be any more (decision 20); no other one ever is.
    A publication still pending is over with it, and whether it came in time is settled (R3).
    """
    term, publication = case.term, case.publication
    assert term is not None
    benefits = BenefitsWithdrawn(term.ordinal)
    if publication is None:
        return (benefits,), {}
    records: tuple[Record, ...] = (benefits,)
    if publication.state == "published":
        listed = official_list.entry(case, "withdrawn", term, setting, effective_from=legal_at, ending=kind)
        records = (official_list.with_reason(listed, reason, appeal_until), benefits)
        publication = publication.model_copy(update={"register_revision": setting.list_revision})
    in_time = publication.published_at is not None or legal_at < publication.due_at
    breached = publication.breached or not in_time
    return records, {"publication": publication.model_copy(update={"state": "withdrawn", "breached": breached})}


def duties(setting: Setting, start: datetime) -> dict[str, Any]:
    """What an ending opens, counted from its legal instant: the marks duty and the settlement of the deposit."""
    day = shanghai_date(start)
    marks_due = setting.working_days(setting.policy.marks_working_days, day)
    duty = marks_by(marks_due, Marks(due_at=marks_due.at))
    settle_at = end_of_day(day + timedelta(days=setting.policy.settlement_days))
    settlement = Planned(
        event=Event.ESCALATE_SETTLEMENT, at=settle_at, what="the settlement falls due and is escalated"
    )
    return {
        "marks": duty["marks"],
        "tasks": (*duty["tasks"], Task(kind="settle_deposit", role=Role.FINANCE, due_at=settle_at)),
        "plan": (*duty["plan"], settlement),
    }


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
    assert case.marks is not None
    return step(
        case,
        setting,
        "marks_confirmed",
        command.actor,
        Evidence("marks", command.evidence),
        detail={"evidence": list(command.evidence), "late": setting.now >= case.marks.due_at},
        marks=case.marks.model_copy(update={"confirmed_at": setting.now}),
        tasks=case.tasks_without("confirm_marks"),
        plan=case.plan_without(Event.ESCALATE_MARKS),
    )


def check_marks(case: Case, command: CheckMarks, setting: Setting) -> Transition:
    """What a spot check found, on record; however often, before the duty is confirmed and after it (decision 31)."""
    judge(case, command)
    return step(
        case,
        setting,
        "marks_checked",
        command.actor,
        Decision("marks_checked", command.actor.name, command.actor.role, None, command.result),
        detail={"result": command.result},
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
    """The appeal window is over; the case closes unless money is still held or a conduct case is open."""
    plan = case.plan_without(planned)
    return step(case, setting, "appeal_window_ended", SYSTEM, legal_at=planned.at, plan=plan)


def _escalate(case: Case, planned: Planned, setting: Setting, event: str, note: Letter, *again: Planned) -> Transition:
    return step(
        case,
        setting,
        event,
        SYSTEM,
        note,
        legal_at=planned.at,
        plan=(*again, *case.plan_without(planned)),
    )
