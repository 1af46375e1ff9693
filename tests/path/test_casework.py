"""Assigned, extended and annotated cases on the real server."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.commands import AddNote, Approve, Assign, ExtendDeadline, Withdraw
from domain.refusals import RefusalKind
from domain.shanghai import end_of_day, shanghai_date
from domain.stages import Role, Stage
from store import tables
from tests.office import APPLICANT, OPERATOR, REVIEWER, Office, refused
from tests.path import acts
from workflows.state import CertificationState

ONLY_ON = "sqlite"
"""What differs between the databases is tested in tests/store, and by requests and payments at once on both."""


async def test_an_extended_deposit_lapses_at_its_new_end_and_not_before(office: Office) -> None:
    base = await acts.in_deposit(office)
    before, old_lapse = base.case, acts.lapses_at(base)
    assert before.deposit_due_on is not None
    later = before.deposit_due_on + timedelta(days=20)
    answer = await base.do(ExtendDeadline, OPERATOR, deadline="deposit", to=later, reason="银行系统停机")
    assert (answer.stage, answer.due_at) == (Stage.DEPOSIT, end_of_day(later))
    await base.forward_to(old_lapse)
    assert base.case.stage is Stage.DEPOSIT
    assert acts.letters(base, "remind_deposit") == [], "the old reminders went with the old deadline"
    await base.forward_to(acts.lapses_at(base))
    closed = base.case
    assert closed.ending is not None and closed.ending.cause == "deposit_overdue"
    assert shanghai_date(closed.ending.legal_at) > later
    assert len(acts.letters(base, "remind_deposit")) == 2 and len(acts.letters(base, "deadline_extended")) == 1
    acts.check_books(base)


async def test_who_is_away_is_replaced(office: Office) -> None:
    base = await acts.in_review(office)
    await base.do(Assign, OPERATOR, to="zhou", reason="li is on leave")
    async with refused(RefusalKind.REVIEW_HELD):
        await base.do(Approve, REVIEWER, revision=1)
    answer = await base.do(Assign, OPERATOR, to=REVIEWER.name, reason="li is back")
    assert (answer.awaiting, base.case.review_held_by) == (Role.REVIEWER, REVIEWER.name)
    await base.do(Approve, REVIEWER, revision=1)
    acts.check_books(base)


async def test_a_note_comes_once_and_to_a_closed_case_too(office: Office) -> None:
    base = await acts.in_review(office)
    note = base.command(AddNote, REVIEWER, "noted", text="已电话核实")
    assert not (await base.send(note)).repeated
    assert (await base.send(note)).repeated
    await base.do(Withdraw, APPLICANT, reason="搬迁")
    assert base.case.stage is Stage.CLOSED
    await acts.ended(base)
    late = base.command(AddNote, OPERATOR, text="归档")
    answer = await base.send_with_start(late, CertificationState(reopened=True))
    assert answer.stage is Stage.CLOSED
    with Session(office.reading) as session:
        notes = session.scalars(select(tables.NoteRow).order_by(tables.NoteRow.sequence)).all()
    assert [(note.by, base.told(note.text)) for note in notes] == [
        (str(REVIEWER), "已电话核实"),
        (str(OPERATOR), "归档"),
    ]
    acts.check_books(base)
