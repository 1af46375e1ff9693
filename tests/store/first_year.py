"""The transitions of a quiet first year, made by the rules, ready to be written to a store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from domain import after_ending, agenda, certification, deposit, opening, publication, quarter, review
from domain.case import Case
from domain.commands import Apply, Approve, Certify, ConfirmMarks, ReceiveDeposit, TakeReview
from domain.planning import Event
from domain.records import Transition
from store.cases import CaseStore
from tests.domain import cases
from tests.office import example, new_credit_code

OPENED = cases.OPENED
HOUR = timedelta(hours=1)


class Enterprise:
    """An enterprise with one case, whose transitions come one after the other from the rules."""

    def __init__(
        self,
        *,
        number: str = "LB-2026-000001",
        credit_code: str | None = None,
        ordinal: int = 1,
        opened: datetime = OPENED,
        name: str = "passes",
    ) -> None:
        self.credit_code = credit_code or new_credit_code()
        self.number = number
        self.ordinal = ordinal
        self.workflow_id = f"base:{self.credit_code}:{ordinal}"
        self.opened_at = opened
        self.submission = example(name, credit_code=self.credit_code)
        self.certificate_number = number.replace("LB-", "LBC-")

    def opened(self) -> Transition:
        apply = cases.command(
            Apply,
            cases.APPLICANT,
            credit_code=self.credit_code,
            ordinal=self.ordinal,
            submission=self.submission.sha256,
        ).model_copy(update={"workflow_id": self.workflow_id})
        return opening.open_case(apply, self.number, self.submission, cases.setting(self.opened_at))

    def taken(self, case: Case) -> Transition:
        return review.take(case, cases.command(TakeReview, cases.REVIEWER), cases.setting(self.opened_at + HOUR))

    def approved(self, case: Case) -> Transition:
        command = cases.command(Approve, cases.REVIEWER, revision=1)
        return review.approve(case, command, self.submission, cases.setting(self.opened_at + 2 * HOUR))

    def paid(self, case: Case, amount: int, reference: str, at: datetime | None = None) -> Transition:
        payer = self.submission.application.entity.name
        command = cases.command(ReceiveDeposit, cases.FINANCE, amount=amount, reference=reference, payer=payer)
        return deposit.receive(case, command, None, None, cases.setting(at or self.opened_at + 3 * HOUR))

    def certified(self, case: Case) -> Transition:
        setting = cases.setting(self.opened_at + 4 * HOUR)
        return certification.certify(case, cases.command(Certify, cases.CERTIFIER), self.certificate_number, setting)

    def published(self, case: Case) -> Transition:
        return publication.published(case, cases.setting(self.opened_at + 5 * HOUR))

    def marks_confirmed(self, case: Case) -> Transition:
        assert case.ending is not None
        command = cases.command(ConfirmMarks, cases.APPLICANT, evidence=("e" * 64, "f" * 64))
        return after_ending.confirm_marks(case, command, cases.setting(case.ending.legal_at + HOUR))

    def first_year(self) -> Iterator[Transition]:
        """From the application to the confirmed marks, each transition with the case before it written."""
        transition = self.opened()
        yield transition
        for step in (
            self.taken,
            self.approved,
            lambda case: self.paid(case, 4_000_000, f"{self.number}-a"),
            lambda case: self.paid(case, 7_000_000, f"{self.number}-b"),
            self.certified,
            self.published,
        ):
            transition = step(transition.case)
            yield transition
        while (planned := transition.case.next_event) is not None and transition.case.ending is None:
            assert planned.event in (Event.REMIND_RENEWAL, Event.EXPIRE_CERTIFICATION, *quarter.EVENTS)
            transition = agenda.take(transition.case, planned, cases.setting(planned.at, list_revision=2))
            yield transition
        yield self.marks_confirmed(transition.case)

    def until(self, event: str) -> Iterator[Transition]:
        """The first year up to and with its first transition of that event."""
        for transition in self.first_year():
            yield transition
            if transition.event == event:
                return
        raise ValueError(f"no {event} in the first year")

    def stored(self, store: CaseStore, event: str) -> Case:
        """Write the first year up to an event; the case as it then is."""
        for transition in self.until(event):
            write(store, transition)
        return transition.case


def write(store: CaseStore, transition: Transition) -> None:
    """One transition in a transaction of its own."""
    with store.transaction(transition.case.workflow_id) as tx:
        tx.write(transition)
