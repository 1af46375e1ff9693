"""Reference data on the command line: the calendar and the policy.

Explaining a deadline and the policy need nothing but what is shipped; a database adds the imported notices.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from starter.calendar_notices import import_notice
from starter.errors import CommandError, usage
from starter.options import command, new_app
from starter.output import print_table, told, word
from starter.session import Session

if TYPE_CHECKING:
    from domain.working_days import Calendar


def register(app: typer.Typer) -> None:
    calendar = new_app("calendar", "Working days.")
    command(calendar, "explain")(explain)
    command(calendar, "import")(import_notice)
    command(calendar, "status")(status)
    app.add_typer(calendar)
    policy = new_app("policy", "The numbers the certification depends on.")
    command(policy, "show")(show_policy)
    app.add_typer(policy)


def explain(
    session: Session,
    start_day: Annotated[str, typer.Argument(metavar="DATE", help="The start day; it is not counted.")],
    days: Annotated[int, typer.Option("--days", help="How many working days.", min=1, max=1000)],
) -> None:
    """Every counted and skipped day on the way to a deadline, its source, provisional or not."""
    from domain.shanghai import parse_date

    try:
        start = parse_date(start_day)
    except (ValueError, OverflowError):
        hint = "For example: livebase calendar explain 2026-02-13 --days 7"
        raise usage(f"{start_day[:40]!r} is not a date.", hint) from None
    if not 2000 <= start.year <= 2200:
        raise usage("The date must be between 2000 and 2200.", "Nothing is known beyond.")
    session.show(session.calendar.deadline(start, days).model_dump(mode="json"), _explain_table)


def status(session: Session) -> None:
    """Which notices are in, shipped and imported, and from when on deadlines are provisional."""
    from store.queries import shown

    if session.only_applicant is not None:
        raise CommandError(4, "role_not_allowed", "An applicant may not do this.", "It is for every staff role.")
    notices = session.notices
    calendar = notices.calendar()
    imported = {one.notice.sha256: one for one in notices.imported()}
    view = {
        "calendar_version": calendar.version,
        "provisional_from": provisional_from(calendar, session.today).isoformat(),
        "notices": [
            {
                "year": notice.year,
                "source": notice.source,
                "published_on": notice.published_on.isoformat(),
                "holidays": len(notice.holidays),
                "working_days": len(notice.working_days),
                "sha256": notice.sha256,
                "imported_by": one.imported_by if one else None,
                "imported_at": shown(one.at) if one else None,
                "cases_moved": one.cases_moved if one else None,
            }
            for notice in calendar.notices
            for one in [imported.get(notice.sha256)]
        ],
    }
    session.show(view, _status_table)


def provisional_from(calendar: Calendar, today: date) -> date:
    """From which day on deadlines can still move: the first provisional day of this year or after it."""
    day = date(today.year, 1, 1)
    while not calendar.is_provisional(day):
        day = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return day


def show_policy(session: Session) -> None:
    """Every number in force today, with its source or the assumption it is."""
    from store.reference import policy_book

    in_force = policy_book().in_force(session.today).version
    version = next(v for v in policy_book().versions if v.version == in_force)
    session.show(version.model_dump(mode="json"), _policy_table)


def _explain_table(view: dict[str, Any]) -> None:
    rows = [(c["date"], c["number"], word(c["kind"]), "") for c in view["counted"]]
    rows += [(s["date"], "", word(s["kind"]), word(s["source"])) for s in view["skipped"]]
    print_table(("day", "counted", "kind", "source"), sorted(rows))
    mark = "provisional: the notice for it is not in, it can only move later"
    end = told("{} working days after {}: {} 24:00", view["days"], view["start"], view["deadline"])
    print(f"{end} — {word(mark)}" if view["provisional"] else end)


def _status_table(view: dict[str, Any]) -> None:
    rows = [
        (
            n["year"],
            n["source"],
            n["published_on"],
            n["holidays"],
            n["working_days"],
            n["imported_by"] or word("shipped"),
            "" if n["cases_moved"] is None else n["cases_moved"],
        )
        for n in view["notices"]
    ]
    columns = ("year", "source", "published", "holidays", "make-up days", "imported by", "cases moved")
    print_table(columns, rows)
    print(told("Provisional from {} on. Version {}.", view["provisional_from"], view["calendar_version"]))


def _policy_table(view: dict[str, Any]) -> None:
    rows = [
        (word(name), _value(figure["value"]), _source(figure["source"]), _assumed(figure))
        for name, figure in view["figures"].items()
    ]
    print_table(
        ("figure", "value", "source", ""),
        rows,
        title=told("Policy {}, since {}", view["version"], view["effective_from"]),
    )


def _value(value: object) -> str:
    """A number, numbers, or numbers by name."""
    if isinstance(value, dict):
        return ", ".join(f"{word(name)} {number}" for name, number in value.items())
    return ", ".join(str(number) for number in value) if isinstance(value, list) else str(value)


def _source(source: str) -> str:
    return " ".join(word(part) for part in source.split(" "))


def _assumed(figure: dict[str, Any]) -> str:
    return word("assumption") if figure["assumption"] else ""
