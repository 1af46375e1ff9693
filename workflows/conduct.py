"""A conduct case, from its report to what is decided on it (decision 27).

report → the base's answer within its time → compliance decides → rectification and its check → closed

It is part of its certification case, whose record, letters and holds it changes in the same transaction; this workflow
waits for it, and tells the certification's own workflow that the case has changed.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, FailureError

with workflow.unsafe.imports_passed_through():
    from domain import conduct_agenda
    from domain.case import Case
    from domain.commands import Answer, Command, DecideConduct, Outcome, ReportConduct, RespondConduct
    from domain.conduct import ConductCase
    from domain.conduct_tracing import current_details, search_attributes
    from domain.permissions import require_permission
    from domain.planning import Planned
    from domain.refusals import Refusal, missent, request_id_reused
    from workflows.messages import CONDUCT_WORKFLOW, refusal_error
    from workflows.options import STEP, STORE_PAUSE, TRANSACTION
    from workflows.state import ConductOutcome, ConductState

from workflows.shown import upsert  # workflow code: the sandbox looks into it


@workflow.defn(name=CONDUCT_WORKFLOW)
class Conduct:
    """One conduct case: id `conduct:<credit code>:<n>:C<m>`. Returns when it is closed."""

    @workflow.init
    def __init__(self, state: ConductState) -> None:
        self.state = state
        self._lock = asyncio.Lock()
        if state.case is not None:
            self._adopt(state.case)

    @workflow.run
    async def run(self, state: ConductState) -> ConductOutcome:
        await workflow.wait_condition(workflow.all_handlers_finished)  # the report came with the start
        if self.state.case is None:
            await self._read()  # refused, or taken up from the record
        while True:
            await self._until_closed()
            await workflow.wait_condition(workflow.all_handlers_finished)
            if self.state.untold:
                await self._tell()
            if self.conduct is None or not self.state.unheard:
                break  # else it may be open again: what it was closed by has been set aside
        conduct = self.conduct
        outcome = conduct.outcome if conduct else None
        return ConductOutcome(conduct=self.state.conduct, outcome=outcome.value if outcome else "none was opened")

    async def _until_closed(self) -> None:
        """Carry out what comes of itself, as it falls due, and hear of what is done beside it."""
        while (conduct := self.conduct) is not None and (conduct.state != "closed" or self.state.unheard):
            if self.state.untold:
                await self._tell()
            elif self.state.unheard:
                await self._read()
            elif (planned := conduct_agenda.due(conduct, workflow.now())) is not None:
                await self._step(planned)
            else:
                await self._wait(conduct)

    @property
    def conduct(self) -> ConductCase | None:
        """The conduct case as this run knows it."""
        return self.state.case.conduct_case(self.state.conduct) if self.state.case else None

    @workflow.update(description="报告违规 Report a violation")
    async def report_conduct(self, command: ReportConduct) -> Answer:
        return await self._act(command)

    @report_conduct.validator
    def _check_report_conduct(self, command: ReportConduct) -> None:
        self._check(command)

    @workflow.update(description="答复违规 Answer, or tell how it was put right")
    async def respond_conduct(self, command: RespondConduct) -> Answer:
        return await self._act(command)

    @respond_conduct.validator
    def _check_respond_conduct(self, command: RespondConduct) -> None:
        self._check(command)

    @workflow.update(description="决定违规案件 Decide on the violation")
    async def decide_conduct(self, command: DecideConduct) -> Answer:
        return await self._act(command)

    @decide_conduct.validator
    def _check_decide_conduct(self, command: DecideConduct) -> None:
        self._check(command)

    @workflow.signal(description="案件已变动 The certification case has changed")
    def case_changed(self) -> None:
        """Noted only; `run` reads it again."""
        self.state.unheard = True

    @workflow.query(name="conduct", description="违规案件现状 The conduct case as this run knows it")
    def known(self) -> ConductCase | None:
        return self.conduct

    def _check(self, command: Command) -> None:
        """What can be refused without the store: another case's command, who may not act, a reused request id."""
        try:
            self._judge(command)
        except Refusal as refusal:
            raise refusal_error(refusal) from None

    def _judge(self, command: Command) -> None:
        if command.sent_to != workflow.info().workflow_id or command.workflow_id != self.state.case_workflow:
            raise missent("The command names another case than the one it was sent to.")
        require_permission(command.action, command.actor, self.state.case)
        known = self.state.recent.get(command.request_id)
        if known is not None and known.params_hash != command.params_hash():
            raise request_id_reused(command.request_id)

    async def _act(self, command: Command) -> Answer:
        """A command counts as of now, before any lock; its transaction first takes what was due (decision 7)."""
        while self.state.opens_at is not None and (left := self.state.opens_at - workflow.now()) > timedelta():
            await workflow.sleep(left, summary="the clock of this enterprise's cases was moved")
        now = workflow.now()
        async with self._lock:
            known = self.state.recent.get(command.request_id)
            if known is not None and known.params_hash == command.params_hash():
                return known.answer.model_copy(update={"repeated": True})
            outcome: Outcome = await workflow.execute_activity(
                command.action,
                args=[command, now],
                result_type=Outcome,
                summary=f"{command.actor.role} {command.actor.name}"[:60],
                **TRANSACTION,
            )
            if outcome.answer is None:
                assert outcome.refusal is not None
                if outcome.case is not None and outcome.case.conduct_case(self.state.conduct) is not None:
                    self._adopt(outcome.case)
                raise refusal_error(outcome.refusal.refusal())
            assert outcome.case is not None
            self._changed(outcome.case)
            self.state.remember(command, outcome.answer)
            return outcome.answer

    async def _wait(self, conduct: ConductCase) -> None:
        """Until something changes, or what comes of itself is due."""
        first = conduct.next_event
        assert first is not None
        info = workflow.info()
        try:
            await workflow.wait_condition(
                lambda: (
                    self.conduct != conduct
                    or self.state.unheard
                    or self.state.untold
                    or info.is_continue_as_new_suggested()
                ),
                timeout=first.at - workflow.now(),
                timeout_summary=first.what[:60],
            )
        except TimeoutError:
            return
        if info.is_continue_as_new_suggested():
            await workflow.wait_condition(workflow.all_handlers_finished)
            workflow.continue_as_new(self.state)

    async def _step(self, planned: Planned) -> None:
        """What comes of itself, in one short transaction, under the lock; tried until the store answers."""
        async with self._lock:
            conduct = self.conduct
            if conduct is None or planned not in conduct.plan:
                return
            try:
                self._changed(
                    await workflow.execute_local_activity(
                        planned.event.value,
                        args=[self.state.case_workflow, self.state.conduct, planned, workflow.now()],
                        result_type=Case,
                        summary=planned.what[:60],
                        **STEP,
                    )
                )
                return
            except ActivityError as error:
                workflow.logger.warning("the store did not take a step: %s", error.cause or error)
        await workflow.sleep(STORE_PAUSE, summary="the store did not answer; trying again")

    async def _read(self) -> None:
        """The case as it is on record now."""
        async with self._lock:
            try:
                self.state.unheard = False
                case: Case = await workflow.execute_local_activity(
                    "read_case",
                    self.state.case_workflow,
                    result_type=Case,
                    summary="what was changed in the certification",
                    **STEP,
                )
                self._adopt(case)
                return
            except ActivityError as error:
                self.state.unheard = True
                workflow.logger.warning("the store did not tell of the case: %s", error.cause or error)
        await workflow.sleep(STORE_PAUSE, summary="the store did not answer; trying again")

    async def _tell(self) -> None:
        """Tell the certification's workflow, which may have ended."""
        self.state.untold = False
        try:
            await workflow.get_external_workflow_handle(self.state.case_workflow).signal("case_changed")
        except FailureError as error:
            workflow.logger.warning("the certification's workflow was not told: %s", error)

    def _changed(self, case: Case) -> None:
        """Take over a case this conduct case has changed; its own workflow is to hear of it."""
        self._adopt(case)
        self.state.untold = True

    def _adopt(self, case: Case) -> None:
        before, self.state.case = self.state.case, case
        conduct = self.conduct
        if conduct is None:
            return
        known = before.conduct_case(conduct.id) if before else None
        shown = search_attributes(case, conduct, workflow.now())
        if before is None or known is None or search_attributes(before, known, workflow.now()) != shown:
            upsert(shown)
        workflow.set_current_details(current_details(case, conduct, workflow.info().namespace))
