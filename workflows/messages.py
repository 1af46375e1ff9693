"""The one contract between callers and a case: workflow, updates, and how a refusal travels.

Every act of a person is an update of the certification workflow, named like its command's `action`, with the
command as its one argument and an `Answer` as its result; its update id is `command.update_id(…)`. `apply` is
an update-with-start. The models' JSON schemas are locked by a test: fields are only added, with defaults
that never change once released.

Machines signal: `calendar_changed` with a `NoticeReference`, sent by the workflow of a notice's import, whose one
update is `import_calendar` (an update-with-start as well), with an `ImportAnswer` as its result; and `assessment_news`
with an `AssessmentNews`, sent by the workflow of a quarter, whose updates are `import_figures` and `confirm_period`
(with a start as well), with a `PeriodAnswer` as their result. The workflow of a payment that is no case's has
`record_unplaced`, and for its return `return_payment`, `approve_proposal`, `deny_proposal` and `report_refund` (all
with a start), with an `UnplacedAnswer` as their result. `case_changed` tells any of them that its record was changed by
another one.

A refusal is an application error whose type is the refusal's kind and whose one detail is a `RefusalDetail`.
"""

from __future__ import annotations

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from domain.commands import (
    AcceptVerification,
    AddNote,
    Apply,
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
from domain.refusals import Refusal, RefusalDetail, RefusalKind

WORKFLOW = "Certification"
IMPORT_WORKFLOW = "CalendarNotice"
ASSESSMENT_WORKFLOW = "AssessedPeriod"
CONDUCT_WORKFLOW = "Conduct"
ACTORS_WORKFLOW = "Actors"
UNPLACED_WORKFLOW = "UnplacedPayment"
TASK_QUEUE = "livebase"
"""Where cases and their transactions run."""

COMMANDS: tuple[type[Command], ...] = (
    Apply,
    Supplement,
    Withdraw,
    TakeReview,
    ReleaseReview,
    Approve,
    RequestSupplement,
    Reject,
    ReceiveDeposit,
    AssignPayment,
    ReturnPayment,
    ReversePayment,
    DeductDeposit,
    RefundDeposit,
    ReportRefund,
    Certify,
    RefuseCertification,
    Publish,
    Renew,
    ApproveRenewal,
    RequestRenewalSupplement,
    RejectRenewal,
    Correct,
    Suspend,
    Reinstate,
    Surrender,
    Dissolve,
    Revoke,
    ApproveProposal,
    DenyProposal,
    ObjectAssessment,
    DecideAssessment,
    ConfirmMarks,
    Authorise,
    FileAppeal,
    DecideAppeal,
    SetAside,
    WaiveCoolingOff,
    EraseDocuments,
    CheckMarks,
    AcceptVerification,
    Assign,
    ExtendDeadline,
    DismissComplaint,
    AddNote,
    ResendLetters,
)
"""Every command, in process order."""


CONDUCT_COMMANDS: tuple[type[Command], ...] = (ReportConduct, RespondConduct, DecideConduct)
"""The commands of a conduct case, sent to its own workflow."""


def outside_task_queue(task_queue: str) -> str:
    """The task queue of the activities that call parties outside, beside a case's own `task_queue`."""
    return f"{task_queue}-outside"


def refusal_error(refusal: Refusal) -> ApplicationError:
    """The refusal as the error an update or activity fails with; trying again cannot change it."""
    return ApplicationError(
        refusal.message,
        refusal.detail.model_dump(mode="json"),
        type=refusal.kind.value,
        non_retryable=True,
        category=ApplicationErrorCategory.BENIGN,
    )


def refusal_from(error: ApplicationError) -> Refusal | None:
    """The refusal an application error carries, or None when it is some other failure."""
    if not error.details or error.type not in {kind.value for kind in RefusalKind}:
        return None
    return RefusalDetail.model_validate(error.details[0]).refusal()
