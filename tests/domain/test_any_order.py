"""Whatever people do and whatever comes of itself, in any order: what must always hold of a case.

A state machine drives random orders of every command and event through the rules. A command that is refused changes
nothing; the rest must leave a legal state, whatever came before it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domain import agenda, catching_up, conduct_agenda, deciding, judging, publication
from domain.case import Case
from domain.commands import (
    Actor,
    Approve,
    ApproveProposal,
    ApproveRenewal,
    Certify,
    Command,
    ConfirmMarks,
    DecideAppeal,
    DecideConduct,
    DenyProposal,
    Dissolve,
    FileAppeal,
    Missing,
    ReceiveDeposit,
    RefuseCertification,
    Reinstate,
    Reject,
    RejectRenewal,
    Renew,
    ReportConduct,
    RequestRenewalSupplement,
    RequestSupplement,
    RespondConduct,
    Revoke,
    SetAside,
    Supplement,
    Surrender,
    Suspend,
    TakeReview,
    Withdraw,
)
from domain.conduct import Outcome
from domain.ending import earliest_new_application
from domain.opening import require_possible
from domain.planning import Event
from domain.records import ListRevision, Transition
from domain.refusals import Refusal
from domain.shanghai import midnight, shanghai_date
from domain.stages import Role, Stage, Standing
from tests.domain import cases

PEOPLE = {
    Role.APPLICANT: ("wang",),
    Role.REVIEWER: ("li",),
    Role.FINANCE: ("qian",),
    Role.CERTIFIER: ("zhao", "shen"),
    Role.COMPLIANCE: ("he", "feng"),
    Role.OPERATOR: ("sun",),
}
WHY = {"reason": "r"}
ITEMS = {"items": (Missing(condition="A4.area", what="w"),)}
BACK = {"appeal_set_aside", "decision_set_aside", "renewal_approved_late"}
"""The only events that bring an ended case back."""


class _OnRecord(cases.AllOnRecord):
    """What is on record beside the case: the same application, no payment, numbers that rise."""

    def __init__(self) -> None:
        self.numbers = 1

    def handed_over(self, _: str) -> Any:
        return cases.submission()

    def revision(self, _: int) -> Any:
        return cases.submission()

    def live_case(self, _: str) -> None: ...

    def payment(self, _: str) -> tuple[None, None]:
        return None, None

    def draw_number(self, series: str, year: int) -> str:
        self.numbers += 1
        return f"{series}-{year}-{self.numbers:06d}"


def _revision(machine: AnyOrder, _: int) -> dict[str, Any]:
    return {"revision": machine.case.revision}


def _why(_: AnyOrder, __: int) -> dict[str, Any]:
    return WHY


def _payment(machine: AnyOrder, detail: int) -> dict[str, Any] | None:
    machine.payments += 1
    if machine.case.deposit.missing == 0 and detail % 6:
        return None
    fen = (10_000_000, 4_000_000, 20_000_000, 1)[detail % 4]
    return {"amount": fen, "reference": f"B{machine.payments}", "payer": cases.payer()}


def _last_day(machine: AnyOrder, _: int) -> dict[str, Any] | None:
    return {"from_last_day": machine.case.terms[-1].last_day} if machine.case.terms else None


def _violation(machine: AnyOrder, detail: int) -> dict[str, Any] | None:
    """At most three at once: they are not all there is."""
    if len(machine.case.open_conduct) > 2:
        return None
    return {
        "conduct": f"{machine.case.case_number}-C{len(machine.case.conduct) + 1}",
        "rule": "R6",
        "trigger": "breach",
        "severity": ("minor", "serious")[detail % 2],
        "found_on": shanghai_date(machine.now),
        "facts": "f",
        "evidence": ("0",),
        "urgent": detail % 3 == 0,
    }


def _of_conduct(machine: AnyOrder, detail: int) -> dict[str, Any] | None:
    found = machine.case.open_conduct or machine.case.conduct
    return {"conduct": found[detail % len(found)].id} if found else None


def _answer(machine: AnyOrder, detail: int) -> dict[str, Any] | None:
    id = _of_conduct(machine, detail)
    return id and {**id, "statement": "s"}


def _conduct_decision(machine: AnyOrder, detail: int) -> dict[str, Any] | None:
    found = machine.case.open_conduct or machine.case.conduct
    if not found:
        return None
    conduct = found[detail % len(found)]
    outcomes = sorted(conduct.possible) or list(Outcome)
    return {"conduct": conduct.id, "outcome": outcomes[detail % len(outcomes)], **WHY}


def _approval(machine: AnyOrder, _: int) -> dict[str, Any] | None:
    return next(({"proposal": one.id, "content": one.content} for one in machine.case.open_proposals[-1:]), None)


def _denial(machine: AnyOrder, detail: int) -> dict[str, Any] | None:
    """Seldom: one denial ends it."""
    return next(({"proposal": one.id, **WHY} for one in machine.case.open_proposals[-1:] if detail % 4 == 0), None)


def _decision(machine: AnyOrder) -> dict[str, Any]:
    return {"decision": machine.case.ending.decision if machine.case.ending else "none"}


def _leaving(machine: AnyOrder, detail: int) -> dict[str, Any] | None:
    """Seldom: not everybody leaves at once."""
    return WHY if detail % 6 == 0 else None


MAKERS: dict[str, tuple[type[Command], tuple[Role, ...], Callable[[AnyOrder, int], dict[str, Any] | None]]] = {
    "take_review": (TakeReview, (Role.REVIEWER,), lambda *_: {}),
    "approve": (Approve, (Role.REVIEWER,), _revision),
    "request_supplement": (RequestSupplement, (Role.REVIEWER,), lambda m, d: _revision(m, d) | ITEMS),
    "reject": (Reject, (Role.REVIEWER,), lambda m, d: _revision(m, d) | WHY),
    "supplement": (Supplement, (Role.APPLICANT,), lambda *_: {"submission": "0"}),
    "withdraw": (Withdraw, (Role.APPLICANT,), _leaving),
    "receive_deposit": (ReceiveDeposit, (Role.FINANCE,), _payment),
    "certify": (Certify, (Role.CERTIFIER,), lambda *_: {}),
    "refuse_certification": (RefuseCertification, (Role.CERTIFIER,), _leaving),
    "renew": (Renew, (Role.APPLICANT,), _last_day),
    "approve_renewal": (ApproveRenewal, (Role.REVIEWER,), _revision),
    "request_renewal_supplement": (
        RequestRenewalSupplement,
        (Role.REVIEWER,),
        lambda m, d: _revision(m, d) | ITEMS,
    ),
    "reject_renewal": (RejectRenewal, (Role.REVIEWER,), lambda m, d: _revision(m, d) | WHY),
    "suspend": (Suspend, (Role.COMPLIANCE,), _why),
    "reinstate": (Reinstate, (Role.COMPLIANCE,), _why),
    "revoke": (Revoke, (Role.COMPLIANCE,), _why),
    "surrender": (Surrender, (Role.APPLICANT,), _leaving),
    "dissolve": (Dissolve, (Role.OPERATOR,), _leaving),
    "approve_proposal": (ApproveProposal, (Role.CERTIFIER, Role.COMPLIANCE), _approval),
    "deny_proposal": (DenyProposal, (Role.CERTIFIER, Role.COMPLIANCE), _denial),
    "report_conduct": (ReportConduct, (Role.COMPLIANCE,), _violation),
    "respond_conduct": (RespondConduct, (Role.APPLICANT,), _answer),
    "decide_conduct": (DecideConduct, (Role.COMPLIANCE,), _conduct_decision),
    "file_appeal": (FileAppeal, (Role.APPLICANT,), lambda m, _: _decision(m) | {"statement": "s"}),
    "decide_appeal": (
        DecideAppeal,
        (Role.CERTIFIER, Role.COMPLIANCE),
        lambda _, d: {"outcome": ("uphold", "set-aside")[d % 2], **WHY},
    ),
    "set_aside": (SetAside, (Role.COMPLIANCE,), lambda m, _: _decision(m) | WHY),
    "confirm_marks": (ConfirmMarks, (Role.APPLICANT,), lambda *_: {"evidence": ("0",)}),
}
"""Action → its command, who may use it, and fields that fit the case (None: not now)."""


class AnyOrder(RuleBasedStateMachine):
    """One case, its clock, and its entries on the official list."""

    @initialize(stage=st.sampled_from(["review", "publishing", "valid", "renewing", "renewing", "renewing"]))
    def opened(self, stage: str) -> None:
        self.case: Case = cases.STAGES[stage]()
        self.now: datetime = cases.before_end(self.case, 45) if stage == "renewing" else cases.OPENED
        self.on_record: Any = _OnRecord()
        self.entries: list[ListRevision] = []
        self.payments = 0
        if self.case.publication is not None and self.case.publication.state == "published":
            term = self.case.terms[0]
            self.entries = [
                ListRevision(1, "published", term.certificate_number, self.case.name, term.from_, term.until, self.now)
            ]

    # What passes.

    @rule(days=st.integers(0, 12), hours=st.integers(0, 23))
    def time_passes(self, days: int, hours: int) -> None:
        self.now += timedelta(days=days, hours=hours)

    @rule()
    def until_what_comes_next(self) -> None:
        planned = [*self.case.plan, *(one for conduct in self.case.conduct for one in conduct.plan)]
        if planned:
            self.now = max(self.now, min(one.at for one in planned))

    @rule(late=st.booleans())
    def what_is_due_comes(self, late: bool) -> None:
        """In the order a worker takes it, or after workers were down for a week."""
        if late:
            self.now += timedelta(days=7)
        for _ in range(40):
            planned = agenda.due(self.case, self.now)
            if planned is None:
                break
            if planned.event is Event.ATTEMPT_PUBLICATION:
                self._take(publication.published(self.case, self._setting()))
            else:
                self._take(agenda.take(self.case, planned, self._setting()))
        for conduct in self.case.conduct:
            planned = conduct_agenda.due(conduct, self.now)
            transition = conduct_agenda.take(self.case, conduct.id, planned, self._setting()) if planned else None
            if transition is not None:
                self._take(transition)

    # What people do.

    @rule(data=st.data())
    def people_do_what_is_open(self, data: st.DataObject) -> None:
        """Some of the commands open now, most of them as they should be; who acts may be the wrong one."""
        for _ in range(data.draw(st.integers(1, 4))):
            self.what_is_legally_due()
            actions = sorted(judging.open_to(self.case).keys() & MAKERS.keys())
            detail = data.draw(st.sampled_from(range(24)))
            self._do(data.draw(st.sampled_from(actions)), data.draw(st.sampled_from((0, 1))), detail)

    @rule(action=st.sampled_from(sorted(MAKERS)), who=st.sampled_from((0, 1)), detail=st.sampled_from(range(24)))
    def somebody_does_anything(self, action: str, who: int, detail: int) -> None:
        """Open or not."""
        self.what_is_legally_due()
        self._do(action, who, detail)

    # What must always hold.

    @invariant()
    def terms_follow_each_other(self) -> None:
        """One certificate per instant."""
        for before, after in zip(self.case.terms, self.case.terms[1:], strict=False):
            assert before.until <= after.from_ < after.until
        numbers = [term.certificate_number for term in self.case.terms]
        assert len(set(numbers)) == len(numbers)

    @invariant()
    def an_open_case_goes_on(self) -> None:
        """It is never left without anything planned or anybody to act."""
        if self.case.stage is not Stage.CLOSED:
            assert self.case.plan or self.case.tasks
        if self.case.ending is None:
            assert self.case.plan or self.case.stage is Stage.CLOSED

    @invariant()
    def the_standing_is_what_the_facts_say(self) -> None:
        standing = self.case.standing(self.now)
        if self.case.ending is not None:
            assert standing is self.case.ending.kind
            assert self.case.stage in (Stage.SETTLING, Stage.RENEWAL_LATE, Stage.CLOSED)
        elif standing is Standing.SUSPENDED:
            assert self.case.holds and self.case.suspended_since is not None
        elif standing is Standing.CERTIFIED:
            assert not self.case.holds and self.case.suspended_since is None

    @invariant()
    def the_list_says_what_the_standing_is(self) -> None:
        """Of the entries in effect the highest counts; past its term nothing is listed (decisions 19, 20)."""
        effective = [one for one in self.entries if one.effective_from <= self.now]
        shown = max(effective, key=lambda one: one.revision, default=None)
        listed = shown is not None and shown.state != "withdrawn" and self.now < shown.valid_until
        standing, published = self.case.standing(self.now), self.case.publication
        on_it = published is not None and published.state == "published"
        if standing not in (Standing.CERTIFIED, Standing.SUSPENDED):
            assert not listed
        elif on_it and agenda.legally_due(self.case, self.now) is None:
            assert listed and shown is not None
            assert (shown.state == "suspended") is (standing is Standing.SUSPENDED)

    @invariant()
    def numbers_rise_by_one(self) -> None:
        revisions = [one.revision for one in self.entries]
        assert revisions == list(range(1, len(revisions) + 1))

    @invariant()
    def the_cooling_off_is_kept(self) -> None:
        if self.case.ending is None or self.case.open_conduct:
            return
        policy = cases.setting(self.now).policy
        earliest = earliest_new_application(self.case.ending.kind, self.case.ending.legal_at, policy)
        eve = midnight(earliest) - timedelta(days=1)
        try:
            require_possible(None, self.case, cases.setting(eve))
        except Refusal:
            return
        assert earliest == shanghai_date(self.case.ending.legal_at), "possible the day before it is possible"

    def _do(self, action: str, who: int, detail: int) -> None:
        """A command, refused or done."""
        kind, roles, make = MAKERS[action]
        fields = make(self, detail)
        if fields is None:
            return
        role = roles[detail % len(roles)]
        people = PEOPLE[role]
        command = cases.command(kind, Actor(role=role, name=people[who % len(people)]), **fields)
        before = self.case
        try:
            transition = deciding.decide(self.case, command, self._setting(), self.on_record)
        except Refusal:
            assert self.case == before
            return
        self._take(transition)

    def what_is_legally_due(self) -> None:
        while (overdue := catching_up.first(self.case, (), self._setting())) is not None:
            self._take(overdue)

    def _setting(self) -> Any:
        return cases.setting(self.now, len(self.entries) + 1)

    def _take(self, transition: Transition) -> None:
        before, after = self.case, transition.case
        assert after.sequence == before.sequence + 1
        if before.ending is not None:
            assert after.ending == before.ending or transition.event in BACK | {"deadlines_recounted"}
        gone = {hold.kind for hold in before.holds} - {hold.kind for hold in after.holds}
        assert len(gone) <= 1 or after.ending is not None or before.ending is not None, "each lifts its own"
        assert after.deposit.received + after.deposit.unmatched >= before.deposit.received + before.deposit.unmatched
        self.entries += [record for record in transition.records if isinstance(record, ListRevision)]
        self.case = after


AnyOrder.TestCase.settings = settings(
    max_examples=100,
    stateful_step_count=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
TestAnyOrder = AnyOrder.TestCase
