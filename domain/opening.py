"""Opening a case: one live case per enterprise, cooling-off after the last, screening at once (decisions 8, 10, 30)."""

from __future__ import annotations

from collections.abc import Sequence

from domain import cooling_off, verification
from domain.case import Case, Deposit
from domain.commands import Apply, workflow_id
from domain.judging import judge
from domain.letters import letter
from domain.look_alike import LookAlike
from domain.money import format_cny
from domain.records import ApplicationRevision, KnownBy, ScreeningResult, Transition
from domain.refusals import Refusal, RefusalKind
from domain.review import review_opened
from domain.screening import screen
from domain.setting import Setting, step
from domain.stages import Stage
from domain.submission import Submission
from domain.verified import enterprise_of


def require_possible(others: Sequence[Case], setting: Setting) -> None:
    """Refuse an application beside a live case, or before the cooling-off of every earlier one is over.

    `others` are the enterprise's cases, first to last: the longest end counts, however the newest one ended.
    """
    require_no_other(next((case for case in others if case.ending is None), None))
    for case in sorted(others, key=lambda case: cooling_off.ends(case, setting.policy)[0], reverse=True):
        cooling_off.require_over(case, setting)


def require_no_other(live: Case | None) -> None:
    """Refuse (5) what would leave an enterprise with two cases that have not ended (decision 8)."""
    if live is not None:
        raise Refusal(
            RefusalKind.CASE_EXISTS,
            f"The enterprise {live.credit_code} has a live case: {live.case_number} (stage {live.stage}).",
            f"See it with: livebase show {live.case_number}. One case per enterprise (decision 8).",
        )


def open_case(
    command: Apply,
    case_number: str,
    submission: Submission,
    setting: Setting,
    alike: Sequence[LookAlike] | None = (),
) -> Transition:
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
    findings = screen(application, setting.policy, as_of=setting.today, alike=alike)
    unopened = Case(
        workflow_id=command.workflow_id,
        case_number=case_number,
        credit_code=command.credit_code,
        name=application.base.name,
        place=application.base.address,
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
    question, asking = verification.asked(unopened, enterprise_of(application.payer_names), 1, setting)
    opened |= {"plan": (*opened["plan"], *asking), **question}
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
