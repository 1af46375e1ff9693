"""Refunds at the bank: asking it, and recording what it says (decision 17)."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import httpx
from temporalio import activity

from activities.desk import CaseDesk
from domain import refund
from domain.bank import BankAnswer, RefundOrder
from domain.case import Case
from domain.planning import Planned
from store.cases import CaseStore

_PATIENCE = httpx.Timeout(20.0, connect=5.0)
"""Within the activity's own time: a bank that hangs is asked again, with the same key."""


class Bank(Protocol):
    """The bank that holds the deposits, an outside party."""

    def refund(self, order: RefundOrder) -> BankAnswer:
        """Have an order carried out, or hear how it stands: the same key is one payment for good.

        Raises when the bank did not answer, or took a key for another order.
        """
        ...


class NoBank:
    """No bank is connected: nothing is paid, and every order waits until one is."""

    def refund(self, order: RefundOrder) -> BankAnswer:
        return BankAnswer(state="unreachable", why="no bank is connected: set LIVEBASE_BANK_URL for the workers")


class HttpBank:
    """The bank over HTTP: `PUT /refunds/<key>` with the order as JSON, answered by a `BankAnswer`.

    PUT, since the key is the order's address: sent again it changes nothing. 409 is a key known for another order.
    """

    def __init__(self, url: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(base_url=url, headers=headers, timeout=_PATIENCE, trust_env=False)

    def refund(self, order: RefundOrder) -> BankAnswer:
        response = self._client.put(f"/refunds/{order.key}", json=order.model_dump(mode="json"))
        response.raise_for_status()
        return BankAnswer.model_validate_json(response.content)


class BankActivities:
    """The way of money out. `now` is the case's clock."""

    def __init__(self, desk: CaseDesk, cases: CaseStore, bank: Bank) -> None:
        self._desk = desk
        self._cases = cases
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
        return self._bank.refund(RefundOrder(key=id, payment=known.payment, amount=known.amount))

    @activity.defn
    def record_refund(self, workflow_id: str, planned: Planned, now: datetime, answer: BankAnswer) -> Case:
        """What the bank said, with the transfer it makes, once."""
        return self._desk.follow(
            workflow_id, planned, now, lambda case, asked, setting: refund.answered(case, asked, answer, setting)
        )
