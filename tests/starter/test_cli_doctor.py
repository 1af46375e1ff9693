"""The doctor: each check with its ground taken away, what it then says, and how that is mended."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from sqlalchemy import text
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import Client

from connection.namespace import RETENTION
from connection.search_attributes import SEARCH_ATTRIBUTES, register
from starter.diagnosis import Advice, Broken, diagnose
from starter.machine_checks import MIB, room_left
from starter.session import Session
from store.migrate import migrate
from tests.starter.conftest import only_on_sqlite
from tests.starter.livebase import Livebase, Running

CHECKS = ["Temporal server", "server version", "history", "search attributes", "worker", "clock", "database",
          "database kind", "payload keys", "documents", "disk", "mail server", "official channel",
          "certificate fonts", "calendar"]  # fmt: skip
OF_THE_SERVER = CHECKS[:6]
PREPARE = "python -m workers.prepare"


def found(livebase: Livebase, *words: str, env: dict[str, str] | None = None) -> dict[str, dict[str, Any]]:
    """Every check by its name; the exit code says whether all are in order, and each broken one how to mend it."""
    done = livebase("doctor", *words, "-o", "json", env=env)
    checks: dict[str, dict[str, Any]] = {check["check"]: check for check in done.json}
    assert list(checks) == CHECKS
    assert all(set(check) == {"check", "ok", "what", "mend"} and check["what"] for check in checks.values())
    broken = [name for name, check in checks.items() if not check["ok"]]
    assert done.code == (1 if broken else 0)
    assert all(checks[name]["mend"] for name in broken)
    if broken:
        assert done.err.splitlines()[0] == f"doctor: Not in order: {', '.join(broken)}."
    return checks


def broken(checks: dict[str, dict[str, Any]]) -> list[str]:
    return [name for name, check in checks.items() if not check["ok"]]


@pytest.fixture
def copied(dev: Running, tmp_path: Path) -> Livebase:
    """The records and documents, with no server."""
    return dev.copy_of_the_records(tmp_path / "copied")


def test_fonts_that_are_missing_are_told_and_break_nothing(copied: Livebase, tmp_path: Path) -> None:
    fonts = found(copied, env={"LIVEBASE_REGISTER_FONTS": str(tmp_path)})["certificate fonts"]
    assert fonts["ok"] and str(tmp_path) in fonts["what"] and "fonts-noto-cjk" in fonts["mend"]
    there = found(copied)["certificate fonts"]
    assert there["ok"] and not there["mend"]


def namespace(dev: Running, name: str, retention: timedelta = RETENTION) -> str:
    """A namespace of the server with nothing in it."""
    from google.protobuf.duration_pb2 import Duration
    from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, RegisterNamespaceRequest
    from temporalio.service import RPCError

    async def make() -> None:
        client = await Client.connect(dev.state["address"], namespace=name)
        kept = Duration(seconds=int(retention.total_seconds()))
        request = RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=kept)
        await client.workflow_service.register_namespace(request)
        while True:
            try:
                await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=name))
                return
            except RPCError:
                await asyncio.sleep(0.1)

    asyncio.run(make())
    return name


async def seen(client: Client, names: set[str]) -> None:
    """Return once the server lists these search attributes."""
    from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest

    request = ListSearchAttributesRequest(namespace=client.namespace)
    while not names <= set((await client.operator_service.list_search_attributes(request)).custom_attributes):
        await asyncio.sleep(0.1)


def test_all_in_order(dev: Running) -> None:
    checks = found(dev)
    assert broken(checks) == []
    assert checks["payload keys"]["what"] == "none: local"
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", checks["server version"]["what"])
    assert float(checks["clock"]["what"].split(" ")[0]) < 5
    assert dev.state["address"] in checks["Temporal server"]["what"]


def test_nothing_at_all(livebase: Livebase) -> None:
    """It makes nothing either."""
    checks = found(livebase)
    assert broken(checks) == [*OF_THE_SERVER, "database", "database kind", "documents"]
    assert "livebase dev" in checks["Temporal server"]["mend"]
    assert "livebase dev" in checks["database"]["mend"]
    assert {checks[name]["mend"] for name in OF_THE_SERVER[1:]} == {"mend the Temporal server first"}
    assert not livebase.folder.exists()


def test_the_server_is_down(copied: Livebase) -> None:
    for words in ((), ("--address", "127.0.0.1:1")):
        checks = found(copied, *words)
        assert [name for name in OF_THE_SERVER if checks[name]["ok"]] == []
    assert "connection refused" in checks["Temporal server"]["what"]
    assert "--address" in checks["Temporal server"]["mend"]


def test_there_is_no_such_namespace(dev: Running) -> None:
    checks = found(dev, "--namespace", "nowhere")
    assert broken(checks) == OF_THE_SERVER
    assert checks["Temporal server"]["what"] == "there is no namespace nowhere"
    assert checks["Temporal server"]["mend"] == PREPARE


def test_an_empty_namespace_has_neither_search_attributes_nor_a_worker(dev: Running) -> None:
    name = namespace(dev, "empty", timedelta(days=1))
    checks = found(dev, "--namespace", name)
    assert broken(checks) == ["search attributes", "worker"]
    assert checks["search attributes"]["what"] == f"missing: {', '.join(sorted(SEARCH_ATTRIBUTES))}"
    assert checks["search attributes"]["mend"] == PREPARE
    assert checks["worker"]["mend"] == "livebase worker"
    assert checks["history"]["what"] == "a run that is over is kept for 1 days"
    assert checks["history"]["mend"] == PREPARE, "advice: nothing is broken by it"


def test_a_search_attribute_is_missing_or_of_another_kind(dev: Running) -> None:
    missing, other = namespace(dev, "missing"), namespace(dev, "other")

    async def prepare() -> None:
        client = await Client.connect(dev.state["address"], namespace=missing)
        some = {name: kind for name, kind in SEARCH_ATTRIBUTES.items() if name != "CertDueAt"}
        await register(client, some)
        await seen(client, set(some))
        client = await Client.connect(dev.state["address"], namespace=other)
        request = AddSearchAttributesRequest(
            namespace=other, search_attributes={"CertStage": IndexedValueType.INDEXED_VALUE_TYPE_INT}
        )
        await client.operator_service.add_search_attributes(request)
        await seen(client, {"CertStage"})

    asyncio.run(prepare())
    check = found(dev, "--namespace", missing)["search attributes"]
    assert (check["ok"], check["what"]) == (False, "missing: CertDueAt")
    assert check["mend"] == PREPARE
    check = found(dev, "--namespace", other)["search attributes"]
    assert not check["ok"]
    assert "CertStage exists as INDEXED_VALUE_TYPE_INT, not as Keyword" in check["what"]
    assert "search-attribute remove" in check["mend"]


def test_the_clocks_are_apart_and_the_worker_was_last_seen_long_ago(dev: Running) -> None:
    """This machine's clock ten minutes ahead of the server's: nobody has asked for work since, by that clock."""
    for ahead in (timedelta(minutes=10), -timedelta(minutes=10)):
        session = Session(output="json", data_dir=str(dev.folder), wall=datetime.now(UTC) + ahead)
        with mock.patch.dict(os.environ, dev.environ(), clear=True):
            checks = {check["check"]: check for check in asyncio.run(diagnose(session))}
        assert not checks["clock"]["ok"]
        assert 590 < float(checks["clock"]["what"].split(" ")[0]) < 610
        assert "chronyc" in checks["clock"]["mend"]
        assert checks["worker"]["ok"] is (ahead < timedelta(0))


def test_the_schema_is_old(copied: Livebase) -> None:
    copied.change(text("UPDATE alembic_version SET version_num = '0000'"))
    check = found(copied)["database"]
    assert not check["ok"]
    assert "the schema is not the newest" in check["what"]
    assert PREPARE in check["mend"]


@only_on_sqlite
def test_the_database_is_none(copied: Livebase) -> None:
    (copied.folder / "livebase.db").write_bytes(b"no database" * 1000)
    checks = found(copied)
    assert not checks["database"]["ok"]
    assert not checks["database kind"]["ok"]


def test_a_database_of_another_kind_of_server(dev: Running, tmp_path: Path) -> None:
    """Commands would read what the server's worker never writes."""
    clusters = f"sqlite:///{tmp_path / 'cluster.db'}"
    migrate(clusters, local_server=False)
    checks = found(dev, env={"LIVEBASE_DATABASE_URL": clusters})
    assert broken(checks) == ["database kind"]
    assert "LIVEBASE_DATABASE_URL" in checks["database kind"]["mend"]
    lone = dev.copy_of_the_records(tmp_path / "lone")
    checks = found(lone, "--address", dev.state["address"])
    assert broken(checks) == ["database kind"]
    assert dev.state["address"] in checks["database kind"]["what"]


def test_the_documents_folder_is_gone_a_file_or_can_t_be_written(copied: Livebase) -> None:
    folder = copied.folder / "documents"
    shutil.rmtree(folder)
    check = found(copied)["documents"]
    assert (check["ok"], check["what"]) == (False, f"there is no folder {folder}")
    folder.write_text("a file in its place")
    assert found(copied)["documents"] == check
    folder.unlink()
    folder.mkdir()
    (folder / "office").write_text("a file where documents belong")
    check = found(copied)["documents"]
    assert (check["ok"], check["what"].startswith(f"{folder} can't be used (")) == (False, True)
    assert "LIVEBASE_DOCUMENTS" in check["mend"]


def test_the_documents_keys_are_gone_or_others(copied: Livebase) -> None:
    keys = copied.folder / "document-keys.json"
    assert found(copied)["documents"]["ok"]
    keys.write_text(keys.read_text("utf-8").replace('"kid": "', '"kid": "other-'), "utf-8")
    assert "KeyUnknown" in found(copied)["documents"]["what"]
    shutil.rmtree(copied.folder / "documents" / "office")
    assert "start a worker" in found(copied)["documents"]["mend"]
    keys.unlink()
    check = found(copied)["documents"]
    assert (check["ok"], "LIVEBASE_DOCUMENT_KEYS" in check["mend"]) == (False, True)
    assert str(keys) in check["what"]


def test_there_is_no_room_left(tmp_path: Path) -> None:
    left = shutil.disk_usage(tmp_path).free
    with pytest.raises(Broken, match="MiB left at"):
        room_left([tmp_path], full=left * 2)
    with pytest.raises(Advice, match="MiB left at"):
        room_left([tmp_path], full=0, nearly_full=left * 2)
    assert room_left([tmp_path], full=0, nearly_full=MIB).endswith(f"MiB left at {tmp_path}")
    assert room_left([]) == "nothing is kept on this machine"


@pytest.mark.parametrize(
    ("day", "ok", "what"),
    [
        (datetime(2026, 11, 30, 4, tzinfo=UTC), True, "provisional from 2026-12-01 on"),
        (datetime(2026, 12, 2, 4, tzinfo=UTC), True, "notice for 2026 known, provisional from 2026-12-01 on"),
        (datetime(2031, 1, 1, 4, tzinfo=UTC), False, "no notice for 2031: every deadline is provisional"),
    ],
)
def test_the_calendar_s_notice_is_missing(tmp_path: Path, day: datetime, ok: bool, what: str) -> None:
    session = Session(output="json", data_dir=str(tmp_path), wall=day)
    check = asyncio.run(diagnose(session))[-1]
    assert (check["check"], check["ok"]) == ("calendar", ok)
    assert what in check["what"]
    assert bool(check["mend"]) is (day.month != 11)


def test_the_table_says_it_all_in_a_narrow_terminal_too(copied: Livebase) -> None:
    def names_a_place(line: str) -> bool:
        return str(copied.folder) in line or copied.where in line

    done = copied("doctor", env={"COLUMNS": "80"})
    assert done.code == 1
    assert all(name in done.out for name in CHECKS)
    assert done.out.count("✗") == len(OF_THE_SERVER)
    assert done.out.count("→ mend the Temporal server first") == len(OF_THE_SERVER) - 1
    assert [line for line in done.out.splitlines() if len(line) > 80 and not names_a_place(line)] == []
