"""Renewal: filed against a term's last day, screened anew, decided by a reviewer (R9; decisions 23 to 26).

It opens some weeks before the end and is decided under the policy in force then. Approved in time, the next term
starts exactly at the old end; filed or decided late, from the approval, with the gap on record (`domain/next_term.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from domain import quarter
from domain.after_ending import duties
from domain.case import Case, Ending, Renewal
from domain.commands import RejectRenewal, Renew, RequestRenewalSupplement, Supplement
from domain.conduct import Outcome
from domain.judging import judge
from domain.letters import letter, long_date
from domain.look_alike import LookAlike
from domain.planning import Event, Planned
from domain.records import Decision, Record, ScreeningResult, Transition
from domain.refusals import Problem, Refusal, RefusalKind
from domain.review import new_revision
from domain.screening import screen
from domain.setting import SYSTEM, Due, Setting, step
from domain.shanghai import shanghai_date
from domain.stages import Role, Stage, Standing
from domain.submission import Submission
from domain.terms import Term
from domain.time_left import TimeLeft

TASKS = ("renewal_review", "renewal_supplement")
"""The tasks a renewal opens."""
EVENTS = (
    Event.REMIND_RENEWAL_REVIEWER,
    Event.ESCALATE_RENEWAL,
    Event.REMIND_RENEWAL_SUPPLEMENT,
    Event.LAPSE_RENEWAL,
    Event.CLOSE_LATE_RENEWAL,
)
"""What a renewal plans."""


def renew(
    case: Case,
    command: Renew,
    submission: Submission,
    setting: Setting,
    alike: Sequence[LookAlike] | None = (),
) -> Transition:
    """File the renewal of the newest term, with documents that changed as a new revision of the application.

    `submission` is the one handed in, or the application's newest. Refused before the window opens (5, too_early),
    after the late window (5, too_late), beside another one (5), and when its attempts are used up (5).
    """
    judge(case, command)
    term = case.terms[-1]
    _require_window(case, term, setting)
    _require_attempt(case, setting)
    if barred := revocations(case):
        raise Refusal(
            RefusalKind.RENEWAL_BARRED,
            f"The certification cannot be renewed: {barred[0].message}",
            "Only a new application leads back: livebase apply FILE (decision 25).",
            barred,
        )
    if command.submission is None:
        findings = screen(submission.application, setting.in_force, as_of=setting.today, alike=alike)
        records: tuple[Record, ...] = (
            ScreeningResult(case.revision, setting.today, findings, setting.in_force.version),
        )
        revision = case.revision
    else:
        records = new_revision(case, command.submission, submission, command.actor, setting.in_force, setting, alike)
        revision = case.revision + 1
    late = case.ending is not None
    filed = Renewal(
        from_last_day=term.last_day,
        filed_at=setting.now,
        in_good_time=setting.now <= term.until - timedelta(days=setting.policy.renewal_in_good_time_days_before),
    )
    closing = (_late_window(case, term, setting),) if late else ()
    quarters = _quarters_taken_up(case, setting) if late else {"tasks": (), "plan": ()}
    review = _review(case, setting)
    return step(
        case,
        setting,
        "renewal_filed",
        command.actor,
        *records,
        letter(
            case,
            "renewal_filed.late" if late else "renewal_filed",
            setting,
            until=review["tasks"][0].due_at,
            provisional=review["tasks"][0].provisional,
            certificate=term.certificate_number,
            ends=long_date(term.last_day),
            policy=setting.in_force.version,
        ),
        detail={
            "from_last_day": term.last_day.isoformat(),
            "revision": revision,
            "submission": command.submission,
            "in_good_time": filed.in_good_time,
        },
        stage=Stage.RENEWAL_LATE if late else case.stage,
        renewal=filed,
        **{
            **quarters,
            "tasks": (*case.tasks, *review["tasks"], *quarters["tasks"]),
            "plan": (*case.plan, *review["plan"], *closing, *quarters["plan"]),
        },
        revision=revision,
    )


def _quarters_taken_up(case: Case, setting: Setting) -> dict[str, Any]:
    """The assessments the end of the term cut off: a next term hangs on them again (decision 23).

    Whoever could still object then has the time that was left.
    """
    before = case.ending.interrupted if case.ending else None
    if case.ending is None or before is None or before.assessments is None:
        return {"tasks": (), "plan": ()}
    left, taken_up = TimeLeft(case.ending.legal_at, setting), quarter.goes_on(before)
    plan = tuple(left.of_planned(planned) for planned in taken_up["plan"])
    return {"tasks": taken_up["tasks"], "plan": plan, "assessments": quarter.with_windows(before.assessments, plan)}


def _quarters_cut_off_again(case: Case, ending: Ending) -> Ending:
    """The ending with the assessments as they stand: they went on while a late renewal was undecided, and the next
    one takes them up from there."""
    before = ending.interrupted
    if before is None or before.assessments is None:
        return ending
    now = quarter.goes_on(case)
    cut_off = {
        "tasks": (*(task for task in before.tasks if task.kind not in quarter.TASKS), *now["tasks"]),
        "plan": (*(planned for planned in before.plan if planned.event not in quarter.EVENTS), *now["plan"]),
        "assessments": case.assessments,
    }
    return ending.model_copy(update={"interrupted": before.model_copy(update=cut_off)})


def revocations(case: Case) -> tuple[Problem, ...]:
    """The violations decided with a revocation once the term was over: they bar every way into another one."""
    return tuple(
        Problem(conduct.rule, f"the conduct case {conduct.id} was decided with a revocation.")
        for conduct in case.conduct
        if conduct.outcome is Outcome.REVOCATION
    )


def request_supplement(case: Case, command: RequestRenewalSupplement, setting: Setting) -> Transition:
    """Ask for what is missing, all at once; refused when no round is left."""
    judge(case, command)
    assert case.renewal is not None
    rounds, number = setting.policy.supplement_rounds, case.renewal.round + 1
    if number > rounds:
        raise Refusal(
            RefusalKind.ROUNDS_USED_UP,
            f"All {rounds} supplement rounds of this renewal have been used.",
            "Approve or reject the renewal.",
        )
    due = setting.days(setting.policy.supplement_days)
    items = [{"condition": item.condition, "what": item.what} for item in command.items]
    opened = supplement_by(due, setting)
    return step(
        case,
        setting,
        "renewal_supplement_requested",
        command.actor,
        Decision(
            "renewal_supplement_requested",
            command.actor.name,
            command.actor.role,
            case.revision,
            detail={"items": items},
        ),
        letter(
            case,
            "renewal_supplement_requested",
            setting,
            until=due.at,
            provisional=due.provisional,
            items=tuple(f"- {item.condition}:{item.what}" for item in command.items),
            revision=case.revision,
            round=number,
            rounds=rounds,
        ),
        detail={"revision": case.revision, "round": number, "items": items},
        renewal=case.renewal.model_copy(update={"awaits": "supplement", "round": number}),
        tasks=(*case.tasks_without(*TASKS), *opened["tasks"]),
        plan=(*_without_review(case), *opened["plan"]),
    )


def supplement_by(due: Due, setting: Setting) -> dict[str, Any]:
    """What hangs on the deadline of a renewal's supplement: the applicant's task, its reminders, the lapse."""
    reminders = tuple(
        setting.before(due, days).event(
            Event.REMIND_RENEWAL_SUPPLEMENT, f"the base is reminded of the renewal's supplement (days left: {days})"
        )
        for days in setting.policy.supplement_reminder_days_before
    )
    lapse = due.event(Event.LAPSE_RENEWAL, "without a supplement the renewal lapses")
    return {"tasks": (due.task("renewal_supplement", Role.APPLICANT),), "plan": (*reminders, lapse)}


def supplement(
    case: Case,
    command: Supplement,
    submission: Submission,
    setting: Setting,
    alike: Sequence[LookAlike] | None = (),
) -> Transition:
    """A new revision for the renewal: screened at once by the policy in force, and back to review."""
    judge(case, command)
    assert case.renewal is not None
    records = new_revision(case, command.submission, submission, command.actor, setting.in_force, setting, alike)
    revision = case.revision + 1
    review = _review(case, setting)
    return step(
        case,
        setting,
        "renewal_supplement_received",
        command.actor,
        *records,
        letter(
            case,
            "renewal_supplement_received",
            setting,
            until=review["tasks"][0].due_at,
            provisional=review["tasks"][0].provisional,
            revision=revision,
            before=case.revision,
            round=case.renewal.round,
        ),
        detail={"revision": revision, "submission": command.submission},
        renewal=case.renewal.model_copy(update={"awaits": "review"}),
        tasks=(*case.tasks_without(*TASKS), *review["tasks"]),
        plan=(*case.plan_without(Event.REMIND_RENEWAL_SUPPLEMENT, Event.LAPSE_RENEWAL), *review["plan"]),
        revision=revision,
    )


def reject(case: Case, command: RejectRenewal, setting: Setting) -> Transition:
    """Refuse the renewal. The term runs on to its end; one that is over has ended for good now."""
    judge(case, command)
    refused = case.renewals_refused + 1
    left = max(0, setting.policy.renewal_attempts - refused)
    return _without_renewal(
        case,
        setting,
        "renewal_rejected",
        command.actor,
        Decision("renewal_rejected", command.actor.name, command.actor.role, case.revision, command.reason),
        detail={"revision": case.revision, "reason": command.reason, "attempts_left": left},
        facts={"reason": command.reason, "left": left},
        renewals_refused=refused,
    )


def lapse(case: Case, planned: Planned, setting: Setting) -> Transition:
    """Silence past the supplement's date ends the renewal, not the term (decision 11)."""
    return _without_renewal(case, setting, "renewal_lapsed", SYSTEM, legal_at=planned.at, detail={}, facts={})


def close_late(case: Case, planned: Planned, setting: Setting) -> Transition:
    """The late window is over: from now on only a new application leads back (decision 25)."""
    return _without_renewal(case, setting, "late_renewal_closed", SYSTEM, legal_at=planned.at, detail={}, facts={})


def remind_reviewer(case: Case, planned: Planned, setting: Setting) -> Transition:
    return _remind(case, planned, setting, "renewal_review")


def remind_supplement(case: Case, planned: Planned, setting: Setting) -> Transition:
    return _remind(case, planned, setting, "renewal_supplement")


def escalate(case: Case, planned: Planned, setting: Setting) -> Transition:
    """A renewal undecided too long, or too near the end: told to the operator, and again each further period."""
    again = setting.working_days(setting.policy.review_working_days)
    others = case.plan_without(planned)
    if not any(other.event is Event.ESCALATE_RENEWAL for other in others):
        others = (*others, again.event(planned.event, "the renewal is still undecided and is escalated"))
    return step(
        case,
        setting,
        "renewal_escalated",
        SYSTEM,
        letter(
            case,
            "renewal_escalated",
            setting,
            until=again.at,
            provisional=again.provisional,
            revision=case.revision,
            ends=long_date(case.terms[-1].last_day),
        ),
        legal_at=planned.at,
        plan=others,
    )


def delayed_by_us(case: Case, until: datetime) -> bool:
    """Whether the renewal is undecided through us: filed in good time, and the reviewer's time was up by the end."""
    if case.renewal is None or not case.renewal.in_good_time or case.renewal.awaits != "review":
        return False
    task = next(task for task in case.tasks if task.kind == "renewal_review")
    return task.due_at is not None and task.due_at <= until


def goes_on_late(case: Case, until: datetime, setting: Setting, *, our_delay: bool) -> dict[str, Any]:
    """What of a renewal filed in time goes on after the end: its task, its plan, and the late window's end."""
    if case.renewal is None:
        return {"tasks": (), "plan": ()}
    # A decision that is missing through us can come late without limit.
    closing = () if our_delay else (_late_window(case, case.terms[-1], setting),)
    return {
        "tasks": tuple(task for task in case.tasks if task.kind in TASKS),
        "plan": (*(planned for planned in case.plan if planned.event in EVENTS), *closing),
    }


def _without_renewal(
    case: Case,
    setting: Setting,
    event: str,
    actor: object,
    *records: Record,
    detail: dict[str, Any],
    facts: dict[str, Any],
    legal_at: datetime | None = None,
    **changes: Any,
) -> Transition:
    """The renewal is over without a next term: the term runs on, or what an ending opens begins at last."""
    tasks, plan = case.tasks_without(*TASKS), case.plan_without(*EVENTS)
    if case.ending is None:
        ends = long_date(case.terms[-1].last_day)
        note = letter(case, event, setting, until=case.terms[-1].until, ends=ends, **facts)
    else:
        changes["ending"] = _quarters_cut_off_again(case, case.ending)
        tasks = tuple(task for task in tasks if task.kind not in quarter.TASKS)
        plan = tuple(planned for planned in plan if planned.event not in quarter.EVENTS)
        follows = {} if case.marks else duties(setting, legal_at or setting.now)
        tasks, plan = (*tasks, *follows.get("tasks", ())), (*plan, *follows.get("plan", ()))
        changes |= {"stage": Stage.SETTLING, "marks": follows.get("marks", case.marks)}
        marks = changes["marks"]
        note = letter(case, f"{event}.late", setting, until=marks.due_at, **facts)
    return step(
        case,
        setting,
        event,
        actor,
        *records,
        note,
        legal_at=legal_at,
        detail=detail,
        renewal=None,
        tasks=tasks,
        plan=plan,
        **changes,
    )


def _review(case: Case, setting: Setting) -> dict[str, Any]:
    """The reviewer's task with its reminder, and escalations when it is overdue and before the term ends."""
    policy, until = setting.policy, case.terms[-1].until
    due = setting.working_days(policy.review_working_days)
    remind = setting.working_days(policy.review_reminder_working_days)
    ahead = until - timedelta(days=policy.renewal_escalation_days_before)
    before_the_end = Planned(
        event=Event.ESCALATE_RENEWAL, at=ahead, what="the renewal is undecided near the term's end and is escalated"
    )
    return {
        "tasks": (due.task("renewal_review", Role.REVIEWER),),
        "plan": (
            remind.event(Event.REMIND_RENEWAL_REVIEWER, "the reviewer is reminded of the renewal"),
            due.event(Event.ESCALATE_RENEWAL, "the renewal's review is overdue and is escalated"),
            *((before_the_end,) if setting.now < ahead != due.at else ()),
        ),
    }


def _without_review(case: Case) -> tuple[Planned, ...]:
    return case.plan_without(Event.REMIND_RENEWAL_REVIEWER, Event.ESCALATE_RENEWAL)


def _late_window(case: Case, term: Term, setting: Setting) -> Planned:
    closes = _late_until(case, term, setting)
    return Planned(event=Event.CLOSE_LATE_RENEWAL, at=closes, what="the window for a late renewal closes")


def _late_until(case: Case, term: Term, setting: Setting) -> datetime:
    return case.over_since(term.until) + timedelta(days=setting.policy.renewal_late_days)


def _remind(case: Case, planned: Planned, setting: Setting, kind: str) -> Transition:
    task = next(task for task in case.tasks if task.kind == kind)
    return step(
        case,
        setting,
        planned.event.value,
        SYSTEM,
        letter(
            case,
            planned.event.value,
            setting,
            until=task.due_at,
            provisional=task.provisional,
            revision=case.revision,
            ends=long_date(case.terms[-1].last_day),
        ),
        legal_at=planned.at,
        plan=case.plan_without(planned),
    )


def _require_window(case: Case, term: Term, setting: Setting) -> None:
    if case.renewal is not None:
        raise Refusal(
            RefusalKind.RENEWAL_PENDING,
            f"A renewal of case {case.case_number} is under way, filed on {shanghai_date(case.renewal.filed_at)}.",
            f"See it with: livebase show {case.case_number}. One renewal at a time (decision 24).",
        )
    opens = term.until - timedelta(days=setting.policy.renewal_opens_days_before)
    closes = _late_until(case, term, setting)
    if setting.now < opens:
        raise Refusal(
            RefusalKind.TOO_EARLY,
            f"The renewal of the term that ends on {term.last_day} opens on {shanghai_date(opens)}.",
            f"File it on {shanghai_date(opens)} or later (decision 23).",
        )
    if setting.now >= closes or (case.ending is not None and case.ending.kind is not Standing.EXPIRED):
        raise Refusal(
            RefusalKind.TOO_LATE,
            f"The term ended on {term.last_day}, and its late window closed on {shanghai_date(closes)}.",
            "Only a new application leads back: livebase apply FILE (decision 25).",
        )


def _require_attempt(case: Case, setting: Setting) -> None:
    if case.renewals_refused >= setting.policy.renewal_attempts:
        raise Refusal(
            RefusalKind.ROUNDS_USED_UP,
            f"The renewal of this term was refused {case.renewals_refused} times; no attempt is left.",
            "The certification runs to its end; then a new application is possible.",
        )
