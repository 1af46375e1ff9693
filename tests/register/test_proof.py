"""What is signed, and what whoever checks it offline comes to."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import OKPKey

from register.new_key import key_set
from register.new_key import main as make
from register.proof import Keys, NotProven, canonical, new_key_set, proven, read_keys, sign
from register.verdict import JUST_ANSWERED, Verdict, judge, require_chain

KEYS = read_keys(new_key_set("k2"), to_sign=True)
AS_OF = datetime(2026, 12, 1, 8, tzinfo=UTC)
END = datetime(2027, 3, 1, 16, tzinfo=UTC)
NUMBER = "LBC-2026-000001"
CERTIFICATE = {"number": NUMBER, "status": "certified", "name": "义乌北苑直播基地", "valid_until": END.isoformat()}
HEADER = {
    "version": 1,
    "issuer": "i",
    "list_revision": 7,
    "as_of": AS_OF.isoformat(),
    "good_until": (AS_OF + timedelta(hours=24)).isoformat(),
}
ONE = {"type": "certificate", **HEADER, "certificate": CERTIFICATE}
WHOLE = {"type": "list", **HEADER, "count": 1, "certificates": [CERTIFICATE]}


def text(document: dict[str, Any], keys: Keys = KEYS) -> bytes:
    return json.dumps(sign(document, keys), ensure_ascii=False).encode()


def resigned(proof: dict[str, Any], **header: Any) -> None:
    """The signature under another header."""
    _, _, signature = proof["signature"].split(".")
    protected = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    proof["signature"] = f"{protected}..{signature}"


def put(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(proof: dict[str, Any]) -> None:
        *where, last = path.split(".")
        for name in where:
            proof = proof[name]
        proof[last] = value

    return change


def test_what_was_signed_is_proven_however_it_is_written() -> None:
    assert proven(text(ONE), KEYS) == (ONE, "k2")
    again = json.dumps(json.loads(text(ONE)), indent=4, sort_keys=True).encode()
    assert proven(again, KEYS) == (ONE, "k2")


CHANGES: dict[str, Callable[[dict[str, Any]], None]] = {
    "a status": put("document.certificate.status", "suspended"),
    "a day": put("document.certificate.valid_until", "2037-03-01T16:00:00+00:00"),
    "a revision": put("document.list_revision", 8),
    "something more": put("document.more", 1),
    "something beside": put("more", 1),
    "no signature": put("signature", None),
    "an empty signature": put("signature", ""),
    "a signature of nothing": put("signature", ".."),
    "content of its own": lambda proof: put("signature", proof["signature"].replace("..", ".e30."))(proof),
    "no algorithm": lambda proof: resigned(proof, alg="none", kid="k2"),
    "another algorithm": lambda proof: resigned(proof, alg="HS256", kid="k2"),
    "its algorithm's old name": lambda proof: resigned(proof, alg="EdDSA", kid="k2"),
    "a header more": lambda proof: resigned(proof, alg="Ed25519", kid="k2", crit=["b64"], b64=False),
    "a key of its own": lambda proof: resigned(proof, alg="Ed25519", kid="k2", jwk={}),
    "an unknown key": lambda proof: resigned(proof, alg="Ed25519", kid="k9"),
    "a key that is no name": lambda proof: resigned(proof, alg="Ed25519", kid=["k2"]),
    "no document": put("document", []),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_nothing_that_was_changed_is_proven(change: Callable[[dict[str, Any]], None]) -> None:
    proof = copy.deepcopy(json.loads(text(ONE)))
    change(proof)
    with pytest.raises(NotProven):
        proven(json.dumps(proof).encode(), KEYS)


def test_no_byte_of_it_can_be_changed() -> None:
    whole = text(ONE)
    for place in range(0, len(whole), 3):
        changed = bytearray(whole)
        changed[place] ^= 1
        try:
            document, _ = proven(bytes(changed), KEYS)
        except NotProven:
            continue
        assert document == ONE, place  # a blank, or base64's unused bits


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"\xff", b'{"document": NaN, "signature": ""}', b"[" * 9999]
)
def test_what_is_no_proof_is_said_to_be_none(content: bytes) -> None:
    with pytest.raises(NotProven):
        proven(content, KEYS)


def test_a_name_twice_is_no_document() -> None:
    twice = text(ONE).replace(b'"status": "certified"', b'"status": "ended", "status": "certified"')
    assert twice != text(ONE)
    with pytest.raises(NotProven):
        proven(twice, KEYS)


def test_another_document_s_signature_fits_no_other() -> None:
    proof = json.loads(text(ONE))
    proof["signature"] = json.loads(text(WHOLE))["signature"]
    with pytest.raises(NotProven):
        proven(json.dumps(proof).encode(), KEYS)


class TestKeys:
    def test_old_ones_prove_for_ever_and_only_the_newest_signs(self) -> None:
        old = json.loads(new_key_set("k1"))["keys"][0]
        before = read_keys(json.dumps({"keys": [old]}), to_sign=True)
        public_only = {name: value for name, value in old.items() if name != "d"}
        both = read_keys(json.dumps({"keys": [json.loads(new_key_set("k2"))["keys"][0], public_only]}), to_sign=True)
        assert proven(text(ONE, before), both)[1] == "k1"
        assert json.loads(text(ONE, both)) and proven(text(ONE, both), both)[1] == "k2"
        assert [key["kid"] for key in both.published()["keys"]] == ["k2", "k1"]

    def test_a_new_key_comes_first_and_the_ones_before_sign_nothing_more(self) -> None:
        first = key_set("k1")
        second = key_set("k2", first)
        assert [("d" in key, key["kid"]) for key in json.loads(second)["keys"]] == [(True, "k2"), (False, "k1")]
        assert proven(text(ONE, read_keys(first)), read_keys(second))[1] == "k1"
        with pytest.raises(ValueError, match="kid"):
            key_set("k1", second)

    def test_the_key_file_is_made_kept_and_given_a_new_key(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = tmp_path / "keys.json"
        assert [make([str(file), "k1"]), make([str(file), "other", "--unless-there"])] == [0, 0]
        first = read_keys(file.read_text("utf-8"), to_sign=True)
        assert make([str(file), "k2"]) == 0
        second = read_keys(file.read_text("utf-8"), to_sign=True)
        assert ([*first.public], [*second.public], second.newest) == (["k1"], ["k2", "k1"], "k2")
        assert proven(text(ONE, first), second)[1] == "k1"
        assert file.stat().st_mode & 0o777 == 0o600
        before = file.read_text("utf-8")
        assert [make([str(file), "k1"]), make([str(file), "a b"]), make([str(tmp_path / "no" / "k"), "k3"])] == [
            2,
            2,
            2,
        ]
        assert file.read_text("utf-8") == before
        told = capsys.readouterr()
        assert not [key["d"] for key in json.loads(before)["keys"] if "d" in key and key["d"] in told.out + told.err]

    def test_what_is_published_holds_no_private_key_and_proves(self) -> None:
        published = json.dumps(KEYS.published())
        assert '"d"' not in published
        assert proven(text(ONE), read_keys(published)) == (ONE, "k2")

    @pytest.mark.parametrize(
        "content",
        [
            "", "[]", "{}", '{"keys": []}', '{"keys": 1}', '{"keys": [1]}',
            '{"keys": [{"kty": "oct", "k": "x", "kid": "a"}]}',
            json.dumps({"keys": [OKPKey.generate_key("X25519").as_dict(private=True) | {"kid": "a"}]}),
            json.dumps({"keys": [OKPKey.generate_key("Ed25519").as_dict(private=True)]}),
            json.dumps({"keys": [OKPKey.generate_key("Ed25519").as_dict(private=True) | {"kid": "a b"}]}),
            json.dumps({"keys": [OKPKey.generate_key("Ed25519").as_dict(private=True) | {"kid": "a"}] * 2}),
            json.dumps({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "!"}]}),
        ],
    )  # fmt: skip
    def test_a_file_that_is_no_key_set_is_refused_without_a_key_in_the_words(self, content: str) -> None:
        with pytest.raises(ValueError, match=r".") as refused:
            read_keys(content)
        assert '"d"' not in str(refused.value)

    def test_a_public_key_signs_nothing(self) -> None:
        with pytest.raises(ValueError, match="public key"):
            read_keys(json.dumps(KEYS.published()), to_sign=True)

    def test_what_is_printed_of_them_holds_no_private_key(self) -> None:
        assert "private" not in repr(KEYS)


def with_(document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**document, **changes}


DAY, TICK = timedelta(days=1), timedelta(microseconds=1)
VERDICTS: dict[str, tuple[dict[str, Any], datetime, dict[str, Any], Verdict]] = {
    "certified": (ONE, AS_OF, {}, Verdict.CERTIFIED),
    "suspended": (with_(ONE, certificate=with_(CERTIFICATE, status="suspended")), AS_OF, {}, Verdict.SUSPENDED),
    "ended": (with_(ONE, certificate=with_(CERTIFICATE, status="ended")), AS_OF, {}, Verdict.ENDED),
    "its term is over since": (ONE, END, {}, Verdict.ENDED),
    "no longer good": (ONE, AS_OF + DAY, {}, Verdict.OUTDATED),
    "as old as what was seen": (ONE, AS_OF, {"newest_seen": 7}, Verdict.CERTIFIED),
    "older than what was seen": (ONE, AS_OF, {"newest_seen": 8}, Verdict.OLDER),
    "older, its term over": (ONE, END, {"newest_seen": 8}, Verdict.ENDED),
    "a whole list": (WHOLE, AS_OF, {}, Verdict.WHOLE),
    "on the list": (WHOLE, AS_OF, {"number": NUMBER}, Verdict.CERTIFIED),
    "not on the list": (WHOLE, AS_OF, {"number": "LBC-2026-000002"}, Verdict.UNKNOWN),
    "not on an old list": (WHOLE, AS_OF + DAY, {"number": "LBC-2026-000002"}, Verdict.OUTDATED),
    "just answered": (ONE, AS_OF + JUST_ANSWERED, {"oldest": JUST_ANSWERED}, Verdict.CERTIFIED),
    "answered with an old one": (ONE, AS_OF + JUST_ANSWERED + TICK, {"oldest": JUST_ANSWERED}, Verdict.OUTDATED),
    "an old list for an answer": (
        WHOLE,
        AS_OF + DAY / 2,
        {"oldest": JUST_ANSWERED, "number": NUMBER},
        Verdict.OUTDATED,
    ),
    "a clock a little behind": (ONE, AS_OF - timedelta(minutes=5), {}, Verdict.CERTIFIED),
}


@pytest.mark.parametrize(("document", "now", "given", "expected"), VERDICTS.values(), ids=VERDICTS)
def test_verdict(document: dict[str, Any], now: datetime, given: dict[str, Any], expected: Verdict) -> None:
    assert judge(document, now, **given).verdict is expected


@pytest.mark.parametrize(
    "document",
    [
        {},
        with_(ONE, version=2),
        with_(ONE, type="letter"),
        with_(ONE, as_of="2026-12-01T08:00:00"),
        with_(ONE, good_until=None),
        with_(ONE, certificate=with_(CERTIFICATE, status="?")),
        with_(ONE, certificate=with_(CERTIFICATE, number="LBC-2026-000002")),
        with_(WHOLE, count=2),
        with_(ONE, as_of=(AS_OF + timedelta(hours=1)).isoformat()),
    ],
)
def test_what_says_something_else_is_not_judged(document: dict[str, Any]) -> None:
    with pytest.raises(NotProven):
        judge(document, AS_OF, number=NUMBER)


class TestSnapshots:
    def chain(self, *changes: dict[str, Any]) -> list[tuple[bytes, dict[str, Any]]]:
        import hashlib

        made: list[tuple[bytes, dict[str, Any]]] = []
        for number, change in enumerate(changes, 1):
            previous = hashlib.sha256(made[-1][0]).hexdigest() if made else None
            document = {**WHOLE, "snapshot": {"number": number, "previous": previous}, **change}
            made.append((canonical(document), document))
        return made

    def test_each_names_the_one_before(self) -> None:
        chain = self.chain({}, {}, {"list_revision": 9})
        assert require_chain(iter(chain)) == chain[2][1] and chain[2][1]["snapshot"]["number"] == 3

    @pytest.mark.parametrize("without", [0, 1])
    def test_one_that_is_missing_is_noticed(self, without: int) -> None:
        chain = self.chain({}, {}, {})
        del chain[without]
        with pytest.raises(NotProven):
            require_chain(iter(chain))

    def test_one_that_was_exchanged_is_noticed(self) -> None:
        chain, other = self.chain({}, {}, {}), self.chain({"list_revision": 6}, {}, {})
        with pytest.raises(NotProven, match="snapshot 2"):
            require_chain(iter([other[0], *chain[1:]]))

    @pytest.mark.parametrize("change", [{"list_revision": 6}, {"as_of": (AS_OF - DAY).isoformat()}])
    def test_none_goes_back(self, change: dict[str, Any]) -> None:
        with pytest.raises(NotProven, match="goes back"):
            require_chain(iter(self.chain({}, change)))

    def test_none_is_another_list_s(self) -> None:
        with pytest.raises(NotProven, match="another list"):
            require_chain(iter(self.chain({}, {"issuer": "somebody else"})))
