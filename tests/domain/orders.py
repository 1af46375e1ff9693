"""Commands that fit a case as it is, most of them: what a state machine gives in random order (`test_any_order.py`)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, Protocol

from domain.case import Case
from domain.commands import (
    AcceptVerification,
    AddNote,
    Approve,
    ApproveProposal,
    ApproveRenewal,
    Assign,
    AssignPayment,
    Authorise,
    Certify,
    CheckMarks,
    Command,
    ConfirmMarks,
    Correct,
    DecideAppeal,
    DecideAssessment,
    DecideConduct,
    DeductDeposit,
    DenyProposal,
    DismissComplaint,
    Dissolve,
    EraseDocuments,
    ExtendDeadline,
    FileAppeal,
    Missing,
    ObjectAssessment,
    Publish,
    ReceiveDeposit,
    RefundDeposit,
    RefuseCertification,
    Reinstate,
    Reject,
    RejectRenewal,
    ReleaseReview,
    Renew,
    ReportConduct,
    ReportRefund,
    RequestRenewalSupplement,
    RequestSupplement,
    ResendLetters,
    RespondConduct,
    ReturnPayment,
    ReversePayment,
    Revoke,
    SetAside,
    Supplement,
    Surrender,
    Suspend,
    TakeReview,
    WaiveCoolingOff,
    Withdraw,
)
from domain.complaints import ReceivedComplaint
from domain.conduct import Outcome
from domain.delivery import StoredLetter
from domain.judging import EXTENDABLE
from domain.records import Payment, Reported
from domain.shanghai import last_day, shanghai_date
from domain.stages import Role
from domain.submission import Submission
from tests.domain import cases
from tests.domain.cases import OPENED

PEOPLE = {
    Role.APPLICANT: ("wang",),
    Role.REVIEWER: ("li", "he"),
    Role.FINANCE: ("qian",),
    Role.CERTIFIER: ("zhao", "shen"),
    Role.COMPLIANCE: ("he", "feng"),
    Role.OPERATOR: ("sun",),
    Role.BANK: ("callback",),
}
"""Who acts in a role; one of them in two. The bank tells by itself."""
WHY = {"reason": "r"}
ITEMS = {"items": (Missing(condition="A4.area", what="w"),)}
CORRECTED = "1"
"""The sha256 of a submission that corrects the base's name; any other is the application as it was."""


class Known(Protocol):
    """What a command is made from."""

    case: Case
    now: datetime
    payments: int


Fields = Callable[[Known, int], dict[str, Any] | None]
"""(what is known, a number that chooses) → the command's fields; None: not now."""


class OnRecord(cases.AllOnRecord):
    """What is on record beside the case: the same application, no payment, one letter that stuck, numbers that rise."""

    def __init__(self) -> None:
        self.numbers = 1
        self.seen: set[str] = set()

    def handed_over(self, sha256: str) -> Submission:
        return _corrected() if sha256 == CORRECTED else cases.submission()

    def revision(self, _: int) -> Submission:
        return cases.submission()

    def payment(self, reference: str) -> Reported | None:
        """What was asked for before has been recorded then."""
        if reference not in self.seen:
            self.seen.add(reference)
            return None
        return Reported(Payment(reference, 1, "p", date(2026, 3, 2), 1, 0), None)

    def letters(self) -> list[StoredLetter]:
        return [StoredLetter("1.1", "undeliverable")]

    def complaint(self, reference: str) -> ReceivedComplaint | None:
        """One about each certificate, by its number's last digit."""
        return ReceivedComplaint(reference, f"LBC-2026-00000{reference[-1]}", OPENED, None)

    def draw_number(self, series: str, year: int) -> str:
        self.numbers += 1
        return f"{series}-{year}-{self.numbers:06d}"


@cache
def _corrected() -> Submission:
    given = cases.submission()
    base = given.application.base.model_copy(update={"address": "another street"})
    return given.model_copy(update={"application": given.application.model_copy(update={"base": base})})


def _with(**fields: Any) -> Fields:
    return lambda *_: fields


def _rarely(**fields: Any) -> Fields:
    """Not everybody leaves at once."""
    return lambda _, detail: fields if detail % 6 == 0 else None


def _revision(**fields: Any) -> Fields:
    return lambda known, _: {"revision": known.case.revision, **fields}


def _payment(known: Known, detail: int) -> dict[str, Any] | None:
    known.payments += 1
    if known.case.deposit.missing == 0 and detail % 6:
        return None
    fen = (10_000_000, 4_000_000, 20_000_000, 1)[detail % 4]
    payer = "somebody else" if detail % 5 == 4 else cases.payer()
    return {"amount": fen, "reference": f"B{known.payments}", "payer": payer}


def _unmatched(known: Known, detail: int) -> dict[str, Any] | None:
    found = known.case.unmatched_payments
    return {"reference": found[detail % len(found)].reference, **WHY} if found else None


def _paid(known: Known, detail: int) -> dict[str, Any] | None:
    """Nothing is taken back most times."""
    found = (*known.case.unmatched_payments, *known.case.credited)
    return {"reference": found[detail % len(found)].reference, **WHY} if found and detail % 7 == 0 else None


def _deduction(known: Known, detail: int) -> dict[str, Any] | None:
    found = known.case.conduct
    fen = (1, 3_000_000, 10_000_000)[detail % 3]
    return {"amount": fen, "violation": found[detail % len(found)].id, **WHY} if found else None


def _refund(known: Known, detail: int) -> dict[str, Any] | None:
    """All of it most times."""
    there = known.case.deposit.available
    return {"amount": max(1, there if detail % 4 else there // 2), **WHY} if there else None


def _refund_told(known: Known, detail: int) -> dict[str, Any] | None:
    """What the bank tells of any refund, a part of it, or too much of it."""
    found = known.case.refunds
    if not found:
        return None
    one = found[detail % len(found)]
    fen = (one.amount, one.amount, max(1, one.amount // 2), one.amount + 1)[detail % 4]
    return {"refund": one.id, "state": ("paid", "returned", "failed")[detail % 3], "amount": fen}


def _complaint(known: Known, _: int) -> dict[str, Any] | None:
    """Of a certificate whose number's last digit a reference can have."""
    found = [term.certificate_number[-1] for term in known.case.terms if term.certificate_number[-1] in "234567"]
    return {"complaint": f"TS-AAAAAAAAAAAAAAA{found[-1]}", **WHY} if found else None


def _last_day(known: Known, _: int) -> dict[str, Any] | None:
    return {"from_last_day": known.case.terms[-1].last_day} if known.case.terms else None


def _violation(known: Known, detail: int) -> dict[str, Any] | None:
    """At most two at once: they are not all there is."""
    if len(known.case.open_conduct) > 1:
        return None
    return {
        "conduct": f"{known.case.case_number}-C{len(known.case.conduct) + 1}",
        "rule": "R6",
        "trigger": "breach",
        "severity": ("minor", "serious")[detail % 2],
        "found_on": shanghai_date(known.now),
        "facts": "f",
        "evidence": ("0",),
        "urgent": detail % 3 == 0,
    }


def _of_conduct(**fields: Any) -> Fields:
    def made(known: Known, detail: int) -> dict[str, Any] | None:
        found = known.case.open_conduct or known.case.conduct
        return {"conduct": found[detail % len(found)].id, **fields} if found else None

    return made


def _conduct_decision(known: Known, detail: int) -> dict[str, Any] | None:
    found = known.case.open_conduct or known.case.conduct
    if not found:
        return None
    conduct = found[detail % len(found)]
    outcomes = sorted(conduct.possible) or list(Outcome)
    return {"conduct": conduct.id, "outcome": outcomes[detail % len(outcomes)], **WHY}


def _approval(known: Known, detail: int) -> dict[str, Any] | None:
    found = known.case.open_proposals
    if not found:
        return None
    proposal = found[detail % len(found)]
    return {"proposal": proposal.id, "content": proposal.content}


def _denial(known: Known, detail: int) -> dict[str, Any] | None:
    """Rarely: one denial ends it."""
    return next(({"proposal": one.id, **WHY} for one in known.case.open_proposals[-1:] if detail % 4 == 0), None)


def _decision(**fields: Any) -> Fields:
    def made(known: Known, _: int) -> dict[str, Any]:
        return {"decision": known.case.ending.decision if known.case.ending else "none", **fields}

    return made


def _extension(known: Known, detail: int) -> dict[str, Any] | None:
    found = [task for task in known.case.tasks if task.kind in EXTENDABLE and task.due_at is not None]
    if not found:
        return None
    task = found[detail % len(found)]
    to: date = last_day(task.due_at or known.now) + timedelta(days=1 + detail)
    return {"deadline": EXTENDABLE[task.kind], "to": to, **WHY}


def _quarter(known: Known, detail: int) -> dict[str, Any] | None:
    found = [one.period for one in known.case.assessments if one.state in ("unknown", "objected")]
    return {"period": found[0], "outcome": ("pass", "fail")[detail % 2], **WHY} if found else None


MAKERS: dict[str, tuple[type[Command], tuple[Role, ...], Fields]] = {
    "supplement": (Supplement, (Role.APPLICANT,), _with(submission="0")),
    "withdraw": (Withdraw, (Role.APPLICANT,), _rarely(**WHY)),
    "take_review": (TakeReview, (Role.REVIEWER,), _with()),
    "release_review": (ReleaseReview, (Role.REVIEWER,), _with()),
    "approve": (Approve, (Role.REVIEWER,), _revision()),
    "request_supplement": (RequestSupplement, (Role.REVIEWER,), _revision(**ITEMS)),
    "reject": (Reject, (Role.REVIEWER,), _revision(**WHY)),
    "receive_deposit": (ReceiveDeposit, (Role.FINANCE,), _payment),
    "assign_payment": (AssignPayment, (Role.FINANCE,), _unmatched),
    "return_payment": (ReturnPayment, (Role.FINANCE,), _unmatched),
    "reverse_payment": (ReversePayment, (Role.FINANCE,), _paid),
    "deduct_deposit": (DeductDeposit, (Role.FINANCE,), _deduction),
    "refund_deposit": (RefundDeposit, (Role.FINANCE,), _refund),
    "report_refund": (ReportRefund, (Role.BANK,), _refund_told),
    "certify": (Certify, (Role.CERTIFIER,), _with()),
    "refuse_certification": (RefuseCertification, (Role.CERTIFIER,), _rarely(**WHY)),
    "publish": (Publish, (Role.OPERATOR,), lambda _, d: {"evidence": (None, "0")[d % 2]}),
    "renew": (Renew, (Role.APPLICANT,), _last_day),
    "approve_renewal": (ApproveRenewal, (Role.REVIEWER,), _revision()),
    "request_renewal_supplement": (RequestRenewalSupplement, (Role.REVIEWER,), _revision(**ITEMS)),
    "reject_renewal": (RejectRenewal, (Role.REVIEWER,), _revision(**WHY)),
    "suspend": (Suspend, (Role.COMPLIANCE,), _with(**WHY)),
    "reinstate": (Reinstate, (Role.COMPLIANCE,), _with(**WHY)),
    "surrender": (Surrender, (Role.APPLICANT,), _rarely(**WHY)),
    "dissolve": (Dissolve, (Role.OPERATOR,), _rarely(**WHY)),
    "revoke": (Revoke, (Role.COMPLIANCE,), lambda _, d: {"reason": f"r{d % 2}"}),
    "report_conduct": (ReportConduct, (Role.COMPLIANCE, Role.OPERATOR), _violation),
    "respond_conduct": (RespondConduct, (Role.APPLICANT,), _of_conduct(statement="s")),
    "decide_conduct": (DecideConduct, (Role.COMPLIANCE,), _conduct_decision),
    "authorise": (
        Authorise,
        (Role.CERTIFIER,),
        lambda k, _: {"activity": "a", "until": shanghai_date(k.now), "evidence": ("0",)},
    ),
    "file_appeal": (FileAppeal, (Role.APPLICANT,), _decision(statement="s")),
    "decide_appeal": (
        DecideAppeal,
        (Role.CERTIFIER, Role.COMPLIANCE),
        lambda _, d: {"outcome": ("uphold", "set-aside")[d % 3 > 0], **WHY},
    ),
    "set_aside": (SetAside, (Role.COMPLIANCE,), _decision(**WHY)),
    "waive_cooling_off": (WaiveCoolingOff, (Role.COMPLIANCE,), _with(**WHY)),
    "erase_documents": (EraseDocuments, (Role.COMPLIANCE,), _with(**WHY)),
    "approve_proposal": (ApproveProposal, (Role.CERTIFIER, Role.COMPLIANCE), _approval),
    "deny_proposal": (DenyProposal, (Role.CERTIFIER, Role.COMPLIANCE), _denial),
    "object_assessment": (ObjectAssessment, (Role.APPLICANT,), _with(statement="s")),
    "decide_assessment": (DecideAssessment, (Role.COMPLIANCE,), _quarter),
    "confirm_marks": (ConfirmMarks, (Role.APPLICANT,), _with(evidence=("0",))),
    "accept_verification": (AcceptVerification, (Role.COMPLIANCE, Role.OPERATOR), _with(**WHY)),
    "check_marks": (CheckMarks, (Role.COMPLIANCE,), _with(result="r")),
    "correct": (Correct, (Role.OPERATOR,), _with(submission=CORRECTED)),
    "assign": (Assign, (Role.OPERATOR,), lambda _, d: {"to": ("li", "he", "shen")[d % 3], **WHY}),
    "extend_deadline": (ExtendDeadline, (Role.OPERATOR,), _extension),
    "dismiss_complaint": (DismissComplaint, (Role.COMPLIANCE,), _complaint),
    "add_note": (AddNote, (Role.FINANCE,), _with(text="t")),
    "resend_letters": (ResendLetters, (Role.OPERATOR,), _with()),
}
"""Action → its command, who may use it, its fields."""
