"""`livebase deposit reconcile`: a bank's statement against our book, in both directions."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from starter.errors import CommandError
from starter.output import money, print_table, say, told, word
from starter.session import Session
from starter.statements import StatementArgument, read

if TYPE_CHECKING:
    from domain.reconciling import Difference, Side

_EDGE = timedelta(days=10)
"""What the bank paid on one day may be on record with us some days later."""


def reconcile(session: Session, file: StatementArgument) -> None:
    """Compare a bank's statement with our book for its days; an amount below zero is money that went out."""
    from domain.reconciling import compare, days_of, goes_out
    from store.payments import came_back, payments_of, refunds_paid, returned_again

    session.require_staff("An applicant sees their own case's with: livebase deposit show BASE")
    lines = read(session, file, going_out=True)
    first, last = days_of(lines)
    payments = payments_of(session.engine, first, last, [line.reference for line in lines])
    paid_out = refunds_paid(session.engine, first - _EDGE, last + _EDGE)
    back = [
        line
        for line in lines
        if line.amount > 0
        and (
            came_back(session.engine, line.note, line.amount) or returned_again(session.engine, line.note, line.amount)
        )
    ]
    differences = compare([line for line in lines if line not in back] or lines, payments, paid_out)
    view = {
        "from": first.isoformat(),
        "to": last.isoformat(),
        "lines": len(lines),
        "outgoing_compared": goes_out(lines),
        "differences": [_shown(one) for one in differences],
    }
    session.show(view, _table)
    if differences:
        raise CommandError(
            1,
            "differences",
            f"The statement and our book differ in {len(differences)} places.",
            "What is missing with us: livebase deposit import. What is wrong with us: livebase deposit reverse",
            told=True,
        )


def _shown(one: Difference) -> dict[str, Any]:
    return {
        **one.model_dump(mode="json", exclude={"bank", "ours"}),
        "bank": _side(one.bank),
        "ours": _side(one.ours),
    }


def _side(side: Side | None) -> dict[str, Any] | None:
    if side is None:
        return None
    return {"amount": {"fen": side.amount}, "payer": side.payer, "date": side.date.isoformat()}


def _table(view: dict[str, Any]) -> None:
    if not view["outgoing_compared"]:
        say(told("Nothing went out by the statement: only what came in was compared."))
    if not view["differences"]:
        print(told("{} lines from {} to {}: no difference.", view["lines"], view["from"], view["to"]))
        return
    print_table(
        ("line", "difference", "reference", "at the bank", "with us", "case", "reason"),
        [
            (
                one["line"],
                word(one["kind"], "difference"),
                one["reference"],
                _cell(one["bank"]),
                _cell(one["ours"]),
                one["case_number"],
                ", ".join([*(word(field, "difference") for field in one["fields"]), word(one["why"])]).strip(", "),
            )
            for one in view["differences"]
        ],
    )


def _cell(side: dict[str, Any] | None) -> str:
    return f"{money(side['amount'])} {side['date']} {side['payer']}".strip() if side else ""
