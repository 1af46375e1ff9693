"""The whole proof over records as an export has them: the seals first, then each case and its entries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from itertools import groupby

from audit.chain import first_broken
from audit.replay import Replay
from audit.report import Broken, Record, Report
from audit.seals import Seals, first_unsealed
from audit.signatures import differing_actors


def verify(records: Iterable[Record], outside: Iterable[Record] = (), only: Set[str] | None = None) -> Report:
    """Prove every chain from its first entry. Names the first broken entry of each case, and of the seals.

    `outside` are the copies of seals kept outside. `only` names the cases the records are about when they are not all
    cases: what seals say of others is not missed then.
    """
    seals = Seals(only)
    report = prove_cases(_after_seals(seals, records, outside), seals)
    report.add(prove_seals(seals, report.seen))
    return report


def prove_seals(seals: Seals, seen: Set[str]) -> Report:
    """What the seals say beside the cases that were seen: their own chain, and the cases that are gone."""
    gone = [
        Broken("case_gone", (seals.heads(number)[0].seal,), number) for number in seals.cases() if number not in seen
    ]
    return Report(seals=seals.count, outside=seals.outside, broken=gone + seals.broken)


def prove_cases(records: Iterable[Record], seals: Seals) -> Report:
    """Prove cases, each followed by its entries and rows, against what is sealed of them."""
    report = Report()
    for number, of_one in groupby(records, lambda record: record["case_number"]):
        report.add(_verify_case(number, list(of_one), seals))
    return report


def _after_seals(seals: Seals, records: Iterable[Record], outside: Iterable[Record]) -> Iterator[Record]:
    """Take in the seals, which come first; the records after them."""
    compared = False
    for record in records:
        if record["kind"] == "seal":
            seals.take(record)
            continue
        if not compared:
            seals.compare(outside)
            compared = True
        yield record
    if not compared:
        seals.compare(outside)


def _verify_case(number: str, records: list[Record], seals: Seals) -> Report:
    of_kind: dict[str, list[Record]] = {"case": [], "entry": [], "rows": []}
    for record in records:
        of_kind[record["kind"]].append(record)
    entries = of_kind["entry"]
    if not of_kind["case"]:
        return Report(len(entries), 0, broken=[Broken("no_case", (), number)], seen={number})
    case = of_kind["case"][0]
    found = [first_broken(number, entries, case["sequence"]), first_unsealed(number, entries, seals.heads(number))]
    broken = sorted((one for one in found if one), key=lambda one: one.sequence or 0)[:1]
    # A log that is broken itself proves nothing of the rest.
    if not broken:
        rows = of_kind["rows"][0]["tables"] if of_kind["rows"] else {}
        broken = _replayed(number, entries).disagreements(case, rows)
        broken += differing_actors(entries, case["actors"]) if "actors" in case else []
    return Report(len(entries), 1, broken=broken, seen={number})


def _replayed(number: str, entries: list[Record]) -> Replay:
    replay = Replay(number)
    for entry in entries:
        replay.take(entry)
    return replay
