"""Appeals and decisions set aside on the real server: the way back, its record, and the list meanwhile."""

from __future__ import annotations

from datetime import timedelta

from domain.commands import Actor, ApproveProposal, DecideAppeal, FileAppeal, Reject, Revoke, SetAside
from domain.refusals import RefusalKind
from domain.stages import Role, Stage, Standing
from tests.office import APPLICANT, CERTIFIER, REVIEWER, Base, Office, refused, until
from tests.path import acts
from tests.path.test_conduct import accused, known

ONLY_ON = "postgresql"
"""What differs between the databases is tested in tests/store, and by requests and payments at once on both."""

COMPLIANCE, JUDGE = Actor(role=Role.COMPLIANCE, name="he"), Actor(role=Role.CERTIFIER, name="shen")
REASON = {"reason": "证据充分"}


async def revoked(office: Office) -> Base:
    base = await acts.in_valid(office)
    await base.do(Revoke, COMPLIANCE, **REASON)
    await approved(base)
    return base


async def approved(base: Base) -> None:
    """The newest proposal, by a second person."""
    proposal = base.case.open_proposals[-1]
    await base.do(ApproveProposal, CERTIFIER, proposal=proposal.id, content=proposal.content)


async def appeal(base: Base) -> None:
    assert base.case.ending is not None
    await base.do(FileAppeal, APPLICANT, decision=base.case.ending.decision, statement="证据不实")


async def test_a_revocation_set_aside_puts_the_base_back_on_the_list(office: Office) -> None:
    base = await revoked(office)
    term = base.case.terms[-1]
    await appeal(base)
    assert acts.list_revisions(base)[-1][1] == "withdrawn", "the decision stands meanwhile"
    async with refused(RefusalKind.SECOND_PERSON_REQUIRED):
        await base.do(DecideAppeal, COMPLIANCE, outcome="set-aside", **REASON)
    back = await base.do(DecideAppeal, JUDGE, outcome="set-aside", **REASON)
    assert (back.stage, back.standing, back.due_at) == (Stage.VALID, Standing.CERTIFIED, None)
    states = [state for _, state in acts.list_revisions(base)]
    assert states == ["published", "withdrawn", "withdrawn", "published"], "filed, it keeps the reason back"
    assert base.case.terms == (term,)
    assert await acts.known_to_workflow(base) == base.case

    await base.forward_to(term.until)
    assert base.case.standing(term.until) is Standing.EXPIRED, "its year goes on to its own end"
    acts.check_books(base)


async def test_upheld_the_case_stays_ended(office: Office) -> None:
    base = await revoked(office)
    await appeal(base)
    upheld = await base.do(DecideAppeal, JUDGE, outcome="uphold", **REASON)
    assert upheld.standing is Standing.REVOKED
    async with refused(RefusalKind.ALREADY_DECIDED):
        await appeal(base)
    acts.check_books(base)


async def test_an_appeal_outlasts_its_time_and_leads_back(office: Office) -> None:
    base = await acts.in_appeal_window(office)
    until_ = base.case.appeal_until
    assert until_ is not None
    await appeal(base)
    await base.forward_to(until_ + timedelta(days=1))
    assert base.case.stage is Stage.SETTLING, "it waits for the decision"
    back = await base.do(DecideAppeal, JUDGE, outcome="set-aside", **REASON)
    assert (back.stage, back.awaiting) == (Stage.REVIEW, Role.REVIEWER)
    await base.do(Reject, REVIEWER, revision=1, **REASON)
    assert base.case.stage is Stage.SETTLING, "decided anew"
    acts.check_books(base)


async def test_a_closed_case_is_taken_up_again_by_two_people(office: Office) -> None:
    """Decision 8: what sets a decision of a closed case aside reopens its record."""
    base = await acts.in_appeal_window(office)
    assert base.case.appeal_until is not None and base.case.ending is not None
    decision = base.case.ending.decision
    await base.forward_to(base.case.appeal_until)
    assert base.case.stage is Stage.CLOSED
    await base.handle.result()
    propose = base.command(SetAside, COMPLIANCE, decision=decision, **REASON)
    await acts.start(base, propose, reopened=True)
    await base.handle.result()
    proposal = base.case.open_proposals[-1]
    approve = base.command(ApproveProposal, CERTIFIER, proposal=proposal.id, content=proposal.content)
    back = await acts.start(base, approve, reopened=True)
    assert (back.stage, back.standing) == (Stage.REVIEW, Standing.APPLICANT)
    await until(lambda: base.case.awaiting is Role.REVIEWER, "in review again")
    assert await acts.known_to_workflow(base) == base.case
    acts.check_books(base)


async def test_a_violation_that_is_undecided_again_is_waited_for_again(office: Office) -> None:
    """Its own workflow had ended with the revocation it led to."""
    base = await acts.in_valid(office)
    violation = await accused(base, severity="serious", urgent=True)
    await violation.respond()
    await violation.decide("revocation")
    await approved(base)
    assert (await violation.handle.result())["outcome"] == "revocation"
    await appeal(base)
    back = await base.do(DecideAppeal, JUDGE, outcome="set-aside", **REASON)
    assert (back.standing, back.awaiting) == (Standing.SUSPENDED, Role.COMPLIANCE)
    assert violation.conduct.state == "decision"
    await violation.runs()
    closed = await violation.decide("dismissed")
    assert (closed.standing, closed.awaiting) == (Standing.CERTIFIED, Role.NOBODY)
    assert (await violation.handle.result())["outcome"] == "dismissed"
    await known(base)
    acts.check_books(base)
