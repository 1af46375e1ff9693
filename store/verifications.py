"""Which certified bases' verification is to be looked at again (edge case 41)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from domain import agenda
from domain.case import Case
from domain.policy import PolicyBook
from domain.verification import CHECKED_IN, is_due
from store import tables
from store.conflicts import again_after_conflict

_AT_ONCE = 100


class VerificationStore:
    """Reads on one engine. Instants come from the caller; each case's clock is theirs and its offset."""

    def __init__(self, engine: Engine, policies: PolicyBook) -> None:
        self._engine = engine
        self._policies = policies

    @again_after_conflict
    def due(self, now: datetime) -> tuple[str, ...]:
        """The workflow ids of at most a hundred such bases, in the order of their numbers.

        Every certified case is read for it, some ten thousand in a second or two; it is looked for every ten minutes.
        """
        row = tables.CaseRow
        stages = [stage.value for stage in CHECKED_IN]
        statement = select(row).where(row.stage.in_(stages), ~row.ended).order_by(row.case_number)
        found: list[str] = []
        with Session(self._engine) as session:
            for one in session.scalars(statement.execution_options(yield_per=500)):
                case = Case.model_validate(one.facts)
                months = self._policies.pinned(case.policy_version).verification_months
                clock = now + timedelta(milliseconds=one.clock_offset_ms)
                # What its own run is about to do, an end above all, comes first.
                if is_due(case, clock, months) and agenda.legally_due(case, clock) is None:
                    found.append(case.workflow_id)
                if len(found) == _AT_ONCE:
                    break
        return tuple(found)

    @again_after_conflict
    def clock(self, workflow_id: str, now: datetime) -> datetime:
        """A case's own clock. LookupError for an unknown case."""
        row = tables.CaseRow
        with Session(self._engine) as session:
            offset = session.scalar(select(row.clock_offset_ms).where(row.workflow_id == workflow_id))
        if offset is None:
            raise LookupError(f"{workflow_id} has no case in the store")
        return now + timedelta(milliseconds=offset)
