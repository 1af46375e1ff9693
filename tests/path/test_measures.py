"""Suspended, revoked, surrendered, corrected on the real server, also while publication is pending."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from activities.publication import Announcement
from domain.commands import (
    Actor,
    CheckMarks,
    ConfirmMarks,
    Correct,
    DenyProposal,
    Dissolve,
    Publish,
    Reinstate,
    Revoke,
    Surrender,
    Suspend,
)
from domain.planning import Event
from domain.refusals import RefusalKind
from domain.stages import Role, Stage, Standing
from store import tables
from store.queries import Reader
from tests.databases import Place
from tests.office import (
    APPLICANT,
    COMPLIANCE,
    FINANCE,
    OPERATOR,
    Base,
    Office,
    refused,
    until,
    working_office,
)
from tests.path import acts
from tests.path.on_record import REVOCATION_PROPOSED, put_on_record, take_up
from workflows.state import CertificationState

ONLY_ON = "postgresql"
"""What differs between the databases is tested in tests/store, and by requests and payments at once on both."""

DAY = timedelta(days=1)
WHY = {"reason": "brushing found"}


class Failing:
    """A channel that takes nothing until it is up."""

    def __init__(self) -> None:
        self.up = False
        self.asked: list[Announcement] = []

    def announce(self, announcement: Announcement) -> str:
        self.asked.append(announcement)
        if not self.up:
            raise ApplicationError("the channel is down", non_retryable=True)
        return f"channel: {announcement.key}"


def entries(base: Base) -> list[tuple[int, str, str | None]]:
    """The base's revisions on the official list with their category."""
    row = tables.ListRow
    rows = select(row.revision, row.state, row.category).where(row.case_number == base.case.case_number)
    with Session(base.office.reading) as session:
        return [tuple(one) for one in session.execute(rows.order_by(row.revision))]


async def benefits(base: Base) -> set[tuple[str, bool]]:
    """The states of the base's benefits, and whether they are paused."""
    listed = Reader(base.office.reading).benefits(base.case, await base.now())
    return {(one["state"], one["paused_since"] is not None) for one in listed}


async def test_suspended_while_publication_is_pending_it_comes_on_the_list_as_suspended(
    client: Client, place: Place
) -> None:
    """E9: never as active; publication and its deadline go on."""
    channel = Failing()
    async with working_office(client, place, channel) as office:
        base = await acts.in_failing_publication(office)
        due = base.case.due_at
        answer = await base.do(Suspend, COMPLIANCE, **WHY)
        assert (answer.stage, answer.standing, answer.due_at) == (Stage.PUBLISHING, Standing.SUSPENDED, due)
        channel.up = True
        await base.do(Publish, OPERATOR)
        await until(lambda: base.case.stage is Stage.VALID, "published")
        assert channel.asked[-1].suspended
        assert entries(base) == [(1, "suspended", "compliance")]
        assert await benefits(base) == {("granted", True)}

        answer = await base.do(Reinstate, COMPLIANCE, reason="it has stopped")
        assert answer.standing is Standing.CERTIFIED
        assert entries(base)[1:] == [(2, "published", None)]
        assert await benefits(base) == {("granted", False)}
        assert acts.letters(base)[-3:] == ["base_suspended", "base_published", "base_reinstated"]
        acts.check_books(base)


async def test_a_suspended_year_ends_on_its_day(office: Office) -> None:
    """E21, E22: then nothing brings it back but a renewal."""
    base = await acts.resumed(office, datetime.now(UTC) - 363 * DAY, published=True)
    term = base.case.term
    assert term is not None
    await base.do(Suspend, COMPLIANCE, **WHY)
    await base.forward_to(term.until - timedelta(seconds=30))
    assert (base.case.stage, base.case.standing(await base.now())) == (Stage.VALID, Standing.SUSPENDED)
    await base.forward_to(term.until)
    assert base.case.ending is not None and base.case.ending.legal_at == term.until
    async with refused(RefusalKind.ALREADY_ENDED):
        await base.do(Reinstate, COMPLIANCE, reason="too late")
    assert acts.list_revisions(base) == [(1, "published"), (2, "suspended"), (3, "withdrawn")]
    acts.check_books(base)


async def test_a_revocation_takes_two_people_and_what_they_saw(office: Office) -> None:
    """E36 in the workflow: the validator refuses, the transaction would."""
    base = await acts.in_valid(office)
    answer = await base.do(Revoke, COMPLIANCE, **WHY)
    assert (answer.stage, answer.standing, answer.awaiting) == (Stage.VALID, Standing.CERTIFIED, Role.COMPLIANCE)
    approval = acts.approval(base)
    proposal = {"proposal": approval.proposal}
    async with refused(RefusalKind.SECOND_PERSON_REQUIRED):
        await base.send(acts.approval(base, Actor(role=Role.CERTIFIER, name="HE")))
    async with refused(RefusalKind.ROLE_NOT_ALLOWED):
        await base.send(acts.approval(base, FINANCE))
    async with refused(RefusalKind.PROPOSAL_CHANGED):
        await base.send(approval.model_copy(update={"content": "0" * 64}))
    async with refused(RefusalKind.NOT_FOUND):
        await base.send(approval.model_copy(update={"proposal": f"{base.case.case_number}-99"}))

    await base.do(Suspend, COMPLIANCE, **WHY)
    async with refused(RefusalKind.PROPOSAL_CHANGED):
        await base.send(approval)
    await base.do(DenyProposal, COMPLIANCE, **proposal, reason="proposed anew")
    async with refused(RefusalKind.ALREADY_DECIDED):
        await base.send(approval)
    await base.do(Revoke, COMPLIANCE, **WHY)
    again = acts.approval(base)
    done = await base.send(again)
    assert done.standing is Standing.REVOKED
    assert (await base.send(again)).repeated
    last = acts.timeline(base)[-1]
    assert last["actor"] == "certifier:zhao"
    assert (last["detail"]["proposed_by"], last["detail"]["approved_by"]) == ("compliance:he", "certifier:zhao")
    assert acts.list_revisions(base)[-1] == (3, "withdrawn")
    acts.check_books(base)


async def test_a_proposal_nobody_decides_on_expires_by_itself(office: Office) -> None:
    base = office.base()
    await take_up(base, put_on_record(base, REVOCATION_PROPOSED, datetime.now(UTC)))
    approval = acts.approval(base)
    expiry = next(planned.at for planned in base.case.plan if planned.event is Event.EXPIRE_PROPOSAL)
    await base.forward_to(expiry)
    assert acts.events(base)[-1] == "proposal_expired"
    assert (base.case.stage, base.case.awaiting) == (Stage.VALID, Role.NOBODY)
    async with refused(RefusalKind.TOO_LATE):
        await base.send(approval)
    acts.check_books(base)


@pytest.mark.parametrize(("kind", "who"), [(Surrender, APPLICANT), (Dissolve, OPERATOR)])
async def test_who_leaves_is_off_the_list_and_still_has_the_marks_to_remove(
    office: Office, kind: Any, who: Actor
) -> None:
    """E48, E49."""
    base = await acts.in_valid(office)
    answer = await base.do(kind, who, reason="we move on")
    assert (answer.stage, answer.awaiting) == (Stage.SETTLING, Role.APPLICANT)
    assert acts.list_revisions(base) == [(1, "published"), (2, "withdrawn")]
    assert await benefits(base) == {("withdrawn", False)}
    await base.do(CheckMarks, COMPLIANCE, result="the sign is still there")
    evidence = base.documents.put(b"%PDF-1.4 marks removed %%EOF")
    await base.do(ConfirmMarks, APPLICANT, evidence=(evidence,))
    await base.do(CheckMarks, OPERATOR, result="the sign is gone")
    assert acts.events(base)[-3:] == ["marks_checked", "marks_confirmed", "marks_checked"]
    async with refused(RefusalKind.ALREADY_ENDED):
        await base.do(Suspend, COMPLIANCE, **WHY)
    acts.check_books(base)


async def test_dissolved_before_a_term_its_workflow_ends(office: Office) -> None:
    base = await acts.in_review(office)
    answer = await base.do(Dissolve, OPERATOR, reason="struck off the register")
    assert (answer.stage, answer.standing) == (Stage.CLOSED, Standing.DISSOLVED)
    await acts.ended(base)
    check = base.command(CheckMarks, COMPLIANCE, result="-")
    async with refused(RefusalKind.ALREADY_ENDED):
        await base.send_with_start(check, CertificationState(reopened=True))


async def test_a_corrected_name_is_listed_and_the_publication_clock_goes_on(client: Client, place: Place) -> None:
    """E11."""
    channel = Failing()
    async with working_office(client, place, channel) as office:
        base = await acts.in_failing_publication(office)
        due = base.case.due_at
        answer = await base.do(Correct, OPERATOR, submission=acts.renamed(base, "义乌新北苑直播基地"))
        assert (answer.revision, answer.due_at, base.case.name) == (2, due, "义乌新北苑直播基地")
        channel.up = True
        await base.do(Publish, OPERATOR)
        await until(lambda: base.case.stage is Stage.VALID, "published")
        assert channel.asked[-1].name == "义乌新北苑直播基地"
        await base.do(Correct, OPERATOR, submission=acts.renamed(base, "义乌北苑云播基地"))
        with Session(office.reading) as session:
            rows = select(tables.ListRow).where(tables.ListRow.case_number == base.case.case_number)
            listed = [(row.revision, row.name) for row in session.scalars(rows.order_by(tables.ListRow.revision))]
        assert listed == [(1, "义乌新北苑直播基地"), (2, "义乌北苑云播基地")]
        async with refused(RefusalKind.INVALID_VALUE):
            await base.do(Correct, OPERATOR, submission=acts.changed(base, legal_representative="赵"))
        acts.check_books(base)
