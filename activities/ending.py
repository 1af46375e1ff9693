"""After an ending: the stop-using-marks duty."""

from __future__ import annotations

from datetime import datetime

from temporalio import activity

from activities.desk import CaseDesk, stored_case
from domain import ending
from domain.commands import ConfirmMarks, Outcome
from domain.records import Transition
from domain.setting import Setting
from store.cases import CaseTransaction


class EndingActivities:
    """What outlives a certification. `now` is the case's clock."""

    def __init__(self, desk: CaseDesk) -> None:
        self._desk = desk

    @activity.defn
    def confirm_marks(self, command: ConfirmMarks, now: datetime) -> Outcome:
        def confirm(tx: CaseTransaction, setting: Setting) -> Transition:
            transition = ending.confirm_marks(stored_case(tx), command, setting)
            self._desk.require_documents(command.evidence)
            return transition

        return self._desk.decide(command, now, confirm)
