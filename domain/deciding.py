"""What a command does: one table from its action to the rule that decides it.

The desk runs a rule inside a transaction (`activities/desk.py`), a dry run on what can be read (`starter/dry_run.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from domain import (
    after_ending,
    appeal,
    approving,
    casework,
    certification,
    complaints,
    cooling_off,
    correction,
    deduction,
    delivery,
    deposit,
    ending,
    erasure,
    leaving,
    next_term,
    objection,
    opening,
    publication,
    rectification,
    refund,
    renewal,
    reversal,
    review,
    setting_aside,
    suspension,
    unmatched,
    verification,
    violation,
)
from domain.case import Case, Proposal
from domain.commands import (
    Actor,
    Command,
    DeductDeposit,
    EraseDocuments,
    RefundDeposit,
    ReturnPayment,
    ReversePayment,
    Revoke,
    SetAside,
    WaiveCoolingOff,
)
from domain.conduct import Outcome
from domain.delivery import StoredLetter
from domain.dependants import Dependants
from domain.judging import judge
from domain.look_alike import LookAlike, protected_since, skeletons
from domain.names import folded
from domain.permissions import SECOND_PERSON
from domain.policy import Policy
from domain.records import Reported, Transition
from domain.setting import Setting
from domain.skeleton import skeleton
from domain.submission import Submission
from domain.written import Written, WrittenNote, WrittenReport, WrittenStatement, with_words


class OnRecord(Protocol):
    """What is on record beside the case, as far as a rule asks for it."""

    def live_case(self, credit_code: str) -> Case | None:
        """The enterprise's other case that has not ended."""
        ...

    def other_cases(self, credit_code: str) -> Sequence[Case]:
        """All the enterprise's other cases, first to last."""
        ...

    def handed_over(self, submission: str) -> Submission:
        """A submission (its sha256) handed over before its command. Refuses (2) one that can't be read."""
        ...

    def revision(self, number: int) -> Submission:
        """The submission of a revision of the case's application."""
        ...

    def payment(self, reference: str) -> Reported | None:
        """What is on record under a bank reference, whichever case it was for."""
        ...

    def elsewhere(self, reference: str) -> unmatched.Elsewhere | None:
        """A payment that waits on another case, or on none, as it stands now."""
        ...

    def letters(self) -> list[StoredLetter]:
        """The case's letters, first to last."""
        ...

    def dependants(self) -> Dependants:
        """Who and what depends on the base."""
        ...

    def called_alike(
        self, names: frozenset[str], credit_code: str, now: datetime, since: datetime
    ) -> Sequence[LookAlike]:
        """Other enterprises' cases whose base has one of these skeletons: under way `now`, or listed after `since`."""
        ...

    def complaint(self, reference: str) -> complaints.ReceivedComplaint | None:
        """A complaint of the public, by its reference."""
        ...

    def draw_number(self, series: str, year: int) -> str:
        """The next number of a series; the same is never given twice."""
        ...

    def paper(self, sha256: str) -> bytes:
        """What somebody wrote, handed over before its command. Refuses (2) what can't be read."""
        ...

    def require_documents(self, hashes: tuple[str, ...]) -> None:
        """Refuse (2) evidence that never arrived in the document store."""
        ...


Rule = Callable[[Any, Any, Setting, OnRecord], Transition]
"""(case, None for an application; command; setting; what is on record) → what it does. Raises Refusal."""


def _plain(rule: Callable[[Case, Any, Setting], Transition]) -> Rule:
    """A rule that needs the case alone."""
    return lambda case, command, setting, _: rule(case, command, setting)


def _with_evidence(rule: Callable[[Case, Any, Setting], Transition]) -> Rule:
    """As `_with_evidence_of`, of a rule that needs the case alone."""
    return _with_evidence_of(_plain(rule))


def _with_evidence_of(rule: Rule) -> Rule:
    """A rule whose command names documents (sha256) as evidence; what the rule refuses comes first."""

    def decide(case: Case, command: Any, setting: Setting, on_record: OnRecord) -> Transition:
        transition = rule(case, command, setting, on_record)
        if named := command.evidence:
            on_record.require_documents((named,) if isinstance(named, str) else named)
        return transition

    return decide


def _in_writing(kind: type[Written], rule: Rule) -> Rule:
    """A rule whose command's words are in a paper of their own."""

    def decide(case: Case, command: Any, setting: Setting, on_record: OnRecord) -> Transition:
        paper = None if command.paper is None else on_record.paper(command.paper)
        return rule(case, with_words(command, kind, paper), setting, on_record)

    return decide


def _back(rule: Callable[[Case, Any, Setting], Transition]) -> Rule:
    """A rule that may bring an ended case back, which must leave its enterprise with one live case (decision 8)."""

    def decide(case: Case, command: Any, setting: Setting, on_record: OnRecord) -> Transition:
        transition = rule(case, command, setting)
        if case.ending is not None and transition.case.ending is None:
            opening.require_no_other(on_record.live_case(case.credit_code))
        return transition

    return decide


def _alike(
    case: Case | None, submission: Submission, policy: Policy, setting: Setting, on_record: OnRecord
) -> Sequence[LookAlike] | None:
    """Who else is called so, as the transaction finds it; None for a certified base that keeps its name, which nobody
    need weigh again. One that is only written otherwise is taken for nobody else's, and may hold what is reserved."""
    application = submission.application
    if case is not None and case.terms:
        if folded(application.base.name) == folded(case.name):
            return None
        if skeleton(application.base.name) == skeleton(case.name):
            return ()
    since = protected_since(policy, setting.today)
    return on_record.called_alike(skeletons(application), application.credit_code, setting.now, since)


def _apply(_: None, command: Any, setting: Setting, on_record: OnRecord) -> Transition:
    opening.require_possible(on_record.other_cases(command.credit_code), setting)
    submission = on_record.handed_over(command.submission)
    alike = _alike(None, submission, setting.policy, setting, on_record)
    return opening.open_case(command, on_record.draw_number("LB", setting.today.year), submission, setting, alike)


def _supplement(case: Case, command: Any, setting: Setting, on_record: OnRecord) -> Transition:
    submission = on_record.handed_over(command.submission)
    rule, policy = (
        (review.supplement, setting.policy) if case.renewal is None else (renewal.supplement, setting.in_force)
    )
    return rule(case, command, submission, setting, _alike(case, submission, policy, setting, on_record))


def _approve(case: Case, command: Any, setting: Setting, on_record: OnRecord) -> Transition:
    submission = on_record.revision(case.revision)
    alike = _alike(case, submission, setting.policy, setting, on_record)
    return review.approve(case, command, submission, setting, alike)


def _receive_deposit(case: Case, command: Any, setting: Setting, on_record: OnRecord) -> Transition:
    known = on_record.payment(command.reference)
    if known is None:
        return deposit.receive(case, command, None, None, setting)
    here = known.first_case == case.case_number  # reported as it was: a repeat, wherever its money has come since
    on = case.case_number if here else known.case_number
    return deposit.receive(case, command, known.payment, on, setting, taken_back=known.taken_back)


def _assign_payment(case: Case, command: Any, setting: Setting, on_record: OnRecord) -> Transition:
    stands = None if unmatched.is_here(case, command.reference) else on_record.elsewhere(command.reference)
    if stands is None:
        return unmatched.assign(case, command, setting)
    return unmatched.take(case, command, stands, setting)


def _reverse_payment(case: Case, command: Any, setting: Setting, on_record: OnRecord) -> Transition:
    return reversal.reverse(case, command, on_record.payment(command.reference), setting)


def _certify(case: Case, command: Any, setting: Setting, on_record: OnRecord) -> Transition:
    return certification.certify(case, command, on_record.draw_number("LBC", setting.today.year), setting)


def _renew(case: Case, command: Any, setting: Setting, on_record: OnRecord) -> Transition:
    handed_over = command.submission is not None
    submission = on_record.handed_over(command.submission) if handed_over else on_record.revision(case.revision)
    alike = _alike(case, submission, setting.in_force, setting, on_record)
    return renewal.renew(case, command, submission, setting, alike)


def _approve_renewal(case: Case, command: Any, setting: Setting, on_record: OnRecord) -> Transition:
    if case.ending is not None:
        opening.require_no_other(on_record.live_case(case.credit_code))
    submission = on_record.revision(case.revision)
    number = on_record.draw_number("LBC", setting.today.year)
    alike = _alike(case, submission, setting.in_force, setting, on_record)
    return next_term.approve(case, command, submission, number, setting, alike)


def _approve_proposal(case: Case, command: Any, setting: Setting, on_record: OnRecord) -> Transition:
    def carry_out(case: Case, proposal: Proposal) -> Transition:
        proposer = Actor(role=proposal.role, name=proposal.proposed_by)
        envelope = {"request_id": command.request_id, "workflow_id": case.workflow_id, "actor": proposer}
        proposed = PROPOSED[proposal.action](**envelope, **proposal.parameters)
        return RULES[proposal.action](case, proposed, setting, on_record)

    return approving.approve(case, command, setting, carry_out)


def _decide_conduct(case: Case, command: Any, setting: Setting, on_record: OnRecord) -> Transition:
    if command.outcome is not Outcome.REVOCATION or case.ending is not None:
        return rectification.decide(case, command, setting)
    envelope = {"request_id": command.request_id, "workflow_id": command.workflow_id, "actor": command.actor}
    revocation = Revoke(**envelope, reason=command.reason, conduct=command.conduct)
    leaving.revoke(case, revocation, setting, on_record.dependants())  # refused now if it would be
    return approving.propose(case, revocation, setting)


def _revoke(case: Case, command: Any, setting: Setting, on_record: OnRecord) -> Transition:
    return leaving.revoke(case, command, setting, on_record.dependants())


def _correct(case: Case, command: Any, setting: Setting, on_record: OnRecord) -> Transition:
    submission = on_record.handed_over(command.submission)
    alike = _alike(case, submission, setting.policy, setting, on_record)
    return correction.correct(case, command, submission, on_record.revision(case.revision), setting, alike)


def _report_conduct(case: Case, command: Any, setting: Setting, on_record: OnRecord) -> Transition:
    transition = violation.report(case, command, setting)
    if command.complaint is None:
        return transition
    taken_up = complaints.decided(case, command.complaint, on_record.complaint(command.complaint), "taken_up")
    detail = {**transition.detail, "complaint": command.complaint}
    return replace(transition, detail=detail, records=(*transition.records, taken_up))


def _dismiss_complaint(case: Case, command: Any, setting: Setting, on_record: OnRecord) -> Transition:
    return complaints.dismiss(case, command, on_record.complaint(command.complaint), setting)


def _resend_letters(case: Case, command: Any, setting: Setting, on_record: OnRecord) -> Transition:
    return delivery.resend(case, command, on_record.letters(), setting)


RULES: dict[str, Rule] = {
    "apply": _apply,
    "supplement": _supplement,
    "withdraw": _plain(ending.withdraw),
    "take_review": _plain(review.take),
    "release_review": _plain(review.release),
    "approve": _approve,
    "request_supplement": _plain(review.request_supplement),
    "reject": _plain(ending.reject),
    "receive_deposit": _receive_deposit,
    "assign_payment": _assign_payment,
    "return_payment": _plain(unmatched.give_back),
    "reverse_payment": _reverse_payment,
    "deduct_deposit": _plain(deduction.deduct),
    "refund_deposit": _with_evidence(refund.refund),
    "report_refund": _plain(refund.reported),
    "certify": _certify,
    "refuse_certification": _plain(certification.refuse),
    "publish": _with_evidence(publication.publish_by_hand),
    "renew": _renew,
    "approve_renewal": _approve_renewal,
    "request_renewal_supplement": _plain(renewal.request_supplement),
    "reject_renewal": _plain(renewal.reject),
    "suspend": _plain(suspension.suspend),
    "reinstate": _plain(suspension.reinstate),
    "surrender": _plain(leaving.surrender),
    "dissolve": _plain(leaving.dissolve),
    "revoke": _revoke,
    "report_conduct": _in_writing(WrittenReport, _with_evidence_of(_report_conduct)),
    "dismiss_complaint": _dismiss_complaint,
    "respond_conduct": _in_writing(WrittenStatement, _with_evidence(violation.respond)),
    "decide_conduct": _decide_conduct,
    "authorise": _with_evidence(casework.authorise),
    "file_appeal": _in_writing(WrittenStatement, _with_evidence(appeal.file)),
    "decide_appeal": _back(appeal.decide),
    "set_aside": _back(setting_aside.set_aside),
    "waive_cooling_off": _plain(cooling_off.waive),
    "erase_documents": _plain(erasure.erase),
    "approve_proposal": _approve_proposal,
    "deny_proposal": _plain(approving.deny),
    "object_assessment": _in_writing(WrittenStatement, _with_evidence(objection.object_to)),
    "decide_assessment": _plain(objection.decide),
    "confirm_marks": _with_evidence(after_ending.confirm_marks),
    "check_marks": _plain(after_ending.check_marks),
    "accept_verification": _with_evidence(verification.accept),
    "correct": _correct,
    "assign": _plain(casework.assign),
    "extend_deadline": _plain(casework.extend),
    "add_note": _in_writing(WrittenNote, _plain(casework.add_note)),
    "resend_letters": _resend_letters,
}
"""Action → rule, in process order."""

PROPOSED: dict[str, type[Command]] = {
    "deduct_deposit": DeductDeposit,
    "refund_deposit": RefundDeposit,
    "return_payment": ReturnPayment,
    "reverse_payment": ReversePayment,
    "revoke": Revoke,
    "set_aside": SetAside,
    "waive_cooling_off": WaiveCoolingOff,
    "erase_documents": EraseDocuments,
}
"""What may be proposed, by its action: the keys are those of `SECOND_PERSON`."""


def decide(case: Case | None, command: Any, setting: Setting, on_record: OnRecord) -> Transition:
    """What the command does to the case as stored. Raises Refusal, in the order of `domain/judging.py`.

    What needs a second person is refused now if it would be, and else only proposed (decision 29).
    """
    judge(case, command)
    done = RULES[command.action](case, command, setting, on_record)
    if case is not None and command.action in SECOND_PERSON:
        return approving.propose(case, command, setting)
    return done
