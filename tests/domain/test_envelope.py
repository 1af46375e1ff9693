"""What a signature is of, and for how long (decision 33; the threats of forged, replayed, altered envelopes)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.commands import Actor, RespondConduct, Withdraw
from domain.envelope import claims, require_fit, require_timely
from domain.refusals import Refusal, RefusalKind
from domain.stages import Role

NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)
WANG = Actor(role=Role.APPLICANT, name="wang")


def withdraw(**fields: Any) -> Withdraw:
    given = {"request_id": "r-1", "workflow_id": "base:91330782MA2K7P3R1U:1", "actor": WANG, "reason": "moved"}
    return Withdraw(**{**given, **fields})


OTHERS: dict[str, Withdraw] = {
    "another request": withdraw(request_id="r-2"),
    "another case": withdraw(workflow_id="base:91330782MA2K7P3R1U:2"),
    "another reason": withdraw(reason="no reason"),
    "another person": withdraw(actor=Actor(role=Role.APPLICANT, name="li")),
    "another role": withdraw(actor=Actor(role=Role.OPERATOR, name="wang", on_behalf="wang")),
    "for somebody": withdraw(actor=WANG.model_copy(update={"on_behalf": "li"})),
}


def test_a_signature_fits_its_command_however_often_it_is_sent() -> None:
    signed = claims(withdraw(), NOW, "here")
    require_fit(signed, withdraw(), "here")
    require_fit(signed, withdraw(signature="what it travels with is no part of it"), "here")


@pytest.mark.parametrize("other", OTHERS)
def test_it_fits_no_other_command(other: str) -> None:
    with pytest.raises(Refusal) as info:
        require_fit(claims(withdraw(), NOW, "here"), OTHERS[other], "here")
    assert info.value.kind is RefusalKind.SIGNATURE_INVALID


def test_nor_the_same_command_to_another_installation() -> None:
    with pytest.raises(Refusal) as info:
        require_fit(claims(withdraw(), NOW, "a copy to try things on"), withdraw(), "here")
    assert info.value.kind is RefusalKind.SIGNATURE_INVALID and "aud" in info.value.message


def test_nor_another_act_with_the_same_words() -> None:
    answer = {"request_id": "r", "workflow_id": "base:91330782MA2K7P3R1U:1", "actor": WANG, "statement": "s"}
    command = RespondConduct(**answer, conduct="C1", paper="0" * 64)
    signed = claims(command, NOW, "here")
    assert signed["workflow_id"] == "conduct:91330782MA2K7P3R1U:1:C1", "where it is sent"
    with pytest.raises(Refusal):
        require_fit({**signed, "action": "withdraw"}, command, "here")
    with pytest.raises(Refusal):
        require_fit({}, command, "here")


TIMES: dict[str, tuple[timedelta, dict[str, Any], RefusalKind | None]] = {
    "at once": (timedelta(), {}, None),
    "the sender's clock ahead": (timedelta(seconds=-60), {}, None),
    "further ahead": (timedelta(seconds=-61), {}, RefusalKind.SIGNATURE_EXPIRED),
    "the last second": (timedelta(seconds=599), {}, None),
    "over": (timedelta(seconds=600), {}, RefusalKind.SIGNATURE_EXPIRED),
    "without an end": (timedelta(), {"exp": None}, RefusalKind.SIGNATURE_INVALID),
    "meant to last": (timedelta(), {"exp": int(NOW.timestamp()) + 601}, RefusalKind.SIGNATURE_INVALID),
    "a time that is none": (timedelta(), {"iat": "now"}, RefusalKind.SIGNATURE_INVALID),
    "true is no time": (timedelta(), {"iat": True, "exp": True}, RefusalKind.SIGNATURE_INVALID),
}


@pytest.mark.parametrize("time", TIMES)
def test_it_is_taken_for_ten_minutes(time: str) -> None:
    later, changed, kind = TIMES[time]
    signed = {**claims(withdraw(), NOW, "here"), **changed}
    if kind is None:
        require_timely(signed, NOW + later)
        return
    with pytest.raises(Refusal) as info:
        require_timely(signed, NOW + later)
    assert info.value.kind is kind and kind.exit_code == 4
