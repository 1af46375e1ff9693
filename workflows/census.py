"""The census, from a schedule: every few minutes, whether all that is live on record runs.

census → pause → census …

A run is a shift, as those of letters and seals. Somebody may terminate or reset a workflow by hand, in Temporal Web or
past the command line: within five minutes it is on the case's record and in the operator's mail.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict
from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from domain.census import Census

CENSUS = "TakeCensus"

# Thousands of cases against a list of the server's; what one does not get to, the next one does.
LOOKING: dict[str, Any] = {
    "start_to_close_timeout": timedelta(minutes=5),
    "schedule_to_close_timeout": timedelta(minutes=5),
    "heartbeat_timeout": timedelta(seconds=30),
    "retry_policy": RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=20)),
}
SHIFT = timedelta(hours=6)
PAUSE = timedelta(minutes=3)


class CensusOrders(BaseModel):
    """A shift's start input."""

    model_config = ConfigDict(extra="allow", frozen=True)


@workflow.defn(name=CENSUS)
class TakeCensus:
    """Takes the census until its shift is over, then goes on as a new run."""

    @workflow.run
    async def run(self, orders: CensusOrders) -> None:
        over = workflow.now() + SHIFT
        while workflow.now() < over and not workflow.info().is_continue_as_new_suggested():
            try:
                census: Census = await workflow.execute_activity(
                    "take_census",
                    args=[workflow.now()],
                    result_type=Census,
                    summary="all that is live runs?",
                    **LOOKING,
                )
                _show(census)
            except ActivityError as error:
                workflow.logger.warning("the census was not taken: %s", error.cause or error)
            await workflow.sleep(PAUSE, summary="until the next census")
        workflow.continue_as_new(orders)


def _show(census: Census) -> None:
    rows = (
        "| | |",
        "|---|---|",
        f"| 在办案件 Live cases | {census.cases} |",
        f"| 流程未运行 Workflows that do not run | {census.stopped} |",
        f"| 本次已上报 Told now | {census.told} |",
    )
    workflow.set_current_details("\n".join(rows))
