"""Endings within a term: surrender, dissolution, revocation, a failed assessment (R8, R9; decisions 21, 22, 27 to 31).

Whatever was under way is closed with the term: a publication still pending, a renewal, a next term that waits for its
day, its quarters' assessments, holds, and proposals that wait for a second person. What an ending opens is in
`domain/after_ending.py`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from domain import quarter, renewal, top_up, verification
from domain.after_ending import duties, withdrawn
from domain.case import Case, Ending
from domain.commands import Actor, Dissolve, Revoke, Surrender
from domain.conduct import ConductCase
from domain.cooling_off import earliest_new_application
from domain.dependants import Dependants, to_be_told
from domain.ending import end_before_term
from domain.judging import judge
from domain.letters import before_end_of, letter, long_date
from domain.money import format_cny
from domain.planning import Event, Planned
from domain.publication import without_publication
from domain.records import BenefitsWithdrawn, Decision, Record, Transition
from domain.rectification import revoked
from domain.setting import Setting, step
from domain.shanghai import shanghai_date
from domain.stages import Stage, Standing

_OF_THE_TERM = (
    *renewal.EVENTS,
    *quarter.EVENTS,
    *top_up.EVENTS,
    Event.REMIND_RENEWAL,
    Event.BEGIN_TERM,
    Event.EXPIRE_CERTIFICATION,
    Event.EXPIRE_PROPOSAL,
)
"""What the end of a term takes out of the plan, beside its publication."""


def surrender(case: Case, command: Surrender, setting: Setting) -> Transition:
    """The base leaves of its own will, at once."""
    judge(case, command)
    return _end(case, setting, command.actor, Standing.SURRENDERED, "surrendered_by_base", command.reason)


def dissolve(case: Case, command: Dissolve, setting: Setting) -> Transition:
    """The enterprise is no more; an operator puts it on record, before a term too (one person's, decision 29)."""
    judge(case, command)
    actor, kind, cause = command.actor, Standing.DISSOLVED, "enterprise_dissolved"
    if case.terms:
        return _end(case, setting, actor, kind, cause, command.reason)
    decision = Decision(kind.value, actor.name, actor.role, case.revision, command.reason)
    return end_before_term(case, setting, actor, kind, "enterprise_dissolved", command.reason, decision)


def revoke(case: Case, command: Revoke, setting: Setting, those: Dependants) -> Transition:
    """Revoke the certification at once, with a window for one appeal (decision 28).

    Carried out when the second person approves (`domain/approving.py`). The operator is told of `those` who depend on
    the base.
    """
    judge(case, command)
    conduct = case.conduct_case(command.conduct) if command.conduct else None
    took_part = (conduct.reported_by, *conduct.decided_by) if conduct else ()
    told = to_be_told(case, those, setting, command.reason)
    ending = (case, setting, command.actor, Standing.REVOKED, "revoked_by_platform", command.reason)
    return _end(*ending, told, by=took_part, closes=conduct)


def _end(
    case: Case,
    setting: Setting,
    actor: Actor,
    kind: Standing,
    cause: str,
    reason: str,
    *records: Record,
    by: tuple[str, ...] = (),
    closes: ConductCase | None = None,
) -> Transition:
    decision = Decision(kind.value, actor.name, actor.role, case.revision, reason)
    return end_in_term(case, setting, actor, kind, cause, reason, decision, *records, by=by, closes=closes)


def end_in_term(
    case: Case,
    setting: Setting,
    actor: object,
    kind: Standing,
    cause: str,
    reason: str,
    *records: Record,
    legal_at: datetime | None = None,
    detail: dict[str, Any] | None = None,
    facts: dict[str, Any] | None = None,
    by: tuple[str, ...] = (),
    closes: ConductCase | None = None,
) -> Transition:
    """End a certification now, or at an instant before that it is only heard of now; deadlines count from there.

    `facts` are what the letter `certification_<kind>` names besides; `by` are others who took part in the decision;
    `closes` is the conduct case it is made for.
    """
    ended_at = legal_at or setting.now
    waiting, term = case.waiting_term, case.running_term
    assert term is not None
    # A next term that waits leaves with its begin: the term under way is the newest again.
    ends = case.model_copy(update={"terms": tuple(one for one in case.terms if one != waiting)})
    counted_from = case.over_since(ended_at)
    follows = duties(setting, counted_from)
    marks, settlement = follows["tasks"]
    changes, appeal = _appeal(kind, counted_from, setting)
    off_the_list, off = withdrawn(
        ends, setting, ended_at, kind, reason=reason, appeal_until=changes.get("appeal_until")
    )
    others = case.tasks_without("publish", top_up.TASK, verification.TASK, *renewal.TASKS, *quarter.TASKS)
    return step(
        case,
        setting,
        f"certification_{kind}",
        actor,
        *records,
        *off_the_list,
        *((BenefitsWithdrawn(waiting.ordinal),) if waiting else ()),
        letter(
            case,
            f"certification_{kind}",
            setting,
            until=marks.due_at,
            provisional=marks.provisional,
            appeal_until=changes.get("appeal_until"),
            reason=reason,
            certificate=term.certificate_number,
            ended=long_date(shanghai_date(ended_at)),
            held=format_cny(case.deposit.held),
            settle_by=before_end_of(settlement.due_at),
            closed=_told(case),
            again=long_date(earliest_new_application(kind, ended_at, setting.policy)),
            **(facts or {}),
        ),
        legal_at=ended_at,
        detail={
            "cause": cause,
            "reason": reason,
            **(detail or {}),
            "certificate_number": term.certificate_number,
            "publication_given_up": case.publication is not None and case.publication.state == "pending",
            "renewal_closed": case.renewal is not None,
            "conduct": [closes.id] if closes else [],
            "term_never_begun": waiting.certificate_number if waiting else None,
            "holds_closed": [hold.kind for hold in case.holds],
            "proposals_overtaken": [proposal.id for proposal in case.open_proposals],
        },
        **off,
        **changes,
        stage=Stage.SETTLING,
        terms=ends.terms,
        renewal=None,
        holds=(),
        suspended_since=None,
        ending=Ending(
            kind=kind,
            cause=cause,
            legal_at=ended_at,
            observed_at=setting.now,
            reason=reason,
            by=by,
        ),
        marks=follows["marks"],
        conduct=case.with_conduct(revoked(closes, setting)) if closes else case.conduct,
        tasks=(*(task for task in others if closes is None or task.subject != closes.id), *follows["tasks"]),
        plan=(*_outlives(case), *appeal, *follows["plan"]),
    )


def _outlives(case: Case) -> tuple[Planned, ...]:
    """What of the plan has nothing to do with the term."""
    rest = case.model_copy(update={"plan": without_publication(case)})
    return rest.plan_without(*_OF_THE_TERM)


def _appeal(kind: Standing, ended_at: datetime, setting: Setting) -> tuple[dict[str, Any], tuple[Planned, ...]]:
    """What the platform ends can be appealed once; what the base and its enterprise do themselves can not (28)."""
    if kind not in (Standing.REVOKED, Standing.INVALID):
        return {}, ()
    window = setting.days(setting.policy.appeal_days, shanghai_date(ended_at))
    return {"appeal_until": window.at}, (window.event(Event.CLOSE_CASE, "the appeal window ends"),)


def _told(case: Case) -> str:
    """What is closed with the term, as the base is told."""
    told = []
    if case.renewal is not None:
        told.append("未决定的续签申请一并终止。")
    if case.waiting_term is not None:
        told.append(f"已通过续签的证书 {case.waiting_term.certificate_number} 不再生效。")
    return "".join(told)
