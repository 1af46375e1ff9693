"""The deposit's commands."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from starter import returning
from starter.applying import BaseArgument, Reason, evidence, given_reason
from starter.errors import CommandError, usage
from starter.measures import require_typed_number
from starter.options import command, new_app
from starter.output import money, print_table, say, when, word
from starter.reconciling import reconcile
from starter.session import Session
from starter.statements import import_statement

AmountOption = Annotated[str, typer.Option("--amount", metavar="CNY", help="Such as 100000.00")]


ReferenceArgument = Annotated[str, typer.Argument(metavar="REF", help="The bank's reference.")]


def register(app: typer.Typer) -> None:
    deposit = new_app("deposit", "The deposit.")
    command(deposit, "receive")(receive)
    command(deposit, "import")(import_statement)
    command(deposit, "show")(show)
    command(deposit, "deduct")(deduct)
    command(deposit, "refund")(refund)
    command(deposit, "reverse")(reverse)
    command(deposit, "reconcile")(reconcile)
    unmatched = new_app("unmatched", "Money that fits nowhere; alone, all of it.", alone=list_unmatched)
    command(unmatched, "assign")(assign)
    command(unmatched, "return")(give_back)
    deposit.add_typer(unmatched)
    app.add_typer(deposit)


def receive(
    session: Session,
    base: BaseArgument,
    amount: AmountOption,
    reference: Annotated[str, typer.Option("--reference", help="The bank's reference; counted once.")],
    payer: Annotated[str, typer.Option("--payer", help="Who paid, as the bank names them.")],
    paid_at: Annotated[
        str | None, typer.Option("--paid-at", metavar="DATE", help="The value date; default: today.")
    ] = None,
    correction: Annotated[
        bool, typer.Option("--correction", help="It was recorded wrongly before, and has been taken back.")
    ] = False,
) -> None:
    """Record a payment the bank reported: credited, or unmatched with the reason."""
    from domain.commands import ReceiveDeposit
    from domain.names import folded
    from domain.shanghai import parse_date
    from starter.sending import act

    fen = _fen(amount)
    for name, text in (("--reference", reference), ("--payer", payer)):
        if not text.strip() or not 0 < len(folded(text)) <= 200 or len(text) > 200 or not _printable(text):
            raise usage(f"{name} has 1 to 200 printable characters.", "As the bank's statement has it.")
    try:
        paid_on = parse_date(paid_at) if paid_at is not None else None
    except (ValueError, OverflowError):
        raise usage("--paid-at is a date such as 2026-03-02, or RFC 3339.", "Dates are Shanghai dates.") from None
    _require_no_later_day(session, base, paid_on)
    act(
        session,
        base,
        lambda envelope: ReceiveDeposit(
            **envelope,
            amount=fen,
            reference=reference.strip(),
            payer=payer.strip(),
            paid_on=paid_on,
            correction=correction,
        ),
    )


def deduct(
    session: Session,
    base: BaseArgument,
    amount: AmountOption,
    case: Annotated[str, typer.Option("--case", metavar="ID", help="The decided conduct case it is for.")],
    reason: Reason,
) -> None:
    """Propose to deduct from the deposit for a decided conduct case; it is done when a second person approves."""
    from domain.commands import DeductDeposit
    from starter.sending import act

    fen, why, violation = _fen(amount), given_reason(reason), case.strip().upper()
    if not 0 < len(violation) <= 40:
        raise usage("--case is a conduct case's id.", "See them with: livebase conduct list")
    require_typed_number(session, base)
    act(session, base, lambda envelope: DeductDeposit(**envelope, amount=fen, violation=violation, reason=why))


def refund(
    session: Session,
    base: BaseArgument,
    amount: AmountOption,
    reason: Reason,
    account: Annotated[
        str | None, typer.Option("--account", help="A corporate account of the entity's, instead of the paying one.")
    ] = None,
    account_name: Annotated[
        str | None, typer.Option("--account-name", help="That account's name: the entity's.")
    ] = None,
    proof: Annotated[
        list[Path] | None, typer.Option("--evidence", help="A document that names account and entity; repeatable.")
    ] = None,
) -> None:
    """Propose to refund the deposit after an ending, to who paid it; ordered when a second person approves."""
    from domain.bank import account_number
    from domain.commands import RefundDeposit
    from starter.sending import act

    fen, why = _fen(amount), given_reason(reason)
    documents = _account_evidence(account, account_name, proof or [])
    to = {
        "account": account_number(account) if account is not None else None,
        "account_name": account_name.strip() if account_name is not None else None,
        "evidence": tuple(documents),
    }
    require_typed_number(session, base)
    act(session, base, lambda envelope: RefundDeposit(**envelope, amount=fen, reason=why, **to), documents)


def _account_evidence(account: str | None, name: str | None, proof: list[Path]) -> dict[str, Path]:
    """The documents that prove another account, by sha256. CommandError (2) with every problem of all three."""
    import re

    from domain.bank import ACCOUNT, account_number
    from domain.names import company
    from domain.refusals import Problem

    if account is None and name is None and not proof:
        return {}
    problems: list[Problem] = []
    if account is None:
        problems.append(Problem("--account", "is missing: a name or evidence alone is no account"))
    elif re.fullmatch(ACCOUNT, account_number(account)) is None:
        problems.append(Problem("--account", "has 8 to 34 digits and letters"))
    if name is None or not company(name) or len(name) > 200 or not _printable(name):
        problems.append(Problem("--account-name", "is missing: the account's name, as the bank has it"))
    if not proof:
        problems.append(Problem("--evidence", "is missing: a document of the bank's or the entity's that names both"))
    documents: dict[str, Path] = {}
    try:
        documents = evidence(proof)
    except CommandError as error:
        problems += [Problem(*one) for one in error.problems]
    if problems:
        hint = "Another account than the paying one is a corporate account in the entity's name, with evidence."
        raise CommandError(2, "invalid_value", "The deposit cannot go to this account.", hint, problems)
    return documents


def reverse(
    session: Session,
    base: BaseArgument,
    reference: Annotated[str, typer.Option("--reference", help="The bank's reference of the payment.")],
    reason: Reason,
) -> None:
    """Propose to take a payment back: the bank did, or it was recorded wrongly; done when a second person approves."""
    from domain.commands import ReversePayment
    from starter.sending import act

    why, named = given_reason(reason), _reference(reference)
    require_typed_number(session, base)
    act(session, base, lambda envelope: ReversePayment(**envelope, reference=named, reason=why))


def list_unmatched(session: Session) -> None:
    """All money that fits nowhere and waits for a person, the oldest first."""
    from store.lists import unmatched_payments

    session.require_staff("An applicant sees their own case's with: livebase deposit show BASE")
    session.show(unmatched_payments(session.engine), _unmatched_table)


def assign(session: Session, reference: ReferenceArgument, base: BaseArgument, reason: Reason) -> None:
    """Count a payment that fits nowhere towards the deposit of BASE, wherever it has waited, as far as it lacks it."""
    from domain.commands import AssignPayment
    from starter.sending import act

    why = given_reason(reason)
    named = _reference(reference)
    act(session, base, lambda envelope: AssignPayment(**envelope, reference=named, reason=why))


def give_back(session: Session, reference: ReferenceArgument, reason: Reason) -> None:
    """Propose to return a payment that fits nowhere to who paid it; done when a second person approves."""
    from domain.commands import ReturnPayment
    from starter.sending import act
    from store.payments import where_it_waits

    why, named = given_reason(reason), _reference(reference)
    session.require_usable_options()
    known, waits = where_it_waits(session.engine, named)
    base = waits or (known.case_number if known else None)
    if known is None:
        message = f"There is no payment {named[:60]}."
        raise CommandError(3, "not_found", message, "See what waits with: livebase deposit unmatched")
    if base is None:
        returning.propose(session, known.payment.reference, why)
        return
    require_typed_number(session, base)
    act(session, base, lambda envelope: ReturnPayment(**envelope, reference=named, reason=why))


def _reference(text: str) -> str:
    from domain.names import folded

    named = folded(text)
    if not 0 < len(named) <= 200 or not _printable(text):
        raise usage("A bank reference has 1 to 200 printable characters.", "As in: livebase deposit unmatched")
    return named


def _unmatched_table(rows: list[dict[str, Any]]) -> None:
    if not rows:
        say("No money waits for a person.")
        return
    print_table(
        ("reference", "CNY", "payer", "case", "base", "why", "note"),
        [
            (
                r["reference"],
                money(r["amount"]),
                r["payer"],
                r["case_number"] or word("no case's"),
                r["name"],
                word(r["why"]),
                r["note"],
            )
            for r in rows
        ],
    )


def _fen(amount: str) -> int:
    """An amount as typed, in fen. CommandError (2) for one that is none, or nothing."""
    from domain.money import parse_cny

    try:
        fen = parse_cny(amount)
    except ValueError as error:
        raise usage(f"--amount {error}.", "For example: --amount 100000.00") from None
    if fen == 0:
        raise usage("--amount must be more than zero.", "For example: --amount 100000.00")
    return fen


def _require_no_later_day(session: Session, base: str, paid_on: date | None) -> None:
    """A value date after the case's today can't be right (2), whoever asks and whatever is reachable."""
    if paid_on is None or session.answered_before() is not None:
        return
    found = session.meant(base)
    today = session.clock_date(found) if found else session.today
    if paid_on > today:
        raise CommandError(
            2, "invalid_value", f"The value date {paid_on} is after today ({today}).",
            "Give the bank's value date with --paid-at.",
        )  # fmt: skip


def show(session: Session, base: BaseArgument) -> None:
    """The deposit's sums and every entry."""
    session.show(session.reader.deposit(session.readable(base).case), _table)


def _table(view: dict[str, Any]) -> None:
    sums = ("required", "received", "deducted", "refunded", "held", "unmatched")
    print_table(sums, [[money(view[name]) for name in sums]], title=word("CNY"))
    rows = [
        (e["sequence"], word(e["kind"]), money(e["amount"]), e["reference"], e["payer"], when(e["at"]))
        for e in view["entries"]
    ]
    if rows:
        print_table(("#", "kind", "CNY", "reference", "payer", "recorded"), rows)


def _printable(text: str) -> bool:
    """Whether a terminal shows it as it is. Banks' statements have full-width spaces."""
    return text.replace("\u3000", " ").isprintable()
