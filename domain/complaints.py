"""What the public tells about a listed base: heard, kept sealed, and decided on by a person (R2 to R8).

A complaint does nothing to a base by itself. Compliance takes it up with a report of its own, evidence and all
(`livebase conduct report BASE FILE --complaint REF`), or dismisses it with a reason.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from domain.case import Case
from domain.commands import DismissComplaint
from domain.fields import Line, Text
from domain.judging import judge
from domain.records import ComplaintDecided, Transition
from domain.refusals import Refusal, RefusalKind
from domain.setting import Setting, step

_REFERENCE = re.compile(r"TS-[A-Z2-7]{16}")
_LINK = re.compile(r"https?://[^\s<>\"']+")


def _link(text: str) -> str:
    if _LINK.fullmatch(text) is None:
        raise ValueError("must be a web address")
    return text


class Complaint(BaseModel):
    """One complaint as it was written: `text` at most 2000 characters, a contact and a link at most 200 each."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    certificate_number: str = Field(pattern=r"\ALBC-[0-9]{4}-[0-9]{6,9}\z")
    text: Text
    contact: Line | None
    link: Annotated[Line, AfterValidator(_link)] | None

    def content(self) -> bytes:
        """Canonical: the same complaint always gives the same bytes."""
        data = self.model_dump(mode="json")
        return json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()

    def reference(self, secret: bytes) -> str:
        """What it goes by: the same for the same complaint, and by `secret` telling nothing of what it says."""
        digest = hmac.new(secret, self.content(), hashlib.sha256).digest()
        return f"TS-{base64.b32encode(digest)[:16].decode()}"


class NotReadable(Exception):
    """What was written is no complaint: the fields it is wrong in. Holds no values."""

    def __init__(self, fields: tuple[str, ...]) -> None:
        super().__init__(", ".join(fields))
        self.fields = fields


def read_complaint(number: str, written: Mapping[str, str]) -> Complaint:
    """A complaint about a certificate as a form brings it; what is left empty is none. Raises NotReadable."""
    given = {name: written.get(name, "") for name in ("text", "contact", "link")}
    optional = {name: given[name] if given[name].strip() else None for name in ("contact", "link")}
    try:
        return Complaint(certificate_number=number, text=given["text"], **optional)
    except ValidationError as error:
        raise NotReadable(tuple(dict.fromkeys(str(one["loc"][0]) for one in error.errors()))) from None


def complaint_reference(text: str) -> str | None:
    """A complaint's reference as people type it, or None for what can be none."""
    typed = "".join(text.split()).upper()
    return typed if _REFERENCE.fullmatch(typed) else None


@dataclass(frozen=True)
class ReceivedComplaint:
    """A complaint on record, unread; `decided`: by which entry's act, None while it waits."""

    reference: str
    certificate_number: str
    at: datetime
    decided: str | None


def decided(
    case: Case,
    reference: str,
    received: ReceivedComplaint | None,
    outcome: Literal["taken_up", "dismissed"],
    reason: str = "",
) -> ComplaintDecided:
    """That a complaint about this base is decided on, once. The reason is for the staff.

    Refused (3) for one that is not on record, (2) about another base, (8) when it has been decided on.
    """
    if received is None:
        raise Refusal(
            RefusalKind.NOT_FOUND, f"There is no complaint {reference}.", "See them with: livebase conduct complaints"
        )
    if received.certificate_number not in [term.certificate_number for term in case.terms]:
        raise Refusal(
            RefusalKind.INVALID_VALUE,
            f"The complaint {reference} is about {received.certificate_number}, no certificate of {case.case_number}.",
            "See them with: livebase conduct complaints",
        )
    if received.decided is not None:
        raise Refusal(
            RefusalKind.ALREADY_DECIDED,
            f"The complaint {reference} has been decided on: {received.decided}.",
            f"See: livebase timeline {case.case_number}",
        )
    return ComplaintDecided(reference, outcome, reason)


def dismiss(case: Case, command: DismissComplaint, received: ReceivedComplaint | None, setting: Setting) -> Transition:
    """Nothing follows from a complaint. The entry does not hold the reason: applicants read it."""
    judge(case, command)
    record = decided(case, command.complaint, received, "dismissed", command.reason)
    detail = {"complaint": command.complaint}
    return step(case, setting, "complaint_dismissed", command.actor, record, detail=detail)
