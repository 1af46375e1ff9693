"""Deductions and the top-up that follows them (decision 16), and the ledger they are booked in (decision 15)."""

from __future__ import annotations

from datetime import date

import pytest

from domain import agenda, ledger
from domain.case import Case
from domain.commands import Actor, ApproveProposal, DeductDeposit, Surrender, Suspend
from domain.ledger import OF_EVERYBODY, Account, Transfer
from domain.planning import Event
from domain.records import Approval, Decision, Letter, ListRevision, Transition
from domain.refusals import Refusal, RefusalKind
from domain.shanghai import end_of_day
from domain.stages import Role, Stage, Standing
from tests.domain import cases
from tests.domain.deductions import CONDUCT, DAY, DECIDED, DUE, OTHER, deduct, deducted, short, suspended, violation


def letters(done: Transition) -> list[str]:
    return [record.kind for record in done.records if isinstance(record, Letter)]


def refusal(case: Case, command: DeductDeposit) -> Refusal:
    with pytest.raises(Refusal) as info:
        cases.done(case, command, DECIDED)
    return info.value


def test_finance_proposes_and_nothing_moves_before_a_second_person() -> None:
    done = cases.done(violation(), deduct(2_000_000), DECIDED)
    assert done.event == "proposal_made" and done.case.deposit.held == 10_000_000
    assert not [record for record in done.records if isinstance(record, Transfer)]
    (task,) = [task for task in done.case.tasks if task.kind == "approve_deduction"]
    assert (task.role, task.also) == (Role.FINANCE, (Role.COMPLIANCE,))
    assert "20,000.00" in next(record.body for record in done.records if isinstance(record, Letter))


@pytest.mark.parametrize("who", [OTHER, cases.COMPLIANCE], ids=str)
def test_approved_it_is_booked_once_with_both_names(who: Actor) -> None:
    proposed = cases.done(violation(), deduct(2_000_000), DECIDED).case
    done = cases.done(proposed, cases.approval(proposed, who), DECIDED)
    (transfer,) = [record for record in done.records if isinstance(record, Transfer)]
    id = f"LB-2026-000001-{done.case.sequence}"
    proposal = proposed.proposals[-1].id
    assert transfer == Transfer(f"deduction:{id}", Account.DEPOSIT, Account.DEDUCTED, 2_000_000, id, approval=proposal)
    (approval,) = [record for record in done.records if isinstance(record, Approval)]
    assert (approval.id, approval.proposed_by, approval.approved_by) == (proposal, "qian", who.name)
    (decision,) = [record for record in done.records if isinstance(record, Decision)]
    assert (decision.kind, decision.by, decision.approval) == ("deducted", who.name, proposal)
    deposit = done.case.deposit
    assert (deposit.received, deposit.deducted, deposit.held, deposit.missing) == (
        10_000_000, 2_000_000, 8_000_000, 2_000_000,
    )  # fmt: skip
    assert done.detail["conduct"] == CONDUCT and done.detail["amount"] == {"fen": 2_000_000}


@pytest.mark.parametrize("name", ["qian", "QIAN", " qi an"])
def test_the_proposer_is_no_second_person_in_any_spelling(name: str) -> None:
    proposed = cases.done(violation(), deduct(1), DECIDED).case
    with pytest.raises(Refusal) as info:
        cases.done(proposed, cases.approval(proposed, Actor(role=Role.COMPLIANCE, name=name)), DECIDED)
    assert info.value.kind is RefusalKind.SECOND_PERSON_REQUIRED


@pytest.mark.parametrize(
    ("case", "command", "kind"),
    [
        (cases.undecided, deduct(1), RefusalKind.NOT_DECIDED),
        (lambda: violation("dismissed"), deduct(1), RefusalKind.NOT_DECIDED),
        (violation, deduct(1, conduct="LB-2026-000001-C2"), RefusalKind.NOT_FOUND),
        (violation, deduct(10_000_001), RefusalKind.DEPOSIT_TOO_SMALL),
        (violation, deduct(1, cases.COMPLIANCE), RefusalKind.ROLE_NOT_ALLOWED),
        (cases.in_valid, deduct(1), RefusalKind.WRONG_STAGE),
        (cases.in_deposit, deduct(1), RefusalKind.WRONG_STAGE),
    ],
)
def test_what_cannot_be_deducted_is_not_even_proposed(case: object, command: DeductDeposit, kind: RefusalKind) -> None:
    assert callable(case)
    assert refusal(case(), command).kind is kind


@pytest.mark.parametrize("outcome", ["deduction", "rectification", "suspension"])
def test_any_decision_against_the_base_bears_a_deduction(outcome: str) -> None:
    assert deducted(violation(outcome), 1).case.deposit.deducted == 1


def test_two_proposals_cannot_take_more_than_there_is() -> None:
    case = violation()
    for amount in (6_000_000, 5_000_000):
        case = cases.done(case, deduct(amount), DECIDED).case
    first, second = case.proposals
    approve = cases.command(ApproveProposal, OTHER, proposal=first.id, content=first.content)
    case = cases.done(case, approve, DECIDED).case
    approve = cases.command(ApproveProposal, OTHER, proposal=second.id, content=second.content)
    with pytest.raises(Refusal) as info:
        cases.done(case, approve, DECIDED)
    assert info.value.kind is RefusalKind.PROPOSAL_CHANGED


def test_the_base_has_fifteen_days_to_top_up_is_reminded_and_then_suspended_by_itself() -> None:
    case = short()
    (task,) = [task for task in case.tasks if task.kind == "top_up"]
    assert (task.role, task.due_at) == (Role.APPLICANT, DUE)
    reminders = [planned.at for planned in case.plan if planned.event is Event.REMIND_TOP_UP]
    assert reminders == [DUE - 7 * DAY, DUE - DAY]
    planned = cases.planned_event(case, Event.SUSPEND_SHORT_DEPOSIT)
    assert planned.at == end_of_day(date(2026, 3, 27)), "five working days of grace"
    assert case.standing(planned.at - DAY) is Standing.CERTIFIED
    late = planned.at + 2 * DAY
    assert agenda.legally_due(case, late) == planned
    done = agenda.take(case, planned, cases.setting(late, 2))
    assert (done.event, done.legal_at, done.observed_at) == ("deposit_short_suspended", planned.at, late)
    assert done.case.standing(late) is Standing.SUSPENDED and done.case.stage is Stage.VALID
    assert [(hold.kind, hold.since) for hold in done.case.holds] == [("deposit", planned.at)]
    (entry,) = [record for record in done.records if isinstance(record, ListRevision)]
    assert (entry.state, entry.category, entry.effective_from) == ("suspended", "deposit", planned.at)
    assert letters(done) == ["deposit_short_suspended"]


@pytest.mark.parametrize(
    ("parts", "kind", "left"),
    [((2_000_000,), "deposit_topped_up", 0), ((500_000, 1_500_000), "deposit_topped_up", 0), ((500_000,), "", 1)],
)
def test_topped_up_in_time_nothing_is_owed_any_more(parts: tuple[int, ...], kind: str, left: int) -> None:
    case = short()
    for number, amount in enumerate(parts):
        done = cases.paid(case, amount, DECIDED + DAY, reference=f"T{number}")
        case = done.case
        assert letters(done) == ["deposit_topped_up"]
    assert len([task for task in case.tasks if task.kind == "top_up"]) == left
    assert any(planned.event is Event.SUSPEND_SHORT_DEPOSIT for planned in case.plan) is bool(left)
    assert case.deposit.missing == 2_000_000 - sum(parts)
    assert sum(one.amount for one in case.credited) == 10_000_000 + sum(parts)


def test_topped_up_late_the_suspension_ends_and_only_its_own() -> None:
    case = suspended()
    at = DUE + 20 * DAY
    done = cases.paid(case, 2_000_000, at, reference="T1")
    assert done.case.standing(at) is Standing.CERTIFIED and not done.case.holds
    (entry,) = [record for record in done.records if isinstance(record, ListRevision)]
    assert entry.state == "published"
    both = cases.done(case, cases.command(Suspend, cases.COMPLIANCE, reason="other"), at).case
    done = cases.paid(both, 2_000_000, at, reference="T1")
    assert [hold.kind for hold in done.case.holds] == ["compliance"]
    assert done.case.standing(at) is Standing.SUSPENDED
    assert "另有1项暂停" in next(record.body for record in done.records if isinstance(record, Letter))


def test_more_than_is_lacking_is_unmatched() -> None:
    deposit = cases.paid(short(), 3_000_000, DECIDED + DAY, reference="T1").case.deposit
    assert (deposit.missing, deposit.unmatched) == (0, 1_000_000)


def test_a_second_deduction_gives_the_whole_time_anew() -> None:
    later = DECIDED + 7 * DAY
    case = deducted(short(), 1_000_000, later).case
    (task,) = [task for task in case.tasks if task.kind == "top_up"]
    assert task.due_at == DUE + 7 * DAY
    assert len([one for one in case.plan if one.event is Event.SUSPEND_SHORT_DEPOSIT]) == 1
    assert case.deposit.missing == 3_000_000


def test_suspended_already_the_base_owes_the_more() -> None:
    done = deducted(suspended(), 1_000_000, DUE + 20 * DAY)
    assert [hold.kind for hold in done.case.holds] == ["deposit"]
    assert done.case.deposit.missing == 3_000_000
    assert not any(one.event is Event.SUSPEND_SHORT_DEPOSIT for one in done.case.plan)


def test_a_base_that_leaves_owes_no_top_up() -> None:
    case = cases.done(short(), cases.command(Surrender, cases.APPLICANT, reason="r"), DECIDED + DAY).case
    assert "top_up" not in {task.kind for task in case.tasks}
    assert not {Event.REMIND_TOP_UP, Event.SUSPEND_SHORT_DEPOSIT} & {planned.event for planned in case.plan}
    after = deducted(case, 1_000_000, DECIDED + 2 * DAY)
    assert "top_up" not in {task.kind for task in after.case.tasks}, "what is left is settled"
    assert after.case.deposit.held == 7_000_000


def test_the_sums_are_what_the_transfers_come_to() -> None:
    flows = {
        (Account.BANK, Account.DEPOSIT): 10,
        (Account.BANK, Account.UNMATCHED): 5,
        (Account.UNMATCHED, Account.DEPOSIT): 2,
        (Account.DEPOSIT, Account.DEDUCTED): 4,
        (Account.DEDUCTED, Account.DEPOSIT): 1,
        (Account.DEPOSIT, Account.REFUND_PENDING): 6,
        (Account.REFUND_PENDING, Account.BANK): 3,
        (Account.REFUND_PENDING, Account.DEPOSIT): 1,
        (Account.UNMATCHED, Account.RETURN_PENDING): 3,
        (Account.RETURN_PENDING, Account.BANK): 1,
    }
    assert ledger.sums(flows) == {
        "received": 12, "deducted": 3, "refund_pending": 2, "refunded": 3, "unmatched": 0, "return_pending": 2,
    }  # fmt: skip


@pytest.mark.parametrize("account", [account for account in Account if account not in OF_EVERYBODY])
def test_no_account_goes_below_zero(account: Account) -> None:
    """Invariant L4."""
    with pytest.raises(ValueError, match=f"{account} would stand at -1"):
        ledger.sums({(Account.BANK, account): 1, (account, Account.BANK): 2})
