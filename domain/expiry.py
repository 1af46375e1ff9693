"""Expiry: a term that ends without a renewal ends the certification by itself (R9; decisions 7 and 25)."""

from __future__ import annotations

from typing import Any

from domain import quarter, renewal, top_up, verification
from domain.after_ending import duties, withdrawn
from domain.case import Case, Ending
from domain.letters import before_end_of, letter, long_date
from domain.money import format_cny
from domain.planning import Planned
from domain.records import Letter, Transition
from domain.setting import SYSTEM, Setting, step
from domain.shanghai import last_day
from domain.stages import Stage, Standing


def expire(case: Case, planned: Planned, setting: Setting) -> Transition:
    """The term is over: off the list and benefits withdrawn at the legal instant, marks duty and settlement opened.

    A renewal filed before goes on, late. Undecided through us, nobody is to suffer more than the law demands: marks
    duty and settlement wait for the decision. Deadlines count from the legal instant, however late it was observed.
    """
    term = case.terms[-1]
    records, off = withdrawn(case, setting, term.until, Standing.EXPIRED)
    our_delay = renewal.delayed_by_us(case, term.until)
    follows: dict[str, Any] = {"tasks": (), "plan": ()} if our_delay else duties(setting, case.over_since(term.until))
    pending = renewal.goes_on_late(case, term.until, setting, our_delay=our_delay)
    quarters = quarter.goes_on(case) if case.renewal else {"tasks": (), "plan": ()}
    others = case.tasks_without("publish", top_up.TASK, verification.TASK, *renewal.TASKS, *quarter.TASKS)
    return step(
        case,
        setting,
        "certification_expired",
        SYSTEM,
        *records,
        _letter(case, follows, setting, our_delay=our_delay),
        legal_at=term.until,
        detail={
            "certificate_number": term.certificate_number,
            "last_day": term.last_day.isoformat(),
            "renewal_undecided": case.renewal is not None,
        },
        **off,
        **{
            **follows,
            "stage": Stage.RENEWAL_LATE if case.renewal else Stage.SETTLING,
            "ending": Ending(
                kind=Standing.EXPIRED,
                cause="platform_delay" if our_delay else "term_ended",
                legal_at=term.until,
                observed_at=setting.now,
                reason="the term ended before its renewal was decided"
                if case.renewal
                else "the term ended without a renewal",
            ),
            "tasks": (*pending["tasks"], *others, *quarters["tasks"], *follows["tasks"]),
            "plan": (*pending["plan"], *quarters["plan"], *follows["plan"]),
        },
    )


def _letter(case: Case, follows: dict[str, Any], setting: Setting, *, our_delay: bool) -> Letter:
    facts: dict[str, Any] = {
        "certificate": case.terms[-1].certificate_number,
        "ended": long_date(last_day(case.terms[-1].until)),
        "held": format_cny(case.deposit.held),
    }
    if our_delay:
        return letter(case, "certification_expired.platform_delay", setting, **facts)
    marks, settlement = follows["tasks"]
    return letter(
        case,
        "certification_expired",
        setting,
        until=marks.due_at,
        provisional=marks.provisional,
        settle_by=before_end_of(settlement.due_at),
        **facts,
    )
