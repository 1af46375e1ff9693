"""What a case carries from run to run: the last answers, no more than fit (decision 32)."""

from __future__ import annotations

from domain.commands import Answer, TakeReview
from domain.stages import Role, Stage, Standing
from tests.domain import cases
from workflows.state import REMEMBERED, CertificationState


def test_the_last_answers_are_carried_on_and_the_oldest_give_way() -> None:
    state = CertificationState()
    for number in range(REMEMBERED + 2):
        command = cases.command(TakeReview, cases.REVIEWER).model_copy(update={"request_id": f"r-{number}"})
        answer = Answer(
            request_id=command.request_id, accepted_at=cases.OPENED, case_number="LB-2026-000001", stage=Stage.REVIEW,
            standing=Standing.APPLICANT, revision=1, awaiting=Role.REVIEWER, due_at=None,
        )  # fmt: skip
        state.remember(command, answer)
    carried = CertificationState.model_validate_json(state.model_dump_json()).recent
    assert list(carried) == [f"r-{number}" for number in range(2, REMEMBERED + 2)]
    last = carried[f"r-{REMEMBERED + 1}"]
    assert (last.params_hash, last.answer) == (command.params_hash(), answer)
    assert REMEMBERED == 200
