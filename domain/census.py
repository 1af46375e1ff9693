"""Whether what is live on record runs: a workflow ended by hand stops every deadline of its case, so it is told.

Found by the census (`workflows/census.py`). The official list does not hang on it: it reads the store alone.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.case import Case
from domain.conduct import conduct_workflow_id
from domain.letters import letter
from domain.records import Transition
from domain.setting import SYSTEM, Setting, step
from domain.stages import Stage

How = Literal["terminated", "canceled", "failed", "timed_out", "completed", "paused", "unknown", "runs_again"]
"""How a run has ended that should not have; `runs_again`: it was terminated or reset, and another one is at work."""
_CHINESE: dict[str, str] = {
    "terminated": "被人工终止",
    "canceled": "被取消",
    "failed": "出错结束",
    "timed_out": "超时结束",
    "completed": "已结束",
    "paused": "被人工暂停",
    "unknown": "服务器上没有",
    "runs_again": "被人工终止或重置,现已重新运行",
}
REMEMBERED = 20
"""How many runs told of a case keeps in mind."""


class Census(BaseModel):
    """What a census found: live cases, workflows of theirs that do not run as they should, and how many were told now.

    `told` is less than `stopped` when they were told before, or so many that the server is not that of the database.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    cases: int = 0
    stopped: int = 0
    told: int = 0


def expected(case: Case) -> tuple[str, ...]:
    """The ids of the workflows that should run for a live case: its own, and those of its open conduct cases."""
    conduct = (conduct_workflow_id(case.workflow_id, one.id) for one in case.open_conduct)
    return (case.workflow_id, *conduct)


def stopped(case: Case, workflow: str, run: str, how: How, setting: Setting) -> Transition | None:
    """Put on record, and tell the operator, that a run has ended; once for each. None when there is nothing to tell."""
    if case.stage is Stage.CLOSED or workflow not in expected(case) or run in case.stopped_runs:
        return None
    again = how == "runs_again"
    return step(
        case,
        setting,
        "workflow_ran_again" if again else "workflow_stopped",
        SYSTEM,
        letter(
            case,
            "workflow_stopped.again" if again else "workflow_stopped",
            setting,
            workflow=workflow,
            how=_CHINESE.get(how, how),
        ),
        detail={"workflow": workflow, "run": run, "how": how},
        stopped_runs=(*case.stopped_runs, run)[-REMEMBERED:],
    )
