"""The next term: a renewal approved in time follows without a gap, a late one starts at its approval (24 to 26).

Whatever the order of events, an approval counts by the instant its handler began (decision 26).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from domain import assessment, official_list, suspension
from domain.after_ending import EVENTS_OF_THE_END, TASKS_OF_THE_END
from domain.case import Case
from domain.certification import BENEFITS, NAME_AND_MARKS, benefits, publication_opened, year_plan
from domain.commands import ApproveRenewal
from domain.judging import judge
from domain.letters import letter, long_date
from domain.look_alike import LookAlike
from domain.money import format_cny
from domain.planning import Event, Planned
from domain.records import (
    BenefitsGranted,
    BenefitsWithdrawn,
    Decision,
    KnownBy,
    ListRevision,
    Record,
    ScreeningResult,
    TermBegun,
    Transition,
)
from domain.refusals import Problem, Refusal, RefusalKind
from domain.renewal import EVENTS, TASKS, revocations
from domain.review import known_as
from domain.screening import require_accepted, require_no_failure, screen
from domain.setting import SYSTEM, Setting, step
from domain.shanghai import last_day, shanghai_date
from domain.submission import Submission
from domain.terms import Term


def approve(
    case: Case,
    command: ApproveRenewal,
    submission: Submission,
    certificate_number: str,
    setting: Setting,
    alike: Sequence[LookAlike] | None = (),
) -> Transition:
    """Approve the renewal: no finding fails by the policy in force, and nothing bars it.

    In time, the next term starts exactly at the old end, whenever it is approved; late, at the approval.
    """
    judge(case, command)
    known = case.verification
    application, policy = submission.application, setting.in_force
    findings = screen(application, policy, as_of=setting.today, verification=known, alike=alike)
    require_no_failure(findings)
    require_accepted(findings, command.accepted)
    if barred := bars(case, setting):
        raise Refusal(
            RefusalKind.RENEWAL_BARRED,
            f"The renewal cannot be approved: {barred[0].message}",
            f"See why it stands so with: livebase why {case.case_number}",
            barred,
        )
    case = case.model_copy(update=known_as(submission))
    reasons = {acceptance.condition: acceptance.reason for acceptance in command.accepted}
    records: tuple[Record, ...] = (
        ScreeningResult(case.revision, setting.today, findings, setting.in_force.version),
        Decision(
            "renewal_approved", command.actor.name, command.actor.role, case.revision, detail={"accepted": reasons}
        ),
        KnownBy({"certificate_number": certificate_number}),
    )
    return (_late if case.ending else _in_time)(case, command, records, certificate_number, setting)


def bars(case: Case, setting: Setting) -> tuple[Problem, ...]:
    """What stands in the way of a next term (decision 23): an assessment not passed, an open serious violation, a
    revocation, or a deposit not whole."""
    open_ones = tuple(
        Problem(conduct.rule, f"the conduct case {conduct.id}, a serious one, is open.")
        for conduct in case.open_conduct
        if conduct.severity == "serious"
    )
    others = (*assessment.bars(case), *open_ones, *revocations(case), *_proposed(case, setting.now))
    lacking = setting.in_force.deposit_fen - case.deposit.held
    if lacking <= 0:
        return others
    message = f"the next term needs a deposit of CNY {format_cny(setting.in_force.deposit_fen)}, "
    return (*others, Problem("A3", message + f"and CNY {format_cny(lacking)} is lacking."))


def _proposed(case: Case, now: datetime) -> Iterator[Problem]:
    """The revocations that wait for a second person. One that the term's end overtook bars the late renewal for as
    long as it would have waited: compliance can still take it up as a violation."""
    ended = case.ending.interrupted if case.ending else None
    planned = (*case.plan, *(ended.plan if ended else ()))
    waits = {one.subject: one.at for one in planned if one.event is Event.EXPIRE_PROPOSAL and one.at > now}
    for proposal in case.proposals:
        if proposal.action == "revoke" and proposal.outcome in (None, "overtaken") and proposal.id in waits:
            day = last_day(waits[proposal.id])
            message = f"{proposal.proposed_by} has proposed the revocation ({proposal.id}); it stands until {day}."
            yield Problem("revocation", message)


def begin_term(case: Case, planned: Planned, setting: Setting) -> Transition:
    """The next term begins, judged from now on by the policy it was decided under; benefits go on unbroken."""
    before, term = case.terms[-2:]
    return step(
        case,
        setting,
        "term_begun",
        SYSTEM,
        BenefitsWithdrawn(before.ordinal),
        legal_at=planned.at,
        detail={"certificate_number": term.certificate_number, "last_day": term.last_day.isoformat()},
        policy_version=term.policy_version,
        renewals_refused=0,
        plan=case.plan_without(planned),
    )


def _in_time(
    case: Case, command: ApproveRenewal, records: tuple[Record, ...], certificate_number: str, setting: Setting
) -> Transition:
    before, policy = case.terms[-1], setting.in_force
    term = before.next(certificate_number, policy.version, years=policy.term_years)
    published = case.publication.published_at if case.publication else None
    begin = Planned(event=Event.BEGIN_TERM, at=term.from_, what="the next term begins")
    return step(
        case,
        setting,
        "renewal_approved",
        command.actor,
        *records,
        TermBegun(term),
        # Unbroken: what the base has, it goes on having.
        BenefitsGranted(
            term.ordinal,
            {benefit: published if benefit == NAME_AND_MARKS else case.terms[0].from_ for benefit in BENEFITS},
        ),
        *_listed(case, term, setting),
        letter(
            case,
            "renewal_approved",
            setting,
            certificate=certificate_number,
            begins=long_date(shanghai_date(term.from_)),
            last_day=long_date(term.last_day),
        ),
        detail=_detail(case, command, term),
        terms=(*case.terms, term),
        deposit=case.deposit.model_copy(update={"required": max(case.deposit.required, policy.deposit_fen)}),
        renewal=None,
        tasks=case.tasks_without(*TASKS),
        plan=(
            *case.plan_without(*EVENTS, Event.REMIND_RENEWAL, Event.EXPIRE_CERTIFICATION),
            begin,
            *year_plan(replace(setting, policy=policy), (*case.terms, term)),
        ),
    )


def _late(
    case: Case, command: ApproveRenewal, records: tuple[Record, ...], certificate_number: str, setting: Setting
) -> Transition:
    before, policy = case.terms[-1], setting.in_force
    decided = replace(setting, policy=policy)
    term = before.late(setting.now, certificate_number, policy.version, years=policy.term_years)
    opened = publication_opened(decided, term)
    (publish,) = opened["tasks"]
    return step(
        case,
        setting,
        "renewal_approved_late",
        command.actor,
        *records,
        TermBegun(term),
        BenefitsGranted(term.ordinal, benefits(setting)),
        letter(
            case,
            "renewal_approved_late",
            setting,
            until=publish.due_at,
            provisional=publish.provisional,
            certificate=certificate_number,
            ended=long_date(before.last_day),
            last_day=long_date(term.last_day),
        ),
        detail={
            **_detail(case, command, term),
            "gap": {"from": before.until.isoformat(), "until": term.from_.isoformat()},
        },
        terms=(*case.terms, term),
        policy_version=policy.version,
        deposit=case.deposit.model_copy(update={"required": policy.deposit_fen}),
        renewal=None,
        renewals_refused=0,
        ending=None,
        marks=None,
        **{
            **opened,
            # What else is open goes on: violations, quarters of the term before.
            "tasks": (publish, *case.tasks_without(*TASKS, *TASKS_OF_THE_END)),
            "plan": (*opened["plan"], *case.plan_without(*EVENTS, *EVENTS_OF_THE_END)),
            **suspension.grounded(case, case.holds, case.suspended_since),
        },
    )


def _detail(case: Case, command: ApproveRenewal, term: Term) -> dict[str, Any]:
    return {
        "revision": case.revision,
        "accepted": {acceptance.condition: acceptance.reason for acceptance in command.accepted},
        "certificate_number": term.certificate_number,
        "last_day": term.last_day.isoformat(),
        "policy_version": term.policy_version,
    }


def _listed(case: Case, term: Term, setting: Setting) -> tuple[ListRevision, ...]:
    """The entry of the next term, in effect from its first instant, if the base is on the list at all."""
    if case.publication is None or case.publication.state != "published":
        return ()
    return (
        official_list.entry(case, "suspended" if case.holds else "published", term, setting, effective_from=term.from_),
    )
