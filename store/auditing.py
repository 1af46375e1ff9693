"""The records an audit is proven from, read as an export has them (docs/audit.md): JSON values, instants in UTC.

Nothing here judges them; `audit` does, which knows nothing of the store.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
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
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

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
Write = Callable[[Any], str]
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
                select(SealRow.number, _Dated(SealRow.at), SealRow.previous_hash, SealRow.hash)
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
        row.case_number, row.sequence, row.stage, row.ended, _Dated(row.valid_until), cast(row.facts, Text)
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
    found: dict[str, dict[str, list[bytes]]] = {}
    for table, names in RECORDS.items():
        columns = [table.__table__.c[name] for name in sorted(names) if name != "case_number"]
        of_case = table.__table__.c.case_number
        meant = _of(of_case, case_numbers, connection)
        if OFFICE in case_numbers and table in OF_NO_CASE:
            meant = or_(meant, of_case.is_(None))
        read = _fetched(connection, select(of_case, *(_raw(column) for column in columns)).where(meant))
        contents = _contents(
            [(column.name, _WRITTEN[type(column.type)]) for column in columns], [row[1:] for row in read]
        )
        for row, content in zip(read, contents, strict=True):
            number = OFFICE if row[0] is None else row[0]
            found.setdefault(number, {}).setdefault(table.__tablename__, []).append(content)
    return {number: [{"kind": "rows", "case_number": number, "tables": contents}] for number, contents in found.items()}


def _contents(columns: Sequence[tuple[str, Write]], rows: Sequence[Sequence[Any]]) -> list[bytes]:
    """Rows as they were hashed, written column by column: quicker than one by one."""
    members = ",".join(f'"{name}":%s' for name, _ in columns)
    try:
        written = [_column(write, values) for (_, write), values in zip(columns, zip(*rows, strict=True), strict=False)]
        return [f"{{{members % each}}}".encode() for each in zip(*written, strict=True)]
    except TypeError:  # SQLite lets anything into a column
        if len(rows) == 1:
            return [repr(list(rows[0])).encode()]
        return [content for row in rows for content in _contents(columns, [row])]


def _column(write: Write, values: Sequence[Any]) -> Iterable[str]:
    if None in values:
        return ["null" if value is None else write(value) for value in values]
    return map(write, values)


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
    return _Dated(column) if isinstance(column.type, Instant | Date) else column


class _Dated(FunctionElement[str]):
    """An instant or a date as text, as SQLite has it: PostgreSQL makes it faster than the driver makes data of it."""

    inherit_cache = True
    type = String()


@compiles(_Dated)
def _as_stored(element: _Dated, compiler: SQLCompiler, **kwargs: Any) -> str:
    return compiler.process(element.clauses, **kwargs)


@compiles(_Dated, "postgresql")
def _in_utc(element: _Dated, compiler: SQLCompiler, **kwargs: Any) -> str:
    stored = compiler.process(element.clauses, **kwargs)
    (column,) = element.clauses
    if isinstance(column.type, Date):
        return f"to_char({stored}, 'YYYY-MM-DD')"
    return f"to_char({stored} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"


def _entries(connection: Connection, case_numbers: Sequence[str]) -> dict[str, list[Record]]:
    row = AuditRow
    statement = (
        select(
            row.case_number, row.sequence, _Dated(row.legal_at), _Dated(row.observed_at),
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
    row, at = OfficeEntryRow, _Dated(OfficeEntryRow.at)
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


@lru_cache(10_000)
def _instant(stored: Any) -> str:
    """An instant as it was hashed; a text of SQLite's is not judged here. Many are told of more than once."""
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


def _quoted(stored: Any) -> str:
    return f'"{stored}"'


def _as_it_is(text: str) -> str:
    return text


_DECODER = json.JSONDecoder()
_WRITTEN: dict[type, Write] = {
    **{String: encode_basestring, Text: encode_basestring, Integer: str, BigInteger: str},
    **{Instant: _quoted_instant, Date: _quoted, JSON: _as_it_is},
}
_TABLES = sorted(table.__tablename__ for table in RECORDS)
