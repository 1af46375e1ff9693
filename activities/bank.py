"""Refunds at the bank: asking it, and recording what it says (decision 17)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal, Protocol

import httpx
from pydantic import ValidationError
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.desk import CaseDesk
from domain import refund
from domain.bank import BankAnswer, RefundOrder
from domain.case import Case
from domain.planning import Planned
from domain.returning import proposal_of
from store.cases import CaseStore
from store.payments import PaymentStore

_PATIENCE = httpx.Timeout(20.0, connect=5.0)
"""Within the activity's own time: a bank that hangs is asked again, with the same key."""
_LARGEST_ANSWER = 64 * 1024
_LONGEST_REST = timedelta(minutes=1)
"""How long at most one rests between tries because the bank asks for it; the case's own retry plan rests longer."""

Failure = Literal["not_taken", "unknown", "misdirected"]


class BankFailure(Exception):
    """The bank gave no answer that settles an order, which stays ordered and is asked for again with its key.

    `not_taken`: this try has changed nothing. `unknown`: whether it was taken is not known. `misdirected`: the bank
    does not know us, or not this way of asking: only a person can mend it, and asking at once again is in vain.
    """

    def __init__(self, kind: Failure, why: str, rest: timedelta | None = None) -> None:
        super().__init__(f"{kind}: {why}")
        self.kind = kind
        self.rest = rest


class Bank(Protocol):
    """The bank that holds the deposits, an outside party."""

    def refund(self, order: RefundOrder) -> BankAnswer:
        """Have an order carried out, or hear how it stands: the same key is one payment for good.

        Raises `BankFailure` when the bank gave no answer that settles it. Only what the bank itself says in so many
        words is `refused`: the money is free again then.
        """
        ...


class NoBank:
    """No bank is connected: nothing is paid, and every order waits until one is."""

    def refund(self, order: RefundOrder) -> BankAnswer:
        return BankAnswer(state="unreachable", why="no bank is connected: set LIVEBASE_BANK_URL for the workers")


class HttpBank:
    """The bank over HTTP: `PUT /refunds/<key>` with the order as JSON, answered by a `BankAnswer`.

    PUT, since the key is the order's address: sent again it changes nothing; gateways that want it in a header have it
    as `Idempotency-Key` too. 200, 201 and 202 carry an answer, 422 one that is `refused`; 429 and 503 are no answer
    and may say `Retry-After`.
    """

    def __init__(self, url: str, token: str, patience: httpx.Timeout = _PATIENCE) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(
            base_url=url, headers=headers, timeout=patience, trust_env=False, follow_redirects=False
        )

    def refund(self, order: RefundOrder) -> BankAnswer:
        try:
            response = self._client.put(
                f"/refunds/{order.key}",
                json=order.model_dump(mode="json", exclude_none=True),
                headers={"Idempotency-Key": order.key},
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise BankFailure("not_taken", f"the bank cannot be reached ({type(error).__name__})") from error
        except httpx.HTTPError as error:
            raise BankFailure("unknown", f"no answer came ({type(error).__name__})") from error
        status = response.status_code
        if status in (200, 201, 202):
            return _answer(response)
        if status == 422 and (answer := _refusal(response)) is not None:
            return answer
        if status in (429, 503):
            raise BankFailure("not_taken", f"the bank asks to try again later ({status})", _rest(response))
        if status >= 500 or status == 408:
            raise BankFailure("unknown", f"the bank has failed ({status})")
        if status == 409:
            raise BankFailure("misdirected", f"the bank knows the key {order.key} for another order (409)")
        raise BankFailure("misdirected", f"the bank does not take our orders ({status})")


def _answer(response: httpx.Response) -> BankAnswer:
    try:
        if len(response.content) > _LARGEST_ANSWER:
            raise ValueError
        answer = BankAnswer.model_validate_json(response.content)
    except (ValidationError, ValueError):
        raise BankFailure("unknown", f"its answer cannot be read ({response.status_code})") from None
    return answer.model_copy(update={"reference": _shown(answer.reference, 200), "why": _shown(answer.why, 500)})


def _refusal(response: httpx.Response) -> BankAnswer | None:
    """A refusal in the bank's own words; a 422 without them says that our order was not understood."""
    try:
        answer = _answer(response)
    except BankFailure:
        return None
    return answer if answer.state == "refused" else None


def _rest(response: httpx.Response) -> timedelta | None:
    text = response.headers.get("retry-after", "")
    return min(timedelta(seconds=int(text)), _LONGEST_REST) if text.isdigit() and len(text) < 7 else None


def _shown(text: str, longest: int) -> str:
    """The bank's words, as the record can keep them."""
    return "".join(char if char.isprintable() else " " for char in text)[:longest]


class BankActivities:
    """The way of money out. `now` is the case's clock."""

    def __init__(self, desk: CaseDesk, cases: CaseStore, payments: PaymentStore, bank: Bank) -> None:
        self._desk = desk
        self._cases = cases
        self._payments = payments
        self._bank = bank

    @activity.defn
    def ask_bank_for_refund(self, workflow_id: str, id: str) -> BankAnswer:
        """Ask the bank for a refund that is on record as ordered; of one that is settled, what it said before."""
        case = self._cases.case(workflow_id)
        known = next((one for one in case.refunds if one.id == id), None) if case else None
        if known is None:
            raise LookupError(f"{workflow_id} has no refund {id} on record")
        if known.state != "pending":
            return BankAnswer(state=known.state, reference=known.bank_reference or "", why=known.why)
        to = {"account": known.account, "account_name": known.account_name}
        return self._asked(RefundOrder(key=id, payment=known.payment, amount=known.amount, **to))

    @activity.defn
    def ask_bank_for_return(self, reference: str, order: str) -> BankAnswer:
        """Ask the bank for the return of money of no case that is on record as ordered; as `ask_bank_for_refund`."""
        unplaced = self._payments.unplaced(reference)
        last = unplaced.last.get(proposal_of(order)) if unplaced else None
        if last is None or last.what in ("proposed", "denied", "expired"):
            raise LookupError(f"the payment {reference} has no return {order} on record")
        if last.what != "approved":
            return BankAnswer(state=last.what, reference=last.bank_reference, why=last.reason)
        return self._asked(RefundOrder(key=order, payment=reference, amount=last.amount))

    def _asked(self, order: RefundOrder) -> BankAnswer:
        try:
            return self._bank.refund(order)
        except BankFailure as failure:
            raise ApplicationError(
                str(failure),
                type=failure.kind,
                non_retryable=failure.kind == "misdirected",
                next_retry_delay=failure.rest,
            ) from failure

    @activity.defn
    def record_refund(self, workflow_id: str, planned: Planned, now: datetime, answer: BankAnswer) -> Case:
        """What the bank said, with the transfer it makes, once."""
        return self._desk.follow(
            workflow_id, planned, now, lambda case, asked, setting: refund.answered(case, asked, answer, setting)
        )
