"""The enterprise's real-name verification (企业实名认证): asked of the party that did it, and looked at again (A1).

Asked of each revision of an application, unless the same enterprise has been verified lately, and twice a year of a
certified base (edge case 41). A machine's word alone takes nothing away: what is not confirmed fails or needs a person
in the review (decision 10), and of a certified base it opens a task for compliance, by which a person decides.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from domain.case import Case, Verification
from domain.commands import AcceptVerification
from domain.judging import judge
from domain.letters import letter
from domain.names import same_company
from domain.planning import Event, Planned
from domain.records import Decision, Evidence, Letter, Transition
from domain.setting import SYSTEM, Setting, step
from domain.shanghai import midnight, shanghai_date
from domain.stages import Role, Stage
from domain.terms import add_months
from domain.verified import enterprise_of
from domain.verifying import VerificationAnswer

TASK = "check_verification"
"""Compliance's, or an operator's: a certified base's verification is not confirmed any more."""
CHECKED_IN = (Stage.PUBLISHING, Stage.VALID)
_AGAIN = timedelta(days=1)
"""How soon a certified base's verification is asked for again that was not answered, or not confirmed."""
_LONGEST_PAUSE = timedelta(days=1)
_PATIENCE = 3
"""So many times without an answer, one after the other, and a person looks."""
_EVENTS = {
    "verified": "enterprise_verified",
    "not_verified": "enterprise_not_verified",
    "name_mismatch": "enterprise_name_differs",
    "unknown": "enterprise_not_known",
    "unanswered": "verification_unanswered",
}
_CHINESE = {
    "not_verified": "认证平台答复:未完成企业实名认证",
    "name_mismatch": "认证平台答复:该统一社会信用代码的实名名称不一致",
    "unknown": "认证平台查无此企业",
    "unanswered": "认证平台多次未答复",
}


def asked(case: Case, name: str, revision: int, setting: Setting) -> tuple[dict[str, Any], tuple[Planned, ...]]:
    """What opens with a revision to review: the question, unless nobody can be asked or it was answered lately."""
    known = case.verification
    fresh = known is not None and known.result == "verified" and setting.now < _next_check(known, setting)
    if not setting.verifies or (fresh and known is not None and same_company(known.name, name)):
        return {}, ()
    question = Verification(result="asked", revision=revision, name=name, at=setting.now)
    what = "the enterprise's verification is asked for"
    return {"verification": question}, (Planned(event=Event.ASK_VERIFICATION, at=setting.now, what=what),)


def answered(case: Case, planned: Planned, answer: VerificationAnswer, setting: Setting) -> Transition:
    """What was heard while the application is reviewed; without an answer it is asked again, ever more seldom."""
    known = case.verification
    assert known is not None
    now_known = _known(known.name, case.revision, known, answer, setting)
    plan = case.plan_without(planned)
    if answer.result == "unanswered":
        pause = timedelta(minutes=setting.policy.verification_retry_minutes) * 2 ** min(now_known.attempts - 1, 10)
        plan = (*plan, planned.model_copy(update={"at": setting.now + min(pause, _LONGEST_PAUSE)}))
    return _heard(case, now_known, setting, plan=plan)


def is_due(case: Case, setting_now: datetime, months: int) -> bool:
    """Whether a certified base's verification is to be looked at again: its half year is over, or yesterday's try
    has not confirmed it."""
    known = case.verification
    if known is None or case.stage not in CHECKED_IN or case.ending is not None:
        return False
    if known.result in ("verified", "accepted"):
        return setting_now >= _half_year(known.at, months)
    return setting_now >= known.at + _AGAIN


def rechecked(case: Case, answer: VerificationAnswer, setting: Setting) -> Transition | None:
    """A certified base looked at again. Nothing it has is taken away: what is not confirmed, a person looks at.

    None when it has been, or is not due any more.
    """
    known = case.verification
    if known is None or not is_due(case, setting.now, setting.policy.verification_months):
        return None
    now_known = _known(enterprise_of(case.payer_names), case.revision, known, answer, setting)
    open_task = any(task.kind == TASK for task in case.tasks)
    if answer.result == "verified":
        notes = (letter(case, "verification_confirmed", setting),) if open_task else ()
        return _heard(case, now_known, setting, *notes, tasks=case.tasks_without(TASK))
    if open_task or (answer.result == "unanswered" and now_known.attempts < _PATIENCE):
        return _heard(case, now_known, setting)
    due = setting.working_days(setting.policy.verification_check_working_days)
    facts = {"why": _CHINESE[answer.result], "until": due.at, "provisional": due.provisional}
    task = due.task(TASK, Role.COMPLIANCE).model_copy(update={"also": (Role.OPERATOR,)})
    return _heard(
        case,
        now_known,
        setting,
        letter(case, "verification_failed", setting, **facts),  # type: ignore[arg-type]
        letter(case, "verification_failed.base", setting, **facts),  # type: ignore[arg-type]
        tasks=(*case.tasks, task),
    )


def accept(case: Case, command: AcceptVerification, setting: Setting) -> Transition:
    """A person has looked, and the base goes on as it is; it is asked for again after the next half year."""
    judge(case, command)
    known = case.verification
    assert known is not None
    accepted = known.model_copy(
        update={"result": "accepted", "source": str(command.actor), "at": setting.now, "attempts": 0, "why": ""}
    )
    evidence = (Evidence("verification", command.evidence),) if command.evidence else ()
    detail = {"result": known.result, "reason": command.reason, "evidence": list(command.evidence)}
    return step(
        case,
        setting,
        "verification_accepted",
        command.actor,
        Decision("verification_accepted", command.actor.name, command.actor.role, case.revision, command.reason),
        *evidence,
        detail=detail,
        verification=accepted,
        tasks=case.tasks_without(TASK),
    )


def _known(
    name: str, revision: int, before: Verification, answer: VerificationAnswer, setting: Setting
) -> Verification:
    attempts = before.attempts + 1 if answer.result == "unanswered" else 0
    return Verification(
        result=answer.result,
        revision=revision,
        name=name,
        at=setting.now,
        source=answer.source,
        reference=answer.reference,
        why=answer.why,
        attempts=attempts,
    )


def _heard(case: Case, known: Verification, setting: Setting, *notes: Letter, **changes: Any) -> Transition:
    detail = {"result": known.result, "source": known.source, "reference": known.reference, "why": known.why}
    event = _EVENTS[known.result]
    return step(case, setting, event, SYSTEM, *notes, detail=detail, verification=known, **changes)


def _next_check(known: Verification, setting: Setting) -> datetime:
    return _half_year(known.at, setting.policy.verification_months)


def _half_year(at: datetime, months: int) -> datetime:
    return midnight(add_months(shanghai_date(at), months))
