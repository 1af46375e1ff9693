"""A payment of a bank statement that is no case's: on record at once, then it waits for a person (decision 15).

on record → counted for a case by finance → over
          → return proposed → a second person approves → the bank pays it back → over

Recording it is an update: its handler's one transaction books it; so are the return's acts. A case takes it over in a
transaction of its own (`domain/unmatched.py`), whose workflow then tells this one; a look now and then stands in for a
word that was lost. What the bank sends back after it was over starts it anew.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from domain.bank import BankAnswer
    from domain.commands import (
        ApproveProposal,
        Command,
        DenyProposal,
        RecordUnplaced,
        ReportRefund,
        ReturnPayment,
        UnplacedAnswer,
        UnplacedOutcome,
        UnplacedView,
    )
    from domain.money import format_cny
    from domain.permissions import require_permission
    from domain.refusals import Refusal, missent
    from workflows.messages import UNPLACED_WORKFLOW, outside_task_queue, refusal_error
    from workflows.options import OUTSIDE_PARTY, STEP, STORE_PAUSE, TRANSACTION
    from workflows.state import UnplacedResult, UnplacedState

OPENING_PATIENCE = timedelta(minutes=1)
BETWEEN_LOOKS = timedelta(days=30)


@workflow.defn(name=UNPLACED_WORKFLOW)
class UnplacedPayment:
    """One payment: id `payment:<hash of its reference>`. Returns when it has come to a case, or back to who paid it."""

    @workflow.init
    def __init__(self, state: UnplacedState) -> None:
        self.state = state
        self._refused = False
        self._told = False
        self._lock = asyncio.Lock()
        self._answers: dict[str, UnplacedAnswer] = {}
        self._show()

    @workflow.run
    async def run(self, state: UnplacedState) -> UnplacedResult:
        await self.recorded()
        await self.placed_or_returned()
        await workflow.wait_condition(workflow.all_handlers_finished)
        if self.state.reference is not None and not self._is_over():
            workflow.continue_as_new(self.state)  # the last act to come in has changed it
        return UnplacedResult(reference=self.state.reference, case_number=self.state.case_number)

    # The stages, in process order.

    async def recorded(self) -> None:
        """Wait for what came with the start, the payment or an act about it; a refused one leaves nothing."""
        await workflow.wait_condition(workflow.all_handlers_finished)
        while self.state.reference is None and not self._none_comes():
            try:
                await workflow.wait_condition(
                    lambda: self.state.reference is not None or self._none_comes(),
                    timeout=OPENING_PATIENCE,
                    timeout_summary="no payment arrived",
                )
            except TimeoutError:
                if workflow.all_handlers_finished():
                    return

    async def placed_or_returned(self) -> None:
        """Until finance has counted it for a case, or the bank has paid it back."""
        while self.state.reference is not None and not self._is_over():
            view = self.state.view
            if view is not None and view.order and _is_due(view.ask_at):
                await self._ask_bank(view.order)
            elif view is not None and view.proposal and view.expires_at and _is_due(view.expires_at):
                await self._step("expire_return", view.proposal)
            elif await self._changed(view):
                self._told = False
                await self._step("read_unplaced")
            if workflow.info().is_continue_as_new_suggested():
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(self.state)

    # The updates, each followed by its validator, and what machines tell.

    @workflow.update(description="登记无法归属的款项 Record money of no case")
    async def record_unplaced(self, command: RecordUnplaced) -> UnplacedAnswer:
        """Sent twice at once, the second time is a repeat."""
        return await self._act("record_unplaced", command)

    @record_unplaced.validator
    def _check_record_unplaced(self, command: RecordUnplaced) -> None:
        self._check(command)

    @workflow.update(description="退回款项 Return it to who paid it")
    async def return_payment(self, command: ReturnPayment) -> UnplacedAnswer:
        return await self._act("propose_return", command)

    @return_payment.validator
    def _check_return_payment(self, command: ReturnPayment) -> None:
        self._check(command)

    @workflow.update(description="复核同意 Approve its return as the second person")
    async def approve_proposal(self, command: ApproveProposal) -> UnplacedAnswer:
        return await self._act("approve_return", command)

    @approve_proposal.validator
    def _check_approve_proposal(self, command: ApproveProposal) -> None:
        self._check(command)

    @workflow.update(description="复核否决 Deny its return")
    async def deny_proposal(self, command: DenyProposal) -> UnplacedAnswer:
        return await self._act("deny_return", command)

    @deny_proposal.validator
    def _check_deny_proposal(self, command: DenyProposal) -> None:
        self._check(command)

    @workflow.update(description="银行告知退款结果 The bank tells of its return")
    async def report_refund(self, command: ReportRefund) -> UnplacedAnswer:
        return await self._act("report_return", command)

    @report_refund.validator
    def _check_report_refund(self, command: ReportRefund) -> None:
        self._check(command)

    @workflow.signal(description="款项有变动 The payment was counted for a case")
    def case_changed(self) -> None:
        """Noted only; `run` looks."""
        self._told = True

    # How an act is carried out, and what comes of itself.

    def _check(self, command: Command) -> None:
        try:
            require_permission(command.action, command.actor, None)
            if command.workflow_id != workflow.info().workflow_id:
                raise missent("The command names another payment than the one it was sent to.")
        except Refusal as refusal:
            raise refusal_error(refusal) from None

    async def _act(self, activity: str, command: Command) -> UnplacedAnswer:
        now, key = workflow.now(), f"{command.request_id}:{command.params_hash()}"
        async with self._lock:
            if (before := self._answers.get(key)) is not None:
                return before.model_copy(update={"repeated": True})
            outcome: UnplacedOutcome = await workflow.execute_activity(
                activity,
                args=[command, now],
                result_type=UnplacedOutcome,
                summary=f"{command.actor.role} {command.actor.name}"[:60],
                **TRANSACTION,
            )
            if outcome.answer is None:
                assert outcome.refusal is not None
                if self.state.reference is None and outcome.view is not None:
                    self._take_up(outcome.view)
                self._refused = self.state.reference is None
                raise refusal_error(outcome.refusal.refusal())
            self._answers[key] = outcome.answer
            if self.state.reference is None:
                self.state.reference, self.state.amount = outcome.answer.reference, outcome.answer.amount
                self.state.case_number = outcome.answer.case_number
            if outcome.view is not None:
                self._heard(outcome.view)
            self._show()
            return outcome.answer

    async def _changed(self, view: UnplacedView | None) -> bool:
        """Wait for the next thing to do; whether the store is to be asked where the payment is."""
        dues = [due for due in (view.ask_at, view.expires_at) if due is not None] if view is not None else []
        wait = min([BETWEEN_LOOKS, *(due - workflow.now() for due in dues)])
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._told or self.state.view != view or workflow.info().is_continue_as_new_suggested(),
                timeout=wait,
                timeout_summary=_SUMMARIES[bool(view and view.order), bool(view and view.proposal)],
            )
            return self._told
        return not dues

    async def _ask_bank(self, order: str) -> None:
        # Without the lock: a slow bank must not keep acts waiting. Without an answer it is not known whether it has
        # paid: the same key is asked for again.
        try:
            answer: BankAnswer = await workflow.execute_activity(
                "ask_bank_for_return",
                args=[self.state.reference, order],
                task_queue=outside_task_queue(workflow.info().task_queue),
                result_type=BankAnswer,
                summary=order,
                **OUTSIDE_PARTY,
            )
        except ActivityError as error:
            answer = BankAnswer(state="unreachable", why=str(error.cause or error)[:500])
        self.state.attempts += 1
        await self._step("record_return", order, answer, self.state.attempts)

    async def _step(self, activity: str, *args: Any) -> None:
        """What comes of itself, in one transaction; a store that does not answer is asked again."""
        now = [] if activity == "read_unplaced" else [workflow.now()]
        async with self._lock:
            try:
                view: UnplacedView = await workflow.execute_local_activity(
                    activity,
                    args=[self.state.reference, *args, *now],
                    result_type=UnplacedView,
                    summary=_STEPS[activity],
                    **STEP,
                )
                self._heard(view)
                self._show()
                return
            except ActivityError as error:
                workflow.logger.warning("the store did not take a step of the payment: %s", error.cause or error)
        await workflow.sleep(STORE_PAUSE, summary="the store did not answer; trying again")
        self._told = True

    def _take_up(self, view: UnplacedView) -> None:
        """A payment on record whose workflow was ended by hand: an order to the bank still waits."""
        self.state.reference, self.state.amount = view.reference, view.amount
        self.state.case_number = view.case_number
        self._heard(view)
        self._show()

    def _heard(self, view: UnplacedView) -> None:
        known = self.state.view
        if known is None or known.order != view.order:
            self.state.attempts = 0
        elif known.order and view.ask_at is None:  # only what the bank said tells when it is asked again
            view = view.model_copy(update={"ask_at": known.ask_at})
        self.state.view, self.state.case_number = view, view.case_number

    def _is_over(self) -> bool:
        return self.state.case_number is not None or (self.state.view is not None and self.state.view.is_over)

    def _none_comes(self) -> bool:
        return self._refused and workflow.all_handlers_finished()

    def _show(self) -> None:
        """Current details for Temporal Web."""
        view = self.state.view
        waits = "待认领 waits for a person"
        if view is not None and view.proposal:
            waits = f"退回待复核 its return waits for a second person: {view.proposal}"
        elif view is not None and view.order:
            waits = f"退回中 the bank is to return it: {view.order}"
        elif view is not None and not view.left:
            waits = "已退回 returned"
        rows = [
            ("流水号 Reference", self.state.reference or ""),
            ("金额 CNY", format_cny(self.state.amount)),
            ("案件 Case", self.state.case_number or waits),
        ]
        table = "\n".join(f"| {label} | {value} |" for label, value in rows)
        workflow.set_current_details(f"| | |\n|---|---|\n{table}")


def _is_due(at: datetime | None) -> bool:
    return at is None or at <= workflow.now()


_SUMMARIES = {
    (False, False): "it waits for a person; looked at again",
    (False, True): "its return waits for a second person",
    (True, False): "the bank is asked again for its return",
    (True, True): "the bank is asked again for its return",
}
_STEPS = {
    "read_unplaced": "found a case?",
    "expire_return": "nobody has approved the return in time",
    "record_return": "what the bank said",
}
