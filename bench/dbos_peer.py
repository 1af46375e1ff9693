"""The same business carried by DBOS: a workflow per case, used as DBOS's documentation advises.

A person's act is a message to the case's workflow, and its answer an event named by the request. The rules, the store
and what a transaction does are the product's own, so the rows are too; a datasource commits an effect together with
its step's record. `python -m bench.dbos_peer DATABASE_URL SYSTEM_URL DOCUMENTS NUMBER` is a worker process.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from dbos import DBOS, DBOSClient, SQLAlchemyDatasource
from sqlalchemy import text

from activities.desk import CaseDesk
from activities.publication import OwnList, PublicationActivities
from bench.reading import reading
from domain import agenda
from domain.case import Case
from domain.commands import Answer, Apply, Command, Outcome
from domain.planning import Event, Planned
from domain.refusals import Refusal, RefusalDetail
from store.cases import CaseStore, CaseTransaction
from store.documents import DocumentStore
from store.engine import open_engine
from store.reference import policy_book
from tests.documents import KEYS, pseudonym

NAME = "livebase"
_APPLICATIONS = "applications"
_POLLING = 0.25  # seconds between looks for applications; the default of a second would be most of an application
_THREADS = 5000  # a workflow that waits holds one
_LONGEST_WAIT = 365 * 86_400.0  # seconds


class People:
    """Who acts, from another process than the workflows', as `tests.office.Base` does on Temporal."""

    def __init__(self, system_url: str) -> None:
        self._client = DBOSClient(
            system_database_url=system_url, use_listen_notify=True, system_database_pool_size=20, application_name=NAME
        )

    async def send(self, command: Command) -> Answer:
        """The answer, however often it is sent. Raises Refusal."""
        if isinstance(command, Apply):
            await self._client.enqueue_async(
                {"workflow_name": NAME, "queue_name": _APPLICATIONS, "workflow_id": command.workflow_id}, command
            )
        else:
            await self._client.send_async(command.workflow_id, command, idempotency_key=command.request_id)
        answer = await self._client.get_event_async(command.workflow_id, command.request_id, timeout_seconds=60)
        if isinstance(answer, RefusalDetail):
            raise answer.refusal()
        assert isinstance(answer, Answer), f"no answer to {command.request_id}"
        return answer

    def close(self) -> None:
        self._client.destroy()


class _StoreOfStep(CaseStore):
    """The store, with the running step's transaction in the place of one of its own."""

    def __init__(self, datasource: SQLAlchemyDatasource) -> None:
        super().__init__(datasource.engine, pseudonym)
        self._datasource = datasource

    @contextmanager
    def transaction(self, workflow_id: str, run_id: str | None = None) -> Iterator[CaseTransaction]:
        yield CaseTransaction(self._datasource.sql_session(), workflow_id, self._pseudonym, self._letterbox, run_id)


def define(database_url: str, documents: DocumentStore) -> None:
    """Register the workflow and its steps with DBOS."""
    engine = open_engine(database_url)
    datasource = SQLAlchemyDatasource.create(database_url, engine=engine)
    transaction = datasource.transaction(isolation_level="READ COMMITTED")  # as the product's are
    desk = CaseDesk(_StoreOfStep(datasource), documents, policy_book())
    publication = PublicationActivities(desk, CaseStore(engine, pseudonym), OwnList())

    @transaction
    def act(command: Command) -> Outcome:
        outcome = desk.decide(command, datetime.now(UTC))
        if outcome.refusal is not None:
            raise outcome.refusal.refusal()  # rolls back
        return outcome

    @transaction
    def follow(workflow_id: str, planned: Planned) -> Case:
        return desk.follow(workflow_id, planned, datetime.now(UTC), agenda.take)

    @DBOS.step(retries_allowed=True, max_attempts=3)
    def announce(workflow_id: str) -> str:
        return publication.announce_base(workflow_id)

    @transaction
    def record_publication(workflow_id: str, planned: Planned, evidence: str) -> Case:
        return publication.record_publication(workflow_id, planned, datetime.now(UTC), evidence)

    def answer(command: Command, case: Case | None) -> Case | None:
        """Carry out a command and tell its sender; the case after it."""
        try:
            outcome = act(command)
        except Refusal as refusal:
            DBOS.set_event(command.request_id, refusal.detail)
            return case
        DBOS.set_event(command.request_id, outcome.answer)
        return outcome.case

    @DBOS.workflow(name=NAME)
    def carry(application: Apply) -> None:
        """One case, from its application on: acts as they come, and what comes of itself at its instant."""
        case = answer(application, None)
        while case is not None and (planned := case.next_event):
            if planned.event is Event.ATTEMPT_PUBLICATION:
                case = record_publication(case.workflow_id, planned, announce(case.workflow_id))
                continue
            wait = (planned.at - datetime.now(UTC)).total_seconds()  # recorded, so it holds through a restart
            command = DBOS.recv(timeout_seconds=min(max(wait, 0.0), _LONGEST_WAIT))
            case = follow(case.workflow_id, planned) if command is None else answer(command, case)


def left(database_url: str, system_url: str, workflow_id: str) -> str:
    """What a case has left in DBOS's tables. Both are SQLAlchemy's URLs."""

    def count(url: str, table: str, column: str = "workflow_uuid") -> int:
        rows = text(f"SELECT count(*) FROM dbos.{table} WHERE {column} = :id")
        with reading(url) as connection:
            return int(connection.execute(rows, {"id": workflow_id}).scalar_one())

    steps, inside = count(system_url, "operation_outputs"), count(database_url, "datasource_outputs", "workflow_id")
    messages, events = count(system_url, "notifications", "destination_uuid"), count(system_url, "workflow_events")
    return f"{steps} steps ({inside} with their effects), {messages} messages, {events} answers"


def main(database_url: str, system_url: str, documents: str, number: str) -> None:
    """Work until SIGTERM, as the worker of a number."""
    DBOS(
        config={
            "name": NAME,
            "system_database_url": system_url,
            "application_version": "bench",
            "executor_id": number,
            "max_executor_threads": _THREADS,
            "log_level": "WARNING",
        }
    )
    define(database_url, DocumentStore(documents, KEYS))
    DBOS.launch()
    DBOS.register_queue(_APPLICATIONS, polling_interval_sec=_POLLING)
    print("working", flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main(*sys.argv[1:])
