"""Cases in every stage, made by the rules themselves, and the setting they are made in."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from domain import (
    agenda,
    assessment,
    certification,
    deciding,
    deposit,
    expiry,
    next_term,
    objection,
    opening,
    publication,
    renewal,
    review,
    verification,
)
from domain.assessment import FiguresRecorded, ResultConfirmed
from domain.case import Case, Ending, Verification
from domain.commands import (
    Actor,
    Apply,
    Approve,
    ApproveProposal,
    ApproveRenewal,
    Certify,
    Command,
    ConfirmMarks,
    DecideAssessment,
    DecideConduct,
    FileAppeal,
    Missing,
    ObjectAssessment,
    ReceiveDeposit,
    RefundDeposit,
    Renew,
    ReportConduct,
    RequestRenewalSupplement,
    RequestSupplement,
    RespondConduct,
    Revoke,
    Surrender,
    Suspend,
    Withdraw,
)
from domain.complaints import ReceivedComplaint
from domain.dependants import Dependants
from domain.figures import Figures, missed
from domain.look_alike import LookAlike
from domain.planning import Event, Planned
from domain.records import Reported, Transition
from domain.setting import Setting
from domain.shanghai import midnight, shanghai_date
from domain.stages import Role
from domain.submission import Submission
from domain.unmatched import Elsewhere
from domain.verifying import VerificationAnswer
from store.reference import policy_book, shipped_calendar
from tests.office import example

APPLICANT = Actor(role=Role.APPLICANT, name="wang")
REVIEWER = Actor(role=Role.REVIEWER, name="li")
CERTIFIER = Actor(role=Role.CERTIFIER, name="zhao")
FINANCE = Actor(role=Role.FINANCE, name="qian")
OPERATOR = Actor(role=Role.OPERATOR, name="sun")
COMPLIANCE = Actor(role=Role.COMPLIANCE, name="he")


class NothingOnRecord:
    """Beside the case."""

    def dependants(self) -> Dependants:
        return Dependants()

    def payment(self, _: str) -> Reported | None:
        return None

    def complaint(self, _: str) -> ReceivedComplaint | None:
        return None

    def called_alike(self, *_: Any) -> tuple[LookAlike, ...]:
        return ()

    def elsewhere(self, _: str) -> Elsewhere | None:
        return None


NOTHING_ON_RECORD: Any = NothingOnRecord()
"""For rules that need the case alone."""

WORKFLOW_ID = "base:91330782MA2K7P3R1U:1"
OPENED = midnight(date(2026, 3, 2)) + timedelta(hours=10)
"""Monday 2026-03-02, 10:00 in Shanghai: no holiday near but Qingming (04-04 to 04-06)."""


def setting(now: datetime, list_revision: int = 1) -> Setting:
    policy = policy_book().in_force(date(2026, 3, 2))
    return Setting(now, policy, shipped_calendar(), policy, list_revision)


@cache
def submission(name: str = "passes") -> Submission:
    return example(name)


def payer() -> str:
    return submission().application.entity.name


def command(kind: type[Command], actor: Actor, **fields: Any) -> Any:
    return kind(request_id="r", workflow_id=WORKFLOW_ID, actor=actor, **fields)


def opened(now: datetime = OPENED) -> Transition:
    sent = submission()
    apply = command(Apply, APPLICANT, credit_code=sent.application.credit_code, ordinal=1, submission=sent.sha256)
    return opening.open_case(apply, "LB-2026-000001", sent, setting(now))


def in_review(now: datetime = OPENED) -> Case:
    return opened(now).case


def in_supplement(now: datetime = OPENED) -> Case:
    request = command(RequestSupplement, REVIEWER, revision=1, items=(Missing(condition="A4.area", what="floor plan"),))
    return review.request_supplement(in_review(now), request, setting(now)).case


def in_deposit(now: datetime = OPENED) -> Case:
    return review.approve(in_review(now), command(Approve, REVIEWER, revision=1), submission(), setting(now)).case


def paid(case: Case, amount: int, now: datetime = OPENED, **fields: Any) -> Transition:
    payment = {"reference": "B1", "payer": payer(), **fields}
    receive = command(ReceiveDeposit, FINANCE, amount=amount, **payment)
    return deposit.receive(case, receive, None, None, setting(now))


def in_certifying(now: datetime = OPENED) -> Case:
    return paid(in_deposit(now), 10_000_000, now).case


def in_publishing(now: datetime = OPENED) -> Case:
    return certification.certify(in_certifying(now), command(Certify, CERTIFIER), "LBC-2026-000001", setting(now)).case


def in_valid(now: datetime = OPENED) -> Case:
    return publication.published(in_publishing(now), setting(now)).case


def expired(now: datetime = OPENED) -> Case:
    return ended(in_valid(now))


def ended(case: Case) -> Case:
    """The case after its term's end."""
    planned = planned_event(case, Event.EXPIRE_CERTIFICATION)
    return expiry.expire(case, planned, setting(planned.at, 2)).case


def before_end(case: Case, days: int) -> datetime:
    """So many days before the newest term's end."""
    return case.terms[-1].until - timedelta(days=days)


def renewal_filed(case: Case, days_before: int = 45) -> Transition:
    """The renewal of a valid year, so many days before its end; after it when negative."""
    renew = command(Renew, APPLICANT, from_last_day=case.terms[-1].last_day)
    return renewal.renew(case, renew, submission(), setting(before_end(case, days_before), 2))


def renewing(now: datetime = OPENED) -> Case:
    return renewal_filed(in_valid(now)).case


def renewal_asked(case: Case, days_before: int = 40) -> Transition:
    """A supplement asked for."""
    items = (Missing(condition="A4.area", what="floor plan"),)
    request = command(RequestRenewalSupplement, REVIEWER, revision=case.revision, items=items)
    return renewal.request_supplement(case, request, setting(before_end(case, days_before), 2))


def in_renewal_supplement(now: datetime = OPENED) -> Case:
    return renewal_asked(renewing(now)).case


def renewal_approved(case: Case, days_before: int) -> Transition:
    """The renewal approved so many days before the end; after it, late, when negative."""
    at = before_end(case, days_before)
    approve = command(ApproveRenewal, REVIEWER, revision=case.revision)
    return next_term.approve(case, approve, submission(), f"LBC-2027-00000{len(case.terms) + 1}", setting(at, 3))


def renewed(now: datetime = OPENED) -> Case:
    """A base whose next term waits for its day."""
    return renewal_approved(renewing(now), 20).case


def in_second_term(now: datetime = OPENED) -> Case:
    case = renewed(now)
    planned = planned_event(case, Event.BEGIN_TERM)
    return next_term.begin_term(case, planned, setting(planned.at, 3)).case


def renewal_late(now: datetime = OPENED) -> Case:
    """A renewal filed a week before the end, undecided by then."""
    return ended(renewal_filed(in_valid(now), 7).case)


def delayed_by_us(now: datetime = OPENED) -> Case:
    """A renewal filed in good time, undecided at the end."""
    return ended(renewing(now))


QUARTER = "2026Q2"
"""The first whole quarter of a base certified on `OPENED`, told and decided as if it had been then."""
FIGURES_TOLD = midnight(date(2026, 7, 6)) + timedelta(hours=10)


def told(case: Case, gmv: int = 5, *, revision: int = 1, at: datetime | None = None) -> Transition:
    """The quarter's figures heard of: too little was sold, unless said otherwise."""
    at = at or FIGURES_TOLD
    return assessment.hear(case, figures_recorded(case, gmv, revision=revision, at=at), setting(at, 2))


def figures_recorded(case: Case, gmv: int, *, revision: int, at: datetime, period: str = QUARTER) -> FiguresRecorded:
    sold = Figures(credit_code=case.credit_code, period=period, live_merchants=20, active_merchants=10, gmv=gmv)
    below = missed(sold, setting(at).policy)
    return FiguresRecorded(sold, revision, "fail" if below else "pass", below, OPERATOR.name, at)


def failing(now: datetime = OPENED) -> Case:
    return told(in_valid(now)).case


def objected(now: datetime = OPENED) -> Case:
    return objected_to(failing(now), midnight(date(2026, 7, 7))).case


def objected_to(case: Case, at: datetime) -> Transition:
    objects = command(ObjectAssessment, APPLICANT, statement="two merchants are missing")
    return objection.object_to(case, objects, setting(at, 2))


def assessment_decided(case: Case, outcome: str, at: datetime) -> Transition:
    decides = command(DecideAssessment, COMPLIANCE, period=QUARTER, outcome=outcome, reason="已核对台账")
    return objection.decide(case, decides, setting(at, 2))


def confirmed(case: Case, at: datetime | None = None) -> Transition:
    """The quarter's result confirmed, a day after the time to object unless said otherwise."""
    known = case.assessment(QUARTER)
    assert known is not None
    at = at or (known.objection_until or case.opened_at) + timedelta(days=1)
    news = ResultConfirmed(QUARTER, known.revision, known.result, COMPLIANCE.name, at)
    return assessment.hear(case, news, setting(at, 2))


def unknown(now: datetime = OPENED) -> Case:
    """The figures of a quarter never came."""
    case = in_valid(now)
    for event in (Event.REMIND_FIGURES, Event.ESCALATE_FIGURES):
        planned = next(one for one in case.plan if one.event is event)
        case = agenda.take(case, planned, setting(planned.at, 2)).case
    return case


def planned_event(case: Case, event: Event) -> Planned:
    return next(planned for planned in case.plan if planned.event is event)


def done(case: Case, command: Any, at: datetime, list_revision: int = 2) -> Transition:
    """What a command that needs no record but the case does to it."""
    return deciding.decide(case, command, setting(at, list_revision), NOTHING_ON_RECORD)


def suspended(now: datetime = OPENED) -> Case:
    return done(in_valid(now), command(Suspend, COMPLIANCE, reason="brushing found"), now).case


class AllOnRecord(NothingOnRecord):
    """Every document named has arrived, and the enterprise has no other case."""

    def live_case(self, _: str) -> Case | None:
        return None

    def require_documents(self, hashes: tuple[str, ...]) -> None: ...


ARRIVED: Any = AllOnRecord()


def decided(case: Case, command: Any, at: datetime, list_revision: int = 2) -> Transition:
    """What a command does that names documents, all of them there."""
    return deciding.decide(case, command, setting(at, list_revision), ARRIVED)


def conduct_reported(case: Case, at: datetime = OPENED, **fields: Any) -> Transition:
    """A violation reported; a minor one of R6 unless said otherwise."""
    given: dict[str, Any] = {
        "conduct": f"{case.case_number}-C{len(case.conduct) + 1}",
        "rule": "R6",
        "trigger": "breach",
        "severity": "minor",
        "found_on": shanghai_date(at),
        "facts": "组织刷单,见截图",
        "evidence": ("0" * 64,),
    }
    return decided(case, command(ReportConduct, COMPLIANCE, **given | fields), at)


def conduct_answered(case: Case, at: datetime) -> Transition:
    """The newest conduct case answered, or put right."""
    answer = command(RespondConduct, APPLICANT, conduct=case.conduct[-1].id, statement="已经停止")
    return decided(case, answer, at)


def conduct_decided(case: Case, outcome: str, at: datetime, list_revision: int = 2, *, id: str = "") -> Transition:
    """A decision on the newest conduct case."""
    decide = command(DecideConduct, COMPLIANCE, conduct=id or case.conduct[-1].id, outcome=outcome, reason="证据充分")
    return decided(case, decide, at, list_revision)


def accused(now: datetime = OPENED, **fields: Any) -> Case:
    """A base in its year with a violation reported, to be answered."""
    return conduct_reported(in_valid(now), now, **fields).case


def undecided(now: datetime = OPENED, **fields: Any) -> Case:
    """The same, answered a day later."""
    return conduct_answered(accused(now, **fields), now + timedelta(days=1)).case


def ordered_to_rectify(now: datetime = OPENED, **fields: Any) -> Case:
    return conduct_decided(undecided(now, **fields), "rectification", now + timedelta(days=2)).case


def revocation_proposed(now: datetime = OPENED) -> Case:
    return done(in_valid(now), command(Revoke, COMPLIANCE, reason="brushing found"), now).case


def approval(case: Case, actor: Actor = CERTIFIER) -> Any:
    """The command that approves the case's newest proposal."""
    proposal = case.proposals[-1]
    return command(ApproveProposal, actor, proposal=proposal.id, content=proposal.content)


def appealed(now: datetime = OPENED) -> Case:
    """Revoked, and appealed the next day."""
    case = revoked(now)
    assert case.ending is not None
    file = command(FileAppeal, APPLICANT, decision=case.ending.decision, statement="证据不实")
    return decided(case, file, now + timedelta(days=1)).case


def as_decided(case: Case) -> Ending | None:
    """An ending without what it cut off, which a late renewal may take further."""
    return case.ending and case.ending.model_copy(update={"interrupted": None})


def revoked(now: datetime = OPENED) -> Case:
    case = revocation_proposed(now)
    return done(case, approval(case), now).case


def with_unmatched(now: datetime = OPENED) -> Case:
    """The deposit is due, and somebody else has paid something."""
    return paid(in_deposit(now), 500, now, reference="U1", payer="somebody else").case


def verification_failed(now: datetime = OPENED) -> Case:
    """In its year, and its verification is not confirmed any more."""
    known = Verification(result="verified", revision=1, name=payer(), at=now, source="tests")
    case = in_valid(now).model_copy(update={"verification": known})
    later = now + timedelta(days=190)
    transition = verification.rechecked(case, VerificationAnswer(result="not_verified", source="tests"), setting(later))
    assert transition is not None
    return transition.case


def refund_ordered(now: datetime = OPENED) -> Case:
    """Left for good, and the bank is asked for the refund."""
    leave = command(Surrender, APPLICANT, reason="r")
    case = decided(done(in_valid(now), leave, now).case, command(ConfirmMarks, APPLICANT, evidence=("0" * 64,)), now)
    settle = next(task.due_at for task in case.case.tasks if task.kind == "settle_deposit")
    assert settle is not None
    refund = command(RefundDeposit, FINANCE, amount=10_000_000, reason="r")
    proposed = done(case.case, refund, settle).case
    return done(proposed, approval(proposed, Actor(role=Role.FINANCE, name="tang")), settle).case


def withdrawn(now: datetime = OPENED) -> Case:
    """Closed, with no money of it left."""
    return done(in_review(now), command(Withdraw, APPLICANT, reason="搬迁"), now).case


STAGES = {
    "review": in_review,
    "supplement": in_supplement,
    "deposit": in_deposit,
    "certifying": in_certifying,
    "publishing": in_publishing,
    "valid": in_valid,
    "settling": expired,
    "renewing": renewing,
    "renewal_supplement": in_renewal_supplement,
    "second_term": in_second_term,
    "renewal_late": renewal_late,
    "suspended": suspended,
    "revocation_proposed": revocation_proposed,
    "revoked": revoked,
    "failing": failing,
    "objected": objected,
    "unknown": unknown,
    "appealed": appealed,
    "accused": accused,
    "undecided": undecided,
    "rectifying": ordered_to_rectify,
    "unmatched": with_unmatched,
    "refund_ordered": refund_ordered,
    "verification_failed": verification_failed,
}
