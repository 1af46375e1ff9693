"""Sealing the audit log, from a schedule: what went on is sealed every minute and copied outside the database.

seal → pause → seal …

A run is a shift, as that of the letters (`workflows/letters.py`); all that is to be remembered is in the store. Why
seals are made now and then, and not by each transaction, is told in `store/sealing.py`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict
from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from domain.sealing import Sealed

SEALING = "SealAuditLog"

# One short transaction and one line in a file; what it leaves undone the next one does.
SEAL: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=10),
    "schedule_to_close_timeout": timedelta(seconds=60),
    "retry_policy": RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=10)),
}
SHIFT = timedelta(hours=6)
PAUSE = timedelta(minutes=1)


class SealOrders(BaseModel):
    """A shift's start input."""

    model_config = ConfigDict(extra="allow", frozen=True)


@workflow.defn(name=SEALING)
class SealAuditLog:
    """Seals until its shift is over, then goes on as a new run."""

    @workflow.run
    async def run(self, orders: SealOrders) -> None:
        over = workflow.now() + SHIFT
        while workflow.now() < over and not workflow.info().is_continue_as_new_suggested():
            sealed = await self._seal()
            if sealed is None or not sealed.more:
                await workflow.sleep(PAUSE, summary="until the next seal")
        workflow.continue_as_new(orders)

    async def _seal(self) -> Sealed | None:
        try:
            sealed: Sealed = await workflow.execute_local_activity(
                "seal_audit_log", args=[workflow.now()], result_type=Sealed, **SEAL
            )
        except ActivityError:
            workflow.logger.warning("the audit log was not sealed")
            return None
        _show(sealed)
        return sealed


def _show(sealed: Sealed) -> None:
    copied = "—" if sealed.copied is None else str(sealed.copied)
    rows = (
        "| | |",
        "|---|---|",
        f"| 最新封存 Newest seal | {sealed.seal} |",
        f"| 库外副本 Copied outside as far as | {sealed.fault or copied} |",
    )
    workflow.set_current_details("\n".join(rows))
