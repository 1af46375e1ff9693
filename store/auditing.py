"""The records an audit is proven from, read as an export has them (docs/audit.md): JSON values, instants in UTC.

Nothing here judges them; `audit` does, which knows nothing of the store.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from json.encoder import encode_basestring
from typing import Any

from sqlalchemy import Connection, Engine, func, select

from domain.actors import people
from domain.returning import SYSTEM
from store.actors import OWNER, changes_in
from store.conflicts import again_after_conflict
from store.hashed_rows import TABLES, among, fetched, instant, raw, rows_of
from store.office import OFFICE
from store.tables import (
    ActorChangeRow,
    AuditRow,
    CaseRow,
    CommandRow,
    HeadRow,
    OfficeEntryRow,
    PaymentReturnRow,
    SealRow,
)
from store.told import OF_NO_CASE

Record = dict[str, Any]
AT_ONCE, SEALS_AT_ONCE = 100, 20
"""How many cases one transaction reads, each seen at one moment, and how many seals."""


class AuditReader:
    """Reads on one engine, best a read-only one: the log, and with `rows` what its entries wrote beside it."""

    def __init__(self, engine: Engine, *, rows: bool = True) -> None:
        self._engine = engine
        self._with_rows = rows

    def log(self) -> Iterator[Record]:
        """All seals, then each case with its entries.

        In this order, so that what is sealed is there when the cases are read, though the work goes on meanwhile.
        """
        yield from self.seals()
        yield from self.records(self.case_numbers())

    def seals(self, after: int = 0) -> Iterator[Record]:
        """The seals with a greater number, each with its heads, first to last."""
        seals = self._seals(after)
        while seals:
            yield from seals
            seals = self._seals(after=seals[-1]["number"])

    @again_after_conflict
    def _seals(self, after: int) -> list[Record]:
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(SealRow.number, raw(SealRow.__table__.c.at), SealRow.previous_hash, SealRow.hash)
                .where(SealRow.number > after)
                .order_by(SealRow.number)
                .limit(SEALS_AT_ONCE)
            ).all()
            heads: dict[int, list[list[Any]]] = {}
            numbers = [row.number for row in rows]
            of_these = select(HeadRow.seal, HeadRow.case_number, HeadRow.sequence, HeadRow.hash)
            for seal, *head in connection.execute(of_these.where(HeadRow.seal.in_(numbers))):
                heads.setdefault(seal, []).append(head)
        return [
            {
                "kind": "seal",
                "number": number,
                "at": instant(at),
                "heads": sorted(heads.get(number, ())),
                "previous_hash": previous_hash,
                "hash": own,
            }
            for number, at, previous_hash, own in rows
        ]

    @again_after_conflict
    def case_numbers(self) -> list[str]:
        """Every case with a row or with entries, in order; the office's chain last."""
        with self._engine.connect() as connection:
            present = {*connection.scalars(select(CaseRow.case_number))}
            present.update(connection.scalars(select(AuditRow.case_number).distinct()))
            return [*sorted(present), *([OFFICE] if _office(connection) else [])]

    def records(self, case_numbers: Sequence[str]) -> Iterator[Record]:
        """Each case followed by its entries, first to last, and by the rows they wrote, table by table."""
        for first in range(0, len(case_numbers), AT_ONCE):
            yield from self._read(case_numbers[first : first + AT_ONCE])

    @again_after_conflict
    def _read(self, case_numbers: Sequence[str]) -> list[Record]:
        with self._engine.connect() as connection:
            if connection.dialect.name == "postgresql":  # a case that goes on meanwhile is seen at one moment
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            cases = _cases(connection, case_numbers)
            entries = _entries(connection, case_numbers)
            written = rows_of(connection, case_numbers) if self._with_rows else {}
            rows = {
                number: [{"kind": "rows", "case_number": number, "tables": contents}]
                for number, contents in written.items()
                if contents
            }
            if OFFICE in case_numbers:
                entries[OFFICE] = _office(connection)
                cases[OFFICE] = [
                    {
                        "kind": "case",
                        "case_number": OFFICE,
                        "sequence": _commands(connection),
                        "actors": [
                            (person.name, sorted(person.valid_keys), sorted(person.roles))
                            for person in people(changes_in(connection))
                        ],
                        "tables": [table.__tablename__ for table in OF_NO_CASE],
                    }
                ]
        parts = (cases, entries, rows)
        return [record for number in case_numbers for part in parts for record in part.get(number, ())]


def _cases(connection: Connection, case_numbers: Sequence[str]) -> dict[str, list[Record]]:
    return {
        number: [
            {
                "kind": "case",
                "case_number": number,
                "sequence": sequence,
                "stage": stage,
                "ended": bool(ended),
                "valid_until": None if valid_until is None else instant(valid_until),
                "facts": facts,
                "tables": TABLES,
            }
        ]
        for number, sequence, stage, ended, valid_until, facts in fetched(connection, _CASES, case_numbers)
    }


def _entries(connection: Connection, case_numbers: Sequence[str]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for values in fetched(connection, _ENTRIES, case_numbers):
        found.setdefault(values[0], []).append(_entry(*values))
    return found


def _office(connection: Connection) -> list[Record]:
    """The office's entries, first to last."""
    row = OfficeEntryRow.__table__.c
    columns = (row.sequence, raw(row.at), row.actor, row.event, raw(row.detail), row.previous_hash, row.hash)
    rows = connection.execute(select(*columns).order_by(row.sequence))
    return [_entry(OFFICE, sequence, stored, stored, *others) for sequence, stored, *others in rows]


def _commands(connection: Connection) -> int:
    """How many entries the office has: of each accepted command that is no case's, of each first administrator, and
    of what became of a return of money of no case by itself."""
    commands = select(func.count()).select_from(CommandRow).where(CommandRow.case_number.is_(None))
    appointed = select(func.count()).where(ActorChangeRow.by == OWNER, ActorChangeRow.what == "role_granted")
    by_itself = select(func.count()).where(PaymentReturnRow.by == SYSTEM)
    return sum(connection.scalar(count) or 0 for count in (commands, appointed, by_itself))


def _entry(
    number: str, sequence: int, legal: Any, observed: Any, actor: str, event: str, detail: str, previous: str, own: str
) -> Record:
    legal_at, observed_at, actor, event = instant(legal), instant(observed), str(actor), str(event)
    content = (
        f'{{"actor":{encode_basestring(actor)},"case_number":"{number}","detail":{detail},'
        f'"event":{encode_basestring(event)},"legal_at":"{legal_at}","observed_at":"{observed_at}","sequence":{sequence}}}'
    )
    return {
        "kind": "entry",
        "case_number": number,
        "sequence": sequence,
        "legal_at": legal_at,
        "observed_at": observed_at,
        "actor": actor,
        "event": event,
        "detail": _parsed(detail),
        "previous_hash": previous,
        "hash": own,
        "content": content.encode(),
    }


def _parsed(detail: Any) -> Any:
    """A detail as data; None when it is none any more."""
    try:
        return _DECODER.raw_decode(detail)[0]
    except (TypeError, ValueError, RecursionError):
        return None


_DECODER = json.JSONDecoder()
_CASE, _ENTRY = CaseRow.__table__.c, AuditRow.__table__.c
_CASES = select(
    *(_CASE[name] for name in ("case_number", "sequence", "stage", "ended")), raw(_CASE.valid_until), raw(_CASE.facts)
).where(among(_CASE.case_number))
_ENTRIES = (
    select(
        _ENTRY.case_number, _ENTRY.sequence, raw(_ENTRY.legal_at), raw(_ENTRY.observed_at),
        _ENTRY.actor, _ENTRY.event, raw(_ENTRY.detail), _ENTRY.previous_hash, _ENTRY.hash,
    )
    .where(among(_ENTRY.case_number))
    .order_by(_ENTRY.case_number, _ENTRY.sequence)
)  # fmt: skip
