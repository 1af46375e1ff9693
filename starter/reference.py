"""Reference data on the command line: the calendar and the policy. Shipped data; nothing needs to run."""

from typing import Annotated, Any

import typer

from starter.errors import usage
from starter.options import command, new_app
from starter.output import print_table
from starter.session import Session


def register(app: typer.Typer) -> None:
    calendar = new_app("calendar", "Working days.")
    command(calendar, "explain")(explain)
    command(calendar, "status")(status)
    app.add_typer(calendar)
    policy = new_app("policy", "The numbers the certification depends on.")
    command(policy, "show")(show_policy)
    app.add_typer(policy)


def explain(
    session: Session,
    date: Annotated[str, typer.Argument(metavar="DATE", help="The start day; it is not counted.")],
    days: Annotated[int, typer.Option("--days", help="How many working days.", min=1, max=1000)],
) -> None:
    """Every counted and skipped day on the way to a deadline, its source, provisional or not."""
    from domain.shanghai import parse_date
    from store.reference import shipped_calendar

    try:
        start = parse_date(date)
    except ValueError:
        raise usage(
            f"{date[:40]!r} is not a date.", "For example: livebase calendar explain 2026-02-13 --days 7"
        ) from None
    if not 2000 <= start.year <= 2200:
        raise usage("The date must be between 2000 and 2200.", "Nothing is known beyond.")
    session.show(shipped_calendar().deadline(start, days).model_dump(mode="json"), _explain_table)


def status(session: Session) -> None:
    """Which notices are in, and from when on deadlines are provisional."""
    from datetime import date

    from store.reference import shipped_calendar

    calendar = shipped_calendar()
    years = {notice.year for notice in calendar.notices}
    year = session.today.year
    while year in years:
        year += 1
    since = date(year - 1, 12, 1) if year - 1 in years else date(year, 1, 1)
    view = {
        "calendar_version": calendar.version,
        "provisional_from": since.isoformat(),
        "notices": [
            {
                "year": notice.year,
                "source": notice.source,
                "published_on": notice.published_on.isoformat(),
                "holidays": len(notice.holidays),
                "working_days": len(notice.working_days),
            }
            for notice in calendar.notices
        ],
    }
    session.show(view, _status_table)


def show_policy(session: Session) -> None:
    """Every number in force today, with its source or the assumption it is."""
    from store.reference import policy_book

    in_force = policy_book().in_force(session.today).version
    version = next(v for v in policy_book().versions if v.version == in_force)
    session.show(version.model_dump(mode="json"), _policy_table)


def _explain_table(view: dict[str, Any]) -> None:
    rows = [(c["date"], c["number"], c["kind"], "") for c in view["counted"]]
    rows += [(s["date"], "", s["kind"], s["source"]) for s in view["skipped"]]
    print_table(("day", "counted", "kind", "source"), sorted(rows))
    mark = " — provisional: the notice for it is not in, it can only move later" if view["provisional"] else ""
    print(f"{view['days']} working days after {view['start']}: {view['deadline']} 24:00{mark}")


def _status_table(view: dict[str, Any]) -> None:
    rows = [(n["year"], n["source"], n["published_on"], n["holidays"], n["working_days"]) for n in view["notices"]]
    print_table(("year", "source", "published", "holidays", "make-up days"), rows)
    print(f"Provisional from {view['provisional_from']} on. Version {view['calendar_version']}.")


def _policy_table(view: dict[str, Any]) -> None:
    rows = [
        (name, figure["value"], figure["source"], "assumption" if figure["assumption"] else "")
        for name, figure in view["figures"].items()
    ]
    print_table(
        ("figure", "value", "source", ""), rows, title=f"Policy {view['version']}, since {view['effective_from']}"
    )
