"""Appeal: once, within its time, against a decision that ended a case; decided by who took no part (decision 28).

What a decision is set aside into is in `domain/setting_aside.py`.
"""

from __future__ import annotations

from domain import official_list, setting_aside
from domain.case import Appeal, Case
from domain.commands import DecideAppeal, FileAppeal
from domain.judging import judge
from domain.letters import letter
from domain.planning import Event, Planned
from domain.records import Decision, Evidence, Transition
from domain.refusals import Refusal, RefusalKind
from domain.setting import SYSTEM, Setting, step
from domain.stages import Role


def file(case: Case, command: FileAppeal, setting: Setting) -> Transition:
    """The base appeals. Refused (5) after its time and a second time, (8) against another decision."""
    judge(case, command)
    assert case.ending is not None
    before = case.appeal
    if before is not None and before.decision == case.ending.decision:
        raise Refusal(
            RefusalKind.ALREADY_DECIDED if before.outcome else RefusalKind.APPEAL_PENDING,
            f"The decision {case.ending.decision} has been appealed once already.",
            f"See it with: livebase show {case.case_number}. One appeal against each decision (decision 28).",
        )
    if case.appeal_until is None or setting.now >= case.appeal_until:
        raise Refusal(
            RefusalKind.TOO_LATE,
            "The time to appeal is over.",
            f"See it with: livebase show {case.case_number}",
        )
    due = setting.working_days(setting.policy.appeal_decision_working_days)
    task = due.task("decide_appeal", Role.CERTIFIER).model_copy(update={"also": (Role.COMPLIANCE,)})
    listed, changes = official_list.with_reasons_from(case, setting, None)
    return step(
        case,
        setting,
        "appeal_filed",
        command.actor,
        *listed,
        Evidence("appeal", command.evidence),
        letter(
            case,
            "appeal_filed",
            setting,
            until=due.at,
            provisional=due.provisional,
            decision=command.decision,
            statement=command.statement,
        ),
        detail={
            "decision": command.decision,
            "statement": command.statement,
            "evidence": list(command.evidence),
        },
        appeal=Appeal(decision=command.decision, filed_at=setting.now, filed_by=command.actor.name),
        earlier_appeals=(*case.earlier_appeals, *((before,) if before else ())),
        tasks=(*case.tasks, task),
        plan=(
            *case.plan_without(Event.CLOSE_CASE),
            due.event(Event.ESCALATE_APPEAL, "the decision on the appeal is overdue and is escalated"),
        ),
        **changes,
    )


def decide(case: Case, command: DecideAppeal, setting: Setting) -> Transition:
    """Uphold the decision, or set it aside: then the standing is what it would have been, never beyond its term."""
    judge(case, command)
    assert case.appeal is not None and case.ending is not None
    decided = case.appeal.model_copy(
        update={"outcome": command.outcome, "decided_by": command.actor.name, "decided_at": setting.now}
    )
    decision = Decision(
        f"appeal_{command.outcome}".replace("-", "_"),
        command.actor.name,
        command.actor.role,
        case.revision,
        command.reason,
        detail={"decision": case.appeal.decision},
    )
    if command.outcome == "set-aside":
        return setting_aside.undone(
            case, setting, "appeal_set_aside", command.actor, decision, reason=command.reason, appeal=decided
        )
    listed, changes = official_list.with_reasons_from(case, setting, setting.now)
    return step(
        case,
        setting,
        "appeal_upheld",
        command.actor,
        decision,
        *listed,
        letter(case, "appeal_upheld", setting, decision=case.appeal.decision, reason=command.reason),
        detail={"decision": case.appeal.decision, "reason": command.reason},
        appeal=decided,
        tasks=case.tasks_without("decide_appeal"),
        plan=case.plan_without(Event.ESCALATE_APPEAL),
        **changes,
    )


def escalate(case: Case, planned: Planned, setting: Setting) -> Transition:
    """An overdue decision on an appeal is told to the operator, and again each further period."""
    again = setting.working_days(setting.policy.appeal_decision_working_days)
    return step(
        case,
        setting,
        "appeal_escalated",
        SYSTEM,
        letter(case, "appeal_escalated", setting, until=again.at, provisional=again.provisional),
        legal_at=planned.at,
        plan=(*case.plan_without(planned), again.event(planned.event, planned.what)),
    )
