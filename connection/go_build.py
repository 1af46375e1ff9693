"""Builds Temporal's programs with `go install` into the cache folder, once.

The user's environment goes to Go unchanged (GOPROXY, HTTPS_PROXY, GOFLAGS …), so proxies and mirrors hold.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from connection.guarded_process import GuardedProcess
from connection.progress import Progress, still_going

POLL_EVERY = 0.2  # seconds


@dataclass(frozen=True)
class Program:
    """A Go program at one version, with what a first build of it takes.

    `needed_bytes` is the free disk asked for where Go keeps modules and build results; `estimate` is for people.
    """

    name: str
    module: str
    version: str
    estimate: str
    needed_bytes: int

    @property
    def folder(self) -> str:
        """Its place in the cache, one per version."""
        return f"{self.name}-{self.version}"

    @property
    def file(self) -> str:
        """What Go calls the program it builds: the last part of its module's path."""
        return self.module.rpartition("/")[2]

    def by_hand(self, cache: Path) -> str:
        return f"GOBIN={cache / self.folder} go install {self.module}@v{self.version}"


SERVER = Program(
    "temporal-server",
    "go.temporal.io/server/cmd/server",
    "1.32.0",
    "about 5 minutes on 2 cores",
    5 * 10**9,  # seen: 3.7 GB
)
WEB = Program(
    "temporal-ui",
    "github.com/temporalio/ui-server/v2/cmd/server",
    "2.54.1",
    "about a minute",
    10**9,
)


class BuildFailed(Exception):
    """The program can't be built here; the text says why, as part of a sentence."""


def built(cache: Path, program: Program) -> Path | None:
    """The program in the cache, if an earlier build left it there."""
    path = cache / program.folder / program.file
    return path if path.is_file() and os.access(path, os.X_OK) else None


async def provide(cache: Path, program: Program, *, progress: Progress, environ: Mapping[str, str]) -> Path:
    """The program from the cache, built first when it is not there, which takes minutes.

    Safe to call from several processes at once: one builds, the others wait for it. When cancelled or killed,
    the build ends too and leaves nothing but Go's own caches. Raises `BuildFailed`.
    """
    if path := built(cache, program):
        return path
    go = shutil.which("go", path=environ.get("PATH", os.defpath))
    if go is None:
        raise BuildFailed("no `go` on PATH")
    try:
        async with _only_one(cache, program, progress):
            if path := built(cache, program):  # by the process we waited for
                return path
            await asyncio.to_thread(_check_disk, go, program, environ)
            return await _build(str(Path(go).absolute()), cache, program, progress, environ)
    except OSError as error:
        raise BuildFailed(f"`go install` could not run ({error})") from error


async def _build(go: str, cache: Path, program: Program, progress: Progress, environ: Mapping[str, str]) -> Path:
    source = f"{program.module}@v{program.version}"
    progress(f"Building {source} with Go, once: {program.estimate}")
    with tempfile.TemporaryDirectory(dir=cache, prefix=f".{program.folder}-") as temporary:
        log = Path(temporary) / "build.log"
        begun = time.monotonic()
        async with still_going(progress, f"Building {program.name} ({program.estimate})"):
            code = await _run([go, "install", source], log, {**environ, "GOBIN": temporary})
        if code != 0:
            lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
            said = [line for line in lines if not line.startswith("go: downloading")][-5:] or lines[-1:]
            raise BuildFailed(f"`go install {source}` failed: {' | '.join(said) or f'exit code {code}'}")
        place = cache / program.folder
        place.mkdir(exist_ok=True)
        os.replace(Path(temporary) / program.file, place / program.file)
    progress(f"Built {program.name} {program.version} in {time.monotonic() - begun:.0f} s")
    return place / program.file


async def _run(command: list[str], log: Path, environ: Mapping[str, str]) -> int:
    """Run the build and return its exit code. It ends when we do, its compilers included."""
    build = await asyncio.to_thread(GuardedProcess.spawn, command, log=log, cwd=log.parent, environ=environ, grace=2.0)
    try:
        return await asyncio.to_thread(build.wait)
    finally:
        await asyncio.to_thread(build.stop)


def _check_disk(go: str, program: Program, environ: Mapping[str, str]) -> None:
    answer = subprocess.run(
        [go, "env", "-json", "GOMODCACHE", "GOCACHE"],
        capture_output=True,
        text=True,
        env=dict(environ),
        timeout=30,
        check=False,
    )
    try:
        folders = [Path(folder) for folder in json.loads(answer.stdout).values()]
    except (ValueError, AttributeError) as error:
        raise BuildFailed(f"`go env` failed: {answer.stderr.strip()[-200:]}") from error
    for folder in folders:
        free = shutil.disk_usage(_nearest_existing(folder)).free
        if free < program.needed_bytes:
            raise BuildFailed(
                f"building it needs {program.needed_bytes / 1e9:.0f} GB of free disk, "
                f"and {folder} has {free / 1e9:.1f} GB"
            )


def _nearest_existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


@asynccontextmanager
async def _only_one(cache: Path, program: Program, progress: Progress) -> AsyncIterator[None]:
    """Hold the program's lock file. Waits by polling: a blocked thread could not be cancelled."""
    with _open_lock(cache, program) as file:
        told = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not told:
                    progress(f"Another process is building {program.name}; waiting for it")
                    told = True
                await asyncio.sleep(POLL_EVERY)
        yield


def _open_lock(cache: Path, program: Program) -> IO[str]:
    cache.mkdir(parents=True, exist_ok=True)
    return (cache / f"{program.folder}.lock").open("w")
