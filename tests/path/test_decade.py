"""Ten years of one base: nine renewals, two suspensions, two years with all figures; nothing lost, no run grows."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

from connection import histories
from domain.commands import ApproveRenewal, Reinstate, Renew, Suspend
from domain.periods import Period, counting_term, ending_in
from domain.refusals import RefusalKind
from domain.shanghai import SHANGHAI
from domain.stages import Stage, Standing
from domain.terms import Term
from tests.databases import Place
from tests.office import APPLICANT, COMPLIANCE, REVIEWER, Base, refused, until, working_office
from tests.path import acts, on_record, quarters
from tests.path.instants import agreed, check
from tests.path.on_record import put_on_record, take_up
from tests.path.test_replay import replayer
from tests.path.waits import armed
from tests.record_histories import all_runs

ONLY_ON = "sqlite"
"""What differs between the databases is tested in tests/store, and by requests and payments at once on both."""

DAY = timedelta(days=1)
YEARS = 10
WHOLE_TERM = 250
"""How many events a term's run may have (`docs/requirements.md`, edge case 54)."""
WITH_FIGURES, WITHOUT = 70, 250
"""How many those of a renewed year may have in which nothing is amiss, and of one in which nobody sends figures."""
MORNING = timedelta(hours=6)
"""Everything that comes of itself comes at a midnight: a jump that ends in the morning aims at none of it."""


def newest(base: Base) -> Term:
    return base.case.terms[-1]


async def jump(base: Base, instant: datetime) -> None:
    """Move the base's clock in one go: the server stops at everything that falls due on the way."""
    await armed(base.office.client, base.workflow_id)
    ahead = instant - await base.now()
    assert await base.office.clock.fast_forward(base.workflow_id, ahead)
    await base.settled(instant)
    base.office.cases.record_clock(base.workflow_id, instant - datetime.now(UTC))


async def renewed(base: Base) -> None:
    """Filed 50 days before the end, approved, and the next term begun."""
    ends = newest(base).until
    await jump(base, ends - 50 * DAY + MORNING)
    await base.do(Renew, APPLICANT, from_last_day=newest(base).last_day)
    await base.do(ApproveRenewal, REVIEWER, revision=base.case.revision)
    await jump(base, ends)
    await until(lambda: base.case.running_term == newest(base), "the next term")
    await agreed(base)


async def figures_confirmed(base: Base, period: Period) -> None:
    """A quarter's figures imported when it is over, and confirmed some days after."""
    await jump(base, period.ends + DAY + MORNING)
    await quarters.imported(base.office, [quarters.row(base, period=period)], f"figures-{period}")
    await quarters.heard(base, "provisional", "pass", period)
    await jump(base, period.ends + 6 * DAY + MORNING)
    await quarters.send(base.office, quarters.confirmation(f"confirmed-{period}", period=period))
    await quarters.heard(base, "confirmed", "pass", period)


async def test_ten_years_of_one_base(client: Client, place: Place) -> None:
    async with working_office(client, place) as office:
        base = office.base()
        # Its quarters end well within its terms, whatever the day this test runs.
        begins = datetime(datetime.now(SHANGHAI).year + 1, 3, 15, 12, tzinfo=SHANGHAI)
        await take_up(base, put_on_record(base, on_record.IN_VALID, begins))
        await jump(base, begins + DAY + MORNING)
        for count in (3, 4):
            periods = [one for one in ending_in(base.case.terms) if counting_term(base.case.terms, one) == newest(base)]
            assert len(periods) == count
            async with quarters.alone(office, *periods):
                for period in periods:
                    await figures_confirmed(base, period)
            await renewed(base)

        await base.do(Suspend, COMPLIANCE, reason="brushing found")
        await jump(base, await base.now() + 30 * DAY)
        await base.do(Reinstate, COMPLIANCE, reason="it has stopped")
        await renewed(base)

        async with refused(RefusalKind.TOO_EARLY):
            await base.do(Renew, APPLICANT, from_last_day=newest(base).last_day)
        await jump(base, newest(base).until - 100 * DAY + MORNING)
        await base.do(Suspend, COMPLIANCE, reason="brushing found")
        await renewed(base)
        assert base.case.standing(await base.now()) is Standing.SUSPENDED, "a renewal lifts nothing"
        await base.do(Reinstate, COMPLIANCE, reason="it has stopped")

        while len(base.case.terms) < YEARS:
            await renewed(base)
        ends = newest(base).until
        await jump(base, ends)
        await until(lambda: base.case.stage is Stage.SETTLING, "expired")

        check_nothing_lost(base, begins)
        await agreed(base)
        runs = [run async for run in histories.runs(client, base.workflow_id)]
        sizes = [len(run) for run in runs]
        assert len(runs) == YEARS, "one a term"
        assert max(sizes) <= WHOLE_TERM, sizes
        assert at_rest(runs[1]) <= WITH_FIGURES, sizes
        assert max(sizes[5:9]) <= WITHOUT, sizes
        for history in await all_runs(client, base.workflow_id):
            await replayer().replay_workflow(history)


def at_rest(run: Sequence[HistoryEvent]) -> int:
    """How many events a run has but for workflow tasks that only went on waiting for a slow local activity."""
    completed, scheduled = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED, EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED
    kinds = [event.event_type for event in run]
    return len(run) - 3 * sum(pair == (completed, scheduled) for pair in itertools.pairwise(kinds))


def check_nothing_lost(base: Base, begins: datetime) -> None:
    terms, anchor = base.case.terms, begins.date()
    assert [term.last_day for term in terms] == [anchor.replace(year=anchor.year + year) for year in range(1, 11)]
    assert all(before.until == after.from_ for before, after in itertools.pairwise(terms))
    assert len({term.certificate_number for term in terms}) == YEARS
    happened = Counter(acts.events(base))
    expected = {"renewal_filed": 9, "renewal_approved": 9, "term_begun": 9, "base_suspended": 2, "base_reinstated": 2}
    expected |= {"assessment_recorded": 7, "assessment_confirmed": 7, "certification_expired": 1}
    assert {event: happened[event] for event in expected} == expected
    assert [one.state for one in base.case.assessments if one.result == "pass"] == ["confirmed"] * 7
    for entry in acts.timeline(base):
        legal, observed = (datetime.fromisoformat(entry[name]) for name in ("legal_at", "observed_at"))
        assert timedelta() <= observed - legal < timedelta(minutes=5), entry
    states = [state for state, _ in itertools.groupby(state for _, state in acts.list_revisions(base))]
    assert states == ["published", "suspended", "published", "suspended", "published", "withdrawn"]
    check(base, terms[-1].until)
