"""May this command be tried on this case, now? The checks that need nothing but the case (decision 32).

Workflow validators run them before a command is accepted, handlers again under the lock, transactions once
more against the stored case; in the fixed order: permission (4), expectation (8), stage and rules (5).
"""

from __future__ import annotations

from domain.case import Case
from domain.commands import Command
from domain.names import same_name
from domain.permissions import ROLES, require_permission
from domain.refusals import Refusal, RefusalKind
from domain.shanghai import SHANGHAI
from domain.stages import Role, Stage

_BEFORE_TERM = frozenset({Stage.REVIEW, Stage.SUPPLEMENT, Stage.DEPOSIT, Stage.CERTIFYING})

STAGES: dict[str, frozenset[Stage]] = {
    "supplement": frozenset({Stage.SUPPLEMENT}),
    "withdraw": _BEFORE_TERM,
    "take_review": frozenset({Stage.REVIEW}),
    "release_review": frozenset({Stage.REVIEW}),
    "approve": frozenset({Stage.REVIEW}),
    "request_supplement": frozenset({Stage.REVIEW}),
    "reject": frozenset({Stage.REVIEW}),
    "receive_deposit": frozenset(Stage),
    "certify": frozenset({Stage.CERTIFYING}),
    "refuse_certification": frozenset({Stage.CERTIFYING}),
    "publish": frozenset({Stage.PUBLISHING, Stage.VALID}),
    "confirm_marks": frozenset({Stage.SETTLING}),
    "assign": _BEFORE_TERM | {Stage.PUBLISHING, Stage.VALID},
    "extend_deadline": frozenset({Stage.SUPPLEMENT, Stage.DEPOSIT, Stage.SETTLING}),
    "add_note": frozenset(Stage),
    "resend_letters": frozenset(Stage),
}
"""Action → the stages in which it is possible. `apply` needs a case that does not exist yet."""

_CERTIFIERS_ACTS = frozenset({"certify", "refuse_certification"})
_REVIEWERS_ACTS = frozenset({"take_review", "release_review", "approve", "request_supplement", "reject"})


def judge(case: Case | None, command: Command) -> None:
    """Refuse what can be refused from the case alone; return when the command may be tried."""
    require_permission(command.action, command.actor, case)
    if command.action == "apply":
        if case is not None:
            raise Refusal(
                RefusalKind.CASE_EXISTS,
                f"The enterprise {case.credit_code} has case {case.case_number} (stage {case.stage}).",
                f"See it with: livebase show {case.case_number}",
            )
        return
    if case is None:
        raise Refusal(RefusalKind.NOT_FOUND, "There is no such case.", "Start one with: livebase apply FILE")
    if command.action in _CERTIFIERS_ACTS:
        require_second_person(case, command.actor.name)
    _require_revision(case, command)
    _require_stage(case, command)
    holder = case.review_held_by
    if command.action in _REVIEWERS_ACTS and holder is not None and not same_name(holder, command.actor.name):
        raise Refusal(
            RefusalKind.REVIEW_HELD,
            f"{holder} holds this review.",
            f"Ask {holder} to decide or to run: livebase review release {case.case_number}",
        )


def require_second_person(case: Case, certifier: str) -> None:
    """Refuse (exit 4) to have a base certified by whoever approved its application."""
    if case.decided is not None and same_name(case.decided.by, certifier):
        raise Refusal(
            RefusalKind.SECOND_PERSON_REQUIRED,
            "The reviewer who approved the application cannot certify the base (decision 18).",
            f"Ask a certifier other than {case.decided.by}.",
        )


def _require_revision(case: Case, command: Command) -> None:
    revision = getattr(command, "revision", None)
    if revision is None:
        return
    if revision != case.revision:
        raise Refusal(
            RefusalKind.REVISION_STALE,
            f"The application is at revision {case.revision}; the decision names {revision}.",
            f"Read it again: livebase application show {case.case_number}",
        )
    if case.decided is not None and case.decided.revision == revision:
        raise Refusal(
            RefusalKind.ALREADY_DECIDED,
            f"Revision {revision} has been decided already: {case.decided.outcome} by {case.decided.by}.",
            f"See it with: livebase show {case.case_number}",
        )


def _require_stage(case: Case, command: Command) -> None:
    if case.stage in STAGES[command.action]:
        return
    shown = f"See it with: livebase show {case.case_number}"
    if case.ending is not None:
        kind = RefusalKind.ALREADY_ENDED
        if command.action == "supplement" and case.ending.cause == "supplement_overdue":
            kind = RefusalKind.TOO_LATE
        day = case.ending.legal_at.astimezone(SHANGHAI).isoformat(timespec="seconds")
        raise Refusal(kind, f"Case {case.case_number} ended as {case.ending.kind} on {day}.", shown)
    if command.action == "supplement" and case.stage is Stage.REVIEW:
        message = "No supplement has been asked for; a reviewer decides on the revision handed in."
    else:
        possible = " or ".join(sorted(STAGES[command.action]))
        message = f"Case {case.case_number} is in stage {case.stage}; this is possible in {possible}."
    raise Refusal(RefusalKind.WRONG_STAGE, message, shown)


def open_to(case: Case) -> dict[str, frozenset[Role]]:
    """Which commands are possible in the case's stage, and for which roles. For `next` and Temporal Web."""
    return {action: ROLES[action] for action, stages in STAGES.items() if case.stage in stages}
