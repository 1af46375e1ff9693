"""Parts of a case as a table says them."""

from __future__ import annotations

from typing import Any

import pytest

from starter.output import speaking
from starter.phrases import of_the_certification, recorded

GAP = {"from": "2026-11-30T13:48:26.737740+00:00", "until": "2026-12-01T16:00:00+00:00"}
ID = "LB-2026-000001-2"


@pytest.mark.parametrize(
    ("detail", "told"),
    [
        ({"gap": GAP}, "gap from 2026-11-30 21:48, until 2026-12-02 00:00"),
        (
            {"reference": "B-1", "credited": {"fen": 4_000_000}, "unmatched": {"fen": 0}},
            "reference B-1, credited 40,000.00",
        ),
        ({"late": True, "urgent": False, "reason": "", "submission": "0" * 64}, "late"),
    ],
)
def test_what_is_on_record_is_told_as_people_read_it(detail: dict[str, Any], told: str) -> None:
    assert recorded(detail) == told


def test_what_is_on_record_is_told_in_chinese() -> None:
    with speaking("zh"):
        assert recorded({"gap": GAP}) == "中断 自 2026-11-30 21:48, 至 2026-12-02 00:00"


@pytest.mark.parametrize(
    ("kind", "appealed", "told"),
    [
        ("rejected", None, f"{ID}, appeal until 2026-12-15 24:00"),
        ("rejected", ID, ID),
        ("revoked", "LB-2026-000001-1", f"{ID}, appeal until 2026-12-15 24:00"),
        ("expired", None, None),
    ],
)
def test_a_decision_that_can_be_set_aside_is_named(kind: str, appealed: str | None, told: str | None) -> None:
    at = "2026-11-30T21:48:00+08:00"
    ending = {"kind": kind, "cause": "", "legal_at": at, "observed_at": at, "reason": "r", "decision": ID}
    view = {
        **dict.fromkeys(("term", "next_term", "renewal")),
        **dict.fromkeys(("assessments", "holds", "conduct"), ()),
        "publication": {"state": "none"},
        "deposit": {"held": {"fen": 0}, "required": {"fen": 0}, "unmatched": {"fen": 0}},
        "ending": ending,
        "appeal": {"decision": appealed, "filed_at": at, "outcome": None} if appealed else None,
        "appeal_until": "2026-12-16T00:00:00+08:00",
    }
    assert dict(of_the_certification(view)).get("decision") == told
