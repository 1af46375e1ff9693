"""Reading: show, list, timeline, next. Works with Temporal down."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from starter.applying import BaseArgument
from starter.errors import usage
from starter.options import command
from starter.output import deadline, flat, money, plain, print_table, say, waiting, when, word
from starter.session import Session


def register(app: typer.Typer) -> None:
    command(app, "show")(show)
    command(app, "list")(list_bases)
    command(app, "timeline")(timeline)
    command(app, "next")(next_events)


def show(session: Session, base: BaseArgument) -> None:
    """Everything about a base, now."""
    found = session.readable(base)
    view = session.reader.base_view(found, session.wall)
    view["workflow"]["url"] = session.web_link(found.case.workflow_id, found.run_id)
    session.show(view, _show_table)


def list_bases(
    session: Session,
    standing: Annotated[str | None, typer.Option("--standing", metavar="STANDING")] = None,
    stage: Annotated[str | None, typer.Option("--stage", metavar="STAGE")] = None,
    awaiting: Annotated[str | None, typer.Option("--awaiting", metavar="ROLE")] = None,
    due_before: Annotated[str | None, typer.Option("--due-before", metavar="DATE")] = None,
) -> None:
    """All cases, soonest deadline first."""
    from domain.names import same_name
    from domain.shanghai import midnight, parse_date
    from domain.stages import Role, Stage, Standing
    from store.queries import summary

    try:
        due = midnight(parse_date(due_before)) if due_before is not None else None
    except (ValueError, OverflowError):
        raise usage("--due-before is a date such as 2026-03-02.", "Dates are Shanghai dates.") from None
    wanted = {
        "standing": _one_of(Standing, standing, "--standing"),
        "stage": _one_of(Stage, stage, "--stage"),
        "awaiting": _one_of(Role, awaiting, "--awaiting"),
    }
    only = session.only_applicant
    cases = session.reader.list_cases(session.wall, due_before=due, **wanted)
    if only is not None:
        cases = [found for found in cases if same_name(found.case.applicant, only)]
    session.show([summary(found, session.wall) for found in cases], _list_table)


def timeline(session: Session, base: BaseArgument) -> None:
    """What happened, who did it, when: by law and as observed."""
    session.show(session.reader.timeline(session.readable(base).case.case_number), _timeline_table)


def next_events(session: Session, base: BaseArgument) -> None:
    """What happens next and when, if nobody does anything; which commands are open to whom."""
    from domain.judging import open_to
    from store.queries import shown

    case = session.readable(base).case
    events = sorted(case.plan, key=lambda planned: planned.at)
    view = {
        "case_number": case.case_number,
        "stage": case.stage.value,
        "awaiting": case.awaiting.value,
        "due_at": shown(case.due_at),
        "events": [
            {"event": p.event.value, "at": shown(p.at), "what": p.what, "provisional": p.provisional} for p in events
        ],
        "commands": {action: sorted(roles) for action, roles in open_to(case).items()},
    }
    session.show(view, _next_table)


def _one_of(kind: Any, value: str | None, option: str) -> Any:
    if value is None:
        return None
    try:
        return kind(value)
    except ValueError:
        raise usage(f"{option} {value[:40]!r} is unknown.", f"One of: {', '.join(kind)}") from None


def _list_table(rows: list[dict[str, Any]]) -> None:
    if not rows:
        say("No cases.")
        return
    print_table(
        ("case", "base", "stage", "standing", "awaiting", "due", "valid until"),
        [
            (
                r["case_number"],
                r["name"],
                word(r["stage"]),
                word(r["standing"]),
                word(r["awaiting"]),
                deadline(r["due_at"]),
                r["valid_until"],
            )
            for r in rows
        ],
    )


def _timeline_table(rows: list[dict[str, Any]]) -> None:
    print_table(
        ("#", "when (legal)", "observed", "who", "what", "detail"),
        [
            (
                r["sequence"],
                when(r["legal_at"]),
                "" if when(r["observed_at"]) == when(r["legal_at"]) else when(r["observed_at"]),
                r["actor"],
                r["event"],
                _detail(r["detail"]),
            )
            for r in rows
        ],
    )


def _detail(detail: dict[str, Any]) -> str:
    """What is worth reading of an entry's detail; hashes are in the JSON."""
    parts = []
    for key, value in detail.items():
        if key in ("submission", "evidence") or value in (None, "", [], {}, False):
            continue
        parts.append(f"{key} {money(value) if isinstance(value, dict) and 'fen' in value else flat(value)}")
    return ", ".join(parts)


def _next_table(view: dict[str, Any]) -> None:
    who = waiting(view["awaiting"], view["due_at"])
    print(f"{view['case_number']}  {word('stage')} {word(view['stage'])}, {word('awaiting')} {who}")
    if view["events"]:
        rows = [(when(e["at"]), e["what"], word("provisional") if e["provisional"] else "") for e in view["events"]]
        print_table(("if nobody acts", "", ""), rows)
    if view["commands"]:
        commands = [(action, ", ".join(word(role) for role in roles)) for action, roles in view["commands"].items()]
        print_table(("open command", "to"), commands)


def _show_table(view: dict[str, Any]) -> None:
    policy = f"{word('policy')} {view['policy_version']}"
    rows: list[tuple[str, object]] = [
        ("base", f"{view['name']}  {view['credit_code']}"),
        ("case", ", ".join((view["case_number"], f"{word('revision')} {view['revision']}", policy))),
        ("stage", word(view["stage"])),
        ("standing", word(view["standing"])),
        ("awaiting", waiting(view["awaiting"], view["due_at"])),
    ]
    if term := view["term"]:
        until = f"{word('through')} {term['last_day']} 24:00"
        rows.append(("term", f"{term['certificate_number']}, {when(term['from'])} {until}"))
    rows.append(("deposit", _deposit(view["deposit"])))
    if view["publication"]["state"] != "none":
        rows.append(("publication", _publication(view["publication"])))
    rows += [("holds", f"{hold['kind']} {when(hold['since'])}: {hold['reason']}") for hold in view["holds"]]
    if ending := view["ending"]:
        kind = f"{word(ending['kind'])} ({ending['cause']})"
        rows.append(("ending", f"{kind} {word('on')} {when(ending['legal_at'])}: {ending['reason']}"))
    rows += [("task", _task(task)) for task in view["tasks"]]
    if view["benefits"]:
        rows.append(("benefits", "  ".join(f"{b['benefit']} {word(b['state'])}" for b in view["benefits"])))
    if view["workflow"]["url"]:
        rows.append(("Temporal Web", view["workflow"]["url"]))
    print_table(("", ""), [(word(name), value) for name, value in rows])
    findings = [(f["condition"], word(f["outcome"]), f["message"]) for f in view["findings"]]
    print_table(("finding", "outcome", "message"), findings)


def _deposit(deposit: dict[str, Any]) -> str:
    unmatched = f", {money(deposit['unmatched'])} {word('unmatched')}" if deposit["unmatched"]["fen"] else ""
    return f"{money(deposit['held'])} {word('of')} {money(deposit['required'])} CNY {word('held')}{unmatched}"


def _publication(publication: dict[str, Any]) -> str:
    mark = f" ({word('provisional')})" if publication["provisional"] else ""
    breached = ", R3 breached" if publication["breached"] else ""
    return f"{word(publication['state'])}, {word('due')} {publication['due_date']}{mark}{breached}"


def _task(task: dict[str, Any]) -> str:
    mark = f" ({word('provisional')})" if task["provisional"] else ""
    who = plain(task["assignee"]) if task["assignee"] else word(task["role"])
    due = f" {word('by')} {deadline(task['due_at'])}" if task["due_at"] else ""
    return f"{word(task['kind'])} — {who}{due}{mark}"
