"""Refunds and money that fits nowhere: the ledger, the bank's answers, what closes a case (decisions 15, 17, 29)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.bank import BankAnswer
from domain.case import Case
from domain.commands import AssignPayment, RefundDeposit, Surrender, Withdraw
from domain.ledger import Account, Transfer
from domain.planning import Event
from domain.records import Decision, Evidence, Letter, Transition
from domain.refusals import Refusal, RefusalKind
from domain.setting import step
from domain.stages import Role, Stage
from domain.tracing import current_details
from tests.domain import cases, deductions, refunds

DAY = timedelta(days=1)
WHOLE = 10_000_000


def transfers(done: Transition) -> list[tuple[str, Account, Account, int]]:
    moved = [record for record in done.records if isinstance(record, Transfer)]
    return [(one.key, one.debit, one.credit, one.amount) for one in moved]


def letters(done: Transition) -> list[str]:
    return [record.kind for record in done.records if isinstance(record, Letter)]


def refusal(case: Case, command: object, at: object) -> Refusal:
    with pytest.raises(Refusal) as info:
        cases.done(case, command, at)  # type: ignore[arg-type]
    return info.value


def test_after_the_settlement_period_two_people_order_it_and_the_bank_is_asked_at_once() -> None:
    case = refunds.left()
    at = refunds.settled_on(case)
    done = refunds.approved(case, refunds.refund_of(WHOLE), at)
    (order,) = done.case.refunds
    assert order.id == f"LB-2026-000001-{done.case.sequence}-R1"
    assert (order.of, order.payment, order.amount, order.state) == ("deposit", "B1", WHOLE, "pending")
    assert transfers(done) == [(f"refund:{order.id}", Account.DEPOSIT, Account.REFUND_PENDING, WHOLE)]
    assert all(one.approval for one in done.records if isinstance(one, Transfer | Decision))
    asked = cases.planned_event(done.case, Event.SEND_REFUND)
    assert (asked.at, asked.subject) == (at, order.id)
    deposit = done.case.deposit
    assert (deposit.held, deposit.refund_pending, deposit.available, deposit.refunded) == (WHOLE, WHOLE, 0, 0)
    assert done.case.stage is Stage.SETTLING and not done.case.tasks, "nobody has to do anything"
    assert letters(done) == ["refund_ordered"]


def test_paid_by_the_bank_the_case_is_over() -> None:
    case = refunds.ordered().case
    done = refunds.answered(case, refunds.PAID)
    (order,) = done.case.refunds
    assert (order.state, order.bank_reference) == ("paid", "BANK-1")
    assert transfers(done) == [(f"refund:{order.id}:settled", Account.REFUND_PENDING, Account.BANK, WHOLE)]
    deposit = done.case.deposit
    assert (deposit.received, deposit.refunded, deposit.held, deposit.refund_pending) == (WHOLE, WHOLE, 0, 0)
    assert (done.case.stage, done.case.plan, letters(done)) == (Stage.CLOSED, (), ["refund_paid"])


@pytest.mark.parametrize("answer", [refunds.PROCESSING, refunds.UNREACHABLE], ids=lambda one: one.state)
def test_without_a_last_word_the_bank_is_asked_again_with_the_same_key(answer: BankAnswer) -> None:
    case, pauses = refunds.ordered().case, []
    for _ in range(8):
        planned = cases.planned_event(case, Event.SEND_REFUND)
        done = refunds.answered(case, answer)
        again = cases.planned_event(done.case, Event.SEND_REFUND)
        assert again.subject == planned.subject == case.refunds[0].id and not transfers(done)
        pauses.append(again.at - planned.at)
        case = done.case
    hours = [pause / timedelta(hours=1) for pause in pauses]
    assert hours == [1, 2, 4, 8, 16, 24, 24, 24]
    assert refunds.answered(case, refunds.PAID).case.stage is Stage.CLOSED


def test_refused_by_the_bank_it_is_held_again_and_finance_is_told() -> None:
    done = refunds.answered(refunds.ordered().case, refunds.REFUSED)
    (order,) = done.case.refunds
    assert (order.state, order.why) == ("refused", "the account is closed")
    assert transfers(done) == [(f"refund:{order.id}:settled", Account.REFUND_PENDING, Account.DEPOSIT, WHOLE)]
    assert (done.case.deposit.available, done.case.stage) == (WHOLE, Stage.SETTLING)
    (task,) = done.case.tasks
    assert (task.kind, task.role) == ("settle_deposit", Role.FINANCE)
    assert task.due_at == cases.planned_event(done.case, Event.ESCALATE_SETTLEMENT).at, "ten working days"
    assert letters(done) == ["refund_refused"]
    at = refunds.settled_on(refunds.left()) + DAY
    again = refunds.approved(done.case, refunds.refund_of(WHOLE), at)
    assert [one.state for one in again.case.refunds] == ["refused", "pending"]
    assert refunds.answered(again.case, refunds.PAID).case.stage is Stage.CLOSED


def test_it_goes_back_to_each_account_it_came_from_the_oldest_first() -> None:
    case = cases.paid(cases.in_deposit(), 4_000_000, reference="B1").case
    case = cases.paid(case, 6_000_000, reference="B2").case
    withdrawn = cases.done(case, cases.command(Withdraw, cases.APPLICANT, reason="r"), cases.OPENED).case
    assert withdrawn.stage is Stage.SETTLING
    done = refunds.approved(withdrawn, refunds.refund_of(WHOLE), cases.OPENED)
    assert [(one.payment, one.amount) for one in done.case.refunds] == [("B1", 4_000_000), ("B2", 6_000_000)]
    case = refunds.answered(done.case, refunds.PAID).case
    assert (case.stage, case.deposit.refunded, case.deposit.held) == (Stage.SETTLING, 4_000_000, 6_000_000)
    assert refunds.answered(case, refunds.PAID).case.stage is Stage.CLOSED


def test_what_was_deducted_does_not_go_back() -> None:
    short = deductions.short(3_000_000)
    leave = cases.command(Surrender, cases.APPLICANT, reason="r")
    case = cases.done(short, leave, deductions.DECIDED).case
    case = case.model_copy(update={"marks": None, "tasks": case.tasks_without("confirm_marks")})
    at = refunds.settled_on(case)
    assert refusal(case, refunds.refund_of(WHOLE), at).kind is RefusalKind.DEPOSIT_TOO_SMALL
    done = refunds.approved(case, refunds.refund_of(7_000_000), at)
    assert [one.amount for one in done.case.refunds] == [7_000_000]
    after = refunds.answered(done.case, refunds.PAID).case.deposit
    assert after.received == after.deducted + after.refunded and after.held == 0


def test_less_than_all_is_withheld_only_for_a_reason_and_looked_at_again() -> None:
    case = refunds.left()
    at = refunds.settled_on(case)
    assert refusal(case, refunds.refund_of(WHOLE - 1), at).kind is RefusalKind.NOTHING_WITHHOLDS
    unconfirmed = refunds.left(marks=False)
    done = refunds.approved(unconfirmed, refunds.refund_of(8_000_000), at)
    assert letters(done) == ["refund_ordered"] and "2,000,000" not in done.detail
    assert done.detail["withheld"] == {"fen": 2_000_000}
    (settle,) = [task for task in done.case.tasks if task.kind == "settle_deposit"]
    assert settle.due_at == at + 90 * DAY
    assert cases.planned_event(done.case, Event.ESCALATE_SETTLEMENT).at == settle.due_at
    paid = refunds.answered(done.case, refunds.PAID).case
    assert (paid.stage, paid.deposit.held) == (Stage.SETTLING, 2_000_000)
    rest = refunds.approved(paid, refunds.refund_of(2_000_000), at + DAY)
    assert rest.case.deposit.available == 0, "as soon as its reason has gone"


@pytest.mark.parametrize(
    ("case", "at", "kind"),
    [
        (refunds.left, refunds.LEFT, RefusalKind.TOO_EARLY),
        (cases.in_valid, cases.OPENED, RefusalKind.WRONG_STAGE),
        (cases.appealed, cases.OPENED + 40 * DAY, RefusalKind.APPEAL_PENDING),
    ],
    ids=["the settlement period runs", "certified", "appealed"],
)
def test_when_nothing_is_refunded(case: object, at: object, kind: RefusalKind) -> None:
    assert callable(case)
    assert refusal(case(), refunds.refund_of(WHOLE), at).kind is kind


def test_whatever_is_done_meanwhile_money_on_its_way_out_goes_on() -> None:
    case = refunds.returning().case
    (asked,) = [planned for planned in case.plan if planned.event is Event.SEND_REFUND]
    withdrawn = cases.done(case, cases.command(Withdraw, cases.APPLICANT, reason="r"), cases.OPENED).case
    assert (withdrawn.stage, withdrawn.plan) == (Stage.SETTLING, (asked,)), "not closed before the bank has paid"
    emptied = step(case, cases.setting(cases.OPENED), "e", "a", plan=()).case
    assert emptied.plan == (asked,)
    assert refunds.answered(withdrawn, refunds.PAID).case.stage is Stage.CLOSED


class TestUnmatched:
    def test_it_is_known_by_its_payment(self) -> None:
        case = refunds.with_unmatched()
        assert [(one.reference, one.amount) for one in case.unmatched_payments] == [("U1", 500)]
        assert case.deposit.unmatched == 500

    @pytest.mark.parametrize(
        ("amount", "counted", "left", "stage"),
        [
            (500, 500, 0, Stage.DEPOSIT),
            (WHOLE, WHOLE, 0, Stage.CERTIFYING),
            (WHOLE + 7, WHOLE, 7, Stage.CERTIFYING),
        ],
    )
    def test_finance_counts_it_as_far_as_the_deposit_lacks_it(
        self, amount: int, counted: int, left: int, stage: Stage
    ) -> None:
        assign = cases.command(AssignPayment, cases.FINANCE, reference="U1", reason="母公司代付")
        done = cases.done(refunds.with_unmatched(amount), assign, cases.OPENED)
        key = f"assigned:LB-2026-000001-{done.case.sequence}"
        assert transfers(done) == [(key, Account.UNMATCHED, Account.DEPOSIT, counted)]
        assert (done.case.deposit.received, done.case.deposit.unmatched, done.case.stage) == (counted, left, stage)
        assert [(one.reference, one.amount) for one in done.case.credited] == [("U1", counted)]
        assert sum(one.amount for one in done.case.unmatched_payments) == left
        assert ("unmatched_money" in {task.kind for task in done.case.tasks}) is bool(left)

    def test_it_makes_good_a_deduction_too(self) -> None:
        short = refunds.with_unmatched(2_000_000, deductions.suspended())
        assign = cases.command(AssignPayment, cases.FINANCE, reference="U1", reason="母公司代付")
        done = cases.done(short, assign, deductions.DUE + 20 * DAY)
        assert not done.case.holds and done.case.deposit.missing == 0

    @pytest.mark.parametrize(
        ("case", "reference", "kind"),
        [
            (refunds.with_unmatched, "U2", RefusalKind.NOTHING_UNMATCHED),
            (cases.in_deposit, "U1", RefusalKind.NOTHING_UNMATCHED),
            (lambda: refunds.with_unmatched(5, cases.in_valid()), "U1", RefusalKind.NOTHING_LACKING),
        ],
    )
    def test_what_cannot_be_counted(self, case: object, reference: str, kind: RefusalKind) -> None:
        assert callable(case)
        assign = cases.command(AssignPayment, cases.FINANCE, reference=reference, reason="r")
        assert refusal(case(), assign, cases.OPENED).kind is kind

    @pytest.mark.parametrize("stage", [Stage.SETTLING, Stage.CLOSED])
    def test_on_an_ended_case_it_is_held_until_it_is_given_back(self, stage: Stage) -> None:
        """A deposit is made whole so, before a decision is set aside (decision 28)."""
        case = refunds.answered(refunds.ordered(case=refunds.left()).case, refunds.PAID).case
        assert case.stage is Stage.CLOSED
        at = refunds.settled_on(refunds.left()) + DAY
        case = cases.paid(case, WHOLE, at, reference="U1").case.model_copy(update={"stage": stage})
        assign = cases.command(AssignPayment, cases.FINANCE, reference="U1", reason="补足")
        done = cases.done(case, assign, at).case
        assert (done.stage, done.deposit.available, done.deposit.missing) == (Stage.SETTLING, WHOLE, 0)
        (task,) = [task for task in done.tasks if task.kind == "settle_deposit"]
        assert task.due_at == cases.planned_event(done, Event.ESCALATE_SETTLEMENT).at
        again = refunds.approved(done, refunds.refund_of(WHOLE), at + 20 * DAY)
        assert refunds.answered(again.case, refunds.PAID).case.stage is Stage.CLOSED

    def test_two_people_return_it(self) -> None:
        done = refunds.returning()
        (order,) = done.case.refunds
        assert (order.of, order.payment, order.amount) == ("unmatched", "U1", 500)
        assert transfers(done) == [(f"refund:{order.id}", Account.UNMATCHED, Account.RETURN_PENDING, 500)]
        assert (done.case.deposit.unmatched, done.case.deposit.return_pending) == (0, 500)
        assert "unmatched_money" not in {task.kind for task in done.case.tasks}
        paid = refunds.answered(done.case, refunds.PAID)
        assert transfers(paid) == [(f"refund:{order.id}:settled", Account.RETURN_PENDING, Account.BANK, 500)]
        assert (paid.case.deposit.return_pending, paid.case.stage) == (0, Stage.DEPOSIT)

    def test_refused_by_the_bank_it_waits_again(self) -> None:
        done = refunds.answered(refunds.returning().case, refunds.REFUSED)
        assert [(one.reference, one.amount) for one in done.case.unmatched_payments] == [("U1", 500)]
        assert (done.case.deposit.unmatched, done.case.deposit.return_pending) == (500, 0)
        assert "unmatched_money" in {task.kind for task in done.case.tasks}

    def test_from_a_closed_case_which_is_open_until_it_is_paid(self) -> None:
        closed = cases.done(cases.in_review(), cases.command(Withdraw, cases.APPLICANT, reason="r"), cases.OPENED).case
        assert closed.stage is Stage.CLOSED
        late = cases.paid(closed, 500, reference="U1").case
        assert late.stage is Stage.CLOSED and late.deposit.unmatched == 500
        done = refunds.returning(late)
        assert done.case.stage is Stage.SETTLING
        assert refunds.answered(done.case, refunds.PAID).case.stage is Stage.CLOSED


def sums(case: Case) -> tuple[int, int, int, int, int]:
    deposit = case.deposit
    return (deposit.received, deposit.refunded, deposit.refund_pending, deposit.held, deposit.unmatched)


class TestTold:
    """What the bank tells unasked, once or often, early or late (decisions 15, 17)."""

    def test_told_that_it_is_paid_the_case_is_over_and_nobody_is_asked_any_more(self) -> None:
        done = refunds.told(refunds.ordered().case, "paid")
        assert (done.actor, done.event, done.case.stage) == ("bank:callback", "refund_paid", Stage.CLOSED)
        assert (done.case.refunds[0].bank_reference, done.case.plan) == ("BANK-1", ())
        assert sums(done.case) == (WHOLE, WHOLE, 0, 0, 0)

    def test_what_came_back_after_it_was_paid_is_held_again_and_the_closed_case_is_open(self) -> None:
        paid = refunds.answered(refunds.ordered().case, refunds.PAID).case
        done = refunds.told(paid, "returned", why="no such account")
        (order,) = done.case.refunds
        assert (order.state, order.why, sums(done.case)) == ("returned", "no such account", (WHOLE, 0, 0, WHOLE, 0))
        assert transfers(done) == [
            (f"refund:{order.id}:returned", Account.BANK, Account.REFUND_PENDING, WHOLE),
            (f"refund:{order.id}:returned:held", Account.REFUND_PENDING, Account.DEPOSIT, WHOLE),
        ]
        assert (done.case.stage, [task.kind for task in done.case.tasks]) == (Stage.SETTLING, ["settle_deposit"])
        at = refunds.LEFT + 61 * DAY
        again = refunds.approved(done.case, refunds.refund_of(WHOLE), at)
        assert [(one.state, one.payment) for one in again.case.refunds] == [("returned", "B1"), ("pending", "B1")]
        assert refunds.answered(again.case, refunds.PAID).case.stage is Stage.CLOSED

    def test_that_it_came_back_is_heard_before_that_it_was_paid(self) -> None:
        done = refunds.told(refunds.ordered().case, "returned")
        assert (done.case.refunds[0].state, sums(done.case)) == ("returned", (WHOLE, 0, 0, WHOLE, 0))
        late = refunds.told(done.case, "paid")
        assert late.repeated and sums(late.case) == sums(done.case), "it is over"

    def test_told_that_it_failed_it_is_held_again(self) -> None:
        done = refunds.told(refunds.ordered().case, "failed", why="the account is closed")
        assert (done.event, done.case.refunds[0].state) == ("refund_refused", "refused")
        assert sums(done.case) == (WHOLE, 0, 0, WHOLE, 0) and letters(done) == ["refund_refused"]

    def test_what_it_paid_only_a_part_of_is_held_again_for_the_rest(self) -> None:
        ordered = refunds.ordered().case
        by_answer = refunds.answered(ordered, BankAnswer(state="paid", reference="BANK-1", amount=4_000_000))
        for done in (by_answer, refunds.told(ordered, "paid", amount=4_000_000)):
            assert sums(done.case) == (WHOLE, 4_000_000, 0, 6_000_000, 0)
            assert (done.case.stage, letters(done)) == (Stage.SETTLING, ["refund_paid", "refund_refused"])
            again = refunds.approved(done.case, refunds.refund_of(6_000_000), refunds.LEFT + 61 * DAY)
            assert [one.amount for one in again.case.refunds] == [4_000_000, 6_000_000]
            assert refunds.answered(again.case, refunds.PAID).case.stage is Stage.CLOSED

    @pytest.mark.parametrize("amount", [0, -1, WHOLE + 1])
    def test_an_answer_of_an_impossible_sum_is_no_answer(self, amount: int) -> None:
        done = refunds.answered(refunds.ordered().case, BankAnswer(state="paid", reference="B", amount=amount))
        assert (done.event, done.case.deposit.refund_pending) == ("bank_unreachable", WHOLE)

    def test_a_return_that_came_back_fits_nowhere_again(self) -> None:
        paid = refunds.answered(refunds.returning().case, refunds.PAID).case
        done = refunds.told(paid, "returned")
        assert (done.case.deposit.unmatched, done.case.deposit.return_pending) == (500, 0)
        assert [(one.reference, one.amount) for one in done.case.unmatched_payments] == [("U1", 500)]
        again = refunds.approved(done.case, refunds.give_back(), refunds.LEFT)
        assert again.case.refunds[-1].amount == 500

    def test_paid_under_another_reference_it_is_no_repeat(self) -> None:
        case = refunds.told(refunds.ordered().case, "paid", amount=WHOLE // 2).case
        with pytest.raises(Refusal) as info:
            refunds.told(case, "paid", amount=WHOLE // 2, reference="BANK-2")
        assert info.value.kind is RefusalKind.REFERENCE_REUSED

    def test_told_again_it_is_a_repeat_and_against_what_is_on_record_it_is_refused(self) -> None:
        ordered = refunds.ordered().case
        on_record = {
            "paid": refunds.told(ordered, "paid").case,
            "failed": refunds.told(ordered, "failed").case,
            "returned": refunds.told(ordered, "returned").case,
        }
        over = {("paid", "paid"), ("failed", "failed"), ("returned", "returned"), ("returned", "paid")}
        for before, case in on_record.items():
            for state in on_record:
                if (before, state) in over:
                    again = refunds.told(case, state)
                    assert again.repeated and not transfers(again) and sums(again.case) == sums(case)
                elif (before, state) != ("paid", "returned"):
                    with pytest.raises(Refusal) as info:
                        refunds.told(case, state)
                    assert info.value.kind is RefusalKind.REFERENCE_REUSED
                with pytest.raises(Refusal) as info:
                    refunds.told(case, state, amount=WHOLE - 1)
                assert info.value.kind is RefusalKind.INVALID_VALUE

    def test_a_refund_nobody_ordered_is_unknown(self) -> None:
        with pytest.raises(Refusal) as info:
            refunds.told(refunds.ordered().case, "paid", refund="LB-2026-000001-1-R9")
        assert info.value.kind is RefusalKind.NOT_FOUND


class TestAnotherAccount:
    NUMBER, PROOF = "6222020200012345678", ("a" * 64,)

    def asked(self, **other: object) -> object:
        to = {"account": self.NUMBER, "account_name": cases.payer(), "evidence": self.PROOF, **other}
        return cases.command(RefundDeposit, cases.FINANCE, amount=WHOLE, reason="原账户已注销", **to)

    def proposed(self) -> Transition:
        case = refunds.left()
        return cases.decided(case, self.asked(), refunds.settled_on(case))

    def test_the_order_has_it_and_the_second_person_sees_it_with_its_evidence(self) -> None:
        case = refunds.left()
        made = self.proposed()
        (proposal,) = made.case.open_proposals
        assert proposal.parameters["account"] == self.NUMBER and proposal.parameters["evidence"] == list(self.PROOF)
        (proof,) = [record for record in made.records if isinstance(record, Evidence)]
        assert (proof.purpose, proof.documents) == ("refund", self.PROOF)
        approval = cases.approval(made.case, deductions.OTHER)
        done = cases.decided(made.case, approval, refunds.settled_on(case))
        (order,) = done.case.refunds
        assert (order.account, order.account_name, order.payment) == (self.NUMBER, cases.payer(), "B1")

    def test_the_number_is_masked_in_audit_log_and_letters(self) -> None:
        made = self.proposed()
        at = refunds.settled_on(refunds.left())
        done = cases.decided(made.case, cases.approval(made.case, deductions.OTHER), at)
        for transition in (made, done):
            told = str(transition.detail) + "".join(one.body for one in transition.records if isinstance(one, Letter))
            assert self.NUMBER not in told and "****5678" in told
            assert self.NUMBER not in current_details(transition.case, at, "default")

    def test_another_one_than_was_proposed_is_another_content(self) -> None:
        case, at = refunds.left(), refunds.settled_on(refunds.left())
        contents = {
            cases.decided(case, self.asked(**other), at).case.open_proposals[-1].content
            for other in ({}, {"account": "62220202000123456"}, {"evidence": ("b" * 64,)})
        }
        assert len(contents) == 3

    @pytest.mark.parametrize(
        ("other", "kind", "problems"),
        [
            ({"account_name": "somebody else"}, RefusalKind.ACCOUNT_OF_ANOTHER, ["account_name"]),
            ({"evidence": ()}, RefusalKind.INVALID_VALUE, ["evidence"]),
            ({"account_name": None}, RefusalKind.INVALID_VALUE, ["account_name"]),
            ({"account": None}, RefusalKind.INVALID_VALUE, ["account"]),
            ({"account": "12-34"}, RefusalKind.INVALID_VALUE, ["account"]),
            (
                {"account": "1", "account_name": "somebody else", "evidence": ()},
                RefusalKind.INVALID_VALUE,
                ["account", "evidence", "account_name"],
            ),
        ],
    )
    def test_without_all_it_takes_every_problem_is_told(
        self, other: dict[str, object], kind: RefusalKind, problems: list[str]
    ) -> None:
        case = refunds.left()
        refused = refusal(case, self.asked(**other), refunds.settled_on(case))
        assert (refused.kind, [one.path for one in refused.problems]) == (kind, problems)

    def test_the_name_is_compared_as_payers_are(self) -> None:
        case = refunds.left()
        spelled = self.asked(account_name=f" {cases.payer()[:4]} {cases.payer()[4:]} ")
        assert cases.decided(case, spelled, refunds.settled_on(case)).case.open_proposals
