"""Complaints from the public: put here by the official list's site, sealed so that only who has a case's key reads.

The site has the right to add and none to read. Each is sealed (JWE, ECDH-ES with X25519, A256GCM) to a key whose
public half is on the list beside the base, and whose private half comes of the case's own key
(`store/documents.py`): when that is destroyed nobody reads its complaints any more.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from sqlalchemy import Engine, exists, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from domain.complaints import Complaint, ReceivedComplaint
from store.conflicts import again_after_conflict
from store.queries import shown
from store.tables import CaseRow, ComplaintDecisionRow, ComplaintRow, TermRow

_HEADER = {"alg": "ECDH-ES", "enc": "A256GCM"}
_ALGORITHMS = list(_HEADER.values())


class Unreadable(Exception):
    """Nobody can read this complaint: its base's documents were erased, or it is not what was put there."""


def public_half(private: bytes) -> str:
    """The public half of an X25519 key, as the list has it: 43 characters."""
    return str(_key(private).as_dict(private=False)["x"])


def seal(complaint: Complaint, reference: str, public: str) -> str:
    """The complaint as only the private half opens it, bound to its reference."""
    key = OKPKey.import_key({"kty": "OKP", "crv": "X25519", "x": public})
    content = json.dumps({"reference": reference, "complaint": complaint.model_dump(mode="json")}, ensure_ascii=False)
    return jwe.encrypt_compact(_HEADER, content.encode(), key, algorithms=_ALGORITHMS)


def unseal(sealed: str, reference: str, certificate_number: str, private: bytes) -> Complaint:
    """What was written. Raises Unreadable for another key's, or one that was moved or changed."""
    try:
        opened = jwe.decrypt_compact(sealed, _key(private), algorithms=_ALGORITHMS).plaintext
        content = json.loads(opened or b"null")
        complaint = Complaint.model_validate(content["complaint"])
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise Unreadable(f"{reference} can't be read") from error
    if (content["reference"], complaint.certificate_number) != (reference, certificate_number):
        raise Unreadable(f"{reference} is not what was put there")
    return complaint


def _key(private: bytes) -> OKPKey:
    """The pair, of 32 bytes that are any."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    pair = X25519PrivateKey.from_private_bytes(private)
    halves = {"d": private, "x": pair.public_key().public_bytes_raw()}
    written = {name: base64.urlsafe_b64encode(half).rstrip(b"=").decode() for name, half in halves.items()}
    return OKPKey.import_key({"kty": "OKP", "crv": "X25519", **written})


class ComplaintBox:
    """Where the site puts complaints, on an engine for that alone: it adds, and reads nothing back."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @again_after_conflict
    def put(self, reference: str, certificate_number: str, sealed: str, at: datetime) -> None:
        """Keep a sealed complaint; one of that reference that is there already is the same one, and stays."""
        dialect = postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        row = {"reference": reference, "certificate_number": certificate_number, "sealed": sealed, "at": at}
        with self._engine.begin() as connection:
            connection.execute(dialect(ComplaintRow).values(row).on_conflict_do_nothing())


def received(session: Session, reference: str) -> ReceivedComplaint | None:
    """A complaint as a rule needs it, within a transaction."""
    row = session.get(ComplaintRow, reference)
    if row is None:
        return None
    one = ComplaintDecisionRow
    decision = session.scalar(select(one).where(one.complaint == reference))
    by = None if decision is None else f"{decision.outcome} in {decision.case_number}, entry {decision.sequence}"
    return ReceivedComplaint(row.reference, row.certificate_number, row.at, by)


@again_after_conflict
def count_waiting(engine: Engine) -> tuple[int, int]:
    """How many complaints wait for a person, and about how many bases."""
    row, decision = ComplaintRow, ComplaintDecisionRow
    waiting = select(func.count(), func.count(row.certificate_number.distinct())).where(
        ~exists().where(decision.complaint == row.reference)
    )
    with Session(engine) as session:
        complaints, bases = session.execute(waiting).one()
        return int(complaints), int(bases)


@again_after_conflict
def case_of(engine: Engine, reference: str) -> str | None:
    """The number of the case a complaint is about; None for an unknown one."""
    of = select(TermRow.case_number).join(ComplaintRow, ComplaintRow.certificate_number == TermRow.certificate_number)
    with Session(engine) as session:
        return session.scalar(of.where(ComplaintRow.reference == reference))


@again_after_conflict
def complaints_about(
    engine: Engine, private_of: Callable[[str], bytes | None], case_number: str | None = None, *, every: bool = False
) -> list[dict[str, Any]]:
    """Complaints that wait for a person, the oldest first; `every`: decided ones too. With a case, those about it.

    `private_of` gives a case's private half by its workflow id, None when there is none any more: its complaints
    have no text then.
    """
    row, term, case, decision = ComplaintRow, TermRow, CaseRow, ComplaintDecisionRow
    statement = (
        select(row, case, decision)
        .join(term, term.certificate_number == row.certificate_number)
        .join(case, case.case_number == term.case_number)
        .outerjoin(decision, decision.complaint == row.reference)
        .order_by(row.at, row.reference)
    )
    if not every:
        statement = statement.where(decision.complaint.is_(None))
    if case_number is not None:
        statement = statement.where(case.case_number == case_number)
    with Session(engine) as session:
        found = [(one, base, done) for one, base, done in session.execute(statement)]
    keys = {base.workflow_id: private_of(base.workflow_id) for _, base, _ in found}
    return [_told(one, base, done, keys[base.workflow_id]) for one, base, done in found]


def _told(
    row: ComplaintRow, case: CaseRow, decision: ComplaintDecisionRow | None, private: bytes | None
) -> dict[str, Any]:
    complaint = None
    if private is not None:
        try:
            complaint = unseal(row.sealed, row.reference, row.certificate_number, private)
        except Unreadable:
            complaint = None
    return {
        "reference": row.reference,
        "received_at": shown(row.at),
        "certificate_number": row.certificate_number,
        "case_number": case.case_number,
        "credit_code": case.credit_code,
        "name": case.name,
        "readable": complaint is not None,
        "text": complaint.text if complaint else None,
        "contact": complaint.contact if complaint else None,
        "link": complaint.link if complaint else None,
        "outcome": decision.outcome if decision else None,
        "reason": decision.reason if decision else None,
        "decided_at": shown(decision.at) if decision else None,
    }
