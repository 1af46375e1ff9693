"""Thirty lifecycles while the Temporal server is killed every few seconds, and now and then a worker with it.

None lost, none doubled: what holds afterwards is what would hold had nobody been killed.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError

from connection.client import connect
from connection.errors import ClockRefused
from connection.local_server import LocalServer
from domain.commands import Answer, Approve, Certify, Command, Surrender
from domain.delivery import DeliveryState
from domain.stages import Stage
from starter.errors import CommandError
from starter.sending import until_answered
from starter.updating import Ended, Start, attempt
from store import tables
from tests.databases import Place
from tests.killing_worker import WorkerFork, worker_fork
from tests.mail_server import MailServer
from tests.office import APPLICANT, CERTIFIER, REVIEWER, Base, Office, example
from tests.path import acts
from tests.path.list_watch import ListWatch
from tests.path.stand import agreed
from tests.path.test_letters import ids, letters
from tests.postgres import PostgresServer
from workers.schedule import keep_letters_going
from workflows.messages import TASK_QUEUE, WORKFLOW
from workflows.state import CertificationState

LIFECYCLES, AT_ONCE = 30, 15
LOOK = 0.5
BETWEEN = 25
"""How many entries come on record from one kill to the next, a sixteenth of all."""
EACH_YEAR = 5
"""Every fifth base lives through its year; the others leave once they are listed."""
LIFE = ["application_received", "application_approved", "deposit_received", "base_certified", "base_published"]
LEFT = [*LIFE, "certification_surrendered"]
YEAR = [*LIFE, *["remind_renewal"] * 4, "certification_expired"]
"""Without what becomes of the quarters' figures, which nobody sends: how often one is missed depends on the day."""
OF_A_QUARTER = {"remind_figures", "figures_escalated", "assessment_escalated"}
NO_ANSWER, UNREACHABLE = 7, 6
LATER = ["marks_escalated", *["settlement_escalated"] * 4]
"""What comes next, for a life that is looked at later than at its end."""


@dataclass
class Nemesis:
    """Kills the server every few seconds and starts it again, until `peace`; every third time a worker dies with it.

    Something is done in between, or a busy machine would come to nothing but starting servers.
    """

    office: Office
    server: LocalServer
    mail: MailServer
    people: People
    between: int = BETWEEN
    chance: random.Random = field(default_factory=lambda: random.Random(20261125))
    server_kills: int = 0
    worker_kills: int = 0
    interrupted: int = 0
    """How many commands waited for an answer when the server was killed, all kills together."""
    in_hand: Counter[str] = field(default_factory=Counter)
    """Message-ID → how often a worker was killed that had the letter in hand."""
    victim: WorkerFork | None = None
    peace: bool = False

    async def rage(self) -> None:
        while True:
            last = self._on_record()
            await asyncio.sleep(self.chance.uniform(2, 6))
            while not self.peace and self._on_record() < last + self.between:
                await asyncio.sleep(LOOK)
            if self.peace:
                return
            self.interrupted += self.people.waiting
            await self.server.kill()
            self.server_kills += 1
            if self.server_kills % 3 == 0 and self.victim is not None and self.victim.running:
                await self.kill_a_worker(self.victim)
            await self.server.restart()

    def _on_record(self) -> int:
        with self.office.reading.connect() as connection:
            return connection.scalar(select(func.count()).select_from(tables.AuditRow)) or 0

    async def kill_a_worker(self, victim: WorkerFork) -> None:
        victim.kill()
        await victim.ended()
        self.worker_kills += 1
        with self.office.reading.connect() as connection:
            row = tables.NoticeRow
            begun = select(row.case_number, row.sequence, row.place).where(
                row.state == DeliveryState.SENDING.value, row.attempts > 0
            )
            for case_number, sequence, place in connection.execute(begun):
                self.in_hand[f"<{case_number}.{sequence}.{place}@livebase.example>"] += 1

    async def work(self) -> None:
        """A worker, and another whenever it has ended."""
        while True:
            async with worker_fork(self.office, self.server.address, room=self.mail.room) as worker:
                self.victim = worker
                await worker.ended()
            await asyncio.sleep(LOOK)  # one that comes while the server is away ends at once


class People:
    """Who acts, with the command line's own sending: again and again with the same request id until answered."""

    def __init__(self, client: Client, when_ended: Callable[[Ended], Answer | None] | None = None) -> None:
        self._client = client
        self._when_ended = when_ended or _not_ended
        self.commands: list[Command] = []
        self.waiting = 0
        """How many of them wait for an answer."""

    async def send(self, command: Command, start: Start | None = None) -> Answer:
        self.commands.append(command)
        self.waiting += 1
        for sending in itertools.count(1):
            once = partial(self._once, command, f"sending-{sending}", start)
            try:
                answer = await until_answered(command.request_id, once, self._of(command))
                break
            except CommandError as error:
                if error.code not in (NO_ANSWER, UNREACHABLE):  # a server that comes up may not know its namespace yet
                    raise
        self.waiting -= 1
        return answer

    def _of(self, command: Command) -> Callable[[Ended], Answer | None]:
        """What it means that a workflow has ended before it answered a command."""
        return self._when_ended

    async def _once(self, command: Command, sending: str, start: Start | None, patience: timedelta) -> Answer:
        return await attempt(self._client, command, sending, patience, Answer, start)


def _not_ended(ended: Ended) -> Answer | None:
    raise AssertionError("a workflow has ended") from ended


async def live(people: People, base: Base, *, stays: bool) -> None:
    """From the application to the opening of settlement."""
    submission = base.hand_over(example(credit_code=base.credit_code))
    start = Start(WORKFLOW, CertificationState(), "lifecycles")
    await people.send(acts.apply_command(base, submission=submission), start)
    await people.send(base.command(Approve, REVIEWER, revision=1))
    await people.send(acts.payment(base))
    await people.send(base.command(Certify, CERTIFIER))
    await in_stage(base, Stage.VALID)
    if stays:
        assert base.case.term is not None
        await pass_until(base, base.case.term.until)
    else:
        await people.send(base.command(Surrender, APPLICANT, reason="We give up the base."))
    await in_stage(base, Stage.SETTLING)


async def in_stage(base: Base, stage: Stage) -> None:
    while base.case.stage is not stage:
        await asyncio.sleep(LOOK)


async def pass_until(base: Base, instant: datetime) -> None:
    """Move the case's clock to an instant, whoever is killed meanwhile."""
    clock = base.office.clock
    while True:
        with suppress(RPCError, ClockRefused):
            await clock.call_off(base.workflow_id)  # what is left of a jump whose server was killed
            left = instant - await clock.now(base.workflow_id)
            if left <= timedelta(0):
                return
            await clock.fast_forward(base.workflow_id, left)
        await asyncio.sleep(LOOK)


@pytest.mark.timeout(600)  # a minute, where nothing else runs
async def test_thirty_lifecycles_while_the_server_is_killed_every_few_seconds(
    tmp_path: Path, postgres: PostgresServer, migrated_name: str
) -> None:
    folder = tmp_path / "office"
    folder.mkdir()
    async with await LocalServer.start(tmp_path / "server", web=False) as server, MailServer() as mail:
        client = await connect(server.target, identity="tests")
        office = Office(client, Place(folder, postgres.url("server_kills", like=migrated_name)))
        office.settings = office.settings.model_copy(update={"task_queue": TASK_QUEUE})
        bases = [office.base() for _ in range(LIFECYCLES)]
        staying = bases[::EACH_YEAR]
        people = People(client)
        nemesis = Nemesis(office, server, mail, people)
        await keep_letters_going(client, TASK_QUEUE)
        turn = asyncio.Semaphore(AT_ONCE)

        async def lived(base: Base) -> None:
            async with turn:
                await live(people, base, stays=base in staying)

        async with (
            ListWatch(office.reading).watching() as watch,
            worker_fork(office, server.address, room=mail.room),
            asyncio.TaskGroup() as beside,
        ):
            working = beside.create_task(nemesis.work())
            raging = beside.create_task(nemesis.rage())
            await asyncio.gather(*(lived(base) for base in bases))
            nemesis.peace = True
            await raging
            for base in bases:
                await agreed(base, Stage.SETTLING)
            await delivered(office)
            await listed(client)
            working.cancel()

        assert nemesis.server_kills >= 3 and nemesis.worker_kills and nemesis.interrupted
        assert watch.looks > 10 and watch.listed
        for base in bases:
            whole(base, stayed=base in staying)
        all_together(office, people)
        arrived = Counter(mail.ids())
        assert sorted(arrived) == sorted(ids(office)), "every letter, and no other"
        # Whoever sends letters outlives the server and sends none twice, but for the one in hand when it dies itself.
        assert Counter({id: times - 1 for id, times in arrived.items() if times > 1}) <= nemesis.in_hand
        office.close()


async def delivered(office: Office) -> None:
    while {each["state"] for each in letters(office)} != {DeliveryState.DELIVERED.value}:
        await asyncio.sleep(LOOK)


async def listed(client: Client) -> None:
    """Temporal lists all of them, settling, each after the run of its application, and none that failed."""
    expected = {WorkflowExecutionStatus.RUNNING: LIFECYCLES, WorkflowExecutionStatus.CONTINUED_AS_NEW: LIFECYCLES}
    for _ in range(40):  # the list follows in its own time
        found = Counter([each.status async for each in client.list_workflows(f"WorkflowType = '{WORKFLOW}'")])
        settling = await client.count_workflows("CertStage = 'settling' AND ExecutionStatus = 'Running'")
        if (found, settling.count) == (expected, LIFECYCLES):
            return
        await asyncio.sleep(LOOK)
    raise AssertionError(f"{found}, {settling.count} of them settling")


def whole(base: Base, *, stayed: bool) -> None:
    """Every act once, in its order; the books balance, and the list says what happened."""
    acts.check_books(base)
    events = [event for event in acts.events(base) if event not in OF_A_QUARTER]
    life = YEAR if stayed else LEFT
    assert events[: len(life)] == life and events[len(life) :] == LATER[: len(events) - len(life)]
    reminded = [entry["detail"]["period"] for entry in acts.timeline(base) if entry["event"] == "remind_figures"]
    assert len(reminded) in ((2, 3) if stayed else (0,)) and len(set(reminded)) == len(reminded)
    assert acts.list_revisions(base) == [(1, "published"), (2, "withdrawn")]
    case = base.case
    assert case.deposit.received == case.deposit.held == acts.FULL
    assert case.term is not None and case.ending is not None
    assert (case.ending.legal_at == case.term.until) is stayed


def all_together(office: Office, people: People) -> None:
    """No case, certificate, payment or request lost, doubled or invented; the ledger exact to the fen."""
    with Session(office.reading) as session:

        def all_of(column: Any) -> list[Any]:
            return list(session.scalars(select(column).order_by(column)))

        numbers = [f"{number:06d}" for number in range(1, LIFECYCLES + 1)]
        assert [number[-6:] for number in all_of(tables.CaseRow.case_number)] == numbers
        assert [number[-6:] for number in all_of(tables.TermRow.certificate_number)] == numbers
        assert all_of(tables.CommandRow.request_id) == sorted(command.request_id for command in people.commands)
        assert len(all_of(tables.PaymentRow.reference)) == LIFECYCLES
        assert session.scalar(select(func.sum(tables.LedgerLine.amount))) == LIFECYCLES * acts.FULL
