"""A file of AES-256 keys: what it may be, and that all that is wrong with it is told, and no key."""

import base64
import json

import pytest

from domain.key_set import KeySet, read_key_set, written_key_set

OLD, NEW = bytes(range(32)), bytes(range(100, 132))


def jwk(id: object, key: bytes = OLD, **other: object) -> dict[str, object]:
    return {"kty": "oct", "kid": id, "k": base64.urlsafe_b64encode(key).decode().rstrip("="), **other}


def test_the_first_key_is_the_newest() -> None:
    keys = read_key_set(json.dumps({"keys": [jwk("2026-12", NEW), jwk("2026-11", OLD)]}))
    assert keys.keys == {"2026-12": NEW, "2026-11": OLD}
    assert keys.newest == "2026-12"
    assert read_key_set(written_key_set(keys)) == keys
    assert list(read_key_set(written_key_set(keys)).keys) == ["2026-12", "2026-11"]


def test_a_set_that_is_printed_shows_no_key() -> None:
    assert "2026" not in repr(KeySet({"2026": OLD}))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no JSON Web Key Set"),
        ("[]", "no JSON Web Key Set"),
        ('{"keys": {}}', "has no keys"),
        ('{"keys": []}', "has no keys"),
        (json.dumps({"keys": ["x"]}), "key 1 is no JWK"),
        (json.dumps({"keys": [jwk("a", kty="RSA")]}), "key 1 is no JWK whose kty is oct"),
        (json.dumps({"keys": [jwk("")]}), "key 1 has no kid"),
        (json.dumps({"keys": [jwk("a b")]}), "key 1 has no kid"),
        (json.dumps({"keys": [jwk(7)]}), "key 1 has no kid"),
        (json.dumps({"keys": [jwk("a", k="?")]}), "key 1 has no k in base64url"),
        (json.dumps({"keys": [{"kty": "oct", "kid": "a"}]}), "key 1 has no k"),
        (json.dumps({"keys": [jwk("a", OLD[:16])]}), "key 1 has no k of 32 bytes"),
        (json.dumps({"keys": [jwk("a"), jwk("a", NEW)]}), "key 2 has the kid a of one before it"),
    ],
)
def test_what_is_no_key_set(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        read_key_set(text)


def test_everything_wrong_is_told_at_once() -> None:
    with pytest.raises(ValueError, match="key 1 .*; key 3 ") as told:
        read_key_set(json.dumps({"keys": [jwk("a", OLD[:31]), jwk("b", NEW), jwk("c", k="?")]}))
    assert jwk("a", OLD[:31])["k"] not in str(told.value)
