"""A payment taken back by two people, with all that follows (decisions 15, 16, 29)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain import agenda, deposit, ledger
from domain.case import Case
from domain.commands import AssignPayment, ReceiveDeposit
from domain.ledger import Account, Transfer
from domain.planning import Event
from domain.records import Approval, Decision, Payment, PaymentReversed
from domain.refusals import Refusal, RefusalKind
from domain.stages import Stage
from tests.domain import cases, deductions, payments, refunds

DAY = timedelta(days=1)
WHOLE = 10_000_000


def transfers(records: tuple[object, ...]) -> list[tuple[Account, Account, int]]:
    return [(one.debit, one.credit, one.amount) for one in records if isinstance(one, Transfer)]


def refusal(case: Case, reference: str = "B1") -> RefusalKind:
    with pytest.raises(Refusal) as info:
        payments.propose(case, reference)
    return info.value.kind


def test_two_people_take_it_back_and_both_are_on_record() -> None:
    case = cases.in_certifying()
    waiting = payments.proposed(case)
    assert waiting.deposit == case.deposit, "proposed, nothing has moved"
    done = payments.reversed_(case)
    assert transfers(done.records) == [(Account.DEPOSIT, Account.BANK, WHOLE)]
    (transfer,) = [one for one in done.records if isinstance(one, Transfer)]
    (approval,) = [one for one in done.records if isinstance(one, Approval)]
    assert transfer.approval == approval.id and approval.proposed_by != approval.approved_by
    assert (Account.DEPOSIT, None) in ledger.NEEDS_APPROVAL and (
        Account.UNMATCHED,
        Account.BANK,
    ) in ledger.NEEDS_APPROVAL
    assert PaymentReversed("B1", 1, WHOLE) in done.records
    (decision,) = [one for one in done.records if isinstance(one, Decision)]
    assert (decision.kind, decision.reason) == ("payment_reversed", "银行退票")


class TestBeforeTheCertification:
    def test_a_deposit_no_longer_full_waits_for_the_rest_with_its_whole_time_anew(self) -> None:
        at = cases.OPENED + DAY
        case = payments.reversed_(cases.in_certifying(), at=at).case
        assert case.stage is Stage.DEPOSIT and case.deposit.missing == WHOLE
        assert [task.kind for task in case.tasks] == ["deposit"]
        opened = deposit.deposit_opened(cases.setting(at))
        assert case.deposit_due_on == opened["deposit_due_on"]
        assert [one.event for one in case.plan] == [one.event for one in opened["plan"]]
        again = cases.paid(case, WHOLE, at, reference="B2").case
        assert again.stage is Stage.CERTIFYING
        assert [task.kind for task in again.tasks] == ["certify"]

    def test_without_the_rest_it_lapses(self) -> None:
        case = payments.reversed_(cases.in_certifying()).case
        lapse = cases.planned_event(case, Event.LAPSE_DEPOSIT)
        assert agenda.take(case, lapse, cases.setting(lapse.at)).case.ending is not None

    @pytest.mark.parametrize("start", [cases.in_review, cases.in_deposit])
    def test_a_part_is_taken_back_and_the_stage_stays(self, start: object) -> None:
        assert callable(start)
        case = cases.paid(cases.paid(start(), 500).case, 300, reference="B2").case
        after = payments.reversed_(case).case
        assert (after.stage, after.deposit.received) == (case.stage, 300)
        assert [one.reference for one in after.credited] == ["B2"]
        assert after.deposit_due_on == case.deposit_due_on


class TestAfterTheCertification:
    def test_the_top_up_begins_as_after_a_deduction(self) -> None:
        at = cases.OPENED + 3 * DAY
        case = payments.reversed_(cases.in_valid(), at=at).case
        after_deduction = deductions.deducted(deductions.violation(decided=at), 2_000_000, at).case
        assert case.stage is Stage.VALID
        assert [task for task in case.tasks if task.kind == "top_up"] == [
            task for task in after_deduction.tasks if task.kind == "top_up"
        ]
        suspend = cases.planned_event(case, Event.SUSPEND_SHORT_DEPOSIT)
        suspended = agenda.take(case, suspend, cases.setting(suspend.at, 2)).case
        assert suspended.hold("deposit") is not None
        whole = cases.paid(suspended, WHOLE, suspend.at, reference="B2").case
        assert not whole.holds and whole.deposit.missing == 0

    def test_of_an_ended_base_nothing_is_left_to_settle(self) -> None:
        case = payments.reversed_(refunds.left()).case
        assert case.stage is Stage.CLOSED and not case.deposit.held


class TestWhatFitsNowhere:
    def test_it_is_taken_back_without_a_word_to_the_applicant(self) -> None:
        done = payments.reversed_(refunds.with_unmatched(), "U1")
        assert transfers(done.records) == [(Account.UNMATCHED, Account.BANK, 500)]
        assert done.case.deposit.unmatched == 0 and not done.case.unmatched_payments
        assert [task.kind for task in done.case.tasks] == ["deposit"]

    def test_both_parts_of_a_payment(self) -> None:
        case = cases.paid(cases.in_deposit(), WHOLE + 5).case
        done = payments.reversed_(case)
        assert sorted(transfers(done.records)) == [
            (Account.DEPOSIT, Account.BANK, WHOLE),
            (Account.UNMATCHED, Account.BANK, 5),
        ]
        assert PaymentReversed("B1", 1, WHOLE + 5) in done.records


class TestLargerThanWhatIsThere:
    """A chargeback of a payment of which a part was deducted: rows of (deducted, topped up), in fen."""

    @pytest.mark.parametrize("deducted", [1, 2_000_000, WHOLE - 1])
    def test_what_is_there_is_taken_back_and_the_rest_once_the_base_has_topped_up(self, deducted: int) -> None:
        at = deductions.DECIDED
        done = payments.reversed_(deductions.short(deducted), at=at)
        case, there = done.case, WHOLE - deducted
        assert transfers(done.records) == [(Account.DEPOSIT, Account.BANK, there)]
        assert PaymentReversed("B1", 1, there) in done.records and done.detail["shortfall"] == {"fen": deducted}
        sums = case.deposit
        assert (sums.received, sums.deducted, sums.available, sums.missing) == (deducted, deducted, 0, WHOLE)
        assert [(one.reference, one.amount) for one in case.shortfalls] == [("B1", deducted)]
        assert [(one.reference, one.amount) for one in case.credited] == [("B1", deducted)]
        assert [task.kind for task in case.tasks if task.kind == "top_up"] == ["top_up"]
        assert refusal(case) is RefusalKind.PAYMENT_SPENT, "nothing is there now"

        whole = cases.paid(case, WHOLE, at, reference="B2").case
        assert whole.deposit.missing == 0
        rest = payments.reversed_(whole, at=at)
        assert transfers(rest.records) == [(Account.DEPOSIT, Account.BANK, deducted)]
        assert PaymentReversed("B1", 1, deducted) in rest.records, "all of it is taken back now"
        assert not rest.case.shortfalls and [one.reference for one in rest.case.credited] == ["B2"]
        assert rest.case.deposit.missing == deducted and rest.case.deposit.available == WHOLE - deducted

    def test_until_then_nothing_is_refunded(self) -> None:
        at = deductions.DECIDED
        short = payments.reversed_(deductions.short(2_000_000), at=at).case
        left = refunds.left(cases.paid(short, WHOLE, at, reference="B2").case)
        with pytest.raises(Refusal, match="still to be taken back"):
            cases.done(left, refunds.refund_of(WHOLE), refunds.settled_on(left))
        taken = payments.reversed_(left, at=refunds.settled_on(left)).case
        done = refunds.approved(taken, refunds.refund_of(8_000_000), refunds.settled_on(taken))
        assert [(one.payment, one.amount) for one in done.case.refunds] == [("B2", 8_000_000)]


class TestRefused:
    def test_what_is_not_on_the_case(self) -> None:
        assert refusal(cases.in_certifying(), "B9") is RefusalKind.NOTHING_TO_TAKE_BACK
        assert refusal(payments.reversed_(cases.in_certifying()).case) is RefusalKind.WRONG_STAGE

    def test_what_was_deducted(self) -> None:
        """The deposit is one sum: what is left of it can still be taken back."""
        short = deductions.short(2_000_000)
        topped_up = cases.paid(short, 2_000_000, deductions.DECIDED, reference="B2").case
        assert payments.reversed_(topped_up, "B2", deductions.DECIDED).case.deposit.available == 8_000_000
        assert refusal(deductions.short(WHOLE)) is RefusalKind.PAYMENT_SPENT

    def test_what_is_refunded_or_on_its_way(self) -> None:
        ordered = refunds.ordered(case=refunds.left()).case
        assert refusal(ordered) is RefusalKind.PAYMENT_SPENT
        assert refusal(refunds.answered(ordered, refunds.PAID).case) is RefusalKind.PAYMENT_SPENT
        refused = refunds.answered(ordered, refunds.REFUSED).case
        assert payments.propose(refused).case.open_proposals, "the bank did not pay it"

    def test_what_is_returned(self) -> None:
        assert refusal(cases.paid(refunds.returning().case, 5).case, "U1") is RefusalKind.NOTHING_TO_TAKE_BACK


class TestReportedAnew:
    KNOWN = Payment("B1", 5, cases.payer(), payments.PAID_ON, 5, 0)

    def report(self, *, taken_back: bool, **fields: object) -> object:
        case = cases.in_deposit()
        command = cases.command(
            ReceiveDeposit, cases.FINANCE, **{"amount": 5, "reference": "B1", "payer": cases.payer(), **fields}
        )
        setting = cases.setting(cases.OPENED)
        return deposit.receive(case, command, self.KNOWN, case.case_number, setting, taken_back=taken_back)

    @pytest.mark.parametrize("amount", [5, 6])
    def test_a_reference_taken_back_does_not_count_again_by_itself(self, amount: int) -> None:
        with pytest.raises(Refusal) as info:
            self.report(taken_back=True, amount=amount)
        assert info.value.kind is RefusalKind.REFERENCE_REUSED and "--correction" in info.value.hint

    def test_a_correction_counts_as_an_edition_of_its_own(self) -> None:
        done = self.report(taken_back=True, amount=6, correction=True)
        (payment,) = [one for one in done.records if isinstance(one, Payment)]  # type: ignore[attr-defined]
        (transfer,) = [one for one in done.records if isinstance(one, Transfer)]  # type: ignore[attr-defined]
        assert (payment.edition, payment.credited) == (2, 6)
        assert transfer.key == "payment:B1:deposit:2"

    def test_nothing_is_corrected_that_was_not_taken_back(self) -> None:
        with pytest.raises(Refusal) as info:
            self.report(taken_back=False, correction=True)
        assert info.value.kind is RefusalKind.NOTHING_TO_CORRECT


def test_what_was_seen_of_the_payment_is_what_is_approved() -> None:
    """It was unmatched when it was proposed; counted for the deposit since, it has to be proposed anew."""
    case = refunds.with_unmatched(500)
    waiting = payments.proposed(case, "U1")
    assigned = cases.done(
        waiting, cases.command(AssignPayment, cases.FINANCE, reference="U1", reason="r"), cases.OPENED
    )
    with pytest.raises(Refusal) as info:
        cases.done(assigned.case, cases.approval(assigned.case, payments.OTHER), cases.OPENED)
    assert info.value.kind is RefusalKind.PROPOSAL_CHANGED
