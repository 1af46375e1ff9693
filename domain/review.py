"""Document review: screening, a reviewer's decision, rounds of supplements, deadlines (decisions 10 to 13)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from domain import verification
from domain.case import Case
from domain.commands import Approve, ReleaseReview, RequestSupplement, Supplement, TakeReview
from domain.deposit import deposit_opened, full_deposit
from domain.ending import end_before_term, reviewed
from domain.judging import judge
from domain.letters import letter
from domain.look_alike import LookAlike
from domain.money import format_cny
from domain.planning import Event, Planned
from domain.policy import Policy
from domain.records import ApplicationRevision, Decision, KnownBy, Record, ScreeningResult, Transition
from domain.refusals import Refusal, RefusalKind
from domain.screening import require_accepted, require_no_failure, screen
from domain.setting import SYSTEM, Due, Setting, step
from domain.stages import Role, Stage, Standing
from domain.submission import Submission
from domain.verified import enterprise_of


def review_opened(setting: Setting) -> dict[str, Any]:
    """What opens with a revision to review: the reviewer's task, its reminder and its escalation."""
    policy = setting.policy
    remind = setting.working_days(policy.review_reminder_working_days)
    due = setting.working_days(policy.review_working_days)
    return {
        "stage": Stage.REVIEW,
        "tasks": (due.task("review", Role.REVIEWER),),
        "plan": (
            remind.event(Event.REMIND_REVIEWER, "the reviewer is reminded"),
            due.event(Event.ESCALATE_REVIEW, "the review is overdue and is escalated"),
        ),
    }


def take(case: Case, command: TakeReview, setting: Setting) -> Transition:
    judge(case, command)
    return step(case, setting, "review_taken", command.actor, **held_by(case, command.actor.name))


def release(case: Case, command: ReleaseReview, setting: Setting) -> Transition:
    judge(case, command)
    return step(case, setting, "review_released", command.actor, **held_by(case, None))


def approve(
    case: Case,
    command: Approve,
    submission: Submission,
    setting: Setting,
    alike: Sequence[LookAlike] | None = (),
) -> Transition:
    """Approve the revision named: no finding fails as of today, each that needs a person is accepted by name."""
    judge(case, command)
    known = case.verification
    application, policy = submission.application, setting.policy
    findings = screen(application, policy, as_of=setting.today, verification=known, alike=alike)
    require_no_failure(findings)
    require_accepted(findings, command.accepted)
    reasons = {acceptance.condition: acceptance.reason for acceptance in command.accepted}
    full = case.deposit.missing == 0
    opened = full_deposit(setting) if full else deposit_opened(setting)
    return step(
        case,
        setting,
        "application_approved",
        command.actor,
        ScreeningResult(case.revision, setting.today, findings, setting.policy.version),
        Decision("approved", command.actor.name, command.actor.role, case.revision, detail={"accepted": reasons}),
        letter(
            case,
            "application_approved.paid" if full else "application_approved",
            setting,
            until=opened["tasks"][0].due_at,
            provisional=opened["tasks"][0].provisional,
            revision=case.revision,
            missing=format_cny(case.deposit.missing),
        ),
        detail={"revision": case.revision, "accepted": reasons},
        **reviewed("approved", case, command.actor, setting),
        review_held_by=None,
        **opened,
    )


def request_supplement(case: Case, command: RequestSupplement, setting: Setting) -> Transition:
    """Ask for supplements, all deficiencies at once; refused when no round is left."""
    judge(case, command)
    rounds = setting.policy.supplement_rounds
    if case.supplement_round >= rounds:
        raise Refusal(
            RefusalKind.ROUNDS_USED_UP,
            f"All {rounds} supplement rounds have been used.",
            "Approve or reject the revision.",
        )
    due = setting.days(setting.policy.supplement_days)
    items = [{"condition": item.condition, "what": item.what} for item in command.items]
    return step(
        case,
        setting,
        "supplement_requested",
        command.actor,
        Decision(
            "supplement_requested",
            command.actor.name,
            command.actor.role,
            case.revision,
            detail={"items": items},
        ),
        letter(
            case,
            "supplement_requested",
            setting,
            until=due.at,
            provisional=due.provisional,
            items=tuple(f"- {item.condition}:{item.what}" for item in command.items),
            revision=case.revision,
            round=case.supplement_round + 1,
            rounds=rounds,
        ),
        detail={"revision": case.revision, "round": case.supplement_round + 1, "items": items},
        stage=Stage.SUPPLEMENT,
        supplement_round=case.supplement_round + 1,
        **reviewed("supplement_requested", case, command.actor, setting),
        review_held_by=None,
        **supplement_by(due, setting),
    )


def supplement_by(due: Due, setting: Setting) -> dict[str, Any]:
    """What hangs on a supplement's deadline: the applicant's task, its reminders, the lapse (decision 11)."""
    reminders = tuple(
        setting.before(due, days).event(
            Event.REMIND_SUPPLEMENT, f"the applicant is reminded of the supplement (days left: {days})"
        )
        for days in setting.policy.supplement_reminder_days_before
    )
    lapse = due.event(Event.LAPSE_SUPPLEMENT, "without a supplement the application lapses")
    return {"tasks": (due.task("supplement", Role.APPLICANT),), "plan": (*reminders, lapse)}


def supplement(
    case: Case,
    command: Supplement,
    submission: Submission,
    setting: Setting,
    alike: Sequence[LookAlike] | None = (),
) -> Transition:
    """A new revision: screened at once, and back to review with a fresh deadline."""
    judge(case, command)
    revision = case.revision + 1
    records = new_revision(case, command.submission, submission, command.actor, setting.policy, setting, alike)
    opened = review_opened(setting)
    name = enterprise_of(submission.application.payer_names)
    question, asking = verification.asked(case, name, revision, setting)
    opened |= {"plan": (*opened["plan"], *asking), **question}
    return step(
        case,
        setting,
        "supplement_received",
        command.actor,
        *records,
        letter(
            case,
            "supplement_received",
            setting,
            until=opened["tasks"][0].due_at,
            provisional=opened["tasks"][0].provisional,
            revision=revision,
            before=case.revision,
            round=case.supplement_round,
        ),
        detail={"revision": revision, "submission": command.submission},
        revision=revision,
        **known_as(submission),
        **opened,
    )


def new_revision(
    case: Case,
    sha256: str,
    submission: Submission,
    actor: object,
    policy: Policy,
    setting: Setting,
    alike: Sequence[LookAlike] | None,
) -> tuple[Record, ...]:
    """What a new revision of the application leaves on record, screened at once by `policy`.

    Refuses (2) one of another enterprise: the base is known by its credit code.
    """
    application, revision = submission.application, case.revision + 1
    if application.credit_code != case.credit_code:
        raise Refusal(
            RefusalKind.INVALID_VALUE,
            "The credit code the base is known by cannot be changed.",
            "A different enterprise applies on its own.",
        )
    findings = screen(application, policy, as_of=setting.today, alike=alike)
    return (
        ApplicationRevision(revision, sha256, str(actor), application.representative),
        KnownBy(application.names),
        ScreeningResult(revision, setting.today, findings, policy.version),
    )


def known_as(submission: Submission) -> dict[str, Any]:
    """What a case is called, and whose money it takes, by a submission: a certified base only once it is approved."""
    application = submission.application
    return {
        "name": application.base.name,
        "place": application.base.address,
        "payer_names": application.payer_names,
    }


def remind_reviewer(case: Case, planned: Planned, setting: Setting) -> Transition:
    return _remind(case, planned, setting)


def remind_supplement(case: Case, planned: Planned, setting: Setting) -> Transition:
    return _remind(case, planned, setting)


def escalate_review(case: Case, planned: Planned, setting: Setting) -> Transition:
    """Overdue review: told to the operator, and again each further period; never a silent default."""
    again = setting.working_days(setting.policy.review_working_days)
    return step(
        case,
        setting,
        "review_escalated",
        SYSTEM,
        letter(
            case, "review_escalated", setting, until=again.at, provisional=again.provisional, revision=case.revision
        ),
        legal_at=planned.at,
        plan=(again.event(planned.event, planned.what),),
    )


def lapse_supplement(case: Case, planned: Planned, setting: Setting) -> Transition:
    """Silence past the date closes the application (decision 11)."""
    return end_before_term(
        case,
        setting,
        SYSTEM,
        Standing.LAPSED,
        "supplement_overdue",
        "the supplement was not handed in in time",
        legal_at=planned.at,
    )


def held_by(case: Case, reviewer: str | None) -> dict[str, Any]:
    """The review with one reviewer, or with nobody in particular."""
    held = {"assignee": reviewer}
    tasks = tuple(task.model_copy(update=held) if task.kind == "review" else task for task in case.tasks)
    return {"review_held_by": reviewer, "tasks": tasks}


def _remind(case: Case, planned: Planned, setting: Setting) -> Transition:
    task = next(task for task in case.tasks if task.kind == case.stage)
    note = letter(case, planned.event, setting, until=task.due_at, provisional=task.provisional, revision=case.revision)
    return step(
        case,
        setting,
        f"{planned.event}",
        SYSTEM,
        note,
        legal_at=planned.at,
        plan=case.plan_without(planned),
    )
