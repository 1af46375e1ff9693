"""Writing cases: every transition whole or not at all, once per key, and what the database itself refuses."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from audit.verifier import verify
from domain.case import Case
from domain.commands import Answer, ReceiveDeposit
from domain.records import Decision, Payment
from domain.stages import Role, Stage, Standing
from store import tables
from store.auditing import AuditReader
from store.cases import CaseStore, LiveCaseExists
from store.engine import open_engine
from store.migrate import migrate
from tests.databases import only_on
from tests.documents import pseudonym
from tests.domain import cases, deductions
from tests.store.first_year import OPENED, Enterprise, write

TOGETHER = 8


def count(engine: Engine, table: type[tables.Table]) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def column(engine: Engine, attribute: Any, *order: Any) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(select(attribute).order_by(*order or (attribute,))).scalars())


def at_once(what: Callable[[int], Any], times: int = TOGETHER) -> list[Any]:
    """Results and exceptions of calls that all begin together."""
    barrier = threading.Barrier(times)

    def call(number: int) -> Any:
        barrier.wait()
        try:
            return what(number)
        except Exception as error:
            return error

    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(call, range(times)))


class TestTheFirstYear:
    def test_every_transition_reads_back_as_it_was_written(self, store: CaseStore) -> None:
        for transition in Enterprise().first_year():
            write(store, transition)
            with store.transaction(transition.case.workflow_id) as tx:
                assert tx.case == transition.case

    def test_columns_to_search_by_follow_the_case(self, store: CaseStore, engine: Engine) -> None:
        for transition in Enterprise().first_year():
            write(store, transition)
            case = transition.case
            with engine.connect() as connection:
                row = connection.execute(select(tables.CaseRow.__table__)).mappings().one()
            assert (row["stage"], row["awaiting"]) == (case.stage, case.awaiting)
            assert (row["due_at"], row["sequence"]) == (case.due_at, case.sequence)
            assert row["ended"] is (case.ending is not None)
            assert row["valid_until"] == (case.term.until if case.term else None)
            assert row["local_server"] is True and row["clock_offset_ms"] == 0

    def test_all_records_are_there_once(self, store: CaseStore, engine: Engine) -> None:
        transitions = list(Enterprise().first_year())
        for transition in transitions:
            write(store, transition)
        assert column(engine, tables.AuditRow.event, tables.AuditRow.sequence) == [t.event for t in transitions]
        assert column(engine, tables.ApplicationRow.revision) == [1]
        assert count(engine, tables.FindingRow) == 2 * 13
        assert column(engine, tables.DecisionRow.kind, tables.DecisionRow.sequence) == ["approved", "certified"]
        assert column(engine, tables.PaymentRow.credited) == [4_000_000, 6_000_000]
        lines = zip(
            column(engine, tables.LedgerLine.credit_account, tables.LedgerLine.number),
            column(engine, tables.LedgerLine.amount, tables.LedgerLine.number),
            strict=True,
        )
        assert [(account.split(":")[0], amount) for account, amount in lines] == [
            ("deposit", 4_000_000), ("deposit", 6_000_000), ("unmatched", 1_000_000),
        ]  # fmt: skip
        assert set(column(engine, tables.LedgerLine.debit_account)) == {"bank"}
        assert column(engine, tables.TermRow.certificate_number) == ["LBC-2026-000001"]
        assert column(engine, tables.ListRow.state, tables.ListRow.revision) == ["published", "withdrawn"]
        assert column(engine, tables.BenefitRow.benefit) == ["P1", "P2", "P3", "P4", "P5", "P6"]
        assert column(engine, tables.EvidenceRow.sha256) == ["e" * 64, "f" * 64]
        assert set(column(engine, tables.NoticeRow.state)) == {"pending"}
        letters = sum(type(record).__name__ == "Letter" for t in transitions for record in t.records)
        assert count(engine, tables.NoticeRow) == letters

    def test_the_name_and_marks_take_effect_with_publication_and_all_ends_with_the_term(
        self, store: CaseStore, engine: Engine
    ) -> None:
        enterprise = Enterprise()
        case = enterprise.stored(store, "base_published")
        published = case.publication.published_at if case.publication else None
        starts = column(engine, tables.BenefitRow.effective_from, tables.BenefitRow.benefit)
        assert case.term is not None
        assert starts == [published, *[case.term.from_] * 5]
        assert column(engine, tables.BenefitRow.withdrawn_at) == [None] * 6
        for transition in enterprise.first_year():
            if transition.case.sequence > case.sequence:
                write(store, transition)
        assert set(column(engine, tables.BenefitRow.withdrawn_at)) == {case.term.until}

    def test_what_a_rule_reads_back(self, store: CaseStore) -> None:
        enterprise = Enterprise()
        case = enterprise.stored(store, "certification_expired")
        with store.transaction(case.workflow_id) as tx:
            assert tx.submission(1) == enterprise.submission.sha256
            with pytest.raises(LookupError, match="LB-2026-000001 has no revision 2"):
                tx.submission(2)
            assert tx.list_revision() == 2
            paid = tx.payment("LB-2026-000001-b")
            assert paid is not None and paid.payment == Payment(
                "LB-2026-000001-b", 7_000_000, cases.payer(), OPENED.date(), 6_000_000, 1_000_000,
                "more than the deposit required",
            )  # fmt: skip
            assert (paid.case_number, paid.taken_back) == ("LB-2026-000001", False)
            assert tx.payment("never") is None

    def test_the_audit_chain_is_whole_after_every_step(self, store: CaseStore, engine: Engine) -> None:
        for transition in Enterprise().first_year():
            write(store, transition)
            report = verify(AuditReader(engine).records(["LB-2026-000001"]))
            assert (report.ok, report.entries) == (True, transition.case.sequence)


class TestOnce:
    @pytest.mark.parametrize("ahead", [0, 2])
    def test_a_wrong_sequence_is_refused(self, store: CaseStore, ahead: int) -> None:
        enterprise = Enterprise()
        case = enterprise.stored(store, "review_taken")
        approved = enterprise.approved(case)
        wrong = dataclasses.replace(approved, case=approved.case.model_copy(update={"sequence": case.sequence + ahead}))
        with pytest.raises(ValueError, match="LB-2026-000001 is at 2, not before"):
            write(store, wrong)
        with store.transaction(case.workflow_id) as tx:
            assert tx.case == case

    def test_a_case_opens_at_one(self, store: CaseStore, engine: Engine) -> None:
        opened = Enterprise().opened()
        with pytest.raises(ValueError, match="is at 0, not before 2"):
            write(store, dataclasses.replace(opened, case=opened.case.model_copy(update={"sequence": 2})))
        assert count(engine, tables.CaseRow) == 0

    def test_nothing_of_a_failed_transition_stays(self, store: CaseStore, engine: Engine) -> None:
        opened = Enterprise().opened()
        unknown: Any = object()
        with pytest.raises(TypeError, match="no table for object"):
            write(store, dataclasses.replace(opened, records=(*opened.records, unknown)))
        for table in (tables.CaseRow, tables.AuditRow, tables.ApplicationRow, tables.FindingRow, tables.NoticeRow):
            assert count(engine, table) == 0

    def test_a_transition_is_written_once_though_two_try_at_the_same_moment(
        self, store: CaseStore, engine: Engine
    ) -> None:
        enterprise = Enterprise()
        taken = enterprise.taken(enterprise.stored(store, "application_received"))
        results = at_once(lambda _: write(store, taken))
        assert results.count(None) == 1
        assert {type(result) for result in results if result is not None} == {ValueError}
        assert column(engine, tables.AuditRow.sequence) == [1, 2]

    def test_a_case_number_and_a_certificate_number_are_given_once(self, store: CaseStore) -> None:
        Enterprise().stored(store, "base_certified")
        with pytest.raises(IntegrityError, match="cases"):
            write(store, Enterprise().opened())
        other = Enterprise(number="LB-2026-000002")
        other.certificate_number = "LBC-2026-000001"
        with pytest.raises(IntegrityError, match="certificate_number"):
            other.stored(store, "base_certified")

    def test_a_payment_counts_once_per_reference(self, store: CaseStore, engine: Engine) -> None:
        first, second = Enterprise(), Enterprise(number="LB-2026-000002")
        case, other = (enterprise.stored(store, "application_approved") for enterprise in (first, second))
        write(store, first.paid(case, 500, "B1"))
        with pytest.raises(IntegrityError, match="payments|transfer_key"):
            write(store, second.paid(other, 500, "B1"))
        assert column(engine, tables.LedgerLine.amount) == [500]
        with store.transaction(other.workflow_id) as tx:
            assert tx.case == other
            known = tx.payment("B1")
            assert known is not None and known.case_number == "LB-2026-000001"

    def test_a_transfer_is_booked_once(self, store: CaseStore, engine: Engine) -> None:
        enterprise = Enterprise()
        case = enterprise.stored(store, "application_approved")
        write(store, enterprise.paid(case, 500, "B1"))
        insert = tables.LedgerLine.__table__.insert().values(
            transfer_key="payment:B1:deposit", case_number=case.case_number, sequence=9, debit_account="bank",
            credit_account="deposit:x", amount=1, reference="B1", at=OPENED,
        )  # fmt: skip
        with pytest.raises(IntegrityError, match="transfer_key"), engine.begin() as connection:
            connection.execute(insert)

    def test_a_done_command_is_remembered_for_good(self, store: CaseStore) -> None:
        enterprise = Enterprise()
        case = enterprise.stored(store, "application_approved")
        command = cases.command(ReceiveDeposit, cases.FINANCE, amount=500, reference="B1", payer=cases.payer())
        answer = Answer(
            request_id="r", accepted_at=OPENED, case_number=case.case_number, stage=Stage.DEPOSIT,
            standing=Standing.APPLICANT, revision=1, awaiting=Role.APPLICANT, due_at=case.due_at,
        )  # fmt: skip
        with store.transaction(case.workflow_id) as tx:
            assert tx.answered("r") is None
            tx.remember(command, answer, OPENED)
        for workflow_id in (case.workflow_id, "base:another:1"):
            with store.transaction(workflow_id) as tx:
                assert tx.answered("r") == (command.params_hash(), answer)
        with pytest.raises(IntegrityError, match="commands"), store.transaction(case.workflow_id) as tx:
            tx.remember(command, answer, OPENED)


class TestOneLiveCasePerEnterprise:
    def test_a_second_live_case_is_refused(self, store: CaseStore) -> None:
        first = Enterprise()
        first.stored(store, "application_received")
        second = Enterprise(number="LB-2026-000002", credit_code=first.credit_code, ordinal=2)
        with pytest.raises(LiveCaseExists, match="has a live case"):
            write(store, second.opened())
        with store.transaction(second.workflow_id) as tx:
            assert tx.case is None

    def test_two_at_the_same_moment_open_one(self, store: CaseStore, engine: Engine) -> None:
        code = Enterprise().credit_code
        rivals = [
            Enterprise(number=f"LB-2026-{n + 1:06d}", credit_code=code, ordinal=n + 1).opened() for n in range(TOGETHER)
        ]
        results = at_once(lambda n: write(store, rivals[n]))
        assert results.count(None) == 1
        assert {type(result) for result in results if result is not None} == {LiveCaseExists}
        assert count(engine, tables.CaseRow) == 1

    def test_two_attempts_of_one_application_never_find_themselves(self, store: CaseStore, engine: Engine) -> None:
        """An attempt that loses against its own twin is tried again and finds the answer: no live case refuses it."""
        enterprise = Enterprise()

        def attempt(_: int) -> None:
            with store.transaction(enterprise.workflow_id) as tx:
                if tx.case is None:
                    enterprise.number = tx.next_number("LB", 2026)
                    tx.write(enterprise.opened())

        results = at_once(attempt)
        assert not [result for result in results if isinstance(result, LiveCaseExists)]
        assert count(engine, tables.CaseRow) == 1

    @only_on("postgresql")  # SQLite has one writer at a time
    def test_nor_when_the_live_case_is_what_the_database_names_first(self, store: CaseStore, engine: Engine) -> None:
        """As in a database restored from a dump, where indexes may be in another order."""
        with engine.begin() as connection:
            for name, columns in (
                ("uq_cases_credit_code", "credit_code, ordinal"),
                ("uq_cases_workflow_id", "workflow_id"),
            ):
                connection.execute(text(f"ALTER TABLE cases DROP CONSTRAINT {name}"))
                connection.execute(text(f"ALTER TABLE cases ADD CONSTRAINT {name} UNIQUE ({columns})"))
        self.test_two_attempts_of_one_application_never_find_themselves(store, engine)

    def test_an_ended_case_makes_room(self, store: CaseStore) -> None:
        first = Enterprise()
        ended = first.stored(store, "certification_expired")
        second = Enterprise(
            number="LB-2027-000001", credit_code=first.credit_code, ordinal=2, opened=OPENED + timedelta(days=400)
        )
        with store.transaction(second.workflow_id) as tx:
            assert tx.live_case(first.credit_code) is None
            assert tx.other_cases(first.credit_code) == [ended]
            tx.write(second.opened())
        with store.transaction("base:another:1") as tx:
            live = tx.live_case(first.credit_code)
            both = tx.other_cases(first.credit_code)
        assert live is not None and both[1:] == [live] and both[0] == ended, "first to last"
        assert live.case_number == "LB-2027-000001"
        with store.transaction(second.workflow_id) as tx:
            assert tx.live_case(first.credit_code) is None, "a case is not in its own way"

    def test_another_broken_key_is_not_taken_for_a_live_case(self, store: CaseStore) -> None:
        first = Enterprise()
        first.stored(store, "certification_expired")
        same_place = Enterprise(number="LB-2026-000002", credit_code=first.credit_code)
        opened = same_place.opened()
        elsewhere = opened.case.model_copy(update={"workflow_id": f"base:{first.credit_code}0:1"})
        with pytest.raises(IntegrityError):
            write(store, replace(opened, case=elsewhere))


class TestNumbers:
    def test_each_series_and_year_counts_from_one(self, store: CaseStore) -> None:
        with store.transaction("base:x:1") as tx:
            drawn = [tx.next_number(*of) for of in (("LB", 2026), ("LB", 2026), ("LBC", 2026), ("LB", 2027))]
        assert drawn == ["LB-2026-000001", "LB-2026-000002", "LBC-2026-000001", "LB-2027-000001"]

    def test_many_drawing_at_once_leave_no_gap_and_no_double(self, store: CaseStore) -> None:
        drawn: list[str] = []

        def draw(thread: int) -> None:
            for _ in range(5):
                with store.transaction(f"base:{thread}:1") as tx:
                    number = tx.next_number("LB", 2026)
                drawn.append(number)

        assert at_once(draw) == [None] * TOGETHER
        assert sorted(drawn) == [f"LB-2026-{n:06d}" for n in range(1, 5 * TOGETHER + 1)]

    def test_a_number_is_given_back_when_its_transaction_fails(self, store: CaseStore) -> None:
        drawn: list[str] = []

        def draw(*, fails: bool) -> None:
            with store.transaction("base:x:1") as tx:
                drawn.append(tx.next_number("LB", 2026))
                if fails:
                    raise RuntimeError("refused after the number was drawn")

        for _ in range(2):
            with pytest.raises(RuntimeError, match="refused"):
                draw(fails=True)
        draw(fails=False)
        assert drawn == ["LB-2026-000001"] * 3


class TestClocks:
    def test_a_local_server_keeps_how_far_a_clock_is_ahead(self, store: CaseStore, engine: Engine) -> None:
        case = Enterprise().stored(store, "application_received")
        store.record_clock(case.workflow_id, timedelta(days=365, milliseconds=7))
        assert column(engine, tables.CaseRow.clock_offset_ms) == [365 * 86_400_000 + 7]
        with store.transaction(case.workflow_id) as tx:
            assert tx.case == case

    def test_anywhere_else_the_database_refuses_to_move_a_clock(self, empty_url: str) -> None:
        migrate(empty_url, local_server=False)
        engine = open_engine(empty_url)
        store = CaseStore(engine, pseudonym)
        case = Enterprise().stored(store, "application_received")
        with pytest.raises(IntegrityError, match="clock_runs_true"):
            store.record_clock(case.workflow_id, timedelta(milliseconds=1))
        store.record_clock(case.workflow_id, timedelta(0))
        for forged in (
            "UPDATE cases SET local_server = NOT local_server",
            "UPDATE installation SET local_server = true",
        ):
            with pytest.raises(IntegrityError), engine.begin() as connection:
                connection.execute(text(forged))
        engine.dispose()

    def test_a_case_needs_an_installation(self, store: CaseStore, engine: Engine) -> None:
        with pytest.raises(IntegrityError), engine.begin() as connection:
            connection.execute(text("INSERT INTO installation (id, local_server) VALUES (2, true)"))


def for_deduction(store: CaseStore) -> Case:
    """A base that was certified, and had something deducted for a violation, on record step by step."""
    steps = list(deductions.steps())
    for transition in steps:
        write(store, transition)
    return steps[-1].case


class TestMoney:
    @pytest.mark.parametrize("sums", [{"received": 4_000_001}, {"unmatched": 1}, {"received": 0}])
    def test_a_case_that_says_otherwise_than_the_ledger_is_refused(
        self, store: CaseStore, engine: Engine, sums: dict[str, int]
    ) -> None:
        enterprise = Enterprise()
        paid = enterprise.paid(enterprise.stored(store, "application_approved"), 4_000_000, "B1")
        deposit = paid.case.deposit.model_copy(update=sums)
        with pytest.raises(ValueError, match="the ledger of LB-2026-000001 comes to .*, the case says"):
            write(store, dataclasses.replace(paid, case=paid.case.model_copy(update={"deposit": deposit})))
        assert count(engine, tables.LedgerLine) == count(engine, tables.PaymentRow) == 0

    def test_a_later_step_cannot_part_them_either(self, store: CaseStore) -> None:
        enterprise = Enterprise()
        case = enterprise.stored(store, "deposit_received")
        other = case.model_copy(update={"deposit": case.deposit.model_copy(update={"received": 1})})
        with pytest.raises(ValueError, match="the case says"):
            write(store, enterprise.paid(other, 5, "B2"))

    @pytest.mark.parametrize("statement", ["UPDATE {} SET sequence = 9", "DELETE FROM {}"])
    @pytest.mark.parametrize("table", ["ledger_lines", "audit_entries"])
    def test_what_is_written_stays_written(self, store: CaseStore, engine: Engine, table: str, statement: str) -> None:
        Enterprise().stored(store, "deposit_received")
        with pytest.raises(DBAPIError, match=f"{table} is append-only"), engine.begin() as connection:
            connection.execute(text(statement.format(table)))

    @only_on("postgresql")  # SQLite has no TRUNCATE
    @pytest.mark.parametrize("table", ["ledger_lines", "audit_entries"])
    def test_nor_is_a_table_emptied(self, engine: Engine, table: str) -> None:
        with pytest.raises(DBAPIError, match=f"{table} is append-only"), engine.begin() as connection:
            connection.execute(text(f"TRUNCATE {table}"))

    def test_a_deduction_is_booked_with_the_approval_of_two_people(self, store: CaseStore, engine: Engine) -> None:
        last = for_deduction(store)
        proposal = last.proposals[-1].id
        with engine.connect() as connection:
            line = connection.execute(
                select(tables.LedgerLine.__table__).where(tables.LedgerLine.transfer_key.startswith("deduction:"))
            ).one()
            row = connection.execute(select(tables.ApprovalRow.__table__)).one()
        assert (line.debit_account, line.credit_account) == (
            f"deposit:{last.case_number}", f"deducted:{last.case_number}",
        )  # fmt: skip
        assert (line.amount, line.approval, row.id) == (2_000_000, proposal, proposal)
        assert (row.action, row.proposer, row.approver) == ("deduct_deposit", "qian", "tang")
        assert row.content == last.proposals[-1].content

    @pytest.mark.parametrize(
        ("debit", "credit"),
        [("deposit", "deducted"), ("deposit", "bank"), ("deducted", "deposit"), ("unmatched", "return_pending")],
    )
    def test_no_money_leaves_a_deposit_without_a_second_person(
        self, store: CaseStore, engine: Engine, debit: str, credit: str
    ) -> None:
        """Decision 29, by the database."""
        case = Enterprise().stored(store, "deposit_received")
        insert = tables.LedgerLine.__table__.insert().values(
            transfer_key="x", case_number=case.case_number, sequence=1, debit_account=f"{debit}:x",
            credit_account=f"{credit}:x", amount=1, reference="x", at=OPENED,
        )  # fmt: skip
        with pytest.raises(IntegrityError, match="second_person"), engine.begin() as connection:
            connection.execute(insert)

    def test_one_person_is_not_two(self, store: CaseStore, engine: Engine) -> None:
        case = Enterprise().stored(store, "deposit_received")
        insert = tables.ApprovalRow.__table__.insert().values(
            id="x", case_number=case.case_number, action="a", content="0", proposed_by="Qian", approved_by="qian",
            proposer="qian", approver="qian", at=OPENED,
        )  # fmt: skip
        with pytest.raises(IntegrityError, match="two_people"), engine.begin() as connection:
            connection.execute(insert)

    @pytest.mark.parametrize(
        "kind", ["revoked", "set_aside", "cooling_off_waived", "payment_reversed", "documents_erased"]
    )
    def test_nor_is_a_right_taken_away_by_one(self, store: CaseStore, engine: Engine, kind: str) -> None:
        case = Enterprise().stored(store, "deposit_received")
        insert = tables.DecisionRow.__table__.insert().values(
            case_number=case.case_number, sequence=99, kind=kind, by="he", role="compliance", reason="r", detail={},
            at=OPENED,
        )  # fmt: skip
        with pytest.raises(IntegrityError, match="second_person"), engine.begin() as connection:
            connection.execute(insert)

    @pytest.mark.parametrize(("amount", "credit"), [(0, "deposit:x"), (-1, "deposit:x"), (1, "bank")])
    def test_a_transfer_is_an_amount_from_one_account_to_another(
        self, store: CaseStore, engine: Engine, amount: int, credit: str
    ) -> None:
        case = Enterprise().stored(store, "application_received")
        insert = tables.LedgerLine.__table__.insert().values(
            transfer_key="x", case_number=case.case_number, sequence=1, debit_account="bank",
            credit_account=credit, amount=amount, reference="x", at=OPENED,
        )  # fmt: skip
        with pytest.raises(IntegrityError), engine.begin() as connection:
            connection.execute(insert)


class TestTheDatabase:
    def test_a_read_only_engine_reads_and_refuses_writes(self, store: CaseStore, url: str, engine: Engine) -> None:
        case = Enterprise().stored(store, "review_taken")
        reading = open_engine(url, read_only=True)
        with reading.connect() as connection:
            assert connection.scalar(select(tables.CaseRow.case_number)) == case.case_number
        for statement in ("UPDATE cases SET name = 'x'", "DELETE FROM notices", "CREATE TABLE x (y INTEGER)"):
            with pytest.raises(DBAPIError, match=r"read-?only"), reading.begin() as connection:
                connection.execute(text(statement))
        reading.dispose()
        assert column(engine, tables.CaseRow.name) == [case.name]

    def test_reading_does_not_wait_for_a_writer(self, store: CaseStore, url: str) -> None:
        case = Enterprise().stored(store, "application_received")
        reading = open_engine(url, read_only=True)
        with store.transaction(case.workflow_id):
            began = time.monotonic()
            with reading.connect() as connection:
                assert connection.scalar(select(tables.CaseRow.case_number)) == case.case_number
            assert time.monotonic() - began < 1
        reading.dispose()

    def test_two_writers_of_one_case_wait_for_each_other(self, store: CaseStore) -> None:
        enterprise = Enterprise()
        case = enterprise.stored(store, "application_received")
        entered, seen = threading.Event(), []

        def second() -> None:
            entered.wait()
            with store.transaction(case.workflow_id) as tx:
                seen.append(tx.case)

        with ThreadPoolExecutor(1) as threads:
            waiting = threads.submit(second)
            with store.transaction(case.workflow_id) as tx:
                entered.set()
                tx.write(enterprise.taken(case))
                time.sleep(0.3)
                assert not waiting.done()
            waiting.result()
        assert [stored.review_held_by for stored in seen] == [cases.REVIEWER.name], "it sees what the first one wrote"

    def test_whoever_waits_too_long_is_told(self, store: CaseStore) -> None:
        """A few seconds, within the limits of an activity's attempt; then it is tried again."""
        case = Enterprise().stored(store, "application_received")

        def second() -> None:
            with store.transaction(case.workflow_id):
                pytest.fail("both hold the case")

        with ThreadPoolExecutor(1) as threads, store.transaction(case.workflow_id):
            began = time.monotonic()
            with pytest.raises(DBAPIError, match=r"locked|lock timeout|statement timeout"):
                threads.submit(second).result()
            assert 1 < time.monotonic() - began < 5

    @only_on("postgresql")  # SQLite has one writer at a time
    def test_cases_of_different_bases_do_not_wait_for_each_other(self, store: CaseStore) -> None:
        first = Enterprise().stored(store, "application_received")
        second = Enterprise(number="LB-2026-000002").stored(store, "application_received")
        with store.transaction(first.workflow_id), store.transaction(second.workflow_id) as tx:
            assert tx.case == second

    @pytest.mark.parametrize("field", ["legal_at", "observed_at"])
    def test_an_instant_needs_a_zone(self, store: CaseStore, engine: Engine, field: str) -> None:
        opened = Enterprise().opened()
        naive: dict[str, Any] = {field: datetime(2026, 3, 2, 10)}  # noqa: DTZ001 - what is refused
        with pytest.raises((StatementError, ValueError), match="an instant needs a zone"):
            write(store, dataclasses.replace(opened, **naive))
        assert count(engine, tables.CaseRow) == 0

    def test_an_instant_is_kept_to_the_microsecond_in_utc(self, store: CaseStore, engine: Engine) -> None:
        exact = OPENED.astimezone(cases.midnight(OPENED.date()).tzinfo) + timedelta(microseconds=123_457)
        opened = dataclasses.replace(Enterprise().opened(), legal_at=exact, observed_at=exact)
        write(store, opened)
        (stored,) = column(engine, tables.AuditRow.legal_at)
        assert stored == exact
        assert stored.tzinfo is UTC

    def test_texts_come_back_as_they_were(self, store: CaseStore, engine: Engine) -> None:
        enterprise = Enterprise()
        case = enterprise.stored(store, "application_received")
        awkward = "引号'\"\\ 换行\n制表\t𠮷 e\u0301 100% :name ${x}"
        decision = Decision("rejected", awkward, Role.REVIEWER, 1, awkward, {"why": [awkward, None, 1, True]})
        taken = enterprise.taken(case)
        write(store, dataclasses.replace(taken, detail={"why": awkward}, records=(decision,)))
        assert column(engine, tables.DecisionRow.reason) == [awkward]
        assert column(engine, tables.DecisionRow.detail, tables.DecisionRow.sequence) == [
            {"why": [awkward, None, 1, True]}
        ]
        assert verify(AuditReader(engine).records([case.case_number])).ok


@only_on("postgresql")
def test_postgresql_cuts_off_what_is_stuck(engine: Engine) -> None:
    """A worker stopped inside a transaction must not hold its case for good."""
    with engine.connect() as connection:
        assert connection.scalar(text("SHOW idle_in_transaction_session_timeout")) == "10s"
        assert connection.scalar(text("SHOW statement_timeout")) == "4s"
        assert connection.scalar(text("SHOW timezone")) == "UTC"


@only_on("sqlite")
def test_sqlite_keeps_what_it_confirmed(database_url: str) -> None:
    for read_only in (False, True):
        engine = open_engine(database_url, read_only=read_only)
        with engine.connect() as connection:
            pragmas = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "query_only", "busy_timeout")
            }
        engine.dispose()
        full = 2
        assert pragmas == {
            "journal_mode": "wal", "synchronous": full, "foreign_keys": 1, "query_only": int(read_only),
            "busy_timeout": 2000,
        }  # fmt: skip
