"""`livebase calendar import`: a notice of the State Council for every live case, or only what it would move."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from starter.applying import invalid_file
from starter.output import print_table, say, word
from starter.session import Session
from starter.updating import Start

if TYPE_CHECKING:
    from domain.commands import ImportAnswer, ImportCalendar
    from domain.notices import Notice
    from domain.working_days import Calendar
    from store.calendar import CalendarStore


def import_notice(
    session: Session,
    file: Annotated[Path, typer.Argument(metavar="NOTICE.json", help="A notice of the State Council as a file.")],
) -> None:
    """Put a calendar notice on record; every live case then counts its deadlines again."""
    from domain.commands import ImportAnswer, ImportCalendar, import_workflow_id
    from starter.office import done_before, send
    from starter.sending import envelope
    from workflows.messages import IMPORT_WORKFLOW
    from workflows.state import ImportState

    session.require_usable_options()
    notice = _read(session, file)
    importing = ImportCalendar(**envelope(session, import_workflow_id(notice.reference)), content=notice.canonical())
    answer = done_before(session, importing, ImportAnswer)
    if answer is None and session.dry_run:
        _foresee(session, importing, notice)
        return
    start = Start(IMPORT_WORKFLOW, ImportState(), f"节假日安排 {notice.year}")
    _print(session, answer or send(session, importing, ImportAnswer, start))
    say("What it moved, case by case as each gets to it: livebase calendar status")
    if (link := session.web_link(importing.workflow_id)) is not None:
        say(f"Temporal Web: {link}")


def _read(session: Session, file: Path) -> Notice:
    """The notice a file holds. Raises CommandError (2) with every problem."""
    from domain.notices import InvalidNotice, read_notice
    from starter.structured_text import InvalidFile, read_structured_file

    try:
        data, repeated = read_structured_file(file)
    except InvalidFile as error:
        raise invalid_file(error.problems) from None
    try:
        notice = read_notice(data, today=session.today, known_years=session.calendar.years)
    except InvalidNotice as error:
        raise invalid_file((*repeated, *error.problems)) from None
    if repeated:
        raise invalid_file(repeated)
    return notice


def _foresee(session: Session, importing: ImportCalendar, notice: Notice) -> None:
    """Which deadlines of which live cases would move, each case by its own clock. Nothing is sent."""
    from domain.commands import ImportAnswer
    from starter.sending import require_own_request_id

    require_own_request_id(session, importing, None)
    notices = session.notices
    after = notices.calendar().with_notice(notice)
    count, moves = 0, []
    for case_number, deadlines in _foreseen(session, notices, notice, after):
        count += 1
        if deadlines:
            moves.append({"case_number": case_number, "deadlines": deadlines})
    answer = ImportAnswer(
        request_id=importing.request_id,
        accepted_at=session.wall,
        repeated=notice.sha256 in {one.notice.sha256 for one in notices.imported()},
        year=notice.year,
        source=notice.source,
        calendar_version=after.version,
        live_cases=count,
    )
    _print(session, answer, foreseen=moves)
    say("Nothing was sent.")


def _foreseen(
    session: Session, notices: CalendarStore, notice: Notice, after: Calendar
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Each live case's number with the deadlines that would move."""
    from domain.recounting import recount
    from domain.setting import Setting
    from store.reference import policy_book

    policy, last = policy_book().in_force(session.today), ""
    while page := notices.live_cases(last, 500):
        for live in page:
            case = live.case
            setting = Setting(session.wall + live.clock_offset, policy, after, policy)
            transition = recount(case, setting, notice.reference)
            deadlines = transition.detail["deadlines"] if transition else []
            yield case.case_number, [one for one in deadlines if one["before"] != one["after"]]
        last = page[-1].workflow_id


def _print(session: Session, answer: ImportAnswer, *, foreseen: list[dict[str, Any]] | None = None) -> None:
    from store.queries import shown

    data: dict[str, Any] = {
        "request_id": answer.request_id,
        "accepted_at": shown(answer.accepted_at),
        "repeated": answer.repeated,
        "year": answer.year,
        "source": answer.source,
        "calendar_version": answer.calendar_version,
        "live_cases": answer.live_cases,
    }
    if foreseen is not None:
        data = {"dry_run": True, **data, "accepted_at": None, "request_id": session.request_id, "moves": foreseen}

    def table(_: object) -> None:
        rows = [
            ("source", answer.source + (f" ({word('done before')})" if answer.repeated else "")),
            ("year", answer.year),
            ("calendar", answer.calendar_version),
            ("live cases", answer.live_cases),
        ]
        print_table(
            ("accepted" if foreseen is None else "would be accepted", ""), [(word(name), value) for name, value in rows]
        )
        if foreseen:
            moved = [
                (one["case_number"], word(deadline["deadline"], "task"), deadline["before"], deadline["after"])
                for one in foreseen
                for deadline in one["deadlines"]
            ]
            print_table(("case", "deadline", "before", "after"), moved)

    session.show(data, table)
