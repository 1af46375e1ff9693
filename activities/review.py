"""Application and document review: what each command's transaction does."""

from __future__ import annotations

from datetime import datetime

from temporalio import activity

from activities.desk import CaseDesk, stored_case
from domain import ending, opening, review
from domain.commands import (
    Apply,
    Approve,
    Outcome,
    Reject,
    ReleaseReview,
    RequestSupplement,
    Supplement,
    TakeReview,
    Withdraw,
)
from domain.judging import judge
from domain.records import Transition
from domain.setting import Setting
from store.cases import CaseTransaction


class ReviewActivities:
    """The commands from the application to the reviewer's decision. `now` is the case's clock."""

    def __init__(self, desk: CaseDesk) -> None:
        self._desk = desk

    @activity.defn
    def apply(self, command: Apply, now: datetime) -> Outcome:
        def open_case(tx: CaseTransaction, setting: Setting) -> Transition:
            judge(tx.case, command)  # under this number there may be a case already
            opening.require_possible(tx.live_case(command.credit_code), tx.last_case(command.credit_code), setting)
            submission = self._desk.submission(command.submission, now)
            case_number = tx.next_number("LB", setting.today.year)
            return opening.open_case(command, case_number, submission, setting)

        return self._desk.decide(command, now, open_case)

    @activity.defn
    def supplement(self, command: Supplement, now: datetime) -> Outcome:
        return self._desk.decide(
            command,
            now,
            lambda tx, setting: review.supplement(
                stored_case(tx), command, self._desk.submission(command.submission, now), setting
            ),
        )

    @activity.defn
    def withdraw(self, command: Withdraw, now: datetime) -> Outcome:
        return self._desk.decide(command, now, lambda tx, setting: ending.withdraw(stored_case(tx), command, setting))

    @activity.defn
    def take_review(self, command: TakeReview, now: datetime) -> Outcome:
        return self._desk.decide(command, now, lambda tx, setting: review.take(stored_case(tx), command, setting))

    @activity.defn
    def release_review(self, command: ReleaseReview, now: datetime) -> Outcome:
        return self._desk.decide(command, now, lambda tx, setting: review.release(stored_case(tx), command, setting))

    @activity.defn
    def approve(self, command: Approve, now: datetime) -> Outcome:
        def approve(tx: CaseTransaction, setting: Setting) -> Transition:
            case = stored_case(tx)
            submission = self._desk.submission(tx.submission(case.revision), now)
            return review.approve(case, command, submission, setting)

        return self._desk.decide(command, now, approve)

    @activity.defn
    def request_supplement(self, command: RequestSupplement, now: datetime) -> Outcome:
        return self._desk.decide(
            command, now, lambda tx, setting: review.request_supplement(stored_case(tx), command, setting)
        )

    @activity.defn
    def reject(self, command: Reject, now: datetime) -> Outcome:
        return self._desk.decide(command, now, lambda tx, setting: ending.reject(stored_case(tx), command, setting))
