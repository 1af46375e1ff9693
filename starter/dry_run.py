"""`--dry-run`: the pure rules on the case as stored. Nothing is sent, nothing is handed over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from starter.errors import refused
from starter.handed_in import read_submission
from starter.session import Session

if TYPE_CHECKING:
    from domain.case import Case
    from domain.commands import Answer, Command
    from domain.delivery import StoredLetter
    from domain.records import Payment, Transition
    from domain.setting import Setting
    from domain.submission import Submission
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
    `sending.send`. What falls due
    by now comes first (decision 7), as in the case's own run.
    """
    from domain import agenda
    from domain.commands import Answer
    from domain.refusals import Refusal

    setting = _setting(session, found, opens_at)
    try:
        if found is None:
            case = _opened(session, command, content, setting)
        else:
            case = found.case
            while planned := agenda.legally_due(case, setting.now):
                case = agenda.take(case, planned, setting).case
            case = _rule(session, command, content)(case, setting).case
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


def _setting(session: Session, found: FoundCase | None, opens_at: datetime | None) -> Setting:
    from domain.setting import Setting
    from domain.shanghai import shanghai_date
    from store.reference import policy_book

    book, calendar = policy_book(), session.notices.calendar()
    if found is None:
        now = opens_at or session.wall
        return Setting(now, book.in_force(shanghai_date(now)), calendar)
    return Setting(found.clock(session.wall), book.pinned(found.case.policy_version), calendar)


def _opened(session: Session, command: Any, content: bytes | None, setting: Setting) -> Case:
    from domain.judging import judge
    from domain.opening import open_case, require_possible

    judge(None, command)
    last = session.reader.find_case(command.credit_code)
    if last is not None and last.case.ending is None:
        judge(last.case, command)
    require_possible(None, last.case if last else None, setting)
    return open_case(command, f"LB-{setting.today.year}-…", _handed_over(content, setting), setting).case


def _rule(session: Session, command: Any, content: bytes | None) -> Callable[[Case, Setting], Transition]:
    """The rule of a command, as its transaction would run it."""
    from domain import casework, certification, delivery, deposit, ending, publication, review

    plain: dict[str, Callable[[Case, Any, Setting], Transition]] = {
        "withdraw": ending.withdraw,
        "take_review": review.take,
        "release_review": review.release,
        "request_supplement": review.request_supplement,
        "reject": ending.reject,
        "refuse_certification": certification.refuse,
        "publish": publication.publish_by_hand,
        "confirm_marks": ending.confirm_marks,
        "assign": casework.assign,
        "extend_deadline": casework.extend,
        "add_note": casework.add_note,
    }

    def run(case: Case, setting: Setting) -> Transition:
        match command.action:
            case "supplement":
                return review.supplement(case, command, _handed_over(content, setting), setting)
            case "approve":
                return review.approve(
                    case, command, read_submission(session, case, case.revision, setting.today), setting
                )
            case "receive_deposit":
                known, known_case = _payment(session, command.reference)
                return deposit.receive(case, command, known, known_case, setting)
            case "resend_letters":
                return delivery.resend(case, command, _letters(session, case), setting)
            case "certify":
                return certification.certify(case, command, f"LBC-{setting.today.year}-…", setting)
            case action:
                return plain[action](case, command, setting)

    return run


def _handed_over(content: bytes | None, setting: Setting) -> Submission:
    from domain.submission import Submission

    return Submission.from_bytes(content or b"", today=setting.today)


def _letters(session: Session, case: Case) -> list[StoredLetter]:
    import sqlalchemy.orm

    from store.letters import letters_of

    with sqlalchemy.orm.Session(session.engine) as reading:
        return letters_of(reading, case.case_number)


def _payment(session: Session, reference: str) -> tuple[Payment | None, str | None]:
    """The payment on record under a bank reference, and its case."""
    import sqlalchemy.orm

    from domain.records import Payment
    from store.tables import PaymentRow

    with sqlalchemy.orm.Session(session.engine) as reading:
        row = reading.get(PaymentRow, reference)
        if row is None:
            return None, None
        known = Payment(row.reference, row.amount, row.payer, row.value_date, row.credited, row.unmatched, row.why)
        return known, row.case_number
