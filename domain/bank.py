"""What the bank is asked, and what it says (decisions 15, 17).

The party itself is behind `activities/bank.py`, and what it tells unasked comes in by `workers/callbacks.py`.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictInt, TypeAdapter

from domain.names import folded
from domain.shanghai import parse_date


class RefundOrder(BaseModel):
    """Pay `amount` fen back to the account a payment came from, once per `key` however often it is asked.

    With an `account` of the name `account_name` it goes there instead (decision 17).
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    key: str
    payment: str
    amount: int
    currency: Literal["CNY"] = "CNY"
    account: str | None = None
    account_name: str | None = None


ACCOUNT = r"^[0-9A-Z]{8,34}$"
"""A bank account's number, or an IBAN, without spaces and hyphens."""


def account_number(text: str) -> str:
    """An account's number as it is kept: without the spaces and hyphens people part it by."""
    return folded(text).replace("-", "").upper()


def masked(account: str) -> str:
    """An account's number where it is only to be recognised: its last four characters."""
    return f"****{account[-4:]}"


class BankAnswer(BaseModel):
    """How an order stands: `paid` with the bank's own `reference`; `processing`; `refused` for good, with its `why`.

    `returned`: paid, and come back since. `amount` is what was paid when the bank says so, in fen; None is all of it.
    `unreachable` is no answer of the bank: whether it has taken the order is unknown, and it is asked again.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    state: Literal["paid", "processing", "refused", "unreachable", "returned"]
    reference: str = ""
    why: str = ""
    amount: int | None = None


def _fen(most: int = 10**15) -> Any:
    return Field(gt=0, le=most)


def _day(value: object) -> object:
    """A Shanghai date, also of an instant."""
    try:
        return parse_date(value) if isinstance(value, str) else value
    except OverflowError as error:
        raise ValueError(str(error)) from None


def _printable(text: str) -> str:
    """As on a statement: a terminal shows it as it is. Banks have full-width spaces."""
    if not text.replace("\u3000", " ").isprintable():
        raise ValueError("has characters that cannot be printed")
    return text


def _readable(text: str) -> str:
    if not folded(text):
        raise ValueError("has nothing to read")
    return text


_Text = Annotated[str, AfterValidator(_printable)]
_Reference = Annotated[_Text, BeforeValidator(lambda text: folded(text) if isinstance(text, str) else text)]


class _Told(BaseModel):
    """What every event has: `id`, the same however often the bank tells of it. Unknown fields are the bank's own."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str = Field(min_length=1, max_length=150, pattern=r"^[A-Za-z0-9._:-]+$")


class PaymentReceived(_Told):
    """Money has come in: `amount` fen of `payer`; `note` is what they wrote (`design/files.md`, bank statement)."""

    type: Literal["payment.received"]
    reference: _Reference = Field(min_length=1, max_length=200)
    amount: StrictInt = _fen()
    currency: Literal["CNY"]
    payer: Annotated[_Text, AfterValidator(_readable)] = Field(min_length=1, max_length=200)
    paid_at: Annotated[date | None, BeforeValidator(_day)] = None
    note: _Text = Field(default="", max_length=2000)


class RefundTold(_Told):
    """What became of the refund ordered under `key`: `amount` fen of it paid, returned by the other bank, or failed."""

    type: Literal["refund.paid", "refund.returned", "refund.failed"]
    key: _Text = Field(min_length=1, max_length=60)
    amount: StrictInt = _fen()
    currency: Literal["CNY"]
    reference: _Text = Field(default="", max_length=200)
    why: _Text = Field(default="", max_length=500)


BankEvent = PaymentReceived | RefundTold
"""What the bank tells unasked, told apart by `type`."""

BANK_EVENT: TypeAdapter[BankEvent] = TypeAdapter(Annotated[BankEvent, Field(discriminator="type")])
