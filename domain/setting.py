"""The setting a rule decides in: the instant, the pinned policy, the calendar. And one step's bookkeeping."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from domain.case import Case, Ending
from domain.planning import Counting, Event, Planned, Task
from domain.policy import Policy
from domain.records import Record, Transition
from domain.shanghai import end_of_day, shanghai_date
from domain.stages import MOVES, Role, Stage
from domain.working_days import Calendar


@dataclass(frozen=True)
class Due:
    """A deadline: its last day (Shanghai), the midnight after it, whether it is provisional, how it was counted."""

    day: date
    at: datetime
    provisional: bool
    counted: Counting

    def task(self, kind: str, role: Role, subject: str | None = None) -> Task:
        """What a person must do by then."""
        counted = {"due_at": self.at, "provisional": self.provisional, "counted": self.counted}
        return Task(kind=kind, role=role, subject=subject, **counted)

    def event(self, event: Event, what: str, subject: str | None = None) -> Planned:
        """What comes of itself then."""
        counted = {"at": self.at, "provisional": self.provisional, "counted": self.counted}
        return Planned(event=event, what=what, subject=subject, **counted)


@dataclass(frozen=True)
class Setting:
    """What is true around a case while a rule decides.

    `now` is the case's clock, an aware instant; `policy` the one the case is judged by, `in_force` today's, by which
    a next term is decided; `list_revision` the number the base's next entry on the official list would take.
    `verifies`: there is somebody to ask whether an enterprise is verified.
    """

    now: datetime
    policy: Policy
    calendar: Calendar
    in_force: Policy
    list_revision: int = 1
    verifies: bool = False

    @property
    def today(self) -> date:
        """The Shanghai date of the case's clock."""
        return shanghai_date(self.now)

    def working_days(self, count: int, start: date | None = None) -> Due:
        """The end of the `count`-th working day after `start` (today); the start day is not counted."""
        return self.count(Counting(start=start or self.today, working_days=count))

    def days(self, count: int, start: date | None = None) -> Due:
        """A person's deadline in calendar days: it rolls on to the next working day (decision 4)."""
        return self.count(Counting(start=start or self.today, days=count))

    def grace(self, due: Due, working_days: int) -> Due:
        """So many working days more after a deadline in calendar days."""
        return self.count(due.counted.model_copy(update={"working_days": working_days}))

    def before(self, due: Due, days: int) -> Due:
        """So many calendar days before a deadline."""
        return self.count(due.counted.model_copy(update={"days_before": days}))

    def count(self, counting: Counting) -> Due:
        """Count a deadline with this setting's calendar: the first time, and again when the calendar has changed."""
        day, provisional = counting.start, False
        if counting.days:
            rolled = self.calendar.roll_forward(day + timedelta(days=counting.days))
            day, provisional = rolled.deadline, rolled.provisional
        if counting.working_days:
            last = self.calendar.deadline(day, counting.working_days)
            day, provisional = last.deadline, provisional or last.provisional
        day -= timedelta(days=counting.days_before)
        counted = counting.model_copy(update={"calendar": self.calendar.version})
        return Due(day, end_of_day(day), provisional, counted)


def step(
    case: Case,
    setting: Setting,
    event: str,
    actor: object,
    *records: Record,
    legal_at: datetime | None = None,
    detail: dict[str, Any] | None = None,
    **changes: Any,
) -> Transition:
    """The transition from `case` by `changes`: one audit entry more, and never a move the table forbids."""
    after = _without_overtaken_proposals(case.model_copy(update={**changes, "sequence": case.sequence + 1}))
    after = _closed_when_done(_with_refunds_under_way(case, after))
    if after.stage is not case.stage and after.stage not in MOVES[case.stage]:
        raise ValueError(f"no move leads from {case.stage} to {after.stage}")
    if case.ending is None and after.ending is not None:
        after = after.model_copy(update={"ending": _ended(case, after, after.ending, actor)})
    return Transition(
        case=after.model_copy(update={"tasks": _with_unmatched_money(after)}),
        event=event,
        actor=str(actor),
        legal_at=legal_at or setting.now,
        observed_at=setting.now,
        detail=detail or {},
        records=tuple(records),
    )


def _ended(case: Case, after: Case, ending: Ending, actor: object) -> Ending:
    """Whatever ends a case: under which id, by whom, and what it cuts off (decisions 28 and 34)."""
    name = getattr(actor, "name", None)
    still_open = {conduct.id for conduct in after.open_conduct}
    closed = tuple(conduct for conduct in case.open_conduct if conduct.id not in still_open)
    return ending.model_copy(
        update={
            "decision": f"{case.case_number}-{case.sequence + 1}",
            "by": tuple(dict.fromkeys(ending.by)) or ((name,) if name else ()),
            "interrupted": case.interrupted.model_copy(update={"conduct": closed}),
        }
    )


def _closed_when_done(case: Case) -> Case:
    """Whatever came last: a case that has ended closes when nothing of it waits but money that fits nowhere.

    That can be returned from a closed case; none is closed with money held or on its way out.
    """
    waits = case.plan or case.open_conduct or case.open_appeal or case.tasks_without("unmatched_money")
    money = case.deposit.held or case.deposit.return_pending
    if case.stage is not Stage.SETTLING or case.ending is None or waits or money:
        return case
    return case.model_copy(update={"stage": Stage.CLOSED})


def _with_unmatched_money(case: Case) -> tuple[Task, ...]:
    """Whatever a step does to the tasks, money that fits nowhere waits for a person (decision 15)."""
    others = case.tasks_without("unmatched_money")
    if not case.deposit.unmatched:
        return others
    waiting = [task for task in case.tasks if task.kind == "unmatched_money"]
    return (*others, *(waiting or [Task(kind="unmatched_money", role=Role.FINANCE)]))


def _with_refunds_under_way(before: Case, after: Case) -> Case:
    """Whatever a step does to the plan, money on its way out goes on."""
    pending = {refund.id for refund in after.refunds if refund.state == "pending"}
    planned = {one.subject for one in after.plan if one.event is Event.SEND_REFUND}
    lost = [
        one
        for one in before.plan
        if one.event is Event.SEND_REFUND and one.subject in pending and one.subject not in planned
    ]
    return after.model_copy(update={"plan": (*after.plan, *lost)}) if lost else after


def _without_overtaken_proposals(case: Case) -> Case:
    """Whatever a step does to the plan: a proposal whose expiry is planned no more is over, and its task with it."""
    planned = {one.subject for one in case.plan if one.event is Event.EXPIRE_PROPOSAL}
    proposals = tuple(
        proposal.model_copy(update={"outcome": "overtaken"})
        if proposal.outcome is None and proposal.id not in planned
        else proposal
        for proposal in case.proposals
    )
    over = {proposal.id for proposal in proposals if proposal.outcome is not None}
    closed = [proposal for proposal in proposals if proposal.outcome is not None]
    forgotten = closed[:-_PROPOSALS_KEPT]
    return case.model_copy(
        update={
            "proposals": tuple(proposal for proposal in proposals if proposal not in forgotten),
            "tasks": tuple(task for task in case.tasks if task.subject not in over),
        }
    )


_PROPOSALS_KEPT = 20
"""How many proposals that are over a case keeps; all are on record for good."""

SYSTEM = "system"
"""The actor of what comes of itself."""
