"""What a verification found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Record = Mapping[str, Any]
"""A record as an export has it, one JSON object a line (docs/audit.md).

An entry's `content`, where there is one, and those of rows are the bytes a hash covers as their source has them: what
they prove needs not be written anew.
"""

SENTENCES = {
    "missing": "entry {} is missing",
    "doubled": "entry {} is there twice",
    "surplus": "entry {} is not the case's: it wrote {}",
    "unlinked": "entry {} does not follow the entry before it",
    "unreadable": "entry {} can't be read",
    "changed": "entry {} was changed after it was written",
    "rewritten": "entries {} to {} were written anew: seal {} has another hash",
    "cut_off": "entry {} is missing: seal {} has one as far as that",
    "no_case": "there are entries, but no such case",
    "case_twice": "the case is there twice",
    "case_gone": "the case is gone: seal {} has it",
    "sums": "entry {} leaves {} at {} fen, the ledger lines so far come to {}",
    "state": "{} is {} by the log, and {} by the database",
    "facts": "the case is not as entry {} left it",
    "row": "what entry {} wrote to {} is not there as it was written",
    "row_added": "{} has a row that no entry wrote",
    "seal_missing": "seal {} is missing",
    "seal_unlinked": "seal {} does not follow the seal before it",
    "seal_changed": "seal {} was changed after it was made",
    "seal_lost": "seal {} is missing: there is a copy of it outside",
    "seal_replaced": "seal {} is not the one there is a copy of outside",
    "copy_missing": "the copy of seal {} outside is missing",
    "copy_changed": "the copy of seal {} outside was changed",
    "actor": "what {} may do by the database is not what the log left",
    "signed_by_nobody": "entry {} is signed by no key that was anybody's then",
    "signed_by_another": "entry {} has the signature of another person or another command",
    "signed_elsewhere": "entry {} has a signature that was made for another case",
}
"""Kind → what is wrong, with a {} for each value."""


@dataclass(frozen=True)
class Broken:
    """The first thing that is wrong with a chain: its kind, one of `SENTENCES`, with the values its sentence names.

    Without a case number it is about the chain of seals; `sequence` is the number of a case's entry.
    """

    kind: str
    values: tuple[object, ...] = ()
    case_number: str | None = None
    sequence: int | None = None

    @property
    def why(self) -> str:
        """In words."""
        return SENTENCES[self.kind].format(*self.values)


@dataclass
class Report:
    """How much was proven, and the first broken thing of each chain; `ok` is whether there is none.

    `signed` entries have a person's signature that was proven; `unsigned` ones were taken without, on a local server.
    `outside` is the number of the newest seal compared with its copy outside, 0 without any; `seen` names the cases.
    """

    entries: int = 0
    cases: int = 0
    seals: int = 0
    outside: int = 0
    signed: int = 0
    unsigned: int = 0
    broken: list[Broken] = field(default_factory=list)
    seen: set[str] = field(default_factory=set, compare=False, repr=False)

    @property
    def ok(self) -> bool:
        return not self.broken

    def add(self, other: Report) -> None:
        """Take in what was found elsewhere. A case that was seen here too is there twice."""
        self.broken += [Broken("case_twice", (), number) for number in sorted(self.seen & other.seen)]
        self.entries += other.entries
        self.cases += other.cases
        self.seals += other.seals
        self.outside = max(self.outside, other.outside)
        self.signed += other.signed
        self.unsigned += other.unsigned
        self.broken += other.broken
        self.seen |= other.seen
