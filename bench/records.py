"""Whether two engines did the same work: every row of the store counted, every case's books checked."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import func, select

from audit.verifier import verify
from bench.paths import FULL_DEPOSIT
from bench.reading import reading
from domain.stages import Stage
from store import tables
from store.auditing import AuditReader


def counted(url: str) -> dict[str, int]:
    """Rows by table of the store, but the seals, which each engine makes when it comes to it."""
    with reading(url) as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in tables.Table.metadata.sorted_tables
            if table not in (tables.SealRow.__table__, tables.HeadRow.__table__)
        }


def last_case(url: str) -> str:
    """The workflow id of the case opened last."""
    newest = select(tables.CaseRow.workflow_id).order_by(tables.CaseRow.case_number.desc()).limit(1)
    with reading(url) as connection:
        return connection.execute(newest).scalar_one()


def check_books(url: str, paths: int) -> None:
    """Raise AssertionError unless the store holds so many published bases, each with a whole chain and its deposit."""
    case, line = tables.CaseRow, tables.LedgerLine
    with reading(url) as connection:
        numbers = connection.scalars(select(case.case_number).where(case.stage == Stage.VALID.value)).all()
        assert len(numbers) == paths, f"{len(numbers)} bases are published, not {paths}"
        sums = select(line.credit_account, func.sum(line.amount)).group_by(line.credit_account)
        booked = dict(connection.execute(sums).tuples().all())
        assert booked == {f"deposit:{number}": FULL_DEPOSIT for number in numbers}, (
            "the ledger does not hold the deposits"
        )
        report = verify(AuditReader(connection.engine).records(sorted(numbers)))
        assert report.ok, f"the audit log: {report.broken[0].case_number}, {report.broken[0].why}"


def require_same(rows: Mapping[str, Mapping[str, int]]) -> None:
    """Raise AssertionError when engines left different numbers of rows in some table; `rows` by engine and table."""
    (first, ours), *others = rows.items()
    for name, theirs in others:
        apart = {table: (ours[table], theirs[table]) for table in ours if ours[table] != theirs[table]}
        assert not apart, f"{first} and {name} did not leave the same rows: {apart}"
