"""The return of money of no case: who may do what when, and that every fen of it stands somewhere (15, 17, 29)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from domain import returning
from domain.bank import BankAnswer
from domain.commands import (
    Actor,
    ApproveProposal,
    DenyProposal,
    ReportRefund,
    ReturnPayment,
    payment_number,
    payment_workflow_id,
)
from domain.ledger import Account
from domain.records import Payment, Reported
from domain.refusals import Refusal, RefusalKind
from domain.returning import Done, Unplaced, order_of
from domain.stages import Role

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
DUE = NOW + timedelta(days=3)
QIAN, TANG = Actor(role=Role.FINANCE, name="qian"), Actor(role=Role.FINANCE, name="tang")
HE, REVIEWER = Actor(role=Role.COMPLIANCE, name="he"), Actor(role=Role.REVIEWER, name="li")
SAME_PERSON = Actor(role=Role.COMPLIANCE, name="QIAN ")
BANK = Actor(role=Role.BANK, name="callback")
PROPOSAL = f"{payment_number('S1')}-1"
ORDER = order_of(PROPOSAL)


def given(kind: Any, actor: Actor, **fields: Any) -> Any:
    return kind(request_id="r", workflow_id=payment_workflow_id("S1"), actor=actor, **fields)


class World:
    """One payment of 700 fen, its steps, and what its transfers have moved."""

    def __init__(self, case_number: str | None = None) -> None:
        payment = Payment("S1", 700, "somebody", date(2026, 3, 1), 0, 700, "nobody's")
        self.now = Unplaced(Reported(payment, case_number))
        self.stands = {Account.UNPLACED: 700, Account.RETURN_PENDING: 0, Account.BANK: -700}
        self.keys: list[str] = []

    def take(self, done: Done | None) -> Done | None:
        if done is None or done.repeated:
            return done
        self.now = Unplaced(self.now.known, (*self.now.steps, done.step))
        for transfer in done.transfers:
            assert transfer.key not in self.keys, "nothing is moved twice"
            self.keys.append(transfer.key)
            self.stands[transfer.debit] -= transfer.amount
            self.stands[transfer.credit] += transfer.amount
        assert self.stands[Account.UNPLACED] == self.now.left >= 0
        assert self.stands[Account.RETURN_PENDING] == (self.now.order.amount if self.now.order else 0)
        assert sum(self.stands.values()) == 0
        return done

    def propose(self, actor: Actor = QIAN, at: datetime = NOW) -> Done | None:
        command = given(ReturnPayment, actor, reference="S1", reason="not ours")
        return self.take(returning.propose(self.now, command, DUE, at))

    def approve(self, actor: Actor = TANG, at: datetime = NOW, **other: Any) -> Done | None:
        step = self.now.steps[-1] if self.now.steps else None
        named = {"proposal": step.proposal if step else PROPOSAL, "content": step.content if step else "0" * 64}
        return self.take(returning.approve(self.now, given(ApproveProposal, actor, **{**named, **other}), at))

    def deny(self, actor: Actor = TANG, at: datetime = NOW) -> Done | None:
        return self.take(returning.deny(self.now, given(DenyProposal, actor, proposal=PROPOSAL, reason="ours"), at))

    def bank(self, state: Any, amount: int | None = None) -> Done | None:
        answer = BankAnswer(state=state, reference="B1" if state == "paid" else "", amount=amount)
        return self.take(returning.answered(self.now, order_of(self.now.steps[-1].proposal), answer, NOW))

    def told(self, state: Any, amount: int = 700, order: str = ORDER, reference: str = "") -> Done | None:
        told = given(ReportRefund, BANK, refund=order, state=state, amount=amount, reference=reference)
        return self.take(returning.reported(self.now, told, NOW))

    def play(self, acts: str) -> None:
        for act in acts.split():
            name, _, argument = act.partition(":")
            if name in ("bank", "told"):
                state, _, amount = argument.partition("=")
                getattr(self, name)(state, *([int(amount)] if amount else []))
            else:
                getattr(self, name)()


@pytest.mark.parametrize(
    ("acts", "left", "gone", "pending"),
    [
        ("", 700, 0, 0),
        ("propose", 700, 0, 0),
        ("propose deny propose", 700, 0, 0),
        ("propose approve", 0, 0, 700),
        ("propose approve bank:processing bank:unreachable", 0, 0, 700),
        ("propose approve bank:paid=0 bank:paid=701", 0, 0, 700),
        ("propose approve bank:paid", 0, 700, 0),
        ("propose approve told:paid told:paid bank:paid", 0, 700, 0),
        ("propose approve bank:paid=300", 400, 300, 0),
        ("propose approve told:paid=300 propose approve bank:paid", 0, 700, 0),
        ("propose approve bank:refused", 700, 0, 0),
        ("propose approve told:failed told:failed", 700, 0, 0),
        ("propose approve bank:returned told:paid", 700, 0, 0),
        ("propose approve bank:paid told:returned told:returned", 700, 0, 0),
        ("propose approve bank:paid told:returned told:paid propose approve", 0, 0, 700),
        ("propose approve bank:refused propose approve bank:paid", 0, 700, 0),
    ],
)
def test_every_fen_stands_somewhere(acts: str, left: int, gone: int, pending: int) -> None:
    world = World()
    world.play(acts)
    assert world.now.left == left
    assert world.stands == {Account.UNPLACED: left, Account.RETURN_PENDING: pending, Account.BANK: gone - 700}
    view = world.now.view
    assert view.is_over is (gone == 700)
    assert (view.proposal is not None) is acts.endswith("propose") and (view.order is not None) is bool(pending)


@pytest.mark.parametrize(
    ("acts", "refused", "kind"),
    [
        ("propose", lambda w: w.propose(TANG), RefusalKind.PROPOSAL_PENDING),
        ("propose approve", lambda w: w.propose(), RefusalKind.NOTHING_UNMATCHED),
        ("propose approve bank:paid", lambda w: w.propose(), RefusalKind.NOTHING_UNMATCHED),
        ("", lambda w: w.approve(), RefusalKind.NOT_FOUND),
        ("propose", lambda w: w.approve(QIAN), RefusalKind.SECOND_PERSON_REQUIRED),
        ("propose", lambda w: w.approve(SAME_PERSON), RefusalKind.SECOND_PERSON_REQUIRED),
        ("propose", lambda w: w.approve(REVIEWER), RefusalKind.ROLE_NOT_ALLOWED),
        ("propose", lambda w: w.deny(REVIEWER), RefusalKind.ROLE_NOT_ALLOWED),
        ("propose", lambda w: w.approve(content="0" * 64), RefusalKind.PROPOSAL_CHANGED),
        ("propose", lambda w: w.approve(at=DUE), RefusalKind.TOO_LATE),
        ("propose", lambda w: w.deny(at=DUE), RefusalKind.TOO_LATE),
        ("propose approve", lambda w: w.approve(HE), RefusalKind.ALREADY_DECIDED),
        ("propose approve", lambda w: w.deny(), RefusalKind.ALREADY_DECIDED),
        ("propose", lambda w: w.told("paid"), RefusalKind.NOT_FOUND),
        ("propose approve", lambda w: w.told("paid", 701), RefusalKind.INVALID_VALUE),
        ("propose approve", lambda w: w.told("failed", 300), RefusalKind.INVALID_VALUE),
        ("propose approve bank:refused", lambda w: w.told("paid"), RefusalKind.REFERENCE_REUSED),
        ("propose approve bank:paid", lambda w: w.told("failed"), RefusalKind.REFERENCE_REUSED),
        ("propose approve bank:paid", lambda w: w.told("paid", reference="B2"), RefusalKind.REFERENCE_REUSED),
    ],
)
def test_what_is_refused_leaves_all_as_it_was(acts: str, refused: Any, kind: RefusalKind) -> None:
    world = World()
    world.play(acts)
    before = world.now
    with pytest.raises(Refusal) as refusal:
        refused(world)
    assert refusal.value.kind is kind and world.now == before


def test_a_case_that_takes_it_over_leaves_nothing_to_return_or_approve() -> None:
    world = World()
    world.play("propose")
    moved = World("LB-2026-000001")
    moved.now = Unplaced(moved.now.known, world.now.steps)
    assert moved.now.view.is_over and moved.now.open is None
    with pytest.raises(Refusal, match="has changed"):
        moved.approve()
    with pytest.raises(Refusal, match="on case LB-2026-000001"):
        moved.propose()


def test_two_people_are_on_record_and_nobody_else_s_silence_expires_it_early() -> None:
    world = World()
    world.play("propose")
    assert returning.expire(world.now, PROPOSAL, DUE - timedelta(seconds=1)) is None
    done = world.approve(HE)
    assert done is not None and done.approval is not None
    assert (done.approval.id, done.approval.proposed_by, done.approval.approved_by) == (PROPOSAL, "qian", "he")
    assert [transfer.approval for transfer in done.transfers] == [PROPOSAL]
    assert returning.expire(world.now, PROPOSAL, DUE) is None, "it has been approved"
    late = World()
    late.play("propose")
    late.take(returning.expire(late.now, PROPOSAL, DUE))
    with pytest.raises(Refusal) as refusal:
        late.approve()
    assert refusal.value.kind is RefusalKind.TOO_LATE
    late.propose()
    assert late.now.open is not None and late.now.open.proposal == f"{payment_number('S1')}-3"
