"""A name that could be taken for another base's, or for the platform's own: a person looks before it is listed.

Nothing is refused by itself: two honest bases may be called alike, and only a person can tell. The base is known by
its credit code whatever it is called (decision 8).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from domain.application import Application
from domain.findings import Finding, Outcome
from domain.policy import Policy
from domain.shanghai import midnight
from domain.skeleton import mixes_scripts, own_part, skeleton, words_in
from domain.terms import add_months

CONDITION = "name"
"""What its finding is called. It is there only when a person has to look."""
_WEIGHED = "A reviewer weighs the base's name."
_NAMED = 5
"""More are counted, and not named."""
_FOR_THE_STAFF = "For the staff: "
"""Begins what the applicant is not told: that somebody whose base is not public applies under such a name."""


@dataclass(frozen=True)
class LookAlike:
    """Another enterprise's case whose base is, or was lately, called so; `certificate_number` when it is public."""

    case_number: str
    certificate_number: str | None


def skeletons(application: Application) -> frozenset[str]:
    """What of an application could be taken for a base's name: its own, and that of who runs it."""
    return frozenset({skeleton(application.base.name), skeleton(application.entity.name)})


def protected_since(policy: Policy, today: date) -> datetime:
    """A base whose term ended before then is nobody's to be taken for any more."""
    return midnight(add_months(today, -policy.name_protected_months))


def judged(
    application: Application, policy: Policy, others: Sequence[LookAlike], *, as_of: date
) -> tuple[Finding, ...]:
    """One finding that needs a person, or none. It names no other base but by its numbers.

    The scheme itself grants the title 淘宝直播基地 (P1), and what is listed is certified: as the end of a base's name
    it claims nothing more. Anywhere else the platform's marks, and words such as 官方, say what R1 and R5 forbid.
    """
    name = application.base.name
    own = own_part(name)
    told = []
    if reserved := words_in(own, policy.reserved_words, name):
        told.append(f"It holds {'、'.join(reserved)}, which is not the base's to use.")
    if not own:
        told.append("It is the scheme's own name and no base's.")
    if mixes_scripts(name):
        told.append("A word of it mixes alphabets whose letters look alike.")
    listed = [f"It can be taken for the listed {one.certificate_number}." for one in others if one.certificate_number]
    told += listed[:_NAMED]
    hidden = [one.case_number for one in others]
    if hidden:
        more = f" and {len(hidden) - _NAMED} more" if len(hidden) > _NAMED else ""
        told.append(f"{_FOR_THE_STAFF}{', '.join(hidden[:_NAMED])}{more} of another enterprise is called alike.")
    if not told:
        return ()
    message = " ".join((_WEIGHED, *told))
    finding = {"condition": CONDITION, "outcome": Outcome.PERSON, "message": message, "as_of": as_of}
    return (Finding(**finding, value=name, threshold=None, document=None),)


def for_the_applicant(told: Any) -> Any:
    """What is read, as an applicant may: a finding about the name without what is for the staff.

    One of which nothing is left is not there: it would say that somebody whose base is not public is called so.
    """
    if isinstance(told, list | tuple):
        return [for_the_applicant(one) for one in told if _own_message(one) != _WEIGHED]
    if not isinstance(told, dict):
        return told
    if (message := _own_message(told)) is not None:
        return {**told, "message": message}
    return {key: for_the_applicant(value) for key, value in told.items()}


def _own_message(told: Any) -> str | None:
    """What of a finding about the name is for the applicant; None for anything else."""
    if isinstance(told, dict) and told.get("condition") == CONDITION and isinstance(told.get("message"), str):
        message: str = told["message"]
        return message.partition(_FOR_THE_STAFF)[0].rstrip()
    return None
