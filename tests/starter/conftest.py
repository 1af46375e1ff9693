"""What the tests of the command line share: an office where everything runs, on either database, and its cases."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from connection.guarded_process import GuardedProcess
from store.migrate import migrate
from store.roles import WORKER
from tests.office import named_for, new_credit_code
from tests.postgres import PostgresServer
from tests.starter.livebase import ROOT, Done, Livebase, Running, at_once

EXAMPLES = ROOT / "examples"
APPLICANT, REVIEWER = ("--as", "applicant:wang"), ("--as", "reviewer:li")
FINANCE, CERTIFIER, OPERATOR = ("--as", "finance:qian"), ("--as", "certifier:zhao"), ("--as", "operator:sun")
PAYER = "义乌云集电子商务有限公司"
ANSWER = {"request_id", "accepted_at", "repeated", "case_number", "stage", "standing", "revision", "awaiting", "due_at"}
ANSWERED_AND_SHOWN = ("case_number", "stage", "standing", "revision", "awaiting", "due_at")


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
        text = each.read_text("utf-8").replace(first[1], code)
        each.write_text(
            re.sub(r"(?m)(?<=^base:\n)  name: (.*)$", lambda own: f"  name: {named_for(own[1], code)}", text), "utf-8"
        )
    return Enterprise(code, file)


@pytest.fixture
def livebase(tmp_path: Path) -> Livebase:
    """Nothing runs, nothing is there."""
    return Livebase(tmp_path / "nothing")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever comes first sets up what the session shares, which takes a loaded machine minutes."""
    for item in items:
        if {"dev", "database"} <= set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.timeout(900))


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """Which database `dev` is on."""
    name: str = request.param
    return name


only_on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="session")
"""For what is about `livebase dev`'s own database file."""


@pytest.fixture(scope="session")
def dev(database: str, request: pytest.FixtureRequest) -> Iterator[Running]:
    """`livebase dev`, shared by the session, which it never outlives: use enterprises of your own.

    On PostgreSQL the worker connects with a worker's rights, the command line with a reader's.
    """
    with tempfile.TemporaryDirectory(prefix="livebase-cli-") as name:
        folder = Path(name)
        running, module, environ = Running(folder), "starter.main", {}
        if database == "postgresql":
            postgres: PostgresServer = request.getfixturevalue("postgres")
            owner = postgres.url("office")
            migrate(owner, local_server=True)
            running, module = Running(folder, postgres, owner), "tests.starter.dev_on_postgres"
            environ = {"LIVEBASE_TEST_DATABASE": postgres.url_as(WORKER, owner)}
        command = [sys.executable, "-m", module, "dev", "--data-dir", name, "--verification"]
        log = folder / "dev.log"
        process = GuardedProcess.spawn(command, log=log, cwd=ROOT, environ=running.environ(environ), grace=30)
        try:
            until = time.monotonic() + 1200  # the first start ever builds a server
            while not (folder / "dev.json").exists():
                assert process.running and time.monotonic() < until, log.read_text("utf-8")
                time.sleep(0.1)
            yield running
        finally:
            process.stop()
        assert process.exit_code == 0, log.read_text("utf-8")


@pytest.fixture
def enterprise(tmp_path: Path) -> Enterprise:
    return enterprise_in(tmp_path / "enterprise")


@pytest.fixture
def applied(dev: Running, enterprise: Enterprise) -> str:
    """The number of a case in review, its enterprise verified."""
    number: str = dev.ok("apply", enterprise.file, *APPLICANT)["case_number"]
    when_verified(dev, number)
    return number


def when_verified(dev: Livebase, number: str) -> None:
    """Asked for with the application, it is answered by itself."""
    until = time.monotonic() + 30
    while "enterprise_verified" not in [entry["event"] for entry in dev.ok("timeline", number)]:
        assert time.monotonic() < until, "nobody has answered whether the enterprise is verified"
        time.sleep(0.1)


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
    return _walked(dev, enterprise_in(tmp_path_factory.mktemp("first-year")))


def _walked(dev: Running, enterprise: Enterprise) -> FirstYear:
    code, year = enterprise.code, FirstYear(dev, enterprise)
    year.act("apply", "apply", enterprise.file, *APPLICANT)
    when_verified(dev, year.number)
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
        when_verified(dev, number)
        dev.ok(*(number if word == "BASE" else word for word in acts[state]))
        return number

    return Cases(enterprises, **dict(zip(acts, at_once(bring, list(acts)), strict=True)))
