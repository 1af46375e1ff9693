"""`--dry-run`: the pure rules on the case as stored. Nothing is sent, nothing is handed over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from starter.errors import refused
from starter.handed_in import read_submission
from starter.session import Session

if TYPE_CHECKING:
    from domain.assessment import News
    from domain.case import Case
    from domain.commands import Answer, Command
    from domain.complaints import ReceivedComplaint
    from domain.delivery import StoredLetter
    from domain.dependants import Dependants
    from domain.look_alike import LookAlike
    from domain.records import Payment, Reported
    from domain.refusals import Refusal
    from domain.setting import Setting
    from domain.submission import Submission
    from domain.unmatched import Elsewhere
    from store.queries import FoundCase


def foresee(
    session: Session,
    command: Command,
    found: FoundCase | None,
    content: bytes | None,
    opens_at: datetime | None = None,
) -> Answer:
    """The answer the command would get now. Raises CommandError as it would be refused.

    `found` is None for an application; `content` is the submission that would be handed over; `opens_at` as in
    `sending.send`. What has come about by now comes first (decision 7), as in the command's own transaction.
    """
    from domain.commands import Answer
    from domain.deciding import decide
    from domain.refusals import Refusal

    setting = _setting(session, found, opens_at)
    try:
        case = _caught_up(session, found.case, setting) if found else None
        case = decide(case, command, setting, _Reading(session, found, content, setting)).case
    except Refusal as refusal:
        raise refused(refusal) from None
    return Answer(
        request_id=command.request_id,
        accepted_at=setting.now,
        case_number=case.case_number,
        stage=case.stage,
        standing=case.standing(setting.now),
        revision=case.revision,
        awaiting=case.awaiting,
        due_at=case.due_at,
    )


def foresee_payments(session: Session, found: FoundCase, commands: Sequence[Any]) -> list[Payment | Refusal]:
    """What would become of payments that come to a case one after the other."""
    from domain.deciding import decide
    from domain.records import Payment
    from domain.refusals import Refusal

    setting = _setting(session, found, None)
    case, reading = _caught_up(session, found.case, setting), _Reading(session, found, None, setting)
    foreseen: list[Payment | Refusal] = []
    for command in commands:
        try:
            transition = decide(case, command, setting, reading)
        except Refusal as refusal:
            foreseen.append(refusal)
            continue
        case = transition.case
        foreseen += [record for record in transition.records if isinstance(record, Payment)]
    return foreseen


def _caught_up(session: Session, case: Case, setting: Setting) -> Case:
    """The case with all that has come about by now."""
    from domain import catching_up

    while (overdue := catching_up.first(case, _news(session, case), setting)) is not None:
        case = overdue.case
    return case


def _setting(session: Session, found: FoundCase | None, opens_at: datetime | None) -> Setting:
    from domain.setting import Setting
    from domain.shanghai import shanghai_date
    from store.reference import policy_book

    book, calendar = policy_book(), session.notices.calendar()
    now = found.clock(session.wall) if found else opens_at or session.wall
    in_force = book.in_force(shanghai_date(now))
    return Setting(now, book.pinned(found.case.policy_version) if found else in_force, calendar, in_force)


def _news(session: Session, case: Case) -> list[News]:
    import sqlalchemy.orm

    from store.assessments import unheard_news

    with sqlalchemy.orm.Session(session.engine) as reading:
        return unheard_news(reading, case) if case.terms else []


class _Reading:
    """What is on record beside the case, read and never written (`domain.deciding.OnRecord`).

    A submission or a document that would be handed over is taken as there.
    """

    def __init__(self, session: Session, found: FoundCase | None, content: bytes | None, setting: Setting) -> None:
        self._session = session
        self._found = found
        self._content = content
        self._setting = setting

    def live_case(self, credit_code: str) -> Case | None:
        return next((case for case in self.other_cases(credit_code) if case.ending is None), None)

    def other_cases(self, credit_code: str) -> list[Case]:
        import sqlalchemy.orm

        from store.cases import cases_of

        own = self._found.case.workflow_id if self._found else None
        with sqlalchemy.orm.Session(self._session.engine) as reading:
            return cases_of(reading, credit_code, besides=own)

    def handed_over(self, submission: str) -> Submission:
        from domain.submission import Submission

        return Submission.from_bytes(self._content or b"", today=self._setting.today)

    def revision(self, number: int) -> Submission:
        assert self._found is not None
        return read_submission(self._session, self._found.case, number, self._setting.today)

    def letters(self) -> list[StoredLetter]:
        import sqlalchemy.orm

        from store.letters import letters_of

        assert self._found is not None
        with sqlalchemy.orm.Session(self._session.engine) as reading:
            return letters_of(reading, self._found.case.case_number)

    def dependants(self) -> Dependants:
        import sqlalchemy.orm

        from store.conduct import dependants_of

        assert self._found is not None
        with sqlalchemy.orm.Session(self._session.engine) as reading:
            return dependants_of(reading, self._found.case)

    def called_alike(self, names: frozenset[str], credit_code: str, now: datetime, since: datetime) -> list[LookAlike]:
        import sqlalchemy.orm

        from store.cases import called_alike

        with sqlalchemy.orm.Session(self._session.engine) as reading:
            return called_alike(reading, names, credit_code, now, since)

    def complaint(self, reference: str) -> ReceivedComplaint | None:
        import sqlalchemy.orm

        from store.complaints import received

        with sqlalchemy.orm.Session(self._session.engine) as reading:
            return received(reading, reference)

    def payment(self, reference: str) -> Reported | None:
        from store.payments import PaymentStore

        return PaymentStore(self._session.engine).known([reference]).get(reference)

    def elsewhere(self, reference: str) -> Elsewhere | None:
        from domain.unmatched import Elsewhere
        from store.payments import PaymentStore, where_it_waits

        known, number = where_it_waits(self._session.engine, reference)
        if known is None or known.taken_back:
            return None
        if number is None:
            unplaced = PaymentStore(self._session.engine).unplaced(reference)
            if unplaced is None or not unplaced.left:
                return None
            return Elsewhere(known.payment, left=unplaced.left, orders=unplaced.orders)
        found = self._session.found(number)
        return Elsewhere(known.payment, found.case, _setting(self._session, found, None))

    def draw_number(self, series: str, year: int) -> str:
        return f"{series}-{year}-…"

    def paper(self, sha256: str) -> bytes:
        return self._content or b""

    def require_documents(self, hashes: tuple[str, ...]) -> None:
        """They would be handed over first."""
