"""A first certification as its people live it, whatever engine carries it: four acts, each answered, then published."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from domain.commands import Answer, Apply, Approve, Certify, Command, ReceiveDeposit, workflow_id
from domain.stages import Stage
from store.documents import DocumentStore
from store.tables import CaseRow
from tests.documents import hand_over
from tests.office import APPLICANT, CERTIFIER, FINANCE, REVIEWER, example, new_credit_code

FULL_DEPOSIT = 10_000_000  # fen
_LOOK_EVERY = 0.02  # seconds
_PATIENCE = 60.0  # seconds

Send = Callable[[Command], Awaitable[Answer]]
"""Sends a command to an engine and returns with the answer."""


@dataclass(frozen=True)
class Application:
    """A new enterprise's, its submission handed over."""

    credit_code: str
    submission: str
    payer: str

    @property
    def acts(self) -> tuple[Command, ...]:
        """What its people do, each when the one before has been answered."""
        case = {"workflow_id": workflow_id(self.credit_code, 1)}
        key = self.credit_code
        return (
            Apply(
                request_id=f"apply-{key}",
                actor=APPLICANT,
                credit_code=key,
                ordinal=1,
                submission=self.submission,
                **case,
            ),
            Approve(request_id=f"approve-{key}", actor=REVIEWER, revision=1, **case),
            ReceiveDeposit(
                request_id=f"pay-{key}", actor=FINANCE, amount=FULL_DEPOSIT, reference=key, payer=self.payer, **case
            ),
            Certify(request_id=f"certify-{key}", actor=CERTIFIER, **case),
        )


def handed_over(documents: DocumentStore, count: int) -> list[Application]:
    """So many applications, their documents in the store."""
    return [_handed_over(documents) for _ in range(count)]


def _handed_over(documents: DocumentStore) -> Application:
    credit_code = new_credit_code()
    submission = example(credit_code=credit_code)
    sha256 = hand_over(documents.of(workflow_id(credit_code, 1)), submission)
    return Application(credit_code, sha256, submission.application.entity.name)


@dataclass
class Round:
    """How long a round of paths took, and each act in it, in seconds."""

    paths: int
    seconds: float = 0.0
    acts: list[float] = field(default_factory=list)


async def carried(send: Send, engine: Engine, applications: Sequence[Application], *, at_once: int) -> Round:
    """Carry all applications to their publication, `at_once` of them at any moment; `engine` is the store's."""
    done, waiting = Round(len(applications)), list(applications)
    official_list = _OfficialList(engine)

    async def lane() -> None:
        while waiting:
            application = waiting.pop()
            for act in application.acts:
                begun = time.perf_counter()
                await send(act)
                done.acts.append(time.perf_counter() - begun)
            await official_list.shows(application.credit_code)

    begun = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        looking = group.create_task(official_list.look())
        lanes = [group.create_task(lane()) for _ in range(at_once)]
        await asyncio.wait(lanes)
        done.seconds = time.perf_counter() - begun
        looking.cancel()
    return done


class _OfficialList:
    """One look at the store for all who wait, so that waiting costs next to nothing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._awaited: dict[str, asyncio.Event] = {}

    async def shows(self, credit_code: str) -> None:
        """Wait until the base is published."""
        event = self._awaited[credit_code] = asyncio.Event()
        async with asyncio.timeout(_PATIENCE):
            await event.wait()
        del self._awaited[credit_code]

    async def look(self) -> None:
        while True:
            if self._awaited:
                for credit_code in await asyncio.to_thread(self._published, list(self._awaited)):
                    self._awaited[credit_code].set()
            await asyncio.sleep(_LOOK_EVERY)

    def _published(self, credit_codes: list[str]) -> Sequence[str]:
        rows = select(CaseRow.credit_code).where(
            CaseRow.credit_code.in_(credit_codes), CaseRow.stage == Stage.VALID.value
        )
        with Session(self._engine) as session:
            return session.scalars(rows).all()
