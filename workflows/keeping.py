"""How a certification keeps its case: commands judged and carried out, waiting for what comes of itself.

A person's act makes its transition in the handler, in one transaction; `run` waits and follows. Everything that
changes the case does so under one lock.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, FailureError

with workflow.unsafe.imports_passed_through():
    from domain import agenda
    from domain.bank import BankAnswer
    from domain.case import Case
    from domain.commands import Answer, Command, Outcome
    from domain.conduct import conduct_workflow_id
    from domain.judging import judge
    from domain.permissions import require_permission
    from domain.planning import Event, Planned
    from domain.recounting import may_move
    from domain.refusals import Refusal, missent, request_id_reused
    from domain.stages import Stage
    from domain.tracing import current_details, search_attributes
    from domain.verifying import VerificationAnswer
    from workflows.messages import outside_task_queue, refusal_error
    from workflows.options import OUTSIDE_PARTY, STEP, STORE_PAUSE, TRANSACTION
    from workflows.state import CertificationState

from workflows.shown import upsert  # workflow code: the sandbox looks into it

LONGEST_WAIT = timedelta(days=365)
ANSWER_PATIENCE = timedelta(seconds=8)


class CaseKeeping:
    """The case and everything that changes it. `Certification` adds the path, `PeoplesActs` what people do."""

    def __init__(self, state: CertificationState) -> None:
        self.state = state
        self._lock = asyncio.Lock()
        self._refused = False
        if state.case is not None:
            workflow.set_current_details(current_details(state.case, workflow.now(), workflow.info().namespace))

    # How a command is judged and carried out.

    def _check(self, command: Command) -> None:
        """Every validator: refuse what is certain without the store. Pure; runs again on redelivery."""
        try:
            self._judge(command, workflow.now())
        except Refusal as refusal:
            raise refusal_error(refusal) from None

    def _judge(self, command: Command, now: datetime) -> None:
        if command.workflow_id != workflow.info().workflow_id:
            raise missent("The command names another case than the one it was sent to.")
        known = self.state.recent.get(command.request_id)
        if known is not None and known.params_hash == command.params_hash():
            return
        case = self.state.case
        if case is None and (self.state.reopened or command.action != "apply"):
            return  # only the store knows
        require_permission(command.action, command.actor, case)
        if known is not None:
            raise request_id_reused(command.request_id)
        if case is None or self._knows_all_of(case, now):
            judge(case, command)

    def _knows_all_of(self, case: Case, now: datetime) -> bool:
        """Whether nothing can be on record that this run has not heard of: the transaction judges by what is.

        Not while something is under way, or due; and a certified base's case is changed beside its run as well, by
        its conduct cases and assessments.
        """
        return not (case.terms or self._lock.locked() or agenda.legally_due(case, now))

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
                self._refused = self.state.case is None
                if outcome.case is not None and not self._refused:
                    self._adopt(outcome.case)
                raise refusal_error(outcome.refusal.refusal())
            assert outcome.case is not None
            self._carried_out(outcome.case)
            self.state.remember(command, outcome.answer)
        for workflow_id in outcome.beside:
            await self._tell_beside(workflow_id)
        return outcome.answer

    async def _tell_beside(self, workflow_id: str) -> None:
        """A command changed another workflow's record too: it is to read it again, unless it has ended."""
        try:
            await workflow.get_external_workflow_handle(workflow_id).signal("case_changed")
        except FailureError as error:
            workflow.logger.warning("another workflow was not told: %s", error)

    async def _verification_heard(self) -> None:
        """What was asked just now, with the application, is waited for: who approves at once need not send it again.

        No deadline is missed meanwhile: a review that is overdue is escalated, never over (decision 13).
        """
        if self._first_asked():
            with suppress(TimeoutError):
                await workflow.wait_condition(
                    lambda: not self._first_asked(),
                    timeout=ANSWER_PATIENCE,
                    timeout_summary="the enterprise's verification is being asked for",
                )

    def _none_opens(self) -> bool:
        return self._refused and workflow.all_handlers_finished()

    # How `run` waits and follows.

    async def _until_over(self, *stages: Stage) -> None:
        """Carry out what comes of itself, as it falls due, until the case is in none of `stages`."""
        term = self._running_term()
        while self.state.case is not None and self.state.case.stage in stages and self._running_term() == term:
            if self.state.notices:
                await self._recount_deadlines()
                continue
            if self.state.unheard:
                await self._hear()
                continue
            if self.state.to_tell:
                await self._tell_conduct(self.state.to_tell.pop(0))
                continue
            if self.state.to_run:
                await self._run_conduct(self.state.to_run[0])
                continue
            planned = await self._next_due(self.state.case)
            if planned is None:
                continue
            if planned.event is Event.ATTEMPT_PUBLICATION:
                await self._attempt_publication(planned)
            elif planned.event is Event.SEND_REFUND:
                await self._send_refund(planned)
            elif planned.event is Event.ASK_VERIFICATION:
                await self._ask_verification(planned)
            else:
                await self._step(planned.event.value, planned)

    def _running_term(self) -> int:
        """The ordinal of the term under way, 0 before the first."""
        term = self.state.case.running_term if self.state.case else None
        return term.ordinal if term else 0

    async def _next_due(self, case: Case) -> Planned | None:
        """The next planned event once it is due; None when the case has changed and must be looked at again."""
        if (planned := agenda.due(case, workflow.now())) is not None:
            return planned
        first = case.next_event
        wait = first.at - workflow.now() if first else LONGEST_WAIT
        try:
            await workflow.wait_condition(
                lambda: self._changed(case.stage, first) or workflow.info().is_continue_as_new_suggested(),
                timeout=wait,
                timeout_summary=(first.what if first else "nothing is planned; looked at again")[:60],
            )
        except TimeoutError:
            return None
        if workflow.info().is_continue_as_new_suggested():
            await self._continue_as_new()
        return None

    def _changed(self, stage: Stage, first: Planned | None) -> bool:
        case = self.state.case
        if case is None or case.stage is not stage or case.next_event != first or self.state.unheard:
            return True
        if self.state.to_tell or self.state.to_run:
            return True
        # A case without a deadline on the calendar sleeps on: it takes the notice when it next wakes.
        return bool(self.state.notices) and may_move(case)

    async def _recount_deadlines(self) -> None:
        """Count the deadlines again by the notices told of, when any is on the calendar at all."""
        async with self._lock:  # whatever is under way still sets its deadlines first
            case, told = self.state.case, list(self.state.notices.values())
            try:
                if case is not None and (case.terms or may_move(case)):  # a certified base's plan is changed beside it
                    self._carried_out(
                        await workflow.execute_local_activity(
                            "recount_deadlines",
                            args=[case.workflow_id, told[-1], workflow.now()],
                            result_type=Case,
                            summary=told[-1].source[:60],
                            **STEP,
                        )
                    )
                self.state.counted(told)
                return
            except ActivityError as error:
                workflow.logger.warning("the store did not take the recount: %s", error.cause or error)
        await workflow.sleep(STORE_PAUSE, summary="the store did not answer; trying again")

    async def _hear(self) -> None:
        """Read again a case that was changed beside this run, with what the base's assessments have brought."""
        async with self._lock:
            case = self.state.case
            assert case is not None
            self.state.unheard = False  # what comes from now on is heard of next
            try:
                self._adopt(
                    await workflow.execute_local_activity(
                        "record_assessment",
                        args=[case.workflow_id, workflow.now()],
                        result_type=Case,
                        summary="what was changed beside this run",
                        **STEP,
                    )
                )
                return
            except ActivityError as error:
                self.state.unheard = True
                workflow.logger.warning("the store did not tell of the case: %s", error.cause or error)
        await workflow.sleep(STORE_PAUSE, summary="the store did not answer; trying again")

    async def _tell_conduct(self, conduct: str) -> None:
        """A conduct case was changed by what was done here: its workflow, which may have ended, is to hear of it."""
        beside = conduct_workflow_id(workflow.info().workflow_id, conduct)
        try:
            await workflow.get_external_workflow_handle(beside).signal("case_changed")
        except FailureError as error:
            workflow.logger.warning("the workflow of a conduct case was not told: %s", error)

    async def _run_conduct(self, conduct: str) -> None:
        """A conduct case is open again by what was done here: its workflow, which may have ended, runs again."""
        try:
            await workflow.execute_activity(
                "run_conduct",
                args=[workflow.info().workflow_id, conduct, workflow.now()],
                summary=conduct,
                **TRANSACTION,
            )
            self.state.to_run.remove(conduct)
            return
        except ActivityError as error:
            workflow.logger.warning("the workflow of a conduct case was not run: %s", error.cause or error)
        await workflow.sleep(STORE_PAUSE, summary="the conduct case does not run yet; trying again")

    async def _attempt_publication(self, planned: Planned) -> None:
        # The channel is asked without the lock: a slow channel must not keep commands waiting.
        case = self.state.case
        assert case is not None
        try:
            evidence: str = await workflow.execute_activity(
                "announce_base",
                case.workflow_id,
                task_queue=outside_task_queue(workflow.info().task_queue),
                result_type=str,
                summary=case.terms[-1].certificate_number,
                **OUTSIDE_PARTY,
            )
        except ActivityError as error:
            await self._step("record_publication_failure", planned, str(error.cause or error)[:500])
        else:
            await self._step("record_publication", planned, evidence)

    async def _send_refund(self, planned: Planned) -> None:
        # The bank is asked without the lock too. Without an answer it is not known whether it has paid: the same key
        # is asked for again.
        case = self.state.case
        assert case is not None
        try:
            answer: BankAnswer = await workflow.execute_activity(
                "ask_bank_for_refund",
                args=[case.workflow_id, planned.subject],
                task_queue=outside_task_queue(workflow.info().task_queue),
                result_type=BankAnswer,
                summary=planned.subject,
                **OUTSIDE_PARTY,
            )
        except ActivityError as error:
            answer = BankAnswer(state="unreachable", why=str(error.cause or error)[:500])
        await self._step("record_refund", planned, answer)

    async def _ask_verification(self, planned: Planned) -> None:
        case = self.state.case
        assert case is not None
        try:
            answer: VerificationAnswer = await workflow.execute_activity(
                "ask_verification",
                case.workflow_id,
                task_queue=outside_task_queue(workflow.info().task_queue),
                result_type=VerificationAnswer,
                summary=case.case_number,
                **OUTSIDE_PARTY,
            )
        except ActivityError as error:
            answer = VerificationAnswer(result="unanswered", why=str(error.cause or error)[:200])
        await self._step("record_verification", planned, answer)

    def _first_asked(self) -> bool:
        """Whether the enterprise's verification is being asked for, the first time."""
        case = self.state.case
        known = case.verification if case else None
        return known is not None and known.result == "asked"

    async def _step(self, name: str, planned: Planned, *more: Any) -> None:
        """One step of `run` in one short transaction, under the lock; tried until the store answers."""
        while True:
            async with self._lock:
                case = self.state.case
                if case is None or planned not in case.plan:
                    return
                try:
                    self._carried_out(
                        await workflow.execute_local_activity(
                            name,
                            args=[case.workflow_id, planned, workflow.now(), *more],
                            result_type=Case,
                            summary=planned.what[:60],
                            **STEP,
                        )
                    )
                    return
                except ActivityError as error:
                    why = error.cause.type if isinstance(error.cause, ApplicationError) else type(error.cause).__name__
                    workflow.logger.warning("the store did not take a step", extra={"step": name, "error": why})
            await workflow.sleep(STORE_PAUSE, summary="the store did not answer; trying again")

    def _carried_out(self, case: Case) -> None:
        """Take over a case changed here; the workflows of the conduct cases that are not as they were are to hear.

        One that is open again runs again: its workflow has ended.
        """
        before = {conduct.id: conduct for conduct in self.state.case.conduct} if self.state.case else {}
        for conduct in case.conduct:
            was = before.get(conduct.id)
            if conduct == was:
                continue
            again = conduct.state != "closed" and (was.state == "closed" if was else self.state.reopened)
            waiting = self.state.to_run if again else self.state.to_tell
            if conduct.id not in waiting:
                waiting.append(conduct.id)
        self._adopt(case)

    def _adopt(self, case: Case) -> None:
        """Take over the case as stored, and show it: one upsert, current details rewritten."""
        before, now = self.state.case, workflow.now()
        self.state.case = case
        shown = search_attributes(case, now)
        if before is None or search_attributes(before, now) != shown:
            upsert(shown)
        workflow.set_current_details(current_details(case, now, workflow.info().namespace))

    async def _continue_as_new(self) -> None:
        await workflow.wait_condition(workflow.all_handlers_finished)
        workflow.continue_as_new(self.state)
