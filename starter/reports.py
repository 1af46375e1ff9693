"""Reports over a range of days: which terms end, who has how much to do, publication in its time, deposits.

Works with Temporal down. An applicant's are about their own case alone.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import typer

from starter.errors import CommandError
from starter.options import command, new_app
from starter.output import loud, money, print_table, say, told, when, word
from starter.phrases import provisional
from starter.session import Session

FromOption = Annotated[str | None, typer.Option("--from", metavar="DATE", help="The first day. Required.")]
ToOption = Annotated[str | None, typer.Option("--to", metavar="DATE", help="The last day, included. Required.")]


def register(app: typer.Typer) -> None:
    reports = new_app("report", "Reports over a range of days, the first and the last one included.")
    command(reports, "expiring")(expiring)
    command(reports, "workload")(workload)
    command(reports, "publication")(publication)
    command(reports, "deposits")(deposits)
    app.add_typer(reports)


def expiring(session: Session, from_: FromOption = None, to: ToOption = None) -> None:
    """The terms whose last day is one of these, and how their renewal stands."""
    from store.reports import expiring_terms

    first, last = _days(from_, to)
    own = session.only_applicant
    session.show(expiring_terms(session.engine, first, last, session.wall, own), _expiring_table)


def workload(session: Session, from_: FromOption = None, to: ToOption = None) -> None:
    """What each role and person of the staff has to do, and has done on these days."""
    from store.reports import staff_workload

    first, last = _days(from_, to)
    own = session.only_applicant
    session.show(staff_workload(session.engine, first, last, session.wall, own), _workload_table)


def publication(session: Session, from_: FromOption = None, to: ToOption = None) -> None:
    """The bases to be made public by one of these days (R3), and whether they were."""
    from store.reports import publications_due

    first, last = _days(from_, to)
    own = session.only_applicant
    session.show(publications_due(session.engine, first, last, session.wall, own), _publication_table)


def deposits(session: Session, from_: FromOption = None, to: ToOption = None) -> None:
    """What of money came, was credited, deducted and given back on these days, and what is held at their end."""
    from store.reports import deposit_movements

    first, last = _days(from_, to)
    own = session.only_applicant
    session.show(deposit_movements(session.engine, first, last, session.wall, own), _deposits_table)


def _days(from_: str | None, to: str | None) -> tuple[date, date]:
    """The first and the last day. CommandError (2) with everything that is wrong with them."""
    read = {"--from": _day(from_), "--to": _day(to)}
    problems = [(option, day) for option, day in read.items() if isinstance(day, str)]
    first, last = read.values()
    if isinstance(first, date) and isinstance(last, date):
        if first <= last:
            return first, last
        problems = [("--from", f"{first} is after --to, {last}")]
    raise CommandError(
        2,
        "usage",
        "A report is about a range of days.",
        "For example: --from 2026-03-01 --to 2026-03-31. Dates are Shanghai dates, both are included.",
        problems,
    )


def _day(text: str | None) -> date | str:
    """A Shanghai date, or what is wrong with it."""
    from domain.shanghai import parse_date

    if text is None:
        return "is missing"
    try:
        return parse_date(text)
    except (ValueError, OverflowError):
        return "is no date such as 2026-03-02"


def _expiring_table(rows: list[dict[str, Any]]) -> None:
    if not rows:
        say("No term ends on these days.")
        return
    print_table(
        ("last day", "days left", "renewal", "standing", "case", "certificate", "base"),
        [
            (
                row["last_day"],
                loud(str(row["days_left"])) if row["expired"] else row["days_left"],
                _renewal(row["renewal"]),
                word(row["standing"], "standing"),
                row["case_number"],
                row["certificate_number"],
                row["name"],  # however long it is, what is to be known of it stays beside the day
            )
            for row in rows
        ],
    )


def _renewal(renewal: dict[str, Any]) -> str:
    """How the renewal of a term stands: the next certificate, what is awaited, how often it was refused."""
    parts = [word(renewal["state"], "renewal")]
    if renewal["certificate_number"]:
        parts.append(renewal["certificate_number"])
    if renewal["awaits"]:
        parts.append(word("awaits " + renewal["awaits"]))
    if renewal["refused"]:
        parts.append(told("refused before: {}", renewal["refused"]))
    return ", ".join(parts)


def _workload_table(rows: list[dict[str, Any]]) -> None:
    if not rows:
        say("Nothing is to be done, and nothing was done on these days.")
        return
    print_table(
        ("role", "who", "open", "overdue", "due in range", "done"),
        [
            (
                word(row["role"]),
                word("nobody yet") if row["name"] is None else row["name"],
                row["open"],
                loud(str(row["overdue"])) if row["overdue"] else 0,
                row["due_in_range"],
                row["done"],
            )
            for row in rows
        ],
    )


def _publication_table(rows: list[dict[str, Any]]) -> None:
    if not rows:
        say("No publication is due on these days.")
        return
    print_table(
        ("due", "outcome", "publication", "standing", "case", "base"),
        [
            (
                f"{row['publication']['due_date']}{_moving(row)}",
                _outcome(row["outcome"]),
                _published(row["publication"]),
                word(row["standing"], "standing"),
                row["case_number"],
                row["name"],
            )
            for row in rows
        ],
    )


def _deposits_table(rows: list[dict[str, Any]]) -> None:
    """Who has no movement and nothing held is left out; the sum of all comes last."""
    if not rows:
        say("No money came or went on these days, and none is held.")
        return
    sums = ("received", "credited", "moved", "taken_back", "deducted", "refunded", "returned", "unmatched", "held")
    print_table(
        ("case", *sums, "base"),
        [
            (
                row["case_number"] or word(row["kind"], "deposits"),
                *(money(row[name]) for name in sums),
                row["name"],
            )
            for row in rows
        ],
    )


def _moving(row: dict[str, Any]) -> str:
    return provisional(row["publication"]["provisional"] and row["outcome"] == "pending")


def _outcome(outcome: str | None) -> str:
    text = word(outcome or "no longer due", "publication")
    return loud(text) if outcome in ("late", "overdue") else text


def _published(publication: dict[str, Any]) -> str:
    state = word(publication["state"], "publication")
    at = publication["published_at"]
    return f"{state} {word('since')} {when(at)}" if at and publication["state"] == "published" else state
