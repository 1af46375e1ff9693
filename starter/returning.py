"""The return of money of no case from the command line: sent to the payment's own workflow, which starts if need be."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from starter.errors import CommandError, refused, usage
from starter.output import print_table, say, waiting, word
from starter.session import Session
from starter.updating import Start

if TYPE_CHECKING:
    from domain.commands import ApproveProposal, Command, DenyProposal, UnplacedAnswer
    from domain.returning import Done, Step, Unplaced

Rule = Callable[["Unplaced"], "Done"]


def propose(session: Session, reference: str, reason: str) -> None:
    """Propose to return a payment of no case to who paid it."""
    from domain import returning
    from domain.commands import ReturnPayment, payment_number, payment_workflow_id
    from domain.setting import Setting
    from domain.shanghai import shanghai_date
    from starter.sending import envelope
    from store.reference import policy_book

    _require_typed(session, payment_number(reference), reference)
    command = ReturnPayment(**envelope(session, payment_workflow_id(reference)), reference=reference, reason=reason)

    def rule(unplaced: Unplaced) -> Done:
        policy = policy_book().in_force(shanghai_date(session.wall))
        due = Setting(session.wall, policy, session.calendar, policy).working_days(policy.approval_working_days)
        return returning.propose(unplaced, command, due.at, session.wall)

    _send(session, command, reference, rule)


def decide(
    session: Session, unplaced: Unplaced, make: Callable[[dict[str, Any]], ApproveProposal | DenyProposal]
) -> None:
    """Approve or deny the return of a payment of no case."""
    from domain import returning
    from domain.commands import ApproveProposal, payment_workflow_id
    from starter.sending import envelope

    reference = unplaced.payment.reference
    command = make(envelope(session, payment_workflow_id(reference)))

    def rule(now: Unplaced) -> Done:
        if isinstance(command, ApproveProposal):
            return returning.approve(now, command, session.wall)
        return returning.deny(now, command, session.wall)

    _send(session, command, reference, rule)


def proposal_view(unplaced: Unplaced, proposal: str) -> dict[str, Any] | None:
    """A proposal as `approvals show` has it; None for an unknown one. `name` is the payer: there is no base."""
    from domain.permissions import SECOND_PERSON
    from domain.returning import ACTION, content_of
    from store.queries import shown

    proposed = unplaced.proposed(proposal)
    if proposed is None:
        return None
    now = unplaced.last[proposal].what
    payment = unplaced.payment
    return {
        **_line(unplaced, proposed),
        "state": {"payment": [payment.amount, unplaced.left], "case_number": unplaced.known.case_number},
        "changed": now == "proposed" and content_of(unplaced, proposed.reason) != proposed.content,
        "outcome": {"proposed": None, "denied": "denied", "expired": "expired"}.get(now, "approved"),
        "proposed_at": shown(proposed.at),
        "roles": [role.value for role in SECOND_PERSON[ACTION].roles],
    }


def open_lines(session: Session) -> list[dict[str, Any]]:
    """The returns that wait for a second person, as `approvals` lists them; of who proposed one, not that one."""
    from domain.names import same_name
    from domain.permissions import SECOND_PERSON
    from domain.returning import ACTION
    from store.payments import open_returns

    acting = session.actor if session.acting_as else None
    return [
        _line(unplaced, proposed)
        for unplaced in open_returns(session.engine, session.wall)
        if (proposed := unplaced.open) is not None
        and (acting is None or (acting.role in SECOND_PERSON[ACTION].roles and not same_name(proposed.by, acting.name)))
    ]


def _line(unplaced: Unplaced, proposed: Step) -> dict[str, Any]:
    from domain.returning import ACTION
    from store.queries import shown

    payment = unplaced.payment
    return {
        "id": proposed.proposal,
        "action": ACTION,
        "parameters": {"reference": payment.reference, "amount": proposed.amount, "reason": proposed.reason},
        "content": proposed.content,
        "proposed_by": f"{proposed.role}:{proposed.by}",
        "proposed_at": shown(proposed.at),
        "expires_at": shown(proposed.expires_at),
        "case_number": None,
        "credit_code": None,
        "name": payment.payer,
    }


def _require_typed(session: Session, number: str, reference: str) -> None:
    """As `starter.measures.require_typed_number`; there is no case, so that it is the bank's reference."""
    session.require_usable_options()
    if session.yes or session.dry_run or (session.request_id and session.reader.kept(session.request_id)):
        return
    hint = "Add --yes when you mean it, or look first with --dry-run."
    if not sys.stdin.isatty():
        raise usage("This asks for the bank's reference to be typed, and there is no terminal.", hint)
    print(f"{number}. Type the bank's reference to go on: ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip() != reference:
        raise usage("That is not the reference; nothing was sent.", hint)


def payment() -> Start:
    """The workflow of a payment of no case."""
    from workflows.messages import UNPLACED_WORKFLOW
    from workflows.state import UnplacedState

    return Start(UNPLACED_WORKFLOW, UnplacedState(), "待认领款项")


def _send(session: Session, command: Command, reference: str, rule: Rule) -> None:
    from domain.commands import UnplacedAnswer
    from starter.office import done_before, send

    answer = done_before(session, command, UnplacedAnswer)
    if answer is None and session.dry_run:
        _foresee(session, command, reference, rule)
        return
    answer = answer or send(session, command, UnplacedAnswer, payment())
    _print(session, answer, command.action)
    if command.action == "return_payment":
        say(f"It waits for a second person: livebase approvals show {answer.proposal}")


def _foresee(session: Session, command: Command, reference: str, rule: Rule) -> None:
    from domain.commands import UnplacedAnswer
    from domain.permissions import require_permission
    from domain.refusals import Refusal
    from store.payments import PaymentStore

    unplaced = PaymentStore(session.engine).unplaced(reference)
    if unplaced is None:
        raise CommandError(3, "not_found", f"There is no payment {reference[:60]}.", "")
    try:
        require_permission(command.action, command.actor, None)
        step = rule(unplaced).step
    except Refusal as refusal:
        raise refused(refusal) from None
    payment = unplaced.payment
    answer = UnplacedAnswer(
        request_id=command.request_id,
        accepted_at=session.wall,
        reference=payment.reference,
        amount=step.amount,
        payer=payment.payer,
        value_date=payment.value_date,
        proposal=step.proposal,
        due_at=step.expires_at,
    )
    _print(session, answer, command.action, foreseen=True)
    say("Nothing was sent.")


def _print(session: Session, answer: UnplacedAnswer, action: str, *, foreseen: bool = False) -> None:
    from starter.output import money
    from store.queries import shown

    waits = "finance" if action == "return_payment" else "nobody"
    data: dict[str, Any] = {
        "request_id": answer.request_id,
        "accepted_at": shown(answer.accepted_at),
        "repeated": answer.repeated,
        "case_number": answer.case_number,
        **dict.fromkeys(("stage", "standing", "revision")),
        "awaiting": waits,
        "due_at": shown(answer.due_at),
        "reference": answer.reference,
        "amount": {"fen": answer.amount},
        "payer": answer.payer,
        "proposal": answer.proposal,
    }
    if foreseen:
        data = {"dry_run": True, **data, "accepted_at": None, "request_id": session.request_id}

    def table(_: object) -> None:
        rows = [
            ("reference", answer.reference + (f" ({word('done before')})" if answer.repeated else "")),
            ("CNY", money(data["amount"])),
            ("payer", answer.payer),
            ("proposal", answer.proposal),
            ("awaiting", waiting(waits, data["due_at"])),
        ]
        print_table(
            ("would be accepted" if foreseen else "accepted", ""), [(word(name), value) for name, value in rows]
        )

    session.show(data, table)
