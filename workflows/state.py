"""What a certification carries from run to run: one object, whole, through continue-as-new."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from domain.case import Case
from domain.commands import Answer, Command

REMEMBERED = 200
"""How many answers a run carries on; older ones are in the store for good (decision 32)."""


class Remembered(BaseModel):
    """An answer already given, with the hash of the parameters it was given for."""

    model_config = ConfigDict(extra="allow", frozen=True)

    params_hash: str
    answer: Answer


class CertificationState(BaseModel):
    """The whole state of a certification workflow, and its start input.

    `case` is the case as stored, None until an application opens one. `reopened` marks a run started on a
    closed case for what may still come to it (a late payment): the store judges then, not the run. `opens_at`
    is given where a case starts on a moved clock (decision 6): nothing counts before it.
    """

    model_config = ConfigDict(extra="allow")

    case: Case | None = None
    recent: dict[str, Remembered] = {}
    reopened: bool = False
    opens_at: datetime | None = None

    def remember(self, command: Command, answer: Answer) -> None:
        """Keep the answer; the oldest goes when there are too many."""
        self.recent[command.request_id] = Remembered(params_hash=command.params_hash(), answer=answer)
        while len(self.recent) > REMEMBERED:
            self.recent.pop(next(iter(self.recent)))


class CaseOutcome(BaseModel):
    """How a run ended: what the workflow's result shows."""

    model_config = ConfigDict(extra="allow")

    case_number: str | None
    outcome: str
