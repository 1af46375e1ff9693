"""Who signed a message, and when; the published example of the scheme among them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest

from domain.signing import WINDOW, NotSigned, require_signed, secret_key, sign

KEY, OTHER = b"k" * 32, b"o" * 32
NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
BODY = '{"amount": 1, "payer": "义乌"}'.encode()
SIGNED = sign(KEY, "event-1", NOW, BODY)


def test_signed_by_one_of_our_secrets_it_is_known_by_its_id() -> None:
    assert require_signed(SIGNED, BODY, [KEY], NOW) == "event-1"
    assert require_signed(SIGNED, BODY, [OTHER, KEY], NOW) == "event-1", "while a secret is changed"
    both = {**SIGNED, "webhook-signature": f"v1a,xyz v1,AAAA {SIGNED['webhook-signature']}"}
    assert require_signed(both, BODY, [KEY], NOW) == "event-1"


def test_it_is_the_scheme_that_was_published() -> None:
    """The example of the Standard Webhooks specification's own libraries."""
    key = secret_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = datetime.fromtimestamp(1614265330, UTC)
    signed = sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}')
    assert signed["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("apart", [WINDOW, -WINDOW])
def test_the_window_to_its_last_second(apart: timedelta) -> None:
    require_signed(SIGNED, BODY, [KEY], NOW + apart)
    with pytest.raises(NotSigned, match="5 minutes"):
        require_signed(SIGNED, BODY, [KEY], NOW + apart + apart / 300)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (SIGNED, BODY.replace(b"1", b"9")),
        (SIGNED, BODY + b" "),
        ({**SIGNED, "webhook-id": "event-2"}, BODY),
        ({**SIGNED, "webhook-timestamp": str(int(NOW.timestamp()) + 1)}, BODY),
        (sign(OTHER, "event-1", NOW, BODY), BODY),
        ({**SIGNED, "webhook-signature": ""}, BODY),
        ({**SIGNED, "webhook-signature": "v1,"}, BODY),
        ({**SIGNED, "webhook-signature": "v1,ünïcode"}, BODY),
        ({**SIGNED, "webhook-signature": SIGNED["webhook-signature"].replace("v1,", "v2,")}, BODY),
        ({**SIGNED, "webhook-timestamp": "soon"}, BODY),
        ({**SIGNED, "webhook-timestamp": "²"}, BODY),
        ({**SIGNED, "webhook-timestamp": "9" * 400}, BODY),
        ({}, BODY),
    ],
    ids=range(13),
)
def test_anything_else_is_not_believed(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(NotSigned):
        require_signed(headers, body, [KEY], NOW)


def test_without_a_secret_nothing_is_believed() -> None:
    with pytest.raises(NotSigned):
        require_signed(SIGNED, BODY, [], NOW)


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_!!", base64.b64encode(KEY).decode(), "whsec_c2hvcnQ="])
def test_a_secret_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"begins with|base64|bytes"):
        secret_key(text)
