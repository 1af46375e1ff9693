"""The ledger: every fen stands on one account and moves by transfers that are applied once (decisions 15 to 17).

Double entry, integer fen. The accounts of a base are its own; the bank is everybody's, and what it holds of a base is
what has come in for it less what has gone out. So is `unplaced`: money of no case yet, through which money also moves
from one case to another. A transfer's key comes from what it is for (a payment's bank reference,
a deduction's or refund's id), so that nothing is moved twice however often it is tried.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Account(StrEnum):
    """Where money stands. All but the bank and `unplaced` are accounts of one case; `return_pending` is one of each
    case, and one of money of no case."""

    BANK = "bank"
    UNPLACED = "unplaced"
    DEPOSIT = "deposit"
    UNMATCHED = "unmatched"
    DEDUCTED = "deducted"
    REFUND_PENDING = "refund_pending"
    RETURN_PENDING = "return_pending"


@dataclass(frozen=True)
class Transfer:
    """`amount` fen from `debit` to `credit`, once per `key`.

    `reference` is what it is known by outside: a bank's reference, the id of a deduction or refund. `approval` is the
    proposal a second person approved, which whatever takes money from a deposit has to name (decision 29).
    """

    key: str
    debit: Account
    credit: Account
    amount: int
    reference: str
    approval: str | None = None


Flows = Mapping[tuple[Account, Account], int]
"""(from, to) → how much has gone that way in all."""

OF_EVERYBODY = frozenset({Account.BANK, Account.UNPLACED})
"""The accounts that are no case's."""

NEEDS_APPROVAL: tuple[tuple[Account | None, Account | None], ...] = (
    (Account.DEPOSIT, None),
    (Account.DEDUCTED, None),
    (Account.UNMATCHED, Account.RETURN_PENDING),
    (Account.UNPLACED, Account.RETURN_PENDING),
    (Account.UNMATCHED, Account.BANK),
    (Account.UNPLACED, Account.BANK),
)
"""(from, to) of the transfers that need a second person; None is any. The database holds to it too."""


def sums(flows: Flows) -> dict[str, int]:
    """What the transfers of a case come to, by the names of `domain.case.Deposit`.

    Raises ValueError when an account of the case would be below zero (invariant L4).
    """

    def net(debit: Account, credit: Account) -> int:
        return flows.get((debit, credit), 0) - flows.get((credit, debit), 0)

    for account in Account:
        if account not in OF_EVERYBODY and (stands := _balance(flows, account)) < 0:
            raise ValueError(f"the account {account} would stand at {stands} fen")
    return {
        "received": net(Account.BANK, Account.DEPOSIT) + net(Account.UNMATCHED, Account.DEPOSIT),
        "deducted": net(Account.DEPOSIT, Account.DEDUCTED),
        "refund_pending": _balance(flows, Account.REFUND_PENDING),
        "refunded": net(Account.REFUND_PENDING, Account.BANK),
        "unmatched": _balance(flows, Account.UNMATCHED),
        "return_pending": _balance(flows, Account.RETURN_PENDING),
    }


def _balance(flows: Flows, account: Account) -> int:
    came = sum(amount for (_, credit), amount in flows.items() if credit is account)
    went = sum(amount for (debit, _), amount in flows.items() if debit is account)
    return came - went
