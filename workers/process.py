"""A worker process from its start to the end of its drain."""

from __future__ import annotations

import asyncio
import signal

import structlog
from temporalio.client import Client
from temporalio.service import RPCError

from connection.errors import BadConfiguration, Unreachable
from connection.payload_keys import HINT, VARIABLE
from connection.profile import is_loopback
from store.actors import is_local
from store.engine import open_engine
from workers.callbacks import bank_callbacks
from workers.health import Readiness, health_server
from workers.main import build_workers
from workers.schedule import keep_census, keep_channel, keep_letters_going, keep_sealing, keep_verifying
from workers.settings import WorkerSettings

_SCHEDULE_PAUSE = 30.0  # seconds
_log = structlog.stdlib.get_logger("livebase.worker")
PAST_GRACE = 4.0
"""Seconds for cancelled activities to come to their end."""


class StillAtWork(Exception):
    """Activities did not end though they were cancelled; the server hands them to another worker in time."""


async def run_worker(client: Client, settings: WorkerSettings) -> None:
    """Run until SIGTERM or SIGINT, then drain: what is under way is finished, nothing new is taken.

    Raises BadConfiguration when a port can't be opened, or when payloads would travel in clear to a server that is no
    local one; Unreachable when Temporal won't have this worker; StillAtWork when something under way neither finished
    in the grace nor heeded its cancellation.
    """
    engine = open_engine(settings.database_url)
    here = is_loopback(client.service_client.config.target_host)
    if client.data_converter.payload_codec is None and not (here and await asyncio.to_thread(is_local, engine)):
        raise BadConfiguration(f"{VARIABLE} is not set: payloads would stand in Temporal's database in clear.", HINT)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    workers = build_workers(client, settings, engine=engine)
    readiness = Readiness(client, engine, workers)
    async with health_server(readiness, settings), bank_callbacks(client, engine, settings):
        try:
            async with asyncio.timeout(None) as limit, workers:
                _log_start(client, settings)
                scheduling = asyncio.create_task(_schedule_shifts(client, settings))
                await stop.wait()
                scheduling.cancel()
                _log.info("draining", seconds=settings.graceful_seconds)
                limit.reschedule(loop.time() + settings.graceful_seconds + PAST_GRACE)
        except TimeoutError:
            _log.error("activities did not end")
            raise StillAtWork from None
        except RuntimeError as error:  # the SDK's: no such namespace, no right to poll
            reason = str(error).partition(": Status {")[0]
            raise Unreachable(f"Temporal won't have this worker: {reason}.", "Run: livebase doctor") from error
    _log.info("stopped")


async def _schedule_shifts(client: Client, settings: WorkerSettings) -> None:
    """Neither letters (decision 35), seals nor census keep cases from being worked on: without one the work goes on."""
    task_queue = settings.task_queue
    while True:
        try:
            await keep_letters_going(client, task_queue)
            await keep_sealing(client, task_queue)
            await keep_census(client, task_queue)
            if settings.channel_url:
                await keep_channel(client, task_queue)
            return await keep_verifying(client, task_queue) if settings.verification_url else None
        except RPCError as error:
            _log.warning("a schedule of the worker's can't be made", error=error.message)
            await asyncio.sleep(_SCHEDULE_PAUSE)


def _log_start(client: Client, settings: WorkerSettings) -> None:
    if lacking := settings.half_versioned:
        _log.warning("not a versioned worker, a variable is not set", variable=lacking)
    version = settings.deployment.version if settings.deployment else None
    _log.info(
        "starting",
        namespace=client.namespace,
        task_queue=settings.task_queue,
        deployment=version and version.deployment_name,
        build=version and version.build_id,
    )
