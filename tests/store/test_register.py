"""The official list as it is read, on both databases, with nobody running."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, insert, text

from domain.listed import Seen, seen
from store.cases import CaseStore
from store.engine import open_engine
from store.register import ListReader, Look, Shown, certificate_number
from store.roles import REGISTER
from store.tables import CaseRow, ListRow
from tests.databases import only_on
from tests.postgres import PostgresServer
from tests.register.bases import LISTED, Base, moved
from tests.store.first_year import HOUR, Enterprise

DAY, TICK = timedelta(days=1), timedelta(microseconds=1)
NOW = LISTED + 3 * HOUR


@pytest.fixture
def reading(engine: Engine) -> ListReader:
    return ListReader(engine)


def numbers(reading: ListReader, look: Look = Look(), now: datetime = NOW) -> list[str]:  # noqa: B008
    return [one.number for one in reading.page(look, now, 100).certificates]


def found(reading: ListReader, text: str, shown: Shown = "all", region: str = "") -> list[str]:
    return numbers(reading, Look(text, shown, region))


class TestSearch:
    @pytest.fixture
    def bases(self, store: CaseStore) -> list[Base]:
        return [
            Base(store, 1),
            Base(store, 2, name="Cloudmarket (HK) Co., Ltd. 直播基地", place="广东省深圳市前海大道1号").suspended(),
            Base(store, 3, name="100%_好\\直播基地", holder="临沂兰山商贸有限公司", place="山东省临沂市").revoked(),
        ]

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("义乌北苑", [1]),
            ("云集路88号", [1]),
            ("云集路\uff18\uff18号", [1]),
            ("cloudmarket(hk)co ltd", [2]),
            ("CLOUDMARKET", [2]),
            ("兰山", [3]),
            ("100%_", [3]),
            ("1%好", []),
            ("義烏北苑淘寶直播基地", [1]),
            ("Ｃｌоudmаrket", [2]),
            ("_", [3]),
            ("\\", [3]),
            ("直播基地", [3, 2, 1]),
            ("没有的", []),
            ("LBC-2026-000002", [2]),
            ("lbc-2026-000002", [2]),
            (" LBC - 2026 - 000002 ", [2]),
            ("LBC-2026-000009", []),
            ("LB-2026-000001", []),
            ("内部核查", []),
            ("刷单", []),
        ],
    )  # fmt: skip
    def test_by_what_people_type(self, reading: ListReader, bases: list[Base], text: str, expected: list[int]) -> None:
        assert found(reading, text) == [bases[n - 1].number for n in expected]

    def test_by_credit_code(self, reading: ListReader, bases: list[Base]) -> None:
        for base in bases:
            assert found(reading, base.credit_code.lower()) == [base.number]
        assert found(reading, bases[0].credit_code[:17]) == []

    def test_by_status_and_region(self, reading: ListReader, bases: list[Base]) -> None:
        of = {shown: numbers(reading, Look(shown=shown)) for shown in ("listed", "suspended", "ended", "all")}
        one, two, three = (base.number for base in bases)
        assert of == {"listed": [two, one], "suspended": [two], "ended": [three], "all": [three, two, one]}
        assert numbers(reading, Look(region="广东")) == [two]
        assert found(reading, "直播", region="山东") == [three]
        assert numbers(reading, Look(region="山东")) == [], "what has ended is not on the list"

    def test_counted(self, reading: ListReader, bases: list[Base]) -> None:
        assert [reading.count(Look(shown=shown), NOW) for shown in ("listed", "suspended", "ended", "all")] == [
            2,
            1,
            1,
            3,
        ]


def test_page_by_page_there_and_back(store: CaseStore, reading: ListReader) -> None:
    listed = [Base(store, n).number for n in range(1, 8)][::-1]
    first = reading.page(Look(), NOW, 3)
    assert ([one.number for one in first.certificates], first.more_before, first.more_after) == (
        listed[:3],
        False,
        True,
    )
    second = reading.page(Look(after=listed[2]), NOW, 3)
    assert ([one.number for one in second.certificates], second.more_before, second.more_after) == (
        listed[3:6],
        True,
        True,
    )
    last = reading.page(Look(after=listed[5]), NOW, 3)
    assert ([one.number for one in last.certificates], last.more_after) == (listed[6:], False)
    back = reading.page(Look(before=listed[6]), NOW, 3)
    assert ([one.number for one in back.certificates], back.more_before) == (listed[3:6], True)
    assert not reading.page(Look(before=listed[3]), NOW, 3).more_before


class TestFailingClosed:
    """With nobody running: no worker, no server, nothing but the database."""

    def test_a_term_that_is_over_is_over(self, store: CaseStore, reading: ListReader) -> None:
        base = Base(store)
        end = base.case.terms[0].until
        assert numbers(reading, now=end - TICK) == [base.number]
        assert numbers(reading, now=end) == []
        assert numbers(reading, Look(shown="ended"), end) == [base.number]
        one, changes = reading.certificate(base.number, end - TICK) or (None, None)
        assert one is not None and (one.seen, changes) == (Seen.CERTIFIED, end)
        one, _ = reading.certificate(base.number, end) or (None, None)
        assert one is not None and (one.seen, one.ending, one.since) == (Seen.ENDED, "expired", end)
        assert reading.everything(end) == []

    def test_revoked_it_is_gone_with_the_decision(self, store: CaseStore, reading: ListReader) -> None:
        base = Base(store).revoked()
        assert numbers(reading) == [] and reading.everything(NOW) == []
        one, _ = reading.certificate(base.number, NOW) or (None, None)
        assert one is not None and (one.ending, one.reason) == ("revoked", None)
        assert base.case.appeal_until is not None
        later, _ = reading.certificate(base.number, base.case.appeal_until) or (None, None)
        assert later is not None and later.reason == "组织刷单"

    def test_an_ending_on_record_counts_whatever_the_list_says(
        self, store: CaseStore, engine: Engine, reading: ListReader
    ) -> None:
        base = Base(store)
        with engine.begin() as connection:
            connection.execute(text("UPDATE cases SET ended = :yes"), {"yes": True})
        assert numbers(reading) == [] and reading.everything(NOW) == []
        assert numbers(reading, Look(shown="ended")) == [base.number]
        one, _ = reading.certificate(base.number, NOW) or (None, None)
        assert one is not None and one.seen is Seen.ENDED

    def test_a_clock_that_was_moved_counts(self, store: CaseStore, engine: Engine, reading: ListReader) -> None:
        base, other = Base(store, 1), Base(store, 2)
        end = base.case.terms[0].until
        moved(engine, base.case.case_number, end - NOW)
        assert numbers(reading) == [other.number]
        assert [one.number for one in reading.everything(NOW)] == [other.number]
        assert numbers(reading, now=NOW - TICK) == [other.number, base.number]
        assert reading.next_change(NOW - TICK) == NOW

    def test_what_is_certified_and_not_published_is_not_known(self, store: CaseStore, reading: ListReader) -> None:
        enterprise = Enterprise()
        case = enterprise.stored(store, "base_certified")
        number = case.terms[0].certificate_number
        assert reading.certificate(number, NOW) is None
        assert found(reading, number) == found(reading, case.credit_code) == found(reading, case.name) == []


def test_certified_then_as_it_was_and_as_it_was_known(store: CaseStore, reading: ListReader) -> None:
    base = Base(store).revoked(NOW)
    before, known = reading.certificate_at(base.number, NOW - TICK)
    assert before is not None and known is not None and before.certified and known.certified
    after, known = reading.certificate_at(base.number, NOW)
    assert after is not None and known is not None and not after.certified and not known.certified
    assert reading.certificate_at(base.number, LISTED - DAY) == (None, None)
    assert reading.certificate_at("LBC-2026-999999", NOW) == (None, None)


def test_changes_newest_first_without_what_is_not_told(store: CaseStore, engine: Engine, reading: ListReader) -> None:
    base = Base(store).suspended().revoked()
    assert [one.certificate.seen for one in reading.changes(NOW, 10)] == [Seen.ENDED, Seen.SUSPENDED, Seen.CERTIFIED]
    row = ListRow.__table__
    with engine.begin() as connection:  # as an appeal that is filed leaves it
        last = connection.execute(row.select().where(row.c.revision == 3)).mappings().one()
        appealed = {**last, "revision": 4, "reason": None, "reasons_from": None, "at": NOW}
        connection.execute(insert(ListRow), appealed)
    assert [one.revision for one in reading.changes(NOW, 10)] == [3, 2, 1]
    assert base.case.appeal_until is not None
    one, _ = reading.certificate(base.number, base.case.appeal_until) or (None, None)
    assert one is not None and one.reason is None, "kept back until it is decided"


def test_a_next_term_that_never_began_is_told_nowhere(store: CaseStore, engine: Engine, reading: ListReader) -> None:
    """Renewed, and revoked while the next term waited for its day."""
    base = Base(store)
    term, row = base.case.terms[0], ListRow.__table__
    following = base.number.replace("2026", "2027")
    with engine.begin() as connection:
        first = connection.execute(row.select()).mappings().one()
        waits = {"certificate_number": following, "valid_from": term.until, "valid_until": term.until + 365 * DAY}
        renewed = {**first, **waits, "revision": 2, "effective_from": term.until, "at": LISTED + TICK}
        connection.execute(insert(ListRow), renewed)
    base._revision = 2
    base.revoked()
    now = term.until + DAY
    assert reading.certificate(following, now) is None and numbers(reading, Look(following, "all"), now) == []
    assert numbers(reading, Look(shown="all"), now) == numbers(reading, Look(shown="ended"), now) == [base.number]
    assert [(one.revision, one.certificate.number) for one in reading.changes(now, 10)] == [
        (3, base.number),
        (1, base.number),
    ]


def test_the_query_and_the_rule_never_differ(store: CaseStore, engine: Engine, reading: ListReader) -> None:
    """Whatever histories entries have: what the query lists is what the rule lists, at every instant of change."""
    chance = random.Random(3)
    bases = [Base(store, n) for n in range(1, 9)]
    with engine.begin() as connection:
        for base in bases:
            for revision in range(2, chance.randint(2, 7)):
                start = LISTED + timedelta(days=chance.randint(0, 500))
                second = chance.random() < 0.4
                values: dict[str, Any] = {
                    "case_number": base.case.case_number,
                    "revision": revision,
                    "state": chance.choice(("published", "suspended", "withdrawn")),
                    "certificate_number": base.number if not second else base.number.replace("2026", "2027"),
                    "name": base.case.name,
                    "valid_from": base.case.terms[0].until if second else base.case.terms[0].from_,
                    "valid_until": base.case.terms[0].until + (365 * DAY if second else timedelta(0)),
                    "effective_from": start,
                    "credit_code": base.credit_code,
                    "holder": "h",
                    "place": "p",
                    "searched": "s",
                    "skeleton": "s",
                    "at": start - chance.choice((0, 0, 20, 200)) * DAY,
                }
                connection.execute(insert(ListRow), values)
            ended = {"ended": chance.random() < 0.2, "clock_offset_ms": chance.choice((0, 0, 86_400_000))}
            connection.execute(
                CaseRow.__table__.update().where(CaseRow.case_number == base.case.case_number).values(ended)
            )
    with engine.connect() as connection:
        rows = connection.execute(ListRow.__table__.select()).all()
        about = {row.case_number: row for row in connection.execute(CaseRow.__table__.select())}
    instants = {moment for row in rows for moment in (row.effective_from, row.valid_until)}
    seen_at: set[Seen] = set()
    every = sorted(moment + shift for moment in instants for shift in (-TICK, timedelta(0)))
    for now in chance.sample(every, 16):
        expected = {}
        for number in {row.certificate_number for row in rows}:
            own = next(row.case_number for row in rows if row.certificate_number == number)
            ahead = timedelta(milliseconds=about[own].clock_offset_ms)
            of_case = [row for row in rows if row.case_number == own]
            one = seen(of_case, number, now + ahead, case_ended=about[own].ended)
            if one is not None:
                expected[number] = one.seen
        for shown, wanted in (
            ("listed", {Seen.CERTIFIED, Seen.SUSPENDED}),
            ("suspended", {Seen.SUSPENDED}),
            ("ended", {Seen.ENDED}),
            ("all", set(Seen)),
        ):
            theirs = {number for number, how in expected.items() if how in wanted}
            look = Look(shown=shown)  # type: ignore[arg-type]
            assert (set(numbers(reading, look, now)), reading.count(look, now)) == (theirs, len(theirs)), (shown, now)
        assert {one.number for one in reading.everything(now)} == {
            number for number, how in expected.items() if how is not Seen.ENDED
        }
        seen_at |= set(expected.values())
    assert seen_at == set(Seen)


@only_on("postgresql")
def test_the_list_s_own_user_can_answer_everything(store: CaseStore, url: str, postgres: PostgresServer) -> None:
    base = Base(store).suspended()
    engine = open_engine(postgres.url_as(REGISTER, url), read_only=True)
    reading = ListReader(engine)
    assert numbers(reading) == [base.number] == [one.number for one in reading.everything(NOW)]
    assert reading.count(Look("义乌"), NOW) == reading.revision() - 1 == 1
    assert reading.certificate(base.number, NOW) and reading.changes(NOW, 9) and reading.next_change(NOW)
    assert reading.installation()[1] is True
    engine.dispose()


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("LBC-2026-000001", "LBC-2026-000001"),
        ("lbc-2026-000001 ", "LBC-2026-000001"),
        ("LBC-2026-1", None),
        ("LBC-2026-000001\n", "LBC-2026-000001"),
        ("LBC-2026-000001/..", None),
        ("LBC-2026-00000１", "LBC-2026-000001"),
        ("LBC-2026-00000٣", None),
        ("", None),
    ],
)  # fmt: skip
def test_numbers_as_people_type_them(typed: str, number: str | None) -> None:
    assert certificate_number(typed) == number
