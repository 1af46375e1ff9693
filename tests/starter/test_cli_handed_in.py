"""What was handed in, read back: the application by revision and with its changes, and the documents."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from starter.handed_in import _changes
from tests.starter.conftest import FirstYear
from tests.starter.livebase import Running

ONLY_ON = "postgresql"
"""What differs between the databases is tested in tests/store, and by requests and payments at once on both."""


def test_the_application_as_it_was_in_each_revision(dev: Running, first_year: FirstYear) -> None:
    number = first_year.number
    first, newest, none = dev.each(
        ("application", "show", number, "--revision", "1", "-o", "json"),
        ("application", "show", first_year.enterprise.code, "-o", "json"),
        ("application", "show", number, "--revision", "3", "-o", "json"),
    )
    assert (first.json["revision"], newest.json["revision"]) == (1, 2)
    assert first.json["application"]["facilities"]["live_rooms"] == 12
    assert newest.json["application"]["facilities"]["live_rooms"] == 16
    assert newest.json["documents_note"].startswith("二期直播间已投入使用")
    assert newest.json["findings"] == first_year.views["marks"]["findings"]
    assert none.code == 3
    assert none.error["kind"] == "not_found"


def test_what_changed_between_two_revisions_field_by_field(dev: Running, first_year: FirstYear) -> None:
    diff = dev.ok("application", "show", first_year.number, "--revision", "2", "--diff", "1")["diff"]
    assert diff["since"] == 1
    changes = {change["path"]: (change["before"], change["after"]) for change in diff["changes"]}
    assert changes["facilities.live_rooms"] == (12, 16)
    assert changes["facilities.area_m2"] == ("860.5", "1020")
    assert not [path for path in changes if not path.startswith(("facilities.", "documents"))]


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        (None, {"name": "A", "entrustment": None}, {"party.name": (None, "A")}),
        (
            {"name": "A", "entrustment": "a.pdf"},
            None,
            {"party.name": ("A", None), "party.entrustment": ("a.pdf", None)},
        ),
        (None, {"name": None}, {"party": (None, {"name": None})}),
        ({"name": "A"}, {"name": "A"}, {}),
    ],
)
def test_a_section_that_was_not_there_changes_field_by_field(before: Any, after: Any, changed: dict[str, Any]) -> None:
    """As when a mainland entity turns out to be the enterprise an overseas one entrusts."""
    changes = _changes({"party": before}, {"party": after})
    assert {change["path"]: (change["before"], change["after"]) for change in changes} == changed


def test_documents_come_back_as_they_were_handed_in(dev: Running, first_year: FirstYear, tmp_path: Path) -> None:
    base, sources = first_year.number, first_year.enterprise.document().parent
    papers = dev.ok("documents", "list", base)
    documents = [paper for paper in papers if paper["belongs_to"] == "application"]
    plan = next(document for document in documents if document["path"] == "documents/floor-plan-2.pdf")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "floor-plan-2.pdf").write_bytes(b"somebody's own")
    everything, one, taken, opened, unknown = dev.each(
        ("documents", "save", base, "--to", tmp_path / "all", "-o", "json"),
        ("documents", "save", base, plan["sha256"][:10], "--to", tmp_path / "one", "-o", "json"),
        ("documents", "save", base, plan["path"], "--to", tmp_path / "taken", "-o", "json"),
        ("documents", "open", base, "documents/rooms.png", "-o", "json"),
        ("documents", "save", base, "documents/none.pdf", "--to", tmp_path / "none", "-o", "json"),
    )
    for document in documents:
        assert set(document) == {"path", "sha256", "size", "media_type", "belongs_to", "sequence", "by"}
        content = (sources / Path(document["path"]).name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (document["size"], document["sha256"])
        assert (tmp_path / "all" / Path(document["path"]).name).read_bytes() == content
    assert [Path(saved["path"]).stem for saved in everything.json] == [Path(one["path"]).stem for one in papers]
    marks = [paper for paper in papers if paper["belongs_to"] == "marks"]
    entry = marks[0]["sequence"]
    assert [(one["by"], one["path"]) for one in marks] == [
        ("applicant:wang", f"marks-{entry}-1"),
        ("applicant:wang", f"marks-{entry}-2"),
    ]
    assert [saved["path"] for saved in one.json] == [str(tmp_path / "one" / "floor-plan-2.pdf")]
    assert Path(opened.json["path"]).read_bytes() == (sources / "rooms.png").read_bytes()
    assert (unknown.code, unknown.error["kind"]) == (3, "not_found")
    assert (tmp_path / "taken" / "floor-plan-2.pdf").read_bytes() == b"somebody's own", "never written over"
    (beside,) = taken.json
    assert Path(beside["path"]).read_bytes() == (sources / "floor-plan-2.pdf").read_bytes()
