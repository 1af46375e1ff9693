"""Who acted, proven by their own signatures: what no owner of the database can make (docs/audit.md).

The office's chain tells whose each key is; an entry that a person's command made has the command's signature.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit.report import Broken, Record, Report

OFFICE = "office"
_SIGNED = "signed"
_PREFIX = "ed25519:"
_IN_TWO_CASES = frozenset({"payment_moved_away"})
"""What a command sent to one case leaves on record of another one."""


class Keys:
    """Whose each key is, and until when, as the entries of the office tell it, taken in first to last."""

    def __init__(self) -> None:
        self._owner: dict[str, str] = {}
        self._public: dict[str, Ed25519PublicKey] = {}
        self._until: dict[str, datetime] = {}

    def take(self, entry: Record) -> None:
        """Learn from an entry of the office's chain; most tell nothing of keys."""
        if (person := _person(entry)) is None:
            return
        name, keys = person["name"], person["keys"]
        for key_id, public in keys.items():
            if key_id not in self._owner:
                self._owner[key_id] = name
                self._public[key_id] = Ed25519PublicKey.from_public_bytes(_decoded(public.removeprefix(_PREFIX)))
        for key_id, owner in self._owner.items():
            if owner == name and key_id not in keys:
                self._until.setdefault(key_id, datetime.fromisoformat(entry["observed_at"]))

    def signed(self, token: str) -> tuple[str, dict[str, Any]] | None:
        """Whose key made a signature, and what was signed; None for one that is not by a key that was valid then."""
        try:
            protected, payload, signature = token.split(".")
            key_id = json.loads(_decoded(protected))["kid"]
            self._public[key_id].verify(_decoded(signature), f"{protected}.{payload}".encode())
            claims = json.loads(_decoded(payload))
            issued = datetime.fromisoformat("1970-01-01T00:00:00+00:00").timestamp() + claims["iat"]
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error, InvalidSignature):
            return None
        until = self._until.get(key_id)
        return None if until is not None and issued > until.timestamp() else (self._owner[key_id], claims)


def differing_actors(entries: Iterable[Record], present: Iterable[tuple[str, list[str], list[str]]]) -> list[Broken]:
    """Who may act by the database, as (name, key ids, roles), where it is not what the office left."""
    told: dict[str, tuple[list[str], list[str]]] = {}
    for entry in entries:
        if (person := _person(entry)) is not None:
            told[person["name"]] = (sorted(person["keys"]), sorted(person.get("roles", ())))
    found = {name: (sorted(keys), sorted(roles)) for name, keys, roles in present}
    return [Broken("actor", (name,), OFFICE) for name in sorted({*told, *found}) if told.get(name) != found.get(name)]


def _person(entry: Record) -> dict[str, Any] | None:
    """The person an entry of the office's is about, as they stand after it; None for any other entry."""
    detail = entry["detail"]
    person = detail.get("answer", detail) if isinstance(detail, dict) else None
    return person if isinstance(person, dict) and isinstance(person.get("keys"), dict) and "name" in person else None


class Signatures:
    """Whether each entry a person's command made is signed by whom it names, for its case or one it touched too."""

    def __init__(self, keys: Keys, *, whole: bool = True) -> None:
        """Not `whole`, only some cases are taken in: of an entry sent to another case nothing can be said then."""
        self._keys = keys
        self._whole = whole
        self._report = Report()
        self._case_of: dict[str, str] = {}
        self._placed: set[str] = set()
        self._elsewhere: list[tuple[str, Broken]] = []

    def take(self, records: Iterable[Record]) -> None:
        """Prove the entries among the records, each case's first to last."""
        for entry in records:
            if entry.get("kind") == "entry" and isinstance(entry["detail"], dict) and _SIGNED in entry["detail"]:
                self._take(entry, entry["detail"][_SIGNED])

    def report(self) -> Report:
        """What was found. A command that changes two cases has its entry in both, and is sent to one of them."""
        for token, broken in self._elsewhere if self._whole else ():
            if token in self._placed:
                self._placed.remove(token)  # once: a second time it is somebody's copy
                self._report.signed += 1
            else:
                self._report.broken.append(broken)
        self._elsewhere = []
        return self._report

    def _take(self, entry: Record, token: Any) -> None:
        number, sequence = entry["case_number"], entry["sequence"]
        if token is None:
            self._report.unsigned += 1
            return
        found = self._keys.signed(token)
        kind = "signed_by_nobody" if found is None else _unfit(entry, *found, self._case_of)
        broken = Broken(kind, (sequence,), number, sequence)
        if kind == "signed_elsewhere" and entry["event"] in _IN_TWO_CASES:
            self._elsewhere.append((token, broken))
        elif kind:
            self._report.broken.append(broken)
        else:
            self._placed.add(token)
            self._report.signed += 1


def _unfit(entry: Record, owner: str, claims: dict[str, Any], case_of: dict[str, str]) -> str:
    """What is wrong with a genuine signature where it stands; "" when nothing is."""
    person = entry["actor"].partition(":")[2].partition(" for ")[0]
    if claims.get("actor") != entry["actor"] or _folded(person) != _folded(owner):
        return "signed_by_another"
    number = entry["case_number"]
    if number == OFFICE:
        return ""
    meant = ":".join(str(claims.get("workflow_id")).split(":")[1:3])
    return "" if case_of.setdefault(number, meant) == meant else "signed_elsewhere"


def _folded(name: str) -> str:
    return "".join(name.casefold().split())


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
