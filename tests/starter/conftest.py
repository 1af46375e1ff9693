"""The command line as people use it: the installed `livebase`, a process of its own for every command."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest
from temporalio.client import Client

from tests.office import new_credit_code

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "examples"
EXECUTABLE = Path(sys.executable).with_name("livebase")

APPLICANT, REVIEWER = ("--as", "applicant:wang"), ("--as", "reviewer:li")
FINANCE, CERTIFIER, OPERATOR = ("--as", "finance:qian"), ("--as", "certifier:zhao"), ("--as", "operator:sun")
PAYER = "义乌云集电子商务有限公司"
ANSWER = {"request_id", "accepted_at", "repeated", "case_number", "stage", "standing", "revision", "awaiting", "due_at"}
ANSWERED_AND_SHOWN = ("case_number", "stage", "standing", "revision", "awaiting", "due_at")

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
    """`livebase` with a data directory of its own and nothing of the machine's configuration."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def environ(self, extra: dict[str, str] | None = None) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL_", "LIVEBASE_"))}
        if "LIVEBASE_CACHE_DIR" in os.environ:
            kept["LIVEBASE_CACHE_DIR"] = os.environ["LIVEBASE_CACHE_DIR"]
        own = {"LIVEBASE_DATA_DIR": str(self.folder), "TEMPORAL_CONFIG_FILE": os.devnull, "COLUMNS": "160"}
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
        process = self.start(*words, env=env)
        try:
            out, err = process.communicate(timeout=timeout)
        finally:
            process.kill()
        assert "Traceback" not in out + err or "--debug" in words, err
        return Done(process.returncode, out, err)

    def each(self, *commands: tuple[str | Path, ...], timeout: float = 90) -> list[Done]:
        """Commands that have nothing to do with each other; what each left, in order."""
        return at_once(lambda words: self(*words, timeout=timeout), list(commands))

    def ok(self, *words: str | Path) -> Any:
        """A command that is done, with `-o json`: what it printed."""
        done = self(*words, "-o", "json")
        assert done.code == 0, done.err
        return done.json


class Running(Livebase):
    """The same with `livebase dev` running in the data directory."""

    @property
    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads((self.folder / "dev.json").read_text("utf-8"))
        return state

    def records(self) -> list[str]:
        """All that is on record, line by line, but how far the delivery of letters has got: it goes on by itself."""
        letters = (
            "SELECT case_number, sequence, place, kind, recipient, subject, body, at FROM notices ORDER BY 1, 2, 3"
        )
        with closing(sqlite3.connect(self.folder / "livebase.db")) as database:
            others = [line for line in database.iterdump() if not line.startswith('INSERT INTO "notices"')]
            return others + [str(row) for row in database.execute(letters)]

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

    def copy_of_the_records(self, folder: Path) -> Livebase:
        """The database and the documents alone: no Temporal server anywhere."""
        folder.mkdir(parents=True, exist_ok=True)
        source, target = (sqlite3.connect(place / "livebase.db") for place in (self.folder, folder))
        source.backup(target)
        source.close()
        target.close()
        shutil.copytree(self.folder / "documents", folder / "documents", dirs_exist_ok=True)
        return Livebase(folder)


class FrozenWorker:
    def __init__(self, pid: int) -> None:
        self._pid = pid

    def __enter__(self) -> None:
        os.kill(self._pid, signal.SIGSTOP)

    def __exit__(self, *_: object) -> None:
        os.kill(self._pid, signal.SIGCONT)


@dataclass(frozen=True)
class Enterprise:
    """An enterprise that has never applied, and its application file."""

    code: str
    file: Path

    def supplement(self) -> Path:
        return self.file.with_name("supplement.yaml")

    def document(self, name: str = "policy.pdf") -> Path:
        return self.file.parent / "documents" / name


def enterprise_in(folder: Path, example: str = "passes") -> Enterprise:
    """An example's folder under another credit code: the one the base is known by, wherever it stands."""
    shutil.copytree(EXAMPLES / example, folder, dirs_exist_ok=True)
    file, code = folder / "application.yaml", new_credit_code()
    first = re.search(r"(?m)^  credit_code: (?!null$)(\w+)$", file.read_text("utf-8"))
    assert first is not None
    for each in folder.glob("*.yaml"):
        each.write_text(each.read_text("utf-8").replace(first[1], code), "utf-8")
    return Enterprise(code, file)


@pytest.fixture
def livebase(tmp_path: Path) -> Livebase:
    """Nothing runs, nothing is there."""
    return Livebase(tmp_path / "nothing")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever comes first sets up what the session shares, which takes a loaded machine minutes."""
    for item in items:
        if "dev" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(900))


@pytest.fixture(scope="session")
def dev() -> Iterator[Running]:
    """`livebase dev --detach`, shared by the session: use enterprises of your own."""
    with tempfile.TemporaryDirectory(prefix="livebase-cli-") as folder:
        running = Running(Path(folder))
        started = running("dev", "--detach", timeout=1200)  # the first start ever builds a server
        assert started.code == 0, started.err
        try:
            yield running
        finally:
            assert running("dev", "--stop").code == 0


@pytest.fixture
def enterprise(tmp_path: Path) -> Enterprise:
    return enterprise_in(tmp_path / "enterprise")


@pytest.fixture
def applied(dev: Running, enterprise: Enterprise) -> str:
    """The number of a case in review."""
    number: str = dev.ok("apply", enterprise.file, *APPLICANT)["case_number"]
    return number


def certify(dev: Running, number: str) -> dict[str, Any]:
    """From review to published; what `show` says then."""
    revision = str(dev.ok("show", number)["revision"])
    dev.ok("review", "approve", number, "--revision", revision, *REVIEWER)
    dev.ok("deposit", "receive", number, "--amount", "100000", "--reference", f"B-{number}", "--payer", PAYER, *FINANCE)
    dev.ok("certify", number, *CERTIFIER)
    return when_valid(dev, number)


def when_valid(dev: Livebase, base: str) -> dict[str, Any]:
    """What `show` says once the base is published, which comes of itself."""
    until = time.monotonic() + 20
    while (view := dev.ok("show", base))["stage"] != "valid":
        assert time.monotonic() < until, view
    return dict(view)


class FirstYear:
    """A base from its application to the confirmation that its marks are out of use.

    For every act by its name: what a dry run said before it, the answer, and what `show` said after it.
    """

    def __init__(self, dev: Running, enterprise: Enterprise) -> None:
        self.dev = dev
        self.enterprise = enterprise
        self.foretold: dict[str, Any] = {}
        self.answers: dict[str, Any] = {}
        self.views: dict[str, Any] = {}
        self.changed_by_dry_runs: list[str] = []

    @property
    def number(self) -> str:
        number: str = self.answers["apply"]["case_number"]
        return number

    def act(self, name: str, *words: str | Path) -> None:
        records, documents = self.dev.records(), self.dev.documents()
        (foretold,) = self.look((*words, "--dry-run", "-o", "json"))
        assert foretold.code == 0, foretold.err
        self.foretold[name] = foretold.json
        if (records, documents) != (self.dev.records(), self.dev.documents()):
            self.changed_by_dry_runs.append(name)
        self.answers[name] = self.dev.ok(*words)

    def look(self, *beside: tuple[str | Path, ...]) -> list[Done]:
        """`show` after the last act, with other commands beside it; what those left."""
        if not self.answers:
            return self.dev.each(*beside)
        shown, *others = self.dev.each(("show", self.enterprise.code, "-o", "json"), *beside)
        self.views[list(self.answers)[-1]] = shown.json
        return others


@pytest.fixture(scope="session")
def first_year(dev: Running, tmp_path_factory: pytest.TempPathFactory) -> FirstYear:
    """The path of a first year, walked once."""
    enterprise = enterprise_in(tmp_path_factory.mktemp("first-year"))
    code, year = enterprise.code, FirstYear(dev, enterprise)
    year.act("apply", "apply", enterprise.file, *APPLICANT)
    year.act("take", "review", "take", code, *REVIEWER)
    year.act("release", "review", "release", code, *REVIEWER)
    items = ("--item", "A4.area: a newer floor plan", "--item", "A4.live_rooms: a photo of each room")
    year.act("request", "review", "request", year.number, "--revision", "1", *items, *REVIEWER)
    year.act("supplement", "supplement", year.number, enterprise.supplement(), *APPLICANT)
    year.act("approve", "review", "approve", code, "--revision", "2", *REVIEWER)
    paid = ("deposit", "receive", code, "--payer", PAYER, *FINANCE)
    year.act("payment", *paid, "--amount", "100000.00", "--reference", f"{code}-1")
    refuse = ("certify", code, "--refuse", "--reason", "no base", "--dry-run", "-o", "json", *CERTIFIER)
    year.foretold["refuse"] = year.look(refuse)[0].json
    year.act("certify", "certify", year.number, *CERTIFIER)
    year.look()
    year.views["published"] = when_valid(dev, code)
    year.act("the year", "fast-forward", year.views["published"]["term"]["certificate_number"], "P1Y1D")
    year.act("marks", "marks", "confirm", code, enterprise.document(), enterprise.document("rooms.png"), *APPLICANT)
    year.look()
    return year


@dataclass(frozen=True)
class Cases:
    """Numbers of cases that stay as they are: whoever uses them changes nothing."""

    enterprises: dict[str, Enterprise]
    """the enterprise of each of the cases below"""
    review: str
    """taken by li"""
    deposit: str
    """approved by li"""
    rejected: str
    withdrawn: str
    """and closed"""


@pytest.fixture(scope="session")
def cases(dev: Running, tmp_path_factory: pytest.TempPathFactory) -> Cases:
    """A case in every state that refusals are about."""
    acts: dict[str, tuple[str, ...]] = {
        "review": ("review", "take", "BASE", *REVIEWER),
        "deposit": ("review", "approve", "BASE", "--revision", "1", *REVIEWER),
        "rejected": ("review", "reject", "BASE", "--revision", "1", "--reason", "the rooms are a warehouse", *REVIEWER),
        "withdrawn": ("withdraw", "BASE", "--reason", "we move elsewhere", *APPLICANT),
    }
    folder = tmp_path_factory.mktemp("cases")
    enterprises = {state: enterprise_in(folder / state) for state in acts}

    def bring(state: str) -> str:
        number: str = dev.ok("apply", enterprises[state].file, *APPLICANT)["case_number"]
        dev.ok(*(number if word == "BASE" else word for word in acts[state]))
        return number

    return Cases(enterprises, **dict(zip(acts, at_once(bring, list(acts)), strict=True)))
