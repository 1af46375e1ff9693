"""No server, no database, or none that answers: 6 before anything is sent, while whatever can be read is read."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.starter.conftest import APPLICANT, CERTIFIER, FINANCE, PAYER, REVIEWER, Cases, Enterprise
from tests.starter.livebase import Livebase, Running

TOMORROW_OR_LATER = ("--amount", "1", "--reference", "R-2999", "--payer", PAYER, "--paid-at", "2999-01-01")


@pytest.fixture(scope="module")
def alone(dev: Running, cases: Cases, tmp_path_factory: pytest.TempPathFactory) -> Livebase:
    """The records of the session's cases, with no server anywhere."""
    return dev.copy_of_the_records(tmp_path_factory.mktemp("alone"))


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Something that takes connections and never says a word."""
    with closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(8)
        yield listening.getsockname()[1]


def test_whatever_is_read_is_read_without_a_server(dev: Running, alone: Livebase, cases: Cases) -> None:
    words = [
        ("show", cases.review),
        ("list",),
        ("timeline", cases.review),
        ("next", cases.review),
        ("deposit", "show", cases.review),
        ("documents", "list", cases.review),
    ]
    read = alone.each(*((*one, "-o", "json") for one in words))
    assert [done.code for done in read] == [0] * len(words)
    shown = dev.ok("show", cases.review)
    assert read[0].json == {**shown, "workflow": {**shown["workflow"], "url": None}}


def test_a_lost_server_comes_before_the_base_the_actor_and_the_rules(
    alone: Livebase, cases: Cases, enterprise: Enterprise
) -> None:
    words = [
        ("review", "take", cases.review, *REVIEWER),
        ("review", "take", "LB-2026-999999", *REVIEWER),
        ("review", "approve", cases.review, "--revision", "7", *FINANCE),
        ("apply", enterprise.file, *APPLICANT),
        ("supplement", cases.review, enterprise.supplement(), *APPLICANT),
    ]
    done = alone.each(*((*one, "-o", "json") for one in words))
    assert [(one.code, one.error["kind"]) for one in done] == [(6, "unreachable")] * len(words)
    assert all("livebase dev" in one.error["hint"] for one in done)
    assert not any("request id" in one.err for one in done), "nothing was sent, there is nothing to ask again for"


def test_wrong_usage_comes_before_a_lost_server(alone: Livebase, cases: Cases) -> None:
    done = alone.each(
        ("review", "take", cases.review),
        ("review", "take", cases.review, *REVIEWER, "--address", "http://127.0.0.1:7233"),
        ("review", "take", cases.review, *REVIEWER, "--profile", "nobody-s"),
    )
    assert [one.code for one in done] == [2] * len(done)


def test_a_value_date_that_is_wrong_comes_before_everything_else(dev: Running, alone: Livebase, cases: Cases) -> None:
    """The case's today is on record: no server and no actor has to be asked for it."""
    receive = ("deposit", "receive", cases.review, *TOMORROW_OR_LATER)
    assert dev(*receive, *CERTIFIER).code == 2
    assert alone(*receive, *FINANCE).code == 2


def test_a_server_that_is_not_there_not_temporal_or_silent_is_6_in_the_end(
    dev: Running, cases: Cases, silent_port: int
) -> None:
    take = ("review", "take", cases.deposit, *REVIEWER, "-o", "json")
    web = dev.state["web_url"].removeprefix("http://")
    with dev.unchanged():
        done = dev.each(
            (*take, "--address", "127.0.0.1:1"),
            (*take, "--address", f"127.0.0.1:{silent_port}"),
            (*take, "--address", web),
            (*take, "--namespace", "nowhere"),
            timeout=60,
        )
        configured = dev(*take, env={"TEMPORAL_ADDRESS": "127.0.0.1:1"})
    assert [(one.code, one.error["kind"]) for one in (*done, configured)] == [(6, "unreachable")] * 5
    assert "127.0.0.1:1" in done[0].error["message"]
    assert "TEMPORAL_ADDRESS" in configured.error["hint"]


def test_without_a_database_nothing_is_read_and_nothing_is_done(livebase: Livebase, enterprise: Enterprise) -> None:
    words = [
        ("show", "LB-2026-000001"),
        ("review", "take", "LB-2026-000001", *REVIEWER),
        ("apply", enterprise.file, *APPLICANT),
    ]
    done = livebase.each(*((*one, "-o", "json") for one in words))
    assert [(one.code, one.error["kind"]) for one in done] == [(6, "unreachable")] * len(words)
    assert not livebase.folder.exists(), "looking leaves nothing behind"


def test_a_database_that_is_none_can_t_be_reached(livebase: Livebase) -> None:
    livebase.folder.mkdir()
    (livebase.folder / "livebase.db").write_text("this is a letter to a friend, and no database at all" * 20)
    with closing(sqlite3.connect(livebase.folder / "empty.db")) as empty:
        empty.execute("CREATE TABLE somebody_elses (name TEXT)")
    places = (None, f"sqlite:///{livebase.folder / 'empty.db'}", "postgresql+psycopg://nobody@127.0.0.1:1/none")
    for url in places:
        done = livebase("list", "-o", "json", env={"LIVEBASE_DATABASE_URL": url} if url else None)
        assert (done.code, done.error["kind"]) == (6, "unreachable"), url


def test_what_to_type_next_is_one_line(alone: Livebase, livebase: Livebase, cases: Cases) -> None:
    for done in (alone("review", "take", cases.review, *REVIEWER), livebase("list")):
        what, next_step = done.err.splitlines()
        assert what.startswith("unreachable: ")
        assert next_step.startswith("→ ")
