"""`livebase approvals`: what waits for a second person, and their decision on it (decision 29)."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from starter import returning
from starter.applying import Reason, given_reason
from starter.errors import CommandError, usage
from starter.options import command, new_app
from starter.output import deadline, loud, plain, print_table, say, when, word
from starter.phrases import actor, recorded, typed
from starter.session import Session

if TYPE_CHECKING:
    from domain.returning import Unplaced
    from store.queries import FoundCase

_ID = re.compile(r"(LB-[0-9]{4}-[0-9]{6,}|PAY-[0-9A-F]{24})-[0-9]{1,6}")
_OF_NO_CASE = "PAY-"
_CONTENT = re.compile(r"[0-9a-f]{64}")
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="As in: livebase approvals")]


def register(app: typer.Typer) -> None:
    approvals = new_app("approvals", "What waits for a second person; alone, what waits for me.", alone=waiting)
    command(approvals, "show")(show)
    command(approvals, "approve")(approve)
    command(approvals, "deny")(deny)
    app.add_typer(approvals)


def waiting(session: Session) -> None:
    """What waits for me as a second person, soonest first; without --as, all that waits for one."""
    from domain.inbox import waits_for
    from store.lists import waiting_cases

    acting = session.actor if session.acting_as else None
    session.require_staff("An applicant approves nothing.")
    rows = [
        _line(found, proposal)
        for found in waiting_cases(session.engine, acting.role if acting else None)
        for proposal in _open(found)
        if acting is None
        or any(task.subject == proposal["id"] and waits_for(found.case, task, acting) for task in found.case.tasks)
    ]
    rows += returning.open_lines(session)
    session.show(sorted(rows, key=lambda row: (row["expires_at"], row["id"])), _table)


def show(session: Session, id: IdArgument) -> None:
    """Exactly what would be done, on what state, and the content to approve."""
    session.require_staff("An applicant approves nothing.")
    session.show(_view(session, id), _proposal_table)


def approve(
    session: Session,
    id: IdArgument,
    content: Annotated[
        str | None, typer.Option("--content", metavar="HASH", help="The content seen; without it, it is shown now.")
    ] = None,
) -> None:
    """Approve as the second person: it is done at once, if it still is what was seen."""
    from domain.commands import ApproveProposal
    from domain.proposals import with_masked_account
    from starter.sending import act

    session.require_usable_options()
    if content is not None and _CONTENT.fullmatch(content) is None:
        raise usage("--content is 64 hexadecimal digits.", f"See them with: livebase approvals show {id[:40]}")
    number, id = _number(id)
    unplaced = _of_no_case(session, id)
    seen = _looked_up(session, number, id) if unplaced is None else returning.proposal_view(unplaced, id)
    assert seen is not None
    if content is None:
        content = seen["content"]
        what = recorded(with_masked_account(seen["parameters"]))
        say(f"{typed(seen['action'])} {number} {seen['name']}: {what} — proposed by {seen['proposed_by']}")
        say(f"content {content}")
    if unplaced is not None:
        named = {"proposal": id, "content": content}
        returning.decide(session, unplaced, lambda envelope: ApproveProposal(**envelope, **named))
        return
    act(session, number, lambda envelope: ApproveProposal(**envelope, proposal=id, content=content))


def deny(session: Session, id: IdArgument, reason: Reason) -> None:
    """Deny it, or take one's own back: it is over."""
    from domain.commands import DenyProposal
    from starter.sending import act

    session.require_usable_options()
    number, id = _number(id)
    why = given_reason(reason)
    if (unplaced := _of_no_case(session, id)) is not None:
        named = {"proposal": id, "reason": why}
        returning.decide(session, unplaced, lambda envelope: DenyProposal(**envelope, **named))
        return
    _looked_up(session, number, id)
    act(session, number, lambda envelope: DenyProposal(**envelope, proposal=id, reason=why))


def _number(id: str) -> tuple[str, str]:
    """The case number in a proposal's id, and the id as it is written. CommandError (2) when it is none."""
    written = id.strip().upper()
    match = _ID.fullmatch(written)
    if match is None:
        raise usage(f"{id[:40]!r} is no proposal's id.", "Such as LB-2026-000001-17; see: livebase approvals")
    return match[1], written


def _of_no_case(session: Session, id: str) -> Unplaced | None:
    """The payment of no case whose return is proposed; None for a case's proposal. CommandError: 6 before 3."""
    from starter.sending import reach
    from store.payments import unplaced_named

    if not id.startswith(_OF_NO_CASE):
        return None
    unplaced = unplaced_named(session.engine, id)
    if unplaced is None:
        if not session.dry_run:
            asyncio.run(reach(session))
        raise _unknown(id)
    return unplaced


def _looked_up(session: Session, number: str, id: str) -> dict[str, Any]:
    """The proposal as it is on record. CommandError: 6 before 3."""
    from starter.sending import reach

    found = session.meant(number)
    proposal = found.case.proposal(id) if found else None
    if found is None or proposal is None:
        if not session.dry_run:
            asyncio.run(reach(session))  # a lost server comes before an unknown proposal
        raise _unknown(id)
    return {**proposal.model_dump(mode="json"), "name": found.case.name}


def _view(session: Session, id: str) -> dict[str, Any]:
    from domain.permissions import SECOND_PERSON
    from domain.proposals import changed_since, state_of
    from store.payments import unplaced_named
    from store.queries import shown

    number, id = _number(id)
    if id.startswith(_OF_NO_CASE):
        unplaced = unplaced_named(session.engine, id)
        if unplaced is None or (view := returning.proposal_view(unplaced, id)) is None:
            raise _unknown(id)
        return view
    found = session.reader.find_case(number)
    proposal = found.case.proposal(id) if found else None
    if found is None or proposal is None:
        raise _unknown(id)
    case = found.case
    expiry = next((planned.at for planned in case.plan if planned.subject == id), None)
    return {
        "id": id,
        "case_number": case.case_number,
        "credit_code": case.credit_code,
        "name": case.name,
        "action": proposal.action,
        "parameters": proposal.parameters,
        "state": state_of(case),
        "content": proposal.content,
        "changed": bool(changed_since(case, proposal)),
        "outcome": proposal.outcome,
        "proposed_by": f"{proposal.role}:{proposal.proposed_by}",
        "proposed_at": shown(proposal.at),
        "expires_at": shown(expiry),
        "roles": [role.value for role in SECOND_PERSON[proposal.action].roles],
    }


def _unknown(id: str) -> CommandError:
    return CommandError(3, "not_found", f"There is no proposal {id}.", "See what waits with: livebase approvals")


def _open(found: FoundCase) -> list[dict[str, Any]]:
    from store.queries import proposals_view

    return proposals_view(found.case)


def _line(found: FoundCase, proposal: dict[str, Any]) -> dict[str, Any]:
    case = found.case
    return {**proposal, "case_number": case.case_number, "credit_code": case.credit_code, "name": case.name}


def _table(rows: list[dict[str, Any]]) -> None:
    if not rows:
        say("Nothing waits for a second person.")
        return
    print_table(
        ("due", "proposal", "what", "base", "proposed by", "detail"),
        [
            (
                deadline(row["expires_at"]),
                row["id"],
                word(row["action"], "action"),
                row["name"],
                actor(row["proposed_by"]),
                recorded(row["parameters"]),
            )
            for row in rows
        ],
    )


def _proposal_table(view: dict[str, Any]) -> None:
    if view["outcome"] is not None:
        stands = word(view["outcome"], "proposal")
    else:
        waits = f"{word('open')} {word('by')} {deadline(view['expires_at'])}"
        stands = loud(word("the case has changed: propose it anew")) if view["changed"] else waits
    roles = ", ".join(word(role) for role in view["roles"])
    rows = [
        ("proposal", view["id"]),
        ("base", view["name"]),
        ("credit code", view["credit_code"]),
        ("what", word(view["action"], "action")),
        *((name, plain(value)) for name, value in view["parameters"].items()),
        ("proposed by", f"{actor(view['proposed_by'])} {when(view['proposed_at'])}"),
        ("second person", roles),
        ("stands", stands),
        ("content", view["content"]),
    ]
    print_table(("", ""), [(word(name), value) for name, value in rows])
