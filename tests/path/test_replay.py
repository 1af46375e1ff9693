"""Recorded histories replay, and a workflow that was changed without a patch does not get past them."""

from __future__ import annotations

import base64
import json
import socket
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from tests.office import Office
from tests.path import acts
from tests.path.commands import as_text, commands, from_text
from tests.path.waits import WAITS
from tests.record_histories import BASELINE, FOLDER, all_runs
from tests.workers.processes import ROOT
from workflows.calendar import CalendarNotice
from workflows.certification import Certification
from workflows.conduct import Conduct
from workflows.letters import DeliverLetters

ONLY_ON = "sqlite"
"""A history is the same whatever database is beside it."""

HISTORIES = sorted(FOLDER.rglob("*.json"))
"""This build's, and in folders of their own those recorded by released versions."""
WORKFLOW_ID = "base:recorded:1"


def recorded(path: Path) -> WorkflowHistory:
    """A recorded run, under the workflow id its commands name."""
    history = WorkflowHistory.from_json(WORKFLOW_ID, path.read_text("utf-8"))
    started = history.events[0].workflow_execution_started_event_attributes
    return WorkflowHistory(started.workflow_id, history.events)


def replayer(**options: Any) -> Replayer:
    workflows = [Certification, Conduct, CalendarNotice, DeliverLetters]
    return Replayer(workflows=workflows, data_converter=pydantic_data_converter, **options)


def texts(value: Any) -> Iterator[str]:
    """Every text in a history's JSON, payloads read."""
    if isinstance(value, dict):
        for each in value.values():
            yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)
    elif isinstance(value, str):
        yield value
        try:
            yield base64.b64decode(value, validate=True).decode()
        except ValueError:
            return


def test_every_wait_has_a_recorded_history_and_the_baseline_is_made_of_them() -> None:
    own = {path.stem: path for path in sorted(FOLDER.glob("*.json"))}
    how = "record them with: python -m tests.record_histories"
    assert own.keys() == {"first_year_1", "first_year_2", *WAITS}, how
    baseline = from_text(BASELINE.read_text("utf-8"))
    made = {name: commands(recorded(own[name]).events) for name in baseline}
    assert baseline.keys() == own.keys() and as_text(made) == BASELINE.read_text("utf-8"), how


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: str(path.relative_to(FOLDER)))
async def test_a_recorded_history_replays(path: Path) -> None:
    await replayer().replay_workflow(recorded(path))


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_a_recorded_history_names_no_machine(path: Path) -> None:
    told = "\n".join(texts(json.loads(path.read_text("utf-8"))))
    assert "record_histories" in told
    for trace in (str(ROOT), tempfile.gettempdir(), str(Path.home()) + "/", socket.gethostname(), "@staff.example"):
        assert trace not in told


async def test_what_the_path_writes_today_replays(office: Office, client: Client) -> None:
    """Supplements, a lapse in a moved clock, refusals: more than the quiet path has."""
    lapsed = await acts.in_supplement(office)
    await acts.supplement(lapsed)
    await acts.pay(lapsed, 1)
    await lapsed.forward_to(lapsed.case.plan[-1].at)
    valid = await acts.in_valid(office)
    await valid.forward(timedelta(days=330))
    for base in (lapsed, valid):
        for history in await all_runs(client, base.workflow_id):
            await replayer().replay_workflow(history)


def waits_first(original: Any) -> Any:
    async def changed(self: Certification) -> None:
        await workflow.sleep(timedelta(days=1))
        await original(self)

    return changed


def acts_first(original: Any) -> Any:
    async def changed(self: Certification) -> None:
        await workflow.execute_activity("check_again", start_to_close_timeout=timedelta(seconds=5))
        await original(self)

    return changed


def left_out(original: Any) -> Any:
    async def changed(self: Certification) -> None:
        return

    return changed


CHANGES: dict[str, tuple[str, Callable[[Any], Any], int]] = {
    "a timer before the review": ("document_review", waits_first, 1),
    "an activity before the review": ("document_review", acts_first, 1),
    "no review": ("document_review", left_out, 1),
    "a timer before the deposit": ("deposit", waits_first, 1),
    "a timer before publication": ("publication", waits_first, 2),
    "no publication": ("publication", left_out, 2),
    "an activity in the valid year": ("valid_year", acts_first, 2),
    "no valid year": ("valid_year", left_out, 2),
    "a timer before the settlement": ("settlement", waits_first, 2),
}
"""What is changed → the stage's method, how, and the run that has the stage."""


@pytest.mark.parametrize("change", list(CHANGES))
async def test_a_changed_workflow_is_noticed(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stage, how, run = CHANGES[change]
    history = recorded(FOLDER / f"first_year_{run}.json")
    # Outside the sandbox, which would import the unchanged workflow again.
    outside = replayer(workflow_runner=UnsandboxedWorkflowRunner())
    await outside.replay_workflow(history)
    monkeypatch.setattr(Certification, stage, how(getattr(Certification, stage)))
    with pytest.raises(workflow.NondeterminismError):
        await replayer(workflow_runner=UnsandboxedWorkflowRunner()).replay_workflow(history)
