"""Every letter the first year writes has all its parts: what, why, by when, what to do, how to appeal (decision 35)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import date, datetime, timedelta
from functools import partial

import pytest

from domain import (
    after_ending,
    agenda,
    assessment,
    casework,
    census,
    certification,
    conduct_agenda,
    correction,
    deciding,
    ending,
    publication,
    renewal,
    review,
    suspension,
)
from domain.case import Case
from domain.commands import (
    Actor,
    Approve,
    AssignPayment,
    Authorise,
    Command,
    Correct,
    DecideAppeal,
    DenyProposal,
    Dissolve,
    EraseDocuments,
    ExtendDeadline,
    FileAppeal,
    Missing,
    RefuseCertification,
    Reinstate,
    Reject,
    RejectRenewal,
    RequestSupplement,
    Revoke,
    SetAside,
    Supplement,
    Surrender,
    Suspend,
    WaiveCoolingOff,
    Withdraw,
)
from domain.conduct import Outcome
from domain.judging import EXTENDABLE
from domain.letters import before_end_of, letter
from domain.planning import Event
from domain.records import Letter, Transition
from domain.shanghai import SHANGHAI
from domain.stages import Role
from domain.wordings import WORDINGS, Wording
from starter.main import build_app
from tests.domain import cases, deductions, payments, refunds, verified
from tests.domain import test_recounting as recounting
from tests.starter.test_cli_help import all_commands

NOW = cases.OPENED
AT = cases.setting(NOW)

NOT_YET: set[str] = set()
"""Commands of the contract (design/cli.md) that letters name and that come with the stages they belong to."""

APPEALABLE = {"certification_invalid", "application_rejected", "certification_revoked", "deadline_moved.appeal"}
"""The letters about what can be appealed (decision 28)."""


def approved(case: Case) -> Transition:
    return review.approve(case, cases.command(Approve, cases.REVIEWER, revision=1), cases.submission(), AT)


def requested() -> Transition:
    items = (Missing(condition="A4.area", what="floor plan"), Missing(condition="A5", what="a letter"))
    command = cases.command(RequestSupplement, cases.REVIEWER, revision=1, items=items)
    return review.request_supplement(cases.in_review(), command, AT)


def supplemented() -> Transition:
    command = cases.command(Supplement, cases.APPLICANT, submission=cases.submission().sha256)
    return review.supplement(cases.in_supplement(), command, cases.submission(), AT)


def withdrawn(case: Case) -> Transition:
    return ending.withdraw(case, cases.command(Withdraw, cases.APPLICANT, reason="搬迁"), AT)


def rejected(case: Case) -> Transition:
    return ending.reject(case, cases.command(Reject, cases.REVIEWER, revision=1, reason="场地是仓库"), AT)


def refused() -> Transition:
    command = cases.command(RefuseCertification, cases.CERTIFIER, reason="场地未启用")
    return certification.refuse(cases.in_certifying(), command, AT)


def withdrawn_with_money(now: datetime) -> Case:
    paid = cases.paid(cases.in_review(now), 500, now).case
    return ending.withdraw(paid, cases.command(Withdraw, cases.APPLICANT, reason="搬迁"), cases.setting(now)).case


def taken(case: Case, event: Event) -> Transition:
    planned = cases.planned_event(case, event)
    return agenda.take(case, planned, cases.setting(planned.at, 2))


def part_paid() -> Case:
    return cases.paid(cases.in_review(), 500).case


def renewal_supplemented() -> Transition:
    case = cases.in_renewal_supplement()
    sent = cases.submission()
    handed_in = cases.command(Supplement, cases.APPLICANT, submission=sent.sha256)
    return renewal.supplement(case, handed_in, sent, cases.setting(cases.before_end(case, 35)))


def renewal_rejected(case: Case, days_before: int) -> Transition:
    command = cases.command(RejectRenewal, cases.REVIEWER, revision=1, reason="场地已缩减")
    return renewal.reject(case, command, cases.setting(cases.before_end(case, days_before)))


def late_renewal_lapsed() -> Transition:
    asked = cases.renewal_asked(cases.renewal_late(), -1).case
    return taken(asked, Event.LAPSE_RENEWAL)


def extended(case: Case, deadline: str) -> Transition:
    """The deadline moved a month on, an hour after it was set."""
    (due,) = (task.due_at for task in case.tasks if EXTENDABLE.get(task.kind) == deadline)
    assert due is not None
    command = cases.command(
        ExtendDeadline, cases.OPERATOR, deadline=deadline, to=(due + timedelta(days=30)).date(), reason="银行系统停机"
    )
    return casework.extend(case, command, cases.setting(due - timedelta(days=3)))


def quarter_event(case: Case, event: Event, now: datetime | None = None) -> Transition:
    """What comes of itself in a base's first whole quarter, found at an instant."""
    planned = next(one for one in case.plan if one.event is event and one.subject == cases.QUARTER)
    return agenda.take(case, planned, cases.setting(now or planned.at, 2))


def objected_on(now: datetime) -> Transition:
    return cases.objected_to(cases.told(cases.in_valid(), at=now - timedelta(days=3)).case, now)


def figures_corrected(now: datetime) -> Transition:
    """Figures that pass, when the certification has become invalid by those before."""
    return cases.told(cases.confirmed(cases.failing()).case, 100_000_000, revision=2, at=now)


def confirmed_without_end() -> Transition:
    """A confirmed fail where the policy asks for more than one in a row."""
    case, at = cases.failing(), cases.OPENED + timedelta(days=200)
    news = assessment.ResultConfirmed(cases.QUARTER, 1, "fail", "zhou", at)
    setting = cases.setting(at, 2)
    lenient = setting.policy.model_copy(update={"assessment_consecutive_fails": 2})
    return assessment.hear(case, news, replace(setting, policy=lenient))


def counted_again(name: str) -> Transition:
    """A deadline of New Year 2027 counted again when its notice is in."""
    opened_on, case = COUNTED[name]
    now = recounting.at(opened_on)
    return recounting.moved(case(now), recounting.NEW_YEAR, now=now)


def acted(case: Case, kind: type[Command], who: Actor, **fields: str) -> Transition:
    """What a person does with a reason."""
    return cases.done(case, cases.command(kind, who, reason="刷榜刷数据", **fields), NOW)


AT_NEXT_DAY = NOW + timedelta(days=1)


class NoOther(cases.AllOnRecord):
    def live_case(self, _: str) -> None: ...


def appeal_filed() -> Transition:
    case = cases.revoked()
    assert case.ending is not None
    file = cases.command(FileAppeal, cases.APPLICANT, decision=case.ending.decision, statement="证据不实")
    return cases.decided(case, file, AT_NEXT_DAY)


def appeal_decided(outcome: str) -> Transition:
    judge = Actor(role=Role.CERTIFIER, name="shen")
    command = cases.command(DecideAppeal, judge, outcome=outcome, reason="已复核")
    setting = cases.setting(AT_NEXT_DAY, 3)
    return deciding.decide(cases.appealed(), command, setting, NoOther())  # type: ignore[arg-type]


def set_aside_proposed(now: datetime = NOW) -> Transition:
    case = cases.revoked(now)
    assert case.ending is not None
    command = cases.command(SetAside, cases.COMPLIANCE, decision=case.ending.decision, reason="同名企业混淆")
    return deciding.decide(case, command, cases.setting(now, 3), NoOther())  # type: ignore[arg-type]


def waiver_proposed(now: datetime = NOW) -> Transition:
    return cases.done(cases.revoked(now), cases.command(WaiveCoolingOff, cases.COMPLIANCE, reason="已澄清"), now)


def waiver_denied() -> Transition:
    case = waiver_proposed().case
    command = cases.command(DenyProposal, cases.CERTIFIER, proposal=case.proposals[-1].id, reason="证据不足")
    return cases.done(case, command, AT_NEXT_DAY)


def erasure_proposed(now: datetime = NOW) -> Transition:
    return cases.done(cases.withdrawn(now), cases.command(EraseDocuments, cases.COMPLIANCE, reason="申请人要求"), now)


def erasure_denied() -> Transition:
    case = erasure_proposed().case
    command = cases.command(DenyProposal, cases.OPERATOR, proposal=case.proposals[-1].id, reason="争议未了")
    return cases.done(case, command, AT_NEXT_DAY)


def set_aside_denied() -> Transition:
    case = set_aside_proposed().case
    command = cases.command(DenyProposal, cases.CERTIFIER, proposal=case.proposals[-1].id, reason="证据不足")
    return cases.done(case, command, AT_NEXT_DAY)


def of_conduct(case: Case) -> Transition:
    """What comes of itself next in the newest conduct case."""
    conduct = case.conduct[-1]
    assert conduct.next_event is not None
    transition = conduct_agenda.take(case, conduct.id, conduct.next_event, cases.setting(conduct.next_event.at, 3))
    assert transition is not None
    return transition


def conduct_outcome(outcome: Outcome) -> Transition:
    """Each outcome where it can be decided; a revocation on a certification that has ended."""
    day = timedelta(days=1)
    if outcome in (Outcome.RECTIFIED, Outcome.UNCORRECTED):
        checked = cases.conduct_answered(cases.ordered_to_rectify(), NOW + 5 * day).case
        return cases.conduct_decided(checked, outcome, NOW + 6 * day)
    case = cases.undecided(severity="serious")
    if outcome is Outcome.REVOCATION:
        case = acted(case, Surrender, cases.APPLICANT).case
    return cases.conduct_decided(case, outcome, NOW + 2 * day)


def held_twice() -> Case:
    _, changes = suspension.place(cases.suspended(), "deposit", "r", AT)
    return cases.suspended().model_copy(update=changes)


def corrected() -> Transition:
    before = cases.submission()
    base = before.application.base.model_copy(update={"name": "义乌新北苑直播基地"})
    application = before.application.model_copy(update={"base": base})
    after = before.model_copy(update={"application": application})
    command = cases.command(Correct, cases.OPERATOR, submission=after.sha256)
    return correction.correct(cases.in_valid(), command, after, before, AT)


def alone(case: Case, kind: str) -> Case:
    """A case in which nothing but one task has a deadline."""
    return case.model_copy(update={"tasks": tuple(task for task in case.tasks if task.kind == kind), "plan": ()})


def rectification_handed_in(now: datetime) -> Case:
    return cases.conduct_answered(cases.ordered_to_rectify(now), now + timedelta(days=4)).case


def refund_proposed(now: datetime = NOW) -> Case:
    """A refund that waits for its second person, of a base whose settlement period is over."""
    case = refunds.left(cases.in_valid(now - timedelta(days=60)))
    return cases.done(case, refunds.refund_of(10_000_000), max(now, refunds.settled_on(case))).case


def return_proposed(now: datetime = NOW) -> Case:
    return cases.done(refunds.with_unmatched(case=cases.in_deposit(now)), refunds.give_back(), now).case


def denied(case: Case) -> Transition:
    proposal = case.open_proposals[0]
    return cases.done(
        case, cases.command(DenyProposal, deductions.OTHER, proposal=proposal.id, reason="刷榜刷数据"), proposal.at
    )


COUNTED: dict[str, tuple[str, Callable[[datetime], Case]]] = {
    "review": ("2026-12-23", cases.in_review),
    "supplement": ("2026-12-18", cases.in_supplement),
    "deposit": ("2026-12-03", cases.in_deposit),
    "renewal_review": ("2026-12-23", lambda _: cases.renewing(recounting.at("2026-02-06"))),
    "renewal_supplement": ("2026-12-18", lambda _: cases.in_renewal_supplement(recounting.at("2026-01-27"))),
    "certify": ("2026-12-30", cases.in_certifying),
    "decide_appeal": ("2026-12-10", lambda now: alone(cases.appealed(now), "decide_appeal")),
    "approve_waiver": ("2026-12-30", lambda now: alone(waiver_proposed(now).case, "approve_waiver")),
    "approve_erasure": ("2026-12-30", lambda now: alone(erasure_proposed(now).case, "approve_erasure")),
    "approve_set_aside": ("2026-12-30", lambda now: alone(set_aside_proposed(now).case, "approve_set_aside")),
    "answer_conduct": ("2026-12-28", cases.accused),
    "decide_conduct": ("2026-12-23", cases.undecided),
    "check_rectification": ("2026-12-18", rectification_handed_in),
    "rectify": ("2026-12-16", cases.ordered_to_rectify),
    "publish": ("2026-12-23", cases.in_publishing),
    "confirm_marks": ("2026-12-28", recounting.expired_on),
    "approve_revocation": ("2026-12-29", cases.revocation_proposed),
    "approve_deduction": ("2026-12-29", deductions.proposed),
    "approve_refund": ("2026-12-29", lambda now: alone(refund_proposed(now), "approve_refund")),
    "approve_return": ("2026-12-29", lambda now: alone(return_proposed(now), "approve_return")),
    "approve_reversal": (
        "2026-12-29",
        lambda now: alone(payments.proposed(cases.in_certifying(now), at=now), "approve_reversal"),
    ),
    "top_up": ("2026-12-18", lambda now: alone(deductions.short(decided=now), "top_up")),
    "return_deposit": ("2026-12-23", withdrawn_with_money),
    "objection": ("2026-12-28", lambda now: cases.told(cases.in_valid(), at=now).case),
    "decide_assessment": ("2026-12-28", lambda now: objected_on(now).case),
    "confirm_assessment": ("2026-12-28", lambda now: quarter_event(cases.failing(), Event.END_OBJECTION, now).case),
    "set_aside_assessment": ("2026-12-28", lambda now: figures_corrected(now).case),
    "appeal": ("2026-12-18", recounting.rejected),
}
"""The task → the day its case gets to its stage, and that case."""


def workflow_ended(how: census.How) -> Transition:
    case = cases.in_review()
    transition = census.stopped(case, case.workflow_id, "run-1", how, cases.setting(cases.OPENED))
    assert transition is not None
    return transition


TRANSITIONS: dict[str, tuple[Callable[[], Transition], tuple[str, ...]]] = {
    "apply": (cases.opened, ("application_received",)),
    "approve": (lambda: approved(cases.in_review()), ("application_approved",)),
    "approve, paid in full": (
        lambda: approved(cases.paid(cases.in_review(), 10_000_000).case),
        ("application_approved.paid",),
    ),
    "a workflow ended by hand": (lambda: workflow_ended("terminated"), ("workflow_stopped",)),
    "a workflow that runs again": (lambda: workflow_ended("runs_again"), ("workflow_stopped.again",)),
    "request a supplement": (requested, ("supplement_requested",)),
    "supplement": (supplemented, ("supplement_received",)),
    "pay a part": (lambda: cases.paid(cases.in_deposit(), 500), ("deposit_received.part",)),
    "pay a part before approval": (lambda: cases.paid(cases.in_review(), 500), ("deposit_received.part_early",)),
    "pay in full": (lambda: cases.paid(cases.in_deposit(), 10_000_000), ("deposit_received.full",)),
    "pay in full before approval": (
        lambda: cases.paid(cases.in_review(), 10_000_000),
        ("deposit_received.full_early",),
    ),
    "pay a part during a supplement": (
        lambda: cases.paid(cases.in_supplement(), 500),
        ("deposit_received.part_supplement",),
    ),
    "pay in full during a supplement": (
        lambda: cases.paid(cases.in_supplement(), 10_000_000),
        ("deposit_received.full_supplement",),
    ),
    "lapse with money that fits nowhere": (
        lambda: taken(cases.paid(cases.in_deposit(), 700, payer="x").case, Event.LAPSE_DEPOSIT),
        ("application_lapsed.deposit_overdue",),
    ),
    "pay too much": (
        lambda: cases.paid(cases.in_deposit(), 10_000_001),
        ("deposit_received.full", "payment_unmatched"),
    ),
    "pay for somebody else": (lambda: cases.paid(cases.in_deposit(), 1, payer="x"), ("payment_unmatched",)),
    "pay after the end": (lambda: cases.paid(rejected(cases.in_review()).case, 1), ("payment_unmatched",)),
    "certify": (
        lambda: certification.certify(
            cases.in_certifying(), cases.command(cases.Certify, cases.CERTIFIER), "LBC-2026-000001", AT
        ),
        ("base_certified",),
    ),
    "publish": (lambda: publication.published(cases.in_publishing(), AT), ("base_published",)),
    "withdraw": (lambda: withdrawn(cases.in_review()), ("application_withdrawn",)),
    "withdraw with money held": (lambda: withdrawn(part_paid()), ("application_withdrawn",)),
    "reject": (lambda: rejected(cases.in_review()), ("application_rejected",)),
    "reject with money held": (lambda: rejected(part_paid()), ("application_rejected",)),
    "refuse certification": (refused, ("application_rejected",)),
    "remind_reviewer": (lambda: taken(cases.in_review(), Event.REMIND_REVIEWER), ("remind_reviewer",)),
    "escalate_review": (lambda: taken(cases.in_review(), Event.ESCALATE_REVIEW), ("review_escalated",)),
    "remind_supplement": (lambda: taken(cases.in_supplement(), Event.REMIND_SUPPLEMENT), ("remind_supplement",)),
    "lapse_supplement": (
        lambda: taken(cases.in_supplement(), Event.LAPSE_SUPPLEMENT),
        ("application_lapsed.supplement_overdue",),
    ),
    "remind_deposit": (lambda: taken(cases.in_deposit(), Event.REMIND_DEPOSIT), ("remind_deposit",)),
    "lapse_deposit": (lambda: taken(cases.in_deposit(), Event.LAPSE_DEPOSIT), ("application_lapsed.deposit_overdue",)),
    "escalate_certification": (
        lambda: taken(cases.in_certifying(), Event.ESCALATE_CERTIFICATION),
        ("certification_escalated",),
    ),
    "escalate_publication": (
        lambda: taken(cases.in_publishing(), Event.ESCALATE_PUBLICATION),
        ("publication_escalated",),
    ),
    "record_publication_breach": (
        lambda: taken(cases.in_publishing(), Event.RECORD_PUBLICATION_BREACH),
        ("publication_breached",),
    ),
    "remind_renewal": (lambda: taken(cases.in_valid(), Event.REMIND_RENEWAL), ("remind_renewal",)),
    "renew": (lambda: cases.renewal_filed(cases.in_valid()), ("renewal_filed",)),
    "renew late": (lambda: cases.renewal_filed(cases.expired(), -10), ("renewal_filed.late",)),
    "request a supplement to a renewal": (
        lambda: cases.renewal_asked(cases.renewing()),
        ("renewal_supplement_requested",),
    ),
    "hand in a renewal's supplement": (renewal_supplemented, ("renewal_supplement_received",)),
    "approve a renewal": (
        lambda: cases.renewal_approved(cases.renewing(), 20),
        ("renewal_approved",),
    ),
    "approve a late renewal": (
        lambda: cases.renewal_approved(cases.renewal_late(), -3),
        ("renewal_approved_late",),
    ),
    "reject a renewal": (lambda: renewal_rejected(cases.renewing(), 20), ("renewal_rejected",)),
    "reject a late renewal": (lambda: renewal_rejected(cases.delayed_by_us(), -3), ("renewal_rejected.late",)),
    "remind_renewal_reviewer": (
        lambda: taken(cases.renewing(), Event.REMIND_RENEWAL_REVIEWER),
        ("remind_renewal_reviewer",),
    ),
    "escalate_renewal": (lambda: taken(cases.renewing(), Event.ESCALATE_RENEWAL), ("renewal_escalated",)),
    "remind_renewal_supplement": (
        lambda: taken(cases.in_renewal_supplement(), Event.REMIND_RENEWAL_SUPPLEMENT),
        ("remind_renewal_supplement",),
    ),
    "lapse_renewal": (lambda: taken(cases.in_renewal_supplement(), Event.LAPSE_RENEWAL), ("renewal_lapsed",)),
    "lapse_renewal, late": (late_renewal_lapsed, ("renewal_lapsed.late",)),
    "close_late_renewal": (
        lambda: taken(cases.renewal_late(), Event.CLOSE_LATE_RENEWAL),
        ("late_renewal_closed.late",),
    ),
    "extend a renewal's supplement": (
        lambda: extended(cases.in_renewal_supplement(), "supplement"),
        ("deadline_extended.renewal_supplement",),
    ),
    "expire_certification, the renewal undecided through us": (
        lambda: taken(cases.renewing(), Event.EXPIRE_CERTIFICATION),
        ("certification_expired.platform_delay",),
    ),
    "expire_certification": (
        lambda: taken(cases.in_valid(), Event.EXPIRE_CERTIFICATION),
        ("certification_expired",),
    ),
    "escalate_marks": (lambda: taken(cases.expired(), Event.ESCALATE_MARKS), ("marks_escalated",)),
    "escalate_settlement": (lambda: taken(cases.expired(), Event.ESCALATE_SETTLEMENT), ("settlement_escalated",)),
    "extend the supplement": (lambda: extended(cases.in_supplement(), "supplement"), ("deadline_extended.supplement",)),
    "extend the deposit": (lambda: extended(cases.in_deposit(), "deposit"), ("deadline_extended.deposit",)),
    "extend the marks": (lambda: extended(cases.expired(), "marks"), ("deadline_extended.confirm_marks",)),
    "an assessment that fails": (lambda: cases.told(cases.in_valid()), ("assessment_provisional.fail",)),
    "an assessment that passes": (
        lambda: cases.told(cases.in_valid(), 100_000_000),
        ("assessment_provisional.pass",),
    ),
    "object to an assessment": (
        lambda: cases.objected_to(cases.failing(), cases.OPENED + timedelta(days=127)),
        ("assessment_objected",),
    ),
    "decide that it is passed": (
        lambda: cases.assessment_decided(cases.objected(), "pass", cases.OPENED + timedelta(days=130)),
        ("assessment_decided.pass",),
    ),
    "decide that it is failed": (
        lambda: cases.assessment_decided(cases.unknown(), "fail", cases.OPENED + timedelta(days=150)),
        ("assessment_decided.fail",),
    ),
    "confirm a pass": (
        lambda: cases.confirmed(cases.told(cases.in_valid(), 100_000_000).case),
        ("assessment_confirmed.pass",),
    ),
    "confirm a fail": (lambda: cases.confirmed(cases.failing()), ("certification_invalid",)),
    "confirm a fail of several allowed": (confirmed_without_end, ("assessment_confirmed.fail",)),
    "correct figures after the end": (
        lambda: figures_corrected(cases.OPENED + timedelta(days=160)),
        ("assessment_to_set_aside",),
    ),
    "remind_figures": (lambda: quarter_event(cases.in_valid(), Event.REMIND_FIGURES), ("remind_figures",)),
    "escalate_figures": (
        lambda: quarter_event(quarter_event(cases.in_valid(), Event.REMIND_FIGURES).case, Event.ESCALATE_FIGURES),
        ("figures_escalated", "assessment_unknown"),
    ),
    "escalate_assessment": (
        lambda: quarter_event(cases.unknown(), Event.ESCALATE_ASSESSMENT),
        ("assessment_escalated",),
    ),
    **{f"a notice, {name}": (partial(counted_again, name), (f"deadline_moved.{name}",)) for name in COUNTED},
    "file_appeal": (lambda: appeal_filed(), ("appeal_filed",)),
    "decide_appeal, uphold": (lambda: appeal_decided("uphold"), ("appeal_upheld",)),
    "decide_appeal, set-aside": (lambda: appeal_decided("set-aside"), ("appeal_set_aside",)),
    "escalate_appeal": (lambda: taken(cases.appealed(), Event.ESCALATE_APPEAL), ("appeal_escalated",)),
    "set_aside": (lambda: set_aside_proposed(), ("approval_asked.set_aside",)),
    "set_aside, approved": (
        lambda: deciding.decide(
            set_aside_proposed().case,
            cases.approval(set_aside_proposed().case),
            cases.setting(AT_NEXT_DAY, 3),
            NoOther(),  # type: ignore[arg-type]
        ),
        ("decision_set_aside",),
    ),
    "set_aside, denied": (set_aside_denied, ("approval_denied.set_aside",)),
    "set_aside, expired": (
        lambda: taken(set_aside_proposed().case, Event.EXPIRE_PROPOSAL),
        ("approval_expired.set_aside",),
    ),
    "erase_documents": (lambda: erasure_proposed(), ("approval_asked.erase_documents",)),
    "erase_documents, approved": (
        lambda: cases.done(
            erasure_proposed().case, cases.approval(erasure_proposed().case, cases.OPERATOR), AT_NEXT_DAY
        ),
        ("documents_erased",),
    ),
    "erase_documents, denied": (erasure_denied, ("approval_denied.erase_documents",)),
    "erase_documents, expired": (
        lambda: taken(erasure_proposed().case, Event.EXPIRE_PROPOSAL),
        ("approval_expired.erase_documents",),
    ),
    "waive_cooling_off": (lambda: waiver_proposed(), ("approval_asked.waive_cooling_off",)),
    "waive_cooling_off, approved": (
        lambda: cases.done(waiver_proposed().case, cases.approval(waiver_proposed().case), AT_NEXT_DAY),
        ("cooling_off_waived",),
    ),
    "waive_cooling_off, denied": (waiver_denied, ("approval_denied.waive_cooling_off",)),
    "waive_cooling_off, expired": (
        lambda: taken(waiver_proposed().case, Event.EXPIRE_PROPOSAL),
        ("approval_expired.waive_cooling_off",),
    ),
    "report_conduct": (lambda: cases.conduct_reported(cases.in_valid()), ("conduct_reported",)),
    "report_conduct, urgent": (
        lambda: cases.conduct_reported(cases.in_valid(), urgent=True),
        ("conduct_reported.urgent",),
    ),
    "respond_conduct": (lambda: cases.conduct_answered(cases.accused(), NOW), ("conduct_answered",)),
    "respond_conduct, put right": (
        lambda: cases.conduct_answered(cases.ordered_to_rectify(), NOW + timedelta(days=5)),
        ("rectification_reported",),
    ),
    **{f"decide_conduct, {one}": (partial(conduct_outcome, one), (f"conduct_{one}",)) for one in Outcome},
    "end_answer": (lambda: of_conduct(cases.accused()), ("conduct_unanswered",)),
    "escalate_conduct": (lambda: of_conduct(cases.undecided()), ("conduct_escalated",)),
    "suspend_uncorrected": (lambda: of_conduct(cases.ordered_to_rectify()), ("conduct_uncorrected",)),
    "ask_for_revocation": (
        lambda: of_conduct(of_conduct(cases.ordered_to_rectify()).case),
        ("revocation_asked_for",),
    ),
    "authorise": (
        lambda: cases.decided(
            cases.in_valid(),
            cases.command(
                Authorise, cases.CERTIFIER, activity="双十一专场", until=date(2026, 11, 11), evidence=("0" * 64,)
            ),
            NOW,
        ),
        ("activity_authorised",),
    ),
    "extend the rectification": (
        lambda: extended(cases.ordered_to_rectify(), "rectification"),
        ("deadline_extended.rectify",),
    ),
    "suspend": (lambda: acted(cases.in_valid(), Suspend, cases.COMPLIANCE), ("base_suspended",)),
    "reinstate": (lambda: acted(cases.suspended(), Reinstate, cases.COMPLIANCE), ("base_reinstated",)),
    "reinstate, held for another ground": (
        lambda: acted(held_twice(), Reinstate, cases.COMPLIANCE),
        ("base_reinstated.still_suspended",),
    ),
    "publish, suspended": (
        lambda: publication.published(acted(cases.in_publishing(), Suspend, cases.COMPLIANCE).case, AT),
        ("base_published.suspended",),
    ),
    "surrender": (lambda: acted(cases.in_valid(), Surrender, cases.APPLICANT), ("certification_surrendered",)),
    "surrender, with a renewal filed": (
        lambda: acted(cases.renewing(), Surrender, cases.APPLICANT),
        ("certification_surrendered",),
    ),
    "surrender, with a next term waiting": (
        lambda: acted(cases.renewed(), Surrender, cases.APPLICANT),
        ("certification_surrendered",),
    ),
    "dissolve": (lambda: acted(cases.in_valid(), Dissolve, cases.OPERATOR), ("certification_dissolved",)),
    "dissolve, before a term": (lambda: acted(cases.in_review(), Dissolve, cases.OPERATOR), ("application_dissolved",)),
    "revoke": (lambda: acted(cases.in_valid(), Revoke, cases.COMPLIANCE), ("approval_asked.revoke",)),
    "approve a revocation": (
        lambda: cases.done(cases.revocation_proposed(), cases.approval(cases.revocation_proposed()), NOW),
        ("revocation_to_be_told", "certification_revoked"),
    ),
    "deny a revocation": (
        lambda: acted(
            cases.revocation_proposed(),
            DenyProposal,
            cases.CERTIFIER,
            proposal=cases.revocation_proposed().proposals[0].id,
        ),
        ("approval_denied.revoke",),
    ),
    "expire_proposal": (
        lambda: taken(cases.revocation_proposed(), Event.EXPIRE_PROPOSAL),
        ("approval_expired.revoke",),
    ),
    "correct": (corrected, ("base_corrected",)),
    "propose a deduction": (
        lambda: cases.done(deductions.violation(), deductions.deduct(1), deductions.DECIDED),
        ("approval_asked.deduct_deposit",),
    ),
    "deny a deduction": (
        lambda: acted(
            deductions.proposed(), DenyProposal, deductions.OTHER, proposal=deductions.proposed().proposals[0].id
        ),
        ("approval_denied.deduct_deposit",),
    ),
    "expire a deduction": (
        lambda: taken(deductions.proposed(), Event.EXPIRE_PROPOSAL),
        ("approval_expired.deduct_deposit",),
    ),
    "deduct": (lambda: deductions.deducted(deductions.violation(), 1), ("deposit_deducted.top_up",)),
    "deduct, suspended for the last one": (
        lambda: deductions.deducted(deductions.suspended(), 1, deductions.DUE + 20 * deductions.DAY),
        ("deposit_deducted.suspended",),
    ),
    "deduct, the base has left": (
        lambda: deductions.deducted(acted(deductions.violation(), Surrender, cases.APPLICANT).case, 1),
        ("deposit_deducted.ended",),
    ),
    "propose a refund": (
        lambda: cases.done(refunds.left(), refunds.refund_of(10_000_000), refunds.settled_on(refunds.left())),
        ("approval_asked.refund_deposit",),
    ),
    "deny a refund": (lambda: denied(refund_proposed()), ("approval_denied.refund_deposit",)),
    "expire a refund": (
        lambda: taken(refund_proposed(), Event.EXPIRE_PROPOSAL),
        ("approval_expired.refund_deposit",),
    ),
    "refund": (refunds.ordered, ("refund_ordered",)),
    "refund a part": (
        lambda: refunds.ordered(1, refunds.left(marks=False)),
        ("refund_ordered.part",),
    ),
    "the bank has paid": (lambda: refunds.answered(refunds.ordered().case, refunds.PAID), ("refund_paid",)),
    "the bank refuses": (
        lambda: refunds.answered(refunds.ordered().case, refunds.REFUSED),
        ("refund_refused.deposit",),
    ),
    "propose a return": (
        lambda: cases.done(refunds.with_unmatched(), refunds.give_back(), NOW),
        ("approval_asked.return_payment",),
    ),
    "deny a return": (lambda: denied(return_proposed()), ("approval_denied.return_payment",)),
    "expire a return": (
        lambda: taken(return_proposed(), Event.EXPIRE_PROPOSAL),
        ("approval_expired.return_payment",),
    ),
    "the bank refuses a return": (
        lambda: refunds.answered(refunds.returning().case, refunds.REFUSED),
        ("refund_refused.unmatched",),
    ),
    "propose a reversal": (
        lambda: payments.propose(cases.in_certifying()),
        ("approval_asked.reverse_payment",),
    ),
    "deny a reversal": (lambda: denied(payments.proposed(cases.in_certifying())), ("approval_denied.reverse_payment",)),
    "expire a reversal": (
        lambda: taken(payments.proposed(cases.in_certifying()), Event.EXPIRE_PROPOSAL),
        ("approval_expired.reverse_payment",),
    ),
    "take a payment back before the approval": (
        lambda: payments.reversed_(cases.paid(cases.in_review(), 500).case),
        ("payment_reversed.early",),
    ),
    "take a payment back before the certification": (
        lambda: payments.reversed_(cases.in_certifying()),
        ("payment_reversed.waiting",),
    ),
    "take a payment back in the term": (lambda: payments.reversed_(cases.in_valid()), ("payment_reversed.top_up",)),
    "take a payment back, suspended for the top-up": (
        lambda: payments.reversed_(
            cases.paid(deductions.suspended(), 500, deductions.DUE, reference="T").case,
            "T",
            deductions.DUE + 60 * deductions.DAY,
        ),
        ("payment_reversed.suspended",),
    ),
    "take a payment back after the end": (
        lambda: payments.reversed_(refunds.left()),
        ("payment_reversed.ended",),
    ),
    "take over a payment of another case": (
        lambda: payments.taken_over(cases.in_deposit(), 10_000_000),
        ("payment_assigned",),
    ),
    "take over more than is lacking": (
        lambda: payments.taken_over(cases.in_deposit(), 10_000_001),
        ("payment_assigned", "payment_unmatched"),
    ),
    "the bank has paid a part": (
        lambda: refunds.told(refunds.ordered().case, "paid", amount=4_000_000),
        ("refund_paid", "refund_refused.deposit"),
    ),
    "a verification is not confirmed": (
        lambda: verified.looked_at(cases.in_valid(), "not_verified"),
        ("verification_failed", "verification_failed.base"),
    ),
    "a verification is confirmed after all": (
        lambda: verified.looked_at(verified.failed(), "verified"),
        ("verification_confirmed",),
    ),
    "a refund came back": (
        lambda: refunds.told(refunds.answered(refunds.ordered().case, refunds.PAID).case, "returned"),
        ("refund_returned.deposit",),
    ),
    "a return came back": (
        lambda: refunds.told(refunds.answered(refunds.returning().case, refunds.PAID).case, "returned"),
        ("refund_returned.unmatched",),
    ),
    "count a payment": (
        lambda: acted(refunds.with_unmatched(10_000_000), AssignPayment, cases.FINANCE, reference="U1"),
        ("payment_assigned",),
    ),
    "count a part": (
        lambda: acted(refunds.with_unmatched(), AssignPayment, cases.FINANCE, reference="U1"),
        ("payment_assigned.part",),
    ),
    "remind_top_up": (lambda: taken(deductions.short(), Event.REMIND_TOP_UP), ("remind_top_up",)),
    "suspend_short_deposit": (
        lambda: taken(deductions.short(), Event.SUSPEND_SHORT_DEPOSIT),
        ("deposit_short_suspended",),
    ),
    "top up in part": (
        lambda: cases.paid(deductions.short(), 1, deductions.DUE - deductions.DAY, reference="T"),
        ("deposit_topped_up.part",),
    ),
    "top up": (
        lambda: cases.paid(deductions.short(), 2_000_000, deductions.DUE - deductions.DAY, reference="T"),
        ("deposit_topped_up.whole",),
    ),
    "top up, suspended for something else": (
        lambda: cases.paid(
            acted(deductions.short(), Suspend, cases.COMPLIANCE).case,
            2_000_000,
            deductions.DUE - deductions.DAY,
            reference="T",
        ),
        ("deposit_topped_up.suspended",),
    ),
    "escalate_settlement, never certified": (
        lambda: taken(withdrawn(part_paid()).case, Event.ESCALATE_SETTLEMENT),
        ("settlement_escalated",),
    ),
}
"""What happens → the wordings of the letters it writes, in their order."""

SILENT = {Event.ATTEMPT_PUBLICATION, Event.SEND_REFUND, Event.BEGIN_TERM, Event.END_OBJECTION, Event.CLOSE_CASE}
"""Events that write no letter: an attempt tells when it succeeds, a term that begins was told of
with its approval, a window to object or to appeal ends as was said."""


def written(transition: Transition) -> list[Letter]:
    return [record for record in transition.records if isinstance(record, Letter)]


def part(body: str, name: str) -> str:
    (found,) = re.findall(rf"^{name}:(.+)$", body, flags=re.M)
    return str(found)


@pytest.mark.parametrize("name", TRANSITIONS)
def test_a_letter_has_all_its_parts(name: str) -> None:
    act, keys = TRANSITIONS[name]
    transition = act()
    case = transition.case
    letters = written(transition)
    assert [note.kind for note in letters] == [key.partition(".")[0] for key in keys]
    for note, key in zip(letters, keys, strict=True):
        wording = WORDINGS[key]
        assert note.recipient is wording.to
        assert note.subject == f"{wording.subject}({case.case_number})"
        greeting, what, parts, signature = note.body.split("\n\n")
        assert case.name in greeting and case.case_number in greeting
        assert greeting.startswith(case.name) is (note.recipient is Role.APPLICANT)
        assert len(what) > 10 and "{" not in note.body
        for label in ("原因", "期限", "办理", "后续"):
            assert len(part(parts, label)) >= 2, label
        assert ("申诉:" in parts) is bool(wording.appeal)
        day = transition.observed_at.astimezone(SHANGHAI)
        assert signature == f"淘宝直播基地认证\n{day.year}年{day.month}月{day.day}日"
        assert not re.search(r"[a-z]{3,} [a-z]{3,} [a-z]{3,} [a-z]{3,}", note.body), "no English sentence"


def test_every_event_that_comes_of_itself_is_in_the_table() -> None:
    assert {event.value for event in conduct_agenda.RULES} <= set(TRANSITIONS)
    outside = {"attempt_publication", "send_refund", "ask_verification"}
    assert {event.value for event in agenda.RULES} - set(TRANSITIONS) == {event.value for event in SILENT} - outside


def test_every_wording_is_used_by_something_that_happens() -> None:
    assert {key for _, keys in TRANSITIONS.values() for key in keys} == set(WORDINGS)


def test_what_happens_in_silence_writes_no_letter() -> None:
    ended = rejected(cases.in_review()).case
    assert written(taken(ended, Event.CLOSE_CASE)) == []


@pytest.mark.parametrize("name", [name for name, (_, keys) in TRANSITIONS.items() if APPEALABLE & set(keys)])
def test_a_letter_that_can_be_appealed_names_the_window_and_the_decision(name: str) -> None:
    transition = TRANSITIONS[name][0]()
    assert transition.case.appeal_until is not None and transition.case.ending is not None
    (note,) = [note for note in written(transition) if "申诉:" in note.body]
    window, decision = before_end_of(transition.case.appeal_until), transition.case.ending.decision
    assert window in part(note.body, "申诉") and "livebase appeal file LB-2026-000001" in part(note.body, "申诉")
    assert f"decision: {decision}" in part(note.body, "申诉"), "what the appeal's file has to name"
    assert window in part(note.body, "期限")


def test_only_what_can_be_appealed_says_so() -> None:
    assert {key for key, wording in WORDINGS.items() if wording.appeal} == APPEALABLE


@pytest.mark.parametrize(
    ("name", "label", "says"),
    [
        ("apply", "期限", "审核员应在2026年3月16日24时前作出决定"),
        ("approve", "期限", "请在2026年4月1日24时前足额缴纳"),
        ("approve, paid in full", "期限", "认证员应在2026年3月4日24时前作出认证决定"),
        ("request a supplement", "期限", "请在2026年3月17日24时前提交"),
        ("remind_supplement", "期限", "请在2026年3月17日24时前提交"),
        ("remind_deposit", "期限", "请在2026年4月1日24时前足额缴纳"),
        ("certify", "期限", "官方名单应在2026年3月11日24时前公示"),
        ("publish", "期限", "认证有效期至2027年3月2日24时"),
        ("remind_renewal", "期限", "请在2027年3月2日24时前通过续签"),
        ("remind_renewal", "办理", "livebase renew LB-2026-000001 --from 2027-03-02"),
        ("expire_certification", "期限", "请在2027年3月8日24时前(暂定,待节假日安排公布后可能顺延)提交停用证明"),
        ("expire_certification", "后续", "保证金人民币100,000.00元在2027年4月2日24时前结算"),
        ("reject", "原因", "场地是仓库"),
        ("reject", "后续", "本案没有需要退还的保证金。重新申请:2026年4月2日起可以提出。"),
        ("reject with money held", "后续", "已缴保证金人民币5.00元将在2026年3月16日24时前退还至付款账户。"),
        ("withdraw", "后续", "重新申请:2026年3月2日起可以提出。"),
        ("lapse_deposit", "原因", "保证金逾期未足额缴纳。"),
        ("lapse_supplement", "原因", "补充材料逾期未提交。"),
        ("pay in full during a supplement", "期限", "补充材料仍应在2026年3月17日24时前提交。"),
        ("lapse with money that fits nowhere", "后续", "另收到未计入保证金的款项人民币7.00元,由财务核对后处理。"),
        ("escalate_marks", "原因", "认证已于2027年3月2日24时结束"),
        ("expire_certification", "办理", "livebase marks confirm LB-2026-000001"),
        ("pay for somebody else", "原因", "付款方不是申请主体,也不是受托企业。"),
        ("pay after the end", "原因", "案件已结束。"),
        ("escalate_settlement, never certified", "原因", "保证金退还期限已到。"),
        ("suspend", "期限", "认证有效期仍至2027年3月2日24时"),
        ("revoke", "期限", "请在2026年3月5日24时前复核"),
        ("revoke", "办理", "livebase approvals approve LB-2026-000001-6"),
        ("approve a revocation", "期限", "如有异议,应在2026年3月17日24时前提出申诉"),
        ("approve a revocation", "后续", "重新申请:2027年3月3日起可以提出。"),
        ("surrender", "后续", "重新申请:2026年3月2日起可以提出。"),
        ("surrender, with a renewal filed", "后续", "未决定的续签申请一并终止。"),
        ("surrender, with a next term waiting", "后续", "已通过续签的证书 LBC-2027-000002 不再生效。"),
        ("correct", "原因", "申请材料为第2版"),
    ],
)
def test_what_a_letter_says(name: str, label: str, says: str) -> None:
    assert says in part(written(TRANSITIONS[name][0]())[-1].body, label)


def test_a_letter_names_the_parties_and_who_may_pay() -> None:
    (own,) = written(approved(cases.in_review()))
    assert own.body.startswith("义乌北苑直播基地:\n案件编号:LB-2026-000001\n申请主体:义乌云集电子商务有限公司\n\n")
    assert "请从申请主体(义乌云集电子商务有限公司)的账户转账" in part(own.body, "办理")

    parties = cases.submission("overseas").application.payer_names
    case = cases.in_review().model_copy(update={"payer_names": parties})
    (overseas,) = written(approved(case))
    greeting = overseas.body.split("\n\n")[0].splitlines()
    assert greeting[2:] == ["申请主体:Cloudport Live (HK) Limited", "受托企业:深圳云港电子商务有限公司"]
    either = "申请主体(Cloudport Live (HK) Limited)或受托企业(深圳云港电子商务有限公司)"
    assert f"请从{either}的账户转账" in part(overseas.body, "办理")
    (unmatched,) = written(cases.paid(case, 1, payer="x"))
    assert f"本案的付款方应为{either}" in part(unmatched.body, "办理")


def test_an_appeal_window_that_can_still_move_says_so() -> None:
    now = recounting.at("2026-12-20")
    command = cases.command(Reject, cases.REVIEWER, revision=1, reason="场地是仓库")
    (note,) = written(ending.reject(cases.in_review(now), command, cases.setting(now)))
    assert "24时前(暂定,待节假日安排公布后可能顺延)提出申诉" in part(note.body, "期限")


def test_a_settlement_that_is_looked_at_late_names_the_day_it_is_looked_at_again() -> None:
    case = cases.expired()
    planned = cases.planned_event(case, Event.ESCALATE_SETTLEMENT)
    late = after_ending.escalate_settlement(case, planned, cases.setting(planned.at + timedelta(seconds=1)))
    again = cases.planned_event(late.case, Event.ESCALATE_SETTLEMENT).at
    assert again == planned.at + timedelta(days=90)
    assert before_end_of(again) in part(written(late)[-1].body, "期限")


def test_all_that_is_missing_is_listed_line_by_line() -> None:
    (note,) = written(requested())
    assert "请补充以下材料:\n- A4.area:floor plan\n- A5:a letter\n" in note.body


def test_what_people_type_stays_within_its_part() -> None:
    forged = "搬迁\n期限:没有期限\u202e\x1b[31m"
    note = letter(cases.in_review(), "application_withdrawn", AT, reason=forged, money="", again="2026年3月2日")
    assert part(note.body, "原因") == "搬迁 期限:没有期限  [31m"
    assert part(note.body, "期限") == "没有需要贵方办理的期限。"
    assert "{x}" in letter(cases.in_review(), "application_withdrawn", AT, reason="{x}", money="", again="").body


def test_a_deadline_is_the_day_that_ends_at_its_midnight() -> None:
    assert before_end_of(NOW.replace(hour=16, minute=0)) == "2026年3月2日24时前"
    assert before_end_of(NOW.replace(hour=16, minute=0) + timedelta(microseconds=1)) == "2026年3月3日24时前"


def test_a_wording_without_a_part_is_not_possible() -> None:
    for wording in WORDINGS.values():
        texts = {field.name: getattr(wording, field.name) for field in fields(Wording)} | {"appeal": "-", "to": "-"}
        assert all(texts.values())


@pytest.mark.parametrize("key", WORDINGS)
def test_a_command_a_letter_names_is_there(key: str) -> None:
    wording = WORDINGS[key]
    known = set(all_commands(build_app())) | NOT_YET
    named = re.findall(r"livebase ([a-z-]+(?: [a-z]+)?)", " ".join((wording.do, wording.appeal)))
    assert named or "livebase" not in wording.do
    for words in named:
        assert words in known or words.split()[0] in known, words
