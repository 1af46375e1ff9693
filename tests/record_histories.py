"""Records the histories that `tests/path/test_replay.py` replays: `python -m tests.record_histories`.

One file for each state a workflow waits in (`tests/path/waits.py`: the newest run as it waits), two for the quiet path
from end to end, and `commands.txt`: the commands of each, the baseline of `tests/path/test_upgrades.py`.

Run it after a deliberate change of the workflows and commit what it writes. Histories recorded by a released version
are moved to a folder of its own first (`tests/histories/1.0/`): cases of that version may still be running.
"""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import aclosing
from pathlib import Path

from temporalio.client import Client, WorkflowHistory

from connection.client import connect
from connection.local_server import LocalServer
from tests.mail_server import MailServer
from tests.office import Office, working_office
from tests.path import waits
from tests.path.commands import as_text, commands
from tests.path.test_first_year import live_through_the_first_year
from tests.path.test_publication import Channel

FOLDER = Path(__file__).parent / "histories"
BASELINE = FOLDER / "commands.txt"


async def main() -> None:
    """Everything on a server of its own, one thing after the other."""
    recorded: dict[str, WorkflowHistory] = {}
    with tempfile.TemporaryDirectory() as folder:
        async with await LocalServer.start(None, web=False) as server:
            client = await connect(server.target, identity="record_histories")
            (first_year := Path(folder) / "first_year").mkdir()
            async with working_office(client, first_year) as office:
                base = await live_through_the_first_year(office)
                for number, history in enumerate(await all_runs(client, base.workflow_id), 1):
                    recorded[f"first_year_{number}"] = history
            for name, wait in waits.WAITS.items():
                (own := Path(folder) / name).mkdir()
                recorded[name] = await at_the_wait(client, own, wait)
    FOLDER.mkdir(exist_ok=True)
    for name, history in recorded.items():
        without_stack_traces(history)
        path = FOLDER / f"{name}.json"
        path.write_text(history.to_json() + "\n", "utf-8")
        print(f"{path.relative_to(FOLDER.parent.parent)}: {len(history.events)} events")
    BASELINE.write_text(as_text({name: commands(history.events) for name, history in recorded.items()}), "utf-8")


async def at_the_wait(client: Client, folder: Path, wait: waits.Wait) -> WorkflowHistory:
    """The newest run of a workflow brought to a wait, in an office of its own in an empty `folder`."""
    async with MailServer() as mail:
        office = Office(client, folder)
        channel = Channel() if wait.channel_down else None
        worker = office.worker(channel, waits.room(mail) if wait.mail else None)
        async with worker, aclosing(wait.live(office)) as steps:
            return (await all_runs(client, await anext(steps)))[-1]


def without_stack_traces(history: WorkflowHistory) -> None:
    """They name this machine's folders; nothing replays them."""
    for event in history.events:
        failure = event.activity_task_failed_event_attributes.failure
        if failure.stack_trace:
            failure.stack_trace = ""


async def all_runs(client: Client, workflow_id: str) -> list[WorkflowHistory]:
    """The whole history of each run, first run first."""
    described = await client.get_workflow_handle(workflow_id).describe()
    run_id: str = described.raw_description.workflow_execution_info.first_run_id
    runs = []
    while run_id:
        history = await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
        runs.append(history)
        run_id = history.events[-1].workflow_execution_continued_as_new_event_attributes.new_execution_run_id
    return runs


if __name__ == "__main__":
    asyncio.run(main())
