"""Many live cases at once, in all stages that wait: records by the rules, runs as if continued as new."""

from __future__ import annotations

import asyncio
from datetime import datetime

from domain.stages import Stage
from tests.office import Base, Office
from tests.path.on_record import (
    IN_CERTIFYING,
    IN_DEPOSIT,
    IN_REVIEW,
    IN_SUPPLEMENT,
    IN_VALID,
    put_on_record,
    take_up,
)

_REACHED = {
    Stage.REVIEW: IN_REVIEW,
    Stage.SUPPLEMENT: IN_SUPPLEMENT,
    Stage.DEPOSIT: IN_DEPOSIT,
    Stage.CERTIFYING: IN_CERTIFYING,
    Stage.VALID: IN_VALID,
}
STAGES = tuple(_REACHED)
"""The stages the cases are in, one after the other; a valid one has no deadline on the calendar."""
_AT_ONCE = 50


async def live_cases(office: Office, count: int, now: datetime) -> list[Base]:
    """`count` bases that applied at `now` on the shipped calendar, their workflows running."""
    turn = asyncio.Semaphore(_AT_ONCE)

    async def start(number: int) -> Base:
        base = office.base()
        case = put_on_record(base, _REACHED[STAGES[number % len(STAGES)]], now)
        async with turn:
            await take_up(base, case)
        return base

    return list(await asyncio.gather(*(start(number) for number in range(count))))
