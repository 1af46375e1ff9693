"""The doctor's checks of the Temporal server: reached, new enough, set up, worked on, its clock ours."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from starter.diagnosis import Advice, Broken, Check
from starter.output import told, when
from starter.session import Session

if TYPE_CHECKING:
    from temporalio.client import Client

_OLDEST = (1, 32)
_PATIENCE = timedelta(seconds=5)
_LONG_POLL = timedelta(seconds=10)
_FURTHEST_APART = timedelta(seconds=10)
PREPARE = "python -m workers.prepare"
"""What registers all a server needs, safe to repeat."""

Clock = Callable[[], datetime]


def of(session: Session) -> list[tuple[str, Check]]:
    """The checks by name, in order; those after the first rest on it."""
    started = time.monotonic()
    clients: list[Client] = []

    async def server() -> str:
        client, target = await session.connect("livebase:doctor"), session.target
        await _require_namespace(client)
        clients.append(client)
        return told("{} ({}), namespace {}", target.address, target.described_source, target.namespace)

    def client() -> Client:
        if not clients:
            raise Broken(told("no server to ask"), told("mend the Temporal server first"))
        return clients[0]

    async def version() -> str:
        return await _version(client())

    async def history() -> str:
        return await _history(client())

    async def attributes() -> str:
        return await _attributes(client())

    def now() -> datetime:
        return session.wall + timedelta(seconds=time.monotonic() - started)

    async def worker() -> str:
        return await _worker(client(), now)

    async def clock() -> str:
        return await _clock(client(), now)

    return [
        ("Temporal server", server),
        ("server version", version),
        ("history", history),
        ("search attributes", attributes),
        ("worker", worker),
        ("clock", clock),
    ]


async def _require_namespace(client: Client) -> None:
    from temporalio.service import RPCError, RPCStatusCode

    try:
        await _namespace(client)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        raise Broken(
            told("there is no namespace {}", client.namespace),
            PREPARE,
        ) from error


async def _namespace(client: Client) -> Any:
    from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest

    request = DescribeNamespaceRequest(namespace=client.namespace)
    return await client.workflow_service.describe_namespace(request, timeout=_PATIENCE)


async def _version(client: Client) -> str:
    """Clocks that can be moved and updates with a start need 1.32."""
    from temporalio.api.workflowservice.v1 import GetSystemInfoRequest

    info = await client.workflow_service.get_system_info(GetSystemInfoRequest(), timeout=_PATIENCE)
    version: str = info.server_version
    numbers = re.match(r"v?(\d+)\.(\d+)", version)
    if numbers and (int(numbers[1]), int(numbers[2])) < _OLDEST:
        oldest = ".".join(str(number) for number in _OLDEST)
        raise Broken(told("{}, older than {}", version, oldest), told("upgrade the server to {} or newer", oldest))
    return version


async def _history(client: Client) -> str:
    """Each term is a run of its own: with a short retention Temporal Web forgets how a base was certified."""
    from connection.namespace import RETENTION

    kept = timedelta(seconds=(await _namespace(client)).config.workflow_execution_retention_ttl.seconds)
    found = told("a run that is over is kept for {} days", f"{kept / timedelta(days=1):g}")
    if kept < RETENTION:
        raise Advice(found, PREPARE)
    return found


async def _attributes(client: Client) -> str:
    from connection.search_attributes import missing

    try:
        lacking = sorted(await missing(client))
    except ValueError as error:
        mend = told("remove it, then create it anew: temporal operator search-attribute remove --name NAME")
        raise Broken(f"{error}", mend) from error
    if lacking:
        raise Broken(told("missing: {}", ", ".join(lacking)), PREPARE)
    return told("all registered")


async def _worker(client: Client, now: Clock) -> str:
    """A worker asks at least once a minute; the server remembers it for some minutes after it has gone."""
    from starter.development import LONGEST_SILENCE, last_polled
    from workflows.messages import TASK_QUEUE

    asked = await last_polled(client, TASK_QUEUE)
    if asked is None:
        raise Broken(told("nobody works on task queue {}", TASK_QUEUE), "livebase worker")
    if now() - asked > LONGEST_SILENCE:
        raise Broken(
            told("nobody has asked task queue {} for work since {}", TASK_QUEUE, _local(asked)), "livebase worker"
        )
    return told("task queue {} is worked on", TASK_QUEUE)


async def _clock(client: Client, now: Clock) -> str:
    """How far apart the server's clock and ours are; deadlines run on the server's."""
    before = now()
    server = await _server_time(client)
    if server is None:
        raise Advice(told("the server does not say its time"), told("compare the clocks yourself"))
    apart = max(before - server, server - now(), timedelta(0))
    found = told("{} s from the server's", f"{apart.total_seconds():.1f}")
    if apart > _FURTHEST_APART:
        raise Broken(found, told("set this machine's clock or the server's: chronyc tracking, timedatectl"))
    return found


def _local(instant: datetime) -> str:
    from store.queries import shown

    return when(shown(instant))


async def _server_time(client: Client) -> datetime | None:
    """The server notes when a task queue was last asked: ask one nobody uses, and look."""
    from temporalio.api.enums.v1 import TaskQueueType
    from temporalio.api.taskqueue.v1 import TaskQueue
    from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, PollActivityTaskQueueRequest

    queue, identity = TaskQueue(name="livebase-doctor"), f"livebase:doctor:{uuid.uuid4()}"
    service = client.workflow_service
    asking = asyncio.ensure_future(
        service.poll_activity_task_queue(
            PollActivityTaskQueueRequest(namespace=client.namespace, task_queue=queue, identity=identity),
            timeout=_LONG_POLL,
        )
    )
    look = DescribeTaskQueueRequest(
        namespace=client.namespace, task_queue=queue, task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
    )
    try:
        for _ in range(50):
            for poller in (await service.describe_task_queue(look, timeout=_PATIENCE)).pollers:
                if poller.identity == identity:
                    return poller.last_access_time.ToDatetime(tzinfo=UTC)
            await asyncio.sleep(0.05)
        return None
    finally:
        asking.cancel()
        with contextlib.suppress(BaseException):
            await asking
