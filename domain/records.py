"""What a transition leaves on record beside the case itself, each written once in the same transaction.

The rules return these; the store writes them. Keys make a second writing impossible.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from domain.case import Case
from domain.commands import Loss
from domain.findings import Finding
from domain.ledger import Transfer
from domain.stages import Role
from domain.terms import Term


@dataclass(frozen=True)
class ApplicationRevision:
    """A revision of the application; the submission's bytes are in the document store under `submission`.

    `legal_representative` is folded, so that the same person behind another credit code is found (decision 30).
    """

    revision: int
    submission: str
    submitted_by: str
    legal_representative: str


@dataclass(frozen=True)
class KnownBy:
    """What people may look for the case by from now on, kind → name: numbers, names, a bank's reference."""

    names: dict[str, str]


@dataclass(frozen=True)
class ScreeningResult:
    """All findings of one screening, as of one Shanghai date, under one version of the policy."""

    revision: int
    as_of: date
    findings: tuple[Finding, ...]
    policy_version: str


@dataclass(frozen=True)
class Decision:
    """A person's decision with its reason and what it rests on, `approval` being the second person's (decision 29)."""

    kind: str
    by: str
    role: Role
    revision: int | None
    reason: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
    approval: str | None = None


@dataclass(frozen=True)
class Approval:
    """What two people have done together: who proposed it and who approved what they saw (decision 29)."""

    id: str
    action: str
    content: str
    proposed_by: str
    approved_by: str


@dataclass(frozen=True)
class Payment:
    """A payment the bank reported, once per reference. Amounts in fen; `value_date` is a Shanghai date.

    `credited` counts towards the deposit, `unmatched` waits for a person with `why`; both add up to `amount`.
    `edition` is 1, and one more each time it is reported anew after it was taken back. `note` is the statement's, of
    money that found no case.
    """

    reference: str
    amount: int
    payer: str
    value_date: date
    credited: int
    unmatched: int
    why: str = ""
    edition: int = 1
    note: str = ""


@dataclass(frozen=True)
class Reported:
    """What is on record under a bank reference: its newest edition, and the case it is on by now, None for none.

    `first_case` is the one it was recorded for, wherever its money has come since.
    `taken_back`: all of it has been, so that it may be reported anew as a correction.
    """

    payment: Payment
    case_number: str | None
    taken_back: bool = False
    first_case: str | None = None


@dataclass(frozen=True)
class PaymentMoved:
    """So many fen of a payment have come to the case: from another one, or with None from money of no case."""

    reference: str
    edition: int
    amount: int
    from_case: str | None


@dataclass(frozen=True)
class PaymentReversed:
    """So many fen of a payment are taken back from the case, by two people (decisions 15 and 29)."""

    reference: str
    edition: int
    amount: int


@dataclass(frozen=True)
class TermBegun:
    term: Term


@dataclass(frozen=True)
class ListRevision:
    """A new revision of the base's entry on the official list.

    Of those in effect the highest counts, in whatever order they were written: a renewal approved in time is in
    effect only from the end of the term before, a revocation at once (decision 19). Of a suspension it has the date
    and the category, no details (decision 20). All of it is for the public but `evidence`, and a `reason` from
    `reasons_from` on only: when the appeals are over (decision 20).

    `holder` is the enterprise of the credit code, `place` the base's address, `ending` what a withdrawn one ended by.
    """

    revision: int
    state: Literal["published", "suspended", "withdrawn"]
    certificate_number: str
    name: str
    valid_from: datetime
    valid_until: datetime
    effective_from: datetime
    evidence: str | None = None
    suspended_since: datetime | None = None
    category: str | None = None
    credit_code: str = ""
    holder: str = ""
    place: str = ""
    ending: str | None = None
    reason: str | None = None
    reasons_from: datetime | None = None


@dataclass(frozen=True)
class BenefitsGranted:
    """P1 to P6 with the instant each takes effect; P1 waits for publication (decision 18)."""

    term: int
    effective_from: dict[str, datetime | None]


@dataclass(frozen=True)
class BenefitEffective:
    term: int
    benefit: str
    effective_from: datetime


@dataclass(frozen=True)
class BenefitsWithdrawn:
    term: int


@dataclass(frozen=True)
class BenefitsRestored:
    """The benefits of a term whose withdrawal was set aside: as they were, without a gap."""

    term: int


@dataclass(frozen=True)
class Evidence:
    """Documents (sha256) somebody handed in with a command, kept with its purpose."""

    purpose: str
    documents: tuple[str, ...]


@dataclass(frozen=True)
class Letter:
    """A notice to be delivered: zh-CN, with what, why, by when and how to appeal (decision 35)."""

    kind: str
    recipient: Role
    subject: str
    body: str


@dataclass(frozen=True)
class Note:
    """A note for the staff."""

    text: str
    by: str


@dataclass(frozen=True)
class ComplaintDecided:
    """What became of a complaint from the public: a report took it up, or it was dismissed."""

    complaint: str
    outcome: str
    reason: str


@dataclass(frozen=True)
class ConductReport:
    """What was reported of a violation (R2 to R8). The accounts and losses are for the staff."""

    conduct: str
    facts: str
    affected_accounts: tuple[str, ...]
    losses: tuple[Loss, ...]
    by: str


@dataclass(frozen=True)
class Authorisation:
    """A written authorisation to act in the platform's name (R5), through the Shanghai date `until`."""

    activity: str
    until: date
    by: str


@dataclass(frozen=True)
class LettersResent:
    """Letters, by their places in the case, that are to be delivered again."""

    places: tuple[str, ...]


Record = (
    ApplicationRevision
    | KnownBy
    | Note
    | ScreeningResult
    | Decision
    | Approval
    | Payment
    | PaymentMoved
    | PaymentReversed
    | Transfer
    | TermBegun
    | ListRevision
    | BenefitsGranted
    | BenefitEffective
    | BenefitsWithdrawn
    | BenefitsRestored
    | Evidence
    | Letter
    | LettersResent
    | ConductReport
    | ComplaintDecided
    | Authorisation
)


@dataclass(frozen=True)
class Transition:
    """What one step does: the case after it, its audit event, and the records it leaves.

    `legal_at` is when it counts by law, `observed_at` when it was carried out on the case's clock; they
    differ when something due was found late (decision 7). `repeated`: what was asked for had been done before,
    under another request. `beside` is what it does to another case in the same transaction.
    """

    case: Case
    event: str
    actor: str
    legal_at: datetime
    observed_at: datetime
    detail: dict[str, Any] = field(default_factory=dict)
    records: tuple[Record, ...] = ()
    repeated: bool = False
    beside: Transition | None = None
