"""Quarterly assessment on a real server (decision 22): imported, objected to, decided, confirmed, and invalid (R9)."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from temporalio.client import Client, WorkflowExecutionStatus

from activities.desk import CaseDesk
from connection.local_server import LocalServer
from domain.case import Case
from domain.commands import DecideAssessment, ObjectAssessment, PeriodView, assessment_workflow_id
from domain.periods import ending_in
from domain.planning import Event
from domain.refusals import RefusalKind
from domain.shanghai import end_of_day
from domain.stages import Role, Stage, Standing
from store import tables
from store.queries import Reader
from tests.databases import Place
from tests.killing_worker import Death, worker_fork
from tests.office import APPLICANT, COMPLIANCE, Base, Office, refused, until, working_office
from tests.path import acts, quarters
from tests.path.quarters import SECOND, batch, confirmation, heard, imported, row, send, stands

ONLY_ON = "postgresql"
"""What differs between the databases is tested in tests/store, and by requests and payments at once on both."""

_STATEMENT = "两家商户未计入"


async def object_to(base: Base) -> None:
    document = base.documents.put(b"%PDF-1.4 the ledger %%EOF")
    await base.do(ObjectAssessment, APPLICANT, statement=_STATEMENT, evidence=(document,))


def revisions(base: Base) -> int:
    with Session(base.office.reading) as session:
        count = select(func.count()).where(tables.AssessmentRow.case_number == base.case.case_number)
        return session.scalar(count) or 0


async def past_the_window(base: Base) -> None:
    """The base's clock moved past its time to object, and on record as it is on the local server."""
    until_then = stands(base)
    assert until_then is not None and until_then.objection_until is not None
    await base.forward_to(until_then.objection_until + timedelta(minutes=1))
    offset = await base.now() - datetime.now(UTC)
    base.office.cases.record_clock(base.workflow_id, offset)


async def test_imported_objected_to_and_decided(client: Client, place: Place) -> None:
    async with working_office(client, place) as office, quarters.alone(office):
        base, other = await quarters.in_its_year(office), await quarters.in_its_year(office)
        answer = await imported(office, [row(base, gmv=5), row(other, gmv=6, line=3)], "figures")
        assert (answer.totals, answer.failing) == ({"recorded": 2}, 2)
        provisional = await heard(base, "provisional", "fail")
        await heard(other, "provisional", "fail")
        assert await acts.known_to_workflow(base) == base.case
        window = next(one for one in base.case.plan if one.event is Event.END_OBJECTION)
        assert window.at == provisional.objection_until and window.subject == provisional.period
        assert acts.letters(base)[-1] == "assessment_provisional"

        await object_to(base)
        assert base.case.awaiting is Role.COMPLIANCE
        async with refused(RefusalKind.NOTHING_TO_CONFIRM) as info:
            await send(office, confirmation("too-early"))
        assert {problem.message for problem in info.value.problems} == {
            "compliance decides on the objection",
            "the base may still object",
        }
        importer = COMPLIANCE.model_copy(update={"name": " SUN"})
        decision = {"period": provisional.period, "outcome": "pass", "reason": "the ledger shows them"}
        async with refused(RefusalKind.SECOND_PERSON_REQUIRED):
            await base.do(DecideAssessment, importer, **decision)
        await base.do(DecideAssessment, COMPLIANCE, **decision)
        assert (await heard(base, "confirmed", "pass")).decided_by == COMPLIANCE.name
        assert base.case.standing(await base.now()) is Standing.CERTIFIED
        acts.check_books(base)


async def test_confirmed_the_certification_is_invalid_with_all_that_follows(client: Client, place: Place) -> None:
    async with working_office(client, place) as office, quarters.alone(office):
        base, other = await quarters.in_its_year(office), await quarters.in_its_year(office)
        await imported(office, [row(base, gmv=5), row(other, line=3)], "figures")
        await heard(base, "provisional", "fail")
        await heard(other, "provisional", "pass")
        await past_the_window(base)
        importer = COMPLIANCE.model_copy(update={"name": "Sun"})
        async with refused(RefusalKind.SECOND_PERSON_REQUIRED):
            await send(office, confirmation("mine", importer))
        before = await base.now()
        answer = await send(office, confirmation("confirmed"))
        assert (answer.totals, answer.failing) == ({"confirmed": 2}, 1)
        await until(lambda: base.case.ending is not None, "invalid")
        await heard(other, "confirmed", "pass")

        case = base.case
        assert case.ending is not None and (case.ending.kind, case.stage) == (Standing.INVALID, Stage.SETTLING)
        assert before - timedelta(seconds=5) <= case.ending.legal_at <= case.ending.observed_at
        assert [task.kind for task in case.tasks] == ["confirm_marks", "settle_deposit"]
        assert {one.event for one in case.plan} == {
            Event.ESCALATE_MARKS, Event.ESCALATE_SETTLEMENT, Event.CLOSE_CASE,
        }  # fmt: skip
        assert acts.list_revisions(base) == [(1, "published"), (2, "withdrawn")]
        found = Reader(office.reading).find_case(case.case_number)
        assert found is not None
        benefits = Reader(office.reading).base_view(found, datetime.now(UTC))["benefits"]
        assert {benefit["state"] for benefit in benefits} == {"withdrawn"}
        assert acts.letters(base)[-1] == "certification_invalid"
        assert await acts.known_to_workflow(base) == case
        assert (await send(office, confirmation("confirmed"), "again")).repeated
        async with refused(RefusalKind.NOTHING_TO_CONFIRM):
            await send(office, confirmation("once-more"))
        assert base.case == case
        handle = office.client.get_workflow_handle(assessment_workflow_id(answer.period), result_type=PeriodView)
        view = await handle.result()
        assert (view.bases, view.hear, view.states, view.fails) == (2, 0, {"confirmed": 2}, 1)

        # Corrected figures that pass: a person may set it aside (E43).
        await imported(office, [row(base)], "corrected")
        await until(lambda: "set_aside_assessment" in {task.kind for task in base.case.tasks}, "to be set aside")
        assert base.case.ending == case.ending and acts.letters(base)[-1] == "assessment_to_set_aside"
        for one in (base, other):
            acts.check_books(one)


async def test_a_pass_and_its_confirmation_wake_nobody_s_run(
    client: Client, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    hear = CaseDesk.hear_beside

    def slowly(*args: Any) -> Case | None:
        time.sleep(1)
        return hear(*args)

    monkeypatch.setattr(CaseDesk, "hear_beside", slowly)
    async with working_office(client, place) as office:
        base = await acts.in_valid(office)
        period = next(ending_in(base.case.terms))
        async with quarters.alone(office, period):
            await base.forward_to(period.ends + timedelta(days=1))
            office.cases.record_clock(base.workflow_id, await base.now() - datetime.now(UTC))
            before, known = await length(base), await acts.known_to_workflow(base)
            await imported(office, [row(base, period=period)], "figures")
            answer = await send(office, confirmation("confirmed", period=period))
            assert answer.totals == {"confirmed": 1}, "a confirmation waits until the bases have heard of the import"
            await heard(base, "confirmed", "pass", period)
            assert acts.events(base)[-2:] == ["assessment_recorded", "assessment_confirmed"]
            assert acts.letters(base)[-2:] == ["assessment_provisional", "assessment_confirmed"]
            assert (await length(base), await acts.known_to_workflow(base)) == (before, known)

            await imported(office, [row(base, period=period, gmv=5)], "corrected")
            await heard(base, "provisional", "fail", period)
            assert await acts.known_to_workflow(base) == base.case, "what is at stake is shown"
            acts.check_books(base)


async def length(base: Base) -> int:
    """How many events the base's run has."""
    return int((await base.handle.describe()).history_length)


async def test_the_same_import_is_one_effect(client: Client, place: Place) -> None:
    async with working_office(client, place) as office, quarters.alone(office):
        base = await quarters.in_its_year(office)
        command = batch(office, [row(base, gmv=5)], "figures", looked_at=True)
        first, second = await asyncio.gather(send(office, command, "a"), send(office, command, "b"))
        assert {first.repeated, second.repeated} == {False, True}
        await heard(base, "provisional", "fail")
        again = await send(office, batch(office, [row(base, gmv=5)], "another"))
        assert again.totals == {"unchanged": 1}, "looked at before: it does not stop again"
        async with refused(RefusalKind.REQUEST_ID_REUSED):
            await send(office, batch(office, [row(base)], "figures"))
        assert revisions(base) == 1
        assert acts.letters(base, "assessment_provisional") == ["assessment_provisional"]
        async with refused(RefusalKind.MANY_FAILS) as info:
            await send(office, batch(office, [row(base, gmv=7)], "a-worse-one"))
        assert [problem.path for problem in info.value.problems] == ["line 2"]
        assert revisions(base) == 1
        lines = quarters.report(office, again)
        assert [(line["line"], line["outcome"], line["case_number"]) for line in lines] == [
            (2, "unchanged", base.case.case_number)
        ]


async def test_a_base_on_a_moved_clock_is_assessed_by_its_own(client: Client, place: Place) -> None:
    """Missing figures on the way: reminded, unknown, and never a fail (E42)."""
    async with working_office(client, place) as office:
        base = await acts.in_valid(office)
        period = next(ending_in(base.case.terms))
        async with quarters.alone(office, period):
            await send(office, batch(office, [row(base, period=period)], "too-early"))
            assert stands(base, period) is None, "its quarter is not over"
            escalated = end_of_day(period.last_day) + timedelta(days=45)
            await base.forward_to(escalated)
            office.cases.record_clock(base.workflow_id, escalated - datetime.now(UTC))
            unknown = stands(base, period)
            assert unknown is not None and (unknown.state, unknown.result) == ("unknown", "unknown")
            assert base.case.standing(escalated) is Standing.CERTIFIED and base.case.awaiting is Role.COMPLIANCE
            silence = [kind for kind in acts.letters(base) if "figures" in kind or "assessment" in kind]
            assert silence[:4] == ["remind_figures", "figures_escalated", "assessment_unknown", "assessment_escalated"]
            await imported(office, [row(base, period=period)], "late")
            await heard(base, "provisional", "pass", period)
            assert base.case.task is None
            acts.check_books(base)


async def test_a_case_that_is_down_hears_of_it_before_anything_else(
    client: Client, server: LocalServer, tmp_path: Path
) -> None:
    """A worker dies when a confirmation has been committed; the next one finds it, and it counts from its instant."""
    office = Office(client, tmp_path)
    async with quarters.alone(office):
        async with office.worker():
            base = await quarters.in_its_year(office)
            await imported(office, [row(base, gmv=5)], "figures")
            await heard(base, "provisional", "fail")
            await past_the_window(base)
        async with worker_fork(office, server.address, Death("confirm_period", "after", 1)) as worker:
            sent = asyncio.create_task(send(office, confirmation("confirmed", SECOND)))
            await worker.died()
        assert base.case.ending is None
        async with office.worker():
            assert (await sent).totals == {"confirmed": 1}
            await until(lambda: base.case.ending is not None, "invalid")
            assert acts.events(base)[-1] == "certification_invalid"
            status = (await base.handle.describe()).status
            assert status is WorkflowExecutionStatus.RUNNING
            acts.check_books(base)


@pytest.mark.parametrize("outcome", ["pass", "fail"])
async def test_a_decided_unknown(client: Client, tmp_path: Path, outcome: str) -> None:
    """A person's fail of a quarter without figures waits for another person (E42)."""
    office = Office(client, tmp_path)
    async with office.worker():
        base = await acts.in_valid(office)
        period = next(ending_in(base.case.terms))
        async with quarters.alone(office, period):
            await base.forward_to(end_of_day(period.last_day) + timedelta(days=45))
            office.cases.record_clock(base.workflow_id, await base.now() - datetime.now(UTC))
            await base.do(DecideAssessment, COMPLIANCE, period=str(period), outcome=outcome, reason="as we know them")
            if outcome == "pass":
                assert base.case.task is None
                return
            async with refused(RefusalKind.NOTHING_TO_CONFIRM):
                await send(office, confirmation("mine", COMPLIANCE, period))
            assert base.case.ending is None
            await send(office, confirmation("another's", SECOND, period))
            await until(lambda: base.case.ending is not None, "invalid")
            assert base.case.ending is not None and base.case.ending.cause == "assessment_failed"
