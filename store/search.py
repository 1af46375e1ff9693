"""Looking for a case by anything it is known by: written beside the records, read by `livebase find`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Engine, case, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from domain.case import Case
from domain.names import searched
from store import tables
from store.conflicts import again_after_conflict
from store.queries import FoundCase, found_case

_ENTITY = ("entity", "registration_number")
_EXACTLY, _AT_THE_BEGINNING, _WITHIN = 0, 1, 2


@dataclass(frozen=True)
class Match:
    """A case and what of it was found: (kind, name), the best match first."""

    found: FoundCase
    matched: tuple[tuple[str, str], ...]


def remember_names(session: Session, case_number: str, names: Mapping[str, str]) -> None:
    """Keep what a case may be looked for by, kind → name; what is known already stays."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    rows = [
        {"case_number": case_number, "kind": kind, "folded": searched(name), "name": name}
        for kind, name in names.items()
    ]
    session.execute(insert(tables.NameRow).values(rows).on_conflict_do_nothing())


@again_after_conflict
def search(engine: Engine, text: str) -> list[Match]:
    """The cases with `text` in a name or number, however it was typed: width, case and spaces don't count.

    What is the text exactly comes first, then what begins with it, then what has it within; newest cases first.
    """
    wanted, name = searched(text), tables.NameRow
    if not wanted:
        return []
    rank = case(
        (name.folded == wanted, _EXACTLY),
        (name.folded.startswith(wanted, autoescape=True), _AT_THE_BEGINNING),
        else_=_WITHIN,
    )
    within = name.folded.contains(wanted, autoescape=True)
    names = select(name.case_number, name.kind, name.name).where(within)
    cases = select(tables.CaseRow).where(tables.CaseRow.case_number.in_(select(name.case_number).where(within)))
    matched: dict[str, list[tuple[str, str]]] = {}
    with Session(engine) as session:
        for number, kind, known_as in session.execute(names.order_by(rank, name.case_number.desc(), name.kind)):
            matched.setdefault(number, []).append((kind, known_as))
        found = {row.case_number: found_case(row) for row in session.scalars(cases)}
        return [Match(found[number], tuple(known)) for number, known in matched.items()]


@again_after_conflict
def same_overseas_entity(engine: Engine, own: Case) -> list[FoundCase]:
    """The cases under other credit codes of the overseas entity of `own`: its number or its name is the same.

    Such a base is known by the code of the enterprise entrusted, so whoever entrusts another one is seen here alone
    (as the same legal representative is, decision 30). Names of earlier revisions count as well.
    """
    if not own.entrusted:
        return []
    mine, theirs, row = aliased(tables.NameRow), aliased(tables.NameRow), tables.CaseRow
    numbers = (
        select(theirs.case_number)
        .join(mine, (mine.kind == theirs.kind) & (mine.folded == theirs.folded))
        .where(mine.case_number == own.case_number, mine.kind.in_(_ENTITY))
    )
    cases = select(row).where(row.case_number.in_(numbers), row.credit_code != own.credit_code)
    with Session(engine) as session:
        return [found_case(found) for found in session.scalars(cases.order_by(row.case_number))]
