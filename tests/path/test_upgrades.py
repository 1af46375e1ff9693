"""What running cases meet when a new build takes them: the commands of each wait, and a build going on from another."""

from __future__ import annotations

from pathlib import Path

import pytest
from temporalio.client import Client

from connection.local_server import LocalServer
from tests.extend import Build, Lived, live
from tests.path import commands
from tests.path.commands import difference
from tests.path.waits import WAITS
from tests.record_histories import BASELINE, at_the_wait
from tests.workers.processes import ROOT

RECORDED = commands.from_text(BASELINE.read_text("utf-8"))


@pytest.mark.parametrize("name", list(WAITS))
async def test_what_is_done_up_to_a_wait_is_as_recorded(client: Client, tmp_path: Path, name: str) -> None:
    assert name in RECORDED, "no history of this wait; record it with: python -m tests.record_histories"
    history = await at_the_wait(client, tmp_path, WAITS[name])
    found = difference(RECORDED[name], commands.commands(history.events))
    assert found is None, f"the workflow waiting in {name!r}: {found}"


OLD = ["activity approve", "search attributes", "timer"]


@pytest.mark.parametrize(
    ("now", "means"),
    [
        (["activity approve", "timer", "search attributes"], commands.ADVICE_BROKEN),
        (["activity approve", "search attributes"], commands.ADVICE_BROKEN),
        (["activity check", *OLD], commands.ADVICE_BROKEN),
        (["patch told_first", "activity check", *OLD], commands.ADVICE_PATCHED),
        ([*OLD, "activity check"], commands.ADVICE_ADDED),
    ],
)
def test_a_difference_says_what_it_means_and_what_to_do(now: list[str], means: str) -> None:
    found = difference(OLD, now)
    assert found is not None and means.partition("{")[0] in found
    assert "python -m tests.record_histories" in found


def test_the_baseline_is_read_as_it_was_written() -> None:
    assert commands.from_text(commands.as_text({"one": OLD, "none": []})) == {"one": OLD, "none": []}


async def test_a_case_goes_on_with_the_next_build(client: Client, server: LocalServer, tmp_path: Path) -> None:
    """The tool, on one wait, with this build as both."""
    lived = await live(server, client, tmp_path, WAITS["appeal_window"], Build(ROOT), Build(ROOT))
    assert lived == Lived(RECORDED["appeal_window"], ["local activity close_case", "search attributes", "completed"])
