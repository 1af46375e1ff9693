"""The local bank: one payment for a key, whatever it was told to do wrong."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from activities.bank import BankFailure, HttpBank
from domain.bank import BankAnswer, RefundOrder
from starter.bank_sandbox import BankSandbox

ORDER = RefundOrder(key="LB-2026-000001-9-R1", payment="B1", amount=500)


async def asked(bank: BankSandbox, order: RefundOrder = ORDER) -> BankAnswer:
    return await asyncio.to_thread(HttpBank(bank.url, "token").refund, order)


async def test_the_same_key_pays_once_also_after_a_restart(tmp_path: Path) -> None:
    async with BankSandbox(tmp_path / "book.db") as bank:
        first = await asked(bank)
        assert (first.state, first.reference) == ("paid", f"BANK-{ORDER.key}")
        assert await asked(bank) == first
    async with BankSandbox(tmp_path / "book.db") as bank:
        assert await asked(bank) == first
        assert bank.paid() == {ORDER.key: 500}


async def test_a_key_known_for_another_order_is_refused(tmp_path: Path) -> None:
    async with BankSandbox(tmp_path / "book.db") as bank:
        await asked(bank)
        with pytest.raises(BankFailure, match="misdirected: .*409"):
            await asked(bank, ORDER.model_copy(update={"amount": 501}))
        assert bank.paid() == {ORDER.key: 500}


async def test_it_misbehaves_as_it_is_told(tmp_path: Path) -> None:
    async with BankSandbox(tmp_path / "book.db") as bank:
        async with httpx.AsyncClient(base_url=bank.url, trust_env=False) as client:
            wrong = await client.put("/behaviour", json=["dance"])
            assert (wrong.status_code, wrong.json()) == (422, {"error": "unknown: dance"})
            told = ["fail", "process", "pay", "lose_reply", "refuse", "pay"]
            assert (await client.put("/behaviour", json=told)).json() == told
        with pytest.raises(BankFailure, match="not_taken: .*503"):
            await asked(bank)
        assert bank.paid() == {}
        assert (await asked(bank)).state == "processing" and bank.paid() == {}
        assert (await asked(bank)).state == "paid"
        other = ORDER.model_copy(update={"key": "LB-2026-000002-9-R1"})
        with pytest.raises(BankFailure, match="unknown: .*504"):
            await asked(bank, other)
        assert bank.paid() == {ORDER.key: 500, other.key: 500}, "paid, though nobody heard of it"
        third = ORDER.model_copy(update={"key": "LB-2026-000003-9-R1"})
        refused = await asked(bank, third)
        assert (refused.state, refused.why) == ("refused", "the account is closed")
        assert await asked(bank, third) == refused, "for good"
        async with httpx.AsyncClient(base_url=bank.url, trust_env=False) as client:
            book = (await client.get("/book")).json()
    assert [(one["key"], one["state"]) for one in book] == [
        (ORDER.key, "paid"), (other.key, "paid"), (third.key, "refused"),
    ]  # fmt: skip


async def test_what_comes_back_and_what_is_paid_in_part_is_said_and_told(tmp_path: Path) -> None:
    async with BankSandbox(tmp_path / "book.db") as bank:
        bank.behaviour[:] = ["pay_part", "pay_part", "return", "pay_later"]
        part = await asked(bank)
        assert (part.state, part.amount) == ("paid", 250) and await asked(bank) == part
        back = ORDER.model_copy(update={"key": "LB-2026-000002-9-R1"})
        assert (await asked(bank, back)).state == "paid" and (await asked(bank, back)).state == "processing"
        assert [one for one in bank.telling.waiting() if one["key"] == back.key][-1]["type"] == "refund.returned"
