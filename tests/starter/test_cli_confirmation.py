"""What takes a right away or gives it back asks for the case number; off a terminal `--yes` says it is meant."""

from __future__ import annotations

import pytest

from tests.starter.livebase import Livebase

COMPLIANCE = ("--as", "compliance:he")
WHY = ("--reason", "证据充分")
NUMBER = "LB-2026-000001"


@pytest.mark.parametrize(
    "words",
    [
        ("revoke", NUMBER),
        ("conduct", "decide", f"{NUMBER}-C1", "--outcome", "revocation"),
        ("appeal", "decide", NUMBER, "--outcome", "set-aside"),
        ("set-aside", NUMBER, "--decision", f"{NUMBER}-9"),
    ],
    ids=" ".join,
)
def test_it_is_asked_for_before_anything_is_reached(livebase: Livebase, words: tuple[str, ...]) -> None:
    done = livebase(*words, *WHY, *COMPLIANCE, "-o", "json")
    assert (done.code, done.error["kind"]) == (2, "usage") and "--yes" in done.error["hint"]
    meant = livebase(*words, *WHY, *COMPLIANCE, "--yes", "-o", "json")
    assert (meant.code, meant.error["kind"]) == (6, "unreachable")


@pytest.mark.parametrize(
    "words",
    [
        ("suspend", NUMBER),
        ("conduct", "decide", f"{NUMBER}-C1", "--outcome", "suspension"),
        ("appeal", "decide", NUMBER, "--outcome", "uphold"),
    ],
    ids=" ".join,
)
def test_what_can_be_taken_back_is_not_asked_for(livebase: Livebase, words: tuple[str, ...]) -> None:
    done = livebase(*words, *WHY, *COMPLIANCE, "-o", "json")
    assert (done.code, done.error["kind"]) == (6, "unreachable")
