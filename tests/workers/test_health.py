"""What a cluster asks a worker: does it live, can it work, how is it doing."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import sys
from pathlib import Path

import pytest
from sqlalchemy import text
from temporalio.client import Client

from connection.client import connect
from connection.errors import BadConfiguration
from connection.local_server import LocalServer
from tests.documents import document_keys
from tests.office import Office
from tests.workers.cluster_files import worker_check
from tests.workers.processes import ROOT, WorkerProcess, eventually, free_port, get, worker_process
from workers.health import Readiness, health_server
from workers.settings import WorkerSettings, read_settings

WELL = {"temporal": True, "schema": True, "polling": True}


async def test_a_worker_tells_whether_it_lives_and_can_work_and_offers_metrics(tmp_path: Path) -> None:
    health, metrics = free_port(), free_port()
    async with await LocalServer.start(None, web=False) as server:
        office = Office(await connect(server.target, identity="tests"), tmp_path)
        async with worker_process(
            office,
            server.address,
            LIVEBASE_HEALTH_PORT=str(health),
            LIVEBASE_METRICS_ADDRESS=f"127.0.0.1:{metrics}",
            LIVEBASE_LOG_FORMAT="json",
            TEMPORAL_DEPLOYMENT_NAME="livebase-half",
        ) as worker:
            assert json.loads(await eventually(health, "/readyz", 200)) == WELL
            assert await get(health, "/livez") == (200, '{"alive": true}')
            assert (await get(health, "/"))[0] == 404

            lacking = [record["variable"] for record in worker.records if "variable" in record]
            assert lacking == ["TEMPORAL_WORKER_BUILD_ID"], "half a version is told"
            base = await office.applied()
            assert not base.no_case
            offered = await eventually(metrics, "/metrics", 200)
            assert f'task_queue="{office.settings.task_queue}-outside"' in offered
            assert "temporal_workflow_task_execution_latency_seconds_bucket" in offered
            assert "temporal_request_total" in offered

            with office.engine.begin() as connection:
                present = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
                connection.execute(text("UPDATE alembic_version SET version_num = 'older'"))
            assert json.loads(await eventually(health, "/readyz", 503)) == {**WELL, "schema": False}
            assert await compose_finds(health) == "unhealthy"
            with office.engine.begin() as connection:
                connection.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": present})
            await eventually(health, "/readyz", 200)
            assert await compose_finds(health) == "healthy"

            await server.kill()
            assert json.loads(await eventually(health, "/readyz", 503)) == {**WELL, "temporal": False}
            assert (await get(health, "/livez"))[0] == 200, "a restart would not bring Temporal back"
            await told_by_temporal(worker)


async def compose_finds(port: int) -> str:
    """What docker-compose.yml's own check says of the worker."""
    program, *rest = worker_check(port)
    assert program == "python"
    check = await asyncio.create_subprocess_exec(sys.executable, *rest, stderr=asyncio.subprocess.DEVNULL)
    return "unhealthy" if await check.wait() else "healthy"


async def told_by_temporal(worker: WorkerProcess) -> None:
    """The SDK's core log comes as ours does: a JSON line with the gRPC status, without the rest of the error."""
    await worker.said("retried")
    told = next(record for record in worker.records if "retried" in record["event"])
    assert told["logger"].startswith("temporalio.core") and told["level"] == "warning"
    assert re.fullmatch(r"gRPC call \w+ retried \d+ times", told["event"])
    assert told["error"] in ("Unavailable", "Cancelled", "Unknown"), told
    assert "ConnectionRefused" not in worker.log.read_text("utf-8")


async def test_without_a_port_nobody_answers_and_a_taken_one_is_told(client: Client, tmp_path: Path) -> None:
    office = Office(client, tmp_path)
    workers = office.worker()
    readiness = Readiness(client, office.engine, workers)
    async with health_server(readiness, office.settings):
        assert await readiness.state() == {**WELL, "polling": False}, "not started"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BadConfiguration, match=f"127.0.0.1:{port} can't be opened") as refused:
            async with health_server(readiness, office.settings.model_copy(update={"health_port": port})):
                pass
    assert "LIVEBASE_HEALTH_PORT" in refused.value.hint


def test_settings_that_cannot_be_used_are_told_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEBASE_HEALTH_PORT", "8o8o")
    monkeypatch.setenv("LIVEBASE_METRICS_ADDRESS", "localhost")
    monkeypatch.setenv("LIVEBASE_LOG_LEVEL", "loud")
    with pytest.raises(BadConfiguration) as refused:
        read_settings(WorkerSettings, database_url="sqlite://", documents=str(ROOT))
    for variable in ("LIVEBASE_HEALTH_PORT", "LIVEBASE_METRICS_ADDRESS", "LIVEBASE_LOG_LEVEL"):
        assert f"{variable}: " in refused.value.message
    assert "8o8o" not in refused.value.message, "a value may be a password"
    assert "environment variables" in refused.value.hint


def test_an_empty_variable_counts_as_absent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("LIVEBASE_HEALTH_PORT", "LIVEBASE_METRICS_ADDRESS", "LIVEBASE_LOG_FORMAT", "TEMPORAL_DEPLOYMENT_NAME"):
        monkeypatch.setenv(name, "")
    settings = read_settings(
        WorkerSettings, database_url="sqlite://", documents=str(ROOT), document_keys=document_keys(tmp_path)
    )
    assert (settings.health_port, settings.metrics_address, settings.log_format) == (0, None, "text")
    assert settings.deployment is None and settings.half_versioned is None


async def test_a_worker_temporal_won_t_have_says_why(client: Client, server: LocalServer, tmp_path: Path) -> None:
    office = Office(client, tmp_path)
    async with worker_process(
        office, server.address, "-m", "starter.main", "worker", TEMPORAL_NAMESPACE="nobody-made-it"
    ) as worker:
        assert await worker.ended() == 6
    told = [line for line in worker.lines if line.strip()]
    assert "nobody-made-it" in told[-2] and "doctor" in told[-1], told
