"""Building Temporal's programs with Go; a fake `go` stands in for the five minutes."""

from __future__ import annotations

import asyncio
import collections
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from connection import go_build, progress
from connection.go_build import SERVER, WEB, BuildFailed, provide

FAKE_GO = """#!/bin/sh
if [ "$1" = env ]; then
  printf '{"GOMODCACHE": "%s", "GOCACHE": "%s"}' "$FAKE_CACHES/mod" "$FAKE_CACHES/build"; exit 0
fi
echo "$@ GOPROXY=$GOPROXY" >> "$FAKE_CACHES/calls"
echo "go: downloading something v1"
sleep "${FAKE_SECONDS:-0}"
if [ -n "$FAKE_ERROR" ]; then echo "$FAKE_ERROR" >&2; exit 1; fi
name=${2%@*}; name=${name##*/}
printf '#!/bin/sh\\necho built\\n' > "$GOBIN/$name"; chmod +x "$GOBIN/$name"
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment whose only Go is the fake one."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "go").write_text(FAKE_GO)
    (folder / "go").chmod(0o755)
    return {
        "PATH": f"{folder}:/usr/bin:/bin",
        "FAKE_CACHES": str(tmp_path),
        "GOPROXY": "https://proxy.example",
    }


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "livebase"


def calls(environ: dict[str, str]) -> list[str]:
    path = Path(environ["FAKE_CACHES"]) / "calls"
    return path.read_text().splitlines() if path.exists() else []


async def test_built_once_and_used_again(cache: Path, environ: dict[str, str]) -> None:
    told: list[str] = []
    path = await provide(cache, SERVER, progress=told.append, environ=environ)
    assert path == cache / "temporal-server-1.32.0" / "server"
    assert os.access(path, os.X_OK)
    assert calls(environ) == ["install go.temporal.io/server/cmd/server@v1.32.0 GOPROXY=https://proxy.example"]
    assert "about 5 minutes" in told[0]

    assert await provide(cache, SERVER, progress=told.append, environ={"PATH": ""}) == path
    assert len(calls(environ)) == 1


async def test_each_program_has_its_folder(cache: Path, environ: dict[str, str]) -> None:
    server = await provide(cache, SERVER, progress=progress.silent, environ=environ)
    web = await provide(cache, WEB, progress=progress.silent, environ=environ)
    assert (server.name, web.name) == ("server", "server")
    assert server.parent.name == "temporal-server-1.32.0"
    assert web.parent.name == "temporal-ui-2.54.1"


async def test_is_called_what_go_calls_it(cache: Path, environ: dict[str, str]) -> None:
    tool = replace(SERVER, name="temporal-sql", module="go.temporal.io/server/cmd/tools/sql")
    path = await provide(cache, tool, progress=progress.silent, environ=environ)
    assert path == cache / "temporal-sql-1.32.0" / "sql"
    assert go_build.built(cache, tool) == path


async def test_says_how_long_it_has_been_going(
    cache: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "REPORT_EVERY", 0.2)
    told: list[str] = []
    await provide(cache, SERVER, progress=told.append, environ=environ | {"FAKE_SECONDS": "1"})
    assert len([line for line in told if "so far" in line]) >= 2


async def test_a_failed_build_says_why_and_leaves_nothing(cache: Path, environ: dict[str, str]) -> None:
    with pytest.raises(BuildFailed, match="requires go >= 1.27") as caught:
        await provide(cache, SERVER, progress=progress.silent, environ=environ | {"FAKE_ERROR": "requires go >= 1.27"})
    assert "downloading" not in str(caught.value)
    assert [path.name for path in cache.iterdir()] == ["temporal-server-1.32.0.lock"]


async def test_an_interrupted_build_leaves_nothing(cache: Path, environ: dict[str, str]) -> None:
    building = asyncio.create_task(
        provide(cache, SERVER, progress=progress.silent, environ=environ | {"FAKE_SECONDS": "600"})
    )
    while not calls(environ):
        await asyncio.sleep(0.02)
    begun = time.monotonic()
    building.cancel()
    with pytest.raises(asyncio.CancelledError):
        await building
    assert time.monotonic() - begun < 5
    assert [path.name for path in cache.iterdir()] == ["temporal-server-1.32.0.lock"]
    assert await provide(cache, SERVER, progress=progress.silent, environ=environ)


async def test_two_at_once_build_once(cache: Path, environ: dict[str, str]) -> None:
    told: list[str] = []
    slow = environ | {"FAKE_SECONDS": "1"}
    paths = await asyncio.gather(*(provide(cache, SERVER, progress=told.append, environ=slow) for _ in range(3)))
    assert len(set(paths)) == 1
    assert len(calls(environ)) == 1
    assert len([line for line in told if "Another process" in line]) == 2


async def test_no_go(cache: Path) -> None:
    with pytest.raises(BuildFailed, match="no `go`"):
        await provide(cache, SERVER, progress=progress.silent, environ={"PATH": "/nowhere"})


async def test_too_little_disk(cache: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    usage = collections.namedtuple("usage", "total used free")
    asked: list[Path] = []

    def disk_usage(path: Path) -> object:
        asked.append(path)
        return usage(10**12, 0, 4_900_000_000)

    monkeypatch.setattr(shutil, "disk_usage", disk_usage)
    with pytest.raises(BuildFailed, match="needs 5 GB of free disk") as caught:
        await provide(cache, SERVER, progress=progress.silent, environ=environ)
    assert str(Path(environ["FAKE_CACHES"]) / "mod") in str(caught.value), "names the folder that is short"
    assert "4.9 GB" in str(caught.value)
    assert asked == [Path(environ["FAKE_CACHES"])], "a folder not made yet is judged by where it will be"
    assert not calls(environ)
    assert await provide(cache, WEB, progress=progress.silent, environ=environ), "the web needs 1 GB"


def test_the_hint_for_building_by_hand(cache: Path) -> None:
    assert go_build.WEB.by_hand(cache) == (
        f"GOBIN={cache}/temporal-ui-2.54.1 go install github.com/temporalio/ui-server/v2/cmd/server@v2.54.1"
    )
