"""How many history events a first term costs, stage by stage (time-skip events not counted)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from connection.histories import runs
from domain.commands import Approve, Certify, Missing, ReceiveDeposit, RequestSupplement, Supplement
from domain.stages import Stage
from tests.office import APPLICANT, CERTIFIER, FINANCE, REVIEWER, Base, Office, example, until

_UPSERT = EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES


async def count(client: Client, workflow_id: str) -> tuple[int, int]:
    """(events, search-attribute upserts)."""
    kinds = Counter([event.event_type async for run in runs(client, workflow_id) for event in run])
    return sum(kinds.values()), kinds[_UPSERT]


async def supplement_round(office: Office) -> tuple[str, int, int, int]:
    """What a round of supplements costs, with both its reminders."""
    base = await office.applied()
    before = (*await count(office.client, base.workflow_id), base.case.sequence)
    await _supplement(office, base)
    after = (*await count(office.client, base.workflow_id), base.case.sequence)
    events, upserts, transitions = (b - a for a, b in zip(before, after, strict=True))
    return "supplement round, both reminders", events, upserts, transitions


async def first_term(office: Office, *, every_reminder: bool) -> list[tuple[str, int, int, int]]:
    """Rows (stage, events, upserts, transitions) of a first term, application to the opening of settlement."""
    base = office.base()
    rows: list[tuple[str, int, int, int]] = []
    seen = (0, 0, 0)

    async def stage(name: str, *steps: Callable[[], Awaitable[Any]]) -> None:
        nonlocal seen
        for step in steps:
            await step()
        total, upserts = await count(office.client, base.workflow_id)
        now = (total, upserts, base.case.sequence)
        events, changed, transitions = (after - before for after, before in zip(now, seen, strict=True))
        rows.append((name, events, changed, transitions))
        seen = now

    await stage("application", base.apply)
    if every_reminder:
        await stage("review reminder and escalation", lambda: _past(base, 2))
    await stage("approval", lambda: base.do(Approve, REVIEWER, revision=base.case.revision))
    if every_reminder:
        await stage("deposit reminders", lambda: _past(base, 2))
    payer = example().application.entity.name
    pay: dict[str, Any] = {"amount": 10_000_000, "reference": base.credit_code, "payer": payer}
    await stage("deposit", lambda: base.do(ReceiveDeposit, FINANCE, **pay))
    if every_reminder:
        await stage("certification escalation", lambda: _past(base, 1))
    await stage(
        "certification and publication",
        lambda: base.do(Certify, CERTIFIER),
        lambda: until(lambda: base.case.stage is Stage.VALID, "published"),
    )
    await stage("the year with its four reminders", lambda: _past(base, 4))
    await stage("expiry, settlement opened", lambda: _past(base, 1))
    return rows


async def _past(base: Base, events: int) -> None:
    for _ in range(events):
        upcoming = base.case.next_event
        assert upcoming is not None
        await base.forward_to(upcoming.at)


async def _supplement(office: Office, base: Base) -> None:
    item = Missing(condition="A4.area", what="floor plan")
    await base.do(RequestSupplement, REVIEWER, revision=1, items=(item,))
    await _past(base, 2)
    sent = base.documents.put(example(credit_code=base.credit_code).canonical_bytes())
    await base.do(Supplement, APPLICANT, submission=sent)
