"""Worker versions: none by default; with name and build told, registered, routed to, and moved on from."""

from __future__ import annotations

import asyncio
from pathlib import Path

from temporalio.api.deployment.v1 import WorkerDeploymentVersion
from temporalio.api.enums.v1 import TaskQueueType, VersioningBehavior
from temporalio.api.workflow.v1 import WorkflowExecutionVersioningInfo
from temporalio.api.workflowservice.v1 import (
    DescribeWorkerDeploymentVersionRequest,
    ListWorkerDeploymentsRequest,
    SetWorkerDeploymentCurrentVersionRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from connection.local_server import LocalServer
from domain.commands import Approve
from domain.stages import Stage
from tests.office import REVIEWER, Base, Office
from tests.path import acts
from tests.workers.processes import worker_process

NAME = "livebase-versioned"


async def test_a_worker_has_no_version_unless_both_its_variables_are_set(client: Client, tmp_path: Path) -> None:
    office = Office(client, tmp_path)
    assert (office.settings.deployment, office.settings.half_versioned) == (None, None)
    office.settings = office.settings.model_copy(update={"deployment_name": "livebase-half"})
    assert office.settings.half_versioned == "TEMPORAL_WORKER_BUILD_ID"
    async with office.worker():
        base = await acts.in_valid(office)
    info = await versioning(base)
    assert info.behavior == VersioningBehavior.VERSIONING_BEHAVIOR_UNSPECIFIED and not info.HasField(
        "deployment_version"
    )
    listed = await client.workflow_service.list_worker_deployments(
        ListWorkerDeploymentsRequest(namespace=client.namespace)
    )
    assert "livebase-half" not in {deployment.name for deployment in listed.worker_deployments}


async def test_a_versioned_worker_takes_the_cases_once_current_and_the_next_version_takes_them_over(
    client: Client, server: LocalServer, tmp_path: Path
) -> None:
    office = Office(client, tmp_path)
    async with worker_process(
        office, server.address, TEMPORAL_DEPLOYMENT_NAME=NAME, TEMPORAL_WORKER_BUILD_ID="1"
    ) as first:
        queues = await registered(client, "1")
        assert queues == {
            (office.settings.task_queue, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW),
            (office.settings.task_queue, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY),
            (f"{office.settings.task_queue}-outside", TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY),
        }
        await make_current(client, "1")
        published, waiting = await acts.in_valid(office), await acts.in_review(office)
        for base in (published, waiting):
            assert await running_on(base) == (VersioningBehavior.VERSIONING_BEHAVIOR_AUTO_UPGRADE, "1")
        first.terminate()
        assert await first.ended() == 0

    async with worker_process(office, server.address, TEMPORAL_DEPLOYMENT_NAME=NAME, TEMPORAL_WORKER_BUILD_ID="2"):
        await registered(client, "2")
        await make_current(client, "2")
        answer = await waiting.do(Approve, REVIEWER, revision=1)
        assert answer.stage is Stage.DEPOSIT
        assert await running_on(waiting) == (VersioningBehavior.VERSIONING_BEHAVIOR_AUTO_UPGRADE, "2")


async def versioning(base: Base) -> WorkflowExecutionVersioningInfo:
    described = await base.handle.describe()
    return described.raw_description.workflow_execution_info.versioning_info


async def running_on(base: Base) -> tuple[int, str]:
    """The case's versioning behavior and the build that took its last step, once there is one."""
    for _ in range(400):
        info = await versioning(base)
        if info.HasField("deployment_version") and not info.HasField("version_transition"):
            return info.behavior, info.deployment_version.build_id
        await asyncio.sleep(0.05)
    raise AssertionError(f"still on its way: {info}")


async def registered(client: Client, build: str) -> set[tuple[str, int]]:
    """Wait until the server knows the version with all its task queues; the queues."""
    version = WorkerDeploymentVersion(deployment_name=NAME, build_id=build)
    request = DescribeWorkerDeploymentVersionRequest(namespace=client.namespace, deployment_version=version)
    queues: set[tuple[str, int]] = set()
    for _ in range(400):
        try:
            described = await client.workflow_service.describe_worker_deployment_version(request)
            queues = {(queue.name, queue.type) for queue in described.version_task_queues}
        except RPCError as error:
            # The server gives up an answer (CANCELLED, seen once) while it is just making the version's records.
            if error.status not in (RPCStatusCode.NOT_FOUND, RPCStatusCode.CANCELLED):
                raise
        if len(queues) >= 3:
            return queues
        await asyncio.sleep(0.05)
    raise AssertionError(f"not registered: {queues}")


async def make_current(client: Client, build: str) -> None:
    await client.workflow_service.set_worker_deployment_current_version(
        SetWorkerDeploymentCurrentVersionRequest(namespace=client.namespace, deployment_name=NAME, build_id=build)
    )
