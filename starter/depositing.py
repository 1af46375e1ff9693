"""The deposit's commands."""

from typing import Annotated, Any

import typer

from starter.applying import BaseArgument
from starter.errors import usage
from starter.options import command, new_app
from starter.output import money, print_table, when
from starter.session import Session


def register(app: typer.Typer) -> None:
    deposit = new_app("deposit", "The deposit.")
    command(deposit, "receive")(receive)
    command(deposit, "show")(show)
    app.add_typer(deposit)


def receive(
    session: Session,
    base: BaseArgument,
    amount: Annotated[str, typer.Option("--amount", metavar="CNY", help="Such as 100000.00")],
    reference: Annotated[str, typer.Option("--reference", help="The bank's reference; counted once.")],
    payer: Annotated[str, typer.Option("--payer", help="Who paid, as the bank names them.")],
    paid_at: Annotated[
        str | None, typer.Option("--paid-at", metavar="DATE", help="The value date; default: today.")
    ] = None,
) -> None:
    """Record a payment the bank reported: credited, or unmatched with the reason."""
    from domain.commands import ReceiveDeposit
    from domain.money import parse_cny
    from domain.shanghai import parse_date
    from starter.sending import act

    try:
        fen = parse_cny(amount)
    except ValueError as error:
        raise usage(f"--amount {error}.", "For example: --amount 100000.00") from None
    if fen == 0:
        raise usage("--amount must be more than zero.", "For example: --amount 100000.00")
    for name, text in (("--reference", reference), ("--payer", payer)):
        if not text.strip() or len(text) > 200 or not _printable(text):
            raise usage(f"{name} has 1 to 200 printable characters.", "As the bank's statement has it.")
    try:
        paid_on = parse_date(paid_at) if paid_at else None
    except (ValueError, OverflowError):
        raise usage("--paid-at is a date such as 2026-03-02, or RFC 3339.", "Dates are Shanghai dates.") from None
    act(
        session,
        base,
        lambda envelope: ReceiveDeposit(
            **envelope, amount=fen, reference=reference.strip(), payer=payer.strip(), paid_on=paid_on
        ),
    )


def show(session: Session, base: BaseArgument) -> None:
    """The deposit's sums and every entry."""
    session.show(session.reader.deposit(session.readable(base).case), _table)


def _table(view: dict[str, Any]) -> None:
    sums = ("required", "received", "deducted", "refunded", "held", "unmatched")
    print_table(sums, [[money(view[name]) for name in sums]], title="CNY")
    rows = [(e["sequence"], e["kind"], money(e["amount"]), e["reference"], when(e["at"])) for e in view["entries"]]
    print_table(("#", "kind", "CNY", "reference", "recorded"), rows)


def _printable(text: str) -> bool:
    """Whether a terminal shows it as it is. Banks' statements have full-width spaces."""
    return text.replace("\u3000", " ").isprintable()
