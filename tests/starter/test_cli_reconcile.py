"""register reconcile and what the doctor says of the official channel: on the records and a folder, with no server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from activities.channel import deliver
from activities.channel_folder import FolderChannel
from domain.channel import Compared, Difference
from store.cases import CaseStore
from store.channel import ChannelStore
from store.engine import open_engine
from tests.databases import migrated_sqlite
from tests.documents import pseudonym
from tests.domain.test_channel import entry
from tests.register.bases import Base, moved
from tests.starter.in_process import InProcess
from tests.starter.livebase import Done

FOREIGN = "LBC-2026-000777"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    (tmp_path / "livebase.db").write_bytes(migrated_sqlite())
    engine = open_engine(f"sqlite:///{tmp_path / 'livebase.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def office(tmp_path: Path, engine: Engine) -> InProcess:
    return InProcess(tmp_path)


@pytest.fixture
def bases(engine: Engine) -> list[Base]:
    """Certified, suspended and revoked, by clocks that stand in their terms."""
    store = CaseStore(engine, pseudonym)
    made = [Base(store, 1), Base(store, 2).suspended(), Base(store, 3).revoked()]
    for base in made:
        moved(engine, base.case.case_number, base.case.terms[0].from_ + timedelta(days=1) - datetime.now(UTC))
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "channel"


def typed(
    office: InProcess, folder: Path | None, *words: str, command: tuple[str, ...] = ("register", "reconcile")
) -> Done:
    return office(*command, *words, env={"LIVEBASE_CHANNEL_URL": str(folder)} if folder else {})


def found(office: InProcess, folder: Path, code: int) -> dict[str, Any]:
    done = typed(office, folder, "-o", "json")
    assert done.code == code, done.out + done.err
    view: dict[str, Any] = done.json
    return view


def put_all(engine: Engine, folder: Path, bases: list[Base]) -> FolderChannel:
    channel = FolderChannel.at(str(folder))
    for base in bases:
        assert deliver(channel, ChannelStore(engine), base.number, datetime.now(UTC))
    return channel


def test_without_a_channel_there_is_nothing_to_compare(office: InProcess, bases: list[Base]) -> None:
    done = typed(office, None)
    assert done.code == 0 and "our own list is the channel" in done.out
    assert typed(office, None, "-o", "json").json["channel"] is None


def test_what_is_on_its_way_is_a_difference_until_it_is_there(
    office: InProcess, engine: Engine, bases: list[Base], folder: Path
) -> None:
    assert typed(office, folder).code == 6, "looking makes no folder"
    folder.mkdir()
    view = found(office, folder, 1)
    assert (view["ours"], view["theirs"], view["last_run"]) == (3, 0, None)
    assert {(one["kind"], one["why"]) for one in view["differences"]} == {("missing", "waiting")}
    put_all(engine, folder, bases)
    view = found(office, folder, 0)
    assert (view["channel"], view["ours"], view["theirs"], view["differences"]) == (str(folder), 3, 3, [])
    assert "no difference" in typed(office, folder).out
    bases[0].revoked(bases[0].case.terms[0].from_ + timedelta(hours=9))
    (one,) = found(office, folder, 1)["differences"]
    assert one == {
        "certificate_number": bases[0].number,
        "kind": "different",
        "why": "waiting",
        "ours": 2,
        "theirs": 1,
        "to_do": "nothing: it is on its way",
    }


def test_each_difference_is_named_with_what_to_do_and_nothing_is_changed(
    office: InProcess, engine: Engine, bases: list[Base], folder: Path
) -> None:
    channel = put_all(engine, folder, bases)
    one, two, three = (folder / f"{base.number}.json" for base in bases)
    forged = channel.get(bases[2].number)
    assert forged is not None
    one.unlink()
    two.write_bytes(two.read_bytes().replace(b"suspended", b"published"))
    three.write_bytes(forged.model_copy(update={"state": "published"}).document())
    (folder / f"{FOREIGN}.json").write_bytes(entry(1, number=FOREIGN).document())
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    view = found(office, folder, 1)
    told = {
        (row["certificate_number"], row["kind"], row["why"], row["ours"], row["theirs"]) for row in view["differences"]
    }
    assert told == {
        (bases[0].number, "missing", "lost", 1, None),
        (bases[1].number, "different", "content", 1, 0),
        (bases[2].number, "different", "content", 1, 1),
        (FOREIGN, "extra", "unknown", None, 1),
    }
    done = typed(office, folder, "--dry-run")
    assert done.code == 1 and "find out whose it is" in done.out
    assert all(number in done.out for number in (FOREIGN, *(base.number for base in bases)))
    chinese = typed(office, folder, "--lang", "zh").out
    assert "多出" in chinese and "下次核对时重发" in chinese.replace("\n", "")
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_the_last_run_of_the_workers_is_shown_beside(
    office: InProcess, engine: Engine, bases: list[Base], folder: Path
) -> None:
    put_all(engine, folder, bases)
    lost = [Difference(bases[0].number, "missing", "lost", 1)]
    ChannelStore(engine).compared("one", datetime.now(UTC), Compared(ours=3, theirs=2, missing=1, sent_again=1), lost)
    last = found(office, folder, 0)["last_run"]
    assert (last["missing"], last["sent_again"], last["differences"][0]["why"]) == (1, 1, "lost")
    assert "1 missing, 0 extra, 0 different; 1 sent again" in typed(office, folder).err


def test_what_can_not_be_and_who_may_not(office: InProcess, bases: list[Base], folder: Path) -> None:
    folder.mkdir()
    assert typed(office, folder, "--as", "applicant:wang").code == 4
    done = office("register", "reconcile", "-o", "json", env={"LIVEBASE_CHANNEL_URL": "nothing://there"})
    assert (done.code, json.loads(done.out)["error"]["kind"]) == (2, "bad_configuration")
    away = office("register", "reconcile", env={"LIVEBASE_CHANNEL_URL": "http://127.0.0.1:9"})
    assert away.code == 6 and "ConnectError" in away.err


def test_the_doctor_tells_of_it(office: InProcess, engine: Engine, bases: list[Base], folder: Path) -> None:
    store, now = ChannelStore(engine), datetime.now(UTC)

    def told() -> tuple[bool, str]:
        done = typed(office, folder, "-o", "json", command=("doctor",))
        (check,) = [one for one in done.json if one["check"] == "official channel"]
        return check["ok"], check["what"] + check["mend"]

    put_all(engine, folder, bases)
    ok, what = told()
    assert ok and "not compared with the list yet" in what
    for at, compared, fine, words in (
        (now - timedelta(hours=4), Compared(ours=3, theirs=3), False, "last compared"),
        (now - timedelta(hours=1), Compared(fault="no answer (ConnectError)"), False, "ConnectError"),
        (now - timedelta(minutes=9), Compared(ours=3, theirs=4, extra=1), False, "register reconcile"),
        (
            now - timedelta(minutes=8),
            Compared(ours=3, theirs=2, missing=1, sent_again=1),
            True,
            "takes entries, 0 wait",
        ),
    ):
        store.compared(at.isoformat(), at, compared, ())
        ok, what = told()
        assert ok is fine and words in what, what
