"""Conduct cases on the real server: a workflow of their own beside the certification's, both knowing of each other."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any

from temporalio.client import WithStartWorkflowOperation, WorkflowUpdateFailedError
from temporalio.common import WorkflowIDConflictPolicy

from connection.histories import runs
from domain import conduct_agenda
from domain.commands import (
    Actor,
    Answer,
    ApproveProposal,
    DecideConduct,
    ExtendDeadline,
    Reinstate,
    ReportConduct,
    RespondConduct,
    Suspend,
)
from domain.conduct import ConductCase, conduct_workflow_id
from domain.refusals import RefusalKind
from domain.shanghai import shanghai_date
from domain.stages import Role, Stage, Standing
from domain.written import WrittenReport, WrittenStatement
from store.conduct import conduct_view
from store.queries import Reader
from tests.office import APPLICANT, CERTIFIER, OPERATOR, Base, Office, refused, until
from tests.office import _refusal as refusal_of
from tests.path import acts
from workflows.messages import CONDUCT_WORKFLOW
from workflows.state import ConductState

ONLY_ON = "sqlite"
"""What differs between the databases is tested in tests/store, and by requests and payments at once on both."""

COMPLIANCE = Actor(role=Role.COMPLIANCE, name="he")
FACTS, ACCOUNT, ANSWER, PUT_RIGHT = "组织刷单", "anchor-1", "已经停止", "规则已张贴,人员已处分"


class Accused:
    """One conduct case of a base, driven as its people drive it."""

    def __init__(self, base: Base, id: str) -> None:
        self.base = base
        self.id = id
        self.workflow_id = conduct_workflow_id(base.workflow_id, id)

    @property
    def conduct(self) -> ConductCase:
        conduct = self.base.case.conduct_case(self.id)
        assert conduct is not None
        return conduct

    @property
    def handle(self) -> Any:
        return self.base.office.client.get_workflow_handle(self.workflow_id)

    async def respond(self, statement: str = ANSWER) -> Answer:
        paper = self.base.documents.put(WrittenStatement(statement=statement).canonical_bytes())
        return await self.base.send(self.base.command(RespondConduct, APPLICANT, conduct=self.id, paper=paper))

    async def decide(self, outcome: str) -> Answer:
        fields = {"conduct": self.id, "outcome": outcome, "reason": "证据充分"}
        return await self.base.send(self.base.command(DecideConduct, COMPLIANCE, **fields))

    async def runs(self) -> None:
        """Its workflow knows it as it is on record: a new one, where the one before has ended."""
        for _ in range(200):
            if await self.handle.query("conduct", result_type=ConductCase | None) == self.conduct:
                return
            await asyncio.sleep(0.05)
        raise AssertionError("the conduct case's workflow knows another one than is on record")

    async def forward_to(self, instant: datetime) -> None:
        """Move both clocks to an instant, stopping at everything that comes of itself in the conduct case."""
        clock = self.base.office.clock
        while True:
            now = await clock.now(self.workflow_id)
            upcoming = self.conduct.next_event
            stops = upcoming is not None and upcoming.at <= instant
            aim = upcoming.at if upcoming is not None and stops else instant
            await self.base.forward_to(aim)
            if aim > now:
                await clock.fast_forward(self.workflow_id, aim - now)
            if not stops or upcoming is None:
                return
            at = upcoming.at
            await until(lambda at=at: conduct_agenda.due(self.conduct, at) is None, f"{upcoming.event} of {self.id}")  # type: ignore[misc]


def report(base: Base, *, facts: str = FACTS, affected_accounts: tuple[str, ...] = (), **fields: Any) -> ReportConduct:
    evidence = base.documents.put(b"%PDF-1.4 screenshots of brushing %%EOF")
    paper = WrittenReport(facts=facts, affected_accounts=affected_accounts)
    given: dict[str, Any] = {
        "conduct": f"{base.case.case_number}-C{len(base.case.conduct) + 1}",
        "rule": "R6",
        "trigger": "breach",
        "severity": "minor",
        "found_on": shanghai_date(base.case.opened_at),
        "evidence": (evidence,),
        "paper": base.documents.put(paper.canonical_bytes()),
    }
    command: ReportConduct = base.command(ReportConduct, COMPLIANCE, **given | fields)
    return command


async def require_unsaid(case: Accused) -> None:
    """What people wrote about the violation is on record, and in no history: those are kept and shown elsewhere."""
    said = (FACTS, ACCOUNT, ANSWER, PUT_RIGHT)
    for workflow_id in (case.workflow_id, case.base.workflow_id):
        async for events in runs(case.base.office.client, workflow_id):
            kept = b"".join(event.SerializeToString() for event in events)
            assert not [text for text in said if text.encode() in kept or json.dumps(text)[1:-1].encode() in kept]


async def accused(base: Base, **fields: Any) -> Accused:
    """A violation reported, as the command line starts it."""
    command = report(base, **fields)
    start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
        CONDUCT_WORKFLOW,
        ConductState(case_workflow=command.workflow_id, conduct=command.conduct),
        id=command.sent_to,
        task_queue=base.office.settings.task_queue,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
    try:
        answer: Answer = await base.office.client.execute_update_with_start_workflow(
            command.action,
            base.office.signed(command),
            start_workflow_operation=start,
            id=command.update_id("test"),
            result_type=Answer,
        )
    except WorkflowUpdateFailedError as error:
        raise refusal_of(error) from None
    assert answer.conduct == command.conduct
    return Accused(base, command.conduct)


async def known(base: Base) -> None:
    """The certification's own workflow has heard of everything."""

    async def same() -> bool:
        return await acts.known_to_workflow(base) == base.case

    for _ in range(200):
        if await same():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the certification's workflow has not heard")


async def test_a_violation_is_answered_put_right_and_closed(office: Office) -> None:
    base = await acts.in_valid(office)
    case = await accused(base)
    assert base.case.task is not None and base.case.task.kind == "answer_conduct"
    await known(base)
    found = Reader(office.reading).find_case(base.case.case_number)
    assert found is not None and found.run_id == (await base.handle.describe()).run_id, "its own page in Temporal Web"
    assert (await case.respond()).awaiting is Role.COMPLIANCE
    assert (await case.decide("rectification")).awaiting is Role.APPLICANT
    await case.respond(PUT_RIGHT)
    closed = await case.decide("rectified")
    assert (closed.stage, closed.standing, closed.awaiting) == (Stage.VALID, Standing.CERTIFIED, Role.NOBODY)
    assert (await case.handle.result())["outcome"] == "rectified"
    await known(base)
    acts.check_books(base)
    view = conduct_view(office.reading, base.case, case.id, base.case.opened_at, staff=True)
    told = base.told(view)
    assert (told["facts"], told["answer"]) == (FACTS, ANSWER)
    assert FACTS not in str(view), "what people wrote is with the documents alone"
    await require_unsaid(case)


async def test_not_put_right_it_suspends_and_in_the_end_two_people_revoke(office: Office) -> None:
    base = await acts.in_valid(office)
    case = await accused(base, severity="minor", affected_accounts=(ACCOUNT,))
    await case.forward_to(case.conduct.plan[0].at)
    assert case.conduct.state == "decision", "its time to answer is over"
    await case.decide("rectification")
    overdue = case.conduct.plan[0].at
    await case.forward_to(overdue)
    assert case.conduct.state == "suspended"
    assert base.case.holds[0].since == overdue and base.case.standing(overdue) is Standing.SUSPENDED
    assert acts.list_revisions(base)[-1][1] == "suspended"
    await known(base)
    async with refused(RefusalKind.OUTCOME_NOT_OPEN):
        await case.decide("revocation")
    await case.forward_to(case.conduct.plan[0].at)
    assert case.conduct.overdue and base.case.ending is None, "a person decides"
    await case.decide("revocation")
    (proposal,) = base.case.open_proposals
    revoked = await base.do(ApproveProposal, CERTIFIER, proposal=proposal.id, content=proposal.content)
    assert revoked.standing is Standing.REVOKED
    assert case.conduct.state == "closed"
    assert (await case.handle.result())["outcome"] == "revocation", "its workflow has heard and ended"
    letters = Reader(office.reading).letters(base.case.case_number)
    assert [one["recipient"] for one in letters if ACCOUNT in base.told(one["body"])] == ["operator"], (
        "who depends on it (E50)"
    )
    acts.check_books(base)
    await require_unsaid(case)


async def test_several_at_once_and_no_measure_cancels_another(office: Office) -> None:
    base = await acts.in_valid(office)
    await base.do(Suspend, COMPLIANCE, reason="brushing found")
    first, second = await accused(base, urgent=True), await accused(base, rule="R4", severity="serious")
    assert len(base.case.holds) == 2
    await first.respond()
    await first.decide("dismissed")
    assert [hold.kind for hold in base.case.holds] == ["compliance"]
    await base.do(Reinstate, COMPLIANCE, reason="cleared")
    assert base.case.holds == () and second.conduct.state == "answer"
    await known(base)
    acts.check_books(base)
    await require_unsaid(first)


async def test_its_own_workflow_hears_what_is_done_in_the_certification(office: Office) -> None:
    base = await acts.in_valid(office)
    case = await accused(base)
    await case.respond()
    await case.decide("rectification")
    (before,) = case.conduct.plan
    to = shanghai_date(before.at) + timedelta(days=30)
    await base.do(ExtendDeadline, OPERATOR, deadline="rectification", to=to, reason="春节")
    assert case.conduct.plan != (before,)
    for _ in range(200):
        if await case.handle.query("conduct", result_type=ConductCase) == case.conduct:
            break
        await asyncio.sleep(0.05)
    else:
        raise AssertionError("its workflow waits for a deadline that is none any more")


async def test_of_two_reports_at_once_each_has_its_own_number(office: Office) -> None:
    base = await acts.in_valid(office)
    twice = await asyncio.gather(
        accused(base),
        accused(base),
        return_exceptions=True,
    )
    assert len(base.case.conduct) == 1
    assert sum(isinstance(one, Accused) for one in twice) == 1


async def test_a_conduct_case_outlives_its_certification(office: Office) -> None:
    base = await acts.in_valid(office)
    case = await accused(base, severity="serious")
    term = base.case.terms[-1]
    await base.forward_to(term.until)
    assert base.case.stage is Stage.SETTLING
    assert case.conduct.state == "decision", "its time to answer is over, though its own workflow's clock stands still"
    await case.decide("revocation")
    assert base.case.ending is not None and base.case.ending.kind is Standing.EXPIRED
    await known(base)
    acts.check_books(base)


async def test_a_repeat_is_one_effect(office: Office) -> None:
    base = await acts.in_valid(office)
    case = await accused(base)
    command = base.command(RespondConduct, APPLICANT, conduct=case.id, statement="s")
    answers = [await base.send(command) for _ in range(2)]
    assert [answer.repeated for answer in answers] == [False, False] or answers[1].repeated
    assert acts.events(base).count("conduct_answered") == 1
