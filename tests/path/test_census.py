"""Workflows terminated or reset by hand: found by the census, on record, and taken up again from the record."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from activities.census import CensusActivities
from activities.desk import CaseDesk
from connection import histories
from domain.census import Census
from domain.commands import AddNote, TakeReview
from domain.conduct import conduct_workflow_id
from domain.stages import Role, Stage
from store.calendar import CalendarStore
from store.reference import policy_book
from tests.databases import Place
from tests.office import OPERATOR, REVIEWER, Base, Office, until, working_office
from tests.path import acts
from tests.path.test_conduct import accused
from workflows.census import CENSUS, CensusOrders
from workflows.state import CertificationState

ONLY_ON = "sqlite"


async def taken(office: Office) -> Census:
    """Take the census once."""
    desk = CaseDesk(office.cases, office.documents, policy_book())
    census = CensusActivities(desk, CalendarStore(office.engine), office.client)
    found: Census = await ActivityEnvironment().run(census.take_census, datetime.now(UTC))
    return found


async def listed(office: Office, query: str, count: int) -> None:
    """Wait until the server's list has so many."""
    for _ in range(400):
        if len([run async for run in office.client.list_workflows(query)]) >= count:
            return
    raise AssertionError(query)


def told(base: Base) -> list[str]:
    return [event for event in acts.events(base) if event.startswith("workflow_")]


async def test_a_terminated_case_is_told_once_and_taken_up_by_the_next_command(client: Client, place: Place) -> None:
    async with working_office(client, place) as office:
        base, other = await office.applied(), await office.applied()
        await base.handle.terminate("by hand")
        await listed(office, f"WorkflowId = '{base.workflow_id}' AND ExecutionStatus = 'Terminated'", 1)
        first, second = await taken(office), await taken(office)
        assert (first, second) == (Census(cases=2, stopped=1, told=1), Census(cases=2, stopped=1, told=0))
        assert told(base) == ["workflow_stopped"] and told(other) == []
        assert acts.letters(base)[-1] == "workflow_stopped"
        assert base.case.stage is Stage.REVIEW and base.case.awaiting is Role.REVIEWER

        note = base.command(AddNote, OPERATOR, text="taken up")
        await base.send_with_start(note, CertificationState(reopened=True))
        assert await acts.known_to_workflow(base) == base.case
        await taken(office)
        assert told(base) == ["workflow_stopped"], "its end was told before"
        assert (await base.do(TakeReview, REVIEWER)).stage is Stage.REVIEW
        acts.check_books(base)


async def test_a_terminated_conduct_case_is_told_with_its_certification(client: Client, place: Place) -> None:
    async with working_office(client, place) as office:
        base = await acts.in_valid(office)
        await accused(base)
        (conduct,) = base.case.open_conduct
        workflow = conduct_workflow_id(base.workflow_id, conduct.id)
        await office.client.get_workflow_handle(workflow).terminate("by hand")
        await listed(office, f"WorkflowId = '{workflow}' AND ExecutionStatus = 'Terminated'", 1)
        await taken(office)
        assert told(base) == ["workflow_stopped"]
        assert acts.timeline(base)[-1]["detail"]["workflow"] == workflow
        await until(lambda: base.case.stage is Stage.VALID, "the case goes on")
        acts.check_books(base)


async def test_a_reset_case_is_told_and_knows_again_what_is_on_record(client: Client, place: Place) -> None:
    async with working_office(client, place) as office:
        base = await office.applied()
        await base.do(TakeReview, REVIEWER)
        (run,) = [run async for run in histories.runs(client, base.workflow_id)]
        first = next(event for event in run if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)
        await client.workflow_service.reset_workflow_execution(
            ResetWorkflowExecutionRequest(
                namespace=client.namespace,
                workflow_execution=WorkflowExecution(workflow_id=base.workflow_id),
                workflow_task_finish_event_id=first.event_id,
                reason="by hand",
                request_id="reset",
            )
        )
        await listed(office, f"WorkflowId = '{base.workflow_id}' AND ExecutionStatus = 'Terminated'", 1)
        await listed(office, f"WorkflowId = '{base.workflow_id}' AND ExecutionStatus = 'Running'", 1)
        await taken(office)
        assert told(base) == ["workflow_ran_again"]
        assert acts.letters(base)[-1] == "workflow_stopped"
        assert base.case.review_held_by == REVIEWER.name
        for _ in range(200):
            if (known := await acts.known_to_workflow(base)) == base.case:
                break
        assert known == base.case


async def test_so_many_at_once_are_another_server_and_no_case_s_matter(
    client: Client, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activities.census.MOST_TOLD", 1)
    async with working_office(client, place) as office:
        bases = [await office.applied(), await office.applied()]
        for base in bases:
            await base.handle.terminate("by hand")
            await listed(office, f"WorkflowId = '{base.workflow_id}' AND ExecutionStatus = 'Terminated'", 1)
        assert await taken(office) == Census(cases=2, stopped=2, told=0)
        assert [told(base) for base in bases] == [[], []]


async def test_the_census_is_taken_from_its_workflow(client: Client, place: Place) -> None:
    async with working_office(client, place) as office:
        base = await office.applied()
        await base.handle.terminate("by hand")
        await listed(office, f"WorkflowId = '{base.workflow_id}' AND ExecutionStatus = 'Terminated'", 1)
        queue = office.settings.task_queue
        handle = await client.start_workflow(CENSUS, CensusOrders(), id=f"{queue}-census", task_queue=queue)
        await until(lambda: told(base) == ["workflow_stopped"], "found")
        await handle.terminate("the test is over")
