"""One base: show, timeline, next. Works with Temporal down."""

from __future__ import annotations

from typing import Any

import typer

from starter.applying import BaseArgument
from starter.options import command
from starter.output import loud, print_table, waiting, when, word
from starter.phrases import (
    actor,
    findings_table,
    of_the_base,
    of_the_certification,
    of_the_proposals,
    recorded,
    task,
    typed,
)
from starter.session import Session


def register(app: typer.Typer) -> None:
    command(app, "show")(show)
    command(app, "timeline")(timeline)
    command(app, "next")(next_events)


def show(session: Session, base: BaseArgument) -> None:
    """Everything about a base, now."""
    found = session.readable(base)
    view = session.reader.base_view(found, session.wall)
    view["workflow"]["url"] = session.web_link(found.case.workflow_id, found.run_id)
    session.show(view, _show_table)


def timeline(session: Session, base: BaseArgument) -> None:
    """What happened, who did it, when: by law and as observed."""
    session.show(session.reader.timeline(session.readable(base).case.case_number), _timeline_table)


def next_events(session: Session, base: BaseArgument) -> None:
    """What happens next and when, if nobody does anything; which commands are open to whom."""
    from domain.judging import open_to
    from store.queries import shown

    case = session.readable(base).case
    view = {
        "case_number": case.case_number,
        "stage": case.stage.value,
        "awaiting": case.awaiting.value,
        "due_at": shown(case.due_at),
        "events": [
            {
                "event": planned.event.value,
                "at": shown(planned.at),
                "what": planned.what,
                "provisional": planned.provisional,
                "conduct": conduct,
            }
            for planned, conduct in case.coming
        ],
        "commands": {action: sorted(roles) for action, roles in open_to(case).items()},
    }
    session.show(view, _next_table)


def _show_table(view: dict[str, Any]) -> None:
    rows = [
        *of_the_base(view),
        ("revision", f"{view['revision']}, {word('policy')} {view['policy_version']}"),
        ("stage", word(view["stage"])),
        ("standing", word(view["standing"], "standing")),
        ("awaiting", waiting(view["awaiting"], view["due_at"])),
        *of_the_certification(view),
        *of_the_proposals(view),
        *(("task", task(open_task)) for open_task in view["tasks"]),
    ]
    if view["benefits"]:
        rows.append(("benefits", _benefits(view["benefits"])))
    if view["workflow"]["url"]:
        rows.append(("Temporal Web", view["workflow"]["url"]))
    print_table(("", ""), [(word(name, "heading"), value) for name, value in rows])
    findings_table(view["findings"])


def _benefits(benefits: list[dict[str, Any]]) -> str:
    """P1 to P6 by what has become of them; one without a date waits for publication (R3)."""
    states: dict[str, list[str]] = {}
    for benefit in benefits:
        waits = benefit["state"] == "granted" and benefit["effective_from"] is None
        states.setdefault("from publication on" if waits else benefit["state"], []).append(benefit["benefit"])
    told = ", ".join(f"{' '.join(names)} {word(state, 'benefit')}" for state, names in states.items())
    paused = next((benefit["paused_since"] for benefit in benefits if benefit["paused_since"]), None)
    return f"{told}; {loud(word('paused'))} {word('since')} {when(paused)}" if paused else told


def _timeline_table(rows: list[dict[str, Any]]) -> None:
    print_table(
        ("#", "when (legal)", "observed", "who", "what", "detail"),
        [
            (
                row["sequence"],
                when(row["legal_at"]),
                "" if when(row["observed_at"]) == when(row["legal_at"]) else when(row["observed_at"]),
                actor(row["actor"]),
                word(row["event"]),
                recorded(row["detail"]),
            )
            for row in rows
        ],
    )


def _next_table(view: dict[str, Any]) -> None:
    who = waiting(view["awaiting"], view["due_at"])
    print(f"{view['case_number']}  {word('stage')} {word(view['stage'])}, {word('awaiting')} {who}")
    if view["events"]:
        rows = [(when(e["at"]), _planned(e), word("provisional") if e["provisional"] else "") for e in view["events"]]
        print_table(("at", "if nobody acts", ""), rows)
    if view["commands"]:
        commands = [
            (typed(action), _meaning(action), ", ".join(word(role) for role in roles))
            for action, roles in view["commands"].items()
        ]
        print_table(("open command", "", "to"), commands)


def _meaning(action: str) -> str:
    """What a command does, where its own name does not say it in the language asked for."""
    meaning = word(action, "action")
    return "" if meaning == action else meaning


def _planned(event: dict[str, Any]) -> str:
    """What comes of itself: the plan's own words, or the event's in another language; in which conduct case."""
    translated = word(event["event"])
    what: str = event["what"] if translated == event["event"] else translated
    return f"{event['conduct']}: {what}" if event["conduct"] else what
