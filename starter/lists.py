"""Which cases: list, find, inbox. Works with Temporal down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from starter import completing
from starter.errors import usage
from starter.options import command, given_day
from starter.output import deadline, loud, print_table, say, told, word
from starter.session import Session

if TYPE_CHECKING:
    from domain.planning import Task
    from store.queries import FoundCase

StandingOption = Annotated[
    str | None, typer.Option("--standing", metavar="STANDING", autocompletion=completing.standings)
]
StageOption = Annotated[str | None, typer.Option("--stage", metavar="STAGE", autocompletion=completing.stages)]
AwaitingOption = Annotated[str | None, typer.Option("--awaiting", metavar="ROLE", autocompletion=completing.roles)]

_LONGEST_TEXT = 200


def register(app: typer.Typer) -> None:
    command(app, "list")(list_bases)
    command(app, "find")(find)
    command(app, "inbox")(inbox)


def list_bases(
    session: Session,
    standing: StandingOption = None,
    stage: StageOption = None,
    awaiting: AwaitingOption = None,
    due_before: Annotated[str | None, typer.Option("--due-before", metavar="DATE")] = None,
) -> None:
    """All cases, soonest deadline first."""
    from domain.shanghai import midnight
    from domain.stages import Role, Stage, Standing
    from store.queries import summary

    due = midnight(given_day("--due-before", due_before)) if due_before is not None else None
    wanted = {
        "standing": _one_of(Standing, standing, "--standing"),
        "stage": _one_of(Stage, stage, "--stage"),
        "awaiting": _one_of(Role, awaiting, "--awaiting"),
    }
    cases = session.reader.list_cases(session.wall, due_before=due, **wanted)
    session.show([summary(found, session.wall) for found in cases if session.may_read(found.case)], _list_table)


def find(
    session: Session, text: Annotated[str, typer.Argument(metavar="TEXT", help="A name, number or part of one.")]
) -> None:
    """Cases by anything they are known by: a name, a number, a bank reference, or part of one."""
    from store.queries import summary
    from store.search import search

    if not text.strip() or len(text) > _LONGEST_TEXT:
        raise usage(f"TEXT has 1 to {_LONGEST_TEXT} characters.", "For example: livebase find 义乌")
    rows = [
        {
            **summary(match.found, session.wall),
            "matched": [{"kind": kind, "name": name} for kind, name in match.matched],
        }
        for match in search(session.engine, text)
        if session.may_read(match.found.case)
    ]
    session.show(rows, _find_table)


def inbox(session: Session) -> None:
    """What waits for me, soonest deadline first; without --as, what waits for whom."""
    from domain.inbox import waits_for
    from domain.stages import Role
    from store.assessments import AssessmentStore
    from store.complaints import count_waiting
    from store.lists import waiting_cases
    from store.payments import count_unplaced

    actor = session.actor if session.acting_as else None
    if actor is None:
        cases = waiting_cases(session.engine)
    elif actor.applicant is not None:
        cases = waiting_cases(session.engine, Role.APPLICANT, actor.applicant)
    else:
        cases = waiting_cases(session.engine, actor.role)
    waiting = [
        (found, task)
        for found in cases
        for task in found.case.tasks
        if actor is None or waits_for(found.case, task, actor)
    ]
    rows = [_task_line(session, found, task) for found, task in sorted(waiting, key=_soonest_first)]
    session.show(rows, _inbox_table if actor else _inboxes_table)
    if actor is None or actor.role is Role.COMPLIANCE:
        _say_passes(AssessmentStore(session.engine).passes_to_confirm(actor.name if actor else None))
    if actor is None or actor.role is Role.FINANCE:
        _say_unplaced(count_unplaced(session.engine))
    if actor is None or actor.role is Role.COMPLIANCE:
        _say_complaints(*count_waiting(session.engine))


def _say_passes(waiting: dict[str, int]) -> None:
    """Passes are confirmed for a quarter at once and are no task of a base's."""
    for period, count in waiting.items():
        say(
            told(
                "To be confirmed by a second person: {} ({} passed): livebase assess confirm {}", period, count, period
            )
        )


def _say_unplaced(count: int) -> None:
    """Money of no case is no task of a base's."""
    if count:
        say(told("Money of no case: {} payments. See: livebase deposit unmatched", count))


def _say_complaints(count: int, bases: int) -> None:
    """Nothing is due by law, and nothing happens to a base, before somebody has read them."""
    if count:
        say(told("Complaints of the public: {} about {} bases. See: livebase conduct complaints", count, bases))


def _soonest_first(waiting: tuple[FoundCase, Task]) -> Any:
    found, task = waiting
    return task.due_at is None, task.due_at or found.case.opened_at, found.case.case_number


def _task_line(session: Session, found: FoundCase, task: Task) -> dict[str, Any]:
    """A case's line with one of its open tasks: `due_at` is the task's."""
    from store.queries import shown, summary

    return {
        **summary(found, session.wall),
        "due_at": shown(task.due_at),
        "kind": task.kind,
        "role": task.role.value,
        "assignee": task.assignee,
        "subject": task.subject,
        "provisional": task.provisional,
        "overdue": task.due_at is not None and task.due_at <= found.clock(session.wall),
    }


def _one_of(kind: Any, value: str | None, option: str) -> Any:
    if value is None:
        return None
    try:
        return kind(value)
    except ValueError:
        raise usage(f"{option} {value[:40]!r} is unknown.", f"One of: {', '.join(kind)}") from None


_COLUMNS = ("case", "base", "stage", "awaiting", "due", "standing", "valid until")


def _line(row: dict[str, Any]) -> tuple[object, ...]:
    return (
        row["case_number"],
        row["name"],
        word(row["stage"]),
        word(row["awaiting"]),
        deadline(row["due_at"]),
        word(row["standing"], "standing"),
        row["valid_until"],
    )


def _list_table(rows: list[dict[str, Any]]) -> None:
    if rows:
        print_table(_COLUMNS, [_line(row) for row in rows])
    else:
        say("No cases.")


def _find_table(rows: list[dict[str, Any]]) -> None:
    if rows:
        print_table((*_COLUMNS, "found by"), [(*_line(row), _found_by(row)) for row in rows])
    else:
        say("Nothing is known by that.")


def _found_by(row: dict[str, Any]) -> str:
    """What was found, where the line does not show it already."""
    shown = {row["case_number"], row["name"]}
    matched = [one for one in row["matched"] if one["name"] not in shown]
    return "\n".join(f"{word(one['kind'])} {one['name']}" for one in matched)


def _inbox_table(rows: list[dict[str, Any]]) -> None:
    if not rows:
        say("Nothing waits for you.")
        return
    print_table(
        ("due", "task", "case", "base", "", "taken by"),
        [(_due(r), word(r["kind"], "task"), r["case_number"], r["name"], _mark(r), r["assignee"]) for r in rows],
    )


def _inboxes_table(rows: list[dict[str, Any]]) -> None:
    from domain.stages import Role

    if not rows:
        say("Nothing waits for anybody.")
    for role in Role:
        if theirs := [row for row in rows if row["role"] == role]:
            print(word(role))
            _inbox_table(theirs)


def _due(row: dict[str, Any]) -> str:
    due = deadline(row["due_at"])
    return loud(due) if row["overdue"] else due


def _mark(row: dict[str, Any]) -> str:
    return loud(word("overdue")) if row["overdue"] else word("provisional") if row["provisional"] else ""
