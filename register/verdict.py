"""What a proof is worth at an instant: the one rule of whoever checks offline (docs/register.md).

A proof says how things stood when it was made. Whoever reads it later applies the end of the term themselves; a proof
that is older than one they have seen, or past the time it is good for, does not show that a base is certified now.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from register.proof import NotProven, instant

_AHEAD = timedelta(minutes=5)
"""So far two clocks may be apart."""
JUST_ANSWERED = _AHEAD + timedelta(minutes=1)
"""The age of what a site answers now: it may be kept for a minute on the way (`register.settings`)."""
AGREED = ("number", "name", "holder", "credit_code", "place", "valid_from", "valid_until")
"""What a certificate's record and the list have to agree on."""


class Verdict(StrEnum):
    """What is proven."""

    CERTIFIED = "certified"
    SUSPENDED = "suspended"
    ENDED = "ended"
    UNKNOWN = "unknown"
    """The list does not have the number: not certified."""
    OLDER = "older"
    """Its signature is good, and a newer one has been seen: things may have changed between them."""
    OUTDATED = "outdated"
    """It was true, and is no longer good: get a new one."""
    WHOLE = "whole"
    """A whole list, as it was signed."""
    ISSUED = "issued"
    """A certificate as it was issued: how it stands now is told by its page or a list, never by itself."""


@dataclass(frozen=True)
class Judged:
    """A verdict, with the certificate it is about, if it is about one."""

    verdict: Verdict
    document: Mapping[str, Any]
    certificate: Mapping[str, Any] | None = None


def judge(
    document: Mapping[str, Any],
    now: datetime,
    *,
    number: str | None = None,
    newest_seen: int = 0,
    oldest: timedelta | None = None,
) -> Judged:
    """A document whose signature is proven. `number` is what is looked for in it; `newest_seen` the highest revision of
    the list seen of its issuer; `oldest` how old it may be, where it is to be of now and not only good. NotProven for a
    document that is none of ours.
    """
    try:
        revision, as_of, good_until = int(document["list_revision"]), *_instants(document)
        certificate = _certificate(document, number)
        until = None if certificate is None else instant(certificate["valid_until"])
        status = None if certificate is None else certificate["status"]
    except (KeyError, TypeError, ValueError):
        raise NotProven("it is no document of an official list") from None
    if as_of > now + _AHEAD:
        raise NotProven("it says it was made later than now")

    def judged(verdict: Verdict) -> Judged:
        return Judged(verdict, document, certificate)

    # A term that is over is over, however old the proof; any other ending can have been set aside since.
    if until is not None and now >= until:
        return judged(Verdict.ENDED)
    if revision < newest_seen:
        return judged(Verdict.OLDER)
    if now >= good_until or (oldest is not None and as_of < now - oldest):
        return judged(Verdict.OUTDATED)
    if certificate is None:
        return judged(Verdict.WHOLE if number is None else Verdict.UNKNOWN)
    try:
        return judged(_OF_A_CERTIFICATE[str(status)])
    except (KeyError, TypeError):
        raise NotProven("it has a status that is not known") from None


def judge_issued(document: Mapping[str, Any], now: datetime) -> Judged:
    """What a certificate's own record shows: that it was issued, and that its term is over; never that it is in force.

    NotProven for a document that is no such record.
    """
    try:
        certificate = document["certificate"]
        until = instant(certificate["valid_until"])
        if (document["type"], document["version"]) != ("term", 1):
            raise ValueError("another kind")
        for name in ("issuer", "page"):
            _require_text(document[name])
        for name in AGREED:
            _require_text(certificate[name])
    except (KeyError, TypeError, ValueError):
        raise NotProven("it is no record of a certificate") from None
    return Judged(Verdict.ENDED if now >= until else Verdict.ISSUED, document, certificate)


def judge_issued_by(issued: Judged, listed: Judged) -> Judged:
    """How a certificate stands by a list of the same issuer: as the list says, while both say the same of it.

    One whose facts have been corrected since is no longer good: there is a newer one.
    """
    assert issued.certificate is not None
    if issued.document["issuer"] != listed.document["issuer"]:
        raise NotProven("it is of another issuer than the list")
    if listed.certificate is None:
        return Judged(listed.verdict, listed.document, issued.certificate)
    if listed.verdict is Verdict.CERTIFIED and any(
        listed.certificate.get(name) != issued.certificate[name] for name in AGREED
    ):
        return Judged(Verdict.OUTDATED, listed.document, listed.certificate)
    return listed


def require_chain(snapshots: Iterator[tuple[bytes, Mapping[str, Any]]]) -> Mapping[str, Any]:
    """Proven snapshots in order, each with its file's bytes, at least one: every one names the one before, and none
    goes back or is another list's.

    The newest of them: that none follows it any more is for who has seen a newer one. NotProven names the first that
    is wrong.
    """
    before: str | None = None
    newest: Mapping[str, Any] = {}
    for count, (content, document) in enumerate(snapshots, 1):
        try:
            own, revision, as_of = document["snapshot"], int(document["list_revision"]), instant(document["as_of"])
            number, previous, issuer = own["number"], own["previous"], document["issuer"]
        except (KeyError, TypeError, ValueError):
            raise NotProven(f"file {count} is no snapshot") from None
        if number != count or previous != before:
            raise NotProven(f"snapshot {count} does not follow the one before")
        if newest and issuer != newest["issuer"]:
            raise NotProven(f"snapshot {count} is another list's than the one before")
        if newest and (revision < newest["list_revision"] or as_of < instant(newest["as_of"])):
            raise NotProven(f"snapshot {count} goes back behind the one before")
        before, newest = hashlib.sha256(content).hexdigest(), document
    return newest


_OF_A_CERTIFICATE = {one.value: one for one in (Verdict.CERTIFIED, Verdict.SUSPENDED, Verdict.ENDED)}


def _require_text(value: object) -> None:
    if not isinstance(value, str):
        raise TypeError("no text")


def _instants(document: Mapping[str, Any]) -> tuple[datetime, datetime]:
    if document["version"] != 1 or not isinstance(document["issuer"], str):
        raise ValueError("another version")
    return instant(document["as_of"]), instant(document["good_until"])


def _certificate(document: Mapping[str, Any], number: str | None) -> Mapping[str, Any] | None:
    """The certificate it is about. ValueError for one that is about another."""
    if document["type"] == "certificate":
        certificate: Mapping[str, Any] = document["certificate"]
        if number is not None and certificate["number"] != number:
            raise ValueError("of another certificate")
        return certificate
    if document["type"] != "list" or len(document["certificates"]) != document["count"]:
        raise ValueError("no list")
    if number is None:
        return None
    return next((one for one in document["certificates"] if one["number"] == number), None)
