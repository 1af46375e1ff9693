"""What is read from the store: cases by any name people use, lists, timelines, and the fixed JSON of `show`.

Reads need no Temporal. Where *now* matters it is the caller's instant plus the case's own clock offset
(decision 6), so a case whose clock was moved reads like one that waited.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from domain.case import Case, Deposit
from domain.findings import Outcome
from domain.names import same_name
from domain.planning import Event
from domain.proposals import with_masked_account
from domain.shanghai import SHANGHAI, shanghai_date
from domain.stages import Stage, Standing
from domain.terms import Term
from domain.verified import judged_by_answer
from store import answers, tables
from store.conflicts import again_after_conflict

if TYPE_CHECKING:
    from domain.commands import Answer


@dataclass(frozen=True)
class FoundCase:
    """A case as stored, with how far its clock is ahead."""

    case: Case
    ordinal: int
    clock_offset: timedelta
    run_id: str | None = None

    def clock(self, wall: datetime) -> datetime:
        """The case's clock at a wall-clock instant; never before an ending that is on record already."""
        now = wall + self.clock_offset
        return max(now, self.case.ending.observed_at) if self.case.ending else now


class Reader:
    """Reads on one engine, best a read-only one."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @again_after_conflict
    def answered(self, request_id: str) -> tuple[str, Answer | None] | None:
        """As `store.answers.answered`."""
        with Session(self._engine) as session:
            return answers.answered(session, request_id)

    @again_after_conflict
    def kept(self, request_id: str) -> tuple[str, dict[str, Any]] | None:
        """As `store.answers.kept`."""
        with Session(self._engine) as session:
            return answers.kept(session, request_id)

    @again_after_conflict
    def find_case(self, base: str) -> FoundCase | None:
        """The case a person means: a credit code (its newest case), a case number or a certificate number."""
        name = "".join(unicodedata.normalize("NFKC", base).split()).upper()
        row = tables.CaseRow
        if name.startswith("LBC-"):
            held = select(tables.TermRow.case_number).where(tables.TermRow.certificate_number == name)
            statement = select(row).where(row.case_number.in_(held))
        elif name.startswith("LB-"):
            statement = select(row).where(row.case_number == name)
        else:
            statement = select(row).where(row.credit_code == name)
        with Session(self._engine) as session:
            found = session.scalar(statement.order_by(row.ordinal.desc()).limit(1))
            return found_case(found) if found else None

    @again_after_conflict
    def count_cases(self, credit_code: str) -> int:
        """How many applications the enterprise has made."""
        with Session(self._engine) as session:
            rows = select(func.count()).select_from(tables.CaseRow).where(tables.CaseRow.credit_code == credit_code)
            return session.scalar(rows) or 0

    @again_after_conflict
    def list_cases(
        self,
        wall: datetime,
        *,
        standing: Standing | None = None,
        stage: Stage | None = None,
        awaiting: str | None = None,
        due_before: datetime | None = None,
    ) -> list[FoundCase]:
        """Cases, soonest deadline first. The standing is computed, each case on its own clock."""
        row = tables.CaseRow
        statement = select(row).order_by(row.due_at.is_(None), row.due_at, row.case_number)
        if stage is not None:
            statement = statement.where(row.stage == stage.value)
        if awaiting is not None:
            statement = statement.where(row.awaiting == awaiting)
        if due_before is not None:
            statement = statement.where(row.due_at < due_before)
        with Session(self._engine) as session:
            cases = [found_case(found) for found in session.scalars(statement)]
        if standing is None:
            return cases
        return [found for found in cases if found.case.standing(found.clock(wall)) is standing]

    @again_after_conflict
    def timeline(self, case_number: str) -> list[dict[str, Any]]:
        """What happened, first to last (fixed JSON)."""
        statement = (
            select(tables.AuditRow).where(tables.AuditRow.case_number == case_number).order_by(tables.AuditRow.sequence)
        )
        with Session(self._engine) as session:
            return [
                {
                    "sequence": row.sequence,
                    "legal_at": shown(row.legal_at),
                    "observed_at": shown(row.observed_at),
                    "actor": row.actor,
                    "event": row.event,
                    "detail": row.detail,
                    "hash": row.hash,
                }
                for row in session.scalars(statement)
            ]

    @again_after_conflict
    def findings(self, case_number: str) -> list[dict[str, Any]]:
        """The findings of the newest screening, in the conditions' order; A1 and A3 as they stand by now."""
        newest = select(func.max(tables.FindingRow.sequence)).where(tables.FindingRow.case_number == case_number)
        statement = (
            select(tables.FindingRow)
            .where(
                tables.FindingRow.case_number == case_number,
                tables.FindingRow.sequence == newest.scalar_subquery(),
            )
            .order_by(tables.FindingRow.place)
        )
        credited = select(func.max(tables.LedgerLine.at)).where(
            tables.LedgerLine.credit_account == f"deposit:{case_number}"
        )
        with Session(self._engine) as session:
            findings = [row.finding for row in session.scalars(statement)]
            row, last_credit = session.get(tables.CaseRow, case_number), session.scalar(credited)
        if row is None:
            return findings
        case = Case.model_validate(row.facts)
        findings = [_with_verification(finding, case) for finding in findings]
        if last_credit is None:
            return findings
        as_of = shanghai_date(last_credit)
        return [_with_deposit(finding, case.deposit, as_of) for finding in findings]

    @again_after_conflict
    def same_representative(self, case: Case, wall: datetime) -> list[dict[str, Any]]:
        """The cases of other enterprises with the same legal representative (decision 30), newest revisions only."""
        revision, row = tables.ApplicationRow, tables.CaseRow
        newest = select(revision.case_number, func.max(revision.revision).label("number")).group_by(
            revision.case_number
        )
        last = newest.subquery()
        own = select(revision.legal_representative).where(
            revision.case_number == case.case_number, revision.revision == case.revision
        )
        statement = (
            select(row)
            .join(last, last.c.case_number == row.case_number)
            .join(revision, (revision.case_number == row.case_number) & (revision.revision == last.c.number))
            .where(revision.legal_representative == own.scalar_subquery(), row.credit_code != case.credit_code)
            .order_by(row.case_number)
        )
        with Session(self._engine) as session:
            return [summary(found_case(found), wall) for found in session.scalars(statement)]

    @again_after_conflict
    def is_applicant_of(self, workflow_id: str, name: str) -> bool:
        """Whether a case is the one of this applicant."""
        with Session(self._engine) as session:
            facts = session.scalar(select(tables.CaseRow.facts).where(tables.CaseRow.workflow_id == workflow_id))
            return facts is not None and same_name(facts["applicant"], name)

    @again_after_conflict
    def submission(self, case_number: str, revision: int) -> str | None:
        """The sha256 of a revision's submission."""
        with Session(self._engine) as session:
            row = session.get(tables.ApplicationRow, (case_number, revision))
            return row.submission if row else None

    @again_after_conflict
    def letters(self, case_number: str) -> list[dict[str, Any]]:
        """The letters written, first to last, with their delivery state."""
        statement = (
            select(tables.NoticeRow)
            .where(tables.NoticeRow.case_number == case_number)
            .order_by(tables.NoticeRow.sequence, tables.NoticeRow.place)
        )
        with Session(self._engine) as session:
            return [
                {
                    "kind": row.kind,
                    "recipient": row.recipient,
                    "subject": row.subject,
                    "body": row.body,
                    "state": row.state,
                    "at": shown(row.at),
                }
                for row in session.scalars(statement)
            ]

    @again_after_conflict
    def benefits(self, case: Case, now: datetime) -> list[dict[str, Any]]:
        """The benefits of the newest term; none outlives it, whether or not a worker has got to the expiry.

        While the base is suspended they are paused: `paused_since` beside their state (decision 21).
        """
        if case.term is None:
            return []
        statement = (
            select(tables.BenefitRow)
            .where(tables.BenefitRow.case_number == case.case_number, tables.BenefitRow.term == case.term.ordinal)
            .order_by(tables.BenefitRow.benefit)
        )
        paused = shown(case.suspended_since) if case.standing(now) is Standing.SUSPENDED else None
        with Session(self._engine) as session:
            return [
                {
                    "benefit": row.benefit,
                    "state": "granted" if row.withdrawn_at is None and _in_term(case, now) else "withdrawn",
                    "effective_from": shown(row.effective_from),
                    "paused_since": paused if row.withdrawn_at is None else None,
                }
                for row in session.scalars(statement)
            ]

    @again_after_conflict
    def deposit(self, case: Case) -> dict[str, Any]:
        """The deposit's sums and every ledger line (fixed JSON)."""
        payment = tables.PaymentRow
        payer = (
            select(payment.payer)
            .where(payment.reference == tables.LedgerLine.reference)
            .order_by(payment.edition.desc())
            .limit(1)
            .scalar_subquery()
        )
        statement = (
            select(tables.LedgerLine, payer)
            .where(tables.LedgerLine.case_number == case.case_number)
            .order_by(tables.LedgerLine.number)
        )
        with Session(self._engine) as session:
            entries = [
                {
                    "sequence": row.sequence,
                    "kind": _KINDS[_kept_on(row.debit_account), _kept_on(row.credit_account)],
                    "amount": {"fen": row.amount},
                    "reference": row.reference,
                    "payer": payer,
                    "at": shown(row.at),
                }
                for row, payer in session.execute(statement)
            ]
        return {**_sums(case), "entries": entries}

    def base_view(self, found: FoundCase, wall: datetime) -> dict[str, Any]:
        """Everything about a base, now: the fixed JSON of `show`, but for the run's id and link."""
        case, now = found.case, found.clock(wall)
        term = case.term_at(now)
        return {
            **summary(found, wall),
            "parties": _parties(case),
            "revision": case.revision,
            "policy_version": case.policy_version,
            "tasks": [
                {
                    "kind": task.kind,
                    "role": task.role.value,
                    "assignee": task.assignee,
                    "subject": task.subject,
                    "due_at": shown(task.due_at),
                    "provisional": task.provisional,
                }
                for task in case.tasks
            ],
            "term": _term(term),
            "next_term": _term(case.term) if case.term != term else None,
            "renewal": _renewal(case),
            "deposit": _sums(case),
            "publication": publication_view(case, now),
            "assessments": [
                {
                    "period": one.period,
                    "result": one.result,
                    "state": one.state,
                    "objection_until": shown(one.objection_until),
                    "confirmed_at": shown(one.confirmed_at),
                }
                for one in case.assessments
            ],
            "holds": [{"kind": hold.kind, "since": shown(hold.since), "reason": hold.reason} for hold in case.holds],
            "proposals": proposals_view(case),
            "conduct": [
                {
                    "id": conduct.id,
                    "rule": conduct.rule,
                    "severity": conduct.severity,
                    "state": conduct.state,
                    "outcome": conduct.outcome.value if conduct.outcome else None,
                }
                for conduct in case.conduct
            ],
            "benefits": self.benefits(case, now),
            "ending": None
            if case.ending is None
            else {
                "kind": case.ending.kind.value,
                "cause": case.ending.cause,
                "legal_at": shown(case.ending.legal_at),
                "observed_at": shown(case.ending.observed_at),
                "reason": case.ending.reason,
                "decision": case.ending.decision,
            },
            "appeal": None
            if case.appeal is None
            else {
                "decision": case.appeal.decision,
                "filed_at": shown(case.appeal.filed_at),
                "outcome": case.appeal.outcome,
                "decided_at": shown(case.appeal.decided_at),
            },
            "appeal_until": shown(case.appeal_until),
            "findings": self.findings(case.case_number),
            "workflow": {"id": case.workflow_id, "run_id": found.run_id, "url": None},
        }


def found_case(row: tables.CaseRow) -> FoundCase:
    """The case of a row."""
    return FoundCase(
        Case.model_validate(row.facts), row.ordinal, timedelta(milliseconds=row.clock_offset_ms), row.run_id
    )


def summary(found: FoundCase, wall: datetime) -> dict[str, Any]:
    """A case as one line of a list (fixed JSON)."""
    case = found.case
    return {
        "case_number": case.case_number,
        "credit_code": case.credit_code,
        "name": case.name,
        "stage": case.stage.value,
        "standing": case.standing(found.clock(wall)).value,
        "awaiting": case.awaiting.value,
        "due_at": shown(case.due_at),
        "valid_until": case.term.last_day.isoformat() if case.term else None,
    }


def publication_view(case: Case, now: datetime) -> dict[str, Any]:
    """Publication as the list has it at `now`. It fails closed: past the term's end nothing reads as published,
    whether or not a worker has got to the expiry (decision 20, R3)."""
    publication = case.publication
    if publication is None:
        return dict.fromkeys(("due_date", "provisional", "published_at", "register_revision", "breached"), None) | {
            "state": "none"
        }
    return {
        "state": publication.state if _in_term(case, now) else "withdrawn",
        "due_date": publication.due_date.isoformat(),
        "provisional": publication.provisional,
        "published_at": shown(publication.published_at),
        "register_revision": publication.register_revision,
        "breached": publication.breached,
    }


def proposals_view(case: Case) -> list[dict[str, Any]]:
    """What waits for a second person (decision 29)."""
    expiries = {planned.subject: planned.at for planned in case.plan if planned.event is Event.EXPIRE_PROPOSAL}
    return [
        {
            "id": proposal.id,
            "action": proposal.action,
            "parameters": with_masked_account(proposal.parameters),
            "content": proposal.content,
            "proposed_by": f"{proposal.role}:{proposal.proposed_by}",
            "proposed_at": shown(proposal.at),
            "expires_at": shown(expiries[proposal.id]),
        }
        for proposal in case.open_proposals
    ]


def shown(instant: datetime | None) -> str | None:
    """An instant as scripts read it: RFC 3339 with Shanghai's offset."""
    return None if instant is None else instant.astimezone(SHANGHAI).isoformat()


def _in_term(case: Case, now: datetime) -> bool:
    return case.standing(now) in (Standing.CERTIFIED, Standing.SUSPENDED)


def _term(term: Term | None) -> dict[str, Any] | None:
    if term is None:
        return None
    return {
        "number": term.ordinal,
        "certificate_number": term.certificate_number,
        "from": shown(term.from_),
        "until": shown(term.until),
        "last_day": term.last_day.isoformat(),
    }


def _renewal(case: Case) -> dict[str, Any] | None:
    """The renewal under way, None when there is none."""
    renewal = case.renewal
    if renewal is None:
        return None
    return {
        "from_last_day": renewal.from_last_day.isoformat(),
        "filed_at": shown(renewal.filed_at),
        "in_good_time": renewal.in_good_time,
        "awaits": renewal.awaits,
        "round": renewal.round,
    }


def _with_deposit(finding: dict[str, Any], deposit: Deposit, as_of: date) -> dict[str, Any]:
    """A3 was screened before the money came: paid in full it passes, as of the day that made it full."""
    if finding["condition"] != "A3" or deposit.missing:
        return finding
    message = f"The deposit of CNY {finding['threshold']} is paid in full."
    paid = {"outcome": Outcome.PASS.value, "value": finding["threshold"], "message": message}
    return {**finding, **paid, "as_of": as_of.isoformat()}


def _with_verification(finding: dict[str, Any], case: Case) -> dict[str, Any]:
    """A1, which passed by its documents, with what was heard of the verification since."""
    known = case.verification
    if finding["condition"] != "A1" or finding["outcome"] == Outcome.FAIL.value or known is None:
        return finding
    heard = judged_by_answer(known, case.payer_names)
    if heard is None or heard[1] in finding["message"] or shanghai_date(known.at).isoformat() < finding["as_of"]:
        return finding
    message = f"{finding['message'].partition('. ')[0].rstrip('.')}. {heard[1]}"
    return {**finding, "outcome": heard[0].value, "message": message, "as_of": shanghai_date(known.at).isoformat()}


def _parties(case: Case) -> dict[str, str | None]:
    """Whose base it is: the entity and, of an overseas one, the enterprise it entrusts (A1)."""
    return {"entity": case.payer_names[0] if case.payer_names else None, "entrusted_enterprise": case.entrusted}


_KINDS = {
    ("bank", "deposit"): "received",
    ("bank", "unmatched"): "unmatched",
    ("unplaced", "unmatched"): "unmatched",
    ("unmatched", "unplaced"): "moved_away",
    ("deposit", "bank"): "reversed",
    ("unmatched", "bank"): "reversed",
    ("deposit", "deducted"): "deducted",
    ("deposit", "refund_pending"): "refund_ordered",
    ("refund_pending", "bank"): "refunded",
    ("refund_pending", "deposit"): "refund_refused",
    ("bank", "refund_pending"): "refund_returned",
    ("unmatched", "deposit"): "assigned",
    ("unmatched", "return_pending"): "return_ordered",
    ("return_pending", "bank"): "returned",
    ("return_pending", "unmatched"): "return_refused",
}
"""(from, to) → what a ledger line is called."""


def _kept_on(account: str) -> str:
    """Which kind of account it is, whoever's."""
    return account.partition(":")[0]


def _sums(case: Case) -> dict[str, Any]:
    names: Sequence[str] = ("required", "received", "deducted", "refunded", "held", "unmatched")
    return {name: {"fen": getattr(case.deposit, name)} for name in names}
