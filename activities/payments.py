"""Money of no case: putting it on record once, returning it, and looking whether it has found a case (decision 15)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from temporalio import activity

from domain import refund, returning
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
    payment_workflow_id,
)
from domain.names import same_company
from domain.permissions import require_permission
from domain.policy import PolicyBook
from domain.records import Payment
from domain.refusals import Refusal, RefusalKind, missent
from domain.returning import Done, Unplaced
from domain.setting import Setting
from domain.shanghai import shanghai_date
from store.conflicts import again_after_conflict
from store.payments import PaymentStore, PaymentTransaction

Find = Callable[[PaymentTransaction], str | None]
Rule = Callable[[PaymentTransaction, Unplaced | None], Done]


class PaymentActivities:
    """What the workflow of a payment of no case does. `now` is the wall clock's: there is no case to have its own."""

    def __init__(self, store: PaymentStore, policies: PolicyBook) -> None:
        self._store = store
        self._policies = policies

    @activity.defn
    def record_unplaced(self, command: RecordUnplaced, now: datetime) -> UnplacedOutcome:
        """Put the payment on record in one transaction; the first answer for a repeat, a refusal as data."""
        return self._answered(command, now, lambda: self._once(command, now))

    @activity.defn
    def propose_return(self, command: ReturnPayment, now: datetime) -> UnplacedOutcome:
        """Put the payment's return before a second person, within the working days for it."""

        def rule(tx: PaymentTransaction, unplaced: Unplaced | None) -> Done:
            policy = self._policies.in_force(shanghai_date(now))
            due = Setting(now, policy, tx.calendar(), policy).working_days(policy.approval_working_days)
            return returning.propose(unplaced, command, due.at, now)

        return self._answered(command, now, lambda: self._returning(command, lambda tx: command.reference, now, rule))

    @activity.defn
    def approve_return(self, command: ApproveProposal, now: datetime) -> UnplacedOutcome:
        """The second person's approval, with the ledger line that takes the money off the account of no case."""

        def rule(tx: PaymentTransaction, unplaced: Unplaced | None) -> Done:
            done = returning.approve(unplaced, command, now)
            if unplaced is not None and (proposed := unplaced.proposed(command.proposal)) is not None:
                tx.require_still(proposed.by, proposed.role)
            return done

        return self._decided(command, command.proposal, now, rule)

    @activity.defn
    def deny_return(self, command: DenyProposal, now: datetime) -> UnplacedOutcome:
        """A denial ends the proposal."""
        return self._decided(
            command, command.proposal, now, lambda tx, unplaced: returning.deny(unplaced, command, now)
        )

    @activity.defn
    def report_return(self, command: ReportRefund, now: datetime) -> UnplacedOutcome:
        """What the bank tells of the order unasked, with the transfer it makes, once."""
        proposal = returning.proposal_of(command.refund)
        return self._decided(command, proposal, now, lambda tx, unplaced: returning.reported(unplaced, command, now))

    @activity.defn
    def expire_return(self, reference: str, proposal: str, now: datetime) -> UnplacedView:
        """A proposal nobody has decided on in time is over."""
        return self._of_itself(reference, "return_expired", lambda one: returning.expire(one, proposal, now))

    @activity.defn
    def record_return(
        self, reference: str, order: str, answer: BankAnswer, attempts: int, now: datetime
    ) -> UnplacedView:
        """What the bank said of an order it was asked for, with the transfer it makes, once; else when to ask again."""
        event = f"return_{answer.state}"
        view = self._of_itself(reference, event, lambda one: returning.answered(one, order, answer, now))
        shortest = timedelta(minutes=self._policies.in_force(shanghai_date(now)).refund_retry_minutes)
        return view.model_copy(update={"ask_at": now + refund.pause(attempts, shortest)}) if view.order else view

    @activity.defn
    def read_unplaced(self, reference: str) -> UnplacedView:
        """Where the payment is by now. LookupError for one that is not on record."""
        return _on_record(self._store.unplaced(reference), reference).view

    def _answered(self, command: Command, now: datetime, once: Callable[[], UnplacedOutcome]) -> UnplacedOutcome:
        try:
            require_permission(command.action, command.actor, None)
            return once()
        except Refusal as refusal:
            with self._store.transaction() as tx:
                tx.refused(command, refusal.detail, now)
                return UnplacedOutcome(refusal=refusal.detail, view=_found(tx, command))

    @again_after_conflict
    def _once(self, command: RecordUnplaced, now: datetime) -> UnplacedOutcome:
        with self._store.transaction() as tx:
            if (before := tx.done_before(command, UnplacedAnswer, now)) is not None:
                return _outcome(before, tx.unplaced(command.reference))
            tx.authorise(command, now)
            _require_possible(command, now)
            known = tx.payment(command.reference)
            if known is not None and not _same(known.payment, command):
                raise Refusal(
                    RefusalKind.REFERENCE_REUSED,
                    f"Bank reference {command.reference} is on record with another amount, payer or date.",
                    "A payment has one reference for good; check the statement.",
                )
            if known is None:
                tx.add(command, now)
            answer = UnplacedAnswer(
                request_id=command.request_id,
                accepted_at=now,
                repeated=known is not None,
                reference=command.reference,
                amount=command.amount,
                payer=command.payer,
                value_date=command.paid_on,
                case_number=known.case_number if known else None,
            )
            tx.remember(command, answer, now)
            return _outcome(answer, tx.unplaced(command.reference))

    def _decided(self, command: Command, proposal: str, now: datetime, rule: Rule) -> UnplacedOutcome:
        """As `_returning`, of the payment whose return a proposal is of."""
        return self._answered(
            command, now, lambda: self._returning(command, lambda tx: tx.reference_of(proposal), now, rule)
        )

    @again_after_conflict
    def _returning(self, command: Command, find: Find, now: datetime, rule: Rule) -> UnplacedOutcome:
        """A command about a payment's return, in one transaction."""
        with self._store.transaction() as tx:
            reference = find(tx)
            unplaced = tx.unplaced(reference) if reference else None
            if (before := tx.done_before(command, UnplacedAnswer, now)) is not None:
                return _outcome(before, unplaced)
            tx.authorise(command, now)
            if reference and command.workflow_id != payment_workflow_id(reference):
                raise missent("The command is sent to a workflow that is not the payment's own.")
            done = rule(tx, unplaced)
            assert unplaced is not None
            after = unplaced if done.repeated else tx.carry_out(unplaced, done)
            payment, step = unplaced.payment, done.step
            answer = UnplacedAnswer(
                request_id=command.request_id,
                accepted_at=now,
                repeated=done.repeated,
                reference=payment.reference,
                amount=step.amount,
                payer=payment.payer,
                value_date=payment.value_date,
                case_number=unplaced.known.case_number,
                proposal=step.proposal,
                due_at=step.expires_at,
            )
            tx.remember(command, answer, now)
            return _outcome(answer, after)

    @again_after_conflict
    def _of_itself(self, reference: str, event: str, rule: Callable[[Unplaced], Done | None]) -> UnplacedView:
        """What comes of itself, once: nothing when it has come already."""
        with self._store.transaction() as tx:
            unplaced = _on_record(tx.unplaced(reference), reference)
            if (done := rule(unplaced)) is None:
                return unplaced.view
            after = tx.carry_out(unplaced, done)
            tx.record(event, unplaced, done.step)
            return after.view


def _on_record(unplaced: Unplaced | None, reference: str) -> Unplaced:
    if unplaced is None:
        raise LookupError(f"there is no payment {reference} on record")
    return unplaced


def _found(tx: PaymentTransaction, command: Command) -> UnplacedView | None:
    """Where the payment is that a refused command is about: a workflow that was ended by hand takes it up again."""
    proposal = returning.proposal_of(command.refund) if isinstance(command, ReportRefund) else None
    proposal = proposal or getattr(command, "proposal", None)
    reference = tx.reference_of(proposal) if proposal else getattr(command, "reference", None)
    if not reference or payment_workflow_id(reference) != command.workflow_id:
        return None
    unplaced = tx.unplaced(reference)
    return unplaced.view if unplaced else None


def _outcome(answer: UnplacedAnswer, unplaced: Unplaced | None) -> UnplacedOutcome:
    return UnplacedOutcome(answer=answer, view=unplaced.view if unplaced else None)


def _require_possible(command: RecordUnplaced, now: datetime) -> None:
    if command.workflow_id != payment_workflow_id(command.reference):
        raise missent("The payment is sent to a workflow that is not its own.")
    if command.paid_on > shanghai_date(now):
        raise Refusal(
            RefusalKind.INVALID_VALUE,
            f"The value date {command.paid_on} is after today ({shanghai_date(now)}).",
            "Check the statement.",
        )


def _same(known: Payment, command: RecordUnplaced) -> bool:
    return (
        known.amount == command.amount
        and same_company(known.payer, command.payer)
        and known.value_date == command.paid_on
    )
