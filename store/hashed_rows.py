"""The rows that audit entries tell of, as they were hashed (docs/audit.md): read in bulk, for the proof of a whole log.

What a row holds is never judged here, and nothing that was put into one keeps the rest from being read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any, NamedTuple

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    Connection,
    Date,
    Executable,
    Integer,
    Select,
    String,
    Text,
    bindparam,
    cast,
    or_,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from store.office import OFFICE
from store.tables import Instant, Table
from store.told import OF_NO_CASE, RECORDS

Write = Callable[[Any], str]


def rows_of(connection: Connection, case_numbers: Sequence[str]) -> dict[str, dict[str, list[bytes]]]:
    """Case number → table → its rows' contents. Of the office, which is no case, the rows that are no case's."""
    found: dict[str, dict[str, list[bytes]]] = {number: {} for number in case_numbers}
    for read in _READS:
        rows = fetched(connection, read.with_no_case if OFFICE in found else read.of_cases, case_numbers)
        for (number, *_), content in zip(rows, _contents(read, rows), strict=True):
            found[number or OFFICE].setdefault(read.table, []).append(content)
    return found


def fetched(connection: Connection, statement: Executable, case_numbers: Sequence[str]) -> Sequence[Any]:
    """What a statement with `among` finds, as the driver has it: SQLAlchemy's rows take as much time again."""
    with connection.execute(statement, {"case_numbers": json.dumps(case_numbers)}) as result:
        assert result.cursor is not None
        return result.cursor.fetchall()


class _Among(FunctionElement[bool]):
    inherit_cache = True
    name = "among"


@compiles(_Among, "sqlite")
def _among_in_sqlite(element: _Among, compiler: SQLCompiler, **kwargs: Any) -> str:
    column, numbers = (compiler.process(one, **kwargs) for one in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({numbers}))"


@compiles(_Among, "postgresql")
def _among_in_postgresql(element: _Among, compiler: SQLCompiler, **kwargs: Any) -> str:
    column, numbers = (compiler.process(one, **kwargs) for one in element.clauses)
    return f"{column} = ANY(ARRAY(SELECT json_array_elements_text(CAST({numbers} AS json))))"


def among(column: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether it is one of the case numbers, which a statement is given as one value: it is the same for any number."""
    return _Among(column, bindparam("case_numbers", type_=Text))


class _Dated(FunctionElement[str]):
    inherit_cache = True
    name = "dated"
    type = String()


@compiles(_Dated, "sqlite")
def _dated_in_sqlite(element: _Dated, compiler: SQLCompiler, **kwargs: Any) -> str:
    return compiler.process(element.clauses, **kwargs)


@compiles(_Dated, "postgresql")
def _dated_in_postgresql(element: _Dated, compiler: SQLCompiler, **kwargs: Any) -> str:
    stored = compiler.process(element.clauses, **kwargs)
    (column,) = element.clauses
    if isinstance(column.type, Date):
        return f"to_char({stored}, 'YYYY-MM-DD')"
    return f"to_char({stored} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"


def raw(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """A column as the database has it; JSON, instants and dates as text, these as SQLite has them.

    PostgreSQL makes text of them in less time than its driver makes data.
    """
    if isinstance(column.type, JSON):
        return cast(column, Text)
    return _Dated(column) if isinstance(column.type, Instant | Date) else column


@lru_cache(10_000)
def instant(stored: Any) -> str:
    """An instant as it was hashed, of what `raw` makes of it. Many are told of more than once."""
    text = str(stored)
    return f"{text[:10]}T{text[11:].removesuffix('.000000')}+00:00"


class _Read(NamedTuple):
    """How a table is read: the case, then the columns that are hashed."""

    table: str
    of_cases: Select[Any]
    with_no_case: Select[Any]
    whole: str
    writes: list[Write]


def _read(table: type[Table], names: Sequence[str]) -> _Read:
    columns = [table.__table__.c[name] for name in sorted(names) if name != "case_number"]
    of_case = table.__table__.c.case_number
    read = select(of_case, *(raw(column) for column in columns))
    no_case = or_(among(of_case), of_case.is_(None)) if table in OF_NO_CASE else among(of_case)
    members = ",".join(f'"{column.name}":%s' for column in columns)
    writes = [_WRITES[type(column.type)] for column in columns]
    return _Read(table.__tablename__, read.where(among(of_case)), read.where(no_case), f"{{{members}}}", writes)


def _contents(read: _Read, rows: Sequence[Any]) -> list[bytes]:
    """The canonical JSON of rows, written column by column, which is quicker."""
    columns = list(zip(*rows, strict=True))[1:]
    try:
        written = [_column(write, values) for write, values in zip(read.writes, columns, strict=bool(rows))]
        return [(read.whole % values).encode() for values in zip(*written, strict=True)]
    except TypeError:  # SQLite lets anything into a column
        if len(rows) == 1:
            return [repr(rows[0]).encode()]
        return [content for row in rows for content in _contents(read, [row])]


def _column(write: Write, values: Sequence[Any]) -> Iterable[str]:
    if None in values:
        return ["null" if value is None else write(value) for value in values]
    return map(write, values)


@lru_cache(10_000)
def _quoted_instant(stored: Any) -> str:
    return f'"{instant(stored)}"'


def _quoted(stored: Any) -> str:
    return f'"{stored}"'


_WRITES: dict[type, Write] = {
    **{String: encode_basestring, Text: encode_basestring, Integer: str, BigInteger: str},
    **{Instant: _quoted_instant, Date: _quoted, JSON: str},
}
_READS = [_read(table, names) for table, names in RECORDS.items()]
TABLES = sorted(read.table for read in _READS)
"""The names of the tables that are read."""
