"""The deposit: recording what the bank reported, once per reference."""

from __future__ import annotations

from datetime import datetime

from temporalio import activity

from activities.desk import CaseDesk, stored_case
from domain import deposit
from domain.commands import Outcome, ReceiveDeposit
from domain.records import Transition
from domain.setting import Setting
from store.cases import CaseTransaction


class DepositActivities:
    """Payments. Amounts are fen; `now` is the case's clock."""

    def __init__(self, desk: CaseDesk) -> None:
        self._desk = desk

    @activity.defn
    def receive_deposit(self, command: ReceiveDeposit, now: datetime) -> Outcome:
        def receive(tx: CaseTransaction, setting: Setting) -> Transition:
            case = stored_case(tx)
            known = tx.payment(command.reference)
            known_case = tx.payment_case(command.reference)
            return deposit.receive(case, command, known, known_case, setting)

        return self._desk.decide(command, now, receive)
