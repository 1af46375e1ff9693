"""A Temporal server on this machine, with Temporal Web beside it, for `livebase dev`, `demo` and the tests."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from connection import binaries, server_files, server_folder
from connection.binaries import ServerBinaries
from connection.errors import StartFailed
from connection.guarded_process import GuardedProcess
from connection.namespace import prepare_when_up
from connection.profile import Target
from connection.progress import Progress, silent
from connection.server_files import HOST, LOCAL_DYNAMIC_CONFIG, Ports

START_TIMEOUT = 60.0  # seconds; 2 are usual
WEB_TIMEOUT = 15.0  # seconds
USUAL_PORT, USUAL_WEB_PORT = 7233, 8233  # what `temporal server start-dev` uses, and people's bookmarks
_PORT_TAKEN = "address already in use"


class LocalServer:
    """A server that lives as long as this object's process at most, even when that one is killed.

    Listens on 127.0.0.1 only. Not tied to an event loop: it may be started in one and stopped in another.
    """

    namespace: str
    web_hint: str | None
    """How to get Temporal Web, when it was asked for and could not be had."""
    log_path: Path
    """The server's log; beside it `web.log`."""

    def __init__(
        self,
        folder: Path,
        *,
        in_memory: bool,
        namespace: str,
        programs: ServerBinaries,
        web: bool,
        dynamic_config: Mapping[str, object],
        lock: IO[str],
    ) -> None:
        """For `start` only."""
        self.namespace = namespace
        self.web_hint = programs.web_hint if web else None
        self.log_path = folder / "server.log"
        self.origin = programs.origin
        self._folder = folder
        self._in_memory = in_memory
        self._programs = programs
        self._web = web and programs.has_web
        self._dynamic_config = dynamic_config
        self._lock = lock
        self._ports: Ports | None = None
        self._processes: list[GuardedProcess] = []

    @classmethod
    async def start(
        cls,
        data_dir: Path | None,
        *,
        namespace: str = "default",
        web: bool = True,
        dynamic_config: Mapping[str, object] | None = None,
        progress: Progress = silent,
    ) -> Self:
        """Start a server and return when workflows can be started on it.

        With `data_dir`, its data is in `data_dir/temporal` and there again at the next start, on the same
        ports where they are still free; with None it is in memory and goes with the server. `dynamic_config`
        (Temporal's key → value) goes over `LOCAL_DYNAMIC_CONFIG`. `progress` is told what takes long: without
        a `temporal` CLI, the first start ever builds one.

        Raises `NoServer` when there is none to start, `StartFailed` when it does not come up or another
        process runs one on the same `data_dir`.
        """
        programs = await binaries.find(web=web, progress=progress)
        folder = server_folder.provide(data_dir)
        server = cls(
            folder,
            in_memory=data_dir is None,
            namespace=namespace,
            programs=programs,
            web=web,
            dynamic_config={**LOCAL_DYNAMIC_CONFIG, **(dynamic_config or {})},
            lock=await server_folder.lock(folder),
        )
        try:
            await server._start_on_free_ports()
        except BaseException:
            server._lock.close()  # the folder stays, even a temporary one: its log says why
            raise
        return server

    @property
    def address(self) -> str:
        """HOST:PORT of the server's gRPC interface."""
        return f"{HOST}:{self._used_ports.frontend}"

    @property
    def web_url(self) -> str | None:
        """Temporal Web's address, or None without it."""
        return f"http://{HOST}:{self._used_ports.web}" if self._web else None

    @property
    def target(self) -> Target:
        """For `connection.client.connect`."""
        return Target(self.address, self.namespace, "local")

    @property
    def pids(self) -> list[int]:
        """Process ids of the server, of Temporal Web and of their guards; empty when stopped."""
        return [pid for process in self._processes for pid in (process.pid, process.guard_pid)]

    @property
    def running(self) -> bool:
        """Whether all its processes are alive."""
        return bool(self._processes) and all(process.running for process in self._processes)

    async def stop(self) -> None:
        """Stop it in good order, by force after ten seconds. Data in memory is gone then. May be repeated."""
        await self._end(GuardedProcess.stop)
        self._lock.close()
        if self._in_memory:
            shutil.rmtree(self._folder, ignore_errors=True)

    async def kill(self) -> None:
        """End it at once with SIGKILL, as a power cut would. `restart` brings it back."""
        await self._end(GuardedProcess.kill)

    async def restart(self) -> None:
        """Start it again after `kill` (or stop and start it), on the same ports with the same data.

        A server in memory comes back empty. Raises `StartFailed`.
        """
        await self._end(GuardedProcess.stop)
        await self._launch(self._used_ports)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    @property
    def _used_ports(self) -> Ports:
        assert self._ports is not None, "start() sets the ports"
        return self._ports

    async def _start_on_free_ports(self) -> None:
        ports = None if self._in_memory else Ports.recall(self._folder)
        for attempts_left in (2, 1, 0):
            if ports is None:
                usual = not self._in_memory and attempts_left == 2
                ports = Ports.pick(frontend=USUAL_PORT if usual else None, web=USUAL_WEB_PORT if usual else None)
            try:
                await self._launch(ports)
            except StartFailed as error:
                # Someone took one of them between our look and the server's.
                if _PORT_TAKEN not in error.message or not attempts_left:
                    raise
                ports = None
            else:
                ports.remember(self._folder)
                return

    async def _launch(self, ports: Ports) -> None:
        self._ports = ports
        begin = server_folder.end_of(self.log_path)
        if self._programs.is_cli:
            command = server_files.cli_command(
                self._programs.server,
                ports,
                in_memory=self._in_memory,
                web=self._web,
                namespace=self.namespace,
                dynamic_config=self._dynamic_config,
            )
        else:
            persistence = server_files.on_sqlite(in_memory=self._in_memory)
            server_files.write_server_files(
                self._folder, ports, persistence=persistence, dynamic_config=self._dynamic_config
            )
            command = server_files.built_server_command(self._programs.server)
        try:
            server = await self._spawn(command, self.log_path)
            identity = f"livebase-local-server@{os.getpid()}"
            await prepare_when_up(self.target, server, identity=identity, timeout=START_TIMEOUT)
            if self._web:
                await self._start_web(ports)
        except (TimeoutError, OSError) as error:
            await self._end(GuardedProcess.kill)
            said = server_folder.last_lines(self.log_path, begin) or "(it wrote none)"
            raise StartFailed(
                f"The local Temporal server ({self.origin}) did not come up: {error}\nLast lines of its log:\n{said}",
                f"The whole log: {self.log_path}",
            ) from error
        except BaseException:
            await self._end(GuardedProcess.kill)
            raise

    async def _spawn(self, command: list[str], log: Path) -> GuardedProcess:
        process = await asyncio.to_thread(
            GuardedProcess.spawn,
            command,
            log=log,
            cwd=self._folder,
            environ=server_folder.server_environ(),
            keep_open=[self._lock.fileno()],
        )
        self._processes.append(process)
        return process

    async def _start_web(self, ports: Ports) -> None:
        """Temporal Web, beside a built server; a CLI brings its own. A server is not given up for want of it."""
        log, process = self.log_path, None
        try:
            if self._programs.web:
                log = self._folder / "web.log"
                server_files.write_web_files(self._folder, ports, namespace=self.namespace)
                process = await self._spawn(server_files.built_web_command(self._programs.web), log)
            deadline = time.monotonic() + WEB_TIMEOUT
            while not server_files.answers(ports.web):
                if not self.running or time.monotonic() > deadline:
                    raise OSError("it does not answer")
                await asyncio.sleep(0.02)
        except OSError as error:
            self._web = False
            self.web_hint = f"Temporal Web did not start ({error}); its log: {log}"
            if process:
                self._processes.remove(process)
                await asyncio.to_thread(process.kill)

    async def _end(self, how: Callable[[GuardedProcess], None]) -> None:
        ending, self._processes = self._processes[::-1], []
        for process in ending:  # the web first: it complains about a server that is gone
            await asyncio.to_thread(how, process)
