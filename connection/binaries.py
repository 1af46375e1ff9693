"""Where a Temporal server on this machine comes from.

In order: a `temporal` CLI on PATH, what an earlier call left in the cache, a download of the CLI by the SDK, a
build with Go. What is fetched or built is kept in a cache folder (LIVEBASE_CACHE_DIR, else the user's) and used
again.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from connection import go_build
from connection.errors import NoServer
from connection.progress import Progress, still_going
from connection.time_limit import settle

CLI_VERSION = "1.9.1"  # its server is 1.32.0
OLDEST_SERVER = (1, 32)  # fast-forward came with it
DOWNLOAD_TIMEOUT = 600.0  # seconds, for the whole of it
DOWNLOAD_BEGINS_WITHIN = 15.0  # seconds; a firewall that swallows packets must not hold us up for longer

FOUR_WAYS = f"""\
Any of these gives one:
  1. Use a server you have: set TEMPORAL_ADDRESS or --address (all commands but dev and demo).
  2. Install the temporal CLI {CLI_VERSION} or newer on PATH: https://docs.temporal.io/cli
  3. Run once with internet access: the CLI is then downloaded and kept.
  4. Install Go 1.26 or newer on PATH: the server is then built once, in about 5 minutes."""


@dataclass(frozen=True)
class ServerBinaries:
    """Programs to run: `server`, which is a `temporal` CLI (web included) when `is_cli`, else `cmd/server`.

    `web` is the program of Temporal Web beside a `cmd/server`; when it is missing, `web_hint` says how to get
    one. `origin` is one line for people.
    """

    server: Path
    is_cli: bool
    origin: str
    web: Path | None = None
    web_hint: str | None = None

    @property
    def has_web(self) -> bool:
        return self.is_cli or self.web is not None


def cache_directory(environ: Mapping[str, str] = os.environ) -> Path:
    """Where fetched and built programs are kept: LIVEBASE_CACHE_DIR, else the user's cache folder."""
    from platformdirs import user_cache_dir

    return Path(environ.get("LIVEBASE_CACHE_DIR") or user_cache_dir("livebase")).absolute()


async def find(*, web: bool, progress: Progress, environ: Mapping[str, str] = os.environ) -> ServerBinaries:
    """Find a server, fetching or building it when there is no other way.

    `web` asks for Temporal Web too; a server is never refused for want of it. Raises `NoServer` when no way
    works; its hint names the four, its message what became of each.
    """
    cache = cache_directory(environ)
    tried: list[str] = []

    on_path = shutil.which("temporal", path=environ.get("PATH", os.defpath))
    if on_path is None:
        tried.append("no `temporal` CLI on PATH")
    elif cli := await asyncio.to_thread(_usable_cli, Path(on_path).absolute(), tried):
        return cli
    else:
        progress(f"Passing over {tried[-1]}")

    downloaded = _cli_in_cache(cache)
    if cli := await asyncio.to_thread(_usable_cli, downloaded, tried):
        return cli
    if go_build.built(cache, go_build.SERVER):
        return await _with_go(cache, web, progress, environ)

    try:
        await _download_cli(cache, progress)
    except (RuntimeError, OSError, TimeoutError) as error:
        tried.append(f"the CLI could not be downloaded ({_short(error)})")
    else:
        if cli := await asyncio.to_thread(_usable_cli, downloaded, tried):
            return cli

    try:
        return await _with_go(cache, web, progress, environ)
    except go_build.BuildFailed as error:
        tried.append(str(error))
    raise NoServer(f"No Temporal server on this machine: {'; '.join(tried)}.", FOUR_WAYS)


async def _with_go(cache: Path, web: bool, progress: Progress, environ: Mapping[str, str]) -> ServerBinaries:
    """Built by Go, or taken from the cache. Raises `BuildFailed` when the server can't be had."""
    server = await go_build.provide(cache, go_build.SERVER, progress=progress, environ=environ)
    web_program: Path | None = None
    web_hint: str | None = None
    if web:
        try:
            web_program = await go_build.provide(cache, go_build.WEB, progress=progress, environ=environ)
        except go_build.BuildFailed as error:
            web_hint = f"Temporal Web is missing: {error}. Install the temporal CLI, or: {go_build.WEB.by_hand(cache)}"
            progress(web_hint)
    return ServerBinaries(server, False, f"server {go_build.SERVER.version} built with Go", web_program, web_hint)


def _usable_cli(path: Path, tried: list[str]) -> ServerBinaries | None:
    """The CLI at `path` if its server is new enough; else None, with the reason appended to `tried`.

    None without a word when there is nothing at `path`.
    """
    if not path.exists():
        return None
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        tried.append(f"{path}: does not run ({_short(error)})")
        return None
    version = re.search(r"\(Server (\d+)\.(\d+)[^,)]*", answer.stdout)
    if version is None:
        tried.append(f"{path}: `temporal --version` does not name its server's version")
        return None
    if (int(version[1]), int(version[2])) < OLDEST_SERVER:
        oldest = ".".join(map(str, OLDEST_SERVER))
        tried.append(f"{path}: its server {version[0][8:]} is older than {oldest}")
        return None
    return ServerBinaries(path, True, f"{path} ({answer.stdout.strip()})")


def _cli_in_cache(cache: Path) -> Path:
    return cache / f"temporal-cli-{CLI_VERSION}" / "temporal"


async def _download_cli(cache: Path, progress: Progress) -> None:
    """Let the SDK fetch the CLI into the cache. Raises `RuntimeError` at once when off the internet.

    The SDK fetches only as a part of starting a server: one is started and shut down again, so that what it
    fetched can then be run as any other CLI.
    """
    with _temporary_folder(cache) as folder:
        progress(f"Looking for the temporal CLI {CLI_VERSION} to download")
        fetching = asyncio.create_task(_fetch_cli(folder))
        try:
            async with asyncio.timeout(DOWNLOAD_TIMEOUT), still_going(progress, "Downloading the temporal CLI"):
                await asyncio.wait([fetching], timeout=DOWNLOAD_BEGINS_WITHIN)
                if not fetching.done() and not os.listdir(folder):
                    raise TimeoutError(f"no answer within {DOWNLOAD_BEGINS_WITHIN:g} s")
                await fetching
        finally:
            if fetching.cancel():
                await settle()
        _keep_cli(folder, _cli_in_cache(cache))


async def _fetch_cli(folder: Path) -> None:
    from temporalio.testing import WorkflowEnvironment

    environment = await WorkflowEnvironment.start_local(
        download_dest_dir=str(folder), dev_server_download_version=f"v{CLI_VERSION}"
    )
    await environment.shutdown()


def _keep_cli(folder: Path, target: Path) -> None:
    programs = [path for path in folder.iterdir() if path.is_file() and os.access(path, os.X_OK)]
    if len(programs) != 1:
        raise OSError(f"the download left {len(programs)} programs instead of one")
    target.parent.mkdir(exist_ok=True)
    os.replace(programs[0], target)


@contextmanager
def _temporary_folder(cache: Path) -> Iterator[Path]:
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix=".download-") as folder:
        yield Path(folder)


def _short(error: BaseException) -> str:
    """One line of at most 200 characters."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else text[:199] + "…"


if __name__ == "__main__":  # brings a server and Temporal Web into the cache, so that nobody waits for them later
    print(asyncio.run(find(web=True, progress=print)).origin)
