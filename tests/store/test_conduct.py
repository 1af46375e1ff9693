"""What is on record of violations and authorisations, as it is shown, and who depends on a base (E50)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from sqlalchemy import Engine

from domain.case import Case
from domain.commands import Authorise, Surrender
from domain.records import Transition
from store.cases import CaseStore
from store.conduct import conduct_view
from tests.domain import cases
from tests.store.first_year import HOUR, OPENED, Enterprise, write

LATER = OPENED + 6 * HOUR


def done(store: CaseStore, transition: Transition) -> Case:
    write(store, transition)
    return transition.case


def authorised(case: Case, activity: str, until: date) -> Transition:
    paper = ("0" * 64,)
    command = cases.command(Authorise, cases.CERTIFIER, activity=activity, until=until, evidence=paper)
    return cases.decided(case, command, LATER)


def test_who_depends_on_a_base_and_until_when_its_authorisations_run_e50(store: CaseStore, engine: Engine) -> None:
    other = Enterprise(number="LB-2026-000002").stored(store, "base_published")
    done(store, cases.conduct_reported(other, LATER, affected_accounts=("somebody-elses",)))
    case = Enterprise().stored(store, "base_published")
    for accounts in (("anchor-1", "shop-2"), ("shop-2", "anchor-3")):
        case = done(store, cases.conduct_reported(case, LATER, rule="R5", affected_accounts=accounts))
    case = done(store, authorised(case, "双十一专场", date(2026, 11, 11)))
    case = done(store, authorised(case, "三月专场", OPENED.date()))
    with store.transaction(case.workflow_id) as tx:
        those = tx.dependants()
    assert those.accounts == ("anchor-1", "shop-2", "anchor-3")
    assert [(one.activity, one.until, one.at) for one in those.authorisations] == [
        ("双十一专场", date(2026, 11, 11), LATER),
        ("三月专场", OPENED.date(), LATER),
    ]

    def shown(case: Case, days: int) -> list[Any]:
        view = conduct_view(engine, case, f"{case.case_number}-C1", LATER + days * timedelta(days=1), staff=False)
        assert view["affected_accounts"] == [], "for the staff"
        return [(one["in_force"], one["ended_at"]) for one in view["authorisations"]]

    assert shown(case, 0) == [(True, None), (True, None)]
    assert shown(case, 1) == [(True, None), (False, "2026-03-03T00:00:00+08:00")]
    assert shown(case, 400)[0] == (False, "2026-11-12T00:00:00+08:00")
    leaves = cases.command(Surrender, cases.APPLICANT, reason="搬迁")
    case = done(store, cases.done(case, leaves, LATER + timedelta(days=2)))
    assert shown(case, 2) == [(False, "2026-03-04T16:00:00+08:00"), (False, "2026-03-03T00:00:00+08:00")]
