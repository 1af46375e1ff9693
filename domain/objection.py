"""A result that is objected to, or unknown: compliance decides (decision 22)."""

from __future__ import annotations

from domain.case import Assessment, Case
from domain.commands import DecideAssessment, ObjectAssessment
from domain.judging import judge
from domain.letters import letter
from domain.names import same_name
from domain.quarter import facts, plan_without, tasks_without, to_be_confirmed, to_be_decided, with_
from domain.records import Decision, Evidence, Transition
from domain.refusals import Refusal, RefusalKind
from domain.setting import Setting, step


def object_to(case: Case, command: ObjectAssessment, setting: Setting) -> Transition:
    """The base objects to a provisional fail, within its window and once per result; compliance decides."""
    judge(case, command)
    at_stake = _objectionable(case, command)
    assert at_stake.objection_until is not None
    if setting.now >= at_stake.objection_until:
        raise Refusal(
            RefusalKind.TOO_LATE,
            f"The time to object to the result of {at_stake.period} is over.",
            f"See it with: livebase assess show {case.case_number}. An ending by it can still be appealed.",
        )
    return to_be_decided(
        case,
        at_stake.model_copy(update={"state": "objected"}),
        "assessment_objected",
        command.actor,
        setting,
        Evidence("objection", command.evidence),
        detail={"statement": command.statement, "evidence": list(command.evidence)},
    )


def _objectionable(case: Case, command: ObjectAssessment) -> Assessment:
    found = [
        one
        for one in case.assessments
        if one.state == "provisional" and one.result == "fail" and command.period in (None, one.period)
    ]
    if not found:
        raise Refusal(
            RefusalKind.WRONG_STAGE,
            f"Case {case.case_number} has no provisional fail{f' of {command.period}' if command.period else ''}.",
            f"See it with: livebase assess show {case.case_number}",
        )
    return found[-1]


def decide(case: Case, command: DecideAssessment, setting: Setting) -> Transition:
    """Compliance decides an objection or an unknown; nobody who imported its figures does (4).

    A pass stands at once. A fail takes a right away: another person has still to confirm it (decision 29).
    """
    judge(case, command)
    at_stake = case.assessment(command.period)
    if at_stake is None or at_stake.state not in ("unknown", "objected"):
        raise Refusal(
            RefusalKind.WRONG_STAGE,
            f"The assessment of {command.period} waits for no decision.",
            f"See it with: livebase assess show {case.case_number}",
        )
    if any(same_name(importer, command.actor.name) for importer in at_stake.importers):
        raise Refusal(
            RefusalKind.SECOND_PERSON_REQUIRED,
            "Who imported the figures does not decide on them.",
            "Ask another person of compliance.",
        )
    passed = command.outcome == "pass"
    decision = Decision(
        "assessment_passed" if passed else "assessment_failed",
        command.actor.name,
        command.actor.role,
        None,
        command.reason,
        {"period": command.period},
    )
    after = at_stake.model_copy(update={"result": command.outcome, "decided_by": command.actor.name})
    detail = {"period": command.period, "result": command.outcome, "reason": command.reason}
    if passed:
        after = after.model_copy(
            update={"state": "confirmed", "confirmed_by": command.actor.name, "confirmed_at": setting.now}
        )
        note = letter(case, "assessment_decided.pass", setting, **facts(command.period), reason=command.reason)
        return step(
            case,
            setting,
            "assessment_decided",
            command.actor,
            decision,
            note,
            detail=detail,
            assessments=with_(case, after),
            tasks=tasks_without(case, command.period),
            plan=plan_without(case, command.period),
        )
    due = setting.working_days(setting.policy.assessment_decision_working_days)
    note = letter(
        case,
        "assessment_decided.fail",
        setting,
        until=due.at,
        provisional=due.provisional,
        **facts(command.period),
        reason=command.reason,
    )
    return step(
        case,
        setting,
        "assessment_decided",
        command.actor,
        decision,
        note,
        detail=detail,
        assessments=with_(case, after.model_copy(update={"state": "decided"})),
        **to_be_confirmed(case, command.period, due),
    )
