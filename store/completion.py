"""What a shell offers while somebody types: quick, so past SQLAlchemy and straight to the driver. Reads only."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from typing import Any
from urllib.parse import quote

from domain.papers import evidence_name, readable

MOST = 1000
"""How many numbers are offered at most, newest cases first."""

_NUMBERS = """
    SELECT names.name, cases.name, cases.facts FROM names JOIN cases ON cases.case_number = names.case_number
    WHERE names.kind IN ('case_number', 'certificate_number', 'credit_code') AND names.folded LIKE :begun ESCAPE '!'
    ORDER BY names.case_number DESC, names.kind LIMIT :most
"""
_SUBMISSION = """
    SELECT cases.workflow_id, applications.submission, cases.facts FROM names
    JOIN cases ON cases.case_number = names.case_number
    JOIN applications ON applications.case_number = names.case_number
    WHERE names.kind IN ('case_number', 'certificate_number', 'credit_code') AND names.folded = :base
    ORDER BY cases.ordinal DESC, applications.revision DESC LIMIT 1
"""
_EVIDENCE = """
    SELECT evidence.purpose, evidence.sequence, audit_entries.event, cases.facts FROM evidence
    JOIN cases ON cases.case_number = evidence.case_number
    JOIN audit_entries ON audit_entries.case_number = evidence.case_number
        AND audit_entries.sequence = evidence.sequence
    WHERE cases.case_number = (
        SELECT cases.case_number FROM names JOIN cases ON cases.case_number = names.case_number
        WHERE names.kind IN ('case_number', 'certificate_number', 'credit_code') AND names.folded = :base
        ORDER BY cases.ordinal DESC LIMIT 1
    )
    ORDER BY evidence.sequence, evidence.sha256
"""


def numbers(url: str, begun: str, applicant: str | None = None) -> list[tuple[str, str]]:
    """(number or credit code, name of the base) beginning with what was typed; of one applicant's cases when given."""
    pattern = "".join(f"!{char}" if char in "!%_" else char for char in begun.casefold())
    rows = _rows(url, _NUMBERS, {"begun": f"{pattern}%", "most": MOST})
    found: dict[str, str] = {}
    for number, name, facts in rows:
        if _may_see(facts, applicant):
            found.setdefault(begun + number[len(begun) :], name)
    return list(found.items())


def submission(url: str, base: str, applicant: str | None = None) -> tuple[str, str] | None:
    """(workflow id, sha256) of what was handed in last for a base, None when there is no such base."""
    rows = _rows(url, _SUBMISSION, {"base": base.strip().casefold()})
    return next(((owner, sha256) for owner, sha256, facts in rows if _may_see(facts, applicant)), None)


def evidence(url: str, base: str, applicant: str | None = None) -> list[tuple[str, str]]:
    """(name, what it belongs to) of each piece of evidence on a base's newest case, as `store/papers.py` names them."""
    rows = _rows(url, _EVIDENCE, {"base": base.strip().casefold()})
    places: Counter[int] = Counter()
    found = []
    for purpose, sequence, event, facts in rows:
        places[sequence] += 1
        if _may_see(facts, applicant) and readable(event, staff=applicant is None):
            found.append((evidence_name(purpose, sequence, places[sequence]), purpose))
    return found


def _may_see(facts: Any, applicant: str | None) -> bool:
    from domain.names import same_name

    if applicant is None:
        return True
    case = json.loads(facts) if isinstance(facts, str) else facts
    return same_name(case["applicant"], applicant)


def _rows(url: str, statement: str, values: dict[str, Any]) -> Sequence[Any]:
    if url.startswith("sqlite:///"):
        path = quote(url.removeprefix("sqlite:///"))
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=0.3)) as database:
            return database.execute(statement, values).fetchall()
    import psycopg

    for name in values:
        statement = statement.replace(f":{name}", f"%({name})s")
    options = "-c statement_timeout=700 -c default_transaction_read_only=on"
    plain_url = url.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(plain_url, connect_timeout=1, options=options) as connection:
        return connection.execute(statement.encode(), values).fetchall()
