"""A supplement replaces whole sections, and never the enterprise (`design/files.md`)."""

from __future__ import annotations

from typing import Any

import pytest

from domain.application import InvalidApplication, documents_note, merge_supplement
from tests.domain.handed_in import OTHER_CODE, RECOMMENDATION, TODAY, application, handed_in

CODE_AT = "entity.credit_code"


def test_supplement_replaces_whole_sections() -> None:
    before = application({"recommendations": [RECOMMENDATION]})
    facilities = {"live_rooms": 20, "area_m2": "2000", "evidence": []}
    merged = merge_supplement(before, {"facilities": facilities, "documents_note": "新平面图\n见附件"}, today=TODAY)
    assert merged.facilities is not None
    assert merged.facilities.live_rooms == 20
    assert merged == before.model_copy(update={"facilities": merged.facilities})
    assert merge_supplement(before, {"documents_note": "见附件"}, today=TODAY) == before
    assert merge_supplement(before, {"agreement": None}, today=TODAY).agreement is None


SUPPLEMENTS: list[tuple[str, Any, list[str]]] = [
    ("nothing", {}, [""]),
    ("a list", [{"facilities": None}], [""]),
    ("an unknown section", {"facility": {}}, ["facility"]),
    ("part of a section", {"base": {"name": "新名"}}, ["base.address", "base.platform_account"]),
    ("another enterprise", {"entity": handed_in({CODE_AT: OTHER_CODE})["entity"]}, ["entity.credit_code"]),
    ("an overseas entity alone", {"entity": handed_in(overseas=True)["entity"]}, ["entrusted_enterprise"]),
    ("a note of 2,001 characters", {"documents_note": "x" * 2001}, ["documents_note"]),
    ("a note that is a list, an empty name", {"documents_note": [], "contact": None}, ["documents_note", "contact"]),
]  # fmt: skip


@pytest.mark.parametrize(("data", "paths"), [c[1:] for c in SUPPLEMENTS], ids=[c[0] for c in SUPPLEMENTS])
def test_supplement_refused(data: Any, paths: list[str]) -> None:
    with pytest.raises(InvalidApplication) as refused:
        merge_supplement(application(), data, today=TODAY)
    assert [problem.path for problem in refused.value.problems] == paths


def test_the_note_of_a_supplement() -> None:
    assert documents_note({"documents_note": " 见附件 "}) == "见附件"
    assert documents_note({"contact": {}}) is None
