"""Publication on the official list within 7 working days (R3; decisions 18 to 20)."""

from __future__ import annotations

from datetime import datetime, timedelta

from domain import official_list
from domain.case import Case
from domain.certification import NAME_AND_MARKS
from domain.commands import Publish
from domain.judging import judge
from domain.letters import letter, long_date
from domain.planning import Event, Planned
from domain.records import BenefitEffective, Evidence, Transition
from domain.refusals import Refusal, RefusalKind
from domain.setting import SYSTEM, Setting, step
from domain.stages import Stage

_PUBLICATION = frozenset({Event.ATTEMPT_PUBLICATION, Event.ESCALATE_PUBLICATION, Event.RECORD_PUBLICATION_BREACH})
_LONGEST_PAUSE = timedelta(days=1)


def published(case: Case, setting: Setting, *, actor: object = SYSTEM, evidence: str | None = None) -> Transition:
    """The base is on the official list: the right to the name and marks takes effect (R3).

    A base that was suspended meanwhile is listed as suspended, and that right is paused with the others.
    """
    assert case.publication is not None
    revision, term, waiting = setting.list_revision, case.running_term, case.waiting_term
    assert term is not None
    late = case.publication.breached or setting.now >= case.publication.due_at
    publication = case.publication.model_copy(
        update={"state": "published", "published_at": setting.now, "register_revision": revision, "breached": late}
    )
    return step(
        case,
        setting,
        "base_published",
        actor,
        *official_list.entries(case, setting, evidence=evidence),
        BenefitEffective(term.ordinal, NAME_AND_MARKS, setting.now),
        *((BenefitEffective(waiting.ordinal, NAME_AND_MARKS, setting.now),) if waiting else ()),
        letter(
            case,
            "base_published.suspended" if case.holds else "base_published",
            setting,
            certificate=term.certificate_number,
            last_day=long_date(term.last_day),
        ),
        detail={"register_revision": revision, "evidence": evidence, "late": late},
        stage=Stage.VALID,
        publication=publication,
        tasks=case.tasks_without("publish"),
        plan=without_publication(case),
    )


def publish_by_hand(case: Case, command: Publish, setting: Setting) -> Transition:
    """An operator puts on record, with evidence, that it was published by hand; without any it is tried again now."""
    judge(case, command)
    if case.stage is Stage.VALID:
        return _evidence_added(case, command, setting)
    if command.evidence is not None:
        return published(case, setting, actor=command.actor, evidence=command.evidence)
    others = case.plan_without(Event.ATTEMPT_PUBLICATION)
    return step(case, setting, "publication_retried", command.actor, plan=(attempt_at(setting.now), *others))


def attempt_failed(case: Case, planned: Planned, why: str, setting: Setting) -> Transition:
    """The channel did not take it: try again, each pause twice as long, at most a day."""
    assert case.publication is not None
    failures = case.publication.failed_attempts + 1
    shortest = timedelta(minutes=setting.policy.publication_retry_minutes)
    again = setting.now + min(shortest * 2 ** min(failures - 1, 10), _LONGEST_PAUSE)
    last_chance = case.publication.due_at - shortest
    if setting.now < last_chance < again:
        again = last_chance  # the pause must not be what misses the deadline
    return step(
        case,
        setting,
        "publication_attempt_failed",
        SYSTEM,
        detail={"why": why, "failed_attempts": failures},
        publication=case.publication.model_copy(update={"failed_attempts": failures}),
        plan=(attempt_at(again), *case.plan_without(planned)),
    )


def _evidence_added(case: Case, command: Publish, setting: Setting) -> Transition:
    if command.evidence is None:
        raise Refusal(
            RefusalKind.WRONG_STAGE,
            f"Case {case.case_number} is on the official list already.",
            "Proof of it can be put on record with: --evidence FILE",
        )
    proof = Evidence("publication", (command.evidence,))
    detail = {"evidence": command.evidence}
    return step(case, setting, "publication_evidence_added", command.actor, proof, detail=detail)


def attempt_at(instant: datetime) -> Planned:
    """An attempt at publication through the official channel."""
    return Planned(event=Event.ATTEMPT_PUBLICATION, at=instant, what="publication on the official list is tried")


def escalate(case: Case, planned: Planned, setting: Setting) -> Transition:
    assert case.publication is not None
    return step(
        case,
        setting,
        "publication_escalated",
        SYSTEM,
        letter(
            case,
            "publication_escalated",
            setting,
            until=case.publication.due_at,
            provisional=case.publication.provisional,
            certificate=case.terms[-1].certificate_number,
        ),
        legal_at=planned.at,
        plan=case.plan_without(planned),
    )


def record_breach(case: Case, planned: Planned, setting: Setting) -> Transition:
    """The 7th working day is over and the base is not published: on record, escalated, and it goes on."""
    assert case.publication is not None
    return step(
        case,
        setting,
        "publication_breached",
        SYSTEM,
        letter(
            case,
            "publication_breached",
            setting,
            days=setting.policy.publication_working_days,
            certificate=case.terms[-1].certificate_number,
        ),
        legal_at=planned.at,
        publication=case.publication.model_copy(update={"breached": True}),
        plan=case.plan_without(planned),
    )


def without_publication(case: Case) -> tuple[Planned, ...]:
    """The plan without what belongs to a pending publication."""
    return case.plan_without(*_PUBLICATION)
