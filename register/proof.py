"""What the list says, signed, to be proven away from the site: Ed25519 over canonical JSON (docs/register.md).

A *proof* is `{"document": {...}, "signature": "header..signature"}`: the signature is a JWS with detached content
(RFC 7515, appendix F; algorithm of RFC 9864), its content the document as RFC 8785 writes it. Whoever has the public
keys needs nothing else. Nothing here reads a clock or a database.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import rfc8785
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from domain.key_set import members_of

ALGORITHM = "Ed25519"
ATTACHMENT = "livebase-certificate.json"
"""The name of the proof in a certificate's PDF."""
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_MOST = 1 << 28
"""Bytes of a whole list, at most."""


class NotProven(Exception):
    """What was handed in is no proof by these keys; the words say why."""


@dataclass(frozen=True)
class Keys:
    """Public keys by id, the newest first; of the newest the private one too, where this is who signs."""

    public: Mapping[str, OKPKey]
    private: OKPKey | None = field(default=None, repr=False)

    @property
    def newest(self) -> str:
        return next(iter(self.public))

    def published(self) -> dict[str, Any]:
        """The public keys, old ones too, as a JSON Web Key Set."""
        return {
            "keys": [
                {**key.as_dict(private=False), "kid": id, "use": "sig", "alg": ALGORITHM}
                for id, key in self.public.items()
            ]
        }


def read_keys(text: str, *, to_sign: bool = False) -> Keys:
    """A JSON Web Key Set of Ed25519 keys, the newest first. ValueError names what is wrong with it, and no key.

    `to_sign`: the first must be a private key. Of the others only the public half is used.
    """
    members = members_of(text)
    public: dict[str, OKPKey] = {}
    private: OKPKey | None = None
    for place, member in enumerate(members, 1):
        if not isinstance(member, dict) or (member.get("kty"), member.get("crv")) != ("OKP", "Ed25519"):
            raise ValueError(f"key {place} is no JWK of an Ed25519 key")
        id = member.get("kid")
        if not isinstance(id, str) or _ID.fullmatch(id) is None or id in public:
            raise ValueError(
                f"key {place} has no kid of its own of 1 to 64 letters, digits, points, hyphens, underscores"
            )
        plain = {name: member[name] for name in ("kty", "crv", "x", "d") if name in member}
        try:
            key = OKPKey.import_key(plain)
            if place == 1 and key.is_private:
                private = key
            public[id] = OKPKey.import_key(key.as_dict(private=False))
        except (JoseError, ValueError, TypeError, KeyError):
            raise ValueError(f"key {place} can't be read") from None
    if to_sign and private is None:
        raise ValueError("begins with a public key: the first one is signed with")
    return Keys(public, private)


def new_key_set(id: str) -> str:
    """The text of a new key set with one private key, for a file that nobody else reads."""
    key = OKPKey.generate_key("Ed25519")
    return json.dumps({"keys": [{**key.as_dict(private=True), "kid": id}]}, indent=2) + "\n"


def sign(document: Mapping[str, Any], keys: Keys) -> dict[str, Any]:
    """The document with its signature by the newest key."""
    assert keys.private is not None
    header = {"alg": ALGORITHM, "kid": keys.newest}
    compact = jws.serialize_compact(header, canonical(document), keys.private, algorithms=[ALGORITHM])
    protected, _, signature = compact.split(".")
    return {"document": document, "signature": f"{protected}..{signature}"}


def proven(text: bytes, keys: Keys) -> tuple[dict[str, Any], str]:
    """The document of a proof, and the id of the key it is signed with. NotProven for anything else."""
    if len(text) > _MOST:
        raise NotProven("it is too long")
    try:
        proof = json.loads(text, parse_constant=_no_number, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise NotProven("it is no JSON") from None
    if not isinstance(proof, dict) or set(proof) != {"document", "signature"}:
        raise NotProven("it is no document with a signature")
    document, signature = proof["document"], proof["signature"]
    parts = signature.split(".") if isinstance(signature, str) else []
    if not isinstance(document, dict) or len(parts) != 3 or parts[1]:
        raise NotProven("it is no document with a signature")
    try:
        header = json.loads(_decoded(parts[0]))
        id = header["kid"]
        content = canonical(document)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise NotProven("its signature can't be read") from None
    if header != {"alg": ALGORITHM, "kid": id} or not isinstance(id, str):
        raise NotProven("its signature is of another kind")
    if (key := keys.public.get(id)) is None:
        raise NotProven("it is signed with a key that is not known")
    compact = f"{parts[0]}.{base64.urlsafe_b64encode(content).decode().rstrip('=')}.{parts[2]}"
    try:
        jws.deserialize_compact(compact, key, algorithms=[ALGORITHM])
    except (JoseError, ValueError):
        raise NotProven("its content or its signature was changed") from None
    return document, id


def canonical(document: Mapping[str, Any]) -> bytes:
    """A document as it is signed (RFC 8785). ValueError for what has no canonical form."""
    return rfc8785.dumps(dict(document))


def instant(value: object) -> datetime:
    """An instant of a document. ValueError for what is none."""
    if not isinstance(value, str):
        raise ValueError("no instant")
    found = datetime.fromisoformat(value)
    if found.tzinfo is None:
        raise ValueError("an instant needs a zone")
    return found


def _decoded(text: str) -> bytes:
    return base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number of JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found
