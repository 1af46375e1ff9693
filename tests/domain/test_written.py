"""What people write travels as a paper of its own, and all that goes on record is a reference to its words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain import deciding
from domain.case import Case
from domain.commands import AddNote, FileAppeal, ObjectAssessment, ReportConduct, RespondConduct, Withdraw
from domain.letters import seen
from domain.records import ConductReport, Letter, Note, Transition
from domain.refusals import Refusal, RefusalKind
from domain.shanghai import shanghai_date
from domain.written import (
    ERASED,
    UNREADABLE,
    Written,
    WrittenLoss,
    WrittenNote,
    WrittenReport,
    WrittenStatement,
    filled_in,
    require_handed_over,
)
from tests.domain import cases

NOW = cases.OPENED
REPORT = WrittenReport(
    facts="组织刷单", affected_accounts=("anchor-1",), losses=(WrittenLoss(kind="removal", description="下架"),)
)
STATEMENT = WrittenStatement(statement="证据不实")


class Handed(cases.AllOnRecord):
    """Papers handed over."""

    def __init__(self, *papers: Written) -> None:
        self._papers = {paper.sha256: paper.canonical_bytes() for paper in papers}

    def paper(self, sha256: str) -> bytes:
        return self._papers[sha256]


def reported(**fields: Any) -> ReportConduct:
    case = cases.in_valid()
    given = {
        "conduct": f"{case.case_number}-C1",
        "rule": "R6",
        "trigger": "breach",
        "severity": "minor",
        "found_on": shanghai_date(NOW),
        "evidence": ("0" * 64,),
    }
    command: ReportConduct = cases.command(ReportConduct, cases.COMPLIANCE, **given | fields)
    return command


def told(recorded: Any, paper: Written) -> Any:
    """With the words of a paper in the place of its references."""
    return filled_in(recorded, lambda case, sha256, place: {paper.sha256: paper.canonical_bytes()}[sha256])


def done(case: Case, command: Any, paper: Written) -> Transition:
    return deciding.decide(case, command, cases.setting(NOW, 3), Handed(paper))  # type: ignore[arg-type]


def test_a_report_s_paper_is_read_by_the_rule_and_stays_out_of_the_case() -> None:
    transition = done(cases.in_valid(), reported(paper=REPORT.sha256, urgent=True), REPORT)
    (record,) = [record for record in transition.records if isinstance(record, ConductReport)]
    assert told([record.facts, *record.affected_accounts], REPORT) == ["组织刷单", "anchor-1"]
    assert [(loss.kind, told(loss.description, REPORT)) for loss in record.losses] == [("removal", "下架")]
    (letter,) = [record for record in transition.records if isinstance(record, Letter)]
    assert "组织刷单" in told(letter.body, REPORT)
    recorded = f"{transition.case.model_dump_json()} {transition.records} {transition.detail}"
    assert not [text for text in ("组织刷单", "anchor-1", "下架") if text in recorded]


@pytest.mark.parametrize(
    ("case", "kind", "fields"),
    [
        (cases.accused, RespondConduct, {"conduct": "LB-2026-000001-C1"}),
        (cases.failing, ObjectAssessment, {}),
        (cases.revoked, FileAppeal, {}),
    ],
)
def test_a_base_s_statement_too(case: Any, kind: Any, fields: dict[str, Any]) -> None:
    before = case()
    if before.ending:
        fields = {"decision": before.ending.decision}
    failed = before.assessment(cases.QUARTER)
    at = failed.objection_until - timedelta(days=1) if failed and failed.objection_until else NOW
    command = cases.command(kind, cases.APPLICANT, **fields, paper=STATEMENT.sha256)
    transition = deciding.decide(before, command, cases.setting(at, 3), Handed(STATEMENT))  # type: ignore[arg-type]
    assert told(transition.detail["statement"], STATEMENT) == "证据不实"
    assert "证据不实" not in f"{transition.case.model_dump_json()} {transition.records} {transition.detail}"


def test_a_note_too() -> None:
    note = WrittenNote(text="已电话核实")
    transition = done(cases.in_review(), cases.command(AddNote, cases.OPERATOR, paper=note.sha256), note)
    (record,) = transition.records
    assert isinstance(record, Note) and record.by == "operator:sun"
    assert record.text != "已电话核实" == told(record.text, note)
    assert note.sha256 not in str(transition.detail), "who reads the timeline could have the note told by it"


def test_words_that_came_with_their_command_are_refused() -> None:
    with pytest.raises(Refusal) as info:
        require_handed_over(reported(facts="组织刷单"))
    assert info.value.kind is RefusalKind.INVALID_FILE
    require_handed_over(reported(paper=REPORT.sha256))
    require_handed_over(cases.command(Withdraw, cases.APPLICANT, reason="搬迁"))
    with pytest.raises(Refusal) as info:
        require_handed_over(cases.command(Withdraw, cases.APPLICANT, reason=f"见 {REFERENCE}"))
    assert info.value.kind is RefusalKind.INVALID_VALUE


def test_a_few_words_can_t_be_found_out_by_their_hash() -> None:
    one, other = (WrittenNote(text="13800000000", salt=salt) for salt in ("cli-1", "cli-2"))
    assert len({one.sha256, other.sha256, WrittenNote(text="13800000000").sha256}) == 3
    transition = done(cases.in_review(), cases.command(AddNote, cases.OPERATOR, paper=one.sha256), one)
    (record,) = transition.records
    assert isinstance(record, Note) and told(record.text, one) == "13800000000"


REFERENCE = f"[[{cases.in_valid().workflow_id}/{REPORT.sha256}#facts]]"


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        (REFERENCE, "组织刷单"),
        (f"经查:{REFERENCE}。{REFERENCE}", "经查:组织刷单。组织刷单"),
        (REFERENCE.replace("#facts", "#losses.0.description"), "下架"),
        (REFERENCE.replace("#facts", "#affected_accounts.0"), "anchor-1"),
        (REFERENCE.replace("#facts", "#affected_accounts.1"), None),
        (REFERENCE.replace("#facts", "#nothing"), None),
        (REFERENCE.replace("#facts", "#facts.x"), None),
        (REFERENCE.replace("base:", "conduct:"), None),
        (REFERENCE.upper(), None),
        ("[[ ]]", None),
    ],
)
def test_references_are_filled_in_and_what_somebody_typed_stays(text: str, filled: str | None) -> None:
    assert told(text, REPORT) == (filled or text)
    assert told({"a": [text], "b": (text, 1)}, REPORT) == {"a": [filled or text], "b": (filled or text, 1)}


def test_what_was_erased_and_what_nobody_may_read() -> None:
    assert filled_in(REFERENCE, lambda *_: None) == ERASED
    assert filled_in(REFERENCE, lambda *_: UNREADABLE) == REFERENCE


def test_words_that_hold_a_reference_are_not_filled_in_again() -> None:
    inner = WrittenStatement(statement=REFERENCE)
    assert told(f"[[base:1:1/{inner.sha256}#statement]]", inner) == REFERENCE


def test_words_are_cleaned_before_they_stand_among_others() -> None:
    lines = WrittenStatement(statement="一\n二")
    assert filled_in(f"[[base:1:1/{lines.sha256}#statement]]", lambda *_: lines.canonical_bytes(), seen) == "一 二"


@pytest.mark.parametrize("paper", [STATEMENT, None])
def test_a_paper_of_another_kind_or_none_is_refused(paper: Written | None) -> None:
    with pytest.raises(Refusal) as info:
        done(cases.in_valid(), reported(paper=paper.sha256 if paper else None), STATEMENT)
    assert info.value.kind is RefusalKind.INVALID_FILE
