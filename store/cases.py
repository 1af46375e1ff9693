"""One case, one transaction: locking it, reading what a rule needs, writing what it decided."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, event, func, not_, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from domain import ledger
from domain.assessment import News
from domain.case import Case
from domain.commands import Answer, AssignPayment, Command, payment_workflow_id
from domain.complaints import ReceivedComplaint
from domain.delivery import StoredLetter
from domain.dependants import Dependants
from domain.ledger import OF_EVERYBODY, Account, Transfer
from domain.look_alike import LookAlike
from domain.names import person, searched
from domain.records import (
    ApplicationRevision,
    Approval,
    Authorisation,
    BenefitEffective,
    BenefitsGranted,
    BenefitsRestored,
    BenefitsWithdrawn,
    ComplaintDecided,
    ConductReport,
    Decision,
    Evidence,
    KnownBy,
    Letter,
    LettersResent,
    ListRevision,
    Note,
    Payment,
    PaymentMoved,
    PaymentReversed,
    Reported,
    ScreeningResult,
    TermBegun,
    Transition,
)
from domain.refusals import RefusalDetail
from domain.returning import Unplaced
from domain.skeleton import skeleton
from domain.working_days import Calendar
from store import actors, answers, tables
from store.assessments import unheard_news
from store.audit import entry_hash, genesis, signed
from store.calendar import calendar_in
from store.complaints import public_half, received
from store.conduct import dependants_of
from store.conflicts import again_after_conflict
from store.letters import letters_of, send_again
from store.payments import payment_in, unplaced_of, waits_on
from store.search import remember_names
from store.told import TOLD, told


class LiveCaseExists(Exception):
    """The enterprise has another case without an ending (decision 8)."""


class CaseStore:
    """Transactions on cases. Instants come from the caller; nothing here reads a clock."""

    def __init__(
        self,
        engine: Engine,
        pseudonym: Callable[[str], str],
        letterbox: Callable[[str], bytes | None] = lambda workflow_id: None,
    ) -> None:
        """`pseudonym` is what stands for a person's name on record (`DocumentStore.pseudonym`); `letterbox` gives the
        private half of what complaints about a case's base are sealed to (`Documents.letterbox`), None for none.
        """
        self._engine = engine
        self._pseudonym = pseudonym
        self._letterbox = letterbox

    @contextmanager
    def transaction(self, workflow_id: str, run_id: str | None = None) -> Iterator[CaseTransaction]:
        """One database transaction with the case's row locked; committed on leaving, rolled back on any error.

        `run_id` is the workflow run that writes, kept to find its page in Temporal Web, never as a key.
        """
        try:
            with Session(self._engine, expire_on_commit=False) as session, session.begin():
                yield CaseTransaction(session, workflow_id, self._pseudonym, self._letterbox, run_id)
        except IntegrityError as error:
            # Two attempts of one application break it too; the loser is tried again and finds the answer.
            if _breaks_live_case(str(error.orig)) and not self._is_open(workflow_id):
                raise LiveCaseExists("This enterprise has a live case.") from None
            raise

    @again_after_conflict
    def case(self, workflow_id: str) -> Case | None:
        """The case as it stands when whoever has its row locked is done; None before it is opened."""
        with self.transaction(workflow_id) as tx:
            return tx.case

    @again_after_conflict
    def clock_offset(self, workflow_id: str) -> timedelta:
        """How far the case's clock is ahead: nothing but on a local server (decision 6)."""
        with Session(self._engine) as session:
            rows = select(tables.CaseRow.clock_offset_ms).where(tables.CaseRow.workflow_id == workflow_id)
            return timedelta(milliseconds=session.scalar(rows) or 0)

    @again_after_conflict
    def record_clock(self, workflow_id: str, offset: timedelta) -> None:
        """Keep how far the case's clock is ahead; the database allows it on a local server only (decision 6)."""
        with Session(self._engine) as session, session.begin():
            session.execute(
                update(tables.CaseRow)
                .where(tables.CaseRow.workflow_id == workflow_id)
                .values(clock_offset_ms=int(offset / timedelta(milliseconds=1)))
            )

    @again_after_conflict
    def _is_open(self, workflow_id: str) -> bool:
        with Session(self._engine) as session:
            rows = select(tables.CaseRow.case_number).where(tables.CaseRow.workflow_id == workflow_id)
            return session.scalar(rows) is not None


class CaseTransaction:
    """What one transaction sees and does."""

    def __init__(
        self,
        session: Session,
        workflow_id: str,
        pseudonym: Callable[[str], str],
        letterbox: Callable[[str], bytes | None],
        run_id: str | None = None,
    ) -> None:
        self._session = session
        self._pseudonym = pseudonym
        self._letterbox = letterbox
        self._workflow_id = workflow_id
        self._run_id = run_id
        self._added: list[tables.Table] = []
        event.listen(session, "pending_to_persistent", lambda _, row: self._added.append(row))
        self._row = session.scalar(
            select(tables.CaseRow).where(tables.CaseRow.workflow_id == workflow_id).with_for_update()
        )

    @property
    def case(self) -> Case | None:
        """The case as stored, None before it is opened."""
        return Case.model_validate(self._row.facts) if self._row else None

    def live_case(self, credit_code: str) -> Case | None:
        """The enterprise's case without an ending, other than this one."""
        return next((case for case in self.other_cases(credit_code) if case.ending is None), None)

    def other_cases(self, credit_code: str) -> list[Case]:
        """The enterprise's cases other than this one, first to last."""
        return cases_of(self._session, credit_code, besides=self._workflow_id)

    def answered(self, request_id: str) -> tuple[str, Answer | None] | None:
        """As `store.answers.answered`."""
        return answers.answered(self._session, request_id)

    def calendar(self) -> Calendar:
        """The calendar to decide with, imported notices included."""
        return calendar_in(self._session)

    @property
    def clock_offset(self) -> timedelta:
        """How far the case's clock is ahead (decision 6)."""
        return timedelta(milliseconds=self._row.clock_offset_ms if self._row else 0)

    def payment(self, reference: str) -> Reported | None:
        """What is on record under a bank reference, whichever case it was for."""
        return payment_in(self._session, reference)

    def unplaced(self, known: Reported) -> Unplaced:
        """A payment that is no case's, with what has happened to its return."""
        return unplaced_of(self._session, known)

    def waits_on(self, known: Reported) -> str | None:
        """As `store.payments.waits_on`."""
        return waits_on(self._session, known)

    def beside(self, case_number: str) -> CaseTransaction:
        """Another case in the same transaction, its row locked too. Who locks two the other way round is undone."""
        row = tables.CaseRow
        workflow_id = self._session.scalar(select(row.workflow_id).where(row.case_number == case_number))
        if workflow_id is None:
            raise LookupError(f"there is no case {case_number}")
        return CaseTransaction(self._session, workflow_id, self._pseudonym, self._letterbox)

    def submission(self, revision: int) -> str:
        """The sha256 of a revision's submission. LookupError when there is no such revision."""
        assert self._row is not None
        row = self._session.get(tables.ApplicationRow, (self._row.case_number, revision))
        if row is None:
            raise LookupError(f"case {self._row.case_number} has no revision {revision}")
        return row.submission

    def letters(self) -> list[StoredLetter]:
        """The case's letters, first to last; nobody claims one while the transaction is open."""
        assert self._row is not None
        return letters_of(self._session, self._row.case_number, locked=True)

    def dependants(self) -> Dependants:
        """Who and what depends on the base."""
        case = self.case
        assert case is not None
        return dependants_of(self._session, case)

    def news(self, case: Case) -> list[News]:
        """What of its assessments the case has still to hear of, in the order it came."""
        return unheard_news(self._session, case) if case.terms else []

    def list_revision(self) -> int:
        """The highest revision of the base's entry on the official list, 0 when it has none."""
        assert self._row is not None
        rows = select(func.max(tables.ListRow.revision)).where(tables.ListRow.case_number == self._row.case_number)
        return self._session.scalar(rows) or 0

    def _letterbox_of(self, case_number: str) -> str | None:
        """What complaints about the base are sealed to: asked for once, of its first entry. What takes a right away
        later hangs on the record alone."""
        row = tables.ListRow
        newest = select(row.letterbox).where(row.case_number == case_number).order_by(row.revision.desc()).limit(1)
        if (before := self._session.execute(newest).one_or_none()) is not None:
            box: str | None = before.letterbox
            return box
        private = self._letterbox(self._workflow_id)
        return None if private is None else public_half(private)

    def called_alike(self, names: frozenset[str], credit_code: str, now: datetime, since: datetime) -> list[LookAlike]:
        """As `called_alike`, in this transaction."""
        return called_alike(self._session, names, credit_code, now, since)

    def complaint(self, reference: str) -> ReceivedComplaint | None:
        """As `store.complaints.received`."""
        return received(self._session, reference)

    def next_number(self, prefix: str, year: int) -> str:
        """The next number of a series, such as LB-2026-000001; given back when the transaction fails."""
        name = f"{prefix}-{year}"
        insert = postgresql.insert if self._session.get_bind().dialect.name == "postgresql" else sqlite.insert
        drawn = (
            insert(tables.Counter)
            .values(name=name, value=1)
            .on_conflict_do_update(index_elements=["name"], set_={"value": tables.Counter.value + 1})
            .returning(tables.Counter.value)
        )
        return f"{name}-{self._session.execute(drawn).scalar_one():06d}"

    def beside_of(self, command: Command) -> tuple[str, ...]:
        """The workflows beside the case's own whose record a command changed that has been done before."""
        if not isinstance(command, AssignPayment) or self._row is None:
            return ()
        moves, row = tables.PaymentMoveRow, tables.CaseRow
        here = (moves.case_number == self._row.case_number, moves.reference == command.reference)
        others = select(row.workflow_id).join(moves, moves.from_case == row.case_number).where(*here)
        return (payment_workflow_id(command.reference), *self._session.scalars(others))

    def authorise(self, command: Command, now: datetime) -> None:
        """Refuse (4) a command that is not by whom it says (`store.actors.authorise`)."""
        actors.authorise(self._session, command, now)

    def require_still(self, name: str, role: str) -> None:
        """As `store.actors.require_still`."""
        actors.require_still(self._session, name, role)

    def refused(self, command: Command, refusal: RefusalDetail, now: datetime) -> None:
        """Keep that a command was refused."""
        actors.record_refusal(self._session, command, refusal, now)

    def write(self, transition: Transition, command: Command | None = None) -> None:
        """Write the case after a transition, its audit entry and all its records; `command` is what made it."""
        before, case = self.case, transition.case
        self._write_case(case)
        self._added.clear()
        for record in transition.records:
            self._write_record(transition, record)
        self._session.flush()
        self._require_balance(case)
        self._write_audit(transition, before, signed(command) if command else {})

    def remember(self, command: Command, answer: Answer, at: datetime) -> None:
        """Keep the answer of a done command for good."""
        answers.remember(self._session, command, answer.case_number, answer, at)

    def _write_case(self, case: Case) -> None:
        if self._row is None:
            installation = self._session.scalars(select(tables.Installation)).one()
            self._row = tables.CaseRow(
                case_number=case.case_number,
                workflow_id=case.workflow_id,
                credit_code=case.credit_code,
                ordinal=int(case.workflow_id.rsplit(":", 1)[1]),
                installation=installation.id,
                local_server=installation.local_server,
                sequence=0,
            )
            self._session.add(self._row)
        if case.sequence != self._row.sequence + 1:
            raise ValueError(f"case {case.case_number} is at {self._row.sequence}, not before {case.sequence}")
        self._row.run_id = self._run_id or self._row.run_id
        self._row.name = case.name
        self._row.skeleton = skeleton(case.name)
        self._row.stage = case.stage.value
        self._row.awaiting = case.awaiting.value
        self._row.due_at = case.due_at
        self._row.valid_until = case.term.until if case.term else None
        self._row.ended = case.ending is not None
        self._row.documents_erased = case.documents_erased is not None
        self._row.sequence = case.sequence
        self._row.facts = case.model_dump(mode="json")
        self._session.flush()

    def _write_audit(self, transition: Transition, before: Case | None, by: dict[str, str | None]) -> None:
        assert self._row is not None
        case = transition.case
        last = self._session.get(tables.AuditRow, (case.case_number, case.sequence - 1))
        previous = last.hash if last else genesis(case.case_number)
        entry: dict[str, Any] = {
            "case_number": case.case_number,
            "sequence": case.sequence,
            "legal_at": transition.legal_at,
            "observed_at": transition.observed_at,
            "actor": transition.actor,
            "event": transition.event,
            "detail": transition.detail | by | {TOLD: told(before, case, self._row.facts, self._added)},
        }
        self._session.add(tables.AuditRow(**entry, previous_hash=previous, hash=entry_hash(previous, **entry)))

    def _write_record(self, transition: Transition, record: object) -> None:
        case, at = transition.case, transition.observed_at
        key = {"case_number": case.case_number}
        match record:
            case ApplicationRevision():
                unnamed = replace(record, legal_representative=self._pseudonym(record.legal_representative))
                self._add(tables.ApplicationRow, unnamed, at, **key)
            case KnownBy(names):
                remember_names(self._session, case.case_number, names)
            case ScreeningResult():
                for number, finding in enumerate(record.findings):
                    self._session.add(
                        tables.FindingRow(
                            **key,
                            sequence=case.sequence,
                            place=number,
                            revision=record.revision,
                            as_of=record.as_of,
                            policy_version=record.policy_version,
                            finding=finding.model_dump(mode="json"),
                        )
                    )
            case Decision():
                self._add(tables.DecisionRow, record, at, **key, sequence=case.sequence)
            case Payment():
                self._add(tables.PaymentRow, record, at, **key)
            case PaymentMoved():
                self._add(tables.PaymentMoveRow, record, at, **key, sequence=case.sequence)
            case PaymentReversed():
                self._add(tables.PaymentReversalRow, record, at, **key, sequence=case.sequence)
            case Transfer():
                self._book(transition, record)
            case Approval():
                proposer, approver = person(record.proposed_by), person(record.approved_by)
                self._add(tables.ApprovalRow, record, at, **key, proposer=proposer, approver=approver)
            case TermBegun(term):
                self._session.add(
                    tables.TermRow(
                        **key,
                        ordinal=term.ordinal,
                        certificate_number=term.certificate_number,
                        valid_from=term.from_,
                        valid_until=term.until,
                        anchor=term.anchor,
                        policy_version=term.policy_version,
                    )
                )
            case ListRevision():
                searched_by = "\n".join(map(searched, (record.name, record.holder, record.place)))
                self._add(
                    tables.ListRow,
                    record,
                    at,
                    **key,
                    searched=searched_by,
                    skeleton=skeleton(record.name),
                    letterbox=self._letterbox_of(case.case_number),
                )
            case BenefitsGranted():
                for benefit, effective in record.effective_from.items():
                    self._session.add(
                        tables.BenefitRow(**key, term=record.term, benefit=benefit, effective_from=effective)
                    )
            case BenefitEffective():
                row = self._session.get_one(tables.BenefitRow, (case.case_number, record.term, record.benefit))
                row.effective_from = record.effective_from
            case BenefitsWithdrawn():
                self._session.execute(
                    update(tables.BenefitRow)
                    .where(tables.BenefitRow.case_number == case.case_number, tables.BenefitRow.term == record.term)
                    .values(withdrawn_at=transition.legal_at)
                )
            case BenefitsRestored(ordinal):
                self._session.execute(
                    update(tables.BenefitRow)
                    .where(tables.BenefitRow.case_number == case.case_number, tables.BenefitRow.term == ordinal)
                    .values(withdrawn_at=None)
                )
            case Evidence():
                for sha256 in dict.fromkeys(record.documents):
                    self._session.add(
                        tables.EvidenceRow(**key, sequence=case.sequence, sha256=sha256, purpose=record.purpose, at=at)
                    )
            case Letter():
                letters = [other for other in transition.records if isinstance(other, Letter)]
                place = letters.index(record) + 1
                self._add(tables.NoticeRow, record, at, **key, sequence=case.sequence, place=place)
            case Note():
                self._add(tables.NoteRow, record, at, **key, sequence=case.sequence)
            case ConductReport():
                self._session.add(
                    tables.ConductReportRow(
                        **key,
                        conduct=record.conduct,
                        sequence=case.sequence,
                        facts=record.facts,
                        affected_accounts=list(record.affected_accounts),
                        losses=[loss.model_dump(mode="json") for loss in record.losses],
                        by=record.by,
                        at=at,
                    )
                )
            case ComplaintDecided():
                self._add(tables.ComplaintDecisionRow, record, at, **key, sequence=case.sequence)
            case Authorisation():
                self._add(tables.AuthorisationRow, record, at, **key, sequence=case.sequence)
            case LettersResent(places):
                send_again(self._session, case.case_number, places)
            case _:
                raise TypeError(f"no table for {type(record).__name__}")

    def _add(self, table: type[tables.Table], record: Any, at: datetime, **key: Any) -> None:
        self._session.add(table(**key, **vars(record), at=at))

    def _book(self, transition: Transition, transfer: Transfer) -> None:
        number = transition.case.case_number
        self._session.add(
            tables.LedgerLine(
                transfer_key=transfer.key,
                case_number=number,
                sequence=transition.case.sequence,
                debit_account=_account(transfer.debit, number),
                credit_account=_account(transfer.credit, number),
                amount=transfer.amount,
                reference=transfer.reference,
                approval=transfer.approval,
                at=transition.observed_at,
            )
        )

    def _require_balance(self, case: Case) -> None:
        """The case's sums are the ledger's, and no account is below zero, in the transaction that could part them."""
        line = tables.LedgerLine
        moved = self._session.execute(
            select(line.debit_account, line.credit_account, func.sum(line.amount))
            .where(line.case_number == case.case_number)
            .group_by(line.debit_account, line.credit_account)
        )
        booked = ledger.sums({(_of(debit), _of(credit)): int(amount) for debit, credit, amount in moved})
        said = {name: getattr(case.deposit, name) for name in booked}
        if booked != said:
            raise ValueError(f"the ledger of {case.case_number} comes to {booked}, the case says {said}")


def _account(account: Account, case_number: str) -> str:
    """An account's name in the ledger: everybody's, or a case's own."""
    return account.value if account in OF_EVERYBODY else f"{account.value}:{case_number}"


def _of(name: str) -> Account:
    return Account(name.partition(":")[0])


def cases_of(session: Session, credit_code: str, *, besides: str | None) -> list[Case]:
    """An enterprise's cases, first to last, but for one workflow's."""
    row = tables.CaseRow
    rows = select(row.facts).where(row.credit_code == credit_code, row.workflow_id != (besides or ""))
    return [Case.model_validate(facts) for facts in session.scalars(rows.order_by(row.ordinal))]


def called_alike(
    session: Session, names: frozenset[str], credit_code: str, now: datetime, since: datetime
) -> list[LookAlike]:
    """Other enterprises' cases whose base is called so: not ended, or with a term that ran after `since`.

    What a base on the list was called before counts too. Public is a certificate whose entry is in effect `now`.
    """
    row, listed = tables.CaseRow, tables.ListRow
    before = select(listed.case_number).where(listed.skeleton.in_(names))
    cases = (
        select(row.case_number)
        .where(or_(row.skeleton.in_(names), row.case_number.in_(before)))
        .where(row.credit_code != credit_code, or_(not_(row.ended), row.valid_until > since))
        .order_by(row.case_number)
    )
    numbers = list(session.scalars(cases))
    public = select(listed.case_number, func.max(listed.certificate_number)).where(
        listed.case_number.in_(numbers), listed.effective_from <= now
    )
    certificates = {number: certificate for number, certificate in session.execute(public.group_by(listed.case_number))}
    return [LookAlike(number, certificates.get(number)) for number in numbers]


def _breaks_live_case(message: str) -> bool:
    """Whether a database's integrity error is about `uq_cases_live`; SQLite names the column alone."""
    return "uq_cases_live" in message or message.endswith("UNIQUE constraint failed: cases.credit_code")
