"""The records an audit is proven from, read as an export has them (docs/audit.md): JSON values, instants in UTC.

Nothing here judges them; `audit` does, which knows nothing of the store.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from json.encoder import encode_basestring
from typing import Any

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    ColumnElement,
    Connection,
    Date,
    Engine,
    Executable,
    Integer,
    SQLColumnExpression,
    String,
    Text,
    any_,
    cast,
    func,
    literal,
    or_,
    select,
    type_coerce,
)

from domain.actors import people
from domain.returning import SYSTEM
from store.actors import OWNER, changes_in
from store.conflicts import again_after_conflict
from store.office import OFFICE
from store.tables import (
    ActorChangeRow,
    AuditRow,
    CaseRow,
    CommandRow,
    HeadRow,
    Instant,
    OfficeEntryRow,
    PaymentReturnRow,
    SealRow,
)
from store.told import OF_NO_CASE, RECORDS

Record = dict[str, Any]
AT_ONCE, SEALS_AT_ONCE = 100, 20
"""How many cases one transaction reads, each seen at one moment, and how many seals."""


class AuditReader:
    """Reads on one engine, best a read-only one."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def log(self, case_numbers: Sequence[str] | None = None) -> Iterator[Record]:
        """All seals, then each of these cases (all) with its entries.

        In this order, so that what is sealed is there when the cases are read, though the work goes on meanwhile.
        """
        yield from self.seals()
        yield from self.records(self.case_numbers() if case_numbers is None else case_numbers)

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
                select(SealRow.number, type_coerce(SealRow.at, String), SealRow.previous_hash, SealRow.hash)
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
                "at": _instant(at),
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
        """Each case followed by its entries, first to last, and by the rows they wrote."""
        for first in range(0, len(case_numbers), AT_ONCE):
            yield from self._read(case_numbers[first : first + AT_ONCE])

    @again_after_conflict
    def _read(self, case_numbers: Sequence[str]) -> list[Record]:
        with self._engine.connect() as connection:
            if connection.dialect.name == "postgresql":  # a case that goes on meanwhile is seen at one moment
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            cases = _cases(connection, case_numbers)
            entries = _entries(connection, case_numbers)
            rows = _rows(connection, case_numbers)
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
    row = CaseRow
    statement = select(
        row.case_number, row.sequence, row.stage, row.ended, type_coerce(row.valid_until, String), cast(row.facts, Text)
    ).where(_of(row.case_number, case_numbers, connection))
    return {
        number: [
            {
                "kind": "case",
                "case_number": number,
                "sequence": sequence,
                "stage": stage,
                "ended": ended,
                "valid_until": None if valid_until is None else _instant(valid_until),
                "facts": facts,
                "tables": _TABLES,
            }
        ]
        for number, sequence, stage, ended, valid_until, facts in connection.execute(statement)
    }


def _rows(connection: Connection, case_numbers: Sequence[str]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for table, names in RECORDS.items():
        columns = [table.__table__.c[name] for name in sorted(names) if name != "case_number"]
        of_case = table.__table__.c.case_number
        meant = _of(of_case, case_numbers, connection)
        if OFFICE in case_numbers and table in OF_NO_CASE:
            meant = or_(meant, of_case.is_(None))
        statement = select(of_case, *(_raw(column) for column in columns)).where(meant)
        members_of = ",".join(f'"{column.name}":%s' for column in columns)
        whole = f"{{{members_of}}}"
        writes = [_WRITTEN[type(column.type)] for column in columns]
        name = table.__tablename__
        for of, *values in _fetched(connection, statement):
            number = OFFICE if of is None else of
            try:
                members = [
                    "null" if value is None else write(value) for write, value in zip(writes, values, strict=True)
                ]
                content = (whole % tuple(members)).encode()
            except TypeError:  # SQLite lets anything into a column
                content = repr(values).encode()
            found.setdefault(number, []).append(
                {"kind": "row", "case_number": number, "table": name, "content": content}
            )
    return found


def _fetched(connection: Connection, statement: Executable) -> Sequence[Any]:
    """Rows as the driver has them: of what is read here SQLAlchemy would make the same, in as much time again."""
    with connection.execute(statement) as result:
        assert result.cursor is not None
        return result.cursor.fetchall()


def _of(column: SQLColumnExpression[str], case_numbers: Sequence[str], connection: Connection) -> ColumnElement[bool]:
    """Whether a row is one of these cases'; PostgreSQL has the numbers as one value, not each by itself."""
    if connection.dialect.name == "postgresql":
        return column == any_(literal(list(case_numbers), ARRAY(Text)))
    return column.in_(case_numbers)


def _raw(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """A column as the database has it, so that nothing that was put into it can keep the rest from being read."""
    if isinstance(column.type, JSON):
        return cast(column, Text)
    return type_coerce(column, String) if isinstance(column.type, Instant | Date) else column


def _entries(connection: Connection, case_numbers: Sequence[str]) -> dict[str, list[Record]]:
    row = AuditRow
    statement = (
        select(
            row.case_number, row.sequence, type_coerce(row.legal_at, String), type_coerce(row.observed_at, String),
            row.actor, row.event, cast(row.detail, Text), row.previous_hash, row.hash,
        )
        .where(_of(row.case_number, case_numbers, connection))
        .order_by(row.case_number, row.sequence)
    )  # fmt: skip
    found: dict[str, list[Record]] = {}
    for values in _fetched(connection, statement):
        found.setdefault(values[0], []).append(_entry(*values))
    return found


def _office(connection: Connection) -> list[Record]:
    """The office's entries, first to last."""
    row, at = OfficeEntryRow, type_coerce(OfficeEntryRow.at, String)
    columns = (row.sequence, at, row.actor, row.event, cast(row.detail, Text), row.previous_hash, row.hash)
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
    legal_at, observed_at, actor, event = _instant(legal), _instant(observed), str(actor), str(event)
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


def _instant(stored: Any) -> str:
    """An instant as it was hashed, whatever the database made of it; a text of SQLite's is not judged here."""
    if isinstance(stored, datetime):
        return stored.isoformat()
    text = str(stored)
    return f"{text[:10]}T{text[11:].removesuffix('.000000')}+00:00"


def _parsed(detail: Any) -> Any:
    """A detail as data; None when it is none any more."""
    try:
        return _DECODER.raw_decode(detail)[0]
    except (TypeError, ValueError, RecursionError):
        return None


def _quoted_instant(stored: Any) -> str:
    return f'"{_instant(stored)}"'


def _quoted_date(stored: Any) -> str:
    return f'"{stored.isoformat() if isinstance(stored, date) else stored}"'


def _as_it_is(text: str) -> str:
    return text


_DECODER = json.JSONDecoder()
_WRITTEN: dict[type, Callable[[Any], str]] = {
    **{String: encode_basestring, Text: encode_basestring, Integer: str, BigInteger: str},
    **{Instant: _quoted_instant, Date: _quoted_date, JSON: _as_it_is},
}
_TABLES = sorted(table.__tablename__ for table in RECORDS)
