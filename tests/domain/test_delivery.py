"""When a letter is tried again, what a resend may touch, and the name a letter goes by (decision 35)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.commands import ResendLetters
from domain.delivery import (
    LONGEST_PAUSE,
    PATIENCE,
    SHORTEST_PAUSE,
    DeliveryState,
    StoredLetter,
    message_id,
    next_try,
    resend,
)
from domain.records import LettersResent
from domain.refusals import Refusal, RefusalKind
from domain.stages import Stage
from tests.domain import cases

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
AT = cases.setting(cases.OPENED)
LETTERS = [StoredLetter(f"{number}.0", state) for number, state in enumerate(DeliveryState, 1)]
"""One letter in each state: 1 pending, 2 sending, 3 delivered, 4 failed, 5 undeliverable."""


@pytest.mark.parametrize(
    ("waited", "pause"),
    [
        (timedelta(0), SHORTEST_PAUSE),
        (timedelta(minutes=3), SHORTEST_PAUSE),
        (timedelta(minutes=20), timedelta(minutes=20)),
        (timedelta(hours=2), timedelta(hours=2)),
        (timedelta(hours=9), LONGEST_PAUSE),
        (timedelta(days=4), LONGEST_PAUSE),
    ],
)
def test_a_letter_put_off_waits_as_long_again_as_it_has_waited(waited: timedelta, pause: timedelta) -> None:
    assert next_try(NOW - waited, NOW) == NOW + pause


def test_after_days_of_it_a_person_must_look() -> None:
    assert timedelta(days=4) <= PATIENCE, "RFC 5321, 4.5.4.1"
    assert next_try(NOW - PATIENCE + timedelta(seconds=1), NOW) is not None
    assert next_try(NOW - PATIENCE, NOW) is None


def test_a_letter_has_one_message_id_and_another_only_when_it_had_arrived() -> None:
    assert message_id("LB-2026-000001/7.2", 0, "livebase.example") == "<LB-2026-000001.7.2@livebase.example>"
    assert message_id("LB-2026-000001/7.2", 2, "livebase.example") == "<LB-2026-000001.7.2.r2@livebase.example>"


@pytest.mark.parametrize(("letter", "chosen"), [(None, ("4.0", "5.0")), ("3.0", ("3.0",)), ("5.0", ("5.0",))])
@pytest.mark.parametrize("stage", cases.STAGES)
def test_what_has_not_arrived_is_sent_again_or_the_one_named(
    stage: str, letter: str | None, chosen: tuple[str, ...]
) -> None:
    case = cases.STAGES[stage]()
    transition = resend(case, cases.command(ResendLetters, cases.OPERATOR, letter=letter), LETTERS, AT)
    assert transition.records == (LettersResent(chosen),)
    assert (transition.event, transition.detail) == ("letters_resent", {"letters": list(chosen)})
    assert transition.case == case.model_copy(update={"sequence": case.sequence + 1}), "the case itself is as it was"


def test_letters_of_a_closed_case_too() -> None:
    closed = cases.in_review().model_copy(update={"stage": Stage.CLOSED, "tasks": (), "plan": ()})
    assert resend(closed, cases.command(ResendLetters, cases.OPERATOR), LETTERS, AT).event == "letters_resent"


@pytest.mark.parametrize(
    ("letter", "there", "kind"),
    [
        (None, LETTERS[:3], RefusalKind.NOTHING_TO_RESEND),
        (None, [], RefusalKind.NOTHING_TO_RESEND),
        ("1.0", LETTERS, RefusalKind.NOTHING_TO_RESEND),
        ("2.0", LETTERS, RefusalKind.NOTHING_TO_RESEND),
        ("9.0", LETTERS, RefusalKind.NOT_FOUND),
    ],
)
def test_a_resend_without_anything_to_send_is_refused(
    letter: str | None, there: list[StoredLetter], kind: RefusalKind
) -> None:
    with pytest.raises(Refusal) as info:
        resend(cases.in_valid(), cases.command(ResendLetters, cases.OPERATOR, letter=letter), there, AT)
    assert info.value.kind is kind
    assert "livebase notices" in info.value.hint


def test_only_an_operator_sends_letters_again() -> None:
    for actor in (cases.APPLICANT, cases.REVIEWER, cases.FINANCE, cases.CERTIFIER):
        with pytest.raises(Refusal) as info:
            resend(cases.in_valid(), cases.command(ResendLetters, actor), LETTERS, AT)
        assert info.value.kind is RefusalKind.ROLE_NOT_ALLOWED
