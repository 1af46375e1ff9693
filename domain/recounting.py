"""Counting the deadlines of a live case again when a calendar notice has come in (decision 5).

- What has been reached is never undone: an instant that is over stays, done or not.
- A person's deadline only ever moves later. Decision 5 promises that of provisional deadlines, which are the
  earliest they could turn out to be; where a notice revises days that were known, and a make-up day makes a deadline
  earlier, the person keeps the day they were told.
- Publication within 7 working days (R3) is nobody's term but the platform's own duty: it follows the calendar both
  ways, though never to an instant that is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from domain import official_list, quarter
from domain.case import Case, Publication
from domain.letters import letter, long_date
from domain.notices import NoticeReference
from domain.planning import Event, Planned, Task
from domain.records import Letter, Transition
from domain.setting import SYSTEM, Due, Setting, step
from domain.shanghai import last_day

_BOTH_WAYS = frozenset({"publish", Event.ESCALATE_PUBLICATION, Event.RECORD_PUBLICATION_BREACH})

Part = TypeVar("Part", Task, Planned)


@dataclass(frozen=True)
class Recounted:
    """A deadline counted again. `what` is the task's kind or the planned event; `before` its old instant."""

    what: str
    before: datetime
    due: Due

    @property
    def moved(self) -> bool:
        return self.due.at != self.before


def may_move(case: Case) -> bool:
    """Whether any deadline of the case was counted on the calendar at all."""
    planned = (*case.plan, *(planned for conduct in case.conduct for planned in conduct.plan))
    return any(task.counted for task in case.tasks) or any(one.counted for one in planned)


def recount(case: Case, setting: Setting, notice: NoticeReference) -> Transition | None:
    """Every deadline counted again with the setting's calendar; None when no day and no provisional mark changes.

    A second time nothing changes any more. Old and new dates go on record with the notice; whoever's deadline moved
    gets a letter.
    """
    tasks = [(task, _again(task.kind, task.due_at, task, setting)) for task in case.tasks]
    plan = [(planned, _again(planned.event, planned.at, planned, setting)) for planned in case.plan]
    of_conduct = [
        (conduct, [(planned, _again(planned.event, planned.at, planned, setting)) for planned in conduct.plan])
        for conduct in case.conduct
    ]
    counted = (*tasks, *plan, *(pair for _, pairs in of_conduct for pair in pairs))
    changed = [one for _, one in counted if one is not None]
    if not changed:
        return None
    window = next((one for _, one in plan if one and one.moved and one.what == Event.CLOSE_CASE), None)
    # An ending's reason is public once it can't be appealed any more (decision 20): that day moves with the window.
    listed, kept_back = official_list.with_reasons_from(case, setting, window.due.at) if window else ((), {})
    return step(
        case,
        setting,
        "deadlines_recounted",
        SYSTEM,
        *listed,
        *(_letter(case, task.kind, one, setting, notice) for task, one in tasks if one and one.moved),
        *((_letter(case, "appeal", window, setting, notice),) if window else ()),
        *(
            _letter(case, "objection", one, setting, notice)
            for _, one in plan
            if one and one.moved and one.what == Event.END_OBJECTION
        ),
        detail={
            "notice": notice.model_dump(mode="json", include={"year", "source", "published_on", "sha256"}),
            "calendar_version": setting.calendar.version,
            "moved": sum(one.moved for one in changed),
            "deadlines": [_on_record(one) for one in changed],
        },
        assessments=quarter.with_windows(case.assessments, _moved(plan)),
        tasks=tuple(task if one is None else _taken_over(task, "due_at", one.due) for task, one in tasks),
        plan=_moved(plan),
        conduct=tuple(conduct.model_copy(update={"plan": _moved(pairs)}) for conduct, pairs in of_conduct),
        **_cut_off(case, setting),
        **kept_back,
        **_what_follows(case, {one.what: one.due for one in changed}),
    )


def _again(what: str, before: datetime | None, part: Task | Planned, setting: Setting) -> Recounted | None:
    """The deadline counted again; None when it stays as it is."""
    if part.counted is None or before is None or before <= setting.now:
        return None
    due = setting.count(part.counted)
    if due.at < before and (what not in _BOTH_WAYS or due.at <= setting.now):
        due = Due(last_day(before), before, due.provisional, part.counted)
    if (due.at, due.provisional) == (before, part.provisional):
        return None
    return Recounted(what, before, due)


def _cut_off(case: Case, setting: Setting) -> dict[str, Any]:
    """What a decision cut off is counted again too: it may be set aside (decisions 28 and 34)."""
    if case.ending is None or case.ending.interrupted is None:
        return {}
    before = case.ending.interrupted
    tasks = [(task, _again(task.kind, task.due_at, task, setting)) for task in before.tasks]
    plan = [(planned, _again(planned.event, planned.at, planned, setting)) for planned in before.plan]
    of_conduct = (
        (conduct, [(planned, _again(planned.event, planned.at, planned, setting)) for planned in conduct.plan])
        for conduct in before.conduct
    )
    publish = next((one.due for task, one in tasks if one is not None and task.kind == "publish"), None)
    counted = before.model_copy(
        update={
            "tasks": tuple(task if one is None else _taken_over(task, "due_at", one.due) for task, one in tasks),
            "plan": _moved(plan),
            "conduct": tuple(conduct.model_copy(update={"plan": _moved(pairs)}) for conduct, pairs in of_conduct),
            "publication": _due_by(before.publication, publish),
            "assessments": before.assessments and quarter.with_windows(before.assessments, _moved(plan)),
        }
    )
    return {"ending": case.ending.model_copy(update={"interrupted": counted})}


def _moved(plan: list[tuple[Planned, Recounted | None]]) -> tuple[Planned, ...]:
    return tuple(planned if one is None else _taken_over(planned, "at", one.due) for planned, one in plan)


def _taken_over(part: Part, instant: str, due: Due) -> Part:
    return part.model_copy(update={instant: due.at, "provisional": due.provisional, "counted": due.counted})


def _what_follows(case: Case, dues: dict[str, Due]) -> dict[str, Any]:
    """What repeats a task's or an event's deadline elsewhere in the case."""
    changes: dict[str, Any] = {}
    if (due := dues.get("deposit")) is not None:
        changes["deposit_due_on"] = due.day
    if (due := dues.get("publish")) is not None:
        changes["publication"] = _due_by(case.publication, due)
    if (due := dues.get("confirm_marks")) is not None and case.marks is not None:
        changes["marks"] = case.marks.model_copy(update={"due_at": due.at})
    if (due := dues.get(Event.CLOSE_CASE)) is not None and case.appeal_until is not None:
        changes["appeal_until"] = due.at
    return changes


def _due_by(publication: Publication | None, due: Due | None) -> Publication | None:
    """The publication with its deadline counted again."""
    if publication is None or due is None:
        return publication
    repeated = {"due_date": due.day, "due_at": due.at, "provisional": due.provisional}
    return publication.model_copy(update=repeated)


def _on_record(one: Recounted) -> dict[str, Any]:
    """Old and new as last days, and whether the new one is still provisional."""
    return {
        "deadline": str(one.what),
        "before": last_day(one.before).isoformat(),
        "after": one.due.day.isoformat(),
        "provisional": one.due.provisional,
    }


def _letter(case: Case, what: str, one: Recounted, setting: Setting, notice: NoticeReference) -> Letter:
    """To whoever must act by the deadline; `what` is the task's kind, or `appeal`."""
    by: dict[str, Any] = {"appeal_until" if what == "appeal" else "until": one.due.at}
    return letter(
        case,
        f"deadline_moved.{what}",
        setting,
        **by,
        provisional=one.due.provisional,
        before=long_date(last_day(one.before)),
        after=long_date(one.due.day),
        source=notice.source,
        published_on=notice.published_on.isoformat(),
    )
