"""Sealed payloads on the real server: bases go their way while keys change, and nothing of them can be read there."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowQueryFailedError, WorkflowUpdateFailedError

from connection.client import connect
from connection.codec import KeyRing, key_of
from connection.errors import BadConfiguration
from connection.histories import runs
from connection.local_server import LocalServer
from connection.payload_keys import VARIABLE, key_ring
from domain.commands import Actor, AddNote, Approve, Certify, Reject, TakeReview
from domain.key_set import KeySet, read_key_set, written_key_set
from domain.refusals import Refusal
from domain.stages import Role, Stage
from starter import machine_checks
from starter.diagnosis import Broken
from starter.session import Session
from store.migrate import migrate
from tests.databases import Place
from tests.office import CERTIFIER, OPERATOR, REVIEWER, Office, until
from tests.path import acts
from tests.path.test_conduct import accused
from tests.path.test_publication import Channel
from tests.path.waits import armed
from tests.starter.livebase import Done, Livebase
from workers.keys import main as change_keys
from workers.process import run_worker
from workers.schedule import (
    census_schedule_id,
    keep_census,
    keep_letters_going,
    keep_sealing,
    keep_verifying,
    schedule_id,
    seals_schedule_id,
    verification_schedule_id,
)

SCHEDULES = (keep_letters_going, keep_sealing, keep_census, keep_verifying)


@pytest.fixture(scope="module")
async def disk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[LocalServer, Path]]:
    """A server whose database is a file."""
    folder = tmp_path_factory.mktemp("server")
    async with await LocalServer.start(folder, web=False) as server:
        yield server, folder / "temporal"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "keys.json"
    assert change_keys([str(made)]) == 0
    return made


async def typed(livebase: Livebase, server: LocalServer, file: Path, case: str, first: str) -> None:
    """The command line: what is refused has its kind and code, and an answer that can't be read says what to do."""

    async def done(*words: str, keys: Path = file) -> Done:
        env = {"TEMPORAL_ADDRESS": server.address, VARIABLE: str(keys)}
        return await asyncio.to_thread(livebase, *words, "--as", "reviewer:zhao", "-o", "json", env=env)

    taken, noted = await asyncio.gather(
        done("review", "take", case), done("note", "add", case, "--text", "typed", "--request-id", "typed")
    )
    assert (taken.code, taken.error["kind"]) == (5, "review_held"), taken
    assert "li" in taken.error["message"] and taken.error["hint"]
    assert (noted.code, noted.json["case_number"]) == (0, case)

    behind = file.with_name("behind.json")
    behind.touch(0o600)
    all_keys = read_key_set(file.read_text())
    behind.write_text(written_key_set(KeySet({first: all_keys.keys[first]})))
    note = ("note", "add", case, "--text", "typed", "--request-id", "again")
    unread = await done(*note, keys=behind)
    assert (unread.code, unread.error["kind"]) == (7, "no_answer")
    assert next(iter(all_keys.keys)) in unread.error["message"], "it says which key is not there"
    assert VARIABLE in unread.error["hint"] and "--request-id again" in unread.error["hint"]
    assert (await done(*note)).json["repeated"] is True, "it was done"


async def test_without_keys_nothing_is_sent_to_a_server_that_is_not_this_machine_s(
    server: LocalServer, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'livebase.db'}"
    migrate(url, local_server=False)
    office = Office(client, Place(tmp_path, url))
    with pytest.raises(BadConfiguration, match=f"{VARIABLE} is not set"):
        await run_worker(client, office.settings)
    open_to_all = tmp_path / "keys.json"
    assert change_keys([str(open_to_all)]) == 0
    open_to_all.chmod(0o644)
    note = ("note", "add", "LB-2026-000001", "--text", "x", "--as", "operator:sun", "-o", "json")
    for env, why in (({}, "is not set"), ({VARIABLE: str(open_to_all)}, "by others")):
        done = await asyncio.to_thread(Livebase(tmp_path), *note, env={"TEMPORAL_ADDRESS": server.address, **env})
        assert (done.code, done.error["kind"]) == (2, "bad_configuration")
        assert VARIABLE in done.error["message"] and why in done.error["message"]
    with pytest.raises(Broken, match="the server is no local one"):
        await diagnosed(server, tmp_path)
    open_to_all.chmod(0o600)
    monkeypatch.setenv(VARIABLE, str(open_to_all))
    assert re.fullmatch(r"2\S+ seals, 1 are known", await diagnosed(server, tmp_path))
    office.close()


async def test_a_local_server_s_database_lets_nothing_go_in_clear_to_another_machine(
    client: Client, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'livebase.db'}"
    migrate(url, local_server=True)
    elsewhere = await Client.connect("192.0.2.1:7233", lazy=True)
    office = Office(client, Place(tmp_path, url))
    with pytest.raises(BadConfiguration, match=f"{VARIABLE} is not set"):
        await run_worker(elsewhere, office.settings)
    office.close()
    note = ("note", "add", "LB-2026-000001", "--text", "x", "--as", "operator:sun", "-o", "json")
    done = await asyncio.to_thread(Livebase(tmp_path), *note, "--address", "192.0.2.1:7233")
    assert (done.code, done.error["kind"]) == (2, "bad_configuration"), done
    assert f"{VARIABLE} is not set" in done.error["message"]


async def diagnosed(server: LocalServer, folder: Path) -> str:
    """What the doctor says of the keys."""
    return await dict(machine_checks.of(Session(address=server.address, data_dir=str(folder))))["payload keys"]()


async def sealing(server: LocalServer, file: Path) -> tuple[Client, KeyRing]:
    ring = key_ring({VARIABLE: str(file)})
    assert ring is not None
    return await connect(server.target, identity="tests", keys=ring), ring


async def test_nothing_of_a_case_can_be_read_in_temporal_s_database(
    disk: tuple[LocalServer, Path], file: Path, tmp_path: Path
) -> None:
    server, folder = disk
    found: dict[str, dict[str, int]] = {}
    client, _ = await sealing(server, file)
    for marker, its_client in (("sealed", client), ("clear", await connect(server.target, identity="tests"))):
        (tmp_path / marker).mkdir()
        office = Office(its_client, tmp_path / marker)
        async with office.worker():
            said = await way(office, marker)
        office.close()
        there = b"".join(one.read_bytes() for one in folder.glob("temporal.db*"))
        found[marker] = {text: there.count(text.encode()) for text in said}
    assert set(found["sealed"].values()) == {0}, found
    assert min(found["clear"].values()) > 0, found


async def way(office: Office, marker: str) -> list[str]:
    """From an application to a term, and another one rejected; what people gave as reasons, and what was told them."""
    reason, payer, name = (f"{marker}-{what}" for what in ("warehouse", "payer", "reviewer"))
    rejected = await acts.in_review(office)
    await rejected.do(Reject, Actor(role=Role.REVIEWER, name=name), revision=1, reason=reason)
    base = await acts.in_deposit(office)
    await acts.pay(base, 4_000_000, f"{base.credit_code}-other", payer=payer)  # counted for nobody yet
    await acts.pay(base)
    await base.do(Certify, CERTIFIER)
    await until(lambda: base.case.stage is Stage.VALID, "published")
    with pytest.raises(Refusal) as refused:  # by the transaction, so that it is in the history
        await base.do(Certify, CERTIFIER)
    return [reason, payer, name, refused.value.message]


async def test_cases_go_on_while_keys_change_and_what_is_in_clear_is_refused(
    server: LocalServer, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connection.codec._LOOK_AGAIN", 0.1)
    client, ring = await sealing(server, file)
    first, _ = ring.newest
    office = Office(client, tmp_path)
    queue = office.settings.task_queue
    ids = [name(queue) for name in (schedule_id, seals_schedule_id, census_schedule_id, verification_schedule_id)]
    async with office.worker(Channel(failures=1)):
        unpublished = await acts.in_failing_publication(office)
        assert "the channel is down" in str(acts.timeline(unpublished)[-1]["detail"]), "read as it was raised"
        waiting = await acts.in_review(office)
        base = await acts.in_valid(office)
        case = await accused(base)
        await case.runs()
        assert await acts.known_to_workflow(base) == base.case
        assert "Next" in (await metadata(client, base.workflow_id)).current_details
        for keep in SCHEDULES:
            await keep(client, queue)
        for shift in [await shift_of(client, id) for id in ids]:
            await armed(client, shift)

        # A new key, put in front by somebody else: who meets it reads the file again.
        assert change_keys([str(file)]) == 0
        newcomer, newest = await sealing(server, file)
        office.client = newcomer
        await waiting.do(TakeReview, REVIEWER)
        await case.respond()
        await case.decide("dismissed")
        assert ring.newest[0] == newest.newest[0] != first
        for workflow_id in (waiting.workflow_id, case.workflow_id):
            assert await keys_in(client, workflow_id) == {first, newest.newest[0]}
        assert await acts.known_to_workflow(base) == base.case

    # Nobody remembers anything: all is read again, what the old key sealed too. Schedules start with the newest key.
    office.client = client = newcomer
    async with office.worker():
        for keep in SCHEDULES:
            await keep(client, queue)
        actions: list[Any] = [(await client.get_schedule_handle(id).describe()).schedule.action for id in ids]
        assert {key_of(one) for action in actions for one in action.args} == {newest.newest[0]}
        before = await shift_of(client, ids[0])
        await client.get_workflow_handle(before).terminate("the test wants another")
        await asyncio.sleep(1)  # a schedule names what it starts by the second
        await client.get_schedule_handle(ids[0]).trigger()
        await armed(client, await shift_of(client, ids[0], after=before))

        # In clear, from a client that has no keys.
        plain = await connect(server.target, identity="tests")
        note = waiting.command(AddNote, OPERATOR, text="in clear")
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await plain.get_workflow_handle(waiting.workflow_id).execute_update(note.action, note, id="clear")
        assert "Failed decoding arguments" not in str(refused.value.cause), "its words are sealed as well"
        await plain.get_workflow_handle(waiting.workflow_id).signal("calendar_changed", "in clear")
        with pytest.raises(WorkflowQueryFailedError):
            await plain.get_workflow_handle(waiting.workflow_id).query("case", "in clear")
        await waiting.do(AddNote, OPERATOR, text="sealed")
        assert [entry["event"] for entry in acts.timeline(waiting)].count("note_added") == 1

        await typed(Livebase(tmp_path), server, file, waiting.case.case_number, first)

        # Sealed with a key that only comes later: the task fails and is tried again, the case loses nothing.
        early = tmp_path / "early.json"
        early.touch(0o600)
        early.write_text(file.read_text())
        assert change_keys([str(early)]) == 0
        ahead, _ = await sealing(server, early)
        office.client = ahead
        asked = asyncio.create_task(waiting.do(Approve, REVIEWER, revision=1))
        await failed_task(client, waiting.workflow_id)
        assert not asked.done()
        file.write_text(early.read_text())
        assert (await asyncio.wait_for(asked, 60)).stage is Stage.DEPOSIT
        acts.check_books(waiting)
    for id in ids:
        await client.get_schedule_handle(id).delete()
    office.close()


async def metadata(client: Client, workflow_id: str) -> WorkflowMetadata:
    """What Temporal Web asks for."""
    handle = client.get_workflow_handle(workflow_id)
    found: WorkflowMetadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return found


async def keys_in(client: Client, workflow_id: str) -> set[str | None]:
    """The keys the inputs of a workflow's updates and activities are sealed with, over all its runs."""
    found = set()
    async for run in runs(client, workflow_id):
        for event in run:
            given = event.workflow_execution_started_event_attributes.input.payloads
            accepted = event.workflow_execution_update_accepted_event_attributes.accepted_request.input.args.payloads
            found |= {key_of(one) for one in (*given, *accepted)}
    return found


async def shift_of(client: Client, schedule: str, after: str = "") -> str:
    """The workflow id of the newest shift a schedule has started, not `after`."""
    for _ in range(400):
        actions = (await client.get_schedule_handle(schedule).describe()).info.recent_actions
        if actions and (newest := actions[-1].action).workflow_id != after:  # type: ignore[union-attr]
            return newest.workflow_id  # type: ignore[union-attr, no-any-return]
        await asyncio.sleep(0.05)
    raise AssertionError(f"{schedule} starts nothing")


async def failed_task(client: Client, workflow_id: str) -> None:
    """Wait until a workflow's task has failed; the workflow itself goes on."""
    handle = client.get_workflow_handle(workflow_id)
    for _ in range(400):
        kinds = [event.event_type async for event in handle.fetch_history_events()]
        if EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED in kinds:
            assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
            return
        await asyncio.sleep(0.05)
    raise AssertionError("no task has failed")
