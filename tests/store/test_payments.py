"""Payments across cases on both databases: of no case, moved, taken back; every book right, once (decision 15)."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from activities.desk import CaseDesk
from activities.payments import PaymentActivities
from audit.verifier import verify
from domain.bank import BankAnswer
from domain.case import Case
from domain.commands import (
    Actor,
    ApproveProposal,
    AssignPayment,
    Outcome,
    ReceiveDeposit,
    RecordUnplaced,
    ReportRefund,
    ReturnPayment,
    ReversePayment,
    UnplacedOutcome,
    payment_workflow_id,
)
from domain.refusals import RefusalKind
from domain.stages import Role, Stage
from store import tables
from store.auditing import AuditReader
from store.cases import CaseStore
from store.grounds import grounds
from store.lists import unmatched_payments
from store.payments import (
    PaymentStore,
    cases_named,
    count_unplaced,
    deposits_due,
    open_returns,
    refunds_paid,
    returned_again,
    where_it_waits,
)
from store.queries import Reader
from store.reference import policy_book
from store.reports import deposit_movements
from tests.documents import document_store, pseudonym
from tests.domain import cases
from tests.store.first_year import HOUR, OPENED, Enterprise
from tests.store.tampering import unprotected

NOW = OPENED + 4 * HOUR
OTHER = Actor(role=Role.FINANCE, name="tang")
BANK = Actor(role=Role.BANK, name="callback")
WHOLE = 10_000_000
DAY = date(2026, 3, 2)


class Office:
    """The desk and the payments of one database, and two bases whose deposit is due."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine = engine
        self.store = CaseStore(engine, pseudonym)
        self.desk = CaseDesk(self.store, document_store(folder), policy_book())
        self.payments = PaymentActivities(PaymentStore(engine), policy_book())
        self.one, self.other = (
            Enterprise(number=f"LB-2026-00000{number}").stored(self.store, "application_approved").workflow_id
            for number in (1, 2)
        )
        self._requests = 0

    def do(self, workflow_id: str, kind: Any, actor: Actor = cases.FINANCE, **fields: Any) -> Outcome:
        self._requests += 1
        request = f"{kind.action}-{self._requests}-{threading.get_ident()}"
        return self.desk.decide(kind(request_id=request, workflow_id=workflow_id, actor=actor, **fields), NOW)

    def receive(self, workflow_id: str, reference: str, amount: int, payer: str = "", **fields: Any) -> Outcome:
        payer = payer or cases.payer()
        return self.do(workflow_id, ReceiveDeposit, reference=reference, amount=amount, payer=payer, **fields)

    def assign(self, workflow_id: str, reference: str) -> Outcome:
        return self.do(workflow_id, AssignPayment, reference=reference, reason="r")

    def stray(self, reference: str, amount: int = WHOLE, request: str = "r1", **fields: Any) -> UnplacedOutcome:
        command = RecordUnplaced(
            request_id=f"{request}-{reference}", workflow_id=payment_workflow_id(reference), actor=cases.FINANCE,
            reference=reference, amount=amount,
            **{"payer": "p", "paid_on": DAY, "why": "w", "note": "n", **fields},
        )  # fmt: skip
        return self.payments.record_unplaced(command, NOW)

    def give_back(self, reference: str, second: Actor = OTHER) -> str:
        """The return of money of no case proposed and approved: the order's id."""
        given = {"workflow_id": payment_workflow_id(reference), "reference": reference, "reason": "r"}
        self._requests += 1
        made = self.payments.propose_return(
            ReturnPayment(request_id=f"return-{self._requests}", actor=cases.FINANCE, **given), NOW
        )
        assert made.answer is not None and made.answer.proposal is not None, made.refusal
        unplaced = PaymentStore(self.engine).unplaced(reference)
        assert unplaced is not None and unplaced.open is not None
        approval = ApproveProposal(
            request_id=f"approve-{self._requests}", workflow_id=given["workflow_id"], actor=second,
            proposal=made.answer.proposal, content=unplaced.open.content,
        )  # fmt: skip
        done = self.payments.approve_return(approval, NOW)
        assert done.view is not None and done.view.order is not None, done.refusal
        again = self.payments.approve_return(approval, NOW + HOUR)
        assert done.answer is not None and again.answer == done.answer.model_copy(update={"repeated": True})
        return done.view.order

    def take_back(self, workflow_id: str, reference: str) -> Outcome:
        self.do(workflow_id, ReversePayment, reference=reference, reason="r")
        proposal = self.case(workflow_id).open_proposals[-1]
        return self.do(workflow_id, ApproveProposal, OTHER, proposal=proposal.id, content=proposal.content)

    def case(self, workflow_id: str) -> Case:
        case = self.store.case(workflow_id)
        assert case is not None
        return case

    def on(self, account: str) -> int:
        line = tables.LedgerLine
        with Session(self.engine) as session:
            came, went = (
                session.scalar(select(func.coalesce(func.sum(line.amount), 0)).where(side == account))
                for side in (line.credit_account, line.debit_account)
            )
        return int(came or 0) - int(went or 0)

    def check(self) -> None:
        """The log is whole, every case's sums are its accounts', and what the bank gave is somewhere (L1, L2)."""
        report = verify(AuditReader(self.engine).log())
        assert report.ok, report.broken
        held = self.on("unplaced") + self.on("return_pending")
        for workflow_id in (self.one, self.other):
            case = self.case(workflow_id)
            held += case.deposit.available + case.deposit.unmatched
            assert self.on(f"deposit:{case.case_number}") == case.deposit.available
            assert self.on(f"unmatched:{case.case_number}") == case.deposit.unmatched
            assert sum(one.amount for one in case.credited) == case.deposit.received
        assert -self.on("bank") == held


@pytest.fixture
def office(store: CaseStore, engine: Engine, tmp_path: Path) -> Office:
    return Office(engine, tmp_path)


def kind(outcome: Outcome | UnplacedOutcome) -> RefusalKind | None:
    return outcome.refusal.kind if outcome.refusal else None


class TestOfNoCase:
    def test_it_is_on_record_once_and_in_the_office_s_chain(self, office: Office, engine: Engine) -> None:
        first, again = office.stray("S1"), office.stray("S1", request="r2")
        assert first.answer is not None and not first.answer.repeated
        assert again.answer is not None and again.answer.repeated
        assert kind(office.stray("S1", 5, "r3")) is RefusalKind.REFERENCE_REUSED
        assert kind(office.stray("S2", paid_on=date(2026, 3, 3))) is RefusalKind.INVALID_VALUE
        assert (office.on("unplaced"), office.on("bank")) == (WHOLE, -WHOLE)
        entries = [one for one in AuditReader(engine).records(["office"]) if one["kind"] == "entry"]
        assert [one["event"] for one in entries] == ["record_unplaced"] * 2
        assert entries[0]["detail"]["answer"]["amount"] == WHOLE
        (waiting,) = unmatched_payments(engine)
        assert (waiting["reference"], waiting["case_number"], waiting["note"]) == ("S1", None, "n")
        office.check()

    @pytest.mark.parametrize("table", [tables.PaymentRow, tables.LedgerLine])
    def test_who_changes_or_removes_it_is_found_out(self, office: Office, engine: Engine, table: Any) -> None:
        office.stray("S1")
        office.stray("S2")
        row = table.__table__
        unprotected(engine)
        changes = (row.update().values(amount=1).where(row.c.reference == "S1"), row.delete())
        for change, entries in zip(changes, (1, 2), strict=True):
            with engine.begin() as connection:
                connection.execute(change)
            broken = verify(AuditReader(engine).log()).broken
            assert [(one.case_number, one.why.split(" is not there")[0]) for one in broken] == [
                ("office", f"what entry {number} wrote to {row.name}") for number in range(1, entries + 1)
            ]

    def test_what_nobody_recorded_is_found_out(self, office: Office, engine: Engine) -> None:
        office.stray("S1")
        copied = select(*(column for column in tables.PaymentRow.__table__.columns if column.name != "reference"))
        with engine.begin() as connection:
            row = dict(connection.execute(copied).mappings().one())
            connection.execute(tables.PaymentRow.__table__.insert().values(**row, reference="S2"))
        (broken,) = verify(AuditReader(engine).log()).broken
        assert broken.case_number == "office" and "payments" in broken.why

    def test_a_case_takes_it_over_once(self, office: Office, engine: Engine) -> None:
        office.stray("S1", WHOLE + 7)
        outcome = office.assign(office.one, "S1")
        assert outcome.case is not None and outcome.case.stage is Stage.CERTIFYING
        assert outcome.beside == (payment_workflow_id("S1"),)
        assert office.payments.read_unplaced("S1").case_number == "LB-2026-000001"
        assert where_it_waits(engine, "S1")[1] == "LB-2026-000001", "the rest of it"
        (waiting,) = unmatched_payments(engine)
        assert (waiting["case_number"], waiting["amount"]) == ("LB-2026-000001", {"fen": 7})
        assert [one["amount"] for one in grounds(engine, "LB-2026-000001")["unmatched"]] == [{"fen": 7}]
        office.check()

    def test_of_two_at_once_one_has_it(self, office: Office) -> None:
        office.stray("S1", 700)
        together = threading.Barrier(2)

        def ask(workflow_id: str) -> Outcome | None:
            together.wait()
            try:
                return office.assign(workflow_id, "S1")
            except IntegrityError:  # a worker's activity is tried again, and hears then
                return office.assign(workflow_id, "S1")

        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(ask, (office.one, office.other)))
        assert sorted(str(kind(one)) for one in outcomes if one) == ["None", "nothing_unmatched"]
        office.check()

    def test_the_same_reference_for_a_case_at_once(self, office: Office) -> None:
        together = threading.Barrier(2)

        def unplaced() -> None:
            together.wait()
            office.stray("S1", 700)

        def received() -> None:
            together.wait()
            office.receive(office.one, "S1", 700)

        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(unplaced), pool.submit(received)]:
                assert done.exception() is None or isinstance(done.exception(), IntegrityError)
        assert -office.on("bank") == 700
        office.check()


class TestReturned:
    def test_two_people_the_bank_and_the_office_s_chain(self, office: Office, engine: Engine) -> None:
        office.stray("S1", 700)
        order = office.give_back("S1")
        assert (office.on("unplaced"), office.on("return_pending"), office.on("bank")) == (0, 700, -700)
        assert unmatched_payments(engine) == [] and count_unplaced(engine) == 0
        assert kind(office.assign(office.one, "S1")) is RefusalKind.NOTHING_UNMATCHED
        office.check()
        paid = BankAnswer(state="paid", reference="B1")
        for _ in range(2):
            view = office.payments.record_return("S1", order, paid, 1, NOW)
            assert view.is_over
        assert (office.on("return_pending"), office.on("bank")) == (0, 0)
        (out,) = refunds_paid(engine, DAY, DAY)
        assert (out.id, out.bank_reference, out.amount, out.case_number) == (order, "B1", 700, None)
        told = ReportRefund(
            request_id="told", workflow_id=payment_workflow_id("S1"), actor=BANK, refund=order, state="returned",
            amount=700,
        )  # fmt: skip
        assert office.payments.report_return(told, NOW).answer is not None
        assert office.on("unplaced") == 700 and returned_again(engine, f"退汇 {order}", 700)
        (waiting,) = unmatched_payments(engine)
        assert (waiting["reference"], waiting["amount"]) == ("S1", {"fen": 700})
        entries = [one for one in AuditReader(engine).records(["office"]) if one["kind"] == "entry"]
        assert [one["event"] for one in entries] == [
            "record_unplaced", "return_payment", "approve_proposal", "return_paid", "report_refund",
        ]  # fmt: skip
        office.check()

    def test_a_case_takes_what_the_bank_refused(self, office: Office) -> None:
        office.stray("S1", 700)
        refused = BankAnswer(state="refused", why="closed")
        assert office.payments.record_return("S1", office.give_back("S1"), refused, 1, NOW).left == 700
        outcome = office.assign(office.one, "S1")
        assert outcome.case is not None and outcome.case.deposit.received == 700
        office.check()

    def test_what_is_left_of_a_part_that_went_back_goes_back_too(self, office: Office) -> None:
        """Were it a case's, the part would be nobody's when the other bank sends it back."""
        office.stray("S1", 700)
        part = BankAnswer(state="paid", amount=300)
        assert office.payments.record_return("S1", office.give_back("S1"), part, 1, NOW).left == 400
        outcome = office.assign(office.one, "S1")
        assert outcome.refusal is not None and outcome.refusal.kind is RefusalKind.ALREADY_DECIDED
        assert office.case(office.one).deposit.received == 0
        rest = BankAnswer(state="paid", amount=400)
        assert office.payments.record_return("S1", office.give_back("S1"), rest, 1, NOW).left == 0
        office.check()

    def test_of_a_return_and_a_case_at_once_one_has_it(self, office: Office) -> None:
        office.stray("S1", 700)
        together = threading.Barrier(2)

        def at_once(ask: Any) -> Any:
            together.wait()
            try:
                return ask()
            except (IntegrityError, AssertionError) as error:
                return error

        with ThreadPoolExecutor(2) as pool:
            asked = [lambda: office.give_back("S1"), lambda: office.assign(office.one, "S1")]
            list(pool.map(at_once, asked))
        received = office.case(office.one).deposit.received
        assert (received, office.on("return_pending")) in ((0, 700), (700, 0))
        office.check()

    def test_without_a_second_person_the_database_takes_no_order(self, office: Office, engine: Engine) -> None:
        office.stray("S1", 700)
        row = {
            "reference": "S1", "edition": 1, "number": 1, "what": "approved", "proposal": "P", "amount": 700,
            "content": "", "by": "tang", "role": "finance", "reason": "", "bank_reference": "", "at": OPENED,
        }  # fmt: skip
        with pytest.raises(IntegrityError, match="second_person"), engine.begin() as connection:
            connection.execute(tables.PaymentReturnRow.__table__.insert().values(**row))
        one = {
            "id": "P", "action": "return_payment", "content": "", "proposed_by": "a", "approved_by": "A",
            "proposer": "a", "approver": "a", "at": OPENED,
        }  # fmt: skip
        with pytest.raises(IntegrityError, match="two_people"), engine.begin() as connection:
            connection.execute(tables.ApprovalRow.__table__.insert().values(**one))
        other = {**one, "action": "refund_deposit", "approver": "b"}
        with pytest.raises(IntegrityError, match="of_no_case"), engine.begin() as connection:
            connection.execute(tables.ApprovalRow.__table__.insert().values(**other))

    def test_a_proposal_expires_and_is_on_record_so(self, office: Office, engine: Engine) -> None:
        office.stray("S1", 700)
        command = ReturnPayment(
            request_id="r", workflow_id=payment_workflow_id("S1"), actor=cases.FINANCE, reference="S1", reason="r"
        )
        view = office.payments.propose_return(command, NOW).view
        assert view is not None and view.expires_at is not None and view.proposal is not None
        assert [one.payment.reference for one in open_returns(engine, NOW)] == ["S1"]
        assert office.payments.expire_return("S1", view.proposal, NOW).proposal == view.proposal, "not yet"
        for _ in range(2):
            assert office.payments.expire_return("S1", view.proposal, view.expires_at).proposal is None
        assert open_returns(engine, NOW) == []
        office.check()


class TestMoved:
    def test_both_cases_books_are_right(self, office: Office, engine: Engine) -> None:
        office.receive(office.one, "W1", WHOLE, "somebody else")
        outcome = office.assign(office.other, "W1")
        assert outcome.beside == (office.one,)
        one, other = office.case(office.one), office.case(office.other)
        assert (one.deposit.unmatched, other.deposit.received, other.stage) == (0, WHOLE, Stage.CERTIFYING)
        assert kind(office.assign(office.one, "W1")) is RefusalKind.NOTHING_UNMATCHED
        known = PaymentStore(engine).known(["W1"])["W1"]
        assert known.case_number == other.case_number
        for each in (office.one, office.other):
            again = office.receive(each, "W1", WHOLE, "somebody else").answer
            assert again is not None and again.repeated, "a repeat, on the case it was recorded for too"
        assert kind(office.receive(office.one, "W1", 5, "somebody else")) is RefusalKind.REFERENCE_REUSED
        with Session(engine) as session:
            (moved,) = session.scalars(select(tables.PaymentMoveRow))
        assert (moved.from_case, moved.case_number, moved.amount) == (one.case_number, other.case_number, WHOLE)
        shown = Reader(engine).deposit(one)["entries"]
        assert [line["kind"] for line in shown] == ["unmatched", "moved_away"]
        office.check()

    def test_two_that_take_from_each_other_at_once(self, office: Office) -> None:
        office.receive(office.one, "W1", 5, "somebody else")
        office.receive(office.other, "W2", 7, "somebody else")
        together = threading.Barrier(2)

        def ask(asked: tuple[str, str]) -> Outcome:
            together.wait()
            return office.assign(*asked)

        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(ask, [(office.one, "W2"), (office.other, "W1")]))
        assert [kind(one) for one in outcomes] == [None, None]
        assert [office.case(each).deposit.received for each in (office.one, office.other)] == [7, 5]
        office.check()


class TestTakenBack:
    def test_the_reference_counts_again_only_as_a_correction(self, office: Office, engine: Engine) -> None:
        office.receive(office.one, "B1", WHOLE)
        outcome = office.take_back(office.one, "B1")
        assert outcome.case is not None and outcome.case.stage is Stage.DEPOSIT
        assert PaymentStore(engine).known(["B1"])["B1"].taken_back
        assert kind(office.receive(office.one, "B1", WHOLE)) is RefusalKind.REFERENCE_REUSED
        assert kind(office.stray("B1", WHOLE, payer=cases.payer())) is None, "it is on record"
        assert kind(office.assign(office.other, "B1")) is RefusalKind.NOTHING_UNMATCHED
        assert kind(office.receive(office.one, "B1", 500, correction=True)) is None
        assert kind(office.receive(office.one, "B1", 500, correction=True)) is RefusalKind.NOTHING_TO_CORRECT
        assert office.case(office.one).deposit.received == 500
        assert not PaymentStore(engine).known(["B1"])["B1"].taken_back
        office.take_back(office.one, "B1")
        assert kind(office.receive(office.other, "B1", 900, correction=True)) is None
        assert office.case(office.other).deposit.received == 900
        office.check()

    def test_a_payment_on_two_cases_is_taken_back_from_each(self, office: Office, engine: Engine) -> None:
        office.receive(office.one, "B1", WHOLE + 500)
        office.assign(office.other, "B1")
        office.take_back(office.one, "B1")
        assert not PaymentStore(engine).known(["B1"])["B1"].taken_back, "the rest is on the other"
        office.take_back(office.other, "B1")
        assert PaymentStore(engine).known(["B1"])["B1"].taken_back
        assert office.on("bank") == 0
        office.check()


@pytest.mark.parametrize(
    ("debit", "credit", "case", "why"),
    [
        ("unmatched:LB-2026-000001", "bank", "LB-2026-000001", "second_person"),
        ("unplaced", "bank", "LB-2026-000001", "second_person"),
        ("unplaced", "bank", None, "second_person"),
        ("unplaced", "return_pending", None, "second_person"),
        ("unmatched:LB-2026-000001", "return_pending:LB-2026-000001", "LB-2026-000001", "second_person"),
        ("bank", "deposit:LB-2026-000001", None, "of_no_case"),
        ("unplaced", "unmatched:LB-2026-000001", None, "of_no_case"),
    ],
)
def test_the_database_holds_to_it_too(
    office: Office, engine: Engine, debit: str, credit: str, case: Any, why: str
) -> None:
    insert = tables.LedgerLine.__table__.insert().values(
        transfer_key="x", case_number=case, sequence=1, debit_account=debit, credit_account=credit, amount=1,
        reference="x", at=OPENED,
    )  # fmt: skip
    with pytest.raises(IntegrityError, match=why), engine.begin() as connection:
        connection.execute(insert)


@pytest.mark.parametrize("table", [tables.PaymentMoveRow, tables.PaymentReversalRow, tables.PaymentReturnRow])
def test_what_is_written_stays_written(office: Office, engine: Engine, table: Any) -> None:
    office.stray("S1", 700)
    office.give_back("S1")
    office.receive(office.one, "W1", WHOLE, "somebody else")
    office.assign(office.other, "W1")
    office.take_back(office.other, "W1")
    for change in (table.__table__.delete(), table.__table__.update().values(amount=1)):
        with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
            connection.execute(change)


def test_whose_a_statement_s_lines_can_be(office: Office, engine: Engine) -> None:
    one = office.case(office.one)
    assert [found.case.case_number for found in deposits_due(engine)] == ["LB-2026-000001", "LB-2026-000002"]
    office.receive(office.one, "B1", WHOLE)
    assert [found.case.case_number for found in deposits_due(engine)] == ["LB-2026-000002"]
    found = cases_named(engine, [one.credit_code, "LB-2026-000002", "LB-2026-000009"])
    assert set(found) >= {one.credit_code, "LB-2026-000001", "LB-2026-000002"} and "LB-2026-000009" not in found


def test_a_return_that_was_sent_back_is_netted_and_no_payment(office: Office, engine: Engine) -> None:
    office.receive(office.one, "W1", 700, "somebody else")
    office.stray("S1", 40)
    order = office.give_back("S1")
    office.payments.record_return("S1", order, BankAnswer(state="paid"), 1, NOW)
    office.do(office.one, ReturnPayment, reference="W1", reason="r")
    proposal = office.case(office.one).open_proposals[-1]
    office.do(office.one, ApproveProposal, OTHER, proposal=proposal.id, content=proposal.content)
    (refund,) = office.case(office.one).refunds
    sums = []
    for state in ("paid", "returned"):
        office.do(office.one, ReportRefund, BANK, refund=refund.id, state=state, amount=700)
        rows = deposit_movements(engine, DAY, DAY, NOW)
        sums.append({name: rows[-1][name]["fen"] for name in ("received", "returned", "unmatched")})
        for row in rows:
            fen = {name: one["fen"] for name, one in row.items() if isinstance(one, dict)}
            left = fen["received"] + fen["moved"] - fen["taken_back"] - fen["refunded"] - fen["returned"]
            assert left == fen["unmatched"] + fen["held"] + fen["deducted"], row
    told = {"workflow_id": payment_workflow_id("S1"), "actor": BANK, "refund": order, "state": "returned"}
    office.payments.report_return(ReportRefund(request_id="told", amount=40, **told), NOW)
    rows = deposit_movements(engine, DAY, DAY, NOW)
    sums.append({name: rows[-1][name]["fen"] for name in ("received", "returned", "unmatched")})
    assert sums == [
        {"received": 740, "returned": 740, "unmatched": 0},
        {"received": 740, "returned": 40, "unmatched": 700},
        {"received": 740, "returned": 0, "unmatched": 740},
    ]
    office.check()


def test_the_report_of_the_movements(office: Office, engine: Engine) -> None:
    office.receive(office.one, "B1", WHOLE + 5)
    office.receive(office.one, "W1", 700, "somebody else")
    office.stray("S1", 30)
    office.stray("S2", 40)
    office.assign(office.other, "W1")
    office.assign(office.other, "S2")
    office.take_back(office.other, "W1")

    def shown(first: date, last: date, **more: Any) -> dict[Any, dict[str, int]]:
        rows = deposit_movements(engine, first, last, NOW, **more)
        assert [row["kind"] for row in rows[-1:]] in (["total"], [])
        return {
            row["case_number"] or row["kind"]: {
                name: one["fen"] for name, one in row.items() if isinstance(one, dict) and one["fen"]
            }
            for row in rows
        }

    one = {"received": WHOLE + 705, "credited": WHOLE, "moved": -700, "unmatched": 5, "held": WHOLE}
    other = {"credited": 40, "moved": 740, "taken_back": 700, "held": 40}
    unplaced = {"received": 70, "moved": -40, "unmatched": 30}
    assert shown(DAY, DAY) == {
        "LB-2026-000001": one, "LB-2026-000002": other, "unplaced": unplaced,
        "total": {
            "received": WHOLE + 775, "credited": WHOLE + 40, "taken_back": 700, "unmatched": 35, "held": WHOLE + 40,
        },
    }  # fmt: skip
    later = date(2026, 3, 3)
    assert shown(later, later)["LB-2026-000001"] == {"unmatched": 5, "held": WHOLE}
    assert shown(date(2026, 3, 1), date(2026, 3, 1)) == {}
    assert shown(DAY, DAY, applicant="somebody") == {}
    assert "unplaced" not in shown(DAY, DAY, applicant=office.case(office.one).applicant)
