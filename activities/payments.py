"""Money of no case: putting it on record once, and looking whether it has found one (decision 15)."""

from __future__ import annotations

from datetime import datetime

from temporalio import activity

from domain.commands import RecordUnplaced, UnplacedAnswer, UnplacedOutcome, payment_workflow_id
from domain.names import same_company
from domain.permissions import require_permission
from domain.records import Payment
from domain.refusals import Refusal, RefusalKind, missent
from domain.shanghai import shanghai_date
from store.conflicts import again_after_conflict
from store.payments import PaymentStore


class PaymentActivities:
    """What the workflow of a payment of no case does. `now` is the wall clock's: there is no case to have its own."""

    def __init__(self, store: PaymentStore) -> None:
        self._store = store

    @activity.defn
    def record_unplaced(self, command: RecordUnplaced, now: datetime) -> UnplacedOutcome:
        """Put the payment on record in one transaction; the first answer for a repeat, a refusal as data."""
        try:
            require_permission(command.action, command.actor, None)
            return UnplacedOutcome(answer=self._once(command, now))
        except Refusal as refusal:
            with self._store.transaction() as tx:
                tx.refused(command, refusal.detail, now)
            return UnplacedOutcome(refusal=refusal.detail)

    @activity.defn
    def read_unplaced(self, reference: str) -> str:
        """The number of the case the payment has come to; "" while it is no case's."""
        known = self._store.known([reference]).get(reference)
        return (known.case_number if known else None) or ""

    @again_after_conflict
    def _once(self, command: RecordUnplaced, now: datetime) -> UnplacedAnswer:
        with self._store.transaction() as tx:
            if (before := tx.done_before(command, UnplacedAnswer, now)) is not None:
                return before
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
            return answer


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
