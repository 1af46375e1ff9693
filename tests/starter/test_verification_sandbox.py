"""Who verifies enterprises, and what its answers mean: an answer, or none (A1)."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from activities.verification import HttpVerifier, NoVerifier, VerifierFailure
from domain.verifying import VerificationAnswer, VerificationQuestion
from starter.verification_sandbox import VerificationSandbox

QUESTION = VerificationQuestion(credit_code="91330782MA2K7P3R1U", name="义乌云集电子商务有限公司")


async def asked(sandbox: VerificationSandbox, seconds: float = 10) -> VerificationAnswer:
    verifier = HttpVerifier(sandbox.url, "token", httpx.Timeout(seconds))
    return await asyncio.to_thread(verifier.verify, QUESTION)


async def test_it_says_what_it_is_told_to_say() -> None:
    async with VerificationSandbox() as sandbox, httpx.AsyncClient(base_url=sandbox.url, trust_env=False) as client:
        first = await asked(sandbox)
        assert (first.result, first.source, first.reference) == ("verified", "127.0.0.1", "V-1")
        for how in ("not_verified", "name_mismatch", "unknown"):
            told = await client.put(f"/enterprises/{QUESTION.credit_code}", json=how)
            assert told.status_code == 200 and (await asked(sandbox)).result == how
        assert (await client.put(f"/enterprises/{QUESTION.credit_code}", json="dance")).status_code == 422
        assert (await client.put(f"/enterprises/{QUESTION.credit_code}", content=b"{")).status_code == 422
        assert (await client.post("/verifications", content=b"[]")).status_code == 422
        assert (await client.get("/asked")).json() == {QUESTION.credit_code: 4}


@pytest.mark.parametrize(("how", "why"), [("down", "503"), ("garbled", "cannot be read"), ("hang", "ReadTimeout")])
async def test_without_an_answer_that_can_be_read_nothing_is_said(how: str, why: str) -> None:
    async with VerificationSandbox() as sandbox:
        sandbox.says[QUESTION.credit_code] = how
        with pytest.raises(VerifierFailure, match=why) as info:
            await asked(sandbox, 0.3)
        assert not info.value.ours


async def test_slow_is_an_answer() -> None:
    async with VerificationSandbox() as sandbox:
        sandbox.says[QUESTION.credit_code] = "slow"
        assert (await asked(sandbox)).result == "verified"


def test_where_nobody_can_be_asked_it_is_said_so() -> None:
    with pytest.raises(VerifierFailure, match="LIVEBASE_VERIFICATION_URL") as info:
        NoVerifier().verify(QUESTION)
    assert info.value.ours
