"""The table of kills: every kind of activity, and what brings a worker to it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from domain.agenda import RULES
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
    ObjectAssessment,
    Publish,
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
from domain.planning import Event
from domain.shanghai import shanghai_date
from tests.office import APPLICANT, CERTIFIER, COMPLIANCE, FINANCE, OPERATOR, REVIEWER, Base
from tests.path import acts
from tests.path.kill_kinds import (
    ActorChanged,
    Application,
    Asking,
    Clock,
    Closed,
    Compared,
    Counted,
    Delivery,
    Erasing,
    Hearing,
    Import,
    Kill,
    OfConduct,
    OpenAgain,
    Paying,
    Quarter,
    Resending,
    Returned,
    Sealing,
    Stray,
    ToChannel,
    Verified,
    Verifying,
)
from tests.path.on_record import (
    ACCUSED,
    APPEALED,
    ERASURE_PROPOSED,
    FAILING,
    IN_CERTIFYING,
    IN_DEPOSIT,
    IN_PUBLISHING,
    IN_RENEWAL_SUPPLEMENT,
    IN_REVIEW,
    IN_SETTLEMENT,
    IN_SUPPLEMENT,
    IN_VALID,
    NOT_CONFIRMED,
    OBJECTED,
    PAID_BY_ANOTHER,
    RECTIFYING,
    REFUND_ORDERED,
    REJECTED,
    RENEWED,
    RENEWING,
    RENEWING_LATE,
    RETURN_PAID,
    REVIEW_TAKEN,
    REVOCATION_PROPOSED,
    REVOKED_APPEALED,
    SHORT,
    SUSPENDED,
    SUSPENDED_FOR_IT,
    TO_BE_VERIFIED,
    UNDECIDED,
    VERIFIED_LONG_AGO,
    VIOLATION_DECIDED,
    WITHDRAWN,
    Record,
    reach,
)
from workers.callbacks import THE_BANK


def _command(kind: type[Command], who: Any, **fields: Any) -> Callable[[Base], Command]:
    def made(base: Base) -> Command:
        command: Command = base.command(kind, who, **fields)
        return command

    return made


def _supplement(base: Base) -> Command:
    return _command(Supplement, APPLICANT, submission=acts.changed(base))(base)


def _document(base: Base) -> str:
    return base.documents.put(b"%PDF-1.4 seen and signed %%EOF")


def _extension(base: Base) -> Command:
    due = base.case.deposit_due_on
    assert due is not None
    to = due + timedelta(days=7)
    return _command(ExtendDeadline, OPERATOR, deadline="deposit", to=to, reason="the bank moves house")(base)


def _renewal(base: Base) -> Command:
    return _command(Renew, APPLICANT, from_last_day=base.case.terms[-1].last_day)(base)


def _approval(base: Base) -> Command:
    (proposal,) = base.case.open_proposals
    return _command(ApproveProposal, CERTIFIER, proposal=proposal.id, content=proposal.content)(base)


def _denial(base: Base) -> Command:
    (proposal,) = base.case.open_proposals
    return _command(DenyProposal, CERTIFIER, proposal=proposal.id, reason="not proven")(base)


def _correction(base: Base) -> Command:
    return _command(Correct, OPERATOR, submission=acts.renamed(base, "义乌新北苑直播基地"))(base)


def _decision(base: Base) -> Command:
    period = base.case.assessments[-1].period
    return _command(DecideAssessment, COMPLIANCE, period=period, outcome="pass", **_REASON)(base)


def _of_conduct(base: Base, kind: type[Command], who: Any, **fields: Any) -> Command:
    return _command(kind, who, conduct=base.case.conduct[-1].id, **fields)(base)


def _ending(base: Base) -> str:
    assert base.case.ending is not None
    return base.case.ending.decision


def _appeal(base: Base) -> Command:
    return _command(FileAppeal, APPLICANT, decision=_ending(base), statement="the rooms are real")(base)


def _sent_back(base: Base) -> Command:
    """The other bank has returned what we returned to it."""
    one = base.case.refunds[-1]
    return _command(ReportRefund, THE_BANK, refund=one.id, state="returned", amount=one.amount)(base)


def _of_another(kind: type[Command], base: Base) -> Command:
    """About the money somebody else has paid."""
    reference = base.case.unmatched_payments[0].reference
    return _command(kind, FINANCE, reference=reference, **_REASON)(base)


_REASON = {"reason": "it was decided so"}
PUBLICATION_FAILED = reach(IN_PUBLISHING, Record.publication_failed)
NEAR_THE_END = timedelta(days=330)
AFTER_THE_YEAR = timedelta(days=367)
AFTER_HALF_A_YEAR = timedelta(days=200)

COMMANDS = {
    "apply": Application("apply", to=None),
    "supplement": Kill("supplement", IN_SUPPLEMENT, _supplement),
    "withdraw": Kill("withdraw", IN_REVIEW, _command(Withdraw, APPLICANT, **_REASON)),
    "take_review": Kill("take_review", IN_REVIEW, _command(TakeReview, REVIEWER)),
    "release_review": Kill("release_review", REVIEW_TAKEN, _command(ReleaseReview, REVIEWER)),
    "approve": Kill("approve", IN_REVIEW, _command(Approve, REVIEWER, revision=1)),
    "request_supplement": Kill(
        "request_supplement", IN_REVIEW, _command(RequestSupplement, REVIEWER, revision=1, items=acts.FLOOR_PLAN)
    ),
    "reject": Kill("reject", IN_REVIEW, _command(Reject, REVIEWER, revision=1, **_REASON)),
    "receive_deposit": Kill("receive_deposit", IN_DEPOSIT, acts.payment),
    "assign_payment": Kill("assign_payment", PAID_BY_ANOTHER, lambda base: _of_another(AssignPayment, base)),
    "return_payment": Kill("return_payment", PAID_BY_ANOTHER, lambda base: _of_another(ReturnPayment, base)),
    "reverse_payment": Kill("reverse_payment", PAID_BY_ANOTHER, lambda base: _of_another(ReversePayment, base)),
    "refund_deposit": Kill(
        "refund_deposit",
        IN_SETTLEMENT,
        lambda base: _command(RefundDeposit, FINANCE, amount=base.case.deposit.held, **_REASON)(base),
    ),
    "report_refund": Kill("report_refund", RETURN_PAID, _sent_back),
    "deduct_deposit": Kill(
        "deduct_deposit",
        VIOLATION_DECIDED,
        lambda base: _command(DeductDeposit, FINANCE, amount=2_000_000, violation=base.case.conduct[0].id, **_REASON)(
            base
        ),
    ),
    "certify": Kill("certify", IN_CERTIFYING, _command(Certify, CERTIFIER)),
    "refuse_certification": Kill(
        "refuse_certification", IN_CERTIFYING, _command(RefuseCertification, CERTIFIER, **_REASON)
    ),
    "publish, again": Kill("publish", PUBLICATION_FAILED, _command(Publish, OPERATOR)),
    "publish, with evidence": Kill(
        "publish", PUBLICATION_FAILED, lambda base: _command(Publish, OPERATOR, evidence=_document(base))(base)
    ),
    "renew": Kill("renew", IN_VALID, _renewal, ago=NEAR_THE_END),
    "approve_renewal": Kill(
        "approve_renewal", RENEWING, _command(ApproveRenewal, REVIEWER, revision=1), ago=NEAR_THE_END
    ),
    "request_renewal_supplement": Kill(
        "request_renewal_supplement",
        RENEWING,
        _command(RequestRenewalSupplement, REVIEWER, revision=1, items=acts.FLOOR_PLAN),
        ago=NEAR_THE_END,
    ),
    "reject_renewal": Kill(
        "reject_renewal", RENEWING, _command(RejectRenewal, REVIEWER, revision=1, **_REASON), ago=NEAR_THE_END
    ),
    "object_assessment": Kill(
        "object_assessment", FAILING, _command(ObjectAssessment, APPLICANT, statement="two merchants are missing")
    ),
    "decide_assessment": Kill("decide_assessment", OBJECTED, _decision),
    "confirm_marks": Kill(
        "confirm_marks",
        IN_VALID,
        lambda base: _command(ConfirmMarks, APPLICANT, evidence=(_document(base),))(base),
        ago=AFTER_THE_YEAR,
    ),
    "suspend": Kill("suspend", IN_VALID, _command(Suspend, COMPLIANCE, **_REASON)),
    "reinstate": Kill("reinstate", SUSPENDED, _command(Reinstate, COMPLIANCE, **_REASON)),
    "surrender": Kill("surrender", IN_VALID, _command(Surrender, APPLICANT, **_REASON)),
    "dissolve": Kill("dissolve", IN_VALID, _command(Dissolve, OPERATOR, **_REASON)),
    "revoke": Kill("revoke", IN_VALID, _command(Revoke, COMPLIANCE, **_REASON)),
    "approve_proposal": Kill("approve_proposal", REVOCATION_PROPOSED, _approval),
    "deny_proposal": Kill("deny_proposal", REVOCATION_PROPOSED, _denial),
    "report_conduct": OfConduct(
        "report_conduct",
        IN_VALID,
        lambda base: _command(
            ReportConduct,
            COMPLIANCE,
            conduct=f"{base.case.case_number}-C1",
            rule="R6",
            trigger="breach",
            severity="serious",
            found_on=shanghai_date(base.case.opened_at),
            facts="organised brushing",
            evidence=(_document(base),),
        )(base),
    ),
    "respond_conduct": OfConduct(
        "respond_conduct",
        ACCUSED,
        lambda base: _of_conduct(base, RespondConduct, APPLICANT, statement="it has stopped"),
    ),
    "decide_conduct": OfConduct(
        "decide_conduct",
        UNDECIDED,
        lambda base: _of_conduct(base, DecideConduct, COMPLIANCE, outcome="rectification", **_REASON),
    ),
    "authorise": Kill(
        "authorise",
        IN_VALID,
        lambda base: _command(
            Authorise,
            CERTIFIER,
            activity="a festival",
            until=shanghai_date(base.case.opened_at) + timedelta(days=30),
            evidence=(_document(base),),
        )(base),
    ),
    "file_appeal": Kill("file_appeal", REJECTED, _appeal),
    "decide_appeal": Kill("decide_appeal", APPEALED, _command(DecideAppeal, CERTIFIER, outcome="set-aside", **_REASON)),
    "set_aside": Kill(
        "set_aside",
        REJECTED,
        lambda base: _command(SetAside, COMPLIANCE, decision=_ending(base), **_REASON)(base),
    ),
    "waive_cooling_off": Kill("waive_cooling_off", REJECTED, _command(WaiveCoolingOff, COMPLIANCE, **_REASON)),
    "erase_documents": Closed("erase_documents", WITHDRAWN, _command(EraseDocuments, COMPLIANCE, **_REASON)),
    "erasure_approved": Erasing("approve_proposal", ERASURE_PROPOSED, lambda base: acts.approval(base, OPERATOR)),
    "check_marks": Kill(
        "check_marks", IN_VALID, _command(CheckMarks, COMPLIANCE, result="the sign is gone"), ago=AFTER_THE_YEAR
    ),
    "accept_verification": Kill(
        "accept_verification", NOT_CONFIRMED, _command(AcceptVerification, COMPLIANCE, **_REASON)
    ),
    "correct": Kill("correct", IN_VALID, _correction),
    "assign": Kill("assign", IN_REVIEW, _command(Assign, OPERATOR, to="zhou", **_REASON)),
    "extend_deadline": Kill("extend_deadline", IN_DEPOSIT, _extension),
    "dismiss_complaint": Kill(
        "dismiss_complaint",
        IN_VALID,
        lambda base: _command(DismissComplaint, COMPLIANCE, complaint=acts.complained(base), **_REASON)(base),
    ),
    "add_note": Kill("add_note", IN_REVIEW, _command(AddNote, REVIEWER, text="called them")),
    "resend_letters": Resending("resend_letters", IN_REVIEW, _command(ResendLetters, OPERATOR)),
}
"""What people do."""

_DUE_IN = {
    Event.REMIND_REVIEWER: IN_REVIEW,
    Event.ESCALATE_REVIEW: IN_REVIEW,
    Event.REMIND_SUPPLEMENT: IN_SUPPLEMENT,
    Event.LAPSE_SUPPLEMENT: IN_SUPPLEMENT,
    Event.REMIND_DEPOSIT: IN_DEPOSIT,
    Event.LAPSE_DEPOSIT: IN_DEPOSIT,
    Event.REMIND_TOP_UP: SHORT,
    Event.SUSPEND_SHORT_DEPOSIT: SHORT,
    Event.ESCALATE_CERTIFICATION: IN_CERTIFYING,
    Event.ESCALATE_PUBLICATION: IN_PUBLISHING,
    Event.RECORD_PUBLICATION_BREACH: IN_PUBLISHING,
    Event.REMIND_RENEWAL: IN_VALID,
    Event.REMIND_RENEWAL_REVIEWER: RENEWING,
    Event.ESCALATE_RENEWAL: RENEWING,
    Event.REMIND_RENEWAL_SUPPLEMENT: IN_RENEWAL_SUPPLEMENT,
    Event.LAPSE_RENEWAL: IN_RENEWAL_SUPPLEMENT,
    Event.BEGIN_TERM: RENEWED,
    Event.REMIND_FIGURES: IN_VALID,
    Event.ESCALATE_FIGURES: IN_VALID,
    Event.END_OBJECTION: FAILING,
    Event.ESCALATE_ASSESSMENT: OBJECTED,
    Event.EXPIRE_CERTIFICATION: IN_VALID,
    Event.CLOSE_LATE_RENEWAL: RENEWING_LATE,
    Event.EXPIRE_PROPOSAL: REVOCATION_PROPOSED,
    Event.ESCALATE_MARKS: IN_VALID,
    Event.ESCALATE_SETTLEMENT: IN_VALID,
    Event.ESCALATE_APPEAL: APPEALED,
    Event.CLOSE_CASE: REJECTED,
}
OF_ITSELF = {event.value: Kill(event.value, _DUE_IN[event], due=event) for event in RULES} | {
    "record_publication": Kill("record_publication", IN_PUBLISHING),
    "record_refund": Kill("record_refund", REFUND_ORDERED),
    "record_verification": Kill("record_verification", TO_BE_VERIFIED),
    "record_publication_failure": Kill("record_publication_failure", IN_PUBLISHING, channel_down=True, alone=True),
}
"""What comes of itself."""

OF_CONDUCT = {
    "end_answer": OfConduct("end_answer", ACCUSED, ago=timedelta(days=25)),
    "escalate_conduct": OfConduct("escalate_conduct", UNDECIDED, ago=timedelta(days=40)),
    "suspend_uncorrected": OfConduct("suspend_uncorrected", RECTIFYING, ago=timedelta(days=40)),
    "ask_for_revocation": OfConduct("ask_for_revocation", SUSPENDED_FOR_IT, ago=timedelta(days=90)),
    "run_conduct": OpenAgain(
        "run_conduct",
        REVOKED_APPEALED,
        _command(DecideAppeal, CERTIFIER, outcome="set-aside", **_REASON),
        commits=(),
    ),
    "read_case": OfConduct("read_case", ACCUSED, commits=()),
}
"""What comes of itself in a conduct case."""

RETURNS = {
    name: Returned(name, IN_DEPOSIT)
    for name in (
        *("propose_return", "approve_return", "deny_return", "expire_return"),
        *("report_return", "record_return"),
    )
}
"""What is done for the return of money of no case."""

OTHERS = {
    "announce_base": Asking("announce_base", IN_PUBLISHING, commits=(), alone=True),
    "ask_bank_for_refund": Paying("ask_bank_for_refund", REFUND_ORDERED, commits=(), alone=True),
    "ask_verification": Verified("ask_verification", TO_BE_VERIFIED, commits=(), verifies=True, alone=True),
    "due_verifications": Verifying(
        "due_verifications", VERIFIED_LONG_AGO, ago=AFTER_HALF_A_YEAR, commits=(), verifies=True, alone=True
    ),
    "record_recheck": Verifying(
        "record_recheck", VERIFIED_LONG_AGO, ago=AFTER_HALF_A_YEAR, commits=(2,), verifies=True, alone=True
    ),
    "record_clock": Clock("record_clock"),
    "import_calendar": Import("import_calendar", alone=True),
    "tell_live_cases": Import("tell_live_cases", commits=(), alone=True),
    "count_cases_left": Import("count_cases_left", commits=(), alone=True),
    "recount_deadlines": Import("recount_deadlines", alone=True),
    "record_unplaced": Stray("record_unplaced", IN_DEPOSIT),
    "read_unplaced": Stray("read_unplaced", IN_DEPOSIT, commits=()),
    **RETURNS,
    "ask_bank_for_return": Returned("ask_bank_for_return", IN_DEPOSIT, commits=()),
    "record_assessment": Hearing("record_assessment", IN_VALID),
    "import_figures": Quarter("import_figures", alone=True),
    "confirm_period": Quarter("confirm_period", alone=True),
    "tell_bases": Quarter("tell_bases", commits=(), alone=True),
    "claim_letters": Delivery("claim_letters", alone=True),
    "send_letters": Delivery("send_letters", commits=(1, 2, 3, 4), alone=True),
    "seal_audit_log": Sealing("seal_audit_log", alone=True),
    "waiting_entries": ToChannel("waiting_entries", IN_VALID, commits=(), public=True, alone=True),
    "deliver_entries": ToChannel("deliver_entries", IN_VALID, commits=(1, 2), public=True, alone=True),
    "compare_channel": Compared("compare_channel", IN_VALID, commits=(1, 2, 3), public=True, alone=True),
    "change_actor": ActorChanged("change_actor", alone=True),
    "take_census": Counted("take_census", alone=True),
}
"""What is asked outside, and what is for all cases."""

KILLS: dict[str, Kill] = COMMANDS | OF_ITSELF | OF_CONDUCT | OTHERS
