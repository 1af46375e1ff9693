"""Recording that a case's clock was moved: only on the local server (decision 6)."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy


@workflow.defn(name="RecordClock")
class RecordClock:
    """Puts the offset of a case's clock on the case's row, in milliseconds; it leaves no trace in the case's run."""

    @workflow.run
    async def run(self, workflow_id: str, offset_ms: int) -> None:
        await workflow.execute_activity(
            "record_clock",
            args=[workflow_id, offset_ms],
            start_to_close_timeout=timedelta(seconds=5),
            retry_policy=RetryPolicy(maximum_interval=timedelta(seconds=5), maximum_attempts=10),
            summary=f"{timedelta(milliseconds=offset_ms)}",
        )
