"""What meets an instant has one outcome: the one decision 7 gives it, each time of twenty, and all of it is whole.

A command counts as of the instant its handler began, whatever the order of what follows; what was due by then came
before it.
"""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from datetime import datetime, timedelta

from domain.commands import (
    Actor,
    Answer,
    ApproveRenewal,
    DecideAppeal,
    DecideConduct,
    FileAppeal,
    Supplement,
)
from domain.conduct import conduct_workflow_id
from domain.planning import Event
from domain.refusals import Refusal, RefusalKind
from domain.stages import Role, Stage, Standing
from tests.databases import only_on
from tests.office import APPLICANT, CERTIFIER, COMPLIANCE, REVIEWER, Base, Office, until
from tests.path import acts, on_record
from tests.path.instants import (
    QUIET_YEAR,
    RENEWING,
    agreed,
    approach,
    check,
    listed,
    meet,
    pass_by,
    seconds,
    sent,
    shortly_before,
    there,
    twenty,
)
from tests.path.on_record import Record
from workflows.messages import CONDUCT_WORKFLOW
from workflows.state import ConductState

ONLY_ON = "sqlite"
"""But where what meets does so in the database: its locks are PostgreSQL's."""

JUDGE = Actor(role=Role.CERTIFIER, name="shen")
DAY = timedelta(days=1)
WHY = {"reason": "brushing found"}


def ends(base: Base) -> datetime:
    return base.case.terms[0].until


@only_on("postgresql")
async def test_approval_and_expiry_in_the_same_instant_have_one_outcome(office: Office) -> None:
    """E17, decision 26. The first one's transaction is held up until the term is over: it has begun, and wins."""

    async def one(number: int) -> bool:
        base = await there(office, RENEWING, 364)
        command = base.command(ApproveRenewal, REVIEWER, revision=1)
        await approach(base, ends(base), number)
        first = number == 0
        with office.cases.transaction(base.workflow_id) if first else nullcontext():
            sending = asyncio.create_task(sent(base, command))
            if first:
                await pass_by(base, ends(base), 0.2)
        answer, began_at = await sending
        assert isinstance(answer, Answer) and began_at is not None
        early = began_at < ends(base)
        await base.settled(ends(base))
        if early:
            await until(lambda: base.case.running_term == base.case.terms[1], "the second term", 60)
            assert base.case.terms[1].from_ == ends(base) and "certification_expired" not in acts.events(base)
            assert acts.list_revisions(base) == [(1, "published"), (2, "published")]
        else:
            await until(lambda: base.case.stage is Stage.VALID, "published anew", 60)
            assert base.case.terms[1].from_ == answer.accepted_at
            assert acts.list_revisions(base) == [(1, "published"), (2, "withdrawn"), (3, "published")]
            assert listed(base, ends(base)) == "withdrawn", "the gap"
        assert base.case.ending is None and len(base.case.terms) == 2
        check(
            base, await base.now(), "certification_expired", "term_begun", "renewal_approved", "renewal_approved_late"
        )
        await agreed(base)
        return early

    early = await twenty(one)
    assert early[0] and not early[-1]


async def test_an_appeal_and_the_end_of_its_time_have_one_outcome(office: Office) -> None:
    async def one(number: int) -> bool:
        base = await there(office, on_record.REJECTED)
        limit, ending = base.case.appeal_until, base.case.ending
        assert limit is not None and ending is not None
        command = base.command(FileAppeal, APPLICANT, decision=ending.decision, statement="证据不实")
        got, early = await meet(base, limit, number, command)
        if early:  # else the run has ended, and one that only asked the record is at the wall clock
            await pass_by(base, limit, 0.2)
        await until(lambda: base.case.stage is Stage.CLOSED or early, "closed", 60)
        if early:
            assert isinstance(got, Answer) and base.case.stage is Stage.SETTLING
            assert {planned.event for planned in base.case.plan} == {Event.ESCALATE_APPEAL}
            assert acts.events(base)[-1] == "appeal_filed"
        else:
            assert isinstance(got, Refusal) and got.kind in (RefusalKind.TOO_LATE, RefusalKind.ALREADY_ENDED)
            assert base.case.appeal is None
            last = acts.timeline(base)[-1]
            assert (last["event"], datetime.fromisoformat(last["legal_at"])) == ("appeal_window_ended", limit)
        check(base, limit, "appeal_filed", "appeal_window_ended")
        await agreed(base)
        return early

    early = await twenty(one)
    assert early[0] and not early[-1]


def revoked_and_appealed(record: Record) -> None:
    QUIET_YEAR(record)
    record.lived(record.case.terms[0].until - 3 * DAY)
    record.revocation_proposed()
    record.approved_by_another(CERTIFIER)
    record.appealed()


async def test_a_revocation_set_aside_as_the_term_ends_never_reaches_beyond_it(office: Office) -> None:
    """Decision 28: the standing it would have had, in time or not."""

    async def one(number: int) -> bool:
        base = await there(office, revoked_and_appealed, 364)
        term = base.case.terms[0]
        command = base.command(DecideAppeal, JUDGE, outcome="set-aside", **WHY)
        got, early = await meet(base, term.until, number, command)
        assert isinstance(got, Answer)
        assert got.standing is (Standing.CERTIFIED if early else Standing.EXPIRED)
        await until(lambda: base.case.ending is not None, "expired", 60)
        ending = base.case.ending
        assert ending is not None and (ending.kind, ending.legal_at) == (Standing.EXPIRED, term.until)
        assert base.case.terms == (term,)
        assert listed(base, got.accepted_at) == ("published" if early else "withdrawn")
        assert [event for event in acts.events(base)[-3:] if "remind" not in event and "skipped" not in event][-2:] == [
            "appeal_set_aside",
            "certification_expired",
        ]
        check(base, term.until)
        await agreed(base)
        return early

    early = await twenty(one)
    assert early[0] and not early[-1]


async def test_a_supplement_and_its_deadline_have_one_outcome(office: Office) -> None:
    """E33: what comes too late is refused, and its documents are kept."""

    async def one(number: int) -> bool:
        base = await there(office, on_record.IN_SUPPLEMENT, 10)
        limit = base.case.due_at
        assert limit is not None
        submission = acts.changed(base)
        command = base.command(Supplement, APPLICANT, submission=submission)
        got, early = await meet(base, limit, number, command)
        if early:
            assert isinstance(got, Answer) and (base.case.stage, base.case.revision) == (Stage.REVIEW, 2)
        else:
            assert isinstance(got, Refusal) and got.kind is RefusalKind.TOO_LATE
            await until(lambda: base.case.stage is Stage.CLOSED, "closed", 60)
            ending = base.case.ending
            assert ending is not None and (ending.kind, ending.legal_at) == (Standing.LAPSED, limit)
            assert base.case.revision == 1
        assert base.documents.has(submission)
        check(base, limit, "supplement_received", "application_lapsed")
        await agreed(base)
        return early

    early = await twenty(one)
    assert early[0] and not early[-1]


def accused(record: Record) -> None:
    QUIET_YEAR(record)
    record.lived(record.case.terms[0].until - 3 * DAY)
    record.conduct_reported(severity="serious")
    record.conduct_answered()


@only_on("postgresql")
async def test_a_conduct_case_decided_as_the_term_ends(office: Office) -> None:
    """Two workflows, one case: what is written first decides whether the other meets a certification in force."""

    async def one(number: int) -> bool:
        decided = ("suspension", "revocation")[number % 2]
        base = await there(office, accused, 364)
        (conduct,) = base.case.conduct
        id, queue = conduct_workflow_id(base.workflow_id, conduct.id), office.settings.task_queue
        state = ConductState(case_workflow=base.workflow_id, conduct=conduct.id)
        await office.client.start_workflow(CONDUCT_WORKFLOW, state, id=id, task_queue=queue)
        command = base.command(DecideConduct, COMPLIANCE, conduct=conduct.id, outcome=decided, **WHY)
        limit = ends(base)
        await shortly_before(base, limit, number)
        await office.clock.fast_forward(id, await base.now() - await office.clock.now(id))
        await pass_by(base, limit, seconds(number))
        got, _ = await sent(base, command)
        assert isinstance(got, Answer)
        await until(lambda: base.case.ending is not None, "expired", 60)
        ending = base.case.ending
        assert ending is not None and (ending.kind, ending.legal_at) == (Standing.EXPIRED, limit)
        written, states = acts.events(base)[-2:], [state for _, state in acts.list_revisions(base)]
        # Accepted before the end and written after it, it meets an expired one too: the case's row is who decides.
        early = got.accepted_at < limit and written[1] == "certification_expired"
        if early and decided == "suspension":
            assert (written, states[-2:]) == (
                ["conduct_suspension", "certification_expired"],
                ["suspended", "withdrawn"],
            )
        elif early:
            assert written == ["proposal_made", "certification_expired"]
            assert [proposal.outcome for proposal in base.case.proposals] == ["overtaken"]
        else:
            assert written == ["certification_expired", f"conduct_{decided}"]
            assert (base.case.proposals, states) == ((), ["published", "withdrawn"])
        check(base, limit, "certification_expired")
        await agreed(base)
        return early

    early = await twenty(one)
    assert early[0] and not early[-1]
