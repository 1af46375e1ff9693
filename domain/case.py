"""One case: everything the process must know to decide what may happen and what happens next.

A `Case` is what the store keeps, what the workflow carries through continue-as-new, and what every rule
decides on. It holds no personal data beyond the names of the people who acted; applications and documents
stay in the store under the case's number and revision.

Instants are aware UTC datetimes, amounts are fen, dates are Shanghai dates.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from domain.conduct import ConductCase
from domain.planning import Event, Planned, Task
from domain.shanghai import end_of_day, shanghai_date
from domain.stages import Role, Stage, Standing, standing
from domain.terms import Term


class _Part(BaseModel):
    # An older worker must carry a newer one's field through continue-as-new.
    model_config = ConfigDict(extra="allow", frozen=True)


class Deposit(_Part):
    """The deposit's sums in fen, which are the ledger's (`domain/ledger.py`).

    `held` is what is ours to keep safe; of it `refund_pending` is on its way back. What fits nowhere stands apart:
    `unmatched`, and `return_pending` while the bank returns it.
    """

    required: int
    received: int = 0
    deducted: int = 0
    refunded: int = 0
    unmatched: int = 0
    refund_pending: int = 0
    return_pending: int = 0

    @property
    def held(self) -> int:
        return self.received - self.deducted - self.refunded

    @property
    def available(self) -> int:
        """What can still be deducted or refunded."""
        return self.held - self.refund_pending

    @property
    def missing(self) -> int:
        """What is still to be paid until the deposit is full (A3); only the full sum passes."""
        return max(0, self.required - self.available)


class Credited(_Part):
    """So many fen of a payment, by its bank reference."""

    reference: str
    amount: int


def with_more(payments: tuple[Credited, ...], reference: str, amount: int) -> tuple[Credited, ...]:
    """Payments with so much more under a reference, in the order they first came."""
    sums = {one.reference: one.amount for one in payments}
    sums[reference] = sums.get(reference, 0) + amount
    return tuple(Credited(reference=name, amount=fen) for name, fen in sums.items())


class Refund(_Part):
    """One bank transfer back to the account of one payment (decision 17). Fen.

    `id` is `<case number>-<sequence>-R<n>`, the key the bank knows it by; `of` says what it is taken from. `refused`:
    the bank would not pay it, with its `why`; `returned`: it was paid and came back. The money is held again then. A
    bank that paid only a part has paid that `amount`, and the rest is held again. With an `account` it goes there
    instead, a corporate one in the entity's name.
    """

    id: str
    of: Literal["deposit", "unmatched"]
    payment: str
    amount: int
    account: str | None = None
    account_name: str | None = None
    state: Literal["pending", "paid", "refused", "returned"] = "pending"
    attempts: int = 0
    bank_reference: str | None = None
    why: str = ""


class Decided(_Part):
    """A reviewer's decision on one revision of the application."""

    outcome: Literal["approved", "supplement_requested", "rejected"]
    revision: int
    by: str
    at: datetime


class Renewal(_Part):
    """The renewal under way, filed for the term after the one that ends on `from_last_day` (decisions 23 to 25).

    `in_good_time`: filed so long before the end that a decision still missing then is our own delay. `round` counts
    the supplements asked for.
    """

    from_last_day: date
    filed_at: datetime
    in_good_time: bool
    awaits: Literal["review", "supplement"] = "review"
    round: int = 0


class Assessment(_Part):
    """How the base stands in one quarter's assessment (decision 22).

    `unknown`: no figures came; `provisional`: told, of a fail with the right to object before `objection_until`;
    `objected`; `decided`: failed by a person's decision, which another one has still to confirm; `confirmed`: as it
    stays. `revision` is that of the figures heard of last, 0 without any, `confirmed_revision` that of those confirmed
    last; `importers` and `decided_by` may not confirm.
    """

    period: str
    state: Literal["unknown", "provisional", "objected", "decided", "confirmed"]
    result: Literal["pass", "fail", "unknown"]
    revision: int = 0
    importers: tuple[str, ...] = ()
    objection_until: datetime | None = None
    decided_by: str | None = None
    confirmed_by: str | None = None
    confirmed_at: datetime | None = None
    confirmed_revision: int = -1

    @property
    def open(self) -> bool:
        return self.state != "confirmed"


class Verification(_Part):
    """What is known of the enterprise's real-name verification (A1): asked `at`, of `source`, for `name`.

    `asked`: no answer yet. `unanswered`: `attempts` times in a row. `accepted`: a person has looked, `source` is who.
    """

    result: Literal["asked", "verified", "not_verified", "name_mismatch", "unknown", "unanswered", "accepted"]
    revision: int
    name: str
    at: datetime
    source: str = ""
    reference: str = ""
    why: str = ""
    attempts: int = 0


class Publication(_Part):
    """Publication on the official list (R3). `due_date` is the 7th working day, `due_at` its midnight."""

    state: Literal["pending", "published", "withdrawn"]
    due_date: date
    due_at: datetime
    provisional: bool
    published_at: datetime | None = None
    register_revision: int | None = None
    breached: bool = False
    failed_attempts: int = 0


class Hold(_Part):
    """A suspension's ground. Lifting one never lifts another (`domain/suspension.py`)."""

    kind: str
    since: datetime
    reason: str


class Interrupted(_Part):
    """What a decision that ended a case cut off; one that is set aside opens it again (decisions 28 and 34).

    `unbegun` is a next term that was waiting for its day, `conduct` the conduct cases the decision closed, as they
    were, `assessments` all of them; None where an older worker kept none.
    """

    stage: Stage
    tasks: tuple[Task, ...] = ()
    plan: tuple[Planned, ...] = ()
    holds: tuple[Hold, ...] = ()
    suspended_since: datetime | None = None
    publication: Publication | None = None
    renewal: Renewal | None = None
    decided: Decided | None = None
    unbegun: Term | None = None
    conduct: tuple[ConductCase, ...] = ()
    assessments: tuple[Assessment, ...] | None = None


class Appeal(_Part):
    """The one appeal against a decision that ended the case (decision 28).

    `decided_by` is None with an outcome where the decision was set aside before anybody had decided on the appeal.
    """

    decision: str
    filed_at: datetime
    filed_by: str = ""
    outcome: Literal["uphold", "set-aside"] | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None


class Ending(_Part):
    """How the case ended: the standing it leaves, its legal instant, and when it was observed (decision 7).

    `decision` is the id of what ended it, `<case number>-<sequence of its audit entry>`, and `by` who took part in it.
    """

    kind: Standing
    cause: str
    legal_at: datetime
    observed_at: datetime
    reason: str
    decision: str = ""
    by: tuple[str, ...] = ()
    interrupted: Interrupted | None = None


class Proposal(_Part):
    """An act that waits for a second person, or waited (decision 29): a command's `action` and `parameters`.

    `id` is `<case number>-<sequence of its audit entry>`. `content` is the sha256 of what was proposed on what state
    (`domain/proposals.py`), `seen` that state by part. `outcome` is None while it is open; until when it is, says its
    expiry in the plan.
    """

    id: str
    action: str
    parameters: dict[str, Any]
    content: str
    proposed_by: str
    role: Role
    at: datetime
    outcome: Literal["approved", "denied", "expired", "overtaken"] | None = None
    seen: dict[str, Any] = {}


class Marks(_Part):
    """The stop-using-marks duty (R9, decision 31)."""

    due_at: datetime
    confirmed_at: datetime | None = None


class Case(_Part):
    """One case, now. `sequence` counts its audit entries; every transition adds one.

    `shortfalls`: what of payments taken back was deducted or refunded before, and is still to be taken back.
    `reviewers` are all who have decided on a revision of the application.
    `appeal` is the newest, `earlier_appeals` those against decisions that were set aside before, first to last.
    `resumed_at` is when what had ended it was set aside last.
    `verification` is None where nobody was ever asked for it.
    `cooling_off_waived` is when two people last let the enterprise apply again at once.
    `documents_erased` is when what was handed in was erased for good; None while it is there.
    `stopped_runs` are the runs of its workflows that were found to have ended and told of (`domain/census.py`).
    `place` is the base's address, as the official list has it.
    `suspended_since` is since when there has been a hold without a break, whichever it was; None without one.
    """

    workflow_id: str
    case_number: str
    credit_code: str
    name: str
    applicant: str
    payer_names: tuple[str, ...] = ()
    opened_at: datetime
    policy_version: str
    sequence: int
    revision: int
    stage: Stage
    deposit: Deposit
    credited: tuple[Credited, ...] = ()
    unmatched_payments: tuple[Credited, ...] = ()
    shortfalls: tuple[Credited, ...] = ()
    refunds: tuple[Refund, ...] = ()
    tasks: tuple[Task, ...] = ()
    plan: tuple[Planned, ...] = ()
    supplement_round: int = 0
    review_held_by: str | None = None
    decided: Decided | None = None
    reviewers: tuple[str, ...] = ()
    deposit_due_on: date | None = None
    terms: tuple[Term, ...] = ()
    renewal: Renewal | None = None
    renewals_refused: int = 0
    assessments: tuple[Assessment, ...] = ()
    holds: tuple[Hold, ...] = ()
    suspended_since: datetime | None = None
    proposals: tuple[Proposal, ...] = ()
    conduct: tuple[ConductCase, ...] = ()
    publication: Publication | None = None
    ending: Ending | None = None
    marks: Marks | None = None
    appeal_until: datetime | None = None
    resumed_at: datetime | None = None
    appeal: Appeal | None = None
    earlier_appeals: tuple[Appeal, ...] = ()
    cooling_off_waived: datetime | None = None
    documents_erased: datetime | None = None
    stopped_runs: tuple[str, ...] = ()
    place: str = ""
    verification: Verification | None = None

    @property
    def interrupted(self) -> Interrupted:
        """What a decision that ends the case now would cut off."""
        return Interrupted(
            stage=self.stage,
            tasks=self.tasks,
            plan=self.plan,
            holds=self.holds,
            suspended_since=self.suspended_since,
            publication=self.publication,
            renewal=self.renewal,
            decided=self.decided,
            unbegun=self.waiting_term,
            assessments=self.assessments,
        )

    @property
    def entrusted(self) -> str | None:
        """The name of the enterprise entrusted by an overseas entity, whose own name comes first (A1)."""
        return self.payer_names[1] if len(self.payer_names) > 1 else None

    @property
    def term(self) -> Term | None:
        """The newest term."""
        return self.terms[-1] if self.terms else None

    def conduct_case(self, id: str) -> ConductCase | None:
        """A conduct case by its id, open or closed."""
        return next((conduct for conduct in self.conduct if conduct.id == id), None)

    def with_conduct(self, changed: ConductCase) -> tuple[ConductCase, ...]:
        """The conduct cases with one changed."""
        return tuple(changed if conduct.id == changed.id else conduct for conduct in self.conduct)

    @property
    def open_conduct(self) -> tuple[ConductCase, ...]:
        """The conduct cases that are not closed, in the order they were reported."""
        return tuple(conduct for conduct in self.conduct if conduct.state != "closed")

    @property
    def running_term(self) -> Term | None:
        """The newest term that has begun: the one before the newest while that one waits for its day."""
        waiting = any(planned.event is Event.BEGIN_TERM for planned in self.plan)
        begun = self.terms[:-1] if waiting else self.terms
        return begun[-1] if begun else None

    @property
    def waiting_term(self) -> Term | None:
        """The next term while it waits for its first day."""
        return self.term if self.term != self.running_term else None

    def assessment(self, period: str) -> Assessment | None:
        """How the base stands in a quarter's assessment; None before anything is known or asked."""
        return next((one for one in self.assessments if one.period == period), None)

    def over_since(self, until: datetime) -> datetime:
        """From when what a term's end opens is counted: before a way back the base could do nothing about it."""
        return max(until, end_of_day(shanghai_date(self.resumed_at))) if self.resumed_at else until

    def term_at(self, now: datetime) -> Term | None:
        """The term an instant of the case's clock falls into, or the last one begun by then."""
        return next((term for term in reversed(self.terms) if term.from_ <= now), None)

    def hold(self, kind: str) -> Hold | None:
        """The open hold of a kind."""
        return next((hold for hold in self.holds if hold.kind == kind), None)

    @property
    def open_appeal(self) -> Appeal | None:
        """The appeal that waits for its decision."""
        return self.appeal if self.appeal is not None and self.appeal.outcome is None else None

    @property
    def open_proposals(self) -> tuple[Proposal, ...]:
        """What waits for a second person, in the order it was proposed."""
        return tuple(proposal for proposal in self.proposals if proposal.outcome is None)

    def proposal(self, id: str) -> Proposal | None:
        """A proposal by its id, open or not."""
        return next((proposal for proposal in self.proposals if proposal.id == id), None)

    def plan_without(self, *over: Planned | Event) -> tuple[Planned, ...]:
        """The plan without what is over: single events planned, or all of a kind."""
        return tuple(planned for planned in self.plan if planned not in over and planned.event not in over)

    def tasks_of_others(self, subject: str) -> tuple[Task, ...]:
        """The open tasks that are about something else."""
        return tuple(task for task in self.tasks if task.subject != subject)

    def tasks_without(self, *kinds: str) -> tuple[Task, ...]:
        """The open tasks but those of some kinds."""
        return tuple(task for task in self.tasks if task.kind not in kinds)

    @property
    def task(self) -> Task | None:
        """The open task that is due first; one without a deadline comes last."""
        return self._first(self.tasks)

    @property
    def staff_task(self) -> Task | None:
        """The same among those that are not the applicant's."""
        return self._first(task for task in self.tasks if task.role is not Role.APPLICANT)

    def _first(self, tasks: Iterable[Task]) -> Task | None:
        return min(tasks, key=lambda task: (task.due_at is None, task.due_at or self.opened_at), default=None)

    @property
    def awaiting(self) -> Role:
        """The role of the earliest open task, or nobody."""
        return self.task.role if self.task else Role.NOBODY

    @property
    def due_at(self) -> datetime | None:
        return self.task.due_at if self.task else None

    @property
    def next_event(self) -> Planned | None:
        """What comes of itself first; equal instants keep the plan's order."""
        return min(self.plan, key=lambda planned: planned.at) if self.plan else None

    @property
    def coming(self) -> tuple[tuple[Planned, str | None], ...]:
        """All that comes of itself, first to last, each with the conduct case it is of; None for the case's own."""
        of_conduct = [(planned, conduct.id) for conduct in self.open_conduct for planned in conduct.plan]
        own = [(planned, None) for planned in self.plan]
        return tuple(sorted([*own, *of_conduct], key=lambda event: event[0].at))

    def standing(self, now: datetime) -> Standing:
        """The base's standing at an instant of the case's clock (decision 21)."""
        return standing(now, self.terms, self.holds, self.ending)
