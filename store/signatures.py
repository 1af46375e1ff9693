"""Ed25519 keys and the signatures of commands: compact JWS (RFC 7515, alg Ed25519), key ids as RFC 7638 thumbprints."""

from __future__ import annotations

import base64
import json
import re
import uuid
from datetime import datetime
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from domain.commands import Command
from domain.envelope import claims

_ALGORITHM: Final = "Ed25519"
_PREFIX = "ed25519:"
_KEY_ID = re.compile("[A-Za-z0-9_-]{43}")


def new_key() -> str:
    """A new private key, as JSON (a JWK)."""
    return json.dumps(OKPKey.generate_key(_ALGORITHM).as_dict(private=True))


def key_in(text: str) -> tuple[str, str]:
    """The name and the private key in a file that `livebase login` made. ValueError when it holds none."""
    try:
        data = json.loads(text)
        name, private = data["name"], json.dumps(data["key"])
    except (ValueError, KeyError, TypeError):
        raise ValueError("is no key") from None
    public_key(private)
    return str(name), private


def public_key(private: str) -> str:
    """The public key of a private one, as people hand it on: `ed25519:` and 43 characters. ValueError for no key."""
    return _PREFIX + str(_private(private).as_dict(private=False)["x"])


def key_id(public: str) -> str:
    """The id of a public key. ValueError when it is none."""
    return _public(public).thumbprint()


def sign(command: Command, private: str, at: datetime, installation: str) -> str:
    """The signature of a command by a private key, made at an instant of the wall clock; no two are alike."""
    key = _private(private)
    protected = {"alg": _ALGORITHM, "kid": key.thumbprint()}
    payload = json.dumps({**claims(command, at, installation), "jti": uuid.uuid4().hex}, separators=(",", ":")).encode()
    return jws.serialize_compact(protected, payload, key, algorithms=[_ALGORITHM])


def signer(signature: str) -> str | None:
    """The key id a signature says it is by, not verified; None when it is no signature."""
    try:
        found = jws.extract_compact(signature.encode()).headers().get("kid")
    except (JoseError, ValueError, RecursionError):
        return None
    return found if isinstance(found, str) and _KEY_ID.fullmatch(found) else None


def verified(signature: str, public: str) -> dict[str, Any] | None:
    """What was signed, when the signature is by that key; else None."""
    try:
        payload = jws.deserialize_compact(signature, _public(public), algorithms=[_ALGORITHM]).payload
        signed = json.loads(payload)
    except (JoseError, ValueError, RecursionError):
        return None
    return signed if isinstance(signed, dict) else None


def _public(text: str) -> OKPKey:
    x = text.removeprefix(_PREFIX)
    try:
        raw = base64.urlsafe_b64decode(x + "=")
        if len(raw) != 32 or not text.startswith(_PREFIX):
            raise ValueError
        one_spelling = base64.urlsafe_b64encode(raw).decode().rstrip("=")
        return OKPKey.import_key({"kty": "OKP", "crv": _ALGORITHM, "x": one_spelling})
    except (JoseError, ValueError):
        raise ValueError("is no public key: ed25519: and 43 characters, as livebase login prints it") from None


def _private(text: str) -> OKPKey:
    try:
        key = OKPKey.import_key(json.loads(text))
        if not key.is_private or key.as_dict(private=False).get("crv") != _ALGORITHM:
            raise ValueError
        return key
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        raise ValueError("is no private Ed25519 key") from None
