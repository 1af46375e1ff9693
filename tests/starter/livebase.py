"""`livebase` as people type it, what it left, and an office where everything runs."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

import psutil
from sqlalchemy import Executable, make_url, select
from temporalio.client import Client

from domain.case import Case
from store.engine import open_engine
from store.queries import Reader
from store.roles import READER
from store.tables import HeadRow, NoticeRow, RefusedRow, SealRow, Table
from tests.postgres import PostgresServer
from tests.starter import forked

ROOT = Path(__file__).parent.parent.parent
EXECUTABLE = Path(sys.executable).with_name("livebase")
_WHOLE = (("dev",), ("demo",))
"""What starts processes of its own is one of its own."""
_DELIVERY = {"state", "attempts", "error", "claimed_by", "claimed_until", "try_at", "put_off_since", "delivered_at"}

One = TypeVar("One")
Other = TypeVar("Other")


def at_once(run: Callable[[One], Other], over: list[One]) -> list[Other]:
    """What is independent, a few at a time; the results in order."""
    with ThreadPoolExecutor(3) as pool:
        return list(pool.map(run, over))


@dataclass(frozen=True)
class Done:
    """What a command left: its exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        """The fixed error of `-o json`."""
        assert set(self.json) == {"error"}
        error: dict[str, Any] = self.json["error"]
        assert set(error) == {"kind", "message", "hint", "problems"}
        return error


class Livebase:
    """`livebase` with a data directory of its own and nothing of the machine's configuration.

    `postgres` names the database that is used instead of the SQLite file in the data directory: its owner's URL.
    """

    def __init__(self, folder: Path, postgres: PostgresServer | None = None, owner: str | None = None) -> None:
        self.folder = folder
        self.postgres = postgres
        self._owner = owner

    @property
    def owner(self) -> str:
        """The database, for who may do everything with it."""
        return self._owner or f"sqlite:///{self.folder / 'livebase.db'}"

    @property
    def where(self) -> str:
        """Where the database is, as `doctor` says it."""
        if self.postgres is None:
            return str(self.folder)
        return make_url(self.environ()["LIVEBASE_DATABASE_URL"]).render_as_string()

    def environ(self, extra: dict[str, str] | None = None) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL_", "LIVEBASE_"))}
        if "LIVEBASE_CACHE_DIR" in os.environ:
            kept["LIVEBASE_CACHE_DIR"] = os.environ["LIVEBASE_CACHE_DIR"]
        own = {"LIVEBASE_DATA_DIR": str(self.folder), "TEMPORAL_CONFIG_FILE": os.devnull, "COLUMNS": "160"}
        if self.postgres is not None:
            own["LIVEBASE_DATABASE_URL"] = self.postgres.url_as(READER, self.owner)
        return kept | own | (extra or {})

    def start(self, *words: str | Path, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [EXECUTABLE, *words],
            cwd=ROOT,
            env=self.environ(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *words: str | Path, env: dict[str, str] | None = None, timeout: float = 90) -> Done:
        if words[:1] in _WHOLE:
            process = self.start(*words, env=env)
            try:
                out, err = process.communicate(timeout=timeout)
            finally:
                process.kill()
            code = process.returncode
        else:
            code, out, err = forked.livebase([str(word) for word in words], self.environ(env), ROOT, timeout)
        assert "Traceback" not in out + err or "--debug" in words, err
        return Done(code, out, err)

    def each(self, *commands: tuple[str | Path, ...], timeout: float = 90) -> list[Done]:
        """Commands that have nothing to do with each other; what each left, in order."""
        return at_once(lambda words: self(*words, timeout=timeout), list(commands))

    def ok(self, *words: str | Path) -> Any:
        """A command that is done, with `-o json`: what it printed."""
        done = self(*words, "-o", "json")
        assert done.code == 0, done
        return done.json

    def change(self, statement: Executable) -> None:
        """Put something on record otherwise, as its owner can."""
        engine = open_engine(self.owner)
        with engine.begin() as connection:
            connection.execute(statement)
        engine.dispose()

    def found(self, base: str) -> Case:
        """A base's case as stored."""
        engine = open_engine(self.owner, read_only=True)
        found = Reader(engine).find_case(base)
        engine.dispose()
        assert found is not None
        return found.case

    def copy_of_the_records(self, folder: Path) -> Livebase:
        """The database and the documents alone: no Temporal server anywhere."""
        folder.mkdir(parents=True, exist_ok=True)
        if (self.folder / "documents").exists():
            shutil.copytree(self.folder / "documents", folder / "documents", dirs_exist_ok=True)
            shutil.copy(self.folder / "document-keys.json", folder)
        if self.postgres is not None:
            return Livebase(folder, self.postgres, self.postgres.copy(self.owner))
        with (
            closing(sqlite3.connect(self.folder / "livebase.db")) as source,
            closing(sqlite3.connect(folder / "livebase.db")) as target,
        ):
            source.backup(target)
        return Livebase(folder)

    @classmethod
    def of(cls, other: Livebase) -> Self:
        """The same data directory and database."""
        return cls(other.folder, other.postgres, other._owner)


class Running(Livebase):
    """The same with `livebase dev` running in the data directory."""

    @property
    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads((self.folder / "dev.json").read_text("utf-8"))
        return state

    def records(self) -> list[str]:
        """All that is on record of cases and money, row by row.

        But the letters' delivery and the seals, which go on by themselves, and what was refused, which changes nothing.
        """
        engine, lines = open_engine(self.owner, read_only=True), []
        with engine.connect() as connection:
            for table in Table.metadata.sorted_tables:
                if table in (SealRow.__table__, HeadRow.__table__, RefusedRow.__table__):
                    continue
                left = _DELIVERY if table is NoticeRow.__table__ else set()
                columns = [column for column in table.columns if column.name not in left]
                lines += [f"{table.name} {row}" for row in connection.execute(select(*columns))]
        engine.dispose()
        return sorted(lines)  # PostgreSQL gives them in no order of ours

    def documents(self) -> set[str]:
        """All that has been handed over."""
        return {str(path) for path in (self.folder / "documents").rglob("*") if path.is_file()}

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Within the block nothing comes on record and nothing is handed over."""
        records, documents = self.records(), self.documents()
        yield
        assert set(self.records()) ^ set(records) == set()
        assert self.documents() == documents

    def workflows(self) -> set[str]:
        """The ids of all workflows ever started, as far as the server's list has come."""

        async def listed() -> set[str]:
            client = await Client.connect(self.state["address"])
            return {execution.id async for execution in client.list_workflows()}

        return asyncio.run(listed())

    def processes(self) -> dict[int, list[str]]:
        """`dev` and all it started: process id → command line."""
        dev = psutil.Process(self.state["pid"])
        return {process.pid: process.cmdline() for process in [dev, *dev.children(recursive=True)]}

    def freeze_worker(self) -> FrozenWorker:
        """Nobody works on the task queue within the block."""
        (pid,) = [
            pid
            for pid, words in self.processes().items()
            if "worker" in words and not any("guard.py" in word for word in words)
        ]
        return FrozenWorker(pid)


class FrozenWorker:
    def __init__(self, pid: int) -> None:
        self._pid = pid

    def __enter__(self) -> None:
        os.kill(self._pid, signal.SIGSTOP)

    def __exit__(self, *_: object) -> None:
        os.kill(self._pid, signal.SIGCONT)
