"""Reports over all cases: terms that end, who has how much to do, publication within its time (R3), and deposits.

Days are Shanghai dates, the first and the last one included; `wall` is the caller's instant, and each case is read on
its own clock (decision 6). With `applicant` there is nothing in them but that applicant's own cases.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, func, select
from sqlalchemy.orm import Session

from domain.case import Publication
from domain.names import folded, same_name
from domain.shanghai import end_of_day, last_day, midnight, shanghai_date
from domain.stages import PEOPLE, Role
from domain.terms import Term
from store import tables
from store.conflicts import again_after_conflict
from store.lists import waiting_cases
from store.queries import FoundCase, found_case, publication_view, summary

STAFF = tuple(role for role in PEOPLE if role is not Role.APPLICANT)
"""Who works on the cases of others, in the order of the roles."""


@again_after_conflict
def expiring_terms(
    engine: Engine, first: date, last: date, wall: datetime, applicant: str | None = None
) -> list[dict[str, Any]]:
    """Every term whose last day is one of these and that no decision ended before, soonest first.

    A line of `summary` with `certificate_number, last_day, days_left` (negative when it is past), `expired` (ended
    without a next term that joins it) and `renewal {state, certificate_number, awaits, refused}`: `state` is
    `renewed`, with the next term's number, `under_way`, with what it awaits, or `not_filed`; `refused` counts the
    renewals of the term that were refused.
    """
    row, term = tables.CaseRow, tables.TermRow
    statement = (
        select(row, term.certificate_number)
        .join(term, term.case_number == row.case_number)
        .where(term.valid_until >= end_of_day(first), term.valid_until <= end_of_day(last))
        .order_by(term.valid_until, row.case_number)
    )
    with Session(engine) as session:
        read = [(found_case(case), number) for case, number in session.execute(statement) if _may_see(case, applicant)]
    return [
        _expiring(found, term, wall)
        for found, number in read
        for term in found.case.terms  # a next term that a decision kept from beginning is not among them
        if term.certificate_number == number and not _ended_before(found, term)
    ]


def staff_workload(
    engine: Engine, first: date, last: date, wall: datetime, applicant: str | None = None
) -> list[dict[str, Any]]:
    """What each member of the staff has to do and has done: `role, name, open, overdue, due_in_range, done`.

    Of the tasks those open and overdue now, and those whose last day is one of these; a name of None has what nobody
    has taken. `done` counts the audit entries observed on these days. In the order of the roles.
    """
    rows: dict[tuple[Role, str], dict[str, Any]] = {}

    def of(role: Role, name: str | None) -> dict[str, Any]:
        zero = {"role": role.value, "name": name, "open": 0, "overdue": 0, "due_in_range": 0, "done": 0}
        line = rows.setdefault((role, folded(name or "").casefold()), zero)
        line["name"] = name and min(name, line["name"])  # one spelling of a person, always the same
        return line

    for found in waiting_cases(engine, applicant=applicant):
        now = found.clock(wall)
        for task in found.case.tasks:
            if task.role in STAFF:
                line = of(task.role, task.assignee)
                line["open"] += 1
                if task.due_at is not None:
                    line["overdue"] += task.due_at <= now
                    line["due_in_range"] += first <= last_day(task.due_at) <= last
    for role, name, entries in _done(engine, first, last, applicant):
        of(role, name)["done"] += entries
    return [rows[key] for key in sorted(rows, key=lambda key: (STAFF.index(key[0]), key[1]))]


@again_after_conflict
def publications_due(
    engine: Engine, first: date, last: date, wall: datetime, applicant: str | None = None
) -> list[dict[str, Any]]:
    """Every case whose newest publication is due on one of these days (R3), soonest first.

    A line of `summary` with `publication` as `show` has it and `outcome`: `in_time`, `late`, `pending`, `overdue`;
    None when the certification ended unpublished before it was due.
    """
    row = tables.CaseRow
    statement = select(row).where(row.valid_until.is_not(None))

    def wanted(case: tables.CaseRow) -> bool:  # before the whole case is made of it, which takes longer
        due = (case.facts.get("publication") or {}).get("due_date", "")
        return first.isoformat() <= due <= last.isoformat() and _may_see(case, applicant)

    with Session(engine) as session:
        read = [found_case(case) for case in session.scalars(statement) if wanted(case)]
    rows = [
        {
            **summary(found, wall),
            "publication": publication_view(found.case, found.clock(wall)),
            "outcome": _outcome(publication, found.clock(wall)),
        }
        for found in read
        if (publication := found.case.publication) is not None
    ]
    return sorted(rows, key=lambda row: (row["publication"]["due_date"], row["case_number"]))


@again_after_conflict
def deposit_movements(
    engine: Engine, first: date, last: date, wall: datetime, applicant: str | None = None
) -> list[dict[str, Any]]:
    """What the ledger says of these days, a line for each base with a movement on them or money at their end.

    `kind` is `base`, `unplaced` for money of no case, or `total`, which comes last. Of the days: `received` from the
    bank, `credited` to the deposit less what was taken back of it, `moved` in from elsewhere less what was moved away,
    `taken_back`, `deducted`, `refunded` and `returned`, both less what the other bank has sent back. At the end of the
    last one: `unmatched`, `held`. Fen.
    """
    begin, end = midnight(first), end_of_day(last)
    with Session(engine) as session:
        of_days, until = _flows(session, begin, end), _flows(session, None, end)
        cases = {
            case.case_number: case
            for case in session.scalars(select(tables.CaseRow).order_by(tables.CaseRow.case_number))
            if case.case_number in until and _may_see(case, applicant)
        }
    rows: list[dict[str, Any]] = [
        {
            "kind": "base",
            "case_number": number,
            "credit_code": case.credit_code,
            "name": case.name,
            **_movements(of_days.get(number, {}), until[number]),
        }
        for number, case in cases.items()
    ]
    nobody: dict[str, Any] = {"case_number": None, "credit_code": None, "name": None}
    if applicant is None:
        rows.append({"kind": "unplaced", **nobody, **_of_nobody(of_days, until)})
    rows = [row for row in rows if any(row[name] for name in _SUMS)]
    if not rows:
        return []
    total = {name: sum(row[name] for row in rows) for name in _SUMS}
    lines = [*rows, {"kind": "total", **nobody, **total}]
    return [{**line, **{name: {"fen": line[name]} for name in _SUMS}} for line in lines]


_SUMS = ("received", "credited", "moved", "taken_back", "deducted", "refunded", "returned", "unmatched", "held")
_Flows = dict[tuple[str, str], int]
_MOVES = frozenset({("unplaced", "unmatched"), ("unmatched", "unplaced")})


def _flows(session: Session, begin: datetime | None, end: datetime) -> dict[str | None, _Flows]:
    """Case, or None, → (from, to) → what went that way before `end`, and not before `begin`, summed by the database."""
    line = tables.LedgerLine
    within = [line.at < end, *([line.at >= begin] if begin is not None else [])]
    sums = (
        select(line.case_number, line.debit_account, line.credit_account, func.sum(line.amount))
        .where(*within)
        .group_by(line.case_number, line.debit_account, line.credit_account)
    )
    flows: dict[str | None, _Flows] = {}
    for number, debit, credit, amount in session.execute(sums):
        way = debit.partition(":")[0], credit.partition(":")[0]
        flows.setdefault(number, {})[way] = int(amount)
    return flows


def _movements(of_days: _Flows, until: _Flows) -> dict[str, int]:
    def went(debit: str, credit: str) -> int:
        return of_days.get((debit, credit), 0)

    taken_back = went("deposit", "bank") + went("unmatched", "bank")
    return {
        "received": went("bank", "deposit") + went("bank", "unmatched"),
        "credited": went("bank", "deposit") + went("unmatched", "deposit") - went("deposit", "bank"),
        "moved": went("unplaced", "unmatched") - went("unmatched", "unplaced"),
        "taken_back": taken_back,
        "deducted": went("deposit", "deducted"),
        "refunded": _net(of_days, "refund_pending", "bank"),
        "returned": _net(of_days, "return_pending", "bank"),
        "unmatched": _stands(until, "unmatched") + _stands(until, "return_pending"),
        "held": _stands(until, "deposit") + _stands(until, "refund_pending"),
    }


def _of_nobody(of_days: dict[str | None, _Flows], until: dict[str | None, _Flows]) -> dict[str, int]:
    """Money of no case: whatever case it moved to or came from, it went over the account of nobody."""
    left = sum(_stands(flows, "unplaced") for flows in until.values()) + _stands(until.get(None, {}), "return_pending")
    moved = sum(_stands({way: n for way, n in f.items() if way in _MOVES}, "unplaced") for f in of_days.values())
    here = of_days.get(None, {})
    return dict.fromkeys(_SUMS, 0) | {
        "received": here.get(("bank", "unplaced"), 0),
        "moved": moved,
        "returned": _net(here, "return_pending", "bank"),
        "unmatched": left,
    }


def _net(flows: _Flows, debit: str, credit: str) -> int:
    """What went that way less what came back by it."""
    return flows.get((debit, credit), 0) - flows.get((credit, debit), 0)


def _stands(flows: _Flows, account: str) -> int:
    came = sum(amount for (_, credit), amount in flows.items() if credit == account)
    return came - sum(amount for (debit, _), amount in flows.items() if debit == account)


def _may_see(case: tables.CaseRow, applicant: str | None) -> bool:
    return applicant is None or same_name(case.facts["applicant"], applicant)


def _ended_before(found: FoundCase, term: Term) -> bool:
    """Whether a decision ended the term before its time did."""
    ending = found.case.ending
    return ending is not None and ending.legal_at < term.until


def _expiring(found: FoundCase, term: Term, wall: datetime) -> dict[str, Any]:
    case, now = found.case, found.clock(wall)
    later = next((other for other in case.terms if other.ordinal == term.ordinal + 1), None)
    renewal = case.renewal if case.renewal and case.renewal.from_last_day == term.last_day else None
    return {
        **summary(found, wall),
        "certificate_number": term.certificate_number,
        "last_day": term.last_day.isoformat(),
        "days_left": (term.last_day - shanghai_date(now)).days,
        "expired": now >= term.until and (later is None or later.from_ > term.until),
        "renewal": {
            "state": "renewed" if later else "under_way" if renewal else "not_filed",
            "certificate_number": later.certificate_number if later else None,
            "awaits": renewal.awaits if renewal else None,
            "refused": 0 if later else case.renewals_refused,
        },
    }


@again_after_conflict
def _done(engine: Engine, first: date, last: date, applicant: str | None) -> list[tuple[Role, str, int]]:
    """How many audit entries of these days each member of the staff has, counted by the database."""
    entry, row = tables.AuditRow, tables.CaseRow
    here: list[ColumnElement[bool]] = [entry.observed_at >= midnight(first), entry.observed_at < end_of_day(last)]
    with Session(engine) as session:
        if applicant is not None:
            own = [case.case_number for case in session.scalars(select(row)) if _may_see(case, applicant)]
            here.append(entry.case_number.in_(own))
        counted = session.execute(select(entry.actor, func.count()).where(*here).group_by(entry.actor)).all()
    done = []
    for actor, entries in counted:
        role, _, name = actor.partition(":")
        if role in STAFF:
            if role == Role.OPERATOR:  # who acts for an applicant has done it too
                name = name.partition(" for ")[0]
            done.append((Role(role), name, entries))
    return done


def _outcome(publication: Publication, now: datetime) -> str | None:
    if publication.published_at is not None:
        return "late" if publication.breached else "in_time"
    if publication.breached:
        return "overdue"
    if publication.state == "withdrawn":
        return None
    return "overdue" if now >= publication.due_at else "pending"
