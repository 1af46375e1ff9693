"""The log replayed: what the entries of a case leave, one after the other, against how the database says it stands."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from audit.canonical import quick
from audit.report import Broken, Record

_LEAVES = "leaves"
_ROW_HASH = 32
_GONE = ("deducted", "refunded", "refund_pending")
"""What has left the deposit's own account, by the names of the sums."""
_ACCOUNTS = ("unmatched", "deducted", "refund_pending", "return_pending")
"""The accounts that hold what the sum of their name says."""
_PLAIN = ("stage", "revision", "deposit", "terms", "holds", "ending", "list_revision")


class Replay:
    """A case as its entries leave it, taken in first to last.

    Entries of an early release tell nothing of the kind: what they wrote is then neither missed nor strange.
    """

    def __init__(self, case_number: str) -> None:
        self._number = case_number
        self._state: dict[str, Any] = {}
        self._facts: str | None = None
        self._rows: dict[str, list[tuple[int, list[str]]]] = defaultdict(list)
        self._balances: Counter[str] = Counter()
        self._telling: set[int] = set()
        self._last = 0
        self._parted: Broken | None = None

    def take(self, entry: Record) -> None:
        self._last = sequence = entry["sequence"]
        leaves = entry["detail"].get(_LEAVES) if isinstance(entry["detail"], dict) else None
        self._facts = None
        if not isinstance(leaves, dict):
            return
        self._telling.add(sequence)
        self._facts = leaves.get("facts")
        for name in _PLAIN:
            if name in leaves:
                self._state[name] = leaves[name]
        for table, hashes in leaves.get("rows", {}).items():
            self._rows[table].append((sequence, hashes))
        for debit, credit, amount in leaves.get("ledger", ()):
            self._balances[debit] -= amount
            self._balances[credit] += amount
        if "deposit" in leaves or "ledger" in leaves:
            self._compare_sums(sequence)

    def disagreements(self, case: Record, rows: Mapping[str, Sequence[bytes]]) -> list[Broken]:
        """Everything in which the case's row, and the rows beside it by table, are not what the entries left."""
        found = [self._parted] if self._parted else []
        if "facts" in case:
            found += self._of_state(case)
        for table in case.get("tables", ()):
            found += self._of_rows(table, rows.get(table, ()))
        return found

    @property
    def _complete(self) -> bool:
        return 1 in self._telling

    def _compare_sums(self, sequence: int) -> None:
        """The sums an entry leaves are those of all ledger lines so far, account by account."""
        deposit: dict[str, int] = self._state.get("deposit", {})
        if self._parted or not self._complete:
            return
        sums = {name: deposit.get(name, 0) for name in _ACCOUNTS}
        sums["deposit"] = deposit.get("received", 0) - sum(deposit.get(name, 0) for name in _GONE)
        for account, said in sums.items():
            booked = self._balances[f"{account}:{self._number}"]
            if booked != said:
                self._parted = Broken("sums", (sequence, account, said, booked), self._number, sequence)
                return

    def _of_state(self, case: Record) -> Iterator[Broken]:
        told, text = self._state, case["facts"]
        same = self._facts == hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
        try:
            facts = json.loads(text)
            present = _present(facts)
        except (ValueError, TypeError, KeyError, AttributeError):  # no state a case was ever in
            yield Broken("facts", (self._last,), self._number, self._last)
            return
        if "ending" in told:
            present |= {"ended": case["ended"]}
            told = told | {"ended": told["ending"] is not None}
        if "terms" in told:
            present |= {"valid_until": case["valid_until"]}
            told = told | {"valid_until": told["terms"][-1]["until"] if told["terms"] else None}
        differ = [name for name in told if told[name] != present.get(name)]
        if "stage" in told and case["stage"] != told["stage"] and "stage" not in differ:
            yield self._state_broken("stage", told["stage"], case["stage"])
        for name in differ:
            for part, of_log, of_row in _parts(name, told[name], present.get(name)):
                yield self._state_broken(part, of_log, of_row)
        if self._facts and not (same or differ) and hashlib.sha256(quick(facts)).hexdigest() != self._facts:
            yield Broken("facts", (self._last,), self._number, self._last)

    def _state_broken(self, name: str, told: object, present: object) -> Broken:
        return Broken("state", (name, _shown(told), _shown(present)), self._number)

    def _of_rows(self, table: str, contents: Sequence[bytes]) -> Iterator[Broken]:
        told = [str(own) for _, hashes in self._rows[table] for own in hashes]
        present = [hashlib.sha256(content).hexdigest()[:_ROW_HASH] for content in contents]
        if sorted(present) == sorted(told):
            return
        left, lacking = Counter(present), []
        for sequence, hashes in self._rows[table]:
            for own in hashes:
                if left[own]:
                    left[own] -= 1
                else:
                    lacking.append(sequence)
        yield from (Broken("row", (sequence, table), self._number, sequence) for sequence in lacking)
        if self._complete and left.total() > len(lacking):
            yield Broken("row_added", (table,), self._number)


def _present(facts: Record) -> dict[str, Any]:
    """What the case's row says of the things that are told."""
    ending, publication = facts.get("ending"), facts.get("publication")
    return {
        "stage": facts.get("stage"),
        "revision": facts.get("revision"),
        "deposit": facts.get("deposit"),
        "terms": [
            {
                "certificate_number": term["certificate_number"],
                "from": _instant(term["from"]),
                "until": _instant(term["until"]),
            }
            for term in facts.get("terms", ())
        ],
        "holds": [hold["kind"] for hold in facts.get("holds", ())],
        "ending": {"kind": ending["kind"], "legal_at": _instant(ending["legal_at"])} if ending else None,
        "list_revision": publication["register_revision"] if publication else None,
    }


def _parts(name: str, told: Any, present: Any) -> Iterator[tuple[str, object, object]]:
    """What differs: of two objects the members that do."""
    if isinstance(told, dict) and isinstance(present, dict):
        for key in sorted({*told, *present}):
            if told.get(key) != present.get(key):
                yield f"{name}.{key}", told.get(key), present.get(key)
    else:
        yield name, told, present


def _instant(text: str) -> str:
    """In UTC, as entries tell it; what is no instant stays as it is."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC).isoformat()
    except ValueError:
        return text


def _shown(value: object) -> str:
    return value if isinstance(value, str) else quick(value).decode(errors="replace")
