"""A PostgreSQL server of the tests' own, in a temporary folder on a free port of this machine."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql

from connection.guarded_process import GuardedProcess

HOST = "127.0.0.1"
_USER = "livebase"
_ACCOUNT = "postgres"
"""Whom the server runs as when we are root, whom it refuses to run as."""
_START_SECONDS = 30.0
_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    # Nothing here has to survive the machine.
    "fsync": "off",
    "full_page_writes": "off",
}


class PostgresServer:
    """PostgreSQL while the context is entered; it never outlives this process, even one that is killed."""

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        """`settings` (PostgreSQL's name → value) go over the tests' own, which forgo all durability."""
        self._settings = {**_SETTINGS, **(settings or {})}
        self._binaries = _find_binaries()
        self._as_account = _as_account()
        self._password = secrets.token_hex(8)
        self._users: set[str] = set()
        self._folder = Path()
        self._port = 0
        self._process: GuardedProcess | None = None

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="livebase-postgres-"))
        try:
            self._initialise()
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def version(self) -> str:
        """For people, such as 15.18."""
        with self._connect() as connection:
            row = connection.execute("SHOW server_version").fetchone()
            assert row is not None
            return str(row[0]).partition(" ")[0]

    @property
    def binaries(self) -> Path:
        return self._binaries

    @property
    def folder(self) -> Path:
        return self._folder

    def url(self, name: str, *, like: str = "template1") -> str:
        """Create a database, empty or a copy of the one named `like`; its SQLAlchemy URL."""
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(like))
        with self._connect() as connection:
            connection.execute(statement)
        return f"postgresql+psycopg://{_USER}:{self._password}@{HOST}:{self._port}/{name}"

    def copy(self, url: str) -> str:
        """A copy of a database that others may be using; its URL."""
        copied = self.url(f"copy_{secrets.token_hex(4)}")
        source, target = (one.replace("+psycopg", "") for one in (url, copied))
        dump = subprocess.run([self._binaries / "pg_dump", source], capture_output=True, check=True)
        restore = [self._binaries / "psql", "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", target]
        subprocess.run(restore, input=dump.stdout, stdout=subprocess.DEVNULL, check=True)
        return copied

    def url_as(self, role: str, url: str) -> str:
        """A database's URL for a user of their own who has nothing but `role` (`store/roles.py`)."""
        user = f"{role}_user"
        if user not in self._users:
            statement = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} IN ROLE {}")
            with self._connect() as connection:
                connection.execute(
                    statement.format(sql.Identifier(user), sql.Literal(self._password), sql.Identifier(role))
                )
            self._users.add(user)
        return url.replace(f"//{_USER}:", f"//{user}:")

    def drop(self, name: str) -> None:
        """Drop a database, whoever is connected to it."""
        with self._connect() as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _initialise(self) -> None:
        password = self._folder / "password"
        password.write_text(self._password)
        if self._as_account:
            for path in (self._folder, password):
                shutil.chown(path, _ACCOUNT, _ACCOUNT)
        command = [
            *self._as_account, str(self._binaries / "initdb"), "--pgdata", str(self._data), "--username", _USER,
            "--auth=md5", "--pwfile", str(password), "--encoding=UTF8", "--no-locale", "--no-sync",
        ]  # fmt: skip
        done = subprocess.run(command, cwd=self._folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"PostgreSQL could not be set up in {self._folder}:\n{done.stderr}")

    def _start(self) -> None:
        for attempts_left in (2, 1, 0):
            self._port = _free_port()
            settings = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
            self._process = GuardedProcess.spawn(
                [
                    *self._as_account, str(self._binaries / "postgres"),
                    "-D", str(self._data), "-p", str(self._port), *settings,
                ],
                log=self._log,
                cwd=self._folder,
                environ=os.environ,
                grace=5.0,
            )  # fmt: skip
            if self._answers():
                return
            # Someone took the port between our look and the server's.
            if not attempts_left or "could not bind" not in self._log.read_text():
                raise RuntimeError(f"PostgreSQL did not start:\n{self._log.read_text()}")

    def _answers(self) -> bool:
        deadline = time.monotonic() + _START_SECONDS
        while self._process is not None and self._process.running and time.monotonic() < deadline:
            with contextlib.suppress(psycopg.OperationalError), self._connect():
                return True
            time.sleep(0.05)
        return False

    def _stop(self) -> None:
        if self._process is not None:
            if self._process.running:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self._process.pid, signal.SIGINT)  # at once, whoever is connected
            self._process.stop()
            self._process = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=HOST,
            port=self._port,
            user=_USER,
            password=self._password,
            dbname="postgres",
            autocommit=True,
            connect_timeout=3,
        )

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    @property
    def _log(self) -> Path:
        return self._folder / "server.log"


def _find_binaries() -> Path:
    """The newest installed PostgreSQL's programs. Missing ones fail the tests, with the line to type."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if installed:
        return installed[-1].parent
    if (found := shutil.which("pg_ctl")) is not None:
        return Path(found).resolve().parent
    raise RuntimeError("The store's tests need PostgreSQL's server programs. Type: sudo apt-get install postgresql")


def _as_account() -> list[str]:
    """What goes before a command so that it runs as an ordinary user: nothing, unless we are root."""
    if os.geteuid() != 0:
        return []
    if (setpriv := shutil.which("setpriv")) is not None:
        # A change of user clears the parent's death signal, so it is set again.
        return [setpriv, f"--reuid={_ACCOUNT}", f"--regid={_ACCOUNT}", "--clear-groups", "--pdeathsig=KILL", "--"]
    if (runuser := shutil.which("runuser")) is not None:
        return [runuser, "-u", _ACCOUNT, "--"]
    raise RuntimeError("PostgreSQL refuses to run as root. Type: sudo apt-get install util-linux")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
