"""The closed list of refusal kinds, its tree and its exit codes (fixed, design/cli.md)."""

from __future__ import annotations

import pytest

from domain import refusals
from domain.refusals import EXIT_CODES, TREE, Problem, Refusal, RefusalKind


def test_every_kind_hangs_on_exactly_one_branch() -> None:
    hanging = [kind for kinds in TREE.values() for kind in kinds]
    assert sorted(hanging) == sorted(RefusalKind)
    assert TREE.keys() == EXIT_CODES.keys()


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (RefusalKind.INVALID_FILE, 2),
        (RefusalKind.NOT_FOUND, 3),
        (RefusalKind.NOT_OWN_CASE, 4),
        (RefusalKind.SECOND_PERSON_REQUIRED, 4),
        (RefusalKind.REVIEW_HELD, 5),
        (RefusalKind.COOLING_OFF, 5),
        (RefusalKind.REVISION_STALE, 8),
        (RefusalKind.REQUEST_ID_REUSED, 8),
    ],
)
def test_exit_codes_follow_the_family(kind: RefusalKind, code: int) -> None:
    assert kind.exit_code == code


def test_the_drawn_tree_shows_every_kind() -> None:
    drawing = refusals.__doc__ or ""
    for family, kinds in TREE.items():
        assert f"{family} (exit {EXIT_CODES[family]})" in drawing
        for kind in kinds:
            assert f"── {kind.value} " in drawing


def test_a_refusal_survives_the_wire() -> None:
    refusal = Refusal(RefusalKind.CONDITION_FAILED, "what", "hint", (Problem("A2.capital", "too little"),))
    detail = type(refusal.detail).model_validate_json(refusal.detail.model_dump_json())
    back = detail.refusal()
    assert (back.kind, back.message, back.hint, back.problems) == (
        refusal.kind,
        refusal.message,
        refusal.hint,
        refusal.problems,
    )
