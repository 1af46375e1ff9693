"""A certification office for tests: a real server, a real database, a worker, and people who act.

Only parties outside are faked (the publication channel), handed in through constructors; the mail server of
`tests/mail_server.py` is a real one.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Engine, select
from stdnum.cn import uscc
from temporalio.client import Client, WithStartWorkflowOperation, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.bank import Bank
from activities.letters import MailRoom
from activities.publication import Announcer
from activities.verification import Verifier
from connection.clock import CaseClock
from domain import agenda
from domain.case import Case
from domain.commands import (
    Actor,
    AddNote,
    Answer,
    Apply,
    Command,
    FileAppeal,
    ObjectAssessment,
    ReportConduct,
    RespondConduct,
    workflow_id,
)
from domain.refusals import Refusal, RefusalKind
from domain.stages import Role
from domain.submission import Submission
from domain.written import Written, WrittenNote, WrittenReport, WrittenStatement, filled_in
from store.actors import installation_name
from store.cases import CaseStore
from store.documents import Documents
from store.engine import open_engine
from store.signatures import sign
from store.tables import CaseRow
from tests.databases import Place, migrated_sqlite
from tests.documents import document_keys, document_store, hand_over, read_example
from workers.main import build_workers
from workers.pair import WorkerPair
from workers.settings import WorkerSettings
from workflows.messages import refusal_from
from workflows.state import CertificationState

EXAMPLES = Path(__file__).parent.parent / "examples"
APPLICANT = Actor(role=Role.APPLICANT, name="wang")
REVIEWER = Actor(role=Role.REVIEWER, name="li")
CERTIFIER = Actor(role=Role.CERTIFIER, name="zhao")
FINANCE = Actor(role=Role.FINANCE, name="qian")
OPERATOR = Actor(role=Role.OPERATOR, name="sun")
COMPLIANCE = Actor(role=Role.COMPLIANCE, name="he")

Given = TypeVar("Given")
_IN_WRITING: dict[type[Command], type[Written]] = {
    AddNote: WrittenNote,
    FileAppeal: WrittenStatement,
    ObjectAssessment: WrittenStatement,
    ReportConduct: WrittenReport,
    RespondConduct: WrittenStatement,
}
_codes = itertools.count(1)
_requests = itertools.count(1)


def new_credit_code() -> str:
    """A valid credit code nobody else in this test run has."""
    first = f"91330782MA2{next(_codes):06d}"
    return first + uscc.calc_check_digit(first)


def example(name: str = "passes", *, credit_code: str | None = None, today: date = date(2026, 11, 24)) -> Submission:
    """The submission of an example, under another credit code (the one the base is known by) when one is given."""
    submission = read_example(name, today).submission
    if credit_code is None:
        return submission
    application = submission.application
    whose = "entity" if application.entrusted_enterprise is None else "entrusted_enterprise"
    party = getattr(application, whose).model_copy(update={"credit_code": credit_code})
    base = application.base.model_copy(update={"name": named_for(application.base.name, credit_code)})
    return submission.model_copy(update={"application": application.model_copy(update={whose: party, "base": base})})


def named_for(name: str, credit_code: str) -> str:
    """An example's base under another credit code: bases of several enterprises with one name need a person each."""
    return f"{name}{credit_code[11:17]}"


class Office:
    """One database, one document store, one task queue on the session's server."""

    def __init__(
        self, client: Client, place: Place | Path, *, engine: Engine | None = None, channel_url: str = ""
    ) -> None:
        """In a place, or in an empty folder with a database file of its own."""
        if isinstance(place, Path):
            (place / "livebase.db").write_bytes(migrated_sqlite())
            place = Place(place, f"sqlite:///{place / 'livebase.db'}")
        folder = place.folder
        self.client = client
        self.database_url = place.database_url
        self.engine = engine or open_engine(self.database_url)
        # A test's looking takes no lock: it neither waits for the workers nor keeps them waiting.
        self.reading = open_engine(self.database_url, read_only=True)
        self.settings = WorkerSettings(
            database_url=self.database_url,
            documents=str(folder / "documents"),
            document_keys=document_keys(folder),
            heads=str(folder / "heads"),
            task_queue=f"office-{folder.name}-{next(_requests)}",
            graceful_seconds=0,
            verification_seconds=1,
            channel_url=channel_url,
            channel_seconds=0.2,
        )
        (folder / "documents").mkdir(exist_ok=True)
        self.documents = document_store(folder)
        self.cases = CaseStore(self.engine, self.documents.pseudonym, lambda case: self.documents.of(case).letterbox())
        self.keys: dict[str, str] = {}
        self.clock = CaseClock(client)

    def worker(
        self,
        announcer: Announcer | None = None,
        room: MailRoom | None = None,
        bank: Bank | None = None,
        verifier: Verifier | None = None,
    ) -> WorkerPair:
        outside = {"announcer": announcer, "bank": bank, "verifier": verifier, "room": room}
        return build_workers(self.client, self.settings, engine=self.engine, **outside)  # type: ignore[arg-type]

    def signed(self, command: Command) -> Any:
        """The command as its actor signs it, where they have a private key in `keys`; else as it is."""
        if command.signature or command.actor.name not in self.keys:
            return command
        signature = sign(command, self.keys[command.actor.name], datetime.now(UTC), installation_name(self.engine))
        return command.model_copy(update={"signature": signature})

    def close(self) -> None:
        self.engine.dispose()
        self.reading.dispose()

    def base(self, *, ordinal: int = 1, credit_code: str | None = None) -> Base:
        return Base(self, credit_code or new_credit_code(), ordinal)

    async def applied(self, name: str = "passes") -> Base:
        base = self.base()
        await base.apply(name)
        return base


@asynccontextmanager
async def working_office(
    client: Client,
    place: Place | Path,
    announcer: Announcer | None = None,
    room: MailRoom | None = None,
    bank: Bank | None = None,
    verifier: Verifier | None = None,
    channel_url: str = "",
) -> AsyncIterator[Office]:
    """An office with a worker running."""
    office = Office(client, place, channel_url=channel_url)
    async with office.worker(announcer, room, bank, verifier):
        yield office
    office.close()


class Base:
    """One base's case, driven as its people drive it."""

    def __init__(self, office: Office, credit_code: str, ordinal: int) -> None:
        self.office = office
        self.credit_code = credit_code
        self.workflow_id = workflow_id(credit_code, ordinal)
        self.ordinal = ordinal

    @property
    def documents(self) -> Documents:
        return self.office.documents.of(self.workflow_id)

    def hand_over(self, submission: Submission) -> str:
        """A submission and the examples' documents it names, put where the command line puts them; its sha256."""
        return hand_over(self.documents, submission)

    def write(self, written: Written) -> str:
        """What somebody wrote, put where its command finds it; its sha256."""
        return self.documents.put(written.canonical_bytes())

    def told(self, recorded: Any) -> Any:
        """What is on record with the words people wrote in the place of every reference to them."""

        def read(workflow_id: str, sha256: str, _: str) -> bytes:
            return self.office.documents.of(workflow_id).get(sha256)

        return filled_in(recorded, read)

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        return self.office.client.get_workflow_handle(self.workflow_id)

    @property
    def case(self) -> Case:
        """The case as stored, read without a lock: whoever waits for it looks often."""
        facts = self._facts()
        assert facts is not None
        return Case.model_validate(facts)

    @property
    def no_case(self) -> bool:
        return self._facts() is None

    def _facts(self) -> Any:
        with self.office.reading.connect() as connection:
            return connection.scalar(select(CaseRow.facts).where(CaseRow.workflow_id == self.workflow_id))

    def command(self, kind: type[Command], actor: Actor, request_id: str | None = None, **fields: Any) -> Any:
        request_id = request_id or f"{kind.action}-{next(_requests)}"
        if kind in _IN_WRITING:  # their words are handed over before them
            words = {name: fields.pop(name) for name in _IN_WRITING[kind].model_fields if name in fields}
            fields |= {"paper": self.write(_IN_WRITING[kind](**words))} if words else {}
        return kind(request_id=request_id, workflow_id=self.workflow_id, actor=actor, **fields)

    async def apply(self, name: str = "passes", *, actor: Actor = APPLICANT, request_id: str | None = None) -> Answer:
        sha256 = self.hand_over(example(name, credit_code=self.credit_code))
        command = self.command(
            Apply, actor, request_id, credit_code=self.credit_code, ordinal=self.ordinal, submission=sha256
        )
        return await self.send_with_start(command, CertificationState())

    async def send_with_start(self, command: Command, state: CertificationState) -> Answer:
        start = WithStartWorkflowOperation(
            "Certification",
            state,
            id=self.workflow_id,
            task_queue=self.office.settings.task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
        try:
            answer: Answer = await self.office.client.execute_update_with_start_workflow(
                command.action,
                self.office.signed(command),
                start_workflow_operation=start,
                id=_update_id(command),
                result_type=Answer,
            )
        except WorkflowUpdateFailedError as error:
            raise _refusal(error) from None
        return answer

    async def send(self, command: Command, to: str | None = None) -> Answer:
        """A command, to the workflow it is for unless said otherwise; a refusal is raised as one."""
        handle = self.office.client.get_workflow_handle(to or command.sent_to)
        try:
            answer: Answer = await handle.execute_update(
                command.action, self.office.signed(command), id=_update_id(command), result_type=Answer
            )
        except WorkflowUpdateFailedError as error:
            raise _refusal(error) from None
        return answer

    async def do(self, kind: type[Command], actor: Actor, request_id: str | None = None, **fields: Any) -> Answer:
        return await self.send(self.command(kind, actor, request_id, **fields))

    async def now(self) -> datetime:
        return await self.office.clock.now(self.workflow_id)

    async def forward_to(self, instant: datetime) -> None:
        """Move the case's clock to `instant`, stopping at everything that comes of itself on the way."""
        while True:
            now = await self.now()
            await self.settled(now)
            upcoming = self.case.next_event
            stops = upcoming is not None and upcoming.at <= instant
            aim = upcoming.at if upcoming is not None and stops else instant
            if aim > now and not await self.office.clock.fast_forward(self.workflow_id, aim - now):
                return  # it has ended
            if upcoming is None or not stops:
                return
            await self.settled(upcoming.at)

    async def forward(self, delta: timedelta) -> None:
        await self.forward_to(await self.now() + delta)

    async def settled(self, now: datetime, *, seconds: float = 20) -> None:
        """Wait until everything due by `now` on the case's clock has been carried out."""
        await until(lambda: agenda.due(self.case, now) is None, f"{self.workflow_id} settled at {now}", seconds)


async def until(condition: Any, what: str, seconds: float = 20) -> None:
    """Wait for a condition in real time; fail with `what` when it does not come.

    Looked at less often the longer it takes: looking costs the processors that bring it about.
    """
    deadline, pause = time.monotonic() + seconds, 0.01
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        await asyncio.sleep(pause)
        pause = min(1.4 * pause, 0.2)


async def patiently(send: Callable[[], Awaitable[Given]]) -> Given:
    """Send again with the same ids while the server is busy or the workflow's task has to be tried again."""
    busy = (RPCStatusCode.UNAVAILABLE, RPCStatusCode.RESOURCE_EXHAUSTED, RPCStatusCode.FAILED_PRECONDITION)
    for _ in range(50):
        try:
            return await send()
        except RPCError as error:
            if error.status not in busy:
                raise
            await asyncio.sleep(0.1)
    raise AssertionError("the server stayed busy")


@asynccontextmanager
async def refused(kind: RefusalKind) -> AsyncIterator[pytest.ExceptionInfo[Refusal]]:
    """Expect a refusal of exactly this kind."""
    with pytest.raises(Refusal) as info:
        yield info
    assert info.value.kind is kind, f"{info.value.kind}: {info.value.message}"


def _update_id(command: Command) -> str:
    return command.update_id(f"test-{next(_requests)}")


def _refusal(error: WorkflowUpdateFailedError) -> BaseException:
    cause = error.cause
    if isinstance(cause, ApplicationError) and (refusal := refusal_from(cause)) is not None:
        return refusal
    return error
