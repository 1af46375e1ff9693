"""Continued as new after however few events, the same scenario gives the same records and the same case."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from connection import histories
from connection.client import connect
from connection.local_server import LocalServer
from domain.commands import (
    Answer,
    Approve,
    Certify,
    Command,
    ConfirmMarks,
    Publish,
    ReleaseReview,
    RequestSupplement,
    Supplement,
    TakeReview,
    Withdraw,
)
from domain.stages import Stage, Standing
from store.told import TOLD
from tests.databases import Place
from tests.office import APPLICANT, CERTIFIER, OPERATOR, REVIEWER, Base, Office, patiently, until, working_office
from tests.path import acts
from tests.path.test_publication import Channel

ONLY_ON = "postgresql"
"""How often a run is continued is nothing to the database."""
CODE = "91330782MA2K7P3R1U"
SUGGESTED = "limit.historyCount.suggestContinueAsNew"

_VARIES = re.compile(r"[0-9a-f]{64}|\d{4}-\d\d-\d\d(T[0-9:.]+(Z|[+-]\d\d:\d\d))?")


async def scenario(office: Office, channel: Channel) -> Base:
    """Much of what can come to a case: supplements, many payments, a channel that is down, the year's end."""
    base = office.base(credit_code=CODE)

    async def do(command: Command) -> Answer:
        return await patiently(partial(base.send, command))

    await base.apply()
    for revision in (1, 2):
        await do(base.command(TakeReview, REVIEWER))
        await do(base.command(ReleaseReview, REVIEWER))
        await do(base.command(RequestSupplement, REVIEWER, revision=revision, items=acts.FLOOR_PLAN))
        await base.forward(timedelta(days=11))  # the first reminder
        await do(base.command(Supplement, APPLICANT, submission=acts.changed(base)))
    await do(base.command(Approve, REVIEWER, revision=3))
    payments = [acts.payment(base, 2_500_000, f"{CODE}-{number}") for number in range(4)]
    for payment in (*payments[:3], payments[0], payments[1]):
        await do(payment)
    await asyncio.gather(*(patiently(partial(base.send, payments[3])) for _ in range(3)))
    await do(base.command(Certify, CERTIFIER))
    await until(lambda: channel.asked, "the first attempt")
    await base.forward(timedelta(hours=8))
    await do(base.command(Publish, OPERATOR))
    await until(lambda: acts.events(base)[-1] == "publication_attempt_failed", "asked again")
    seen = base.documents.put(b"%PDF-1.4 a screenshot of the list %%EOF")
    await do(base.command(Publish, OPERATOR, evidence=seen))
    term = base.case.term
    assert term is not None
    await base.forward_to(term.until)
    await do(acts.payment(base, 1, f"{CODE}-late"))
    evidence = base.documents.put(b"%PDF-1.4 marks removed %%EOF")
    await do(base.command(ConfirmMarks, APPLICANT, evidence=(evidence,)))
    return base


def record(base: Base) -> tuple[list[Any], dict[str, Any]]:
    """The audit entries and the final case, without the instants and hashes of this very run."""
    entries = [
        (entry["sequence"], entry["event"], entry["actor"], plain(entry["detail"])) for entry in acts.timeline(base)
    ]
    return entries, plain(base.case.model_dump(mode="json"))


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items() if key != TOLD}  # row hashes are of this very run
    if isinstance(value, list):
        return [plain(part) for part in value]
    return _VARIES.sub("…", value) if isinstance(value, str) else value


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    """What the first of the runs recorded; all others must have the same, on either database."""
    return {}


@pytest.mark.parametrize(
    ("count", "database"),
    [(None, "sqlite"), (6, "sqlite"), (12, "postgresql")],
    indirect=["database"],
)
async def test_the_records_are_the_same_however_often_the_run_is_continued(
    count: int | None, place: Place, expected: dict[str, Any]
) -> None:
    config = {} if count is None else {SUGGESTED: count}
    channel = Channel()
    async with await LocalServer.start(None, web=False, dynamic_config=config) as server:
        client = await connect(server.target, identity="tests")
        async with working_office(client, place, channel) as office:
            base = await scenario(office, channel)
            case = base.case
            assert (case.stage, case.standing(await base.now())) == (Stage.SETTLING, Standing.EXPIRED)
            assert (case.deposit.held, case.deposit.unmatched, case.revision) == (acts.FULL, 1, 3)
            acts.check_books(base)
            assert acts.list_revisions(base) == [(1, "published"), (2, "withdrawn")]
            assert await acts.known_to_workflow(base) == case
            runs = [run async for run in histories.runs(client, base.workflow_id)]
            entries, last = record(base)
    assert entries == expected.setdefault("entries", entries)
    assert last == expected.setdefault("case", last)
    if count is None:
        assert len(runs) == 2, "one run until the term begins, one for the term"
    else:
        assert len(runs) >= 100 / count
        assert max(map(len, runs)) < count + 60, "no run goes on for long after the suggestion"


async def test_updates_that_meet_a_run_continued_as_new_are_neither_lost_nor_doubled(place: Place) -> None:
    async with await LocalServer.start(None, web=False, dynamic_config={SUGGESTED: 15}) as server:
        client = await connect(server.target, identity="tests")
        async with working_office(client, place) as office:
            base = await acts.in_deposit(office)
            payments = [acts.payment(base, 1_000, f"{base.credit_code}-{number}") for number in range(60)]
            for five in (payments[start : start + 5] for start in range(0, 60, 5)):
                # Each twice, and what comes meets the run as it is continued as new.
                await asyncio.gather(*(patiently(partial(base.send, payment)) for payment in (*five, *five)))
            assert base.case.deposit.received == 60_000
            assert len(acts.recorded_payments(base)) == 60
            acts.check_books(base)
            runs = [run async for run in histories.runs(client, base.workflow_id)]
            assert len(runs) > 5
            await base.do(Withdraw, APPLICANT, reason="other plans")
            assert await acts.known_to_workflow(base) == base.case
