"""Of two commands at once the first one wins and the other one hears it, each time of twenty (decision 7)."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import Client

from activities.publication import Announcement
from domain.commands import (
    Actor,
    Answer,
    Approve,
    ApproveRenewal,
    DenyProposal,
    Reinstate,
    Reject,
    RejectRenewal,
    RequestSupplement,
    Supplement,
    Suspend,
)
from domain.refusals import Refusal, RefusalKind
from domain.stages import Role, Stage, Standing
from tests.databases import Place
from tests.office import APPLICANT, COMPLIANCE, REVIEWER, Base, Office, until, working_office
from tests.path import acts, on_record
from tests.path.instants import (
    RENEWING,
    REPEATS,
    agreed,
    check,
    outcome,
    there,
    twenty,
)
from tests.path.on_record import Reach, Record, put_on_record, reach, take_up

ONLY_ON = "sqlite"
"""One workflow's commands come one after the other, whatever the database."""

SECOND = Actor(role=Role.COMPLIANCE, name="wu")
RENEWAL_SUPPLEMENT = reach(RENEWING, Record.renewal_supplement_requested)
SUSPENDED_AND_RENEWING = reach(RENEWING, Record.suspended)


class Gates:
    """An official channel that answers for each base when its gate is open."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self._gates: dict[str, threading.Event] = {}

    def gate(self, base: Base) -> threading.Event:
        return self._gates.setdefault(base.credit_code, threading.Event())

    def announce(self, announcement: Announcement) -> str:
        self.asked[announcement.credit_code] += 1
        assert self._gates[announcement.credit_code].wait(20)
        return f"channel: {announcement.key}"


async def test_published_and_revoked_at_the_same_moment_it_ends_unlisted(client: Client, place: Place) -> None:
    """E9, E10: the first one is revoked before the channel answers, the last one after it was published."""
    channel = Gates()

    async def one(office: Office, number: int) -> list[tuple[int, str]]:
        base = office.base()
        gate = channel.gate(base)
        await take_up(base, put_on_record(base, on_record.PROPOSED_UNPUBLISHED, datetime.now(UTC)))
        await until(lambda: channel.asked[base.credit_code] == 1, "the channel is asked")
        approval = acts.approval(base)
        if number == 0:
            answer = await base.send(approval)
            gate.set()
        elif number == REPEATS - 1:
            gate.set()
            await until(lambda: base.case.stage is Stage.VALID, "published")
            answer = await base.send(approval)
        else:
            sending = asyncio.create_task(base.send(approval))
            await asyncio.sleep(number / 500)
            gate.set()
            answer = await sending
        assert (answer.stage, answer.standing) == (Stage.SETTLING, Standing.REVOKED)
        await base.forward(timedelta(days=2))
        case = base.case
        assert channel.asked[base.credit_code] == 1, "what is revoked is announced no more"
        assert case.ending is not None and case.ending.kind is Standing.REVOKED
        assert case.publication is not None and case.publication.state == "withdrawn"
        check(base, await base.now(), "base_published", "certification_revoked")
        await agreed(base)
        return acts.list_revisions(base)

    async with working_office(client, place, channel) as office:
        revisions = await twenty(lambda number: one(office, number))
    published = [(1, "published"), (2, "withdrawn")]
    assert revisions[0] == [] and revisions[-1] == published
    assert all(each in ([], published) for each in revisions)


async def test_of_reviewers_deciding_at_once_exactly_one_does(office: Office) -> None:
    """E35."""

    async def one(number: int) -> None:
        base = await there(office, on_record.IN_REVIEW)
        others = [Actor(role=Role.REVIEWER, name=name) for name in ("zhou", "wu")]
        decisions = [
            base.command(Approve, REVIEWER, revision=1),
            base.command(Reject, others[0], revision=1, reason="not convincing"),
            base.command(RequestSupplement, others[1], revision=1, items=acts.FLOOR_PLAN),
        ]
        got = await asyncio.gather(*(outcome(base.send(each)) for each in rotated(decisions, number)))
        (won,) = [each for each in got if isinstance(each, Answer)]
        assert {each.kind for each in got if isinstance(each, Refusal)} == {RefusalKind.ALREADY_DECIDED}
        assert base.case.stage is won.stage and base.case.sequence == 2, "one decision, one entry"
        check(base, await base.now())
        await agreed(base)

    await twenty(one)


@pytest.mark.parametrize(
    ("to", "days_ago", "refuses"),
    [(on_record.IN_SUPPLEMENT, 0, Reject), (RENEWAL_SUPPLEMENT, 320, RejectRenewal)],
    ids=["application", "renewal"],
)
async def test_a_supplement_and_a_rejection_have_one_outcome(
    office: Office, to: Reach, days_ago: int, refuses: Any
) -> None:
    """E33: an application that waits for a supplement is not rejected, a renewal may be; the documents are kept."""

    async def one(number: int) -> None:
        base = await there(office, to, days_ago)
        before, submission = base.case, acts.changed(base, base_name="义乌北苑二期直播基地")
        both = [
            base.command(Supplement, APPLICANT, submission=submission),
            base.command(refuses, REVIEWER, revision=1, reason="too late for us"),
        ]
        got = await asyncio.gather(*(outcome(base.send(each)) for each in rotated(both, number)))
        supplemented, rejected = rotated(got, -number)
        after, written = base.case, acts.events(base)[before.sequence :]
        if isinstance(supplemented, Answer):
            assert isinstance(rejected, Refusal)
            assert rejected.kind in (RefusalKind.REVISION_STALE, RefusalKind.ALREADY_DECIDED)
            assert (after.revision, after.awaiting) == (2, Role.REVIEWER)
        else:
            assert refuses is RejectRenewal and isinstance(rejected, Answer)
            assert supplemented.kind is RefusalKind.WRONG_STAGE
            assert (after.revision, after.renewal, after.awaiting) == (1, None, Role.NOBODY)
        assert len(written) == 1 and base.documents.has(submission)
        check(base, await base.now())
        await agreed(base)

    await twenty(one)


async def test_suspended_reinstated_and_renewed_at_once(office: Office) -> None:
    """E20: whatever comes first, a renewal lifts nothing and a hold stops no renewal; both terms say the same."""

    async def one(number: int) -> None:
        base = await there(office, SUSPENDED_AND_RENEWING, 320)
        before = base.case.sequence
        commands = [
            base.command(Reinstate, COMPLIANCE, reason="it has stopped"),
            base.command(Suspend, SECOND, reason="brushing found"),
            base.command(ApproveRenewal, REVIEWER, revision=1),
        ]
        got = await asyncio.gather(*(outcome(base.send(each)) for each in rotated(commands, number)))
        reinstated, suspended, renewed = rotated(got, -number)
        assert isinstance(reinstated, Answer) and isinstance(renewed, Answer)
        measures = [event for event in acts.events(base)[before:] if event != "renewal_approved"]
        if isinstance(suspended, Answer):
            assert measures == ["base_reinstated", "base_suspended"]
        else:
            assert suspended.kind is RefusalKind.WRONG_STAGE and measures == ["base_reinstated"]
        (first, second), standing = base.case.terms, Standing.SUSPENDED
        if not isinstance(suspended, Answer):
            standing = Standing.CERTIFIED
        assert second.from_ == first.until
        for at in (await base.now(), second.from_, second.until - timedelta(seconds=1)):
            assert base.case.standing(at) is standing
            check(base, at)
        await agreed(base)

    await twenty(one)


async def test_of_two_who_decide_on_a_proposal_at_once_one_does(office: Office) -> None:
    async def one(number: int) -> None:
        base = await there(office, on_record.REVOCATION_PROPOSED)
        approval = acts.approval(base)
        denial = base.command(DenyProposal, SECOND, proposal=approval.proposal, reason="not proven")
        got = await asyncio.gather(*(outcome(base.send(each)) for each in rotated([approval, denial], number)))
        approved, denied = rotated(got, -number)
        (lost,) = [each for each in (approved, denied) if isinstance(each, Refusal)]
        assert lost.kind is RefusalKind.ALREADY_DECIDED
        (proposal,) = base.case.proposals
        assert proposal.outcome == ("approved" if denied is lost else "denied")
        assert (base.case.ending is None) is (approved is lost)
        check(base, await base.now(), "certification_revoked", "proposal_denied")
        await agreed(base)

    await twenty(one)


def rotated(these: Any, by: int) -> list[Any]:
    """The same, begun further on: whoever is first is another one each time."""
    by %= len(these)
    return [*these[by:], *these[:by]]
