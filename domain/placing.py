"""Whose a payment is that the bank tells of: found by what its note names, else by its payer (design/files.md)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from stdnum.cn import uscc

from domain.case import Case
from domain.names import company, folded
from domain.top_up import TASK

SEVERAL_NAMED = "the note names several bases"
UNKNOWN_NAMED = "the note names a base that is not known"
SEVERAL_PAYERS = "several bases with a deposit due have this payer"
NOBODYS = "no base with a deposit due has this payer"
_CASE_NUMBER = re.compile(r"(?<![0-9A-Z])LB-[0-9]{4}-[0-9]{6,}(?![0-9])(?!-[0-9]+-R[0-9])")
_REFUND = re.compile(r"(?<![0-9A-Z])(LB-[0-9]{4}-[0-9]{6,})-[0-9]+-R[0-9]+(?![0-9])")
_RETURN = re.compile(r"(?<![0-9A-Z])PAY-[0-9A-F]{24}-[0-9]+-R1(?![0-9])")
_CREDIT_CODE = re.compile(r"(?<![0-9A-Z])[0-9][0-9A-Z]{17}(?![0-9A-Z])")


@dataclass(frozen=True)
class Placed:
    """The number of the case a line is for; None for none, with the reason."""

    case_number: str | None
    why: str = ""


def named_in(note: str) -> tuple[str, ...]:
    """The case numbers and valid credit codes a note names, in whatever width, case and spacing."""
    for text in (unicodedata.normalize("NFKC", note).upper(), folded(note).upper()):
        codes = [code for code in _CREDIT_CODE.findall(text) if uscc.is_valid(code)]
        if named := (*_CASE_NUMBER.findall(text), *codes):
            return tuple(dict.fromkeys(named))
    return ()


def refund_in(note: str) -> tuple[str, str] | None:
    """The refund of ours that a note names, with its case's number: money that comes back is no payment."""
    found = _REFUND.search(folded(note).upper())
    return (found[0], found[1]) if found else None


def return_in(note: str) -> str | None:
    """The return of a payment of no case that a note names, by the id the bank knows it by."""
    found = _RETURN.search(folded(note).upper())
    return found[0] if found else None


def is_due(tasks: Iterable[Mapping[str, object]]) -> bool:
    """Whether a case, by its tasks as data, waits for money of the deposit: all of it, a part, or a top-up."""
    return any(task["kind"] in ("deposit", TASK) for task in tasks)


def payers(due: Iterable[Case]) -> dict[str, tuple[str, ...]]:
    """Normalised payer → the cases with a deposit due whose money it may pay."""
    found: dict[str, tuple[str, ...]] = {}
    for case in due:
        for name in {company(one) for one in case.payer_names}:
            found[name] = (*found.get(name, ()), case.case_number)
    return found


def place(note: str, payer: str, cases: Mapping[str, Case], due: Mapping[str, Sequence[str]]) -> Placed:
    """Find a payment's case. `cases` are those named, by number and by credit code (its newest); `due`: `payers`."""
    named = named_in(note)
    known = [cases[name] for name in named if name in cases]
    numbered = [case for case in known if case.case_number in named]
    # A number says which of an enterprise's cases its code means.
    meant = {case.case_number for case in known if case in numbered or _alone(case, numbered)}
    if len(meant) == 1:
        return Placed(meant.pop())
    if meant:
        return Placed(None, SEVERAL_NAMED)
    theirs = due.get(company(payer), ())
    if len(theirs) == 1:
        return Placed(theirs[0])
    if theirs:
        return Placed(None, SEVERAL_PAYERS)
    return Placed(None, UNKNOWN_NAMED if named else NOBODYS)


def _alone(case: Case, numbered: Sequence[Case]) -> bool:
    return all(other.credit_code != case.credit_code for other in numbered)
