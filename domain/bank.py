"""What the bank is asked, and what it says (decision 17). The party itself is behind `activities/bank.py`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class RefundOrder(BaseModel):
    """Pay `amount` fen back to the account a payment came from, once per `key` however often it is asked."""

    model_config = ConfigDict(extra="allow", frozen=True)

    key: str
    payment: str
    amount: int
    currency: Literal["CNY"] = "CNY"


class BankAnswer(BaseModel):
    """How an order stands: `paid` with the bank's own `reference`; `processing`; `refused` for good, with its `why`.

    `unreachable` is no answer of the bank: whether it has taken the order is unknown, and it is asked again.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    state: Literal["paid", "processing", "refused", "unreachable"]
    reference: str = ""
    why: str = ""
