"""Prepares a fresh server: its namespace, the search attributes, and the wait until both really work."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from connection.client import connect
from connection.errors import Unreachable
from connection.guarded_process import GuardedProcess
from connection.profile import Target
from connection.search_attributes import missing, register
from domain.tracing import SEARCH_ATTRIBUTES

if TYPE_CHECKING:
    from temporalio.client import Client

RETENTION = timedelta(days=90)
"""How long a closed workflow's history is kept."""

_POLL_EVERY = 0.05  # seconds


async def prepare_when_up(target: Target, server: GuardedProcess, *, identity: str, timeout: float) -> None:
    """Wait until the server just started at `target` answers, then `prepare` it; seconds in all.

    Raises `TimeoutError` when it does not come up in time, `OSError` when its process ends meanwhile.
    """
    deadline = time.monotonic() + timeout

    def check_alive() -> None:
        if not server.running:
            raise OSError(f"it ended with exit code {server.exit_code}")

    while True:
        check_alive()
        try:
            client = await connect(target, identity=identity)
            break
        except Unreachable as error:  # not listening yet, or "Frontend is not healthy yet"
            if time.monotonic() > deadline:
                raise TimeoutError(error.message) from error
        await asyncio.sleep(_POLL_EVERY)
    await prepare(client, deadline=deadline, check_alive=check_alive)


async def prepare(client: Client, *, deadline: float, check_alive: Callable[[], None]) -> None:
    """Register the client's namespace and the search attributes, and return when both can be used.

    Safe to repeat. `deadline` is on `time.monotonic()`; raises `TimeoutError` when it passes. `check_alive`
    is called between attempts and may raise to end the wait.
    """
    reason = "it does not answer"
    while time.monotonic() < deadline:
        check_alive()
        try:
            await _register_namespace(client)
            await register(client)
            if reason := await _not_ready(client):
                await asyncio.sleep(_POLL_EVERY)
                continue
            return
        except _rpc_error() as error:
            # A server that has just come up refuses for a while, in many ways: no service resolved yet,
            # namespace not in its cache yet, shard not acquired yet. What lasts shows as the timeout's reason.
            reason = str(error)
        await asyncio.sleep(_POLL_EVERY)
    raise TimeoutError(reason)


async def _register_namespace(client: Client) -> None:
    from google.protobuf.duration_pb2 import Duration
    from temporalio.api.namespace.v1 import NamespaceConfig
    from temporalio.api.workflowservice.v1 import (
        DescribeNamespaceRequest,
        RegisterNamespaceRequest,
        UpdateNamespaceRequest,
    )
    from temporalio.service import RPCError, RPCStatusCode

    retention = Duration(seconds=int(RETENTION.total_seconds()))
    service = client.workflow_service
    try:
        # Without looking first: the server would remember for a second that there is no such namespace.
        await service.register_namespace(
            RegisterNamespaceRequest(
                namespace=client.namespace,
                workflow_execution_retention_period=retention,
                description="livebase",
            )
        )
        return
    except RPCError as refused:
        if refused.status != RPCStatusCode.ALREADY_EXISTS:
            raise
    there = await service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))
    if there.config.workflow_execution_retention_ttl.seconds < retention.seconds:  # made by a CLI: one day
        await service.update_namespace(
            UpdateNamespaceRequest(
                namespace=client.namespace,
                config=NamespaceConfig(workflow_execution_retention_ttl=retention),
            )
        )


async def _not_ready(client: Client) -> str:
    """What does not work yet, or '' when all does. Raises `RPCError` for what the server refuses."""
    from temporalio.api.enums.v1 import TaskQueueType
    from temporalio.api.taskqueue.v1 import TaskQueue
    from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
    from temporalio.service import RPCError, RPCStatusCode

    if names := await missing(client):
        return f"search attributes not visible yet: {', '.join(sorted(names))}"
    conditions = " AND ".join(f"{name} IS NULL" for name in SEARCH_ATTRIBUTES)
    async for _ in client.list_workflows(conditions, page_size=1):  # frontend and visibility
        break
    try:  # history: its shard and its namespace cache
        await client.get_workflow_handle("livebase-is-the-server-ready").describe()
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND or "namespace" in str(error).lower():
            raise
    await client.workflow_service.describe_task_queue(  # matching
        DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name="livebase-is-the-server-ready"),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
    )
    return ""


def _rpc_error() -> type[Exception]:
    from temporalio.service import RPCError

    return RPCError
