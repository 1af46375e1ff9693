"""Five hundred refunds, each tried twice at once: the bank pays each once, and its book is ours (decision 17, L5)."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select
from sqlalchemy.orm import Session

from activities.bank import BankActivities
from activities.desk import CaseDesk
from domain.bank import BankAnswer, RefundOrder
from domain.case import Case
from domain.commands import Actor, ApproveProposal, Outcome, RefundDeposit, Withdraw
from domain.planning import Event
from domain.proposals import content_of
from domain.refusals import RefusalKind
from domain.stages import Role, Stage
from starter.bank_sandbox import BankSandbox
from store import tables
from store.cases import CaseStore
from store.payments import PaymentStore
from store.reference import policy_book
from tests.documents import document_store, pseudonym
from tests.domain import cases
from tests.office import new_credit_code
from tests.store.first_year import HOUR, Enterprise, write

BASES = {"postgresql": 100, "sqlite": 12}
"""On SQLite a writer is alone anyway: fewer show it."""
PAYMENTS = 5
PART = 2_000_000
NOW = cases.OPENED + 5 * HOUR
SECOND = (Actor(role=Role.FINANCE, name="tang"), Actor(role=Role.COMPLIANCE, name="he"))
HANDS = 4


def withdrawn(store: CaseStore) -> Case:
    """A case whose deposit of several payments is to be given back, the refund of all of it proposed."""
    enterprise = Enterprise(number=f"LB-2026-{1:06d}")
    case = enterprise.stored(store, "application_approved")
    for payment in range(1, PAYMENTS + 1):
        write(store, paid := enterprise.paid(case, PART, f"{case.case_number}-{payment}"))
        case = paid.case
    leave = cases.command(Withdraw, cases.APPLICANT, reason="r")
    write(store, left := cases.done(case, leave, NOW))
    refund = cases.command(RefundDeposit, cases.FINANCE, amount=PART * PAYMENTS, reason="r")
    write(store, proposed := cases.done(left.case, refund, NOW))
    return proposed.case


def as_often(engine: Engine, case: Case, times: int) -> list[Case]:
    """The same case under other numbers of other enterprises, row by row: quicker than by the rules."""
    others = [
        {case.case_number: f"LB-2026-{number:06d}", case.credit_code: new_credit_code()}
        for number in range(2, times + 1)
    ]
    (proposal,) = case.open_proposals
    for names in others:  # a proposal is bound to its own case
        other = Case.model_validate(renamed(case.model_dump(mode="json"), names))
        names[proposal.content] = content_of(other, proposal.action, proposal.parameters)
    with engine.begin() as connection:
        for table in tables.Table.metadata.sorted_tables:
            if "case_number" in table.columns and table.name != "names":
                rows = connection.execute(select(table).where(table.c.case_number == case.case_number)).mappings().all()
                copies = [renamed(dict(row), names) for names in others for row in rows]
                for copy in copies:
                    copy.pop("number", None)  # the database counts them
                if copies:
                    connection.execute(insert(table), copies)
    return [case, *(Case.model_validate(renamed(case.model_dump(mode="json"), names)) for names in others)]


def renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: renamed(one, names) for key, one in value.items()}
    if isinstance(value, list):
        return [renamed(one, names) for one in value]
    if isinstance(value, str):
        for before, after in names.items():
            value = value.replace(before, after)
    return value


class Asked:
    """The sandbox bank asked from any thread, past HTTP: a reply is lost now and then, though the bank has paid."""

    def __init__(self, bank: BankSandbox, loop: asyncio.AbstractEventLoop) -> None:
        self._bank = bank
        self._loop = loop
        self._asked = itertools.count(1)

    def refund(self, order: RefundOrder) -> BankAnswer:
        answer = asyncio.run_coroutine_threadsafe(self._booked(order), self._loop).result(timeout=20)
        if answer is None or next(self._asked) % 7 == 0:
            raise ConnectionError("the reply was lost")
        return answer

    async def _booked(self, order: RefundOrder) -> BankAnswer | None:
        return self._bank.booked(order, "pay")


class Hands:
    """What several workers do at the same time."""

    def __init__(self, engine: Engine, folder: Path, bank: Asked) -> None:
        store = CaseStore(engine, pseudonym)
        self.desk = CaseDesk(store, document_store(folder), policy_book())
        self.bank = BankActivities(self.desk, store, PaymentStore(engine), bank)
        self._requests = itertools.count(1)

    def approve(self, asked: tuple[Case, Actor]) -> Outcome:
        case, who = asked
        (proposal,) = case.open_proposals
        command = ApproveProposal(
            request_id=f"a-{next(self._requests)}", workflow_id=case.workflow_id, actor=who,
            proposal=proposal.id, content=proposal.content,
        )  # fmt: skip
        return self.desk.decide(command, NOW)

    def pay(self, asked: tuple[Case, str]) -> None:
        """As a run does: the bank is asked, and what it says is recorded."""
        case, id = asked
        planned = next(one for one in case.plan if one.event is Event.SEND_REFUND and one.subject == id)
        answer = None
        while answer is None:
            with suppress(ConnectionError):  # asked again with the same key
                answer = self.bank.ask_bank_for_refund(case.workflow_id, id)
        self.bank.record_refund(case.workflow_id, planned, NOW, answer)


@pytest.mark.timeout(300)
async def test_five_hundred_refunds_each_twice_at_once(store: CaseStore, engine: Engine, tmp_path: Path) -> None:
    bases = BASES[engine.dialect.name]
    proposed = as_often(engine, withdrawn(store), bases)
    async with BankSandbox(tmp_path / "book.db") as bank:
        hands = Hands(engine, tmp_path, Asked(bank, asyncio.get_running_loop()))
        with ThreadPoolExecutor(HANDS) as pool:
            loop = asyncio.get_running_loop()

            async def at_once(act: Callable[[Any], Any], asked: Sequence[Any]) -> list[Any]:
                """All of it, whatever happens to some: the pool waits for its hands, and they for the bank."""
                done = (loop.run_in_executor(pool, act, one) for one in asked)
                results = await asyncio.gather(*done, return_exceptions=True)
                assert [one for one in results if isinstance(one, BaseException)] == []
                return results

            twice = [(case, who) for case in proposed for who in SECOND]
            outcomes = await at_once(hands.approve, twice)
            refused = [one.refusal.kind for one in outcomes if one.refusal is not None]
            assert refused == [RefusalKind.ALREADY_DECIDED] * bases
            ordered = [one.case for one in outcomes if one.answer is not None and one.case is not None]
            orders = [(case, refund.id) for case in ordered for refund in case.refunds]
            assert len(orders) == len({id for _, id in orders}) == bases * PAYMENTS
            await at_once(hands.pay, [order for order in orders for _ in range(2)])
        book = bank.paid()
    assert book == {id: PART for _, id in orders}
    line = tables.LedgerLine
    with Session(engine) as session:
        out = session.execute(select(line.reference, line.amount).where(line.credit_account == "bank")).all()
        stored = [Case.model_validate(facts) for facts in session.scalars(select(tables.CaseRow.facts))]
    assert sorted((reference, amount) for reference, amount in out) == sorted(book.items())
    for case in stored:
        assert case.stage is Stage.CLOSED and case.deposit.held == 0
        assert case.deposit.refunded == case.deposit.received == PART * PAYMENTS
