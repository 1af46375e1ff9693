"""A workflow that does not run though its case is live: told once for each run, and of nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.case import Case
from domain.census import REMEMBERED, How, expected, stopped
from domain.conduct import conduct_workflow_id
from domain.records import Letter
from domain.stages import Role, Stage
from tests.domain import cases

LATER = cases.OPENED + timedelta(hours=3)


def after(case: Case, run: str, how: How = "terminated", workflow: str | None = None) -> Case:
    transition = stopped(case, workflow or case.workflow_id, run, how, cases.setting(LATER, 2))
    return transition.case if transition else case


def test_it_is_on_record_and_in_the_operator_s_mail_once() -> None:
    case = cases.in_valid()
    transition = stopped(case, case.workflow_id, "run-1", "terminated", cases.setting(LATER, 2))
    assert transition is not None
    assert (transition.event, transition.actor) == ("workflow_stopped", "system")
    assert transition.detail == {"workflow": case.workflow_id, "run": "run-1", "how": "terminated"}
    (note,) = [record for record in transition.records if isinstance(record, Letter)]
    assert note.recipient is Role.OPERATOR and "被人工终止" in note.body and "livebase note add" in note.body
    told = transition.case
    assert (told.stage, told.tasks, told.plan, told.standing(LATER)) == (
        case.stage, case.tasks, case.plan, case.standing(LATER),
    )  # fmt: skip
    assert after(told, "run-1") == told
    assert after(told, "run-2").stopped_runs == ("run-1", "run-2")


def test_what_is_over_needs_no_workflow() -> None:
    closed = cases.in_valid().model_copy(update={"stage": Stage.CLOSED})
    assert after(closed, "run-1") == closed
    case = cases.in_valid()
    assert after(case, "run-1", workflow=conduct_workflow_id(case.workflow_id, "C1")) == case


def test_an_open_conduct_case_runs_too() -> None:
    case = cases.accused()
    (conduct,) = case.open_conduct
    workflow = conduct_workflow_id(case.workflow_id, conduct.id)
    assert expected(case) == (case.workflow_id, workflow)
    assert after(case, "run-1", workflow=workflow).stopped_runs == ("run-1",)


@pytest.mark.parametrize("how", ["terminated", "timed_out", "unknown", "paused", "runs_again", "of a kind to come"])
def test_however_it_ended(how: How) -> None:
    assert after(cases.in_valid(), "run-1", how).stopped_runs == ("run-1",)


def test_the_list_of_runs_does_not_grow_for_ever() -> None:
    case = cases.in_valid()
    for number in range(REMEMBERED + 5):
        case = after(case, f"run-{number}")
    assert len(case.stopped_runs) == REMEMBERED and case.stopped_runs[-1] == f"run-{REMEMBERED + 4}"
