"""Where a server comes from, in order. No network and no Go: each way is a fake."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment

from connection import binaries, go_build
from connection.errors import NoServer
from connection.progress import silent

NEW = "temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)"
NEWER = "temporal version 2.0.0 (Server 2.1.0-rc.1, UI 3.0.0)"
PRE_RELEASE = "temporal version 0.0.0-DEV (Server 1.32.0-162.0, UI 2.53.1)"
OLD = "temporal version 1.3.0 (Server 1.27.2, UI 2.36.0)"


def fake_cli(folder: Path, says: str, *, exit_code: int = 0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "temporal"
    path.write_text(f"#!/bin/sh\necho '{says}'\nexit {exit_code}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Nothing on PATH but what a test puts into `tmp_path/bin`; an empty cache."""
    return {"PATH": str(tmp_path / "bin"), "LIVEBASE_CACHE_DIR": str(tmp_path / "cache")}


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the SDK behaves off the internet."""

    async def start_local(**_: Any) -> WorkflowEnvironment:
        raise RuntimeError("Failed starting Temporal dev server: failed to download")

    monkeypatch.setattr(WorkflowEnvironment, "start_local", start_local)


def online(monkeypatch: pytest.MonkeyPatch, says: str) -> list[dict[str, Any]]:
    """As the SDK behaves on the internet: it leaves the CLI in the folder it was told."""
    requests: list[dict[str, Any]] = []

    class Running:
        async def shutdown(self) -> None: ...

    async def start_local(**options: Any) -> Running:
        requests.append(options)
        fake_cli(Path(options["download_dest_dir"]), says).rename(
            Path(options["download_dest_dir"]) / "temporal-cli-v1.9.1"
        )
        return Running()

    monkeypatch.setattr(WorkflowEnvironment, "start_local", start_local)
    return requests


def in_cache(environ: dict[str, str], program: go_build.Program) -> Path:
    path = Path(environ["LIVEBASE_CACHE_DIR"]) / program.folder / "server"
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("says", [NEW, NEWER, PRE_RELEASE])
async def test_a_cli_on_path(tmp_path: Path, environ: dict[str, str], says: str) -> None:
    path = fake_cli(tmp_path / "bin", says)
    in_cache(environ, go_build.SERVER)
    found = await binaries.find(web=True, progress=silent, environ=environ)
    assert (found.server, found.is_cli, found.has_web, found.web_hint) == (path, True, True, None)


@pytest.mark.parametrize(
    ("says", "exit_code", "why"),
    [
        (OLD, 0, "its server 1.27.2 is older than 1.32"),
        ("tctl version 1.18", 0, "does not name its server's version"),
        ("", 1, "does not name its server's version"),
    ],
)
async def test_a_cli_that_will_not_do_is_passed_over_and_said_so(
    tmp_path: Path, environ: dict[str, str], says: str, exit_code: int, why: str
) -> None:
    fake_cli(tmp_path / "bin", says, exit_code=exit_code)
    server = in_cache(environ, go_build.SERVER)
    told: list[str] = []
    found = await binaries.find(web=False, progress=told.append, environ=environ)
    assert (found.server, found.is_cli) == (server, False)
    assert why in told[0]


async def test_what_is_in_the_cache_is_used_before_anything_is_fetched(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = online(monkeypatch, NEW)
    server, web = in_cache(environ, go_build.SERVER), in_cache(environ, go_build.WEB)
    found = await binaries.find(web=True, progress=silent, environ=environ)
    assert (found.server, found.web, found.is_cli, found.has_web) == (server, web, False, True)
    assert not requests


async def test_the_cli_is_downloaded_and_kept(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    requests = online(monkeypatch, NEW)
    first = await binaries.find(web=True, progress=silent, environ=environ)
    again = await binaries.find(web=True, progress=silent, environ=environ)
    assert first == again
    assert first.is_cli
    assert first.server.is_relative_to(environ["LIVEBASE_CACHE_DIR"])
    assert len(requests) == 1
    assert requests[0]["dev_server_download_version"] == "v1.9.1"
    assert [path.name for path in Path(environ["LIVEBASE_CACHE_DIR"]).iterdir()] == ["temporal-cli-1.9.1"]


async def test_a_network_that_swallows_everything_does_not_hold_us_up(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def start_local(**_: Any) -> WorkflowEnvironment:
        await asyncio.sleep(600)
        raise AssertionError("not reached")

    monkeypatch.setattr(WorkflowEnvironment, "start_local", start_local)
    monkeypatch.setattr(binaries, "DOWNLOAD_BEGINS_WITHIN", 0.2)
    with pytest.raises(NoServer, match=r"no answer within 0\.2 s"):
        await binaries.find(web=False, progress=silent, environ=environ)


async def test_no_way_names_the_four(tmp_path: Path, environ: dict[str, str]) -> None:
    fake_cli(tmp_path / "bin", OLD)
    with pytest.raises(NoServer) as caught:
        await binaries.find(web=True, progress=silent, environ=environ)
    for what_was_tried in ("1.27.2 is older", "failed to download", "no `go` on PATH"):
        assert what_was_tried in caught.value.message
    for way in ("TEMPORAL_ADDRESS", "temporal CLI", "internet", "Go 1.26"):
        assert way in caught.value.hint


async def test_a_server_without_its_web_still_comes(environ: dict[str, str]) -> None:
    server = in_cache(environ, go_build.SERVER)
    found = await binaries.find(web=True, progress=silent, environ=environ)
    assert (found.server, found.web, found.has_web) == (server, None, False)
    assert found.web_hint is not None
    assert "go install github.com/temporalio/ui-server" in found.web_hint


def test_the_cache_folder(tmp_path: Path) -> None:
    assert binaries.cache_directory({"LIVEBASE_CACHE_DIR": str(tmp_path)}) == tmp_path
    assert binaries.cache_directory({}).name == "livebase"
