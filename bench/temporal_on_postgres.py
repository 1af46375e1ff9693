"""A Temporal server whose histories and visibility are in a PostgreSQL server of ours, as a cluster has them."""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML
from sqlalchemy import URL, make_url

from connection import server_files, server_folder
from connection.binaries import cache_directory
from connection.go_build import SERVER, Program, provide
from connection.guarded_process import GuardedProcess
from connection.namespace import prepare_when_up
from connection.profile import Target
from connection.server_files import HOST, Ports
from tests.postgres import PostgresServer

SQL_TOOL = Program(
    "temporal-sql",
    "go.temporal.io/server/cmd/tools/sql",
    SERVER.version,
    "seconds once the server has been built",
    SERVER.needed_bytes,
)
DATABASES = {"temporal": "postgresql/v12/temporal", "temporal_visibility": "postgresql/v12/visibility"}
"""Database → the schema the tool holds for it."""
_PLUGIN = "postgres12_pgx"
_SHARDS = 4  # what Temporal's own image makes
_READY_SECONDS = 90.0  # a namespace is in every cache after 10 s


@dataclass(frozen=True)
class TemporalOnPostgres:
    """A server that runs; `pid` is its process."""

    target: Target
    pid: int


@asynccontextmanager
async def temporal_on(postgres: PostgresServer) -> AsyncIterator[TemporalOnPostgres]:
    """A Temporal server with its two databases on `postgres`, ready for workflows, set as docker-compose.yml sets it.

    Raises `BuildFailed` when its programs can't be had, `TimeoutError` or `OSError` when it does not come up.
    """
    server = await provide(cache_directory(), SERVER, progress=print, environ=os.environ)
    tool = await provide(cache_directory(), SQL_TOOL, progress=print, environ=os.environ)
    urls = {name: make_url(postgres.url(name)) for name in DATABASES}
    for name, schema in DATABASES.items():
        await asyncio.to_thread(_bring_to_schema, tool, urls[name], schema)
    with tempfile.TemporaryDirectory(prefix="livebase-bench-temporal-", ignore_cleanup_errors=True) as folder:
        ports = Ports.pick()
        _write_files(Path(folder), ports, urls)
        process = await asyncio.to_thread(
            GuardedProcess.spawn,
            server_files.built_server_command(server),
            log=Path(folder) / "server.log",
            cwd=Path(folder),
            environ=server_folder.server_environ(),
        )
        try:
            target = Target(f"{HOST}:{ports.frontend}", "default", "local")
            await prepare_when_up(target, process, identity="bench", timeout=_READY_SECONDS)
            yield TemporalOnPostgres(target, process.pid)
        finally:
            await asyncio.to_thread(process.stop)


def _bring_to_schema(tool: Path, url: URL, schema: str) -> None:
    environ = {"SQL_PLUGIN": _PLUGIN, "SQL_PASSWORD": url.password or ""}
    words = [str(tool), "--ep", str(url.host), "-p", str(url.port), "-u", str(url.username), "--db", str(url.database)]
    for command in (["setup-schema", "-v", "0.0"], ["update-schema", "--schema-name", schema]):
        subprocess.run([*words, *command], env={**os.environ, **environ}, capture_output=True, check=True)


def _write_files(folder: Path, ports: Ports, urls: Mapping[str, URL]) -> None:
    """The local server's files, but for where the data is and for what is set only to move clocks."""
    deployed = YAML(typ="safe").load(Path(__file__).parents[1] / "deploy" / "temporal-dynamic-config.yaml")
    dynamic = {key: values[0]["value"] for key, values in deployed.items()}
    persistence = {
        "defaultStore": "temporal",
        "visibilityStore": "temporal_visibility",
        "numHistoryShards": _SHARDS,
        "datastores": {name: {"sql": _sql(url)} for name, url in urls.items()},
    }
    server_files.write_server_files(folder, ports, persistence=persistence, dynamic_config=dynamic)


def _sql(url: URL) -> dict[str, object]:
    return {
        "pluginName": _PLUGIN,
        "databaseName": url.database,
        "connectAddr": f"{url.host}:{url.port}",
        "connectProtocol": "tcp",
        "user": url.username,
        "password": url.password,
        "maxConns": 20,
        "maxIdleConns": 20,
        "maxConnLifetime": "1h",
    }
