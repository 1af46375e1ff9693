"""`livebase why`: why a base stands as it stands. Works with Temporal down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from starter.applying import BaseArgument
from starter.options import command
from starter.output import loud, money, print_table, waiting, when, word
from starter.phrases import Row, findings_table, of_the_base, of_the_certification, of_the_proposals, recorded
from starter.session import Session

if TYPE_CHECKING:
    from store.queries import FoundCase


_APPROVALS = ("approved", "renewal_approved")


def register(app: typer.Typer) -> None:
    command(app, "why")(why)


def why(session: Session, base: BaseArgument) -> None:
    """Why it stands as it stands: findings, decisions, holds, money, policy, calendar."""
    session.show(_view(session, session.readable(base)), _table)


def _view(session: Session, found: FoundCase) -> dict[str, Any]:
    from store.grounds import grounds

    case = found.case
    shown = session.reader.base_view(found, session.wall)
    rests_on = grounds(session.engine, case.case_number)
    kept = ("case_number", "credit_code", "name", "parties", "stage", "standing", "awaiting", "due_at", "valid_until",
            "revision", "term", "next_term", "renewal", "publication", "assessments", "holds", "proposals", "conduct",
            "ending", "appeal", "appeal_until", "deposit")  # fmt: skip
    return {
        **{key: shown[key] for key in kept},
        "unobserved_ending": _unobserved(found, session),
        "screening": rests_on["screening"],
        "findings": _accepted(shown["findings"], rests_on["decisions"], _screened(rests_on, case.revision)),
        "decisions": rests_on["decisions"],
        "unmatched": rests_on["unmatched"],
        "policy": _policy(session, case.policy_version),
        "calendar": _calendar(session, shown),
    }


def _unobserved(found: FoundCase, session: Session) -> str | None:
    """When the term ended, while no worker has carried out the expiry."""
    from store.queries import shown

    term = found.case.term
    over = term is not None and found.case.ending is None and term.until <= found.clock(session.wall)
    return shown(term.until) if term and over else None


def _accepted(findings: list[dict[str, Any]], decisions: list[dict[str, Any]], revision: int) -> list[dict[str, Any]]:
    """The findings, each with who accepted it and why where the approval of the revision did."""
    approvals = [one for one in decisions if one["kind"] in _APPROVALS and one["revision"] == revision]
    reasons: dict[str, Any] = {
        condition: {"by": approval["by"], "reason": reason, "at": approval["at"]}
        for approval in approvals
        for condition, reason in approval["detail"].get("accepted", {}).items()
    }
    return [{**finding, "accepted": reasons.get(finding["condition"])} for finding in findings]


def _screened(rests_on: dict[str, Any], newest: int) -> int:
    """The revision the findings are of: a correction makes a new one, and conditions are not judged again."""
    screening = rests_on["screening"]
    return screening["revision"] if screening else newest


def _policy(session: Session, version: str) -> dict[str, Any]:
    from store.reference import policy_book

    pinned = policy_book().pinned(version)
    in_force = policy_book().in_force(session.today).version
    return {"version": version, "effective_from": pinned.effective_from.isoformat(), "in_force": in_force}


def _calendar(session: Session, shown: dict[str, Any]) -> dict[str, Any]:
    """The calendar deadlines are counted by now, and which open ones can still move."""
    moving = [task["kind"] for task in shown["tasks"] if task["provisional"]]
    return {"calendar_version": session.calendar.version, "provisional": bool(moving), "provisional_tasks": moving}


def _table(view: dict[str, Any]) -> None:
    rows: list[Row] = [
        *of_the_base(view),
        ("standing", f"{word(view['standing'], 'standing')}, {word('stage')} {word(view['stage'])}"),
        ("awaiting", waiting(view["awaiting"], view["due_at"])),
        *of_the_certification(view),
        *of_the_proposals(view),
        *_late(view["unobserved_ending"]),
        ("policy", _pinned(view["policy"])),
        ("calendar", _moving(view["calendar"])),
    ]
    print_table(("", ""), [(word(name, "heading"), value) for name, value in rows])
    if view["decisions"]:
        print_table(("when", "decision", "who", "revision", "reason"), [_decision(one) for one in view["decisions"]])
    if view["unmatched"]:
        print_table(
            ("unmatched", "CNY", "reference", "payer", "reason"),
            [
                (u["value_date"], money(u["amount"]), u["reference"], u["payer"], word(u["why"]))
                for u in view["unmatched"]
            ],
        )
    if screening := view["screening"]:
        print(f"{word('revision')} {screening['revision']}, {word('as of')} {screening['as_of']}")
    findings_table(view["findings"])


def _late(unobserved: str | None) -> list[Row]:
    if unobserved is None:
        return []
    return [("ending", loud(f"{when(unobserved)}: {word('the term has ended; no worker has carried it out yet')}"))]


def _pinned(policy: dict[str, Any]) -> str:
    since = f"{policy['version']}, {word('since')} {policy['effective_from']}"
    newer = policy["in_force"] != policy["version"]
    return f"{since}; {word('in force now')}: {policy['in_force']}" if newer else since


def _moving(calendar: dict[str, Any]) -> str:
    kinds = ", ".join(word(kind, "task") for kind in calendar["provisional_tasks"])
    return f"{word('provisional')}: {kinds}" if kinds else word("no open deadline is provisional")


def _decision(one: dict[str, Any]) -> tuple[object, ...]:
    detail = {key: value for key, value in one["detail"].items() if key != "accepted"}  # stands beside its finding
    reason = "; ".join(part for part in (one["reason"], recorded(detail)) if part)
    return when(one["at"]), word(one["kind"], "decision"), f"{word(one['role'])}:{one['by']}", one["revision"], reason
