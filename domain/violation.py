"""A violation reported: notice to the base, its answer within its time, then compliance must decide (decision 27)."""

from __future__ import annotations

from typing import Any

from domain import suspension
from domain.case import Case
from domain.commands import ReportConduct, RespondConduct
from domain.conduct import RULES, TRIGGERS, ConductCase
from domain.judging import judge
from domain.letters import letter, long_date
from domain.planning import Event, Planned, Task
from domain.records import ConductReport, Evidence, ListRevision, Transition
from domain.refusals import Problem, Refusal, RefusalKind
from domain.setting import SYSTEM, Setting, step
from domain.shanghai import shanghai_date
from domain.stages import Role


def report(case: Case, command: ReportConduct, setting: Setting) -> Transition:
    """Open a conduct case. The base is told at once and may answer; in urgent cases it is suspended at once too."""
    judge(case, command)
    _require_sound(case, command, setting)
    id = f"{case.case_number}-C{len(case.conduct) + 1}"
    if command.conduct != id:
        raise Refusal(
            RefusalKind.CONDUCT_STALE,
            f"The next conduct case of {case.case_number} is {id}; the report names {command.conduct}.",
            "Another one was reported just now. See them with: livebase conduct list; then report again.",
        )
    due = setting.working_days(setting.policy.conduct_answer_working_days)
    opened = ConductCase(
        id=id,
        rule=command.rule,
        trigger=command.trigger,
        severity=command.severity,
        found_on=command.found_on,
        opened_at=setting.now,
        reported_by=command.actor.name,
        plan=(due.event(Event.END_ANSWER, "the base has not answered; compliance decides"),),
    )
    records: tuple[ListRevision, ...] = ()
    changes: dict[str, Any] = {}
    if command.urgent:
        reason = f"a violation of {command.rule} reported as urgent"
        opened = opened.suspending(setting.now, reason)
        records, changes = suspension.place(case, opened.hold, reason, setting)
    return step(
        case,
        setting,
        "conduct_reported",
        command.actor,
        ConductReport(id, command.facts, command.affected_accounts, command.losses, str(command.actor)),
        Evidence(f"conduct {id}", command.evidence),
        *records,
        letter(
            case,
            "conduct_reported.urgent" if command.urgent else "conduct_reported",
            setting,
            until=due.at,
            provisional=due.provisional,
            conduct=id,
            rule=command.rule,
            says=RULES[command.rule],
            facts=command.facts,
            found_on=long_date(command.found_on),
        ),
        detail={
            "conduct": id,
            "rule": command.rule,
            "trigger": command.trigger,
            "severity": command.severity,
            "found_on": command.found_on.isoformat(),
            "urgent": command.urgent,
            "evidence": list(command.evidence),
        },
        conduct=(*case.conduct, opened),
        tasks=(*case.tasks, _about(id, due.task("answer_conduct", Role.APPLICANT))),
        **changes,
    )


def respond(case: Case, command: RespondConduct, setting: Setting) -> Transition:
    """The base answers a report within its time, or hands in how it has put a violation right."""
    judge(case, command)
    conduct = case.conduct_case(command.conduct)
    assert conduct is not None
    answers = conduct.state == "answer"
    return _to_compliance(
        case,
        conduct,
        setting,
        "conduct_answered" if answers else "rectification_reported",
        command.actor,
        Evidence(f"conduct {conduct.id}", command.evidence),
        task="decide_conduct" if answers else "check_rectification",
        detail={"statement": command.statement, "evidence": list(command.evidence)},
        facts={"statement": command.statement},
        state="decision" if answers else "check",
        acts=conduct.acts + 1,
        **({"answered": True} if answers else {}),
    )


def end_answer(case: Case, conduct: ConductCase, planned: Planned, setting: Setting) -> Transition:
    """The base has not answered in its time: compliance decides without its answer."""
    return _to_compliance(
        case,
        conduct,
        setting,
        "conduct_unanswered",
        SYSTEM,
        task="decide_conduct",
        legal_at=planned.at,
        detail={},
        facts={},
        state="decision",
    )


def escalate(case: Case, conduct: ConductCase, planned: Planned, setting: Setting) -> Transition:
    """An overdue decision is told to the operator, again each further period; never a silent default."""
    again = setting.working_days(setting.policy.conduct_decision_working_days)
    after = conduct.model_copy(update={"plan": (again.event(planned.event, planned.what),)})
    return step(
        case,
        setting,
        "conduct_escalated",
        SYSTEM,
        letter(case, "conduct_escalated", setting, until=again.at, provisional=again.provisional, conduct=conduct.id),
        legal_at=planned.at,
        detail={"conduct": conduct.id},
        conduct=case.with_conduct(after),
    )


def waits_for_compliance(conduct: ConductCase, setting: Setting, task: str) -> tuple[Task, tuple[Planned, ...]]:
    """Compliance's task with its escalation."""
    due = setting.working_days(setting.policy.conduct_decision_working_days)
    escalation = due.event(Event.ESCALATE_CONDUCT, "the decision on a conduct case is overdue and is escalated")
    return _about(conduct.id, due.task(task, Role.COMPLIANCE)), (escalation,)


def _to_compliance(
    case: Case,
    conduct: ConductCase,
    setting: Setting,
    event: str,
    actor: object,
    *records: Any,
    task: str,
    detail: dict[str, Any],
    facts: dict[str, Any],
    legal_at: Any = None,
    **changes: Any,
) -> Transition:
    waiting, plan = waits_for_compliance(conduct, setting, task)
    after = conduct.model_copy(update={**changes, "plan": plan})
    return step(
        case,
        setting,
        event,
        actor,
        *records,
        letter(
            case,
            event,
            setting,
            until=waiting.due_at,
            provisional=waiting.provisional,
            conduct=conduct.id,
            rule=conduct.rule,
            **facts,
        ),
        legal_at=legal_at,
        detail={"conduct": conduct.id, **detail},
        conduct=case.with_conduct(after),
        tasks=(*case.tasks_of_others(conduct.id), waiting),
    )


def _about(id: str, task: Task) -> Task:
    return task.model_copy(update={"subject": id})


def _require_sound(case: Case, command: ReportConduct, setting: Setting) -> None:
    """Refuse (2) what a report cannot say, all of it at once."""
    problems = []
    if command.trigger not in TRIGGERS[command.rule]:
        problems.append(Problem("trigger", f"{command.trigger} is no trigger of {command.rule}; it belongs to R8"))
    if command.found_on > setting.today:
        problems.append(Problem("found_on", f"is after today ({setting.today})"))
    if command.found_on < shanghai_date(case.opened_at):
        problems.append(Problem("found_on", f"is before the application ({shanghai_date(case.opened_at)})"))
    if command.urgent and (case.ending is not None or not case.terms):
        problems.append(Problem("urgent", "only a certification in force can be suspended"))
    if problems:
        message = "The report cannot be right."
        raise Refusal(RefusalKind.INVALID_FILE, message, "Mend it and report again.", tuple(problems))
