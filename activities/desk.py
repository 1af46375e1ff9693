"""The case desk: every transition of a case as one database transaction, once per key.

A command's key is its request id; a planned event's is its place in the case's plan. A retry finds what the
first attempt left and returns it, so two attempts, even at the same moment, make one effect.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from temporalio import activity

from domain import catching_up
from domain.application import InvalidApplication
from domain.case import Case
from domain.commands import Answer, ApproveProposal, Command, Outcome, payment_workflow_id
from domain.deciding import decide
from domain.planning import Planned
from domain.policy import PolicyBook
from domain.records import PaymentMoved, Reported, Transition
from domain.refusals import Refusal, RefusalKind, request_id_reused
from domain.setting import Setting
from domain.shanghai import shanghai_date
from domain.submission import Submission
from domain.unmatched import Elsewhere, is_here
from domain.written import require_handed_over
from store.cases import CaseStore, CaseTransaction, LiveCaseExists
from store.conflicts import again_after_conflict
from store.documents import DocumentDamaged, DocumentMissing, Documents, DocumentsErased, DocumentStore, KeyUnknown

_SEND_AGAIN = "Send it again: documents are handed over first. Worker and command line must share LIVEBASE_DOCUMENTS."

Follow = Callable[[Case, Planned, Setting], Transition]
Beside = Callable[[CaseTransaction, str, datetime], tuple[CaseTransaction, Case, Setting]]
Step = Callable[[Case, Setting], Transition | None]


class CaseDesk:
    """Runs a pure rule on the stored case and writes what it decided, in one transaction.

    `now` always comes from the workflow: the case's clock, an aware UTC instant. `verifies`: there is somebody to ask
    whether an enterprise is verified.
    """

    def __init__(
        self, cases: CaseStore, documents: DocumentStore, policies: PolicyBook, *, verifies: bool = False
    ) -> None:
        self._cases = cases
        self._documents = documents
        self._policies = policies
        self._verifies = verifies

    @again_after_conflict
    def decide(self, command: Command, now: datetime) -> Outcome:
        """Carry out a command: the first answer for a repeat, a refusal as data.

        What was due by then comes first, in the same transaction (decision 7), and stays when the command is refused.
        """
        try:
            with self._cases.transaction(command.workflow_id, _own_run(command.workflow_id)) as tx:
                if (answered := tx.answered(command.request_id)) is not None:
                    return _repeat(command, answered, tx.case, tx.beside_of(command))
                tx.authorise(command, now)
                case, setting = self._caught_up(tx, now)
                if isinstance(command, ApproveProposal) and case and (proposal := case.proposal(command.proposal)):
                    tx.require_still(proposal.proposed_by, proposal.role.value)
                require_handed_over(command)
                files = _Files(tx, self._documents.of(command.workflow_id), now, self._beside)
                transition = decide(case, command, setting, files)
                tx.write(transition, command)
                if transition.beside is not None:
                    files.opened[transition.beside.case.case_number].write(transition.beside, command)
                answer = _answer(command, transition, now)
                tx.remember(command, answer, now)
                self._erase(case, transition.case, now)
                return Outcome(answer=answer, case=transition.case, beside=_touched(transition))
        except KeyUnknown as unknown:
            message = f"What was handed over can't be read: {unknown}."
            refusal = Refusal(RefusalKind.INVALID_FILE, message, "LIVEBASE_DOCUMENT_KEYS must be the workers' file.")
        except LiveCaseExists as exists:
            refusal = Refusal(RefusalKind.CASE_EXISTS, str(exists), "One case per enterprise (decision 8).")
        except Refusal as refused:
            refusal = refused
        with self._cases.transaction(command.workflow_id, _own_run(command.workflow_id)) as tx:
            tx.refused(command, refusal.detail, now)
            return Outcome(refusal=refusal.detail, case=self._caught_up(tx, now)[0])

    def _erase(self, before: Case | None, after: Case, now: datetime) -> None:
        """Destroy the documents' key, last of all before the commit: what was not erased is never on record as erased.

        A commit that fails is tried again, and erasing twice is erasing once; two people's wish is on record already.
        """
        if after.documents_erased is not None and (before is None or before.documents_erased is None):
            self._documents.of(after.workflow_id).erase(now)

    def follow(self, workflow_id: str, planned: Planned, now: datetime, rule: Follow) -> Case:
        """Carry out a planned event, once: when it is no longer in the plan, it has been, or has become moot.

        Never before its instant, whoever asks.
        """

        def carry_out(case: Case, setting: Setting) -> Transition | None:
            return rule(case, planned, setting) if planned in case.plan and planned.at <= setting.now else None

        return self.step(workflow_id, now, carry_out)

    @again_after_conflict
    def step(self, workflow_id: str, now: datetime, rule: Step) -> Case:
        """What a case does of itself: the case after it, or as it is when the rule finds nothing to do any more."""
        with self._cases.transaction(workflow_id, _own_run(workflow_id)) as tx:
            case, setting = self._caught_up(tx, now)
            if case is None:
                raise LookupError(f"{workflow_id} has no case in the store")
            transition = rule(case, setting)
            if transition is None:
                return case
            tx.write(transition)
            return transition.case

    def hear(self, workflow_id: str, now: datetime) -> Case:
        """The case once it has heard of what its assessments have brought, and of all else that is due."""
        return self.step(workflow_id, now, lambda case, setting: None)

    @again_after_conflict
    def hear_beside(self, workflow_id: str, now: datetime, unseen: Callable[[Case, Case], bool]) -> Case | None:
        """As `hear`, when the case's own run may sleep on meanwhile; else None, and nothing is written."""
        try:
            with self._cases.transaction(workflow_id, _own_run(workflow_id)) as tx:
                before, (after, _) = tx.case, self._caught_up(tx, now)
                if before is None or after is None or not unseen(before, after):
                    raise _Seen
            return after
        except _Seen:
            return None

    def _caught_up(self, tx: CaseTransaction, now: datetime) -> tuple[Case | None, Setting]:
        """The case with all that has come about by now, however late its workflow or another one gets to it."""
        case = tx.case
        setting = self._setting(tx, case, now)
        while case is not None and (transition := catching_up.first(case, tx.news(case), setting)) is not None:
            tx.write(transition)
            case = transition.case
            setting = self._setting(tx, case, now)
        return case, setting

    def _beside(self, tx: CaseTransaction, case_number: str, now: datetime) -> tuple[CaseTransaction, Case, Setting]:
        """Another case in the same transaction, caught up by its own clock."""
        other = tx.beside(case_number)
        case, setting = self._caught_up(other, now - tx.clock_offset + other.clock_offset)
        assert case is not None
        return other, case, setting

    def _setting(self, tx: CaseTransaction, case: Case | None, now: datetime) -> Setting:
        in_force = self._policies.in_force(shanghai_date(now))
        if case is None:
            return Setting(now, in_force, tx.calendar(), in_force, verifies=self._verifies)
        pinned = self._policies.pinned(case.policy_version)
        return Setting(now, pinned, tx.calendar(), in_force, tx.list_revision() + 1, self._verifies)


class _Seen(Exception):
    """The case's own run has to know: what was written is taken back."""


class _Files:
    """What is on record beside the case, read within its transaction (`domain.deciding.OnRecord`)."""

    def __init__(self, tx: CaseTransaction, documents: Documents, now: datetime, beside: Beside) -> None:
        self._documents = documents
        self._now = now
        self._tx = tx
        self._beside = beside
        self.opened: dict[str, CaseTransaction] = {}
        self.live_case = tx.live_case
        self.other_cases = tx.other_cases
        self.letters = tx.letters
        self.dependants = tx.dependants
        self.called_alike = tx.called_alike
        self.complaint = tx.complaint
        self.draw_number = tx.next_number

    def handed_over(self, submission: str) -> Submission:
        """Every document it names must have arrived too."""
        try:
            found = Submission.from_bytes(self._documents.get(submission), today=shanghai_date(self._now))
        except (DocumentMissing, DocumentDamaged, DocumentsErased) as error:
            raise Refusal(RefusalKind.INVALID_FILE, f"The submission can't be read: {error}.", _SEND_AGAIN) from error
        except InvalidApplication as error:
            message = "The submission is not a valid application."
            raise Refusal(RefusalKind.INVALID_FILE, message, _SEND_AGAIN, error.problems) from error
        missing = [document.path for document in found.documents if not self._documents.has(document.sha256)]
        if missing:
            raise Refusal(
                RefusalKind.INVALID_FILE,
                f"{len(missing)} documents of the submission have not arrived in the document store.",
                _SEND_AGAIN,
            )
        return found

    def revision(self, number: int) -> Submission:
        return self.handed_over(self._tx.submission(number))

    def payment(self, reference: str) -> Reported | None:
        return self._tx.payment(reference)

    def elsewhere(self, reference: str) -> Elsewhere | None:
        known = self._tx.payment(reference)
        if known is None or known.taken_back:
            return None
        if known.case_number is None:
            unplaced = self._tx.unplaced(known)
            return Elsewhere(known.payment, left=unplaced.left, orders=unplaced.orders) if unplaced.left else None
        number = self._tx.waits_on(known)
        if number is None:
            return None
        self.opened[number], case, setting = self._beside(self._tx, number, self._now)
        return Elsewhere(known.payment, case, setting) if is_here(case, reference) else None

    def paper(self, sha256: str) -> bytes:
        try:
            return self._documents.get(sha256)
        except (DocumentMissing, DocumentDamaged, DocumentsErased) as error:
            raise Refusal(RefusalKind.INVALID_FILE, f"The paper can't be read: {error}.", _SEND_AGAIN) from error

    def require_documents(self, hashes: tuple[str, ...]) -> None:
        if not all(self._documents.has(sha256) for sha256 in hashes):
            raise Refusal(RefusalKind.INVALID_FILE, "A document named has not arrived.", "Send the command again.")


def _touched(transition: Transition) -> tuple[str, ...]:
    """The ids of the workflows, beside the command's own, whose record a transition has changed."""
    moved = [record for record in transition.records if isinstance(record, PaymentMoved)]
    unplaced = tuple(payment_workflow_id(record.reference) for record in moved if record.from_case is None)
    return (*unplaced, *((transition.beside.case.workflow_id,) if transition.beside else ()))


def _own_run(workflow_id: str) -> str | None:
    """The run that writes, where it is the case's own: a conduct case's is not to be found under the case's id."""
    if not activity.in_activity() or (info := activity.info()).workflow_id != workflow_id:
        return None
    return info.workflow_run_id


def _repeat(
    command: Command, answered: tuple[str, Answer | None], case: Case | None, beside: tuple[str, ...]
) -> Outcome:
    params_hash, answer = answered
    if params_hash == command.params_hash() and answer is not None:
        return Outcome(answer=answer.model_copy(update={"repeated": True}), case=case, beside=beside)
    return Outcome(refusal=request_id_reused(command.request_id).detail, case=case)


def _answer(command: Command, transition: Transition, now: datetime) -> Answer:
    case = transition.case
    return Answer(
        request_id=command.request_id,
        accepted_at=now,
        repeated=transition.repeated,
        case_number=case.case_number,
        stage=case.stage,
        standing=case.standing(now),
        revision=case.revision,
        awaiting=case.awaiting,
        due_at=case.due_at,
        conduct=getattr(command, "conduct", None),
    )
