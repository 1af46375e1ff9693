"""Renewal: the base files it, a reviewer decides it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from starter.applying import BaseArgument, Reason, given_reason, hand_in_sections
from starter.options import command, given_day, new_app
from starter.reviewing import AcceptedConditions, AcceptedReasons, Items, Revision, acceptances, missing
from starter.session import Session


def register(app: typer.Typer) -> None:
    command(app, "renew")(renew)
    renewal = new_app("renewal", "Deciding a renewal.")
    command(renewal, "approve")(approve)
    command(renewal, "request")(request)
    command(renewal, "reject")(reject)
    app.add_typer(renewal)


def renew(
    session: Session,
    base: BaseArgument,
    last_day: Annotated[str, typer.Option("--from", metavar="LAST_DAY", help="The last day of the term it renews.")],
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Sections of the application that changed, if any.")
    ] = None,
) -> None:
    """File the renewal of the certification; it names the day it renews from."""
    from domain.commands import Renew
    from starter.sending import act

    day = given_day("--from", last_day)
    if file is None:
        act(session, base, lambda envelope: Renew(**envelope, from_last_day=day))
    else:
        hand_in_sections(session, base, file, lambda given: Renew(**given, from_last_day=day))


def approve(
    session: Session,
    base: BaseArgument,
    revision: Revision,
    accept: AcceptedConditions = None,
    reason: AcceptedReasons = None,
) -> None:
    """Approve the renewal: the next term starts at the old end, or now when that is over."""
    from domain.commands import ApproveRenewal
    from starter.sending import act

    accepted = acceptances(accept, reason)
    act(session, base, lambda envelope: ApproveRenewal(**envelope, revision=revision, accepted=accepted))


def request(session: Session, base: BaseArgument, revision: Revision, item: Items) -> None:
    """Request a supplement to the renewal: all deficiencies at once."""
    from domain.commands import RequestRenewalSupplement
    from starter.sending import act

    items = missing(item)
    act(session, base, lambda envelope: RequestRenewalSupplement(**envelope, revision=revision, items=items))


def reject(session: Session, base: BaseArgument, revision: Revision, reason: Reason) -> None:
    """Reject the renewal; the term runs on to its end."""
    from domain.commands import RejectRenewal
    from starter.sending import act

    why = given_reason(reason)
    act(session, base, lambda envelope: RejectRenewal(**envelope, revision=revision, reason=why))
