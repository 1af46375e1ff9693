"""Cases brought to a point by the rules, at any instant, with the records the product writes; no worker is needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from domain import (
    agenda,
    appeal,
    approving,
    assessment,
    certification,
    conduct_agenda,
    deciding,
    deposit,
    ending,
    next_term,
    objection,
    opening,
    publication,
    quarter,
    rectification,
    refund,
    renewal,
    review,
    suspension,
    verification,
    violation,
)
from domain.assessment import FiguresRecorded
from domain.bank import BankAnswer
from domain.case import Case, Verification
from domain.commands import (
    Actor,
    Apply,
    Approve,
    ApproveProposal,
    ApproveRenewal,
    Certify,
    Command,
    DecideConduct,
    DeductDeposit,
    EraseDocuments,
    FileAppeal,
    Missing,
    ObjectAssessment,
    ReceiveDeposit,
    RefundDeposit,
    Reject,
    Renew,
    ReportConduct,
    RequestRenewalSupplement,
    RequestSupplement,
    RespondConduct,
    ReturnPayment,
    Revoke,
    Suspend,
    TakeReview,
    Withdraw,
    workflow_id,
)
from domain.figures import Figures
from domain.periods import ending_in
from domain.planning import Event, Planned
from domain.policy import Policy
from domain.records import ListRevision, Transition
from domain.setting import Setting
from domain.shanghai import midnight, shanghai_date
from domain.stages import Role
from domain.submission import Submission
from domain.verifying import VerificationAnswer
from store.conflicts import again_after_conflict
from store.reference import policy_book, shipped_calendar
from tests.domain.cases import NOTHING_ON_RECORD
from tests.office import APPLICANT, CERTIFIER, COMPLIANCE, FINANCE, OPERATOR, REVIEWER, Base, Office, example, named_for
from workflows.messages import WORKFLOW
from workflows.state import CertificationState


class Record:
    """A base's transitions from its application on, taken one by one. `now` is when the next ones are taken."""

    def __init__(
        self, submission: Submission, now: datetime, numbers: tuple[str, str] = ("LB-0", "LBC-0"), ordinal: int = 1
    ) -> None:
        self._submission = submission
        self._credit_code = submission.application.credit_code
        self._ordinal = ordinal
        self._certificate_number = numbers[1]
        self.now = now
        self.transitions: list[Transition] = []
        case = {"credit_code": self._credit_code, "ordinal": ordinal}
        apply = self._command(Apply, APPLICANT, submission=submission.sha256, **case)
        self._add(opening.open_case(apply, numbers[0], submission, self._setting))

    @property
    def case(self) -> Case:
        return self.transitions[-1].case

    def taken(self) -> None:
        self._add(review.take(self.case, self._command(TakeReview, REVIEWER), self._setting))

    def supplement_requested(self) -> None:
        items = (Missing(condition="A4.area", what="a floor plan"),)
        request = self._command(RequestSupplement, REVIEWER, revision=1, items=items)
        self._add(review.request_supplement(self.case, request, self._setting))

    def rejected(self) -> None:
        reject = self._command(Reject, REVIEWER, revision=1, reason="the rooms are a warehouse")
        self._add(ending.reject(self.case, reject, self._setting))

    def approved(self) -> None:
        approve = self._command(Approve, REVIEWER, revision=1)
        self._add(review.approve(self.case, approve, self._submission, self._setting))

    def paid(self) -> None:
        payer = self._submission.application.entity.name
        payment = {"amount": self.case.deposit.missing, "reference": self._credit_code, "payer": payer}
        receive = self._command(ReceiveDeposit, FINANCE, **payment)
        self._add(deposit.receive(self.case, receive, None, None, self._setting))

    def certified(self) -> None:
        certify = self._command(Certify, CERTIFIER)
        self._add(certification.certify(self.case, certify, self._certificate_number, self._setting))

    def publication_failed(self) -> None:
        attempt = next(planned for planned in self.case.plan if planned.event is Event.ATTEMPT_PUBLICATION)
        self._add(publication.attempt_failed(self.case, attempt, "the channel is down", self._setting))

    def suspended(self) -> None:
        suspend = self._command(Suspend, COMPLIANCE, reason="brushing found")
        self._add(suspension.suspend(self.case, suspend, self._setting))

    def revocation_proposed(self) -> None:
        revoke = self._command(Revoke, COMPLIANCE, reason="brushing found")
        self._add(approving.propose(self.case, revoke, self._setting))

    def published(self) -> None:
        self._add(publication.published(self.case, self._setting))

    def without_quarters(self) -> None:
        """Nothing of its year's quarters is planned: for tests in which their figures are no matter."""
        before = self.transitions[-1]
        quiet = before.case.model_copy(update={"plan": before.case.plan_without(*quarter.EVENTS)})
        self.transitions[-1] = replace(before, case=quiet)

    def renewal_filed(self, days_before: int = 45) -> None:
        """Lived on until so many days before the end, and the renewal filed then."""
        self.lived(self.case.terms[-1].until - timedelta(days=days_before))
        renew = self._command(Renew, APPLICANT, from_last_day=self.case.terms[-1].last_day)
        self._add(renewal.renew(self.case, renew, self._submission, self._setting))

    def renewal_filed_late(self) -> None:
        self.renewal_filed(7)

    def renewal_supplement_requested(self) -> None:
        items = (Missing(condition="A4.area", what="a floor plan"),)
        request = self._command(RequestRenewalSupplement, REVIEWER, revision=1, items=items)
        self._add(renewal.request_supplement(self.case, request, self._setting))

    def renewal_approved(self) -> None:
        approve = self._command(ApproveRenewal, REVIEWER, revision=1)
        number = f"{self._certificate_number}-{len(self.case.terms) + 1}"
        self._add(next_term.approve(self.case, approve, self._submission, number, self._setting))

    def failed(self) -> None:
        """The base is told that it fails the first quarter that counts: too little was sold."""
        period = str(next(ending_in(self.case.terms)))
        figures = {"live_merchants": 20, "active_merchants": 10, "gmv": 5}
        sold = Figures(credit_code=self._credit_code, period=period, **figures)
        news = FiguresRecorded(sold, 1, "fail", ("gmv",), OPERATOR.name, self.now)
        self._add(assessment.hear(self.case, news, self._setting))

    def objected(self) -> None:
        objects = self._command(ObjectAssessment, APPLICANT, statement="two merchants are missing")
        self._add(objection.object_to(self.case, objects, self._setting))

    def conduct_reported(self, severity: str = "minor") -> None:
        command = self._command(
            ReportConduct,
            COMPLIANCE,
            conduct=f"{self.case.case_number}-C{len(self.case.conduct) + 1}",
            rule="R6",
            trigger="breach",
            severity=severity,
            found_on=shanghai_date(self.now),
            facts="组织刷单",
            evidence=("0" * 64,),
        )
        self._add(violation.report(self.case, command, self._setting))

    def conduct_answered(self) -> None:
        answer = self._command(RespondConduct, APPLICANT, conduct=self.case.conduct[-1].id, statement="已经停止")
        self._add(violation.respond(self.case, answer, self._setting))

    def rectification_ordered(self) -> None:
        given = {"conduct": self.case.conduct[-1].id, "outcome": "rectification", "reason": "r"}
        decide = self._command(DecideConduct, COMPLIANCE, **given)
        self._add(rectification.decide(self.case, decide, self._setting))

    def suspended_for_it(self) -> None:
        conduct = self.case.conduct[-1]
        (overdue,) = conduct.plan
        self.now = overdue.at
        transition = conduct_agenda.take(self.case, conduct.id, overdue, self._setting)
        assert transition is not None
        self._add(transition)

    def deduction_decided(self) -> None:
        given = {"conduct": self.case.conduct[-1].id, "outcome": "deduction", "reason": "r"}
        self._add(rectification.decide(self.case, self._command(DecideConduct, COMPLIANCE, **given), self._setting))

    def deduction_proposed(self) -> None:
        given = {"amount": 2_000_000, "violation": self.case.conduct[-1].id, "reason": "r"}
        self._add(approving.propose(self.case, self._command(DeductDeposit, FINANCE, **given), self._setting))

    def withdrawn(self) -> None:
        self._add(ending.withdraw(self.case, self._command(Withdraw, APPLICANT, reason="r"), self._setting))

    def erasure_proposed(self) -> None:
        self._add(approving.propose(self.case, self._command(EraseDocuments, COMPLIANCE, reason="r"), self._setting))

    def refund_proposed(self) -> None:
        given = {"amount": self.case.deposit.held, "reason": "r"}
        self._add(approving.propose(self.case, self._command(RefundDeposit, FINANCE, **given), self._setting))

    def paid_by_another(self) -> None:
        payment = {"amount": 500, "reference": f"U-{self._credit_code}", "payer": "somebody else"}
        receive = self._command(ReceiveDeposit, FINANCE, **payment)
        self._add(deposit.receive(self.case, receive, None, None, self._setting))

    def return_proposed(self) -> None:
        given = {"reference": self.case.unmatched_payments[-1].reference, "reason": "r"}
        self._add(approving.propose(self.case, self._command(ReturnPayment, FINANCE, **given), self._setting))

    def paid_back(self) -> None:
        """The bank has paid what it was asked for."""
        asked = next(one for one in self.case.plan if one.event is Event.SEND_REFUND)
        answer = BankAnswer(state="paid", reference=f"BANK-{asked.subject}")
        self._add(refund.answered(self.case, asked, answer, self._setting))

    def to_be_verified(self) -> None:
        """The question stands in the plan, as it does where there is somebody to ask."""
        before = self.transitions[-1]
        case = before.case
        known = Verification(result="asked", revision=1, name=case.payer_names[-1], at=self.now)
        ask = Planned(event=Event.ASK_VERIFICATION, at=self.now, what="the enterprise's verification is asked for")
        asking = case.model_copy(update={"verification": known, "plan": (*case.plan, ask)})
        self.transitions[-1] = replace(before, case=asking)

    def verified(self) -> None:
        self.to_be_verified()
        ask = next(one for one in self.case.plan if one.event is Event.ASK_VERIFICATION)
        answer = VerificationAnswer(result="verified", source="tests")
        self._add(verification.answered(self.case, ask, answer, self._setting))

    def not_confirmed(self) -> None:
        """Half a year on, it is not confirmed any more."""
        self.now += timedelta(days=185)
        answer = VerificationAnswer(result="not_verified", source="tests")
        transition = verification.rechecked(self.case, answer, self._setting)
        assert transition is not None
        self._add(transition)

    def approved_by_another(self, who: Actor = COMPLIANCE) -> None:
        """What waits for a second person is done."""
        (proposal,) = self.case.open_proposals
        approve = self._command(ApproveProposal, who, proposal=proposal.id, content=proposal.content)
        self._add(deciding.decide(self.case, approve, self._setting, NOTHING_ON_RECORD))

    def revoked_for_it(self) -> None:
        revoke = self._command(Revoke, COMPLIANCE, reason="r", conduct=self.case.conduct[-1].id)
        self._add(approving.propose(self.case, revoke, self._setting))
        self.approved_by_another(Actor(role=Role.CERTIFIER, name="wei"))  # so that CERTIFIER may judge an appeal

    def appealed(self) -> None:
        assert self.case.ending is not None
        given = {"decision": self.case.ending.decision, "statement": "证据不实"}
        self._add(appeal.file(self.case, self._command(FileAppeal, APPLICANT, **given), self._setting))

    def lived(self, until: datetime, before: Event | None = None) -> None:
        """Carry out what comes of itself, each at its instant, up to another and until `before` is next.

        The official channel takes nothing.
        """
        while (planned := self.case.next_event) is not None and planned.at <= until and planned.event is not before:
            self.now = planned.at
            if planned.event is Event.ATTEMPT_PUBLICATION:
                self.publication_failed()
            else:
                self._add(agenda.take(self.case, planned, self._setting))
        self.now = until

    def _add(self, transition: Transition) -> None:
        self.transitions.append(transition)

    def _command(self, kind: type[Command], actor: Any, **fields: Any) -> Any:
        id = workflow_id(self._credit_code, self._ordinal)
        return kind(request_id=f"on-record-{len(self.transitions)}", workflow_id=id, actor=actor, **fields)

    @property
    def _setting(self) -> Setting:
        records = [record for transition in self.transitions for record in transition.records]
        entries = sum(isinstance(record, ListRevision) for record in records)
        return Setting(self.now, _policy(), shipped_calendar(), _policy(), entries + 1)


Reach = Callable[[Record], None]


def reach(*steps: Callable[[Record], None]) -> Reach:
    """What takes an application through steps of `Record`."""

    def through(record: Record) -> None:
        for step in steps:
            step(record)

    return through


IN_REVIEW = reach()
REVIEW_TAKEN = reach(Record.taken)
IN_SUPPLEMENT = reach(Record.supplement_requested)
REJECTED = reach(Record.rejected)
WITHDRAWN = reach(Record.withdrawn)
ERASURE_PROPOSED = reach(WITHDRAWN, Record.erasure_proposed)
IN_DEPOSIT = reach(Record.approved)
IN_CERTIFYING = reach(Record.approved, Record.paid)
IN_PUBLISHING = reach(Record.approved, Record.paid, Record.certified)
IN_VALID = reach(Record.approved, Record.paid, Record.certified, Record.published)
TO_BE_VERIFIED = reach(Record.to_be_verified)
VERIFIED_LONG_AGO = reach(Record.verified, IN_VALID, Record.without_quarters)
NOT_CONFIRMED = reach(VERIFIED_LONG_AGO, Record.not_confirmed)
FAILING = reach(IN_VALID, Record.failed)
OBJECTED = reach(FAILING, Record.objected)
RENEWING = reach(IN_VALID, Record.renewal_filed)
RENEWING_LATE = reach(IN_VALID, Record.renewal_filed_late)
IN_RENEWAL_SUPPLEMENT = reach(RENEWING, Record.renewal_supplement_requested)
ACCUSED = reach(IN_VALID, Record.conduct_reported)
UNDECIDED = reach(ACCUSED, Record.conduct_answered)
RECTIFYING = reach(UNDECIDED, Record.rectification_ordered)
VIOLATION_DECIDED = reach(UNDECIDED, Record.deduction_decided)
DEDUCTION_PROPOSED = reach(VIOLATION_DECIDED, Record.deduction_proposed)
SHORT = reach(DEDUCTION_PROPOSED, Record.approved_by_another)
IN_SETTLEMENT = reach(IN_CERTIFYING, Record.withdrawn)
REFUND_ORDERED = reach(IN_SETTLEMENT, Record.refund_proposed, Record.approved_by_another)
PAID_BY_ANOTHER = reach(IN_DEPOSIT, Record.paid_by_another)
RETURN_PAID = reach(PAID_BY_ANOTHER, Record.return_proposed, Record.approved_by_another, Record.paid_back)
SUSPENDED_FOR_IT = reach(RECTIFYING, Record.suspended_for_it)
APPEALED = reach(REJECTED, Record.appealed)
REVOKED_APPEALED = reach(UNDECIDED, Record.revoked_for_it, Record.appealed)
RENEWED = reach(RENEWING, Record.renewal_approved)
SUSPENDED = reach(IN_VALID, Record.suspended)
REVOCATION_PROPOSED = reach(IN_VALID, Record.revocation_proposed)
PROPOSED_UNPUBLISHED = reach(IN_PUBLISHING, Record.revocation_proposed)


@again_after_conflict
def put_on_record(
    base: Base,
    to: Reach,
    at: datetime,
    *,
    until: datetime | None = None,
    before: Event | None = None,
    submission: Submission | None = None,
) -> Case:
    """The base's case brought `to` a point at an instant, in one transaction, and what it handed in.

    With `until` it has lived on since, but for the event `before` and what comes after.
    """
    submission = submission or handed_in(base.credit_code, at)
    base.hand_over(submission)
    with base.office.cases.transaction(base.workflow_id) as tx:
        numbers = tx.next_number("LB", at.year), tx.next_number("LBC", at.year)
        record = Record(submission, at, numbers, base.ordinal)
        to(record)
        if until is not None:
            record.lived(until, before)
        for transition in record.transitions:
            tx.write(transition)
    return record.case


async def take_up(base: Base, case: Case) -> None:
    """The case's workflow, taken up from the record as one that continued as new."""
    office: Office = base.office
    await office.client.start_workflow(
        WORKFLOW, CertificationState(case=case), id=base.workflow_id, task_queue=office.settings.task_queue
    )


def handed_in(credit_code: str, at: datetime) -> Submission:
    """The example that passes, as it could be handed in at an instant of the past."""
    submission = _example()
    application = submission.application
    assert application.alipay_verification is not None and application.agreement is not None
    early = shanghai_date(at) - timedelta(days=90)
    changes = {
        "base": application.base.model_copy(update={"name": named_for(application.base.name, credit_code)}),
        "entity": application.entity.model_copy(update={"credit_code": credit_code}),
        "agreement": application.agreement.model_copy(update={"accepted_on": early}),
        "alipay_verification": application.alipay_verification.model_copy(update={"verified_on": early}),
    }
    return submission.model_copy(update={"application": application.model_copy(update=changes)})


@cache
def _example() -> Submission:
    return example()


@cache
def _policy() -> Policy:
    """The newest policy, whichever was in force then: cases of the past are decided as those of today."""
    return policy_book().pinned(policy_book().versions[-1].version)


def opened_for(to: Reach, event: Event, now: datetime) -> datetime:
    """When a case must have been brought `to` a point so that `event` is what is due `now`."""
    return now - timedelta(days=_days_before(to, event, shanghai_date(now)))


@cache
def _days_before(to: Reach, event: Event, today: date) -> int:
    now = midnight(today) + timedelta(hours=12)
    first = _lived(to, now, now + timedelta(days=500), event).case.next_event
    assert first is not None
    about = (first.at - now).days  # other holidays lie between
    for days in range(max(0, about - 20), about + 40):
        record = _lived(to, now - timedelta(days=days), now, event)
        planned = agenda.due(record.case, now)
        if planned is not None and planned.event is event and not agenda.moot(record.case, planned, now):
            return days
    raise LookupError(f"{event} never falls due")


def _lived(to: Reach, opened: datetime, until: datetime, before: Event) -> Record:
    submission = handed_in(_example().application.credit_code, opened)
    record = Record(submission, opened)
    to(record)
    record.lived(until, before)
    return record
