"""The official list beside the audit log, once a second, whoever is killed meanwhile.

What the log says of a base is worked out from what its entries left (stage, terms, holds, ending, list revision), never
from the list's own revisions.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, select

from store import tables
from store.register import ListReader

SECOND = 1.0
Left = tuple[str, dict[str, Any]]
"""An entry's event and what it left."""


class ListWatch:
    """Reads on one engine, best a read-only one. `looks` is how often it has compared, `listed` the most it saw."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reader = ListReader(engine)
        self.looks = 0
        self.listed = 0

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncIterator[ListWatch]:
        """Compare once a second while the block runs. Raises AssertionError with the first base they differ on."""
        async with asyncio.TaskGroup() as beside:
            task = beside.create_task(self._go_on())
            yield self
            task.cancel()
        await asyncio.to_thread(self.look)

    async def _go_on(self) -> None:
        while True:
            await asyncio.to_thread(self.look)
            await asyncio.sleep(SECOND)

    def look(self) -> None:
        """The list has to be as the log left it before it was read, or after, or in between."""
        before, _ = self._log()
        wall = datetime.now(UTC)
        shown = {one.number: one.seen.value for one in self._reader.everything(wall)}
        after, ahead = self._log()
        for case, entries in after.items():
            begins = len(before.get(case, ()))
            now = wall + ahead[case]
            possible = [by_log(entries[:count], now) for count in range(begins, len(entries) + 1)]
            numbers = {number for one in possible for number in one} | {
                term["certificate_number"] for term in _state(entries).get("terms", ())
            }
            found = {number: shown[number] for number in numbers if number in shown}
            assert found in possible, (case, found, possible, [event for event, _ in entries])
            for number in found:
                del shown[number]
        assert not shown, f"on the list, and in no log: {shown}"
        self.looks += 1
        self.listed = max(
            self.listed, sum(bool(by_log(entries, wall + ahead[case])) for case, entries in after.items())
        )

    def _log(self) -> tuple[dict[str, list[Left]], dict[str, timedelta]]:
        """Each case's entries, first to last, and how far its clock is ahead."""
        row = tables.AuditRow
        entries: dict[str, list[Left]] = {}
        with self._engine.connect() as connection:
            clocks = connection.execute(select(tables.CaseRow.case_number, tables.CaseRow.clock_offset_ms)).all()
            found = connection.execute(
                select(row.case_number, row.event, row.detail).order_by(row.case_number, row.sequence)
            )
            for case, event, detail in found:
                entries.setdefault(case, []).append((event, detail.get("leaves", {})))
        return entries, {case: timedelta(milliseconds=ahead) for case, ahead in clocks}


def by_log(entries: Sequence[Left], now: datetime) -> dict[str, str]:
    """Certificate number → certified or suspended, by what a case's entries left; empty for a base not listed."""
    state = _state(entries)
    if not state.get("list_revision") or state.get("ending"):
        return {}
    status = "suspended" if state.get("holds") else "certified"
    return {
        term["certificate_number"]: status
        for term in state.get("terms", ())
        if datetime.fromisoformat(term["from"]) <= now < datetime.fromisoformat(term["until"])
    }


def _state(entries: Sequence[Left]) -> dict[str, Any]:
    state: dict[str, Any] = {}
    for _, leaves in entries:
        state |= leaves
    return state
