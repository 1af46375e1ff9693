"""`python -m workers.prepare`: namespace, search attributes and schema, once or every time."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path

import pytest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client

from connection.client import connect
from connection.local_server import LocalServer
from connection.search_attributes import missing
from domain.tracing import SEARCH_ATTRIBUTES
from store.actors import ActorStore
from store.engine import open_engine
from store.migrate import is_current, migrate
from store.signatures import new_key, public_key
from tests.postgres import PostgresServer
from tests.workers.processes import ROOT, free_port
from workers.prepare import main


async def prepare(**environ: str) -> asyncio.subprocess.Process:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL_", "LIVEBASE_"))}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "workers.prepare",
        cwd=ROOT, env={**kept, "TEMPORAL_CONFIG_FILE": os.devnull, **environ}, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def ended(process: asyncio.subprocess.Process) -> tuple[int, list[str]]:
    """The exit code and what it said."""
    _, said = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode().splitlines()


@asynccontextmanager
async def forwarded(port: int, server: LocalServer) -> AsyncIterator[None]:
    """The server's frontend on `port` of this machine as well, while the block runs."""
    host, frontend = server.address.split(":")

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward = await asyncio.open_connection(host, int(frontend))
        await asyncio.gather(pass_on(reader, onward[1]), pass_on(onward[0], writer))

    async with await asyncio.start_server(connected, "127.0.0.1", port):
        yield


async def test_it_waits_for_temporal_and_prepares_namespace_attributes_and_schema_once_or_again(
    client: Client, server: LocalServer, postgres: PostgresServer
) -> None:
    url, port = postgres.url("prepared"), free_port()
    zheng, chen = public_key(new_key()), public_key(new_key())
    environ = {
        "LIVEBASE_DATABASE_URL": url,
        "TEMPORAL_NAMESPACE": "prepared",
        "LIVEBASE_ADMINISTRATORS": f"zheng={zheng}, 陈={chen}",
    }
    first = await prepare(TEMPORAL_ADDRESS=f"127.0.0.1:{port}", **environ)
    assert first.stderr is not None
    assert await first.stderr.readline() == b"the database has the present schema\n"
    for name in ("zheng", "陈"):
        assert (await first.stderr.readline()).decode() == f"{name} is an administrator\n"
    assert (await first.stderr.readline()).startswith(f"waiting: Temporal at 127.0.0.1:{port}".encode())
    async with forwarded(port, server):
        code, said = await ended(first)
    assert (code, said[-1]) == (0, "namespace prepared and its search attributes can be used")

    assert await ended(await prepare(TEMPORAL_ADDRESS=server.address, **environ)) == (
        0,
        ["the database has the present schema", "namespace prepared and its search attributes can be used"],
    )
    prepared = await connect(replace(server.target, namespace="prepared"), identity="tests")
    assert len(SEARCH_ATTRIBUTES) == 6 and await missing(prepared) == frozenset()
    described = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="prepared"))
    assert described.config.workflow_execution_retention_ttl.ToTimedelta().days == 90
    engine = open_engine(url)
    assert is_current(engine)
    everybody = [(one.name, sorted(one.roles), list(one.valid_keys.values())) for one in ActorStore(engine).people()]
    assert everybody == [("zheng", ["administrator"], [zheng]), ("陈", ["administrator"], [chen])]
    engine.dispose()


async def test_what_it_cannot_do_is_told_with_its_exit_code(
    server: LocalServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    local, ours = f"sqlite:///{tmp_path / 'local.db'}", f"sqlite:///{tmp_path / 'ours.db'}"
    migrate(local, local_server=True)
    nowhere, here = f"127.0.0.1:{free_port()}", server.address
    lost = "postgresql+psycopg://somebody:secret@127.0.0.1:1/nowhere"
    monkeypatch.setenv("LIVEBASE_PATIENCE_SECONDS", "0")
    monkeypatch.setenv("LIVEBASE_ADMINISTRATORS", "")
    for database, temporal, code, what in [
        ("", here, 2, "LIVEBASE_DATABASE_URL: Field required"),
        (lost, here, 6, "The database can't be used: connection failed"),
        (ours, nowhere, 6, nowhere),
        (local, here, 1, "another kind of server"),
    ]:
        monkeypatch.setenv("LIVEBASE_DATABASE_URL", database)
        monkeypatch.setenv("TEMPORAL_ADDRESS", temporal)
        assert await asyncio.to_thread(main) == code, what
        said = capsys.readouterr().err.splitlines()
        assert what in said[-2] and said[-1].startswith("→ "), said
        assert "secret" not in "".join(said)


async def test_a_key_that_is_none_is_told_before_anything_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LIVEBASE_DATABASE_URL", f"sqlite:///{tmp_path / 'new.db'}")
    for wrong in ("zheng", "zheng=x", "=ed25519:x"):
        monkeypatch.setenv("LIVEBASE_ADMINISTRATORS", wrong)
        assert await asyncio.to_thread(main) == 2
        assert "LIVEBASE_ADMINISTRATORS" in capsys.readouterr().err
    assert not (tmp_path / "new.db").exists()


async def test_without_administrators_it_says_that_nobody_may_act(
    server: LocalServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LIVEBASE_DATABASE_URL", f"sqlite:///{tmp_path / 'new.db'}")
    monkeypatch.setenv("TEMPORAL_ADDRESS", server.address)
    assert await asyncio.to_thread(main) == 0
    assert "nobody may say who may act yet" in capsys.readouterr().err
