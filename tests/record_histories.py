"""Records the histories that `tests/path/test_replay.py` replays: `python -m tests.record_histories`.

Run it once after a deliberate change of the workflow and commit what it writes. Histories recorded by a
released version stay: cases of that version may still be running.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from temporalio.client import Client, WorkflowHistory

from connection.client import connect
from connection.local_server import LocalServer
from tests.office import working_office
from tests.path.test_first_year import live_through_the_first_year

FOLDER = Path(__file__).parent / "histories"


async def main() -> None:
    """The quiet path on a server of its own, one file per run."""
    with tempfile.TemporaryDirectory() as folder:
        async with await LocalServer.start(None, web=False) as server:
            client = await connect(server.target, identity="record_histories")
            async with working_office(client, Path(folder)) as office:
                base = await live_through_the_first_year(office)
                runs = await all_runs(client, base.workflow_id)
    FOLDER.mkdir(exist_ok=True)
    for number, history in enumerate(runs, 1):
        path = FOLDER / f"first_year_{number}.json"
        path.write_text(history.to_json() + "\n", "utf-8")
        print(f"{path}: {len(history.events)} events")


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
