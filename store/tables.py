"""The records that outlive workflow histories: typed tables, unique business keys, append-only where it matters."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Instant(TypeDecorator[datetime]):
    """An aware instant, stored in UTC. A naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Table(DeclarativeBase):
    """All tables of one database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: Instant,
        dict[str, Any]: JSON,
        list[Any]: JSON,
        str: Text,
    }


class Installation(Table):
    """One row: whether this database belongs to a local server, where clocks may be moved (decision 6).

    `name` is its own, never another's: what is signed for it fits no copy with other people's cases.
    """

    __tablename__ = "installation"
    __table_args__ = (UniqueConstraint("id", "local_server"), CheckConstraint("id = 1", name="one_row"))

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    local_server: Mapped[bool]
    name: Mapped[str] = mapped_column(String(36))


class CaseRow(Table):
    """One case. `facts` is the whole `domain.case.Case`; the other columns are copies of it to search by."""

    __tablename__ = "cases"
    __table_args__ = (
        UniqueConstraint("credit_code", "ordinal"),
        # One live case per enterprise (decision 8). The migration says so for PostgreSQL too; said here, its dialect
        # would be loaded whenever the command line starts.
        Index("uq_cases_live", "credit_code", unique=True, sqlite_where=text("NOT ended")),
        ForeignKeyConstraint(["installation", "local_server"], ["installation.id", "installation.local_server"]),
        CheckConstraint("clock_offset_ms = 0 OR local_server", name="clock_runs_true"),
    )

    case_number: Mapped[str] = mapped_column(String(20), primary_key=True)
    workflow_id: Mapped[str] = mapped_column(unique=True)
    run_id: Mapped[str | None]
    credit_code: Mapped[str] = mapped_column(String(18), index=True)
    ordinal: Mapped[int]
    name: Mapped[str]
    skeleton: Mapped[str] = mapped_column(index=True)
    stage: Mapped[str] = mapped_column(index=True)
    awaiting: Mapped[str] = mapped_column(index=True)
    due_at: Mapped[datetime | None]
    valid_until: Mapped[datetime | None]
    ended: Mapped[bool]
    documents_erased: Mapped[bool]
    sequence: Mapped[int]
    facts: Mapped[dict[str, Any]]
    installation: Mapped[int] = mapped_column(default=1)
    local_server: Mapped[bool]
    clock_offset_ms: Mapped[int] = mapped_column(BigInteger, default=0)


class ApplicationRow(Table):
    """One revision of an application; its content is the submission of that hash in the document store.

    `legal_representative` is a pseudonym: the same for the same person, and nobody's name.
    """

    __tablename__ = "applications"

    case_number: Mapped[str] = mapped_column(ForeignKey("cases.case_number"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    submission: Mapped[str] = mapped_column(String(64))
    submitted_by: Mapped[str]
    legal_representative: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime]


class NameRow(Table):
    """What a case may be looked for by: a number, a name, a bank reference; `folded` is how it is compared."""

    __tablename__ = "names"

    case_number: Mapped[str] = mapped_column(ForeignKey("cases.case_number"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    folded: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


class FindingRow(Table):
    """One finding of one screening (requirement ids A1 to R8)."""

    __tablename__ = "findings"

    case_number: Mapped[str] = mapped_column(ForeignKey("cases.case_number"), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    revision: Mapped[int]
    as_of: Mapped[date]
    policy_version: Mapped[str]
    finding: Mapped[dict[str, Any]]


class ApprovalRow(Table):
    """What two people did together (decision 29): `proposer` and `approver` are their names as they are compared."""

    __tablename__ = "approvals"
    __table_args__ = (
        CheckConstraint("proposer <> approver", name="two_people"),
        CheckConstraint("case_number IS NOT NULL OR action = 'return_payment'", name="of_no_case"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    case_number: Mapped[str | None] = mapped_column(ForeignKey("cases.case_number"), index=True)
    action: Mapped[str]
    content: Mapped[str] = mapped_column(String(64))
    proposed_by: Mapped[str]
    approved_by: Mapped[str]
    proposer: Mapped[str]
    approver: Mapped[str]
    at: Mapped[datetime]


class DecisionRow(Table):
    """A decision; one that takes a right away for good has its second person (decision 29)."""

    __tablename__ = "decisions"
    __table_args__ = (
        CheckConstraint(
            "approval IS NOT NULL OR kind NOT IN "
            "('revoked', 'set_aside', 'cooling_off_waived', 'payment_reversed', 'documents_erased')",
            name="second_person",
        ),
    )

    case_number: Mapped[str] = mapped_column(ForeignKey("cases.case_number"), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    by: Mapped[str]
    role: Mapped[str]
    revision: Mapped[int | None]
    reason: Mapped[str]
    detail: Mapped[dict[str, Any]]
    approval: Mapped[str | None] = mapped_column(ForeignKey("approvals.id"))
    at: Mapped[datetime]


class PaymentRow(Table):
    """A payment the bank reported, once per reference (decision 15): another edition only after it was taken back.

    `case_number` is the case it was first recorded for, None for none; where it has come since is in `payment_moves`.
    """

    __tablename__ = "payments"
    __table_args__ = (CheckConstraint("case_number IS NOT NULL OR credited = 0", name="credited_to_a_case"),)

    reference: Mapped[str] = mapped_column(primary_key=True)
    edition: Mapped[int] = mapped_column(primary_key=True)
    case_number: Mapped[str | None] = mapped_column(ForeignKey("cases.case_number"), index=True)
    amount: Mapped[int] = mapped_column(BigInteger)
    payer: Mapped[str]
    value_date: Mapped[date]
    credited: Mapped[int] = mapped_column(BigInteger)
    unmatched: Mapped[int] = mapped_column(BigInteger)
    why: Mapped[str]
    note: Mapped[str]
    at: Mapped[datetime]


class PaymentMoveRow(Table):
    """What of a payment has come to a case from another one, or from none; append-only."""

    __tablename__ = "payment_moves"

    case_number: Mapped[str] = mapped_column(ForeignKey("cases.case_number"), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(index=True)
    edition: Mapped[int]
    amount: Mapped[int] = mapped_column(BigInteger)
    from_case: Mapped[str | None]
    at: Mapped[datetime]


class PaymentReversalRow(Table):
    """What of a payment was taken back from a case, by two people; append-only, and final."""

    __tablename__ = "payment_reversals"

    case_number: Mapped[str] = mapped_column(ForeignKey("cases.case_number"), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(index=True)
    edition: Mapped[int]
    amount: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]


class PaymentReturnRow(Table):
    """What happened to the return of a payment of no case, step by step; append-only (`domain/returning.py`).

    `case_number` is always None: of these rows the office's chain tells.
    """

    __tablename__ = "payment_returns"
    __table_args__ = (
        CheckConstraint("case_number IS NULL", name="of_no_case"),
        CheckConstraint("amount > 0", name="positive"),
        CheckConstraint("approval IS NOT NULL OR what <> 'approved'", name="second_person"),
    )

    reference: Mapped[str] = mapped_column(primary_key=True)
    edition: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    case_number: Mapped[str | None] = mapped_column(String(20))
    what: Mapped[str]
    proposal: Mapped[str] = mapped_column(String(40), index=True)
    amount: Mapped[int] = mapped_column(BigInteger)
    content: Mapped[str] = mapped_column(String(64))
    by: Mapped[str]
    role: Mapped[str]
    reason: Mapped[str]
    bank_reference: Mapped[str]
    expires_at: Mapped[datetime | None]
    approval: Mapped[str | None] = mapped_column(ForeignKey("approvals.id"))
    at: Mapped[datetime]


class LedgerLine(Table):
    """One transfer between two accounts in fen: double entry, append-only. `transfer_key` applies it once.

    Money leaves a deposit, and is returned or taken back, only with a second person's approval (decision 29). Of no
    case is only money that comes in for none, and goes back from there to who paid it.
    """

    __tablename__ = "ledger_lines"
    __table_args__ = (
        CheckConstraint("amount > 0", name="positive"),
        CheckConstraint("debit_account <> credit_account", name="two_accounts"),
        CheckConstraint(
            "approval IS NOT NULL OR (debit_account NOT LIKE 'deposit:%' AND debit_account NOT LIKE 'deducted:%' "
            "AND NOT (credit_account LIKE 'return_pending%' AND debit_account <> 'bank') "
            "AND NOT (credit_account = 'bank' AND (debit_account LIKE 'unmatched:%' OR debit_account = 'unplaced')))",
            name="second_person",
        ),
        CheckConstraint(
            "case_number IS NOT NULL OR (debit_account IN ('bank', 'unplaced', 'return_pending') "
            "AND credit_account IN ('bank', 'unplaced', 'return_pending'))",
            name="of_no_case",
        ),
    )

    number: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True
    )
    transfer_key: Mapped[str] = mapped_column(unique=True)
    case_number: Mapped[str | None] = mapped_column(ForeignKey("cases.case_number"), index=True)
    sequence: Mapped[int]
    debit_account: Mapped[str] = mapped_column(index=True)
    credit_account: Mapped[str] = mapped_column(index=True)
    amount: Mapped[int] = mapped_column(BigInteger)
    reference: Mapped[str]
    approval: Mapped[str | None] = mapped_column(ForeignKey("approvals.id"))
    at: Mapped[datetime]


class TermRow(Table):
    __tablename__ = "terms"

    case_number: Mapped[str] = mapped_column(ForeignKey("cases.case_number"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True)
    certificate_number: Mapped[str] = mapped_column(String(20), unique=True)
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime]
    anchor: Mapped[date]
    policy_version: Mapped[str]


class ListRow(Table):
    """One revision of a base's entry on the official list; of those in effect the highest counts (decision 19).

    `searched` is the name, the holder and the place as they are looked for, a line each; `skeleton` what is left of the
    name to the eye; `letterbox` the public key that complaints about the base are sealed to.
    """

    __tablename__ = "list_revisions"

    case_number: Mapped[str] = mapped_column(ForeignKey("cases.case_number"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str]
    certificate_number: Mapped[str] = mapped_column(index=True)
    name: Mapped[str]
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime] = mapped_column(index=True)
    effective_from: Mapped[datetime] = mapped_column(index=True)
    evidence: Mapped[str | None]
    suspended_since: Mapped[datetime | None]
    category: Mapped[str | None]
    credit_code: Mapped[str] = mapped_column(String(18), index=True)
    holder: Mapped[str]
    place: Mapped[str]
    ending: Mapped[str | None]
    reason: Mapped[str | None]
    reasons_from: Mapped[datetime | None]
    searched: Mapped[str]
    skeleton: Mapped[str] = mapped_column(index=True)
    letterbox: Mapped[str | None] = mapped_column(String(43))
    at: Mapped[datetime] = mapped_column(index=True)


class ChannelEntryRow(Table):
    """An entry for the official channel, on record before it is put there; append-only (`domain/channel.py`).

    `revision` counts a certificate's entries; `list_revision` is the list's that it follows, 0 for none.
    """

    __tablename__ = "channel_entries"

    certificate_number: Mapped[str] = mapped_column(String(20), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    case_number: Mapped[str] = mapped_column(ForeignKey("cases.case_number"), index=True)
    list_revision: Mapped[int]
    state: Mapped[str]
    entry: Mapped[dict[str, Any]]
    hash: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]


class ChannelConfirmationRow(Table):
    """That an entry was read back from the official channel, or a later one of ours (`held_revision`); append-only."""

    __tablename__ = "channel_confirmations"
    __table_args__ = (
        ForeignKeyConstraint(
            ["certificate_number", "revision"], ["channel_entries.certificate_number", "channel_entries.revision"]
        ),
    )

    certificate_number: Mapped[str] = mapped_column(String(20), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    list_revision: Mapped[int]
    held_revision: Mapped[int]
    evidence: Mapped[str]
    at: Mapped[datetime]


class ChannelComparisonRow(Table):
    """The whole official channel compared with the list, append-only; `differences` are the first of them.

    `fault` is why there was nothing to compare: the channel did not answer.
    """

    __tablename__ = "channel_comparisons"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    ours: Mapped[int]
    theirs: Mapped[int]
    missing: Mapped[int]
    extra: Mapped[int]
    different: Mapped[int]
    sent_again: Mapped[int]
    differences: Mapped[list[Any]]
    fault: Mapped[str]
    at: Mapped[datetime] = mapped_column(index=True)


class BenefitRow(Table):
    """A benefit P1 to P6 of one term: granted, in effect from an instant, withdrawn at another."""

    __tablename__ = "benefit_grants"

    case_number: Mapped[str] = mapped_column(ForeignKey("cases.case_number"), primary_key=True)
    term: Mapped[int] = mapped_column(primary_key=True)
    benefit: Mapped[str] = mapped_column(String(2), primary_key=True)
    effective_from: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]


class EvidenceRow(Table):
    __tablename__ = "evidence"

    case_number: Mapped[str] = mapped_column(ForeignKey("cases.case_number"), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    purpose: Mapped[str]
    at: Mapped[datetime]


class NoteRow(Table):
    """A note for the staff, append-only. Its audit entry has the sha256 of its text."""

    __tablename__ = "notes"

    case_number: Mapped[str] = mapped_column(ForeignKey("cases.case_number"), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]
    by: Mapped[str]
    at: Mapped[datetime]


class ConductReportRow(Table):
    """What was reported of a violation, append-only; the conduct case itself is part of its certification case."""

    __tablename__ = "conduct_reports"

    conduct: Mapped[str] = mapped_column(String(40), primary_key=True)
    case_number: Mapped[str] = mapped_column(ForeignKey("cases.case_number"), index=True)
    sequence: Mapped[int]
    facts: Mapped[str]
    affected_accounts: Mapped[list[Any]]
    losses: Mapped[list[Any]]
    by: Mapped[str]
    at: Mapped[datetime]


class ComplaintRow(Table):
    """A complaint from the public about a certificate, append-only; `sealed` is a JWE that the site can't open."""

    __tablename__ = "complaints"

    reference: Mapped[str] = mapped_column(String(20), primary_key=True)
    certificate_number: Mapped[str] = mapped_column(String(20), index=True)
    sealed: Mapped[str]
    at: Mapped[datetime]


class ComplaintDecisionRow(Table):
    """What became of a complaint, once, append-only: a report of compliance's own took it up, or it was dismissed."""

    __tablename__ = "complaint_decisions"

    case_number: Mapped[str] = mapped_column(ForeignKey("cases.case_number"), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    complaint: Mapped[str] = mapped_column(String(20), ForeignKey("complaints.reference"), unique=True)
    outcome: Mapped[str]
    reason: Mapped[str]
    at: Mapped[datetime]


class AuthorisationRow(Table):
    """A written authorisation to act in the platform's name (R5), append-only; its paper is evidence of its entry."""

    __tablename__ = "authorisations"

    case_number: Mapped[str] = mapped_column(ForeignKey("cases.case_number"), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    activity: Mapped[str]
    until: Mapped[date]
    by: Mapped[str]
    at: Mapped[datetime]


class NoticeRow(Table):
    """A letter and its delivery (decision 35). `at` is the case's clock; all other instants are the delivery's.

    `claimed_by` holds it until `claimed_until` while it is `sending`. `try_at` is when it is tried next, None is at
    once; `put_off_since` when a mail server first put it off; `edition` counts how often it was sent again though
    it had arrived.
    """

    __tablename__ = "notices"
    __table_args__ = (
        CheckConstraint("(state = 'sending') = (claimed_by IS NOT NULL)", name="claimed"),
        CheckConstraint("(state = 'delivered') = (delivered_at IS NOT NULL)", name="arrived"),
        Index("ix_notices_due", "state", "try_at"),
    )

    case_number: Mapped[str] = mapped_column(ForeignKey("cases.case_number"), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    recipient: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    at: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="pending")
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(default="")
    edition: Mapped[int] = mapped_column(default=0)
    claimed_by: Mapped[str | None]
    claimed_until: Mapped[datetime | None]
    try_at: Mapped[datetime | None]
    put_off_since: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]


class CommandRow(Table):
    """A command done, with its answer, for good: the same request id is one effect (decision 32).

    One that is no case's (a calendar notice) has no case number.
    """

    __tablename__ = "commands"

    request_id: Mapped[str] = mapped_column(primary_key=True)
    params_hash: Mapped[str] = mapped_column(String(64))
    case_number: Mapped[str | None] = mapped_column(ForeignKey("cases.case_number"))
    action: Mapped[str]
    actor: Mapped[str]
    answer: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class CalendarNoticeRow(Table):
    """A calendar notice as imported, append-only; `content` is its canonical JSON, `sha256` that text's."""

    __tablename__ = "calendar_notices"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    year: Mapped[int]
    source: Mapped[str]
    published_on: Mapped[date]
    content: Mapped[str]
    imported_by: Mapped[str]
    at: Mapped[datetime]


class AssessmentRow(Table):
    """One revision of a base's figures of a quarter and what they come to, append-only (decision 22)."""

    __tablename__ = "assessments"

    case_number: Mapped[str] = mapped_column(ForeignKey("cases.case_number"), primary_key=True)
    period: Mapped[str] = mapped_column(String(6), primary_key=True, index=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    live_merchants: Mapped[int]
    active_merchants: Mapped[int]
    gmv: Mapped[int] = mapped_column(BigInteger)
    result: Mapped[str]
    missed: Mapped[list[Any]]
    policy_version: Mapped[str]
    batch: Mapped[str] = mapped_column(String(64))
    imported_by: Mapped[str]
    at: Mapped[datetime]


class ConfirmationRow(Table):
    """A result that a second person has confirmed, once for each revision; 0 is a person's decision without figures."""

    __tablename__ = "assessment_confirmations"

    case_number: Mapped[str] = mapped_column(ForeignKey("cases.case_number"), primary_key=True)
    period: Mapped[str] = mapped_column(String(6), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    result: Mapped[str]
    confirmed_by: Mapped[str]
    at: Mapped[datetime]


RECOUNTED = "event = 'deadlines_recounted'"


class AuditRow(Table):
    """One entry of a case's audit chain; `hash` covers the entry and the hash before it."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        # What a calendar notice moved is counted without reading every case's entries.
        Index("ix_audit_entries_recounted", "case_number", sqlite_where=text(RECOUNTED)),
    )

    case_number: Mapped[str] = mapped_column(ForeignKey("cases.case_number"), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    legal_at: Mapped[datetime]
    observed_at: Mapped[datetime]
    actor: Mapped[str]
    event: Mapped[str]
    detail: Mapped[dict[str, Any]]
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class OfficeEntryRow(Table):
    """One entry of the office's chain: a command that is for no single case. As `AuditRow`, append-only."""

    __tablename__ = "office_entries"

    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    actor: Mapped[str]
    event: Mapped[str]
    detail: Mapped[dict[str, Any]]
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class ActorChangeRow(Table):
    """One change of who may act, append-only: a key or a role given to a person or taken from them (decision 33)."""

    __tablename__ = "actor_changes"
    __table_args__ = (
        Index(
            "one_owner_of_a_key",
            "subject",
            unique=True,
            sqlite_where=text("what = 'key_added'"),
            postgresql_where=text("what = 'key_added'"),
        ),
    )

    number: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True
    )
    person: Mapped[str] = mapped_column(index=True)
    name: Mapped[str]
    what: Mapped[str]
    subject: Mapped[str]
    public_key: Mapped[str | None]
    by: Mapped[str]
    at: Mapped[datetime]


class RefusedRow(Table):
    """A command that reached its transaction and was refused there, append-only: once per sending.

    `signature` is its sha256: what was refused once is refused for good, whoever sends it again.
    """

    __tablename__ = "refused_commands"

    request_id: Mapped[str] = mapped_column(primary_key=True)
    params_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    workflow_id: Mapped[str] = mapped_column(index=True)
    action: Mapped[str]
    actor: Mapped[str]
    key_id: Mapped[str | None]
    signature: Mapped[str | None] = mapped_column(String(64))
    kind: Mapped[str]
    message: Mapped[str]
    hint: Mapped[str]


class SealRow(Table):
    """A seal on the audit log, append-only: `hash` covers the heads of this seal and the seal before it."""

    __tablename__ = "audit_seals"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class HeadRow(Table):
    """A case's newest entry at the time of a seal, append-only. It outlives its case, to tell that there was one."""

    __tablename__ = "audit_heads"

    case_number: Mapped[str] = mapped_column(String(20), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    hash: Mapped[str] = mapped_column(String(64))
    seal: Mapped[int] = mapped_column(ForeignKey("audit_seals.number"), index=True)


class Counter(Table):
    """The next number of a series, such as `LB-2026`; drawn under a row lock, rolled back with its transaction."""

    __tablename__ = "counters"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int]
