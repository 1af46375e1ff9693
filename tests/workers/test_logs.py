"""The worker's log tells what went wrong and where, and nothing about anybody."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import create_engine, text
from temporalio.client import Client

from connection.local_server import LocalServer
from tests.office import Office
from tests.path import acts
from tests.workers.processes import worker_process
from workers.logs import KEPT, log_handler

NAME, PAYER = "王小明", acts.PAYER


@pytest.fixture
def written() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A logger whose records go through the worker's formatter, and where they go."""
    stream = io.StringIO()
    logger = logging.getLogger("a-library")
    handler = log_handler(stream, as_json=True)
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    yield logger, stream
    logger.removeHandler(handler)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def failing_insert() -> None:
    create_engine("sqlite://").connect().execute(text("INSERT INTO payment VALUES (:payer)"), {"payer": PAYER})


def test_what_was_formatted_into_a_text_is_left_out(written: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = written
    logger.info("received %s", PAYER)
    logger.info(f"Exception handling failed, original error: {PAYER}")
    logger.info(f"Task exception was never retrieved\nfuture: {PAYER}")
    logger.info("told beside it", extra={"payer": PAYER, "step": "expire_certification"})
    assert [(line["event"], line.get("step")) for line in lines(stream)] == [
        ("received %s", None),
        ("Exception handling failed, original error", None),
        ("Task exception was never retrieved", None),
        ("told beside it", "expire_certification"),
    ]
    assert PAYER not in stream.getvalue()


def test_an_exception_is_told_by_its_types_and_its_lines(written: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = written
    try:
        try:
            failing_insert()
        except Exception as error:
            raise ValueError(f"no money from {PAYER}") from error
    except ValueError:
        logger.exception("Failed handling activity")
    [line] = lines(stream)
    assert line["error"] == "ValueError <- OperationalError <- OperationalError"
    assert len(line["error_at"]) == 1 and line["error_at"][0].startswith(f"{__name__}:")
    assert PAYER not in stream.getvalue()


def test_our_own_events_keep_only_what_is_allowed(written: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = written
    log = structlog.wrap_logger(
        logger,
        processors=[structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    log.warning("draining", seconds=20, payer=PAYER, applicant=NAME, documents=["taxpayer.pdf"])
    [line] = lines(stream)
    assert list(line) == ["timestamp", "level", "logger", "event", "seconds"]
    assert (line["level"], line["event"], line["seconds"]) == ("warning", "draining", 20)


def test_people_get_the_same_in_a_readable_line() -> None:
    stream = io.StringIO()
    handler = log_handler(stream, as_json=False)
    extra = {"payer": PAYER, "temporal_activity": {"activity_type": "receive_deposit", "attempt": 2, "input": NAME}}
    record = logging.makeLogRecord({"name": "temporalio.activity", "levelname": "WARNING", "msg": "failed", **extra})
    handler.handle(record)
    written = stream.getvalue()
    assert written.count("\n") == 1 and not written.startswith("{")
    for told in ("warning", "failed", "temporalio.activity", "activity_type=receive_deposit", "attempt=2"):
        assert told in written
    assert PAYER not in written and NAME not in written


async def test_a_worker_whose_transaction_fails_logs_json_without_the_row(
    client: Client, server: LocalServer, tmp_path: Path
) -> None:
    """The database's own error holds the whole row; the SDK logs it with every attempt."""
    office = Office(client, tmp_path)
    async with worker_process(office, server.address, LIVEBASE_LOG_FORMAT="json", LIVEBASE_LOG_LEVEL="debug") as worker:
        base = await acts.in_deposit(office)
        with office.engine.begin() as connection:
            connection.execute(
                text("CREATE TRIGGER refusing BEFORE INSERT ON payments BEGIN SELECT RAISE(ABORT, 'refused'); END")
            )
        command = acts.payment(base)
        sending = asyncio.create_task(base.send(command))
        await worker.said("Completing activity as failed")
        with office.engine.begin() as connection:
            connection.execute(text("DROP TRIGGER refusing"))
        await sending
        worker.terminate()
        assert await worker.ended() == 0
    failed = next(one for one in worker.records if one["event"] == "Completing activity as failed")
    assert failed["workflow_id"] == base.workflow_id
    assert failed["activity_type"] == "receive_deposit"
    assert failed["error"].startswith("IntegrityError") and any(
        at.startswith("store.cases:") for at in failed["error_at"]
    )
    assert {key for record in worker.records for key in record} <= set(KEPT)
    assert {"starting", "draining", "stopped"} <= {record["event"] for record in worker.records}
    said = worker.log.read_text("utf-8")
    for personal in (PAYER, base.case.name, "wang", "qian", command.reference, ".pdf"):
        assert personal not in said
