"""Imported calendar notices: append-only, part of every transaction's calendar, and the live cases they reach."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import DBAPIError

from domain import ending
from domain.commands import Actor, Answer, ImportAnswer, ImportCalendar, Withdraw, import_workflow_id
from domain.notices import Notice
from domain.recounting import recount
from domain.setting import Setting
from domain.stages import Role
from store.calendar import CalendarStore
from store.cases import CaseStore
from store.queries import Reader
from store.reference import shipped_calendar, shipped_notices
from tests.databases import only_on
from tests.domain import cases
from tests.domain.notices import complete, revision
from tests.store.first_year import Enterprise, write

AT = datetime(2026, 11, 24, 2, tzinfo=UTC)
OPERATOR = Actor(role=Role.OPERATOR, name="sun")
NEW_YEAR = complete(working=[date(2026, 12, 26)])


@pytest.fixture
def notices(engine: Engine) -> CalendarStore:
    return CalendarStore(engine)


def put(notices: CalendarStore, notice: Notice, at: datetime = AT) -> bool:
    with notices.importing() as tx:
        return tx.add(notice, str(OPERATOR), at)


def opened(store: CaseStore, number: int, *, opened_at: datetime = cases.OPENED) -> Enterprise:
    enterprise = Enterprise(number=f"LB-2026-{number:06}", opened=opened_at)
    write(store, enterprise.opened())
    return enterprise


class TestTheCalendar:
    def test_it_is_the_shipped_one_until_a_notice_is_in(self, notices: CalendarStore, store: CaseStore) -> None:
        assert notices.calendar().version == shipped_calendar().version
        assert put(notices, NEW_YEAR)
        expected = shipped_calendar().with_notice(NEW_YEAR)
        assert notices.calendar().version == expected.version != shipped_calendar().version
        with store.transaction("base:x:1") as tx:
            assert tx.calendar().deadline(date(2026, 12, 23), 7).deadline == date(2026, 12, 31)

    def test_it_is_parsed_once_per_set_of_notices(self, notices: CalendarStore) -> None:
        assert notices.calendar() is notices.calendar()
        before = notices.calendar()
        put(notices, NEW_YEAR)
        assert notices.calendar() is notices.calendar() is not before

    def test_a_transaction_pays_one_small_query_for_it(self, notices: CalendarStore, store: CaseStore) -> None:
        put(notices, NEW_YEAR)
        statements: list[str] = []
        with store.transaction("base:x:1") as tx:
            listening = (store._engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
            event.listen(*listening)
            tx.calendar()
            event.remove(*listening)
        assert len(statements) == 1 and "calendar_notices.content" in statements[0]

    def test_a_later_published_notice_wins_whatever_was_imported_first(self, notices: CalendarStore) -> None:
        day = date(2026, 11, 30)
        put(notices, revision(off=[day], published_on="2026-11-22"), AT)
        put(notices, revision(working=[day], published_on="2026-11-21"), AT + timedelta(hours=1))
        assert not notices.calendar().is_working_day(day)

    def test_of_two_published_on_one_day_the_later_imported_wins(self, notices: CalendarStore) -> None:
        day = date(2026, 11, 30)
        put(notices, revision(working=[day]), AT + timedelta(hours=1))
        put(notices, revision(off=[day]), AT)
        assert notices.calendar().is_working_day(day)

    def test_a_notice_that_is_shipped_as_well_counts_once(self, notices: CalendarStore) -> None:
        assert put(notices, shipped_notices()[-1])
        assert notices.calendar().version == shipped_calendar().version


class TestImporting:
    def test_it_is_on_record_with_its_content_by_whom_and_when(self, notices: CalendarStore) -> None:
        put(notices, NEW_YEAR)
        (imported,) = notices.imported()
        assert (imported.notice, imported.imported_by, imported.at) == (NEW_YEAR, "operator:sun", AT)
        assert (imported.notice.sha256, imported.cases_moved) == (NEW_YEAR.sha256, 0)

    def test_the_same_content_is_one_notice(self, notices: CalendarStore) -> None:
        assert put(notices, NEW_YEAR)
        assert not put(notices, NEW_YEAR, AT + timedelta(days=1))
        assert [imported.at for imported in notices.imported()] == [AT]

    @pytest.mark.parametrize("change", ["UPDATE calendar_notices SET content = '{}'", "DELETE FROM calendar_notices"])
    def test_a_notice_is_never_changed(self, notices: CalendarStore, engine: Engine, change: str) -> None:
        put(notices, NEW_YEAR)
        with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
            connection.execute(text(change))

    def test_an_import_that_fails_leaves_nothing(self, notices: CalendarStore) -> None:
        def fail() -> None:
            with notices.importing() as tx:
                assert tx.add(NEW_YEAR, "operator:sun", AT)
                assert tx.calendar.years >= {2027}
                raise RuntimeError

        with pytest.raises(RuntimeError):
            fail()
        assert notices.imported() == []
        assert notices.calendar().version == shipped_calendar().version

    def test_its_answer_is_kept_beside_those_of_cases(
        self, notices: CalendarStore, store: CaseStore, reader: Reader
    ) -> None:
        command = ImportCalendar(
            request_id="r",
            workflow_id=import_workflow_id(NEW_YEAR.reference),
            actor=OPERATOR,
            content=NEW_YEAR.canonical(),
        )
        answer = ImportAnswer(request_id="r", accepted_at=AT, year=2027, source="s", calendar_version="v", live_cases=7)
        with notices.importing() as tx:
            assert tx.answered("r") is None
            tx.remember(command, answer, AT)
        assert reader.kept("r") == (command.params_hash(), answer.model_dump(mode="json"))
        # A case's command under the same request id is told apart by its parameters.
        assert reader.answered("r") == (command.params_hash(), None)
        with store.transaction("base:x:1") as tx:
            assert tx.answered("r") == (command.params_hash(), None)

    def test_a_cases_answer_is_none_of_a_notice(self, store: CaseStore, reader: Reader) -> None:
        case = Enterprise().stored(store, "application_received")
        answer = Answer(
            request_id="c", accepted_at=AT, case_number=case.case_number, stage=case.stage,
            standing=case.standing(AT), revision=1, awaiting=case.awaiting, due_at=case.due_at,
        )  # fmt: skip
        command = cases.command(ImportCalendar, OPERATOR, content="{}").model_copy(update={"request_id": "c"})
        with store.transaction(case.workflow_id) as tx:
            tx.remember(command, answer, AT)
        assert reader.kept("c") == (command.params_hash(), answer.model_dump(mode="json"))

    def test_whoever_decided_without_the_notice_has_committed_before_it_is_in(
        self, notices: CalendarStore, store: CaseStore
    ) -> None:
        """So that a case told of the notice afterwards is never followed by a deadline of the old calendar."""
        order: list[str] = []
        decided, may_commit = threading.Event(), threading.Event()

        def decide() -> None:
            with store.transaction("base:x:1") as tx:
                assert 2027 not in tx.calendar().years
                decided.set()
                assert may_commit.wait(10)
                order.append("decided")

        def bring_in() -> None:
            put(notices, NEW_YEAR)
            order.append("imported")

        threads = [threading.Thread(target=decide), threading.Thread(target=bring_in)]
        threads[0].start()
        assert decided.wait(10)
        threads[1].start()
        threads[1].join(0.3)
        may_commit.set()
        for thread in threads:
            thread.join(10)
        assert order == ["decided", "imported"]

    @only_on("postgresql")
    def test_whoever_begins_meanwhile_waits_for_the_notice(self, notices: CalendarStore, store: CaseStore) -> None:
        seen: list[int] = []

        def decide() -> None:
            with store.transaction("base:x:1") as tx:
                seen.append(max(tx.calendar().years))

        with notices.importing() as tx:
            tx.add(NEW_YEAR, "operator:sun", AT)
            thread = threading.Thread(target=decide)
            thread.start()
            thread.join(0.3)
            assert seen == []
        thread.join(10)
        assert seen == [2027]


class TestLiveCases:
    def test_pages_go_on_where_the_last_one_ended_and_skip_nobody(
        self, notices: CalendarStore, store: CaseStore
    ) -> None:
        """Cases end and begin while the pages are read: each that was there and stays is read once."""
        first = [opened(store, number) for number in range(1, 8)]
        read: list[str] = []
        page = notices.live_cases("", 3)
        read += [live.workflow_id for live in page]
        gone = next(one for one in first if one.workflow_id == read[0])
        close(store, gone)  # with an offset, the next page would skip one now
        later = opened(store, 8)
        while page := notices.live_cases(read[-1], 3):
            read += [live.workflow_id for live in page]
        assert len(read) == len(set(read))
        assert {one.workflow_id for one in first} <= set(read)
        assert read == sorted(read)
        assert later.workflow_id > read[0]

    def test_closed_cases_are_not_live_and_ended_ones_with_open_duties_are(
        self, notices: CalendarStore, store: CaseStore
    ) -> None:
        settling = Enterprise(number="LB-2026-000001").stored(store, "certification_expired")
        closed = opened(store, 2)
        close(store, closed)
        assert [live.workflow_id for live in notices.live_cases("", 10)] == [settling.workflow_id]
        with notices.importing() as tx:
            assert tx.count_live_cases() == 1

    def test_each_with_its_clock(self, notices: CalendarStore, store: CaseStore) -> None:
        enterprise = opened(store, 1)
        store.record_clock(enterprise.workflow_id, timedelta(days=3))
        (live,) = notices.live_cases("", 10)
        assert live.clock_offset == timedelta(days=3)
        with store.transaction(enterprise.workflow_id) as tx:
            assert live.case == tx.case

    def test_what_a_notice_moved_is_counted_by_case(self, notices: CalendarStore, store: CaseStore) -> None:
        opened_at = datetime(2026, 12, 23, 2, tzinfo=UTC)
        moving = [opened(store, number, opened_at=opened_at) for number in (1, 2)]
        opened(store, 3)  # in March: its deadlines are not touched
        put(notices, NEW_YEAR)
        other = revision(off=[date(2027, 1, 5)], year=2027)
        put(notices, other)
        for enterprise in moving:
            with store.transaction(enterprise.workflow_id) as tx:
                assert tx.case is not None
                policy = cases.setting(opened_at).policy
                setting = Setting(opened_at, policy, shipped_calendar().with_notice(NEW_YEAR), policy)
                transition = recount(tx.case, setting, NEW_YEAR.reference)
                assert transition is not None
                tx.write(transition)
        assert notices.cases_moved(NEW_YEAR.sha256) == 2
        assert notices.cases_moved(other.sha256) == 0
        assert [imported.cases_moved for imported in notices.imported() if imported.notice == NEW_YEAR] == [2]


def close(store: CaseStore, enterprise: Enterprise) -> None:
    with store.transaction(enterprise.workflow_id) as tx:
        assert tx.case is not None
        withdraw = cases.command(Withdraw, cases.APPLICANT, reason="other plans")
        tx.write(ending.withdraw(tx.case, withdraw, cases.setting(enterprise.opened_at)))
