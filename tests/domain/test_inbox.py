"""What waits for whom (decisions 18, 33)."""

from __future__ import annotations

import pytest

from domain import review
from domain.case import Case
from domain.commands import Actor, TakeReview
from domain.inbox import waits_for
from domain.stages import Role
from tests.domain import cases


def waiting(case: Case, role: Role, name: str, on_behalf: str | None = None) -> list[str]:
    actor = Actor(role=role, name=name, on_behalf=on_behalf)
    return [task.kind for task in case.tasks if waits_for(case, task, actor)]


@pytest.mark.parametrize(
    ("stage", "role", "kind"),
    [
        ("review", Role.REVIEWER, "review"),
        ("supplement", Role.APPLICANT, "supplement"),
        ("deposit", Role.APPLICANT, "deposit"),
        ("certifying", Role.CERTIFIER, "certify"),
        ("publishing", Role.OPERATOR, "publish"),
        ("settling", Role.APPLICANT, "confirm_marks"),
        ("settling", Role.FINANCE, "settle_deposit"),
    ],
)
def test_a_task_waits_for_its_role_alone(stage: str, role: Role, kind: str) -> None:
    case = cases.STAGES[stage]()
    assert waiting(case, role, "wang") == [kind]
    others = [other for other in Role if other not in {task.role for task in case.tasks} | {Role.NOBODY}]
    assert len(others) >= 5
    assert not [other for other in others if waiting(case, other, "wang")]


def test_an_applicant_has_the_tasks_of_their_own_case_however_the_name_is_typed() -> None:
    case = cases.in_deposit()
    assert waiting(case, Role.APPLICANT, " WANG") == ["deposit"]
    assert waiting(case, Role.APPLICANT, "zhou") == []


def test_an_operator_acting_for_an_applicant_has_that_ones_tasks() -> None:
    assert waiting(cases.in_deposit(), Role.OPERATOR, "sun", on_behalf="wang") == ["deposit"]
    assert waiting(cases.in_deposit(), Role.OPERATOR, "sun", on_behalf="zhou") == []
    assert waiting(cases.in_publishing(), Role.OPERATOR, "sun", on_behalf="wang") == []


def test_what_a_colleague_has_taken_waits_for_the_colleague() -> None:
    case = cases.in_review()
    taken = review.take(case, cases.command(TakeReview, cases.REVIEWER), cases.setting(cases.OPENED)).case
    assert waiting(case, Role.REVIEWER, "chen") == waiting(taken, Role.REVIEWER, "Li") == ["review"]
    assert waiting(taken, Role.REVIEWER, "chen") == []


def test_the_certification_waits_for_somebody_who_did_not_approve() -> None:
    case = cases.in_certifying()
    assert waiting(case, Role.CERTIFIER, "zhao") == ["certify"]
    assert waiting(case, Role.CERTIFIER, "LI") == []
