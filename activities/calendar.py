"""A calendar notice: putting it on record, telling every live case, counting a case's deadlines again (decision 5)."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime

from temporalio import activity
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.desk import CaseDesk
from domain.case import Case
from domain.commands import ImportAnswer, ImportCalendar, ImportOutcome, import_workflow_id
from domain.notices import InvalidNotice, Notice, NoticeReference, Progress, Told, read_notice
from domain.permissions import require_permission
from domain.policy import PolicyBook
from domain.recounting import recount
from domain.refusals import Refusal, RefusalKind, request_id_reused
from domain.setting import Setting
from domain.shanghai import shanghai_date
from domain.working_days import Calendar
from store.calendar import CalendarStore, CalendarTransaction, LiveCase
from store.conflicts import again_after_conflict

_BATCH = 20
_PAGE = 500
_READ = 200
_LOOKS, _PAUSE_SECONDS = 50, 0.1
SIGNAL = "calendar_changed"
"""The signal of a case's workflow, with a `NoticeReference`."""


class CalendarActivities:
    """What an import does. `now` is the import's clock, for `recount_deadlines` the case's."""

    def __init__(self, desk: CaseDesk, notices: CalendarStore, policies: PolicyBook, client: Client) -> None:
        self._desk = desk
        self._notices = notices
        self._policies = policies
        self._client = client

    @activity.defn
    def import_calendar(self, command: ImportCalendar, now: datetime) -> ImportOutcome:
        """Put the notice on record, once per content; the first answer for a repeat, a refusal as data."""
        try:
            require_permission(command.action, command.actor, None)
            return self._import(command, now)
        except Refusal as refusal:
            self._notices.refused(command, refusal.detail, now)
            return ImportOutcome(refusal=refusal.detail)

    @activity.defn
    async def tell_live_cases(self, notice: NoticeReference, told: Told, missed: bool, now: datetime) -> Told:
        """Signal the next page of live cases, some hundred; with `missed` only those whose deadlines still differ.

        A retry goes on after the last batch that is known to be told; whoever is told twice takes it once.
        """
        if activity.info().heartbeat_details:
            told = Told.model_validate(activity.info().heartbeat_details[0])
        until = told.told + told.gone + _PAGE
        while told.told + told.gone < until:
            batch = await asyncio.to_thread(self._notices.live_cases, told.after, _BATCH)
            if not batch:
                return told.model_copy(update={"more": False})
            meant = await asyncio.to_thread(self._left, batch, notice, now) if missed else batch
            heard = await asyncio.gather(*(self._tell(live.workflow_id, notice, told) for live in meant))
            await self._most_have_counted(notice, told, now)
            told = Told(
                after=batch[-1].workflow_id,
                told=told.told + heard.count(True),
                gone=told.gone + heard.count(False),
            )
            activity.heartbeat(told)
        return told

    @activity.defn
    def count_cases_left(self, notice: NoticeReference, now: datetime) -> Progress:
        """How many live cases have deadlines that are not the calendar's yet, and in how many the notice moved some."""
        after, left = "", 0
        while batch := self._notices.live_cases(after, _READ):
            left += len(self._left(batch, notice, now))
            after = batch[-1].workflow_id
            activity.heartbeat(after)
        return Progress(moved=self._notices.cases_moved(notice.sha256), left=left)

    @activity.defn
    def recount_deadlines(self, workflow_id: str, notice: NoticeReference, now: datetime) -> Case:
        """A case's deadlines counted again with the calendar as it is now; once it has been done nothing changes."""
        return self._desk.step(workflow_id, now, lambda case, setting: recount(case, setting, notice))

    @again_after_conflict
    def _import(self, command: ImportCalendar, now: datetime) -> ImportOutcome:
        with self._notices.importing() as tx:
            return _imported(tx, command, now)

    async def _tell(self, workflow_id: str, notice: NoticeReference, told: Told) -> bool:
        """Signal one case; False when its workflow has ended. `told` is how far all have been."""
        try:
            await self._client.get_workflow_handle(workflow_id).signal(SIGNAL, notice)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return False
        finally:
            activity.heartbeat(told)
        return True

    async def _most_have_counted(self, notice: NoticeReference, told: Told, now: datetime) -> None:
        """Wait a little while most of a batch has still to count: no person's command shall queue behind thousands."""
        for _ in range(_LOOKS):
            batch = await asyncio.to_thread(self._notices.live_cases, told.after, _BATCH)
            if len(await asyncio.to_thread(self._left, batch, notice, now)) <= _BATCH // 2:
                return
            activity.heartbeat(told)
            await asyncio.sleep(_PAUSE_SECONDS)

    def _left(self, batch: list[LiveCase], notice: NoticeReference, now: datetime) -> list[LiveCase]:
        """Those whose deadlines are not the calendar's yet, each on its own clock."""
        policy, calendar = self._policies.in_force(shanghai_date(now)), self._notices.calendar()
        return [
            live
            for live in batch
            if recount(live.case, Setting(now + live.clock_offset, policy, calendar, policy), notice) is not None
        ]


def _imported(tx: CalendarTransaction, command: ImportCalendar, now: datetime) -> ImportOutcome:
    answered = tx.answered(command.request_id)
    if answered is not None and answered[0] != command.params_hash():
        raise request_id_reused(command.request_id)
    if answered is None:
        tx.authorise(command, now)
    notice = _read(tx.calendar, command, now)
    if answered is not None:
        answer = ImportAnswer.model_validate(answered[1])
        if answer.accepted_at == now:  # a lost attempt of this very import
            return ImportOutcome(answer=answer, notice=notice.reference, new=not answer.repeated)
        return ImportOutcome(answer=answer.model_copy(update={"repeated": True}), notice=notice.reference, new=False)
    new = tx.add(notice, str(command.actor), now)
    answer = ImportAnswer(
        request_id=command.request_id,
        accepted_at=now,
        repeated=not new,
        year=notice.year,
        source=notice.source,
        calendar_version=tx.calendar.version,
        live_cases=tx.count_live_cases(),
    )
    tx.remember(command, answer, now)
    return ImportOutcome(answer=answer, notice=notice.reference, new=new)


def _read(calendar: Calendar, command: ImportCalendar, now: datetime) -> Notice:
    """The notice a command brings, judged again in full: whoever sent it need not have."""
    try:
        data = json.loads(command.content)
        notice = read_notice(data, today=shanghai_date(now), known_years=calendar.years)
    except InvalidNotice as error:
        message = "The notice is not a valid calendar notice."
        raise Refusal(RefusalKind.INVALID_FILE, message, "Mend the file and import it again.", error.problems) from None
    except (ValueError, RecursionError):
        raise Refusal(RefusalKind.INVALID_FILE, "The notice is not JSON.", "Import it again.") from None
    if import_workflow_id(notice.reference) != command.workflow_id:
        message = "The notice is sent to a workflow that is not its own."
        raise Refusal(RefusalKind.INVALID_VALUE, message, "Import it again: livebase calendar import NOTICE.json")
    return notice
