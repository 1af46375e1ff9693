"""Suspension: a base with an open hold is suspended, whatever the hold's ground (decisions 20, 21, 27).

A hold goes by its kind: `compliance`, or a ground and whose it is, such as `conduct:LB-2026-000001-7`. Each ground
places and lifts its own and no other's; the base is suspended while one is open. Suspended, it stays on the official
list as such, and its benefits are paused. A suspension does not stop the year (decision 4).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from domain import official_list
from domain.case import Case, Hold
from domain.commands import Reinstate, Suspend
from domain.judging import judge
from domain.letters import letter, long_date
from domain.records import Decision, ListRevision, Transition
from domain.setting import Setting, step
from domain.shanghai import shanghai_date

COMPLIANCE = "compliance"
"""The hold that compliance places and lifts by hand."""
DEPOSIT = "deposit"
"""The hold a deposit places that was not topped up in time (`domain/top_up.py`)."""

Held = tuple[tuple[ListRevision, ...], dict[str, Any]]
"""What a hold placed or lifted leaves on record, and what it changes."""


def suspend(case: Case, command: Suspend, setting: Setting) -> Transition:
    """Compliance suspends the base, at once and alone: a suspension is one person's (decision 29)."""
    judge(case, command)
    records, changes = place(case, COMPLIANCE, command.reason, setting)
    return step(
        case,
        setting,
        "base_suspended",
        command.actor,
        Decision("suspended", command.actor.name, command.actor.role, case.revision, command.reason),
        *records,
        letter(
            case,
            "base_suspended",
            setting,
            reason=command.reason,
            since=long_date(shanghai_date(changes["suspended_since"])),
            last_day=long_date(case.terms[-1].last_day),
        ),
        detail={"hold": COMPLIANCE, "reason": command.reason, "holds": [hold.kind for hold in changes["holds"]]},
        **changes,
    )


def reinstate(case: Case, command: Reinstate, setting: Setting) -> Transition:
    """Compliance lifts its own hold. The base stays suspended while another one is open."""
    judge(case, command)
    records, changes = lift(case, COMPLIANCE, setting)
    left = [hold.kind for hold in changes["holds"]]
    return step(
        case,
        setting,
        "hold_lifted" if left else "base_reinstated",
        command.actor,
        Decision("reinstated", command.actor.name, command.actor.role, case.revision, command.reason),
        *records,
        letter(
            case,
            "base_reinstated.still_suspended" if left else "base_reinstated",
            setting,
            reason=command.reason,
            left=len(left),
            last_day=long_date(case.terms[-1].last_day),
        ),
        detail={"hold": COMPLIANCE, "reason": command.reason, "holds": left},
        **changes,
    )


def place(case: Case, kind: str, reason: str, setting: Setting, *, since: datetime | None = None) -> Held:
    """A hold from now on, or from a legal instant found late; the first one suspends the base.

    ValueError when one of the kind is open: its ground looks first (`Case.hold`).
    """
    if case.hold(kind) is not None:
        raise ValueError(f"case {case.case_number} has a hold {kind} already")
    hold = Hold(kind=kind, since=since or setting.now, reason=reason)
    return _changed(case, (*case.holds, hold), setting, hold.since)


def lift(case: Case, kind: str, setting: Setting, *, at: datetime | None = None) -> Held:
    """Lift the hold of a kind and no other, now or as of a legal instant; the last one lifted ends the suspension.

    ValueError when there is none.
    """
    if case.hold(kind) is None:
        raise ValueError(f"case {case.case_number} has no hold {kind}")
    return _changed(case, tuple(hold for hold in case.holds if hold.kind != kind), setting, at or setting.now)


def grounded(case: Case, holds: tuple[Hold, ...], since: datetime | None) -> dict[str, Any]:
    """The suspension of a certification that goes on after an end: those of the `holds` of before whose ground is
    still there, and those of conduct cases that would have placed one meanwhile.

    `since` is since when there was a hold before.
    """
    conduct = {one.hold: one for one in case.conduct}
    over = {kind for kind, one in conduct.items() if one.state == "closed"}
    if not case.deposit.missing:
        over.add(DEPOSIT)
    kept = [hold for hold in holds if hold.kind not in over]
    placed = {hold.kind for hold in kept}
    missed = [
        Hold(kind=one.hold, since=one.suspended_since, reason=one.suspended_for)
        for one in case.open_conduct
        if one.suspended_since is not None and one.hold not in placed
    ]
    all_of_them = tuple(sorted((*kept, *missed), key=lambda hold: hold.since))
    first = all_of_them[0].since if all_of_them else None
    return {"holds": all_of_them, "suspended_since": since if kept else first}


def _changed(case: Case, holds: tuple[Hold, ...], setting: Setting, at: datetime) -> Held:
    """The base with other holds. A base on the list gets a new entry when the public sees a difference."""
    changes: dict[str, Any] = {
        "holds": holds,
        "suspended_since": (case.suspended_since or at) if holds else None,
    }
    before, after = official_list.category(case.holds), official_list.category(holds)
    publication = case.publication
    if before == after or publication is None or publication.state != "published":
        return (), changes
    records = official_list.entries(case.model_copy(update=changes), setting, effective_from=at)
    changes["publication"] = publication.model_copy(update={"register_revision": records[0].revision})
    return records, changes
