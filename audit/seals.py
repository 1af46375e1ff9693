"""The seals: each has the newest entry (the head) of every case that went on since the seal before, and its hash.

Within a case they tell of a chain that was cut off or written anew, whole cases that are gone included. Copies of them
kept outside the database tell of seals that were made anew with it.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import NamedTuple

from audit.chain import is_hash_of
from audit.report import Broken, Record

GENESIS = hashlib.sha256(b"livebase audit seals").hexdigest()
_HEAD = struct.Struct(">II32s")
_DIGEST = 32


class Head(NamedTuple):
    """What a seal says of a case: the hash of its entry `sequence`, the newest one then."""

    sequence: int
    seal: int
    hash: str


class Seals:
    """The chain of seals as it is taken in, and what it says of each case; of those in `only`, when it is given.

    A head takes 40 bytes, so that millions fit: a record of years.
    """

    def __init__(self, only: Container[str] | None = None) -> None:
        self.count = 0
        self.outside = 0
        self.broken: list[Broken] = []
        self._only = only
        self._heads: dict[str, bytearray] = {}
        self._hashes = bytearray()

    def take(self, seal: Record) -> None:
        """The next seal, in the order of their numbers."""
        self.count += 1
        previous = self._hash(self.count - 1) if self.count > 1 else GENESIS
        if not self.broken and (kind := _how_broken(seal, self.count, previous)):
            self.broken = [Broken(kind, (self.count,))]
        self._hashes += _digest(seal["hash"])
        self._keep(seal)

    def compare(self, outside: Iterable[Record]) -> None:
        """Compare with the copies kept outside. Of one that is another, what it says of each case counts too."""
        found: list[Broken] = []
        for copy in outside:
            kind = self._compare(copy)
            if copy["number"] > self.outside + 1:
                found.append(Broken("copy_missing", (self.outside + 1,)))
            if kind:
                found.append(Broken(kind, (copy["number"],)))
            self.outside = max(self.outside, copy["number"])
        if not self.broken:
            self.broken = found[:1]

    def _compare(self, copy: Record) -> str:
        number = copy["number"]
        if not is_hash_of(copy["hash"], copy["previous_hash"], _content(copy)):
            return "copy_changed"
        if 0 < number <= self.count and self._hash(number) == copy["hash"]:
            return ""
        self._keep(copy)
        return "seal_lost" if number > self.count else "seal_replaced"

    def heads(self, case_number: str) -> list[Head]:
        """What is sealed of a case, first to last."""
        packed = self._heads.get(case_number, b"")
        heads = [Head(sequence, seal, digest.hex()) for sequence, seal, digest in _HEAD.iter_unpack(packed)]
        return sorted(heads)

    def of(self, case_numbers: Iterable[str]) -> Seals:
        """What is sealed of some cases, to prove them elsewhere."""
        part = Seals()
        part._heads = {number: self._heads[number] for number in case_numbers if number in self._heads}
        return part

    def cases(self) -> Iterator[str]:
        """The cases something is sealed of, in order."""
        yield from sorted(self._heads)

    def _hash(self, number: int) -> str:
        return self._hashes[(number - 1) * _DIGEST : number * _DIGEST].hex()

    def _keep(self, seal: Record) -> None:
        for case_number, sequence, own in seal["heads"]:
            if self._only is None or case_number in self._only:
                packed = _HEAD.pack(sequence, seal["number"], _digest(own))
                self._heads.setdefault(case_number, bytearray()).extend(packed)


def first_unsealed(case_number: str, entries: Sequence[Record], heads: Sequence[Head]) -> Broken | None:
    """The first entry that is not as it was sealed: after the last one that is."""
    agreed: list[int] = []
    for head in heads:
        if head.sequence > len(entries):
            place = len(entries) + 1
            return Broken("cut_off", (place, head.seal), case_number, place)
        if entries[head.sequence - 1]["hash"] != head.hash:
            # A seal and its copy outside may say two things of one entry: it does not count as agreed then.
            first = max((one for one in agreed if one < head.sequence), default=0) + 1
            return Broken("rewritten", (first, head.sequence, head.seal), case_number, first)
        agreed.append(head.sequence)
    return None


def _how_broken(seal: Record, place: int, previous: str) -> str:
    if seal["number"] != place:
        return "seal_missing"
    if seal["previous_hash"] != previous:
        return "seal_unlinked"
    return "" if is_hash_of(seal["hash"], previous, _content(seal)) else "seal_changed"


def _content(seal: Record) -> Record:
    return {"number": seal["number"], "at": seal["at"], "heads": [list(head) for head in seal["heads"]]}


def _digest(hexadecimal: str) -> bytes:
    """The bytes of a hash; of a text that is none, bytes no hash of ours has."""
    try:
        digest = bytes.fromhex(hexadecimal)
    except ValueError:
        digest = b""
    return digest if len(digest) == _DIGEST else bytes(_DIGEST)
