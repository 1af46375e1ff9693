"""Opening a case: one live case per enterprise, cooling-off after the last, screening at once (decisions 8, 10, 30)."""

from __future__ import annotations

from datetime import date

from domain.case import Case, Deposit, Ending
from domain.commands import Apply, workflow_id
from domain.conduct import Outcome
from domain.ending import earliest_new_application
from domain.judging import judge
from domain.letters import letter
from domain.money import format_cny
from domain.policy import Policy
from domain.records import ApplicationRevision, KnownBy, ScreeningResult, Transition
from domain.refusals import Refusal, RefusalKind
from domain.review import review_opened
from domain.screening import screen
from domain.setting import Setting, step
from domain.stages import Stage, Standing
from domain.submission import Submission


def require_possible(live: Case | None, last: Case | None, setting: Setting) -> None:
    """Refuse an application beside a live case, or before the cooling-off of the last one is over."""
    require_no_other(live)
    if last is None or last.ending is None:
        return
    if last.open_conduct:
        (first, *_) = last.open_conduct
        raise Refusal(
            RefusalKind.COOLING_OFF,
            f"The conduct case {first.id} of case {last.case_number} is still open; from when a new application is "
            "possible depends on its outcome.",
            "Apply again when it is closed (decision 30).",
        )
    earliest = _earliest(last, last.ending, setting.policy)
    if setting.today < earliest:
        by = earliest_new_application(last.ending.kind, last.ending.legal_at, setting.policy)
        violation = "" if earliest == by else ", its violation deserved a revocation"
        raise Refusal(
            RefusalKind.COOLING_OFF,
            f"Case {last.case_number} ended as {last.ending.kind}{violation}; "
            f"a new application is possible from {earliest}.",
            f"Apply again on {earliest} or later (decision 30).",
        )


def _earliest(last: Case, ending: Ending, policy: Policy) -> date:
    """By how the case ended, and by what was decided on its violations since (decision 30)."""
    revocations = [
        earliest_new_application(Standing.REVOKED, conduct.closed_at, policy)
        for conduct in last.conduct
        if conduct.outcome is Outcome.REVOCATION and conduct.closed_at is not None
    ]
    return max((earliest_new_application(ending.kind, ending.legal_at, policy), *revocations))


def require_no_other(live: Case | None) -> None:
    """Refuse (5) what would leave an enterprise with two cases that have not ended (decision 8)."""
    if live is not None:
        raise Refusal(
            RefusalKind.CASE_EXISTS,
            f"The enterprise {live.credit_code} has a live case: {live.case_number} (stage {live.stage}).",
            f"See it with: livebase show {live.case_number}. One case per enterprise (decision 8).",
        )


def open_case(command: Apply, case_number: str, submission: Submission, setting: Setting) -> Transition:
    """The case as it opens, in document review, with every finding of its first screening."""
    judge(None, command)
    if command.workflow_id != workflow_id(command.credit_code, command.ordinal):
        raise Refusal(
            RefusalKind.INVALID_VALUE,
            "The application is sent to a workflow that is not its enterprise's.",
            "Send the application again with: livebase apply FILE",
        )
    application = submission.application
    if application.credit_code != command.credit_code:
        raise Refusal(
            RefusalKind.INVALID_VALUE,
            "The application's credit code is not the one the command names.",
            "Send the application again with: livebase apply FILE",
        )
    findings = screen(application, setting.policy, as_of=setting.today)
    unopened = Case(
        workflow_id=command.workflow_id,
        case_number=case_number,
        credit_code=command.credit_code,
        name=application.base.name,
        applicant=command.actor.applicant or command.actor.name,
        payer_names=application.payer_names,
        opened_at=setting.now,
        policy_version=setting.policy.version,
        sequence=0,
        revision=1,
        stage=Stage.REVIEW,
        deposit=Deposit(required=setting.policy.deposit_fen),
    )
    opened = review_opened(setting)
    return step(
        unopened,
        setting,
        "application_received",
        command.actor,
        ApplicationRevision(1, command.submission, str(command.actor), application.representative),
        KnownBy({"case_number": case_number, "credit_code": command.credit_code, **application.names}),
        ScreeningResult(1, setting.today, findings, setting.policy.version),
        letter(
            unopened,
            "application_received",
            setting,
            until=opened["tasks"][0].due_at,
            provisional=opened["tasks"][0].provisional,
            policy=setting.policy.version,
            required=format_cny(setting.policy.deposit_fen),
        ),
        detail={"revision": 1, "submission": command.submission, "policy_version": setting.policy.version},
        **opened,
    )
