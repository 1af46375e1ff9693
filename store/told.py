"""What an entry tells of the case after it, so that the log alone says how every case stands (docs/audit.md).

Told are the facts people ask about, where the transition changed them; the sha256 of the whole case, for the rest; and
the hash of every row it added to the records beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from domain.case import Case
from store import tables
from store.canonical import canonical

TOLD = "leaves"
"""The key in an entry's detail."""
ROW_HASH = 32
"""So many hexadecimal digits of a row's sha256 are told: half of them, enough that no two rows ever share them."""

_LETTER = ("sequence", "place", "kind", "recipient", "subject", "body", "at")
_OTHERS = (
    *(tables.CaseRow, tables.AuditRow, tables.HeadRow, tables.CommandRow),
    *(tables.NameRow, tables.BenefitRow),  # to search by, and told by the terms
    *(tables.AssessmentRow, tables.ConfirmationRow),  # a quarter's, which no case's transition writes
    tables.ChannelEntryRow,  # made of the list's revisions, and compared with them
)
RECORDS: dict[type[tables.Table], tuple[str, ...]] = {
    mapper.class_: _LETTER if mapper.class_ is tables.NoticeRow else tuple(mapper.columns.keys())
    for mapper in tables.Table.registry.mappers
    if "case_number" in mapper.columns and mapper.class_ not in _OTHERS
}
"""The tables a case's transitions add to, with the columns of theirs that never change."""
OF_NO_CASE = tuple(table for table in RECORDS if table.__table__.c.case_number.nullable)
"""Those of them whose rows may be no case's: of these the office's chain tells."""


def told(before: Case | None, case: Case, facts: dict[str, Any], rows: Sequence[tables.Table]) -> dict[str, Any]:
    """What a transition from `before` to `case`, stored as `facts`, tells, having added these rows."""
    earlier = _facts(before) if before else {}
    changed = {name: value for name, value in _facts(case).items() if name not in earlier or earlier[name] != value}
    return {**changed, **added(rows), "facts": hashlib.sha256(canonical(facts)).hexdigest()}


def added(rows: Sequence[tables.Table]) -> dict[str, Any]:
    """What is told of the rows a transaction added."""
    written: dict[str, list[str]] = {}
    for row in rows:
        if (table := type(row)) in RECORDS:
            written.setdefault(table.__tablename__, []).append(row_hash(row_values(table, row)))
    tells: dict[str, Any] = {"rows": {name: sorted(hashes) for name, hashes in written.items()}} if written else {}
    if lines := [row for row in rows if isinstance(row, tables.LedgerLine)]:
        tells["ledger"] = [[line.debit_account, line.credit_account, line.amount] for line in lines]
    return tells


def row_values(table: type[tables.Table], row: Any) -> dict[str, Any]:
    """A row as it is hashed: by column, without its case; instants in UTC, dates ISO."""
    return {name: _plain(getattr(row, name)) for name in RECORDS[table] if name != "case_number"}


def row_hash(values: dict[str, Any]) -> str:
    """How a row is told."""
    return hashlib.sha256(canonical(values)).hexdigest()[:ROW_HASH]


def _facts(case: Case) -> dict[str, Any]:
    return {
        "stage": case.stage.value,
        "revision": case.revision,
        "deposit": case.deposit.model_dump(mode="json"),
        "terms": [
            {"certificate_number": term.certificate_number, "from": _plain(term.from_), "until": _plain(term.until)}
            for term in case.terms
        ],
        "holds": [hold.kind for hold in case.holds],
        "ending": {"kind": case.ending.kind.value, "legal_at": _plain(case.ending.legal_at)} if case.ending else None,
        "list_revision": case.publication.register_revision if case.publication else None,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else value
