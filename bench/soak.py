"""A hundred lifecycles with their money while worker and server are killed at random and the bank behaves badly.

Each base is certified on a deposit the bank tells of in parts, twice, late and out of order; a fifth lose a part of it
for a violation; all leave and get the rest back from a bank that loses its replies. In the end the bank's book is ours.
"""

from __future__ import annotations

import asyncio
import base64
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from connection.client import connect
from connection.local_server import LocalServer
from domain.bank_statement import StatementLine
from domain.commands import (
    Actor,
    Answer,
    Approve,
    ApproveProposal,
    Certify,
    Command,
    ConfirmMarks,
    DecideConduct,
    DeductDeposit,
    RefundDeposit,
    RespondConduct,
    Surrender,
)
from domain.planning import Event
from domain.reconciling import compare
from domain.shanghai import shanghai_date
from domain.stages import Role, Stage
from domain.written import WrittenStatement
from starter.bank_sandbox import BankSandbox
from starter.output import print_table
from starter.proving import prove_database
from starter.updating import Ended, Start
from store import tables
from store.payments import payments_of, refunds_paid
from store.queries import Reader
from tests.databases import Place
from tests.killing_worker import worker_fork
from tests.mail_server import MailServer
from tests.office import APPLICANT, CERTIFIER, COMPLIANCE, FINANCE, REVIEWER, Base, Office, example
from tests.path import acts
from tests.path.list_watch import ListWatch
from tests.path.test_conduct import report
from tests.path.test_server_kills import AT_ONCE, LOOK, Nemesis, People, in_stage, pass_until
from tests.postgres import PostgresServer
from tests.workers.processes import free_port
from workers.callbacks import bank_callbacks
from workflows.messages import CONDUCT_WORKFLOW, TASK_QUEUE, WORKFLOW
from workflows.state import CertificationState, ConductState

LIFECYCLES = 100
EACH_DEDUCTED = 5
BETWEEN = 80
"""How many entries come on record from one kill to the next."""
PART = 1_500_000
TOLD_AT_ONCE = 16
SEED = 20261201
SECRET = f"whsec_{base64.b64encode(b's' * 32).decode()}"
SECOND = Actor(role=Role.FINANCE, name="tang")
WHY = {"reason": "soak"}


class _People(People):
    """As in the suite; a workflow that ended with a command has its answer in the store."""

    def __init__(self, client: object, office: Office) -> None:
        super().__init__(client)  # type: ignore[arg-type]
        self._reader = Reader(office.reading)

    def _of(self, command: Command) -> Callable[[Ended], Answer | None]:
        def on_record(_: Ended) -> Answer | None:
            done = self._reader.answered(command.request_id)
            return done[1] if done else None

        return on_record


async def soak() -> None:
    """Print what was done and how long it took. Raises AssertionError when a fen or an act is lost or doubled."""
    chance, begun = random.Random(SEED), time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="livebase-soak-") as name, PostgresServer() as postgres:
        folder = Path(name)
        (folder / "office").mkdir()
        async with (
            await LocalServer.start(folder / "server", web=False) as server,
            MailServer() as mail,
            BankSandbox(folder / "bank" / "book.db") as bank,
        ):
            client = await connect(server.target, identity="soak")
            office = Office(client, Place(folder / "office", _migrated(postgres)))
            port = free_port()
            office.settings = office.settings.model_copy(
                update={"task_queue": TASK_QUEUE, "bank_url": bank.url, "bank_callback_port": port}
            )
            office.settings = type(office.settings)(**office.settings.model_dump() | {"bank_callback_secrets": SECRET})
            bank.telling.to(f"http://127.0.0.1:{port}/bank/events", SECRET)
            bank.deliveries[:] = chance.choices(["tell", "twice", "hold", "lose_reply"], (4, 3, 2, 1), k=5_000)
            bank.behaviour[:] = chance.choices(["pay", "lose_reply", "pay_later"], (4, 3, 3), k=5_000)
            bank.telling.go_on(at_once=TOLD_AT_ONCE)
            people = _People(client, office)
            nemesis = Nemesis(office, server, mail, people, BETWEEN, chance)
            bases = [office.base() for _ in range(LIFECYCLES)]
            turn = asyncio.Semaphore(AT_ONCE)
            deducted: dict[str, int] = {}

            async def lived(number: int, base: Base) -> None:
                async with turn:
                    loses = number % EACH_DEDUCTED == 0
                    await _live(people, base, bank, chance, loses=loses)
                    deducted[base.workflow_id] = PART if loses else 0

            async with (
                ListWatch(office.reading).watching() as watch,
                bank_callbacks(client, office.engine, office.settings),
                worker_fork(office, server.address, room=mail.room),
                asyncio.TaskGroup() as beside,
            ):
                working = beside.create_task(nemesis.work())
                raging = beside.create_task(nemesis.rage())
                await asyncio.gather(*(lived(*one) for one in enumerate(bases)))
                nemesis.peace = True
                await raging
                await _all_heard(bank)
                working.cancel()
            took = time.perf_counter() - begun
            _require_exact(office, bank, bases, deducted)
            answers = bank.telling.answers
            heard, told = answers[200], sum(answers.values())
            events = len(bank.telling.history())
            print_table(
                ("what", "how much"),
                [
                    ("lifecycles, from the application to the refund", LIFECYCLES),
                    ("server killed", nemesis.server_kills),
                    ("worker killed", nemesis.worker_kills),
                    ("commands that waited for an answer at a kill", nemesis.interrupted),
                    ("events of the bank", events),
                    ("messages it sent", told),
                    ("of them repeats and tries in vain", told - events),
                    ("of them heard more than once", heard - events),
                    ("deducted, CNY", f"{sum(deducted.values()) / 100:,.2f}"),
                    ("refunded, CNY", f"{sum(bank.paid().values()) / 100:,.2f}"),
                    ("looks at the official list beside the log, each alike", watch.looks),
                    ("took", f"{took:.0f} s"),
                ],
                title=f"{LIFECYCLES} lifecycles under kills (seed {SEED}): exact to the fen",
            )
            office.close()


def _migrated(postgres: PostgresServer) -> str:
    from store.migrate import migrate

    url = postgres.url("soak")
    migrate(url, local_server=True)
    return url


async def _live(people: People, base: Base, bank: BankSandbox, chance: random.Random, *, loses: bool) -> None:
    """From the application to the refund's end."""
    submission = base.hand_over(example(credit_code=base.credit_code))
    start = Start(WORKFLOW, CertificationState(), "soak")
    await people.send(acts.apply_command(base, submission=submission), start)
    await people.send(base.command(Approve, REVIEWER, revision=1))
    payer, number = base.case.payer_names[0], base.case.case_number
    bank.pay_in(
        payer, acts.FULL, note=number, reference=f"IN-{number}", parts=chance.randint(1, 3), again=chance.random() < 0.5
    )
    await in_stage(base, Stage.CERTIFYING)
    await people.send(base.command(Certify, CERTIFIER))
    await in_stage(base, Stage.VALID)
    if loses:
        await _deduct(people, base)
    await people.send(base.command(Surrender, APPLICANT, **WHY))
    proof = base.documents.put(b"%PDF-1.4 the signs are taken down %%EOF")
    await people.send(base.command(ConfirmMarks, APPLICANT, evidence=(proof,)))
    settle = next(task.due_at for task in base.case.tasks if task.kind == "settle_deposit")
    assert settle is not None
    await pass_until(base, settle + timedelta(hours=1))
    await people.send(base.command(RefundDeposit, FINANCE, amount=base.case.deposit.held, **WHY))
    await _approved(people, base)
    while base.case.stage is not Stage.CLOSED:
        asked = next((one for one in base.case.plan if one.event is Event.SEND_REFUND), None)
        if asked is not None and asked.at > _now(base) + timedelta(minutes=1):  # asked in vain so often that it rests
            with suppress(TimeoutError):  # the bank's own word may close the case meanwhile
                await asyncio.wait_for(pass_until(base, asked.at + timedelta(minutes=1)), 15)
        await asyncio.sleep(LOOK)


async def _all_heard(bank: BankSandbox) -> None:
    while True:
        if not bank.telling.waiting():
            return
        await asyncio.sleep(LOOK)


def _now(base: Base) -> datetime:
    return datetime.now(UTC) + timedelta(milliseconds=_offset(base))


def _offset(base: Base) -> int:
    row = tables.CaseRow
    with Session(base.office.reading) as session:
        return session.scalar(select(row.clock_offset_ms).where(row.workflow_id == base.workflow_id)) or 0


async def _deduct(people: People, base: Base) -> None:
    """A violation, put right, and a part of the deposit taken for it by two people."""
    reported = report(base)
    state = ConductState(case_workflow=base.workflow_id, conduct=reported.conduct)
    await people.send(reported, Start(CONDUCT_WORKFLOW, state, "soak"))
    paper = base.documents.put(WrittenStatement(statement="put right").canonical_bytes())
    answer, on = {"paper": paper}, {"conduct": reported.conduct}
    for outcome in ("rectification", "rectified"):
        await people.send(base.command(RespondConduct, APPLICANT, **on, **answer))
        await people.send(base.command(DecideConduct, COMPLIANCE, **on, outcome=outcome, **WHY))
    await people.send(base.command(DeductDeposit, FINANCE, amount=PART, violation=reported.conduct, **WHY))
    await _approved(people, base)


async def _approved(people: People, base: Base) -> None:
    (proposal,) = base.case.open_proposals
    await people.send(base.command(ApproveProposal, SECOND, proposal=proposal.id, content=proposal.content))


def _require_exact(office: Office, bank: BankSandbox, bases: list[Base], deducted: dict[str, int]) -> None:
    """The bank's book is ours to the fen, every case's books balance, every number is given once, the log is whole."""
    for base in bases:
        acts.check_books(base)
        sums, lost = base.case.deposit, deducted[base.workflow_id]
        assert (sums.received, sums.deducted, sums.refunded, sums.held) == (acts.FULL, lost, acts.FULL - lost, 0)
    came = {one["reference"]: one for one in bank.telling.history() if one["type"] == "payment.received"}
    today = shanghai_date(datetime.now(UTC))
    paid = refunds_paid(office.reading, today - timedelta(days=5), today + timedelta(days=400))
    assert {one.id: one.amount for one in paid} == bank.paid(), "what the bank paid is what we say it paid"
    ours = payments_of(office.reading, today, today, list(came))
    days = {known.payment.reference: known.payment.value_date for known in ours}
    book = [(name, one["amount"], one["payer"], days[name]) for name, one in came.items()]
    book += [(one.id, -bank.paid()[one.id], "bank", one.paid_on) for one in paid]
    lines = [
        StatementLine(line=line, reference=name, amount=amount, payer=payer, paid_on=day)
        for line, (name, amount, payer, day) in enumerate(book, 2)
    ]
    assert compare(lines, ours, paid) == (), "reconciling finds no difference"
    assert sum(line.amount for line in lines) == sum(deducted.values())
    with Session(office.reading) as session:
        numbers = Counter(session.scalars(select(tables.TermRow.certificate_number)))
    assert len(numbers) == LIFECYCLES and set(numbers.values()) == {1}
    report = prove_database(office.engine)
    assert report.ok, report.broken[:3]
