"""Figures and confirmations on record: append-only, each revision once, each case's news in its order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, delete, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from domain import agenda, assessment
from domain.assessing import assess
from domain.assessment import ResultConfirmed
from domain.figures import Figures
from domain.planning import Event
from domain.setting import Setting
from domain.stages import Stage
from store import tables
from store.assessments import AssessmentStore, unheard_news
from store.cases import CaseStore
from store.reference import policy_book, shipped_calendar
from tests.domain import cases
from tests.store.first_year import Enterprise, write

NOW = datetime(2026, 7, 6, 2, tzinfo=UTC)
PERIOD = "2026Q2"


def certified(store: CaseStore, number: str = "LB-2026-000001") -> str:
    """A base in its year, on record; its workflow's id."""
    enterprise = Enterprise(number=number)
    for transition in enterprise.first_year():
        write(store, transition)
        if transition.case.stage is Stage.VALID:
            break
    return enterprise.workflow_id


def figures(credit_code: str, gmv: int) -> Figures:
    return Figures(credit_code=credit_code, period=PERIOD, live_merchants=20, active_merchants=10, gmv=gmv, line=2)


def imported(engine: Engine, row: Figures, now: datetime = NOW) -> str:
    with AssessmentStore(engine).transaction() as tx:
        (line,) = assess([row], tx.bases([row.credit_code], PERIOD, now), policy_book())
        if line.outcome in ("recorded", "corrected"):
            tx.add(line, row, "0" * 64, "sun", now)
    return line.outcome


def heard(store: CaseStore, workflow_id: str, now: datetime = NOW) -> list[str]:
    """The case hears of all that is new, as the desk does; its events."""
    events = []
    with store.transaction(workflow_id) as tx:
        assert tx.case is not None
        for news in tx.news(tx.case):
            assert tx.case is not None
            policy = policy_book().pinned(tx.case.policy_version)
            transition = assessment.hear(tx.case, news, Setting(now, policy, shipped_calendar(), policy, 2))
            tx.write(transition)
            events.append(transition.event)
    return events


def test_each_revision_is_recorded_once_and_heard_of_once(engine: Engine, store: CaseStore) -> None:
    workflow_id = certified(store)
    case = store.case(workflow_id)
    assert case is not None
    row = figures(case.credit_code, 5)
    assert [imported(engine, row), imported(engine, row)] == ["recorded", "unchanged"]
    assert imported(engine, figures(case.credit_code, 10**9)) == "corrected"
    assert heard(store, workflow_id) == ["assessment_recorded", "assessment_corrected"]
    assert heard(store, workflow_id) == []
    after = store.case(workflow_id)
    assert after is not None
    (quarter,) = AssessmentStore(engine).history(after)
    assert (quarter["state"], quarter["result"]) == ("provisional", "pass")
    assert [one["result"] for one in quarter["figures"]] == ["fail", "pass"]


def test_a_confirmation_comes_between_the_figures_it_is_of_and_their_correction(
    engine: Engine, store: CaseStore
) -> None:
    workflow_id = certified(store)
    case = store.case(workflow_id)
    assert case is not None
    imported(engine, figures(case.credit_code, 10**9))
    heard(store, workflow_id)
    news = ResultConfirmed(PERIOD, 1, "pass", "zhou", NOW)
    with AssessmentStore(engine).transaction() as tx:
        (base,) = tx.assessed(PERIOD, NOW)
        assert (base.case.case_number, base.hears) == (case.case_number, False)
        tx.confirm(case.case_number, news)
    imported(engine, figures(case.credit_code, 5))
    after = store.case(workflow_id)
    assert after is not None
    with Session(engine) as session:
        assert [one.order for one in unheard_news(session, after)] == [(PERIOD, 1, 1), (PERIOD, 2, 0)]
    assert AssessmentStore(engine).assessed(PERIOD, NOW)[0].hears
    with pytest.raises(IntegrityError), AssessmentStore(engine).transaction() as tx:
        tx.confirm(case.case_number, news)


def test_passes_that_wait_for_a_second_person(engine: Engine, store: CaseStore) -> None:
    first, second, failing = (certified(store, f"LB-2026-00000{one}") for one in (1, 2, 3))
    for workflow_id, gmv in ((first, 10**9), (second, 10**8), (failing, 5)):
        case = store.case(workflow_id)
        assert case is not None
        imported(engine, figures(case.credit_code, gmv))
    quarters = AssessmentStore(engine)
    assert quarters.passes_to_confirm() == {}, "no base has heard"
    for workflow_id in (first, second, failing):
        heard(store, workflow_id)
    assert quarters.passes_to_confirm() == quarters.passes_to_confirm("wu") == {PERIOD: 2}
    assert quarters.passes_to_confirm(" SUN") == {}, "who imported them is no second person"
    case = store.case(first)
    assert case is not None
    with quarters.transaction() as tx:
        tx.confirm(case.case_number, ResultConfirmed(PERIOD, 1, "pass", "zhou", NOW))
    assert quarters.passes_to_confirm() == {PERIOD: 1}
    heard(store, first)
    imported(engine, figures(case.credit_code, 10**9 + 1))
    heard(store, first)
    assert quarters.passes_to_confirm() == {PERIOD: 1}, "figures that change nothing for a confirmed pass"
    case = store.case(second)
    assert case is not None
    end = next(planned for planned in case.plan if planned.event is Event.EXPIRE_CERTIFICATION)
    write(store, agenda.take(case, end, cases.setting(end.at, 4)))
    assert quarters.passes_to_confirm() == {}


def test_a_base_is_seen_at_its_own_clock(engine: Engine, store: CaseStore) -> None:
    workflow_id = certified(store)
    case = store.case(workflow_id)
    assert case is not None
    early = datetime(2026, 6, 29, 2, tzinfo=UTC)
    assert imported(engine, figures(case.credit_code, 5), early) == "not_assessed"
    store.record_clock(workflow_id, timedelta(days=2))
    assert imported(engine, figures(case.credit_code, 5), early) == "recorded"


@pytest.mark.parametrize("table", [tables.AssessmentRow, tables.ConfirmationRow])
def test_nothing_on_record_is_changed(engine: Engine, store: CaseStore, table: type[tables.Table]) -> None:
    workflow_id = certified(store)
    case = store.case(workflow_id)
    assert case is not None
    imported(engine, figures(case.credit_code, 5))
    with AssessmentStore(engine).transaction() as tx:
        tx.confirm(case.case_number, ResultConfirmed(PERIOD, 1, "fail", "zhou", NOW))
    for statement in (update(table).values(result="pass"), delete(table)):
        with pytest.raises(DBAPIError), engine.begin() as connection:
            connection.execute(statement)
    with Session(engine) as session:
        assert session.scalars(select(table)).one().result == "fail"  # type: ignore[attr-defined]
