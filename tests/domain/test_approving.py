"""Four eyes: bound to content and state, by another person, within three working days (decision 29; E36)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from domain import agenda, casework, conduct_agenda, publication
from domain.case import Case
from domain.commands import (
    Actor,
    Assign,
    Command,
    DecideAppeal,
    DenyProposal,
    FileAppeal,
    Reinstate,
    Revoke,
    SetAside,
    Suspend,
)
from domain.deciding import PROPOSED, RULES
from domain.inbox import waits_for
from domain.judging import judge, open_to
from domain.permissions import ROLES, SECOND_PERSON
from domain.planning import Event
from domain.records import Decision, Letter
from domain.refusals import Refusal, RefusalKind
from domain.shanghai import end_of_day
from domain.stages import Role, Stage, Standing
from domain.wordings import WORDINGS
from tests.domain import cases

NOW = cases.OPENED
OTHER = Actor(role=Role.COMPLIANCE, name="feng")
JUDGE = Actor(role=Role.CERTIFIER, name="shen")
WHY = {"reason": "r"}


def revoke(reason: str = "brushing found", who: Actor = cases.COMPLIANCE) -> Any:
    return cases.command(Revoke, who, reason=reason)


def refusal(case: Case, command: Any) -> Refusal:
    with pytest.raises(Refusal) as info:
        cases.done(case, command, NOW)
    with pytest.raises(Refusal) as early:
        judge(case, command)
    assert early.value.kind is info.value.kind, "a validator refuses it too"
    return info.value


def test_a_proposal_does_nothing_but_wait() -> None:
    before, done = cases.in_valid(), cases.done(cases.in_valid(), revoke(), NOW)
    case = done.case
    (proposal,) = case.open_proposals
    assert proposal.id == f"LB-2026-000001-{case.sequence}" and done.event == "proposal_made"
    assert (proposal.action, proposal.parameters) == ("revoke", {"reason": "brushing found"})
    assert (case.standing(NOW), case.publication, case.stage) == (Standing.CERTIFIED, before.publication, Stage.VALID)
    (task,) = case.tasks
    assert (task.kind, task.role, task.also) == ("approve_revocation", Role.COMPLIANCE, (Role.CERTIFIER,))
    assert task.due_at == end_of_day(date(2026, 3, 5)), "three working days"
    assert (case.awaiting, case.due_at) == (Role.COMPLIANCE, task.due_at)
    (letter,) = [record for record in done.records if isinstance(record, Letter)]
    assert letter.recipient is Role.COMPLIANCE and proposal.id in letter.body
    assert done.detail["content"] == proposal.content


@pytest.mark.parametrize("who", [OTHER, cases.CERTIFIER], ids=str)
def test_another_person_approves_and_both_are_on_record(who: Actor) -> None:
    case = cases.revocation_proposed()
    done = cases.done(case, cases.approval(case, who), NOW)
    both = {"proposal": case.proposals[0].id, "proposed_by": "compliance:he", "approved_by": str(who)}
    assert (done.event, done.actor) == ("certification_revoked", str(who))
    assert done.detail.items() >= both.items()
    (decision,) = [record for record in done.records if isinstance(record, Decision)]
    assert (decision.kind, decision.by, decision.role, decision.detail) == ("revoked", who.name, who.role, both)
    assert done.case.standing(NOW) is Standing.REVOKED
    assert done.case.proposals[0].outcome == "approved"
    assert {task.kind for task in done.case.tasks} == {"confirm_marks", "settle_deposit"}


@pytest.mark.parametrize("name", ["he", "HE", " h e ", "\uff48\uff45"])
@pytest.mark.parametrize("role", [Role.COMPLIANCE, Role.CERTIFIER])
def test_the_same_person_is_no_second_one_under_any_role_or_spelling(role: Role, name: str) -> None:
    """E36."""
    case = cases.revocation_proposed()
    refused = refusal(case, cases.approval(case, Actor(role=role, name=name)))
    assert (refused.kind, refused.kind.exit_code) == (RefusalKind.SECOND_PERSON_REQUIRED, 4)


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.NOBODY, Role.COMPLIANCE, Role.CERTIFIER}))
def test_a_role_that_may_not_approve_is_refused(role: Role) -> None:
    case = cases.revocation_proposed()
    refused = refusal(case, cases.approval(case, Actor(role=role, name="wang")))
    assert (refused.kind, refused.kind.exit_code) == (RefusalKind.ROLE_NOT_ALLOWED, 4)


def test_another_content_is_refused() -> None:
    """E36: what the approver saw is what is done."""
    case = cases.revocation_proposed()
    approval = cases.approval(case).model_copy(update={"content": "0" * 64})
    assert refusal(case, approval).kind.exit_code == 8
    other = cases.done(cases.in_valid(), revoke("something else"), NOW).case
    assert other.proposals[0].content != case.proposals[0].content
    assert refusal(case, cases.approval(other)).kind is RefusalKind.PROPOSAL_CHANGED


def sent(case: Case, kind: type[Command], who: Actor, at: datetime = NOW, **fields: Any) -> Case:
    return cases.decided(case, cases.command(kind, who, **fields), at).case


def set_aside_proposed(case: Case) -> Case:
    assert case.ending is not None
    return sent(case, SetAside, cases.COMPLIANCE, decision=case.ending.decision, reason="r")


def proposed(case: Case) -> Case:
    """What can be proposed on it is: its revocation, or that its ending is set aside."""
    return cases.done(case, revoke(), NOW).case if case.ending is None else set_aside_proposed(case)


def appealed(case: Case) -> Case:
    assert case.ending is not None
    return sent(case, FileAppeal, cases.APPLICANT, decision=case.ending.decision, statement="s")


def appeal_upheld(case: Case) -> Case:
    return sent(case, DecideAppeal, JUDGE, outcome="uphold", **WHY)


def violation_decided(case: Case, outcome: str) -> Case:
    return cases.conduct_decided(case, outcome, NOW + timedelta(days=2)).case


def corrected(case: Case) -> Case:
    return cases.told(case, 5_000_000_000, revision=2).case


CHANGED: dict[str, tuple[Callable[[], Case], Callable[[Case], Case], str]] = {
    "the base is suspended": (cases.in_valid, lambda c: sent(c, Suspend, cases.COMPLIANCE, **WHY), "suspension"),
    "a suspension is lifted": (cases.suspended, lambda c: sent(c, Reinstate, cases.COMPLIANCE, **WHY), "suspension"),
    "it is suspended for another reason": (
        cases.suspended,
        lambda c: sent(sent(c, Reinstate, cases.COMPLIANCE, **WHY), Suspend, cases.COMPLIANCE, reason="other"),
        "suspension",
    ),
    "a violation is reported": (cases.in_valid, lambda c: cases.conduct_reported(c).case, "violations"),
    "a violation is answered": (cases.accused, lambda c: cases.conduct_answered(c, NOW).case, "violations"),
    "a violation is dismissed": (cases.undecided, lambda c: violation_decided(c, "dismissed"), "violations"),
    "it is to be put right": (cases.undecided, lambda c: violation_decided(c, "rectification"), "violations"),
    "it is suspended for": (cases.undecided, lambda c: violation_decided(c, "suspension"), "violations"),
    "an assessment is decided": (
        cases.objected,
        lambda c: cases.assessment_decided(c, "fail", NOW).case,
        "assessments",
    ),
    "an appeal is filed": (cases.revoked, appealed, "appeal"),
    "an appeal is decided": (lambda: appealed(cases.revoked()), appeal_upheld, "appeal"),
    "the figures that failed are corrected": (
        lambda: cases.confirmed(cases.failing()).case,
        corrected,
        "assessments",
    ),
    "a revision": (cases.in_valid, lambda c: c.model_copy(update={"revision": 2}), "revision"),
    "a next term": (
        cases.in_valid,
        lambda c: c.model_copy(update={"terms": (*c.terms, c.terms[0].next("LBC-2027-000001", "2026.1"))}),
        "terms",
    ),
    "money is deducted": (
        cases.in_valid,
        lambda c: c.model_copy(update={"deposit": c.deposit.model_copy(update={"deducted": 1})}),
        "deposit",
    ),
}
"""What people do between proposal and approval → the case before, what is done, the part of the state it changes."""


@pytest.mark.parametrize("what", CHANGED)
def test_what_people_change_in_between_has_to_be_proposed_anew(what: str) -> None:
    before, change, part = CHANGED[what]
    case = change(proposed(before()))
    refused = refusal(case, cases.approval(case))
    assert (refused.kind, refused.kind.exit_code) == (RefusalKind.PROPOSAL_CHANGED, 8)
    assert part in refused.message and "proposed anew" in refused.hint
    assert sent(case, DenyProposal, OTHER, proposal=case.open_proposals[-1].id, **WHY).open_proposals == ()


def taken(case: Case, *events: Event) -> Case:
    """What comes of itself, whenever it is due."""
    for event in events:
        planned = cases.planned_event(case, event)
        case = agenda.take(case, planned, cases.setting(planned.at, 2)).case
    return case


def taken_in_conduct(case: Case, *events: Event) -> Case:
    for event in events:
        conduct = case.conduct[-1]
        (planned,) = [planned for planned in conduct.plan if planned.event is event]
        done = conduct_agenda.take(case, conduct.id, planned, cases.setting(planned.at, 2))
        assert done is not None
        case = done.case
    return case


OF_ITSELF: dict[str, tuple[Callable[[], Case], Callable[[Case], Case]]] = {
    "a reminder": (cases.in_valid, lambda c: taken(c, Event.REMIND_RENEWAL)),
    "figures that are missing": (cases.in_valid, lambda c: taken(c, Event.REMIND_FIGURES, Event.ESCALATE_FIGURES)),
    "figures that are told": (cases.in_valid, lambda c: cases.told(c).case),
    "a time to object that is over": (cases.failing, lambda c: taken(c, Event.END_OBJECTION)),
    "a publication": (cases.in_publishing, lambda c: publication.published(c, cases.setting(NOW)).case),
    "a publication that is late": (
        cases.in_publishing,
        lambda c: taken(c, Event.ESCALATE_PUBLICATION, Event.RECORD_PUBLICATION_BREACH),
    ),
    "a next term that begins": (cases.renewed, lambda c: taken(c, Event.BEGIN_TERM)),
    "a time to answer that is over": (cases.accused, lambda c: taken_in_conduct(c, Event.END_ANSWER)),
    "a decision that is overdue": (cases.undecided, lambda c: taken_in_conduct(c, Event.ESCALATE_CONDUCT)),
    "a violation not put right": (
        cases.ordered_to_rectify,
        lambda c: taken_in_conduct(c, Event.SUSPEND_UNCORRECTED, Event.ASK_FOR_REVOCATION),
    ),
    "money that fits nowhere": (cases.in_valid, lambda c: cases.paid(c, 1, reference="B9").case),
    "duties that are overdue": (cases.revoked, lambda c: taken(c, Event.ESCALATE_MARKS, Event.ESCALATE_SETTLEMENT)),
    "a time to appeal that is over": (cases.revoked, lambda c: taken(c, Event.CLOSE_CASE)),
}
"""What comes of itself or from outside → the case before, and what comes."""


@pytest.mark.parametrize("what", OF_ITSELF)
def test_what_comes_of_itself_or_from_outside_holds_up_no_approval(what: str) -> None:
    """Nobody stalls a revocation by paying a fen or waiting for a day, nor does publication in between (E10)."""
    before, comes = OF_ITSELF[what]
    waiting = proposed(before())
    after = comes(waiting)
    assert after.sequence > waiting.sequence
    kind = Standing.REVOKED if waiting.ending is None else None
    done = cases.decided(after, cases.approval(after), NOW, 9)
    assert (done.case.ending and done.case.ending.kind) == kind


def test_what_is_lifted_again_is_the_state_it_was_made_on() -> None:
    case = cases.revocation_proposed()
    held = cases.done(case, cases.command(Suspend, cases.COMPLIANCE, reason="r"), NOW).case
    back = cases.done(held, cases.command(Reinstate, cases.COMPLIANCE, reason="r"), NOW).case
    assert cases.done(back, cases.approval(back), NOW).case.standing(NOW) is Standing.REVOKED


def test_it_expires_at_the_end_of_the_third_working_day() -> None:
    """E36: too late is too late, and it may be proposed anew."""
    case = cases.revocation_proposed()
    planned = cases.planned_event(case, Event.EXPIRE_PROPOSAL)
    assert planned.at == end_of_day(date(2026, 3, 5))
    assert agenda.legally_due(case, planned.at - timedelta(microseconds=1)) is None
    assert agenda.legally_due(case, planned.at) == planned, "before any command of that instant (decision 7)"
    expired = agenda.take(case, planned, cases.setting(planned.at + timedelta(days=9)))
    assert (expired.event, expired.legal_at, expired.case.tasks) == ("proposal_expired", planned.at, ())
    assert expired.case.standing(NOW) is Standing.CERTIFIED
    refused = refusal(expired.case, cases.approval(case))
    assert (refused.kind, refused.kind.exit_code) == (RefusalKind.TOO_LATE, 5)
    assert cases.done(expired.case, revoke(), NOW).case.open_proposals


def test_one_denial_ends_it() -> None:
    """E36."""
    case = cases.revocation_proposed()
    denied = cases.done(case, cases.command(DenyProposal, OTHER, proposal=case.proposals[0].id, reason="too hard"), NOW)
    assert (denied.event, denied.detail["reason"]) == ("proposal_denied", "too hard")
    assert (denied.case.tasks, denied.case.plan, denied.case.open_proposals) == ((), cases.in_valid().plan, ())
    for who in (cases.CERTIFIER, OTHER):
        refused = refusal(denied.case, cases.approval(case, who))
        assert (refused.kind, refused.kind.exit_code) == (RefusalKind.ALREADY_DECIDED, 8)


def test_whoever_proposed_it_may_take_it_back() -> None:
    case = cases.revocation_proposed()
    deny = cases.command(DenyProposal, cases.COMPLIANCE, proposal=case.proposals[0].id, reason="a mistake")
    assert cases.done(case, deny, NOW).case.open_proposals == ()


def test_approved_twice_the_second_hears_that_it_has_been() -> None:
    case = cases.revocation_proposed()
    done = cases.done(case, cases.approval(case), NOW).case
    assert refusal(done, cases.approval(case, OTHER)).kind is RefusalKind.ALREADY_DECIDED


def test_no_such_proposal() -> None:
    case = cases.revocation_proposed()
    approval = cases.approval(case).model_copy(update={"proposal": "LB-2026-000001-99"})
    assert refusal(case, approval).kind.exit_code == 3


@pytest.mark.parametrize("reason", ["brushing found", "another ground"])
def test_the_same_is_not_proposed_twice_whatever_its_reason(reason: str) -> None:
    """One is open at a time; what is about something else may stand beside it."""
    case = cases.revocation_proposed()
    with pytest.raises(Refusal) as info:
        cases.done(case, revoke(reason, OTHER), NOW)
    assert info.value.kind is RefusalKind.PROPOSAL_PENDING and case.proposals[0].id in info.value.hint
    accused = cases.undecided(severity="serious")
    two = cases.conduct_decided(cases.done(accused, revoke(), NOW).case, "revocation", NOW + timedelta(days=2)).case
    assert len(two.open_proposals) == len([task for task in two.tasks if task.kind == "approve_revocation"]) == 2
    first, second = two.open_proposals
    denied = sent(two, DenyProposal, OTHER, proposal=first.id, **WHY)
    assert denied.open_proposals == (second,)
    assert [planned.subject for planned in denied.plan if planned.event is Event.EXPIRE_PROPOSAL] == [second.id]


def test_what_would_be_refused_is_not_even_proposed() -> None:
    for case in (cases.in_review(), cases.expired()):
        with pytest.raises(Refusal) as info:
            cases.done(case, revoke(), NOW)
        assert info.value.kind.exit_code == 5


def test_it_waits_for_those_who_may_approve_it_and_not_for_its_proposer() -> None:
    case = cases.revocation_proposed()
    (task,) = case.tasks
    assert waits_for(case, task, OTHER) and waits_for(case, task, cases.CERTIFIER)
    assert not waits_for(case, task, cases.COMPLIANCE)
    assert not waits_for(case, task, Actor(role=Role.CERTIFIER, name="He"))
    assert not waits_for(case, task, cases.FINANCE)
    with pytest.raises(Refusal) as info:
        casework.assign(case, cases.command(Assign, cases.OPERATOR, to="HE", reason="r"), cases.setting(NOW))
    assert info.value.kind is RefusalKind.SECOND_PERSON_REQUIRED
    given = casework.assign(case, cases.command(Assign, cases.OPERATOR, to="feng", reason="r"), cases.setting(NOW)).case
    assert waits_for(given, given.tasks[0], OTHER) and not waits_for(given, given.tasks[0], cases.CERTIFIER)
    assert open_to(case)["approve_proposal"] == {Role.COMPLIANCE, Role.CERTIFIER}
    assert "approve_proposal" not in open_to(cases.in_valid())


def test_a_renewal_and_a_proposal_go_side_by_side() -> None:
    """Two measures never cancel each other: the year's end, not a filing, overtakes what was proposed."""
    filed = cases.renewal_filed(cases.in_valid()).case
    proposed = cases.done(filed, revoke(), cases.before_end(filed, 1)).case
    assert {task.kind for task in proposed.tasks} == {"renewal_review", "approve_revocation"}
    expired = cases.ended(proposed)
    assert [proposal.outcome for proposal in expired.proposals] == ["overtaken"]
    assert not any(task.subject for task in expired.tasks)


def test_the_table_is_whole() -> None:
    assert set(SECOND_PERSON) == set(PROPOSED) <= set(RULES) and set(SECOND_PERSON) <= set(ROLES)
    for action, second in SECOND_PERSON.items():
        assert PROPOSED[action].action == action
        assert {f"approval_{what}.{action}" for what in ("asked", "denied", "expired")} <= set(WORDINGS)
        assert f"deadline_moved.{second.task}" in WORDINGS
