"""Who and what depends on a base, as far as it is on record: what ends with its certification (R5, R8).

Merchants and anchors are on record only where a violation has affected them. A written authorisation ends with the
certification it was given under. That is computed and never stored: set aside the ending, and it runs again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from domain.case import Case
from domain.certification import BENEFITS
from domain.conduct import Outcome
from domain.letters import letter, long_date
from domain.names import folded
from domain.records import Letter
from domain.setting import Setting
from domain.shanghai import end_of_day, shanghai_date
from domain.stages import Standing


@dataclass(frozen=True)
class Authorised:
    """A written authorisation as given at an instant, through the Shanghai date `until`."""

    activity: str
    until: date
    at: datetime


@dataclass(frozen=True)
class Dependants:
    """The accounts that violations of the base affected, and its written authorisations, whether they run or not."""

    accounts: tuple[str, ...] = ()
    authorisations: tuple[Authorised, ...] = ()


def dependants(
    case: Case, accounts: Iterable[tuple[str, Sequence[str]]], authorisations: Iterable[Authorised]
) -> Dependants:
    """Those on record, each account once. `accounts` are those each conduct case (its id) was reported with.

    A conduct case that was dismissed names nobody: it may have meant another base.
    """
    dismissed = {conduct.id for conduct in case.conduct if conduct.outcome is Outcome.DISMISSED}
    named = {folded(one): one for id, those in accounts if id not in dismissed for one in those}
    return Dependants(tuple(named.values()), tuple(authorisations))


def ended_at(case: Case, given: Authorised, now: datetime) -> datetime | None:
    """When an authorisation ended, None while it runs: with its last day, or before with the certification."""
    ends = min(end_of_day(given.until), _certified_until(case, given.at))
    return ends if ends <= now else None


def in_force(case: Case, given: Authorised, now: datetime) -> bool:
    """Whether it may be acted on: while it runs, but for a suspension, in which nothing is done in our name."""
    return ended_at(case, given, now) is None and case.standing(now) is Standing.CERTIFIED


def to_be_told(case: Case, those: Dependants, setting: Setting, reason: str) -> Letter:
    """To the operator when the certification is revoked: whom to tell, and what ended with it."""
    term = case.running_term
    assert term is not None
    ended = [one for one in those.authorisations if ended_at(case, one, setting.now) is None]
    return letter(
        case,
        "revocation_to_be_told",
        setting,
        certificate=term.certificate_number,
        ended=long_date(shanghai_date(setting.now)),
        accounts=_lines(those.accounts),
        authorisations=_lines(f"{one.activity}(原至{long_date(one.until)})" for one in ended),
        benefits="、".join(BENEFITS),
        reason=reason,
    )


def _certified_until(case: Case, at: datetime) -> datetime:
    """Until when the certification of an instant lasts: through terms that join, to their end or a decision's.

    A term that a late renewal began after a gap is another certification.
    """
    until = at
    for term in case.terms:
        if term.from_ <= max(until, at):
            until = term.until
    return min(until, case.ending.legal_at) if case.ending else until


def _lines(those: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"- {one}" for one in those) or ("- 无",)
