"""A calendar notice reaches every live case (decision 5, edge cases A4 and A5), on a real server."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from activities.calendar import CalendarActivities
from activities.desk import CaseDesk
from connection import histories
from connection.client import connect
from connection.local_server import LocalServer
from domain.case import Case
from domain.commands import TakeReview
from domain.notices import Notice, Told
from domain.recounting import recount
from domain.refusals import RefusalKind
from domain.setting import Setting
from domain.shanghai import end_of_day, midnight
from domain.stages import Stage
from store.calendar import CalendarStore
from store.reference import policy_book, shipped_calendar
from tests.databases import Place, only_on
from tests.killing_worker import Death, worker_fork
from tests.office import FINANCE, REVIEWER, Base, Office, patiently, refused, until, working_office
from tests.path import acts, imports
from tests.path.kill_kinds import RECOVERY
from tests.path.many import STAGES, live_cases
from tests.path.test_continue_as_new import SUGGESTED
from tests.path.test_publication import Channel, legal
from tests.path.waits import armed
from tests.postgres import PostgresServer

ONLY_ON = "postgresql"
"""What differs between the databases is tested in tests/store, and by requests and payments at once on both."""

SLACK = timedelta(seconds=30)


def counted(case: Case, notice: Notice, now: datetime) -> Case | None:
    """The case as the rule alone would leave it, None when it has nothing to count."""
    policy = policy_book().pinned(case.policy_version)
    setting = Setting(now, policy, shipped_calendar().with_notice(notice), policy)
    transition = recount(case, setting, notice.reference)
    return transition.case if transition else None


def recounts(base: Base) -> list[dict[str, Any]]:
    return [entry["detail"] for entry in acts.timeline(base) if entry["event"] == "deadlines_recounted"]


async def newest_run(base: Base) -> list[Any]:
    return [run async for run in histories.runs(base.office.client, base.workflow_id)][-1]


async def timer_fires_at(base: Base) -> datetime:
    """When the timer the workflow waits on will fire, in real time."""
    started = [e for e in await newest_run(base) if e.event_type == EventType.EVENT_TYPE_TIMER_STARTED][-1]
    timeout = started.timer_started_event_attributes.start_to_fire_timeout.ToTimedelta()
    at: datetime = started.event_time.ToDatetime(UTC) + timeout
    return at


def year_end() -> date:
    """The next 23 December before a year whose notice is not shipped."""
    year = imports.today().year
    while date(year, 12, 23) < imports.today() or year + 1 in shipped_calendar().years:
        year += 1
    return date(year, 12, 23)


async def test_a_publication_pending_over_the_years_end_is_breached_at_the_new_instant(
    client: Client, place: Place
) -> None:
    """Edge case A4: provisional and early at first; the notice makes it certain, and the timer follows."""
    certified = year_end()
    new_year = imports.issued(certified.year + 1)
    channel = Channel()
    async with working_office(client, place, channel) as office:
        base = await acts.resumed(office, midnight(certified) + timedelta(hours=10), published=False)
        before = base.case.publication
        assert before is not None and before.provisional
        assert before.due_date == certified + timedelta(days=7), "every day counts until the notice is in"
        due = end_of_day(shipped_calendar().with_notice(new_year).deadline(certified, 7).deadline)
        assert due > before.due_at

        outcome = await imports.imported(office, new_year, "new-year")
        assert (outcome.told, outcome.gone, outcome.moved, outcome.left) == (1, 0, 1, 0)
        after = base.case.publication
        assert after is not None and (after.due_at, after.provisional, after.breached) == (due, False, False)
        assert base.case.due_at == due
        assert await acts.known_to_workflow(base) == base.case

        await base.forward_to(before.due_at + timedelta(hours=1))
        assert not legal(base, "publication_breached"), "the old instant is none any more"
        await base.forward_to(due - timedelta(minutes=5))
        assert not legal(base, "publication_breached")
        await base.forward_to(due)
        assert legal(base, "publication_breached") == [due]
        (detail,) = recounts(base)
        assert detail["notice"]["sha256"] == new_year.sha256
        moved = {one["deadline"]: (one["before"], one["after"]) for one in detail["deadlines"]}
        assert moved["publish"] == (before.due_date.isoformat(), after.due_date.isoformat())
        assert acts.letters(base, "deadline_moved") == ["deadline_moved"]
        acts.check_books(base)


async def expired(office: Office) -> Base:
    return await acts.resumed(office, datetime.now(UTC) - timedelta(days=366), published=True)


WAITING: dict[str, Callable[[Office], Awaitable[Base]]] = {
    "review": acts.in_review,
    "supplement": acts.in_supplement,
    "deposit": acts.in_deposit,
    "certifying": acts.in_certifying,
    "publishing": acts.in_failing_publication,
    "appeal": acts.in_appeal_window,
    "marks": expired,
}


async def test_a_case_in_each_stage_that_waits_is_counted_again(client: Client, place: Place) -> None:
    notice = imports.days_off(60)
    async with working_office(client, place, Channel()) as office:
        bases = {stage: await reach(office) for stage, reach in WAITING.items()}
        await until(lambda: bases["marks"].case.stage is Stage.SETTLING, "the old term has ended")
        before = {stage: base.case for stage, base in bases.items()}
        outcome = await imports.imported(office, notice, "each-stage")
        assert (outcome.told, outcome.moved, outcome.left) == (len(WAITING), len(WAITING), 0)
        for stage, base in bases.items():
            assert base.case == counted(before[stage], notice, datetime.now(UTC)), stage
            assert await acts.known_to_workflow(base) == base.case
            following, first = base.case.next_event, before[stage].next_event
            assert following is not None and first is not None
            assert stage == "publishing" or following.at > first.at  # the channel is asked again as planned
            assert abs(await timer_fires_at(base) - following.at) < SLACK, f"{stage}: the timer is re-armed"
            acts.check_books(base)


async def test_a_case_with_nothing_on_the_calendar_is_hardly_woken(client: Client, place: Place) -> None:
    async with working_office(client, place) as office:
        valid, review = await acts.in_valid(office), await acts.in_review(office)
        case, events = valid.case, [len(await newest_run(base)) for base in (valid, review)]
        outcome = await imports.imported(office, imports.days_off(60), "valid")
        assert (outcome.told, outcome.moved, outcome.left) == (2, 1, 0)
        assert valid.case == case and recounts(valid) == []
        cost = [len(await newest_run(base)) - before for base, before in zip((valid, review), events, strict=True)]
        assert cost[0] == 4, "the signal and one workflow task"
        assert cost[1] <= 8, "its timer and the search attributes as well"
        # Told of it long before, at the year's end it counts with it from the first.
        assert case.term is not None
        await valid.forward_to(case.term.until)
        assert valid.case.stage is Stage.SETTLING
        assert recounts(valid) == []
        assert await acts.known_to_workflow(valid) == valid.case


async def test_told_twice_it_is_counted_once(client: Client, place: Place) -> None:
    notice = imports.days_off(60)
    async with working_office(client, place) as office:
        base = await acts.in_review(office)
        await imports.imported(office, notice, "once")
        case = base.case
        for _ in range(2):
            await base.handle.signal("calendar_changed", notice.reference)
        await base.handle.signal("calendar_changed", {"no": "notice"})  # what can't be read is passed over
        assert await acts.known_to_workflow(base) == base.case == case
        markers = [e for e in await newest_run(base) if e.event_type == EventType.EVENT_TYPE_MARKER_RECORDED]
        assert len(markers) == 1
        assert len(recounts(base)) == 1


async def test_a_second_notice_is_counted_after_the_first(client: Client, place: Place) -> None:
    async with working_office(client, place) as office:
        base = await acts.in_review(office)
        await imports.imported(office, imports.days_off(30), "first")
        between = base.case.due_at
        outcome = await imports.imported(office, imports.days_off(60), "second")
        assert outcome.moved == 1
        assert base.case.due_at is not None and between is not None and base.case.due_at > between
        assert len({detail["notice"]["sha256"] for detail in recounts(base)}) == 2
        acts.check_books(base)


async def test_a_case_opened_after_the_import_counts_with_the_notice(client: Client, place: Place) -> None:
    notice = imports.days_off(60)
    async with working_office(client, place) as office:
        await imports.send(office, imports.command(notice, "opened-later"))
        base = await acts.in_review(office)
        (task,) = base.case.tasks
        assert task.counted is not None
        assert task.counted.calendar == shipped_calendar().with_notice(notice).version
        assert counted(base.case, notice, datetime.now(UTC)) is None


async def test_the_same_content_is_one_import(client: Client, place: Place) -> None:
    notice = imports.days_off(60)
    async with working_office(client, place) as office:
        base = await acts.in_review(office)
        first = await imports.send(office, imports.command(notice, "r-1"))
        assert (first.repeated, first.year, first.source, first.live_cases) == (False, notice.year, notice.source, 1)
        assert first.calendar_version == shipped_calendar().with_notice(notice).version
        assert (await imports.result(office, notice)).moved == 1
        case = base.case

        again = await imports.send(office, imports.command(notice, "r-1"), "again")
        assert again == first.model_copy(update={"repeated": True})
        other = await imports.send(office, imports.command(notice, "r-2"))
        assert (other.repeated, other.request_id) == (True, "r-2")
        outcome = await imports.result(office, notice)
        assert (outcome.told, outcome.moved, outcome.left) == (0, 1, 0), "nobody missed it"
        assert base.case == case
        assert len(CalendarStore(office.engine).imported()) == 1
        async with refused(RefusalKind.REQUEST_ID_REUSED):
            await base.do(TakeReview, REVIEWER, "r-1")


async def test_two_imports_of_one_content_at_once_meet_in_one_workflow(client: Client, place: Place) -> None:
    notice = imports.days_off(60)
    async with working_office(client, place) as office:
        await acts.in_review(office)
        commands = [imports.command(notice, f"at-once-{number}") for number in range(4)]
        answers = await asyncio.gather(*(imports.send(office, command) for command in commands))
        assert sorted(answer.repeated for answer in answers) == [False, True, True, True]
        assert (await imports.result(office, notice)).moved == 1
        assert len(CalendarStore(office.engine).imported()) == 1


async def test_who_missed_it_is_told_when_it_is_imported_again(client: Client, place: Place) -> None:
    """The first import's workflow was ended by hand before it had told anybody."""
    notice = imports.days_off(60)
    async with working_office(client, place) as office:
        missed, valid = await acts.in_review(office), await acts.in_valid(office)
        with CalendarStore(office.engine).importing() as tx:
            tx.add(notice, "operator:sun", datetime.now(UTC))
        await armed(client, valid.workflow_id)
        events = len(await newest_run(valid))
        outcome = await imports.imported(office, notice, "again")
        assert (outcome.told, outcome.moved, outcome.left) == (1, 1, 0)
        assert len(recounts(missed)) == 1
        assert len(await newest_run(valid)) == events


async def test_what_is_refused_leaves_nothing(client: Client, place: Place) -> None:
    notice = imports.days_off(60)
    async with working_office(client, place) as office:
        base = await acts.in_review(office)
        async with refused(RefusalKind.ROLE_NOT_ALLOWED):
            await imports.send(office, imports.command(notice, "r", FINANCE))
        async with refused(RefusalKind.INVALID_VALUE):
            await imports.send(office, imports.command(imports.days_off(5), "r", content=notice.canonical()))
        lacking = notice.model_copy(update={"year": notice.year + 1})  # that year's holidays are not named
        async with refused(RefusalKind.INVALID_FILE) as refusal:
            await imports.send(office, imports.command(lacking, "r"))
        assert {problem.path for problem in refusal.value.problems} == {"holidays"}
        async with refused(RefusalKind.INVALID_FILE):
            await imports.send(office, imports.command(notice, "r", content="{"))
        await base.do(TakeReview, REVIEWER, "used-by-a-case")
        async with refused(RefusalKind.REQUEST_ID_REUSED):
            await imports.send(office, imports.command(notice, "used-by-a-case"))
        assert CalendarStore(office.engine).imported() == []
        assert recounts(base) == []


async def test_a_case_that_ended_meanwhile_is_passed_over_and_a_retry_goes_on_where_it_was(
    client: Client, place: Place
) -> None:
    """Cases on record whose workflows are gone, told by an attempt that takes up a lost one's heartbeat."""
    office = Office(client, place)
    cases = CalendarActivities(
        CaseDesk(office.cases, office.documents, policy_book()), CalendarStore(office.engine), policy_book(), client
    )
    bases = sorted([await gone(office) for _ in range(5)])
    notice = imports.days_off(60).reference
    given = (notice, Told(), False, datetime.now(UTC))
    assert await ActivityEnvironment().run(cases.tell_live_cases, *given) == Told(after=bases[-1], gone=5, more=False)
    environment = ActivityEnvironment()
    heartbeat = Told(after=bases[1], told=2).model_dump(mode="json")
    environment.info = dataclasses.replace(environment.info, heartbeat_details=[heartbeat])
    told = await environment.run(cases.tell_live_cases, *given)
    assert told == Told(after=bases[-1], told=2, gone=3, more=False)


async def gone(office: Office) -> str:
    """A case on record without a workflow; its workflow id."""
    base = await acts.resumed(office, datetime.now(UTC), published=False)
    await base.handle.terminate()
    return base.workflow_id


async def test_a_worker_killed_mid_way_leaves_every_case_counted_once(
    client: Client, server: LocalServer, tmp_path: Path, postgres: PostgresServer, migrated_name: str
) -> None:
    """Around the commit of the first recount, beside the telling; both at once, since each waits for timeouts."""
    folders = [tmp_path / when for when in ("before", "after")]
    for folder in folders:
        folder.mkdir()
    after = Place(folders[1], postgres.url("killed_mid_way", like=migrated_name))
    await asyncio.gather(
        killed_mid_way(client, server, folders[0], "before"), killed_mid_way(client, server, after, "after")
    )


async def killed_mid_way(
    client: Client, server: LocalServer, place: Place | Path, when: Literal["before", "after"]
) -> None:
    notice = imports.days_off(60)
    office = Office(client, place)
    bases = await live_cases(office, 10, datetime.now(UTC))
    before = {base.workflow_id: base.case for base in bases}
    async with worker_fork(office, server.address, Death("recount_deadlines", when)) as worker:
        sending = asyncio.create_task(imports.send(office, imports.command(notice, f"killed-{when}")))
        await worker.died()
    assert sum(len(recounts(base)) for base in bases) < 8
    async with office.worker():
        answer = await asyncio.wait_for(sending, RECOVERY)
        assert answer.live_cases == 10
        outcome = await asyncio.wait_for(imports.result(office, notice), 2 * RECOVERY)
        assert (outcome.told, outcome.moved, outcome.left) == (10, 8, 0)
        for base in bases:
            expected = counted(before[base.workflow_id], notice, datetime.now(UTC))
            assert base.case == (expected or before[base.workflow_id])
            assert len(recounts(base)) == (expected is not None)
            assert await acts.known_to_workflow(base) == base.case
            acts.check_books(base)


async def test_a_notice_that_meets_a_run_continued_as_new_is_neither_lost_nor_counted_twice(place: Place) -> None:
    async with await LocalServer.start(None, web=False, dynamic_config={SUGGESTED: 15}) as server:
        client = await connect(server.target, identity="tests")
        async with working_office(client, place) as office:
            base = await acts.in_deposit(office)
            notices = [imports.days_off(30), imports.days_off(60)]
            payments = [acts.payment(base, 1_000, f"{base.credit_code}-{number}") for number in range(40)]
            sent: list[Awaitable[Any]] = [patiently(partial(base.send, payment)) for payment in payments]
            for number, notice in enumerate(notices):
                sent.insert(10 * number + 5, imports.send(office, imports.command(notice, f"meets-{number}")))
            for ten in (sent[start : start + 10] for start in range(0, len(sent), 10)):
                await asyncio.gather(*ten)
            outcomes = [await imports.result(office, notice) for notice in notices]
            assert [(outcome.told, outcome.left) for outcome in outcomes] == [(1, 0), (1, 0)]
            assert base.case.deposit.received == 40_000
            assert 1 <= len(recounts(base)) <= 2, "the second may have been in when the first was counted"
            assert counted(base.case, notices[1], datetime.now(UTC)) is None
            assert await acts.known_to_workflow(base) == base.case
            acts.check_books(base)
            runs = [run async for run in histories.runs(client, base.workflow_id)]
            assert len(runs) > 3


@only_on("postgresql")
async def test_fifty_live_cases(client: Client, place: Place) -> None:
    """In five stages: forty have a deadline on the calendar. The bench does it with a thousand."""
    notice = imports.days_off(60)
    async with working_office(client, place) as office:
        bases = await live_cases(office, 50, datetime.now(UTC))
        before = {base.workflow_id: base.case for base in bases}
        answer = await imports.send(office, imports.command(notice, "fifty"))
        assert answer.live_cases == 50
        outcome = await imports.result(office, notice)
        assert (outcome.told, outcome.gone, outcome.moved, outcome.left) == (50, 0, 40, 0)
        for base in bases:
            expected = counted(before[base.workflow_id], notice, datetime.now(UTC))
            assert base.case == (expected or before[base.workflow_id])
        assert {base.case.stage for base in bases} == set(STAGES)
        (imported,) = CalendarStore(office.engine).imported()
        assert (imported.cases_moved, imported.imported_by) == (40, "operator:sun")
