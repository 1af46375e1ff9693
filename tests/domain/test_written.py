"""What people write travels as a paper of its own; commands sent before carry their words themselves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain import deciding
from domain.case import Case
from domain.commands import AddNote, FileAppeal, ObjectAssessment, ReportConduct, RespondConduct
from domain.records import ConductReport, Note, Transition
from domain.refusals import Refusal, RefusalKind
from domain.shanghai import shanghai_date
from domain.written import Written, WrittenLoss, WrittenNote, WrittenReport, WrittenStatement
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


def done(case: Case, command: Any, paper: Written) -> Transition:
    return deciding.decide(case, command, cases.setting(NOW, 3), Handed(paper))  # type: ignore[arg-type]


def test_a_report_s_paper_is_read_by_the_rule_and_stays_out_of_the_case() -> None:
    transition = done(cases.in_valid(), reported(paper=REPORT.sha256, urgent=True), REPORT)
    (record,) = [record for record in transition.records if isinstance(record, ConductReport)]
    assert (record.facts, record.affected_accounts) == ("组织刷单", ("anchor-1",))
    assert [loss.description for loss in record.losses] == ["下架"]
    carried = transition.case.model_dump_json()
    assert not [text for text in ("组织刷单", "anchor-1", "下架") if text in carried]


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
    told = before.assessment(cases.QUARTER)
    at = told.objection_until - timedelta(days=1) if told and told.objection_until else NOW
    command = cases.command(kind, cases.APPLICANT, **fields, paper=STATEMENT.sha256)
    transition = deciding.decide(before, command, cases.setting(at, 3), Handed(STATEMENT))  # type: ignore[arg-type]
    assert transition.detail["statement"] == "证据不实"
    assert "证据不实" not in transition.case.model_dump_json()


def test_a_note_too() -> None:
    note = WrittenNote(text="已电话核实")
    transition = done(cases.in_review(), cases.command(AddNote, cases.OPERATOR, paper=note.sha256), note)
    assert transition.records == (Note("已电话核实", "operator:sun"),)


def test_a_command_of_before_carries_its_words() -> None:
    case = cases.in_valid()
    transition = done(case, reported(facts="组织刷单"), REPORT)
    (record,) = [record for record in transition.records if isinstance(record, ConductReport)]
    assert record.facts == "组织刷单"


@pytest.mark.parametrize("paper", [STATEMENT, None])
def test_a_paper_of_another_kind_or_none_is_refused(paper: Written | None) -> None:
    with pytest.raises(Refusal) as info:
        done(cases.in_valid(), reported(paper=paper.sha256 if paper else None), STATEMENT)
    assert info.value.kind is RefusalKind.INVALID_FILE
