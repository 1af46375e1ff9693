"""The staff's commands before and at certification: review, certify, publish."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from starter.applying import BaseArgument, Reason, evidence, given_reason, readable
from starter.errors import usage
from starter.options import command, new_app
from starter.session import Session

if TYPE_CHECKING:
    from domain.commands import Acceptance, Missing

Revision = Annotated[
    int, typer.Option("--revision", min=1, help="The revision of the application the decision is about.")
]

AcceptedConditions = Annotated[
    list[str] | None, typer.Option("--accept", metavar="CONDITION", help="A finding that needs a person.")
]
AcceptedReasons = Annotated[
    list[str] | None, typer.Option("--reason", help="Why it is accepted; one for each --accept, in order.")
]
Items = Annotated[list[str], typer.Option("--item", metavar='"CONDITION: what is missing"')]


def register(app: typer.Typer) -> None:
    review = new_app("review", "Document review.")
    command(review, "take")(take)
    command(review, "release")(release)
    command(review, "approve")(approve)
    command(review, "request")(request)
    command(review, "reject")(reject)
    app.add_typer(review)
    command(app, "certify")(certify)
    command(app, "publish")(publish)


def take(session: Session, base: BaseArgument) -> None:
    """Take the review, so that nobody else decides meanwhile."""
    from domain.commands import TakeReview
    from starter.sending import act

    act(session, base, lambda envelope: TakeReview(**envelope))


def release(session: Session, base: BaseArgument) -> None:
    """Give the review back."""
    from domain.commands import ReleaseReview
    from starter.sending import act

    act(session, base, lambda envelope: ReleaseReview(**envelope))


def approve(
    session: Session,
    base: BaseArgument,
    revision: Revision,
    accept: AcceptedConditions = None,
    reason: AcceptedReasons = None,
) -> None:
    """Approve the revision; no finding may fail, and each that needs a person is accepted by name."""
    from domain.commands import Approve
    from starter.sending import act

    accepted = acceptances(accept, reason)
    act(session, base, lambda envelope: Approve(**envelope, revision=revision, accepted=accepted))


def request(
    session: Session,
    base: BaseArgument,
    revision: Revision,
    item: Items,
) -> None:
    """Request supplements: all deficiencies at once."""
    from domain.commands import RequestSupplement
    from starter.sending import act

    items = missing(item)
    act(session, base, lambda envelope: RequestSupplement(**envelope, revision=revision, items=items))


def acceptances(accept: list[str] | None, reason: list[str] | None) -> tuple[Acceptance, ...]:
    """Findings accepted by name, each with its reason; CommandError (2) when they don't pair."""
    from domain.commands import Acceptance
    from domain.conditions import CONDITIONS
    from domain.look_alike import CONDITION as NAME

    conditions, reasons, known = accept or [], reason or [], (*CONDITIONS, NAME)
    if unknown := sorted(set(conditions) - set(known)):
        raise usage(f"--accept {unknown[0][:60]!r} is no condition.", f"Conditions: {', '.join(known)}")
    if len(conditions) != len(reasons):
        raise usage("Every --accept CONDITION needs its own --reason R.", "Give them in pairs, in the same order.")
    return tuple(
        Acceptance(condition=one, reason=given_reason(why)) for one, why in zip(conditions, reasons, strict=True)
    )


def missing(item: list[str]) -> tuple[Missing, ...]:
    """What a supplement is to bring; CommandError (2) for an item that names no condition."""
    from domain.commands import Missing
    from domain.conditions import CONDITIONS
    from domain.look_alike import CONDITION as NAME

    items, known = [], (*CONDITIONS, NAME)
    for text in item:
        condition, colon, what = text.partition(":")
        if not colon or condition.strip() not in known or not readable(what):
            raise usage(f'--item {text[:60]!r} is not "CONDITION: what is missing".', f"Conditions: {', '.join(known)}")
        items.append(Missing(condition=condition.strip(), what=what.strip()))
    return tuple(items)


def reject(session: Session, base: BaseArgument, revision: Revision, reason: Reason) -> None:
    """Reject the revision; the applicant may appeal once."""
    from domain.commands import Reject
    from starter.sending import act

    why = given_reason(reason)
    act(session, base, lambda envelope: Reject(**envelope, revision=revision, reason=why))


def certify(
    session: Session,
    base: BaseArgument,
    refuse: Annotated[bool, typer.Option("--refuse", help="Refuse instead; needs --reason.")] = False,
    reason: Annotated[str | None, typer.Option("--reason", help="Why it is refused.")] = None,
) -> None:
    """Certify the base, or refuse. By a certifier who did not approve the application."""
    from domain.commands import Certify, RefuseCertification
    from starter.sending import act

    if refuse != (reason is not None):
        raise usage("--refuse and --reason go together.", "livebase certify BASE --refuse --reason R")
    if reason is not None:
        why = given_reason(reason)
        act(session, base, lambda envelope: RefuseCertification(**envelope, reason=why))
    else:
        act(session, base, lambda envelope: Certify(**envelope))


def publish(
    session: Session,
    base: BaseArgument,
    file: Annotated[Path | None, typer.Option("--evidence", metavar="FILE", help="Proof of a publication.")] = None,
) -> None:
    """Try publication again, or put the evidence of it on record. It is tried at once by itself."""
    from domain.commands import Publish
    from starter.sending import act

    documents = evidence([file]) if file else {}
    proof = next(iter(documents), None)
    act(session, base, lambda envelope: Publish(**envelope, evidence=proof), documents)
