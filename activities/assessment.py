"""A quarter's assessment: figures on record, results confirmed, every base told of what is its own (decision 22)."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError
from temporalio import activity
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.desk import CaseDesk
from domain.assessing import AssessedBase, assess, confirm, require_few_fails, under_assessment
from domain.assessment import ResultConfirmed
from domain.case import Case
from domain.commands import (
    AssessmentNews,
    ConfirmPeriod,
    ImportFigures,
    PeriodAnswer,
    PeriodOutcome,
    PeriodView,
)
from domain.figures import Figures, from_canonical
from domain.permissions import require_permission
from domain.policy import PolicyBook
from domain.refusals import Refusal, RefusalKind, missent
from domain.shanghai import shanghai_date
from domain.tracing import unseen
from store.assessments import AssessmentStore, PeriodTransaction
from store.conflicts import again_after_conflict
from store.documents import DocumentDamaged, DocumentMissing, Documents

SIGNAL = "assessment_news"
"""The signal of a case's workflow, with an `AssessmentNews`."""
_AT_ONCE = 20
_OWN_FAULTS = (AssertionError, LookupError, TypeError, ValueError, DBAPIError)
"""What is wrong with one case, or in the way of it: its own run is told and shows it, the others hear all the same."""


class AssessmentActivities:
    """What a quarter does. `now` is the quarter's clock, for `record_assessment` the case's."""

    def __init__(
        self, desk: CaseDesk, store: AssessmentStore, documents: Documents, policies: PolicyBook, client: Client
    ) -> None:
        self._desk = desk
        self._store = store
        self._documents = documents
        self._policies = policies
        self._client = client

    @activity.defn
    def import_figures(self, command: ImportFigures, now: datetime) -> PeriodOutcome:
        """Put a batch of figures on record in one transaction; the first answer for a repeat, a refusal as data."""
        return self._once(command, now, self._import)

    @activity.defn
    def confirm_period(self, command: ConfirmPeriod, now: datetime) -> PeriodOutcome:
        """Confirm what of the quarter is ripe, in one transaction; as above."""
        return self._once(command, now, self._confirm)

    @activity.defn
    async def tell_bases(self, period: str, now: datetime) -> PeriodView:
        """Have every base hear of what it has not heard of; how the quarter stands then.

        A run that must do or show something because of it is signalled, and its case hears then: `hear` counts them.
        """
        bases = await asyncio.to_thread(self._store.assessed, period, now)
        cases = {base.case.case_number: base.case for base in bases}
        waiting, heard = [base for base in bases if base.hears], 0
        for first in range(0, len(waiting), _AT_ONCE):
            batch = waiting[first : first + _AT_ONCE]
            for case in await asyncio.gather(*(self._tell(base, period) for base in batch)):
                if case is not None:
                    cases[case.case_number] = case
                    heard += 1
            activity.heartbeat(first)
        quarters = [known for case in cases.values() if (known := case.assessment(period))]
        clocks = {base.case.case_number: base.now for base in bases}
        states = Counter(
            known.state
            for number, case in cases.items()
            if (known := case.assessment(period))
            and (known.state == "confirmed" or under_assessment(case, clocks[number]))
        )
        fails = sum(1 for known in quarters if known.result == "fail")
        return PeriodView(bases=len(bases), hear=len(waiting) - heard, states=dict(states), fails=fails)

    @activity.defn
    def record_assessment(self, workflow_id: str, now: datetime) -> Case:
        """A case hears of its figures and confirmations; once it has, nothing changes."""
        return self._desk.hear(workflow_id, now)

    @again_after_conflict
    def _once(self, command: Any, now: datetime, act: Any) -> PeriodOutcome:
        try:
            require_permission(command.action, command.actor, None)
            with self._store.transaction() as tx:
                if (before := tx.done_before(command, PeriodAnswer, now)) is not None:
                    return PeriodOutcome(answer=before)
                tx.authorise(command, now)
                answer: PeriodAnswer = act(tx, command, now)
                tx.remember(command, answer, now)
                return PeriodOutcome(answer=answer)
        except Refusal as refusal:
            with self._store.transaction() as tx:
                tx.refused(command, refusal.detail, now)
            return PeriodOutcome(refusal=refusal.detail)

    def _import(self, tx: PeriodTransaction, command: ImportFigures, now: datetime) -> PeriodAnswer:
        rows = self._batch(command)
        bases = tx.bases([row.credit_code for row in rows], command.period, now)
        lines = assess(rows, bases, self._policies)
        require_few_fails(lines, self._policies.in_force(shanghai_date(now)), looked_at=command.looked_at)
        clocks = {base.case.case_number: base.now for known in bases.values() for base in known}
        for row, line in zip(rows, lines, strict=True):
            if line.outcome in ("recorded", "corrected") and line.case_number is not None:
                tx.add(line, row, command.batch, command.actor.name, clocks[line.case_number])
        return self._answer(command, now, lines)

    def _confirm(self, tx: PeriodTransaction, command: ConfirmPeriod, now: datetime) -> PeriodAnswer:
        bases = {base.case.case_number: base for base in tx.assessed(command.period, now)}
        importers = tx.importers(command.period)
        found = confirm(tuple(bases.values()), command.period, command.actor.name, importers)
        for one in found:
            if one.outcome == "confirmed":
                at = bases[one.case_number].now
                news = ResultConfirmed(one.period, one.revision, one.result, command.actor.name, at)
                tx.confirm(one.case_number, news)
        return self._answer(command, now, found)

    def _answer(self, command: Any, now: datetime, rows: Sequence[Any]) -> PeriodAnswer:
        """The answer; what became of each line is handed over as a document, however many there are."""
        return PeriodAnswer(
            request_id=command.request_id,
            accepted_at=now,
            period=command.period,
            report=self._documents.put(_canonical(rows)),
            totals=dict(Counter(row.outcome for row in rows)),
            failing=sum(1 for row in rows if row.result == "fail" and row.outcome != "waiting"),
        )

    def _batch(self, command: ImportFigures) -> tuple[Figures, ...]:
        """The figures a command brings, judged again: whoever sent it need not have."""
        again = "Send it again: figures are handed over first. Worker and command line must share LIVEBASE_DOCUMENTS."
        try:
            rows = from_canonical(self._documents.get(command.batch))
        except (DocumentMissing, DocumentDamaged) as error:
            raise Refusal(RefusalKind.INVALID_FILE, f"The figures can't be read: {error}.", again) from None
        except (ValueError, RecursionError):
            raise Refusal(RefusalKind.INVALID_FILE, "The figures are none.", "Import the file again.") from None
        if {row.period for row in rows} != {command.period}:
            raise missent("The figures are sent to another quarter's workflow.")
        return rows

    async def _tell(self, base: AssessedBase, period: str) -> Case | None:
        """The case of one base that has heard; None when its run has been signalled.

        One whose workflow has ended is written to as it stands on record.
        """
        if (heard := await asyncio.to_thread(self._hear_beside, base)) is not None:
            return heard
        try:
            handle = self._client.get_workflow_handle(base.case.workflow_id)
            await handle.signal(SIGNAL, AssessmentNews(period=period, at=base.now))
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return await asyncio.to_thread(self._desk.hear, base.case.workflow_id, base.now)
        return None

    def _hear_beside(self, base: AssessedBase) -> Case | None:
        try:
            return self._desk.hear_beside(
                base.case.workflow_id, base.now, lambda before, after: unseen(before, after, base.now)
            )
        except _OWN_FAULTS:
            activity.logger.exception("a case could not hear of its assessment")
            return None


def _canonical(rows: Sequence[BaseModel]) -> bytes:
    data = [row.model_dump(mode="json") for row in rows]
    return json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
