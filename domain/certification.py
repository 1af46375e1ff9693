"""Certification: a certifier other than the reviewer decides; term, benefits and number begin (decision 18)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from domain import assessment_agenda
from domain.case import Case, Publication
from domain.commands import Certify, RefuseCertification
from domain.ending import end_before_term
from domain.judging import judge, require_whole
from domain.letters import letter, long_date
from domain.periods import ending_in
from domain.planning import Event, Planned
from domain.records import BenefitsGranted, Decision, KnownBy, TermBegun, Transition
from domain.setting import SYSTEM, Setting, step
from domain.stages import Role, Stage, Standing
from domain.terms import Term

BENEFITS = ("P1", "P2", "P3", "P4", "P5", "P6")
NAME_AND_MARKS = "P1"
"""The right to the name and marks: by R3 it takes effect only with publication."""


def certify(case: Case, command: Certify, certificate_number: str, setting: Setting) -> Transition:
    """Pass the audit: the term begins now, benefits are granted, publication falls due (R3).

    Refused (5) while the deposit is not whole: what was paid in full may have been taken back since (A3).
    """
    judge(case, command)
    require_whole(case, "before the base can be certified (A3)")
    term = Term.first(setting.now, certificate_number, setting.policy.version, years=setting.policy.term_years)
    opened = publication_opened(setting, term)
    (publish,) = opened["tasks"]
    return step(
        case,
        setting,
        "base_certified",
        command.actor,
        Decision("certified", command.actor.name, command.actor.role, case.revision),
        TermBegun(term),
        KnownBy({"certificate_number": certificate_number}),
        BenefitsGranted(term.ordinal, benefits(setting)),
        letter(
            case,
            "base_certified",
            setting,
            until=publish.due_at,
            provisional=publish.provisional,
            certificate=certificate_number,
            last_day=long_date(term.last_day),
        ),
        detail={"certificate_number": certificate_number, "last_day": term.last_day.isoformat()},
        terms=(*case.terms, term),
        **opened,
    )


def benefits(setting: Setting) -> dict[str, datetime | None]:
    """P1 to P6 as granted now, each with the instant it takes effect; P1 waits for publication (decision 18)."""
    return {benefit: None if benefit == NAME_AND_MARKS else setting.now for benefit in BENEFITS}


def publication_opened(setting: Setting, term: Term) -> dict[str, Any]:
    """What opens with a term that begins now: publication within its working days (R3), and the term's year."""
    due = setting.working_days(setting.policy.publication_working_days)
    return {
        "stage": Stage.PUBLISHING,
        "publication": Publication(state="pending", due_date=due.day, due_at=due.at, provisional=due.provisional),
        "tasks": (due.task("publish", Role.OPERATOR),),
        "plan": (*_publication_plan(setting), *year_plan(setting, (term,))),
    }


def refuse(case: Case, command: RefuseCertification, setting: Setting) -> Transition:
    """The certifier refuses: the case ends as rejected, with its appeal window."""
    judge(case, command)
    return end_before_term(
        case,
        setting,
        command.actor,
        Standing.REJECTED,
        "certification_refused",
        command.reason,
        Decision("certification_refused", command.actor.name, command.actor.role, case.revision, command.reason),
        by=(*case.reviewers, command.actor.name),
    )


def escalate(case: Case, planned: Planned, setting: Setting) -> Transition:
    """An overdue certification decision is told to the operator, and again each further period."""
    again = setting.working_days(setting.policy.certify_working_days)
    return step(
        case,
        setting,
        "certification_escalated",
        SYSTEM,
        letter(case, "certification_escalated", setting, until=again.at, provisional=again.provisional),
        legal_at=planned.at,
        plan=(again.event(planned.event, planned.what),),
    )


def remind_renewal(case: Case, planned: Planned, setting: Setting) -> Transition:
    """Remind the base that its certification ends; sent when due and not yet sent (decision 23)."""
    term = case.terms[-1]
    return step(
        case,
        setting,
        "remind_renewal",
        SYSTEM,
        letter(
            case,
            "remind_renewal",
            setting,
            until=term.until,
            certificate=term.certificate_number,
            last_day=term.last_day,
        ),
        legal_at=planned.at,
        plan=case.plan_without(planned),
    )


def _publication_plan(setting: Setting) -> tuple[Planned, ...]:
    policy = setting.policy
    attempt = Planned(event=Event.ATTEMPT_PUBLICATION, at=setting.now, what="publication on the official list is tried")
    escalations = tuple(
        setting.working_days(day).event(
            Event.ESCALATE_PUBLICATION, f"publication still missing after {day} working days is escalated"
        )
        for day in policy.publication_escalation_working_days
    )
    breach = setting.working_days(policy.publication_working_days).event(
        Event.RECORD_PUBLICATION_BREACH, "publication still missing is recorded as a breach of R3"
    )
    return (attempt, *escalations, breach)


def year_plan(setting: Setting, terms: Sequence[Term]) -> tuple[Planned, ...]:
    """What comes of itself in the year of the newest term: its quarters, the reminders of its end, and the end."""
    term = terms[-1]
    quarters = assessment_agenda.year_plan(setting, ending_in(terms))
    reminders: list[Any] = [
        Planned(
            event=Event.REMIND_RENEWAL,
            at=term.until - timedelta(days=days),
            what=f"the base is reminded of the end of its term (days left: {days})",
        )
        for days in setting.policy.renewal_reminder_days_before
    ]
    expire = Planned(event=Event.EXPIRE_CERTIFICATION, at=term.until, what="the certification expires")
    return (*quarters, *reminders, expire)
