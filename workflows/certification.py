"""The certification of one base, from its application to what outlives it.

application → document review (rounds of supplements) → deposit → certification → publication within
7 working days → the valid year → ending → stop-using-marks duty and settlement

`run` is that path. A person's act is an update: its handler makes the transition in one transaction, `run`
waits and follows, and carries out what comes of itself when its instant arrives (`domain/agenda.py`).
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy, SearchAttributeKey
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from domain import agenda
    from domain.case import Case, Event, Planned
    from domain.commands import (
        AddNote,
        Answer,
        Apply,
        Approve,
        Assign,
        Certify,
        Command,
        ConfirmMarks,
        ExtendDeadline,
        Outcome,
        Publish,
        ReceiveDeposit,
        RefuseCertification,
        Reject,
        ReleaseReview,
        RequestSupplement,
        ResendLetters,
        Supplement,
        TakeReview,
        Withdraw,
    )
    from domain.judging import judge
    from domain.notices import NoticeReference
    from domain.permissions import require_permission
    from domain.recounting import may_move
    from domain.refusals import Refusal, RefusalKind, request_id_reused
    from domain.stages import Stage
    from domain.tracing import SEARCH_ATTRIBUTES, current_details, search_attributes
    from workflows.messages import WORKFLOW, outside_task_queue, refusal_error
    from workflows.options import STEP, TRANSACTION
    from workflows.state import CaseOutcome, CertificationState

# The publication channel is an outside party: a bounded effort on the queue for such, then the case's own
# retry plan. Five minutes hold three tries and the wait for a free hand when the channel keeps many waiting.
ANNOUNCEMENT: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=30),
    "schedule_to_close_timeout": timedelta(minutes=5),
    "retry_policy": RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=3),
}
STORE_PAUSE = timedelta(seconds=30)
OPENING_PATIENCE = timedelta(minutes=1)
LONGEST_WAIT = timedelta(days=365)

_KEYS = {
    name: SearchAttributeKey.for_datetime(name) if kind == "Datetime" else SearchAttributeKey.for_keyword(name)
    for name, kind in SEARCH_ATTRIBUTES.items()
}


@workflow.defn(name=WORKFLOW)
class Certification:
    """One certification case: id `base:<credit code>:<n>`, one run per term.

    Updates are the commands of `workflows/messages.py`; each answers with the case after it or fails with a
    refusal that has a kind. Returns when the case is closed.
    """

    @workflow.init
    def __init__(self, state: CertificationState) -> None:
        self.state = state
        self._lock = asyncio.Lock()
        self._refused = False
        self._terms_at_start = len(state.case.terms) if state.case else 0
        if state.case is not None:
            workflow.set_current_details(current_details(state.case, workflow.now()))

    @workflow.run
    async def run(self, state: CertificationState) -> CaseOutcome:
        """The path, top to bottom; a stage that is over is passed at once."""
        await self.application()
        await self.document_review()
        await self.deposit()
        await self.certification()
        await self.publication()
        await self.valid_year()
        await self.settlement()
        return await self.outcome()

    # The stages, in process order.

    async def application(self) -> None:
        """Wait for the application that opens the case; a refused one leaves none."""
        await workflow.wait_condition(workflow.all_handlers_finished)  # the application came with the start
        while self.state.case is None and not self._none_opens():
            try:
                await workflow.wait_condition(
                    lambda: self.state.case is not None or self._none_opens(),
                    timeout=OPENING_PATIENCE,
                    timeout_summary="no application arrived",
                )
            except TimeoutError:
                if workflow.all_handlers_finished():
                    return

    async def document_review(self) -> None:
        """Review and rounds of supplements, until a decision, a withdrawal or a lapse."""
        await self._until_over(Stage.REVIEW, Stage.SUPPLEMENT)

    async def deposit(self) -> None:
        """Until the full deposit is there; parts add up, the grace waits for the bank's report."""
        await self._until_over(Stage.DEPOSIT)

    async def certification(self) -> None:
        """Until the certifier decides. A term that begins gets a run of its own."""
        await self._until_over(Stage.CERTIFYING)
        if self.state.case is not None and len(self.state.case.terms) > self._terms_at_start:
            await self._continue_as_new()

    async def publication(self) -> None:
        """Tried at once, due by the end of the 7th working day, and never given up within the term."""
        await self._until_over(Stage.PUBLISHING)

    async def valid_year(self) -> None:
        """The valid year with its reminders, until it expires at its legal instant."""
        await self._until_over(Stage.VALID)

    async def settlement(self) -> None:
        """What outlives the certification: marks duty, appeal window, settlement of the deposit."""
        await self._until_over(Stage.SETTLING)

    async def outcome(self) -> CaseOutcome:
        await workflow.wait_condition(workflow.all_handlers_finished)
        case = self.state.case
        if case is None:
            return CaseOutcome(case_number=None, outcome="no case was opened")
        return CaseOutcome(case_number=case.case_number, outcome=case.standing(workflow.now()).value)

    # The updates, in process order, each followed by its validator.

    @workflow.update(description="提交认证申请 Start the certification")
    async def apply(self, command: Apply) -> Answer:
        return await self._act(command)

    @apply.validator
    def _check_apply(self, command: Apply) -> None:
        self._check(command)

    @workflow.update(description="提交补充材料 Answer a supplement request")
    async def supplement(self, command: Supplement) -> Answer:
        return await self._act(command)

    @supplement.validator
    def _check_supplement(self, command: Supplement) -> None:
        self._check(command)

    @workflow.update(description="撤回申请 Withdraw the application")
    async def withdraw(self, command: Withdraw) -> Answer:
        return await self._act(command)

    @withdraw.validator
    def _check_withdraw(self, command: Withdraw) -> None:
        self._check(command)

    @workflow.update(description="领取审核 Take the review")
    async def take_review(self, command: TakeReview) -> Answer:
        return await self._act(command)

    @take_review.validator
    def _check_take_review(self, command: TakeReview) -> None:
        self._check(command)

    @workflow.update(description="退回审核 Release the review")
    async def release_review(self, command: ReleaseReview) -> Answer:
        return await self._act(command)

    @release_review.validator
    def _check_release_review(self, command: ReleaseReview) -> None:
        self._check(command)

    @workflow.update(description="审核通过 Approve the application")
    async def approve(self, command: Approve) -> Answer:
        return await self._act(command)

    @approve.validator
    def _check_approve(self, command: Approve) -> None:
        self._check(command)

    @workflow.update(description="要求补充材料 Request a supplement")
    async def request_supplement(self, command: RequestSupplement) -> Answer:
        return await self._act(command)

    @request_supplement.validator
    def _check_request_supplement(self, command: RequestSupplement) -> None:
        self._check(command)

    @workflow.update(description="驳回申请 Reject the application")
    async def reject(self, command: Reject) -> Answer:
        return await self._act(command)

    @reject.validator
    def _check_reject(self, command: Reject) -> None:
        self._check(command)

    @workflow.update(description="登记保证金到账 Record a payment")
    async def receive_deposit(self, command: ReceiveDeposit) -> Answer:
        return await self._act(command)

    @receive_deposit.validator
    def _check_receive_deposit(self, command: ReceiveDeposit) -> None:
        self._check(command)

    @workflow.update(description="认证 Certify the base")
    async def certify(self, command: Certify) -> Answer:
        return await self._act(command)

    @certify.validator
    def _check_certify(self, command: Certify) -> None:
        self._check(command)

    @workflow.update(description="不予认证 Refuse certification")
    async def refuse_certification(self, command: RefuseCertification) -> Answer:
        return await self._act(command)

    @refuse_certification.validator
    def _check_refuse_certification(self, command: RefuseCertification) -> None:
        self._check(command)

    @workflow.update(description="公示 Publish on the official list")
    async def publish(self, command: Publish) -> Answer:
        return await self._act(command)

    @publish.validator
    def _check_publish(self, command: Publish) -> None:
        self._check(command)

    @workflow.update(description="确认停用标识 Confirm that marks are out of use")
    async def confirm_marks(self, command: ConfirmMarks) -> Answer:
        return await self._act(command)

    @confirm_marks.validator
    def _check_confirm_marks(self, command: ConfirmMarks) -> None:
        self._check(command)

    @workflow.update(description="分派 Give a task to somebody")
    async def assign(self, command: Assign) -> Answer:
        return await self._act(command)

    @assign.validator
    def _check_assign(self, command: Assign) -> None:
        self._check(command)

    @workflow.update(description="延长期限 Extend a deadline")
    async def extend_deadline(self, command: ExtendDeadline) -> Answer:
        return await self._act(command)

    @extend_deadline.validator
    def _check_extend_deadline(self, command: ExtendDeadline) -> None:
        self._check(command)

    @workflow.update(description="备注 Keep a note for the staff")
    async def add_note(self, command: AddNote) -> Answer:
        return await self._act(command)

    @add_note.validator
    def _check_add_note(self, command: AddNote) -> None:
        self._check(command)

    @workflow.update(description="重新送达通知 Send letters again")
    async def resend_letters(self, command: ResendLetters) -> Answer:
        return await self._act(command)

    @resend_letters.validator
    def _check_resend_letters(self, command: ResendLetters) -> None:
        self._check(command)

    # What machines tell.

    @workflow.signal(description="节假日安排变动 The calendar has changed")
    def calendar_changed(self, notice: NoticeReference) -> None:
        """Noted only; `run` counts the deadlines again."""
        self.state.note(notice)

    @workflow.query(description="案件现状 The case as this run knows it")
    def case(self) -> Case | None:
        return self.state.case

    # How a command is judged and carried out.

    def _check(self, command: Command) -> None:
        """Every validator: refuse what the state alone can refuse. Pure; runs again on redelivery."""
        try:
            self._judge(command, workflow.now())
        except Refusal as refusal:
            raise refusal_error(refusal) from None

    def _judge(self, command: Command, now: datetime) -> None:
        if command.workflow_id != workflow.info().workflow_id:
            raise Refusal(RefusalKind.INVALID_VALUE, "The command names another case than the one it was sent to.")
        known = self.state.recent.get(command.request_id)
        if known is not None:
            if known.params_hash != command.params_hash():
                require_permission(command.action, command.actor, self.state.case)
                raise request_id_reused(command.request_id)
            return
        case = self.state.case
        if case is None and (self.state.reopened or command.action != "apply"):
            return  # only the store knows
        if case is not None and agenda.legally_due(case, now):
            # What is due changes the stage: the handler applies it first and judges again.
            require_permission(command.action, command.actor, case)
            return
        judge(case, command)

    async def _act(self, command: Command) -> Answer:
        """A command counts as of now, before any lock. What was due by then comes first (decision 7)."""
        while self.state.opens_at is not None and (left := self.state.opens_at - workflow.now()) > timedelta():
            await workflow.sleep(left, summary="the clock of this enterprise's cases was moved")
        now = workflow.now()
        async with self._lock:
            await self._take_what_was_due(now)
            try:
                self._judge(command, now)
            except Refusal as refusal:
                raise refusal_error(refusal) from None
            known = self.state.recent.get(command.request_id)
            if known is not None:
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
            self._adopt(outcome.case)
            self.state.remember(command, outcome.answer)
            return outcome.answer

    async def _take_what_was_due(self, now: datetime) -> None:
        # Ordinary activities: in a handler an effect must not be durable before the acceptance is.
        while self.state.case is not None and (planned := agenda.legally_due(self.state.case, now)):
            case: Case = await workflow.execute_activity(
                planned.event.value,
                args=[self.state.case.workflow_id, planned, now],
                result_type=Case,
                summary=planned.what[:60],
                **TRANSACTION,
            )
            self._adopt(case)

    def _none_opens(self) -> bool:
        return self._refused and workflow.all_handlers_finished()

    # How `run` waits and follows.

    async def _until_over(self, *stages: Stage) -> None:
        """Carry out what comes of itself, as it falls due, until the case is in none of `stages`."""
        while self.state.case is not None and self.state.case.stage in stages:
            if self.state.notices:
                await self._recount_deadlines()
                continue
            planned = await self._next_due(self.state.case)
            if planned is None:
                continue
            if planned.event is Event.ATTEMPT_PUBLICATION:
                await self._attempt_publication(planned)
            else:
                await self._step(planned.event.value, planned)

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
        if case is None or case.stage is not stage or case.next_event != first:
            return True
        # A case without a deadline on the calendar sleeps on: it takes the notice when it next wakes.
        return bool(self.state.notices) and may_move(case)

    async def _recount_deadlines(self) -> None:
        """Count the deadlines again by the notices told of, when any is on the calendar at all."""
        async with self._lock:  # whatever is under way still sets its deadlines first
            case, told = self.state.case, list(self.state.notices.values())
            try:
                if case is not None and may_move(case):
                    self._adopt(
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
                **ANNOUNCEMENT,
            )
        except ActivityError as error:
            await self._step("record_publication_failure", planned, str(error.cause or error)[:500])
        else:
            await self._step("record_publication", planned, evidence)

    async def _step(self, name: str, planned: Planned, *more: str) -> None:
        """One step of `run` in one short transaction, under the lock; tried until the store answers."""
        while True:
            async with self._lock:
                case = self.state.case
                if case is None or planned not in case.plan:
                    return
                if agenda.legally_due(case, workflow.now()) not in (None, planned):
                    return  # what changes the case comes first
                try:
                    self._adopt(
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

    def _adopt(self, case: Case) -> None:
        """Take over the case as stored, and show it: one upsert, current details rewritten."""
        before, now = self.state.case, workflow.now()
        self.state.case = case
        shown = search_attributes(case, now)
        if before is None or search_attributes(before, now) != shown:
            workflow.upsert_search_attributes(
                [
                    _KEYS[name].value_unset() if value is None else _KEYS[name].value_set(value)  # type: ignore[arg-type]
                    for name, value in shown.items()
                ]
            )
        workflow.set_current_details(current_details(case, now))

    async def _continue_as_new(self) -> None:
        await workflow.wait_condition(workflow.all_handlers_finished)
        workflow.continue_as_new(self.state)
