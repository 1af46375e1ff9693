"""What a certification carries from run to run: one object, whole, through continue-as-new."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from domain.case import Case
from domain.commands import Answer, Command, PeriodView, UnplacedView
from domain.notices import NoticeReference, Told

REMEMBERED = 200
"""How many answers a run carries on; older ones are in the store for good (decision 32)."""
NOTICES_REMEMBERED = 10
"""How many calendar notices a run remembers to have counted by; being told once more changes nothing anyway."""


class Remembered(BaseModel):
    """An answer already given, with the hash of the parameters it was given for."""

    model_config = ConfigDict(extra="allow", frozen=True)

    params_hash: str
    answer: Answer


class CertificationState(BaseModel):
    """The whole state of a certification workflow, and its start input.

    `case` is the case as stored, None until an application opens one. `reopened` marks a run started on a
    closed case for what may still come to it (a late payment): the store judges then, not the run. `opens_at`
    is given where a case starts on a moved clock (decision 6): nothing counts before it. `notices` are the calendar
    notices told of (sha256 → reference) by which the deadlines are still to be counted again. `unheard`: the case was
    changed beside this run and is to be read again. `to_tell`: conduct cases this run has changed, whose workflows
    have yet to hear of it; `to_run`: those it has opened again, whose workflows are yet to be run again.
    """

    model_config = ConfigDict(extra="allow")

    case: Case | None = None
    recent: dict[str, Remembered] = {}
    reopened: bool = False
    opens_at: datetime | None = None
    notices: dict[str, NoticeReference] = {}
    unheard: bool = False
    to_tell: list[str] = []
    to_run: list[str] = []
    counted_by: list[str] = []

    def remember(self, command: Command, answer: Answer) -> None:
        """Keep the answer; the oldest goes when there are too many."""
        self.recent[command.request_id] = Remembered(params_hash=command.params_hash(), answer=answer)
        while len(self.recent) > REMEMBERED:
            self.recent.pop(next(iter(self.recent)))

    def note(self, notice: NoticeReference) -> None:
        """A calendar notice was told of; a second time it is known."""
        if notice.sha256 not in self.counted_by:
            self.notices[notice.sha256] = notice

    def counted(self, notices: Iterable[NoticeReference]) -> None:
        """The deadlines have been counted again by these notices."""
        for notice in notices:
            self.notices.pop(notice.sha256, None)
            self.counted_by.append(notice.sha256)
        del self.counted_by[:-NOTICES_REMEMBERED]


class ConductState(BaseModel):
    """The whole state of a conduct case's workflow, and its start input.

    `case` is its certification case as stored, None until the report is in; `unheard` when that has changed since,
    `untold` when the certification's workflow has yet to hear of a change. `opens_at` as in `CertificationState`.
    """

    model_config = ConfigDict(extra="allow")

    case_workflow: str
    conduct: str
    case: Case | None = None
    recent: dict[str, Remembered] = {}
    opens_at: datetime | None = None
    unheard: bool = False
    untold: bool = False

    def remember(self, command: Command, answer: Answer) -> None:
        """Keep the answer; a conduct case has few."""
        self.recent[command.request_id] = Remembered(params_hash=command.params_hash(), answer=answer)


class ConductOutcome(BaseModel):
    """How a conduct case ended: what the workflow's result shows."""

    model_config = ConfigDict(extra="allow")

    conduct: str
    outcome: str


class CaseOutcome(BaseModel):
    """How a run ended: what the workflow's result shows."""

    model_config = ConfigDict(extra="allow")

    case_number: str | None
    outcome: str


class PeriodState(BaseModel):
    """The whole state of a quarter's workflow, and its start input: `news` since the bases were told last."""

    model_config = ConfigDict(extra="allow")

    period: str
    news: bool = False
    view: PeriodView = PeriodView()


class UnplacedState(BaseModel):
    """The whole state of the workflow of a payment that is no case's, and its start input. Fen.

    `view` is where the payment is, as far as the run has heard; `attempts` how often the bank was asked for the order
    under way.
    """

    model_config = ConfigDict(extra="allow")

    reference: str | None = None
    amount: int = 0
    case_number: str | None = None
    view: UnplacedView | None = None
    attempts: int = 0


class UnplacedResult(BaseModel):
    """The case a payment has come to, None for one that was returned; None for both when none was recorded."""

    model_config = ConfigDict(extra="allow")

    reference: str | None = None
    case_number: str | None = None


class ImportState(BaseModel):
    """The whole state of an import's workflow, and its start input: the notice once it is in, and who was told."""

    model_config = ConfigDict(extra="allow")

    notice: NoticeReference | None = None
    new: bool = True
    told: Told = Told()
    moved: int = 0
    left: int | None = None


class ImportResult(BaseModel):
    """How an import ended: how many live cases were told (`gone` had ended by then), in how many a deadline moved.

    `left` have not counted theirs again yet; they will when their workflow gets to it. None when nothing was imported.
    """

    model_config = ConfigDict(extra="allow")

    notice: NoticeReference | None = None
    told: int = 0
    gone: int = 0
    moved: int = 0
    left: int | None = None
