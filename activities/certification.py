"""Certification: the certifier's decision."""

from __future__ import annotations

from datetime import datetime

from temporalio import activity

from activities.desk import CaseDesk, stored_case
from domain import certification
from domain.commands import Certify, Outcome, RefuseCertification
from domain.judging import judge
from domain.records import Transition
from domain.setting import Setting
from store.cases import CaseTransaction


class CertificationActivities:
    """The certifier's commands. `now` is the case's clock."""

    def __init__(self, desk: CaseDesk) -> None:
        self._desk = desk

    @activity.defn
    def certify(self, command: Certify, now: datetime) -> Outcome:
        def certify(tx: CaseTransaction, setting: Setting) -> Transition:
            case = stored_case(tx)
            judge(case, command)
            number = tx.next_number("LBC", setting.today.year)
            return certification.certify(case, command, number, setting)

        return self._desk.decide(command, now, certify)

    @activity.defn
    def refuse_certification(self, command: RefuseCertification, now: datetime) -> Outcome:
        return self._desk.decide(
            command, now, lambda tx, setting: certification.refuse(stored_case(tx), command, setting)
        )
