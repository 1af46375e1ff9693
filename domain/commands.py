"""What people ask for: one model per command, the same for every caller.

A command travels as the one argument of a workflow update of the same name (`workflows/messages.py`).
Fields are only ever added, with defaults that never change once released. Amounts are fen; documents and
applications travel by their sha256, never as bytes.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from domain.case import Case
from domain.conduct import Outcome as ConductOutcome
from domain.conduct import conduct_workflow_id
from domain.names import folded, person
from domain.notices import NoticeReference
from domain.refusals import RefusalDetail
from domain.stages import Role, Stage, Standing


def workflow_id(credit_code: str, ordinal: int) -> str:
    """`base:<credit code>:<n>`, n counting the enterprise's applications from 1 (decision 8)."""
    return f"base:{credit_code}:{ordinal}"


def assessment_workflow_id(period: str) -> str:
    """`assessment:2027Q1`: one for all bases of a quarter."""
    return f"assessment:{period}"


def payment_workflow_id(reference: str) -> str:
    """`payment:<hash>`: one for each bank reference that found no case."""
    return f"payment:{hashlib.sha256(folded(reference).encode()).hexdigest()[:24]}"


def payment_number(reference: str) -> str:
    """`PAY-<hash>`: how a payment of no case is named where a case has its number."""
    return "PAY-" + payment_workflow_id(reference).partition(":")[2].upper()


def import_workflow_id(notice: NoticeReference) -> str:
    """`calendar:<year>:<hash>`: one per content, so that the same notice imported twice at once meets itself."""
    return f"calendar:{notice.year}:{notice.sha256[:12]}"


def actor_workflow_id(name: str) -> str:
    """`actor:<hash>`: one for each person, however they are spelled; a name is nobody else's to see in a list."""
    return f"actor:{hashlib.sha256(person(name).encode(errors='replace')).hexdigest()[:12]}"


class Actor(BaseModel):
    """Who acts: a person by name, in a role; `on_behalf` names the applicant staff acts for."""

    model_config = ConfigDict(extra="allow", frozen=True)

    role: Role
    name: str = Field(min_length=1, max_length=100)
    on_behalf: str | None = Field(default=None, min_length=1, max_length=100)

    @property
    def applicant(self) -> str | None:
        """The applicant whose case this actor may touch, when acting as or for one."""
        return self.name if self.role is Role.APPLICANT else self.on_behalf

    def __str__(self) -> str:
        return f"{self.role}:{self.name}" + (f" for {self.on_behalf}" if self.on_behalf else "")


ENVELOPE = frozenset({"request_id", "workflow_id", "actor", "signature"})
"""What a command carries beside what it asks for."""


class Command(BaseModel):
    """What every command carries. `action` is its name in permissions, updates, audit and history."""

    model_config = ConfigDict(extra="allow", frozen=True)

    action: ClassVar[str]

    request_id: str = Field(min_length=1, max_length=200)
    workflow_id: str
    actor: Actor
    signature: str = Field(default="", max_length=2000)
    """A compact JWS over `domain.envelope.claims`, by a key of the actor's; "" only on the local server."""

    def params_hash(self) -> str:
        """sha256 over all but request id and signature: the same id with other parameters is a conflict.

        What is left at its default does not count, so that a field added later changes no hash given before.
        """
        params = self.model_dump(mode="json", exclude={"request_id", "signature"}, exclude_defaults=True)
        text = json.dumps([self.action, params], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def sent_to(self) -> str:
        """The id of the workflow it is sent to: the case's own unless said otherwise."""
        return self.workflow_id

    def update_id(self, sending: str) -> str:
        """Request id, a short hash, and the mark of one sending, the same for all its tries.

        The server answers a known update id without looking at the parameters, and with a refusal as long as the
        run goes on: a request that was refused can only be judged anew (decision 32) under another id. What was
        accepted is recognised by its request id.
        """
        return f"{self.request_id}:{self.params_hash()[:12]}:{sending}"


class Apply(Command):
    """Start the certification with a submission already in the document store."""

    action: ClassVar[str] = "apply"
    credit_code: str
    ordinal: int = Field(ge=1)
    submission: str


class Supplement(Command):
    """Answer a supplement request with a whole new submission."""

    action: ClassVar[str] = "supplement"
    submission: str


class Withdraw(Command):
    action: ClassVar[str] = "withdraw"
    reason: str = Field(min_length=1, max_length=2000)


class TakeReview(Command):
    action: ClassVar[str] = "take_review"


class ReleaseReview(Command):
    action: ClassVar[str] = "release_review"


class Acceptance(BaseModel):
    """A finding that needs a person, accepted by name with its reason (decision 10)."""

    model_config = ConfigDict(extra="allow", frozen=True)

    condition: str
    reason: str = Field(min_length=1, max_length=2000)


class Approve(Command):
    action: ClassVar[str] = "approve"
    revision: int
    accepted: tuple[Acceptance, ...] = ()


class Missing(BaseModel):
    """One item of a supplement request: the condition and what is missing."""

    model_config = ConfigDict(extra="allow", frozen=True)

    condition: str
    what: str = Field(min_length=1, max_length=2000)


class RequestSupplement(Command):
    action: ClassVar[str] = "request_supplement"
    revision: int
    items: tuple[Missing, ...] = Field(min_length=1)


class Reject(Command):
    action: ClassVar[str] = "reject"
    revision: int
    reason: str = Field(min_length=1, max_length=2000)


class ReceiveDeposit(Command):
    """A payment the bank reported. `paid_on` is its Shanghai value date; None is the case's today.

    One reference is one payment however it was typed: width and spaces don't count. `correction`: it was recorded
    wrongly before and taken back.
    """

    action: ClassVar[str] = "receive_deposit"
    amount: int = Field(gt=0, le=10**15)
    reference: Annotated[str, BeforeValidator(folded)] = Field(min_length=1, max_length=200)
    payer: str = Field(min_length=1, max_length=200)
    paid_on: date | None = None
    correction: bool = False


class RecordUnplaced(Command):
    """A payment of a bank statement that is no case's, with what is known of it. `workflow_id` is its own."""

    action: ClassVar[str] = "record_unplaced"
    amount: int = Field(gt=0, le=10**15)
    reference: Annotated[str, BeforeValidator(folded)] = Field(min_length=1, max_length=200)
    payer: str = Field(min_length=1, max_length=200)
    paid_on: date
    why: str = Field(min_length=1, max_length=200)
    note: str = Field(default="", max_length=500)


class DeductDeposit(Command):
    """Deduct from the deposit for a decided conduct case (`violation`, its id). A second person approves it."""

    action: ClassVar[str] = "deduct_deposit"
    amount: int = Field(gt=0, le=10**15)
    violation: str = Field(min_length=1, max_length=40)
    reason: str = Field(min_length=1, max_length=2000)


class RefundDeposit(Command):
    """Refund so much of the deposit to who paid it; what is left is withheld for `reason`. A second person approves.

    To another `account` only with its name, which is the entity's, and evidence (documents' sha256) of both.
    """

    action: ClassVar[str] = "refund_deposit"
    amount: int = Field(gt=0, le=10**15)
    reason: str = Field(min_length=1, max_length=2000)
    account: str | None = Field(default=None, max_length=60)
    account_name: str | None = Field(default=None, max_length=200)
    evidence: tuple[str, ...] = ()


class ReportRefund(Command):
    """What the bank says has become of the refund `refund`, of itself: `amount` fen of it (decision 17)."""

    action: ClassVar[str] = "report_refund"
    refund: str = Field(min_length=1, max_length=60)
    state: Literal["paid", "returned", "failed"]
    amount: int = Field(gt=0, le=10**15)
    reference: str = Field(default="", max_length=200)
    why: str = Field(default="", max_length=500)

    def is_no_news(self, state: str, amount: int, reference: str | None) -> bool:
        """Whether money is on record as this tells it: as `state`, of `amount` fen, under the bank's `reference`.

        Paid under another reference it is another payment, of the rest or twice: a person looks at the statement.
        """
        after = {"paid": ("paid", "returned"), "failed": ("refused",), "returned": ("returned",)}[self.state]
        another = self.state == "paid" and reference and self.reference not in ("", reference)
        return state in after and amount == self.amount and not another


class AssignPayment(Command):
    """Count what of a payment (its bank `reference`) fits nowhere towards the deposit, wherever it has waited."""

    action: ClassVar[str] = "assign_payment"
    reference: Annotated[str, BeforeValidator(folded)] = Field(min_length=1, max_length=200)
    reason: str = Field(min_length=1, max_length=2000)


class ReturnPayment(Command):
    """Return what of a payment (its bank `reference`) fits nowhere to who paid it. A second person approves it.

    Of money of no case `workflow_id` is the payment's own, as it is of the approval, the denial and the bank's report.
    """

    action: ClassVar[str] = "return_payment"
    reference: Annotated[str, BeforeValidator(folded)] = Field(min_length=1, max_length=200)
    reason: str = Field(min_length=1, max_length=2000)


class ReversePayment(Command):
    """Take back what of a payment (its bank `reference`) is on the case: the bank did, or it was recorded wrongly.

    A second person approves it.
    """

    action: ClassVar[str] = "reverse_payment"
    reference: Annotated[str, BeforeValidator(folded)] = Field(min_length=1, max_length=200)
    reason: str = Field(min_length=1, max_length=2000)


class Certify(Command):
    action: ClassVar[str] = "certify"


class RefuseCertification(Command):
    action: ClassVar[str] = "refuse_certification"
    reason: str = Field(min_length=1, max_length=2000)


class Publish(Command):
    """Try publication again, or put on record evidence (a document's sha256) that it was published by hand."""

    action: ClassVar[str] = "publish"
    evidence: str | None = None


class ConfirmMarks(Command):
    """Confirm that every sign and mark is out of use, with evidence (documents' sha256)."""

    action: ClassVar[str] = "confirm_marks"
    evidence: tuple[str, ...] = Field(min_length=1)


class Renew(Command):
    """File the renewal of the term that ends on `from_last_day`, a Shanghai date; a submission if documents changed."""

    action: ClassVar[str] = "renew"
    from_last_day: date
    submission: str | None = None


class ApproveRenewal(Command):
    action: ClassVar[str] = "approve_renewal"
    revision: int
    accepted: tuple[Acceptance, ...] = ()


class RequestRenewalSupplement(Command):
    action: ClassVar[str] = "request_renewal_supplement"
    revision: int
    items: tuple[Missing, ...] = Field(min_length=1)


class RejectRenewal(Command):
    action: ClassVar[str] = "reject_renewal"
    revision: int
    reason: str = Field(min_length=1, max_length=2000)


class Suspend(Command):
    action: ClassVar[str] = "suspend"
    reason: str = Field(min_length=1, max_length=2000)


class Reinstate(Command):
    """Lift what `Suspend` placed."""

    action: ClassVar[str] = "reinstate"
    reason: str = Field(min_length=1, max_length=2000)


class Surrender(Command):
    """The base leaves of its own will."""

    action: ClassVar[str] = "surrender"
    reason: str = Field(min_length=1, max_length=2000)


class Dissolve(Command):
    """Put on record that the enterprise is no more."""

    action: ClassVar[str] = "dissolve"
    reason: str = Field(min_length=1, max_length=2000)


class Revoke(Command):
    """Revoke the certification, for a conduct case or not. A second person approves it (decision 29)."""

    action: ClassVar[str] = "revoke"
    reason: str = Field(min_length=1, max_length=2000)
    conduct: str | None = None


class Loss(BaseModel):
    """What a violation has cost merchants or anchors (R8)."""

    model_config = ConfigDict(extra="allow", frozen=True)

    kind: Literal["penalty_points", "frozen_permissions", "removal", "other"]
    description: str = Field(min_length=1, max_length=2000)


class ConductCommand(Command):
    """What is done about a conduct case: sent to its own workflow, `workflow_id` naming its certification's."""

    conduct: str = Field(max_length=40)

    @property
    def sent_to(self) -> str:
        return conduct_workflow_id(self.workflow_id, self.conduct)


class ReportConduct(ConductCommand):
    """Report a violation, with evidence (documents' sha256). `conduct` is the id it is to have.

    `urgent`: the base is suspended at once (decision 27). `paper`: facts, accounts and losses (`domain/written.py`),
    which are given here only by commands of before. `complaint`: the reference of the public's that it takes up.
    """

    action: ClassVar[str] = "report_conduct"
    rule: Literal["R2", "R3", "R4", "R5", "R6", "R7", "R8"]
    trigger: Literal["breach", "account_violation"]
    severity: Literal["minor", "serious"]
    found_on: date
    facts: str = Field(default="", max_length=2000)
    affected_accounts: tuple[str, ...] = ()
    losses: tuple[Loss, ...] = ()
    evidence: tuple[str, ...] = Field(min_length=1)
    urgent: bool = False
    paper: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    complaint: str | None = Field(default=None, pattern=r"^TS-[A-Z2-7]{16}$")


class RespondConduct(ConductCommand):
    """Answer a report, or tell how a violation was put right; evidence as documents' sha256, `paper` as in a report."""

    action: ClassVar[str] = "respond_conduct"
    statement: str = Field(default="", max_length=2000)
    evidence: tuple[str, ...] = ()
    paper: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")


class DecideConduct(ConductCommand):
    """Decide on a conduct case. A revocation is proposed to a second person (decision 29)."""

    action: ClassVar[str] = "decide_conduct"
    outcome: ConductOutcome
    reason: str = Field(min_length=1, max_length=2000)


class Authorise(Command):
    """Put on record a written authorisation to act in the platform's name (R5), its paper by sha256."""

    action: ClassVar[str] = "authorise"
    activity: str = Field(min_length=1, max_length=200)
    until: date
    evidence: tuple[str, ...] = Field(min_length=1)


class FileAppeal(Command):
    """Appeal against the decision that ended the case, by its id; evidence and `paper` as in an answer."""

    action: ClassVar[str] = "file_appeal"
    decision: str = Field(min_length=1, max_length=40)
    statement: str = Field(default="", max_length=2000)
    evidence: tuple[str, ...] = ()
    paper: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")


class DecideAppeal(Command):
    action: ClassVar[str] = "decide_appeal"
    outcome: Literal["uphold", "set-aside"]
    reason: str = Field(min_length=1, max_length=2000)


class SetAside(Command):
    """Undo a decision of ours that was a mistake. A second person approves it (decisions 29 and 34)."""

    action: ClassVar[str] = "set_aside"
    decision: str = Field(min_length=1, max_length=40)
    reason: str = Field(min_length=1, max_length=2000)


class AcceptVerification(Command):
    """A person has looked at a verification that is not confirmed any more, and the base goes on (A1)."""

    action: ClassVar[str] = "accept_verification"
    reason: str = Field(min_length=1, max_length=2000)
    evidence: tuple[str, ...] = ()


class WaiveCoolingOff(Command):
    """Let the enterprise apply again at once. A second person approves it (decisions 29 and 30)."""

    action: ClassVar[str] = "waive_cooling_off"
    reason: str = Field(min_length=1, max_length=2000)


class EraseDocuments(Command):
    """Erase what was handed in for a case that has closed. A second person approves it (decision 29)."""

    action: ClassVar[str] = "erase_documents"
    reason: str = Field(min_length=1, max_length=2000)


class ApproveProposal(Command):
    """Approve, as the second person, what a proposal's content (its sha256) says, and carry it out."""

    action: ClassVar[str] = "approve_proposal"
    proposal: str = Field(min_length=1, max_length=40)
    content: str = Field(pattern=r"^[0-9a-f]{64}$")


class DenyProposal(Command):
    """Deny a proposal, or take one's own back: it is over."""

    action: ClassVar[str] = "deny_proposal"
    proposal: str = Field(min_length=1, max_length=40)
    reason: str = Field(min_length=1, max_length=2000)


class CheckMarks(Command):
    """Put on record what a spot check of the stop-using-marks duty found."""

    action: ClassVar[str] = "check_marks"
    result: str = Field(min_length=1, max_length=2000)


class Correct(Command):
    """Correct the base's name or address, or its contact, with a whole new submission."""

    action: ClassVar[str] = "correct"
    submission: str
    accepted: tuple[Acceptance, ...] = ()


class ObjectAssessment(Command):
    """Object to a provisional fail (of `period`, or of the newest); evidence and `paper` as in an answer."""

    action: ClassVar[str] = "object_assessment"
    statement: str = Field(default="", max_length=2000)
    evidence: tuple[str, ...] = ()
    period: str | None = None
    paper: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")


class DecideAssessment(Command):
    """Decide an objection, or a quarter without figures."""

    action: ClassVar[str] = "decide_assessment"
    period: str
    outcome: Literal["pass", "fail"]
    reason: str = Field(min_length=1, max_length=2000)


class Assign(Command):
    """Give what waits for staff on a case to one of them."""

    action: ClassVar[str] = "assign"
    to: str = Field(min_length=1, max_length=100)
    reason: str = Field(min_length=1, max_length=2000)


class ExtendDeadline(Command):
    """Move an applicant's deadline to the end of `to`, a Shanghai date."""

    action: ClassVar[str] = "extend_deadline"
    deadline: Literal["supplement", "deposit", "rectification", "marks"]
    to: date
    reason: str = Field(min_length=1, max_length=2000)


class AddNote(Command):
    """A note for the staff, its text in a `paper` as in a report."""

    action: ClassVar[str] = "add_note"
    text: str = Field(default="", max_length=2000)
    paper: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")


class DismissComplaint(Command):
    """Nothing follows from a complaint of the public, by its reference."""

    action: ClassVar[str] = "dismiss_complaint"
    complaint: str = Field(pattern=r"^TS-[A-Z2-7]{16}$")
    reason: str = Field(min_length=1, max_length=2000)


class ResendLetters(Command):
    """Deliver again the letters that have not arrived, or the one at a place of the case, such as `7.1`."""

    action: ClassVar[str] = "resend_letters"
    letter: str | None = Field(default=None, pattern=r"^[0-9]{1,6}\.[0-9]{1,3}$")


class ImportCalendar(Command):
    """Import a calendar notice: its canonical JSON. No case's command; `workflow_id` is the notice's own."""

    action: ClassVar[str] = "import_calendar"
    content: str = Field(max_length=1024**2)


class ImportFigures(Command):
    """Import the figures of a quarter, handed over by their sha256. `workflow_id` is the quarter's own.

    `looked_at`: a person has looked at a batch in which many fail.
    """

    action: ClassVar[str] = "import_figures"
    period: str
    batch: str = Field(pattern=r"^[0-9a-f]{64}$")
    looked_at: bool = False


class ConfirmPeriod(Command):
    """Confirm what of a quarter's results is ripe. `workflow_id` is the quarter's own."""

    action: ClassVar[str] = "confirm_period"
    period: str


class Answer(BaseModel):
    """What an accepted command answers (fixed, `design/cli.md`)."""

    model_config = ConfigDict(extra="allow", frozen=True)

    request_id: str
    accepted_at: datetime
    repeated: bool = False
    case_number: str
    stage: Stage
    standing: Standing
    revision: int
    awaiting: Role
    due_at: datetime | None
    conduct: str | None = None


class ImportAnswer(BaseModel):
    """What an accepted import answers: `calendar_version` after it, and how many live cases will hear of it.

    `repeated` too when the same content had been imported under another request id.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    request_id: str
    accepted_at: datetime
    repeated: bool = False
    year: int
    source: str
    calendar_version: str
    live_cases: int


class PeriodAnswer(BaseModel):
    """What an accepted import or confirmation of a quarter answers.

    `report` is the sha256 of the document with what became of each line or base; `totals` count its outcomes.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    request_id: str
    accepted_at: datetime
    repeated: bool = False
    period: str
    report: str
    totals: dict[str, int]
    failing: int


class UnplacedAnswer(BaseModel):
    """What an act about money of no case answers. `repeated` too when it was on record under another request id.

    `case_number` is the case it is on by now; `proposal` the return it is about, which waits until `due_at`.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    request_id: str
    accepted_at: datetime
    repeated: bool = False
    reference: str
    amount: int
    payer: str
    value_date: date
    case_number: str | None = None
    proposal: str | None = None
    due_at: datetime | None = None


class UnplacedView(BaseModel):
    """Where a payment that was no case's is: the case it has come to; of no case `left` fen.

    `proposal`: its return waits for a second person until `expires_at`. `order`: the bank is asked to return it,
    again at `ask_at`, None being at once.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    reference: str
    left: int
    amount: int = 0
    case_number: str | None = None
    proposal: str | None = None
    expires_at: datetime | None = None
    order: str | None = None
    ask_at: datetime | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing of it waits for anybody."""
        return self.case_number is not None or not (self.left or self.order)


class UnplacedOutcome(BaseModel):
    """What a transaction about money of no case came to: an answer or a refusal, and where the payment is then."""

    model_config = ConfigDict(extra="allow", frozen=True)

    answer: UnplacedAnswer | None = None
    refusal: RefusalDetail | None = None
    view: UnplacedView | None = None


class PeriodView(BaseModel):
    """How a quarter stands: bases with a result, how many have still to hear of something, how many in which state."""

    model_config = ConfigDict(extra="allow", frozen=True)

    bases: int = 0
    hear: int = 0
    fails: int = 0
    states: dict[str, int] = {}


class AssessmentNews(BaseModel):
    """What a case's workflow is told: something of a quarter came on record, at an instant of the case's clock."""

    model_config = ConfigDict(extra="allow", frozen=True)

    period: str
    at: datetime


class PeriodOutcome(BaseModel):
    """What the transaction of an import or a confirmation came to: an answer or a refusal."""

    model_config = ConfigDict(extra="allow", frozen=True)

    answer: PeriodAnswer | None = None
    refusal: RefusalDetail | None = None


class ImportOutcome(BaseModel):
    """What an import's transaction came to: an answer with the notice's reference, or a refusal.

    `new` is False when the same content had been imported before, by another request.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    answer: ImportAnswer | None = None
    notice: NoticeReference | None = None
    new: bool = True
    refusal: RefusalDetail | None = None


class Outcome(BaseModel):
    """What a command's transaction came to: an answer or a refusal, and the case as stored after it.

    `beside` are the ids of other workflows whose record it has changed.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    answer: Answer | None = None
    refusal: RefusalDetail | None = None
    case: Case | None = None
    beside: tuple[str, ...] = ()


class ChangeActor(Command):
    """Change who may act: `add` a person with a key and roles, or a `further` key; `grant` roles; `revoke` roles, one
    key, or with neither everything. `key` is a public key as `livebase login` prints it; `roles` may hold
    `administrator`, who alone may use this."""

    action: ClassVar[str] = "change_actor"
    change: Literal["add", "further", "grant", "revoke"]
    name: str = Field(min_length=1, max_length=100)
    key: str | None = Field(default=None, max_length=100)
    roles: tuple[str, ...] = ()


class ActorAnswer(BaseModel):
    """A person as they stand after a change: their keys by id, and their roles."""

    model_config = ConfigDict(extra="allow", frozen=True)

    request_id: str
    accepted_at: datetime
    repeated: bool = False
    name: str
    keys: dict[str, str]
    roles: tuple[str, ...]


class ActorOutcome(BaseModel):
    """What the transaction of a change came to: an answer, or a refusal as data."""

    model_config = ConfigDict(extra="allow", frozen=True)

    answer: ActorAnswer | None = None
    refusal: RefusalDetail | None = None
