"""What running cases meet when a new build takes them: the commands of each wait, and a build going on from another."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

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
    try:
        history = await at_the_wait(client, tmp_path, WAITS[name])
    except Exception as error:
        pytest.fail(f"no workflow comes to wait in {name!r} any more ({error}).\n{commands.WHAT_TO_DO}", pytrace=False)
    recorded, now = (commands.apart_from_quarters(each) for each in (RECORDED[name], commands.commands(history.events)))
    found = difference(recorded, now)
    if found is not None:
        pytest.fail(f"a workflow that waits in {name!r}: {found}", pytrace=False)


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


@workflow.defn(name="PatchedWorkflow")
class PatchedWorkflow:
    """Makes the commands the certification does not make today."""

    @workflow.run
    async def run(self) -> None:
        if workflow.patched("told_first"):
            await workflow.sleep(timedelta(milliseconds=1))
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(lambda: False, timeout=timedelta(milliseconds=1))
        raise ApplicationError("enough")


async def test_a_patch_and_an_end_are_commands_too(client: Client) -> None:
    queue = "patched"
    async with Worker(
        client, task_queue=queue, workflows=[PatchedWorkflow], workflow_runner=UnsandboxedWorkflowRunner()
    ):
        handle = await client.start_workflow("PatchedWorkflow", id="patched", task_queue=queue)
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    events = (await handle.fetch_history()).events
    assert commands.commands(events) == ["patch told_first", "search attributes", "timer", "timer", "failed"]
