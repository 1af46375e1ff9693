"""May this command be tried on this case, now? The checks that need nothing but the case (decision 32).

Transactions run them against the stored case, workflow validators before a command is accepted where their run is
sure to know all of it; in the fixed order: permission (4), expectation (8), stage and rules (5).
"""

from __future__ import annotations

from collections.abc import Callable

from domain.case import Case
from domain.commands import Command
from domain.money import format_cny
from domain.names import same_name
from domain.permissions import ROLES, SECOND_PERSON, require_may_decide, require_permission
from domain.proposals import changed_since
from domain.refusals import Refusal, RefusalKind
from domain.shanghai import SHANGHAI
from domain.stages import Role, Stage, Standing

_BEFORE_TERM = frozenset({Stage.REVIEW, Stage.SUPPLEMENT, Stage.DEPOSIT, Stage.CERTIFYING})
_IN_TERM = frozenset({Stage.PUBLISHING, Stage.VALID})
_ENDED = frozenset({Stage.SETTLING})
_AFTER_CERTIFICATION = _IN_TERM | {Stage.RENEWAL_LATE, Stage.SETTLING}
_RENEWING = _IN_TERM | {Stage.RENEWAL_LATE}

STAGES: dict[str, frozenset[Stage]] = {
    "supplement": _RENEWING | {Stage.SUPPLEMENT},
    "withdraw": _BEFORE_TERM,
    "take_review": frozenset({Stage.REVIEW}),
    "release_review": frozenset({Stage.REVIEW}),
    "approve": frozenset({Stage.REVIEW}),
    "request_supplement": frozenset({Stage.REVIEW}),
    "reject": frozenset({Stage.REVIEW}),
    "receive_deposit": frozenset(Stage),
    "assign_payment": frozenset(Stage),
    "return_payment": frozenset(Stage),
    "reverse_payment": frozenset(Stage),
    "deduct_deposit": _AFTER_CERTIFICATION,
    "refund_deposit": frozenset({Stage.SETTLING}),
    "report_refund": frozenset(Stage),
    "certify": frozenset({Stage.CERTIFYING}),
    "refuse_certification": frozenset({Stage.CERTIFYING}),
    "publish": _IN_TERM,
    "renew": _RENEWING | {Stage.SETTLING},
    "approve_renewal": _RENEWING,
    "request_renewal_supplement": _RENEWING,
    "reject_renewal": _RENEWING,
    "suspend": _IN_TERM,
    "reinstate": _IN_TERM,
    "surrender": _IN_TERM,
    "dissolve": _BEFORE_TERM | _IN_TERM,
    "revoke": _IN_TERM,
    "report_conduct": _AFTER_CERTIFICATION,
    "respond_conduct": _AFTER_CERTIFICATION,
    "decide_conduct": _AFTER_CERTIFICATION,
    "authorise": _IN_TERM,
    "file_appeal": _ENDED,
    "decide_appeal": _ENDED,
    "set_aside": _ENDED | {Stage.CLOSED},
    "waive_cooling_off": frozenset({Stage.SETTLING, Stage.CLOSED}),
    "erase_documents": frozenset({Stage.CLOSED}),
    "approve_proposal": frozenset(Stage),
    "deny_proposal": frozenset(Stage),
    "check_marks": frozenset({Stage.RENEWAL_LATE, Stage.SETTLING, Stage.CLOSED}),
    "accept_verification": _RENEWING,
    "correct": _IN_TERM,
    "object_assessment": _RENEWING,
    "decide_assessment": _RENEWING,
    "confirm_marks": frozenset({Stage.RENEWAL_LATE, Stage.SETTLING}),
    "assign": _BEFORE_TERM | _RENEWING,
    "extend_deadline": _RENEWING | {Stage.SUPPLEMENT, Stage.DEPOSIT, Stage.SETTLING},
    "add_note": frozenset(Stage),
    "dismiss_complaint": frozenset(Stage),
    "resend_letters": frozenset(Stage),
}
"""Action → the stages in which it is possible. `apply` needs a case that does not exist yet."""

EXTENDABLE = {
    "supplement": "supplement",
    "renewal_supplement": "supplement",
    "deposit": "deposit",
    "rectify": "rectification",
    "confirm_marks": "marks",
}
"""An applicant's task → the name its deadline goes by when it is extended."""


def _has_deadline(case: Case) -> bool:
    return any(task.kind in EXTENDABLE for task in case.tasks)


def _asks_supplement(case: Case) -> bool:
    return case.stage is Stage.SUPPLEMENT or (case.renewal is not None and case.renewal.awaits == "supplement")


def _may_renew(case: Case) -> bool:
    return case.ending is None or case.ending.kind is Standing.EXPIRED


def _awaits_renewal_review(case: Case) -> bool:
    return case.renewal is not None and case.renewal.awaits == "review"


def _may_object(case: Case) -> bool:
    return any(one.state == "provisional" and one.result == "fail" for one in case.assessments)


def _awaits_decision(case: Case) -> bool:
    return any(one.state in ("unknown", "objected") for one in case.assessments)


def _suspended_by_compliance(case: Case) -> bool:
    return case.hold("compliance") is not None


def _has_proposal(case: Case) -> bool:
    return bool(case.open_proposals)


def _is_appealable(case: Case) -> bool:
    return case.ending is not None and case.ending.kind in _APPEALABLE


def _was_decided_by_us(case: Case) -> bool:
    return case.ending is not None and case.ending.kind in DECIDED_BY_US


def _has_verification_to_check(case: Case) -> bool:
    return any(task.kind == "check_verification" for task in case.tasks)


def _owes_marks(case: Case) -> bool:
    return case.marks is not None and case.marks.confirmed_at is None


_APPEALABLE = frozenset({Standing.REJECTED, Standing.REVOKED, Standing.INVALID})
DECIDED_BY_US = _APPEALABLE | {Standing.DISSOLVED}
"""Endings by a decision of ours, which can be set aside (decision 34)."""


def _has_conduct(case: Case) -> bool:
    return bool(case.open_conduct)


def _has_payment(case: Case) -> bool:
    return bool(case.credited or case.unmatched_payments)


def _may_be_erased(case: Case) -> bool:
    deposit = case.deposit
    settled = not (deposit.held or deposit.unmatched or deposit.return_pending)
    at_stake = any(proposal.action != "erase_documents" for proposal in case.open_proposals)
    return settled and not at_stake and not case.open_conduct and case.documents_erased is None


NEEDS_DOCUMENTS = frozenset({"set_aside", "add_note", "resend_letters"})
"""What is possible after a case has closed, but no more when its documents were erased."""

_NO_CONDUCT = "There is no open conduct case on this base."
_NOTHING_UNMATCHED = "No payment on this case fits nowhere."
_NO_PROPOSAL = "Nothing on this case waits for a second person."

_CONDITIONS: dict[str, tuple[Callable[[Case], bool], str]] = {
    "supplement": (_asks_supplement, "No supplement has been asked for; a reviewer decides on the revision handed in."),
    "extend_deadline": (_has_deadline, "The applicant has no open deadline."),
    "renew": (_may_renew, "Only a certification that has expired can be renewed late."),
    "approve_renewal": (_awaits_renewal_review, "No renewal waits for a reviewer."),
    "request_renewal_supplement": (_awaits_renewal_review, "No renewal waits for a reviewer."),
    "reject_renewal": (lambda case: case.renewal is not None, "No renewal is under way."),
    "suspend": (lambda case: not _suspended_by_compliance(case), "Compliance has suspended the base already."),
    "reinstate": (_suspended_by_compliance, "Compliance has not suspended the base."),
    "report_conduct": (lambda case: bool(case.terms), "The base was never certified."),
    "respond_conduct": (_has_conduct, _NO_CONDUCT),
    "decide_conduct": (_has_conduct, _NO_CONDUCT),
    "return_payment": (lambda case: bool(case.unmatched_payments), _NOTHING_UNMATCHED),
    "reverse_payment": (_has_payment, "No payment is on this case."),
    "refund_deposit": (lambda case: case.deposit.available > 0, "Nothing of the deposit is held."),
    "report_refund": (lambda case: bool(case.refunds), "No refund was ever ordered on this case."),
    "deduct_deposit": (lambda case: bool(case.conduct), "No violation has been reported on this base."),
    "accept_verification": (_has_verification_to_check, "The base's verification waits for nobody."),
    "file_appeal": (_is_appealable, "How this case ended cannot be appealed (decision 28)."),
    "decide_appeal": (lambda case: case.open_appeal is not None, "No appeal is open."),
    "set_aside": (_was_decided_by_us, "How this case ended was no decision of ours."),
    "erase_documents": (
        _may_be_erased,
        "Its documents are erased, its money is not settled, or a conduct case or a proposal is open.",
    ),
    "approve_proposal": (_has_proposal, _NO_PROPOSAL),
    "deny_proposal": (_has_proposal, _NO_PROPOSAL),
    "confirm_marks": (_owes_marks, "There is no open stop-using-marks duty on this case."),
    "check_marks": (lambda case: case.marks is not None, "There is no stop-using-marks duty on this case."),
    "object_assessment": (_may_object, "The base has no provisional fail to object to."),
    "decide_assessment": (_awaits_decision, "No assessment waits for a decision."),
}
"""Action → what must be so within those stages, and what its sender hears when it is not."""

_ANSWERABLE = frozenset({"answer", "rectification", "suspended"})
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
    if command.action == "decide_appeal":
        require_no_part(case, command.actor.name)
    _require_decision(case, command)
    _require_proposal(case, command)
    _require_conduct(case, command)
    _require_revision(case, command)
    _require_last_day(case, command)
    _require_stage(case, command)
    holder = case.review_held_by
    if command.action in _REVIEWERS_ACTS and holder is not None and not same_name(holder, command.actor.name):
        raise Refusal(
            RefusalKind.REVIEW_HELD,
            f"{holder} holds this review.",
            f"Ask {holder} to decide or to run: livebase review release {case.case_number}",
        )


def require_whole(case: Case, when: str) -> None:
    """Refuse (5) what only a full deposit allows."""
    if case.deposit.missing:
        raise Refusal(
            RefusalKind.DEPOSIT_NOT_WHOLE,
            f"The deposit must be whole {when}; CNY {format_cny(case.deposit.missing)} is lacking.",
            f"See it with: livebase deposit show {case.case_number}",
        )


def require_second_person(case: Case, certifier: str) -> None:
    """Refuse (exit 4) to have a base certified by whoever approved its application."""
    if case.decided is not None and same_name(case.decided.by, certifier):
        raise Refusal(
            RefusalKind.SECOND_PERSON_REQUIRED,
            "The reviewer who approved the application cannot certify the base (decision 18).",
            f"Ask a certifier other than {case.decided.by}.",
        )


def _require_proposal(case: Case, command: Command) -> None:
    """Refuse who may not decide on a proposal (4), and a decision on another one than is open now (3, 8, 5)."""
    id = getattr(command, "proposal", None)
    if id is None:
        return
    proposal, shown = case.proposal(id), f"See it with: livebase approvals show {id}"
    if proposal is None:
        hint = "See what waits for a second person with: livebase approvals"
        raise Refusal(RefusalKind.NOT_FOUND, f"Case {case.case_number} has no proposal {id}.", hint)
    approves = command.action == "approve_proposal"
    require_may_decide(proposal.action, proposal.proposed_by, command.actor, approves=approves)
    if proposal.outcome in ("approved", "denied"):
        raise Refusal(RefusalKind.ALREADY_DECIDED, f"The proposal {id} has been {proposal.outcome} already.", shown)
    other_content = getattr(command, "content", proposal.content) != proposal.content
    changed = changed_since(case, proposal) if approves and proposal.outcome is None else ()
    if other_content or changed or proposal.outcome == "overtaken":
        raise Refusal(
            RefusalKind.PROPOSAL_CHANGED,
            f"The proposal {id} is not what the approval saw."
            if other_content
            else f"The case has changed since the proposal {id} was made"
            + (f": {', '.join(changed)}." if changed else "."),
            f"{shown}; when the case has changed, it has to be proposed anew.",
        )
    if proposal.outcome == "expired":
        raise Refusal(RefusalKind.TOO_LATE, f"The proposal {id} has expired.", "It may be proposed anew.")


def require_no_part(case: Case, name: str) -> None:
    """Refuse (4) to have an appeal decided by who took part in what is appealed, or appeals it (decision 28)."""
    barred = no_judges(case)
    if any(same_name(one, name) for one in barred):
        raise Refusal(
            RefusalKind.SECOND_PERSON_REQUIRED,
            f"{name} took part in the decision that is appealed, or appeals it.",
            f"Somebody who did not must decide: not {', '.join(barred)}.",
        )


def no_judges(case: Case) -> tuple[str, ...]:
    """Who may not decide on the case's appeal, under whatever role: who took part in the decision, and who appeals."""
    parties = (case.applicant, case.appeal.filed_by if case.appeal else "")
    return tuple(dict.fromkeys(name for name in (*(case.ending.by if case.ending else ()), *parties) if name))


def _require_decision(case: Case, command: Command) -> None:
    """Only the decision that ended the case is appealed or set aside: a suspension is lifted by reinstating."""
    named = getattr(command, "decision", None)
    if named is None or case.ending is None or not _was_decided_by_us(case):
        return
    if named != case.ending.decision:
        raise Refusal(
            RefusalKind.DECISION_STALE,
            f"The case ended by the decision {case.ending.decision}; {named} is named.",
            f"See it with: livebase why {case.case_number}",
        )


def _require_conduct(case: Case, command: Command) -> None:
    """Refuse an answer or a decision the conduct case is not waiting for (3, 5)."""
    id = getattr(command, "conduct", None)
    if id is None or command.action == "report_conduct":
        return
    conduct, shown = case.conduct_case(id), f"See it with: livebase conduct show {id}"
    if conduct is None:
        hint = "See them with: livebase conduct list"
        raise Refusal(RefusalKind.NOT_FOUND, f"Case {case.case_number} has no conduct case {id}.", hint)
    if conduct.state == "closed":
        message = f"The conduct case {id} is closed: {conduct.outcome}."
        raise Refusal(RefusalKind.ALREADY_DECIDED, message, shown)
    if command.action == "respond_conduct" and conduct.state not in _ANSWERABLE:
        late = conduct.state == "decision" and conduct.unanswered
        kind = RefusalKind.TOO_LATE if late else RefusalKind.WRONG_STAGE
        message = "The time to answer is over." if late else "Compliance decides on what was handed in."
        raise Refusal(kind, f"The conduct case {id} waits for no answer. {message}", shown)
    outcome = getattr(command, "outcome", None)
    if outcome is not None and outcome not in conduct.possible:
        possible = ", ".join(sorted(conduct.possible)) or "none before the base has answered or its time is over"
        raise Refusal(
            RefusalKind.OUTCOME_NOT_OPEN,
            f"{outcome} cannot be decided on a {conduct.severity} violation in state {conduct.state}.",
            f"Possible now: {possible}. {shown}",
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
    if command.action in _REVIEWERS_ACTS and case.decided is not None and case.decided.revision == revision:
        raise Refusal(
            RefusalKind.ALREADY_DECIDED,
            f"Revision {revision} has been decided already: {case.decided.outcome} by {case.decided.by}.",
            f"See it with: livebase show {case.case_number}",
        )


def _require_last_day(case: Case, command: Command) -> None:
    """A renewal names the day it renews from, so that none is filed twice by mistake (decision 24)."""
    named = getattr(command, "from_last_day", None)
    if named is None or case.term is None or case.term.last_day == named:
        return
    raise Refusal(
        RefusalKind.END_DATE_STALE,
        f"The certification runs through {case.term.last_day}; the renewal names {named}.",
        f"See it with: livebase show {case.case_number}",
    )


def _possible(case: Case, action: str) -> bool:
    if case.documents_erased is not None and action in NEEDS_DOCUMENTS:
        return False
    return case.stage in STAGES[action] and (action not in _CONDITIONS or _CONDITIONS[action][0](case))


def _require_stage(case: Case, command: Command) -> None:
    if _possible(case, command.action):
        return
    shown = f"See it with: livebase show {case.case_number}"
    if case.documents_erased is not None and command.action in NEEDS_DOCUMENTS:
        day = f"{case.documents_erased.astimezone(SHANGHAI):%Y-%m-%d}"
        message = f"The documents of case {case.case_number} were erased on {day}; it can't be taken up any more."
        raise Refusal(RefusalKind.ALREADY_ENDED, message, shown)
    if case.ending is not None and case.stage is not Stage.RENEWAL_LATE:
        kind = RefusalKind.ALREADY_ENDED
        if command.action == "supplement" and case.ending.cause == "supplement_overdue":
            kind, shown = RefusalKind.TOO_LATE, f"A new application is possible: livebase apply FILE. {shown}"
        day = f"{case.ending.legal_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
        message = f"Case {case.case_number} ended as {case.ending.kind} on {day}."
        if command.action in _CONDITIONS and case.stage in STAGES[command.action]:
            message = f"{message} {_CONDITIONS[command.action][1]}"
        raise Refusal(kind, message, shown)
    in_review = {Stage.REVIEW} if command.action == "supplement" else set()
    if command.action in _CONDITIONS and case.stage in STAGES[command.action] | in_review:
        message = _CONDITIONS[command.action][1]
    else:
        possible = " or ".join(sorted(STAGES[command.action]))
        message = f"Case {case.case_number} is in stage {case.stage}; this is possible in {possible}."
    raise Refusal(RefusalKind.WRONG_STAGE, message, shown)


def open_to(case: Case) -> dict[str, frozenset[Role]]:
    """Which commands are possible in the case's stage, and for which people's roles. For `next` and Temporal Web."""
    roles = {action: _roles(case, action) for action in STAGES if _possible(case, action)}
    return {action: own for action, own in roles.items() if not own <= {Role.BANK}}


def _roles(case: Case, action: str) -> frozenset[Role]:
    """Who may use a command: of those for a second person, whom what waits now waits for."""
    if action not in ("approve_proposal", "deny_proposal"):
        return ROLES[action]
    return frozenset(role for proposal in case.open_proposals for role in SECOND_PERSON[proposal.action].roles)
