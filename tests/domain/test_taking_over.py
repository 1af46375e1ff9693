"""Money that has waited elsewhere, counted for a case: both books right, once (decision 15)."""

from __future__ import annotations

import pytest

from domain import ledger
from domain.case import Case
from domain.ledger import Account, Transfer
from domain.records import PaymentMoved, Transition
from domain.stages import Stage
from tests.domain import cases, payments, refunds

WHOLE = 10_000_000


def moves(transition: Transition) -> list[tuple[Account, Account, int]]:
    return [(one.debit, one.credit, one.amount) for one in transition.records if isinstance(one, Transfer)]


@pytest.mark.parametrize(
    ("case", "amount", "credited", "stage"),
    [
        (cases.in_deposit, WHOLE, WHOLE, Stage.CERTIFYING),
        (cases.in_deposit, 500, 500, Stage.DEPOSIT),
        (cases.in_deposit, WHOLE + 7, WHOLE, Stage.CERTIFYING),
        (cases.in_review, WHOLE, WHOLE, Stage.REVIEW),
        (cases.in_valid, 500, 0, Stage.VALID),
        (refunds.left, 500, 0, Stage.SETTLING),
    ],
)
@pytest.mark.parametrize("place", ["another case", "none"])
def test_as_much_counts_as_is_lacking_and_the_rest_is_unmatched_here(
    case: object, amount: int, credited: int, stage: Stage, place: str
) -> None:
    assert callable(case)
    before: Case = case()
    stands = payments.on_another(amount) if place == "another case" else payments.of_none(amount)
    done = payments.taken_over(before, amount, stands)
    after = done.case
    assert after.stage is stage
    assert after.deposit.received - before.deposit.received == credited
    assert after.deposit.unmatched - before.deposit.unmatched == amount - credited
    whole = [(Account.UNPLACED, Account.UNMATCHED, amount)]
    assert moves(done) == whole + ([(Account.UNMATCHED, Account.DEPOSIT, credited)] if credited else [])
    (moved,) = [one for one in done.records if isinstance(one, PaymentMoved)]
    assert moved == PaymentMoved("E1", 1, amount, stands.case.case_number if stands.case else None)


def test_the_other_case_loses_it_in_the_same_transition() -> None:
    stands = payments.on_another(500)
    assert stands.case is not None
    done = payments.taken_over(cases.in_deposit(), 500, stands)
    assert done.beside is not None
    gone = done.beside
    assert moves(gone) == [(Account.UNMATCHED, Account.UNPLACED, 500)]
    assert gone.case.deposit.unmatched == 0 and not gone.case.unmatched_payments
    assert "unmatched_money" not in [task.kind for task in gone.case.tasks]
    assert (gone.case.case_number, gone.case.sequence) == ("LB-2026-000002", stands.case.sequence + 1)
    assert gone.detail["to_case"] == done.case.case_number


def test_money_of_no_case_touches_no_other_case() -> None:
    assert payments.taken_over(cases.in_deposit(), 500, payments.of_none(500)).beside is None


def test_what_is_here_is_counted_here() -> None:
    """As before: nothing is asked of elsewhere."""
    case = refunds.with_unmatched()
    done = payments.taken_over(case.model_copy(), 500, payments.of_none(500))
    assert done.event == "payment_taken_over"
    here = payments._decide(case, payments.assign("U1"), cases.OPENED, payments.Book(stands=payments.of_none(9)))
    assert (here.event, here.case.deposit.received) == ("payment_assigned", 500)


def test_nothing_stays_on_the_account_of_no_case() -> None:
    """The sums of both cases come from their own lines alone."""
    done = payments.taken_over(cases.in_deposit(), 500)
    flows = {(debit, credit): amount for debit, credit, amount in moves(done)}
    assert ledger.sums(flows)["received"] == 500
    assert done.beside is not None
    lines = [*moves(done), *moves(done.beside)]
    into = sum(amount for _, credit, amount in lines if credit is Account.UNPLACED)
    out = sum(amount for debit, _, amount in lines if debit is Account.UNPLACED)
    assert into == out == 500
