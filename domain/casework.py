"""What staff do to a case beside deciding it: give its task to somebody, extend a deadline, write a note."""

from __future__ import annotations

import hashlib
from typing import Any

from domain import renewal
from domain.after_ending import marks_by
from domain.case import Case
from domain.commands import AddNote, Assign, Authorise, ExtendDeadline
from domain.deposit import deposit_by
from domain.judging import EXTENDABLE, judge, require_second_person
from domain.letters import letter, long_date
from domain.names import same_name
from domain.planning import Counting, Task
from domain.records import Authorisation, Evidence, Note, Transition
from domain.rectification import rectify_by
from domain.refusals import Refusal, RefusalKind
from domain.review import held_by, supplement_by
from domain.setting import Due, Setting, step
from domain.shanghai import last_day
from domain.terms import add_months

_MONTHS_AHEAD = 12  # further ahead is a slip of the pen, not an extension


def assign(case: Case, command: Assign, setting: Setting) -> Transition:
    """Give what waits for staff to one of them by name; an assigned review is held by them.

    Of several tasks it is the one due first. Refused (5) when nothing waits for staff, (4) for a certifier who
    approved the application (decision 18) and for whoever proposed what waits for a second person (decision 29).
    """
    judge(case, command)
    task = case.staff_task
    if task is None:
        raise Refusal(
            RefusalKind.WRONG_STAGE,
            f"Nothing on case {case.case_number} waits for staff.",
            f"See what it waits for: livebase next {case.case_number}",
        )
    if task.kind == "certify":
        require_second_person(case, command.to)
    proposal = case.proposal(task.subject) if task.subject else None
    if proposal is not None and same_name(proposal.proposed_by, command.to):
        raise Refusal(
            RefusalKind.SECOND_PERSON_REQUIRED,
            f"{proposal.proposed_by} has proposed it: somebody else must decide on it (decision 29).",
            "Two roles are still one person.",
        )
    to = command.to.strip()
    given = {"tasks": tuple(one.model_copy(update={"assignee": to}) if one == task else one for one in case.tasks)}
    return step(
        case,
        setting,
        "task_assigned",
        command.actor,
        detail={"task": task.kind, "to": to, "before": task.assignee, "reason": command.reason},
        **(held_by(case, to) if task.kind == "review" else given),
    )


def extend(case: Case, command: ExtendDeadline, setting: Setting) -> Transition:
    """Move an applicant's open deadline to the end of a later day; its reminders and what follows move along.

    Refused (5) when the case has no such deadline or it has passed, (2) for a day that is not later than the
    present one or more than a year ahead. The day named stands as it is, working day or not.
    """
    judge(case, command)
    name = command.deadline
    task = next((task for task in case.tasks if EXTENDABLE.get(task.kind) == name), None)
    if task is None or task.due_at is None:
        raise Refusal(
            RefusalKind.WRONG_STAGE,
            f"Case {case.case_number} has no open {name} deadline.",
            f"See its deadlines with: livebase next {case.case_number}",
        )
    before = last_day(task.due_at)
    if task.due_at <= setting.now:
        raise Refusal(
            RefusalKind.TOO_LATE,
            f"The {name} deadline of case {case.case_number} passed on {before} at 24:00.",
            "What has lapsed is not brought back by an extension.",
        )
    latest = add_months(setting.today, _MONTHS_AHEAD)
    if not before < command.to <= latest:
        raise Refusal(
            RefusalKind.INVALID_VALUE,
            f"{command.to} is no extension: the deadline is {before}.",
            f"Name a day after it and not after {latest}.",
        )
    due = setting.count(Counting(start=command.to))
    return step(
        case,
        setting,
        "deadline_extended",
        command.actor,
        letter(case, f"deadline_extended.{task.kind}", setting, until=due.at, reason=command.reason),
        detail={
            "deadline": task.kind,
            "before": before.isoformat(),
            "after": command.to.isoformat(),
            "reason": command.reason,
        },
        **_by(case, task, due, setting),
    )


def _by(case: Case, task: Task, due: Due, setting: Setting) -> dict[str, Any]:
    """What hangs on a deadline, by its new day; what else is open on the case stays."""
    if task.kind == "rectify":
        return rectify_by(case, task, due)
    if task.kind == "supplement":
        opened = supplement_by(due, setting)
    elif task.kind == "renewal_supplement":
        opened = renewal.supplement_by(due, setting)
    elif task.kind == "deposit":
        opened = deposit_by(due, setting)
    else:
        assert case.marks is not None
        opened = marks_by(due, case.marks)
    moved = {planned.event for planned in opened["plan"]}
    others = case.plan_without(*moved)
    ahead = tuple(planned for planned in opened["plan"] if planned.at > setting.now)
    return {
        **opened,
        "tasks": (*opened["tasks"], *(one for one in case.tasks if one != task)),
        "plan": (*ahead, *others),
    }


def authorise(case: Case, command: Authorise, setting: Setting) -> Transition:
    """A written authorisation to act in the platform's name is on record, with its end (R5)."""
    judge(case, command)
    if command.until < setting.today:
        raise Refusal(
            RefusalKind.INVALID_VALUE,
            f"The authorisation's last day {command.until} is over.",
            f"Name a day from {setting.today} on.",
        )
    activity = command.activity.strip()
    return step(
        case,
        setting,
        "activity_authorised",
        command.actor,
        Authorisation(activity, command.until, str(command.actor)),
        Evidence("authorisation", command.evidence),
        letter(case, "activity_authorised", setting, activity=activity, last_day=long_date(command.until)),
        detail={"activity": activity, "until": command.until.isoformat(), "evidence": list(command.evidence)},
    )


def add_note(case: Case, command: AddNote, setting: Setting) -> Transition:
    """Keep a note for the staff. The audit entry proves its text without holding it: applicants read the timeline."""
    judge(case, command)
    text = command.text.strip()
    # Of the paper's own name: who read that in the timeline could have the note told by it.
    sha256 = hashlib.sha256((command.paper or text).encode()).hexdigest()
    return step(case, setting, "note_added", command.actor, Note(text, str(command.actor)), detail={"note": sha256})
