"""Changes of who may act: each is an update, on record by its own transaction (decision 33).

Who may act is in the store, not here; a run waits for nothing else and ends when its updates have been answered.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.commands import ActorAnswer, ActorOutcome, ChangeActor, actor_workflow_id
    from domain.permissions import require_permission
    from domain.refusals import Refusal, missent
    from workflows.messages import ACTORS_WORKFLOW, refusal_error
    from workflows.options import TRANSACTION

OPENING_PATIENCE = timedelta(minutes=1)


@workflow.defn(name=ACTORS_WORKFLOW)
class Actors:
    """Changes of what one person may do: id `actor:<hash>`, a run for those that come together.

    Returns how many it has made.
    """

    @workflow.init
    def __init__(self) -> None:
        self._answered = 0
        self._changes = 0

    @workflow.run
    async def run(self) -> int:
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._answered > 0, timeout=OPENING_PATIENCE, timeout_summary="no change arrived"
            )
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._changes

    @workflow.update(description="变更操作人 Change who may act")
    async def change_actor(self, command: ChangeActor) -> ActorAnswer:
        try:
            outcome: ActorOutcome = await workflow.execute_activity(
                "change_actor",
                args=[command, workflow.now()],
                result_type=ActorOutcome,
                summary=f"{command.change} {command.name}"[:60],
                **TRANSACTION,
            )
        finally:
            self._answered += 1
        if outcome.answer is None:
            assert outcome.refusal is not None
            raise refusal_error(outcome.refusal.refusal())
        self._changes += not outcome.answer.repeated
        return outcome.answer

    @change_actor.validator
    def _check_change_actor(self, command: ChangeActor) -> None:
        try:
            require_permission(command.action, command.actor, None)
            if {command.workflow_id, actor_workflow_id(command.name)} != {workflow.info().workflow_id}:
                raise missent("The command names another person than the one whose workflow it was sent to.")
        except Refusal as refusal:
            raise refusal_error(refusal) from None
