"""Whatever people do and whatever comes of itself, in any order: what must always hold of a case.

A state machine drives random orders of every command and event through the rules. A command that is refused changes
nothing; the rest must leave a legal state, whatever came before it.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domain import agenda, assessing, assessment, catching_up, conduct_agenda, deciding, judging, publication, refund
from domain.assessment import News, ResultConfirmed
from domain.bank import BankAnswer
from domain.case import Case
from domain.commands import Actor
from domain.conduct import Outcome
from domain.cooling_off import earliest_new_application
from domain.names import same_name
from domain.opening import require_possible
from domain.periods import Period, counting_term
from domain.planning import Event
from domain.records import ListRevision, Transition
from domain.refusals import Refusal
from domain.shanghai import midnight, shanghai_date
from domain.stages import MOVES, Stage, Standing
from domain.time_left import OF_THE_BASE
from tests.domain import cases
from tests.domain.orders import MAKERS, PEOPLE, OnRecord

WAYS_BACK = {"appeal_set_aside", "decision_set_aside"}
BACK = WAYS_BACK | {"renewal_approved_late"}
"""The only events that bring an ended case back."""
OF_MONEY = ("deduct_deposit", "refund_deposit", "assign_payment", "return_payment", "reverse_payment")
_SELDOM = {
    "dismiss_complaint",
    "add_note",
    "resend_letters",
    "assign",
    "authorise",
    "check_marks",
    "correct",
    "extend_deadline",
}
_STAGES = ("review", "certifying", "publishing", "valid", "failing", "undecided", "renewing", "renewing", "renewing")


BANK = [BankAnswer(state=state) for state in ("processing", "unreachable", "refused", "paid")]


def came_in(case: Case) -> int:
    """Fen that have come in and have not been returned as money that fits nowhere."""
    return case.deposit.received + case.deposit.unmatched + case.deposit.return_pending


class AnyOrder(RuleBasedStateMachine):
    """One case, its clock, its entries on the official list, and what is on record of its quarters."""

    @initialize(stage=st.sampled_from(_STAGES))
    def opened(self, stage: str) -> None:
        self.case: Case = cases.STAGES[stage]()
        self.now: datetime = cases.before_end(self.case, 45) if stage == "renewing" else cases.OPENED
        if stage == "failing":
            self.now = cases.FIGURES_TOLD
        self.on_record: Any = OnRecord()
        self.entries: list[ListRevision] = []
        self.payments = 0
        self.news: list[News] = []
        # What people did, as the rules need not remember it.
        self.compliance_holds = False
        self.suspended: set[str] = set()
        self.waived: datetime | None = None
        self.of_conduct: dict[str, set[str]] = defaultdict(set)
        self.took_part: dict[str, set[str]] = {}
        self.reviewed = {cases.REVIEWER.name} if stage not in ("review",) else set()
        if self.case.conduct:
            self.of_conduct[self.case.conduct[0].id] = {cases.COMPLIANCE.name}
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

    @rule(late=st.booleans(), channel=st.integers(0, 3))
    def what_is_due_comes(self, late: bool, channel: int) -> None:
        """In the order a worker takes it, or after workers were down for a week; the channel may not answer."""
        if late:
            self.now += timedelta(days=7)
        self._hear()
        for _ in range(40):
            planned = agenda.due(self.case, self.now)
            if planned is None:
                break
            if planned.event is Event.SEND_REFUND:
                self._take(refund.answered(self.case, planned, BANK[channel], self._setting()))
            elif planned.event is not Event.ATTEMPT_PUBLICATION:
                self._take(agenda.take(self.case, planned, self._setting()))
            elif channel:
                self._take(publication.published(self.case, self._setting()))
            else:
                self._take(publication.attempt_failed(self.case, planned, "away", self._setting()))
        for conduct in self.case.conduct:
            planned = conduct_agenda.due(conduct, self.now)
            transition = conduct_agenda.take(self.case, conduct.id, planned, self._setting()) if planned else None
            if transition is not None:
                self._take(transition)

    @rule(gmv=st.sampled_from((5, 5_000_000_000)), detail=st.integers(0, 3))
    def figures_come(self, gmv: int, detail: int) -> None:
        """Of a quarter that is over, for the first time or corrected."""
        over = [period for period in self._quarters() if period.ends <= self.now]
        if not over:
            return
        period = str(over[-1 - detail % len(over)])
        sent = cases.figures_recorded(self.case, gmv, revision=1 + self._revision(period), at=self.now, period=period)
        failed = self.case.ending is not None and self.case.ending.cause == assessing.FAILED
        if self._assessed() or (failed and (known := self.case.assessment(period)) and known.result == "fail"):
            self.news.append(sent)

    @rule(who=st.sampled_from((0, 1)))
    def a_quarter_is_confirmed(self, who: int) -> None:
        by = ("he", "feng")[who]
        self._hear()
        for known in self.case.assessments:
            if not assessing.waits(self.case, known.period, self.now, by):
                self.news.append(ResultConfirmed(known.period, known.revision, known.result, by, self.now))

    # What people do.

    @rule(data=st.data())
    def people_do_what_is_open(self, data: st.DataObject) -> None:
        """Some of the commands open now, most of them as they should be; who acts may be the wrong one."""
        for _ in range(data.draw(st.integers(1, 4))):
            self.what_is_legally_due()
            open_now = sorted(judging.open_to(self.case))
            actions = [action for action in open_now for _ in range(1 if action in _SELDOM else 4)]
            detail = data.draw(st.sampled_from(range(24)))
            self._do(data.draw(st.sampled_from(actions)), data.draw(st.sampled_from((0, 1))), detail)

    @rule(action=st.sampled_from(sorted(MAKERS)), who=st.sampled_from((0, 1)), detail=st.sampled_from(range(24)))
    def somebody_does_anything(self, action: str, who: int, detail: int) -> None:
        """Open or not."""
        self.what_is_legally_due()
        self._do(action, who, detail)

    # What must always hold.

    @invariant()
    def every_fen_is_somewhere(self) -> None:
        """What came in is held, deducted, on its way back or has gone back, or fits nowhere (L2, L4, L6)."""
        deposit, payments = self.case.deposit, self.case.credited
        sums = deposit.model_dump().values()
        assert all(fen >= 0 for fen in sums) and deposit.available >= 0
        assert sum(one.amount for one in payments) == deposit.received
        assert sum(one.amount for one in self.case.unmatched_payments) == deposit.unmatched
        pending = [one for one in self.case.refunds if one.state == "pending"]
        assert sum(one.amount for one in pending) == deposit.refund_pending + deposit.return_pending
        assert {one.subject for one in self.case.plan if one.event is Event.SEND_REFUND} == {one.id for one in pending}
        if self.case.stage is Stage.CLOSED:
            assert deposit.held == deposit.return_pending == 0

    @invariant()
    def terms_follow_each_other(self) -> None:
        """They never overlap: there is one certificate per instant."""
        for before, after in zip(self.case.terms, self.case.terms[1:], strict=False):
            assert before.until <= after.from_ < after.until
        numbers = [term.certificate_number for term in self.case.terms]
        assert len(set(numbers)) == len(numbers)

    @invariant()
    def an_open_case_goes_on(self) -> None:
        """It is never left without anything planned or anybody to act, and closes when nothing waits."""
        case = self.case
        if case.ending is None:
            assert case.plan and case.stage not in (Stage.SETTLING, Stage.RENEWAL_LATE, Stage.CLOSED)
        elif case.stage is Stage.SETTLING:
            assert case.plan or case.tasks_without("unmatched_money")
        for conduct in case.open_conduct:
            assert any(task.subject == conduct.id for task in case.tasks), "somebody must act on it"
            assert conduct.plan or conduct.overdue
        assert {task.subject for task in case.tasks if task.kind == "rectify"} <= {one.id for one in case.open_conduct}

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
    def the_holds_are_their_open_grounds(self) -> None:
        """Compliance's own, one for each open violation that was suspended for, and one while the deposit lacks what
        was not topped up in time; none twice, none left over."""
        case = self.case
        if case.ending is not None:
            return
        grounds = [one.hold for one in case.open_conduct if one.id in self.suspended]
        expected = sorted([*grounds, *(["compliance"] if self.compliance_holds else [])])
        kinds = sorted(hold.kind for hold in case.holds)
        assert kinds in (expected, sorted([*expected, "deposit"]))
        assert "deposit" not in kinds or case.deposit.missing

    @invariant()
    def one_proposal_of_a_kind_is_open(self) -> None:
        """And each has its task and its end; a revocation waits in a term, a way back after an end."""
        about = ("conduct", "violation", "reference", "amount")
        kinds = [(one.action, *map(one.parameters.get, about)) for one in self.case.open_proposals]
        assert len(set(kinds)) == len(kinds)
        for one in self.case.open_proposals:
            assert any(task.subject == one.id for task in self.case.tasks)
            assert any(planned.subject == one.id for planned in self.case.plan)
            if one.action not in OF_MONEY:
                assert (one.action == "revoke") is (self.case.ending is None)

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
        """By how it ended and by every violation that led to a revocation: on its day and not on its eve, but for what
        two people have waived."""
        case = self.case
        if case.ending is None or case.open_conduct:
            return
        policy = cases.setting(self.now).policy
        ends = [(case.ending.kind, case.ending.legal_at)]
        ends += [(Standing.REVOKED, one.closed_at) for one in case.conduct if one.outcome is Outcome.REVOCATION]
        ends = [(kind, at) for kind, at in ends if self.waived is None or at > self.waived]
        if not ends:
            require_possible([case], cases.setting(self.now))
            return
        earliest, ended = max((earliest_new_application(kind, at, policy), shanghai_date(at)) for kind, at in ends)
        require_possible([case], cases.setting(midnight(earliest)))
        try:
            require_possible([case], cases.setting(midnight(earliest) - timedelta(days=1)))
        except Refusal:
            return
        assert earliest == ended, "possible the day before it is possible"

    @invariant()
    def one_appeal_against_each_decision(self) -> None:
        appeals = [*self.case.earlier_appeals, *([self.case.appeal] if self.case.appeal else [])]
        decisions = [one.decision for one in appeals]
        assert len(set(decisions)) == len(decisions)
        assert all(one.outcome for one in self.case.earlier_appeals)

    def _do(self, action: str, who: int, detail: int) -> None:
        """A command, refused or done."""
        kind, roles, make = MAKERS[action]
        fields = make(self, detail)
        if fields is None:
            return
        role = roles[detail % len(roles)]
        people = PEOPLE[role]
        actor = Actor(role=role, name=people[who % len(people)])
        command = cases.command(kind, actor, **fields)
        self._hear()
        before = self.case
        try:
            transition = deciding.decide(self.case, command, self._setting(), self.on_record)
        except Refusal:
            assert self.case == before
            return
        self._take(transition)
        self._remember(before, action, actor.name, command)

    def _remember(self, before: Case, action: str, name: str, command: Any) -> None:
        """Who did what, for the invariants."""
        case = self.case
        if action in ("suspend", "reinstate"):
            self.compliance_holds = action == "suspend"
        if action in ("report_conduct", "decide_conduct"):
            self.of_conduct[command.conduct].add(name)
            outcome = getattr(command, "outcome", None)
            if getattr(command, "urgent", False) or outcome in (Outcome.SUSPENSION, Outcome.UNCORRECTED):
                self.suspended.add(command.conduct)
        if action in ("approve", "request_supplement", "reject"):
            self.reviewed.add(name)
        if action == "decide_appeal":
            assert before.appeal is not None
            assert not any(same_name(name, one) for one in self.took_part.get(before.appeal.decision, ()))
        if before.ending is None and case.ending is not None:
            those = {name, *(self.reviewed if not case.terms else ())}
            if action == "approve_proposal":
                proposal = before.proposal(command.proposal)
                assert proposal is not None and not same_name(proposal.proposed_by, name)
                those |= {proposal.proposed_by, *self.of_conduct[proposal.parameters.get("conduct") or ""]}
            self.took_part[case.ending.decision] = those

    def what_is_legally_due(self) -> None:
        while (overdue := catching_up.first(self.case, (), self._setting())) is not None:
            self._take(overdue)

    def _hear(self) -> None:
        """What has come on record of its quarters, in the order it came."""
        for news in sorted(self.news, key=lambda one: one.order):
            if assessment.unheard(self.case, news):
                self._take(assessment.hear(self.case, news, self._setting()))

    def _quarters(self) -> list[Period]:
        """Those that count, from the first whole one on."""
        if not self.case.terms:
            return []
        first = Period.of(shanghai_date(self.case.terms[0].from_))
        periods = [first]
        while periods[-1].ends < self.case.terms[-1].until:
            periods.append(periods[-1].next)
        return [period for period in periods if counting_term(self.case.terms, period)]

    def _revision(self, period: str) -> int:
        return sum(1 for one in self.news if one.period == period and not isinstance(one, ResultConfirmed)) or (
            known.revision if (known := self.case.assessment(period)) else 0
        )

    def _assessed(self) -> bool:
        certified = (Standing.CERTIFIED, Standing.SUSPENDED)
        return self.case.standing(self.now) in certified or self.case.stage is Stage.RENEWAL_LATE

    def _setting(self) -> Any:
        return cases.setting(self.now, len(self.entries) + 1)

    def _take(self, transition: Transition) -> None:
        before, after = self.case, transition.case
        assert after.sequence == before.sequence + 1
        assert after.stage is before.stage or after.stage in MOVES[before.stage]
        if before.ending is not None:
            assert cases.as_decided(after) == cases.as_decided(before) or transition.event in BACK, "an ending stays"
        gone = {hold.kind for hold in before.holds} - {hold.kind for hold in after.holds}
        assert len(gone) <= 1 or after.ending is not None or before.ending is not None, "each lifts its own"
        self._no_measure_cancels_another(before, after, transition.event)
        if transition.event in WAYS_BACK:
            self._nothing_is_over_at_once(before, after)
        assert after.deposit.received >= before.deposit.received or transition.event == "payment_reversed"
        assert came_in(after) >= came_in(before) or transition.event in ("payment_returned", "payment_reversed")
        if transition.event == "cooling_off_waived":
            self.waived = self.now
        elif before.ending is not None and after.ending is None:
            self.waived = None
        if transition.event == "conduct_uncorrected":
            self.suspended |= {one.id for one in after.conduct if before.conduct_case(one.id) != one}
        self.entries += [record for record in transition.records if isinstance(record, ListRevision)]
        self.case = after

    def _no_measure_cancels_another(self, before: Case, after: Case, event: str) -> None:
        """But an ending and a way back: what else waits for a decision waits for it still."""
        if (before.ending is None) is not (after.ending is None):
            return
        over = {one.id for one in before.open_proposals} - {one.id for one in after.open_proposals}
        expired = event == "proposal_made"  # those that are over by the clock go with the next
        assert len(over) <= 1 or expired
        changed = [one for one in before.open_conduct if after.conduct_case(one.id) != one]
        assert len(changed) <= 1 or event == "deadlines_recounted"
        lost = [one for one in before.assessments if after.assessment(one.period) is None]
        assert not lost
        for one in (*over, *(one.id for one in changed)):
            others = {task for task in before.tasks if task.subject not in (None, one)}
            assert {task.subject for task in others} <= {task.subject for task in after.tasks} | {one}

    def _nothing_is_over_at_once(self, before: Case, after: Case) -> None:
        """A deadline of the base's that ran when it was cut off still runs."""
        assert before.ending is not None
        ran = {conduct.id for conduct in before.open_conduct}
        reopened = (one for conduct in after.open_conduct if conduct.id not in ran for one in conduct.plan)
        for planned in (*after.plan, *reopened):
            if planned.event in OF_THE_BASE and planned.at > before.ending.legal_at:
                assert shanghai_date(planned.at - timedelta(microseconds=1)) >= shanghai_date(self.now)


AnyOrder.TestCase.settings = settings(
    phases=[Phase.explicit, Phase.generate],  # a failing order is told as it is: making it shorter takes minutes
    max_examples=200,
    stateful_step_count=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
TestAnyOrder = AnyOrder.TestCase


def test_every_command_is_among_them() -> None:
    """But the one that opens the case."""
    assert MAKERS.keys() == deciding.RULES.keys() - {"apply"}
    assert all(kind.action == action for action, (kind, _, _) in MAKERS.items())


def test_every_event_is_among_them() -> None:
    assert agenda.RULES.keys() | conduct_agenda.RULES.keys() | {
        Event.ATTEMPT_PUBLICATION,
        Event.SEND_REFUND,
        Event.ASK_VERIFICATION,
    } == set(Event)
