"""Endings within a term: what they close, what they open, and in what order with publication (R8; 21, 27 to 31)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from domain import after_ending, agenda, opening, publication
from domain.case import Case, Hold
from domain.commands import CheckMarks, ConfirmMarks, Dissolve, Publish, Revoke, Surrender
from domain.deciding import decide
from domain.planning import Event
from domain.records import BenefitsWithdrawn, Decision, ListRevision, Transition
from domain.refusals import Refusal, RefusalKind
from domain.shanghai import end_of_day, midnight
from domain.stages import Role, Stage, Standing
from tests.domain import cases

NOW = cases.OPENED
DAY = timedelta(days=1)
ENDINGS = ("surrendered", "dissolved", "revoked")


def ended(kind: str, case: Case, at: datetime = NOW, list_revision: int = 2) -> Transition:
    if kind == "revoked":
        proposed = cases.done(case, cases.command(Revoke, cases.COMPLIANCE, reason="brushing"), at, list_revision).case
        return cases.done(proposed, cases.approval(proposed), at, list_revision)
    act, who = (Surrender, cases.APPLICANT) if kind == "surrendered" else (Dissolve, cases.OPERATOR)
    return cases.done(case, cases.command(act, who, reason="we move on"), at, list_revision)


def records(transition: Transition, kind: type[Any]) -> list[Any]:
    return [record for record in transition.records if isinstance(record, kind)]


@pytest.mark.parametrize("name", ["publishing", "valid", "renewing", "renewal_supplement", "second_term", "suspended"])
@pytest.mark.parametrize("kind", ENDINGS)
def test_it_ends_at_once_with_all_that_was_under_way(kind: str, name: str) -> None:
    case = cases.STAGES[name]()
    at = case.terms[-1].from_ + DAY
    done = ended(kind, case, at, 7)
    after, ending = done.case, done.case.ending
    assert ending is not None
    assert (after.stage, after.standing(at), ending.legal_at) == (Stage.SETTLING, Standing(kind), at)
    assert (after.renewal, after.holds, after.suspended_since, after.open_proposals) == (None, (), None, ())
    assert {task.kind for task in after.tasks} == {"confirm_marks", "settle_deposit"}
    over = {Event.CLOSE_CASE} if kind == "revoked" else set()
    assert {planned.event for planned in after.plan} == {Event.ESCALATE_MARKS, Event.ESCALATE_SETTLEMENT} | over
    assert records(done, BenefitsWithdrawn) == [BenefitsWithdrawn(after.terms[-1].ordinal)]
    (decision,) = records(done, Decision)
    assert decision.kind == kind
    assert after.marks is not None and after.marks.due_at == after.tasks[0].due_at
    assert ending.interrupted is not None and ending.interrupted.holds == case.holds, (
        "an ending that is set aside opens them again"
    )
    assert done.detail["holds_closed"] == [hold.kind for hold in case.holds]
    assert done.detail["renewal_closed"] is (case.renewal is not None)
    listed = [(one.revision, one.state, one.effective_from) for one in records(done, ListRevision)]
    assert listed == ([] if name == "publishing" else [(7, "withdrawn", at)])
    assert after.publication is not None and after.publication.state == "withdrawn"


@pytest.mark.parametrize("kind", ENDINGS)
def test_a_next_term_that_waits_never_begins(kind: str) -> None:
    case, at = cases.renewed(), midnight(date(2027, 2, 20))
    running, waiting = case.terms
    done = ended(kind, case, at, 3)
    after = done.case
    assert after.terms == (running,) and after.ending is not None and after.ending.interrupted is not None
    assert after.ending.interrupted.unbegun == waiting
    assert done.detail["term_never_begun"] == waiting.certificate_number
    assert records(done, BenefitsWithdrawn) == [BenefitsWithdrawn(1), BenefitsWithdrawn(2)]
    (entry,) = records(done, ListRevision)
    assert (entry.revision, entry.state) == (3, "withdrawn"), "above the entry of the term that waited (2)"
    assert waiting.certificate_number in done.records[-1].body  # type: ignore[union-attr]
    for planned in sorted(after.plan, key=lambda planned: planned.at):
        after = agenda.take(after, planned, cases.setting(planned.at, 4)).case
    assert after.standing(waiting.until) is Standing(kind) and after.terms == (running,)


@pytest.mark.parametrize("kind", ENDINGS)
@pytest.mark.parametrize("first", ["end", "publish"])
def test_with_publication_pending_it_ends_unlisted_whatever_comes_first(kind: str, first: str) -> None:
    """E9, E10: the revision decides, not the order in which things are completed."""
    case = cases.in_publishing()
    listed: list[ListRevision] = []
    if first == "publish":
        published = publication.published(case, cases.setting(NOW, 1))
        listed += records(published, ListRevision)
        case = published.case
    done = ended(kind, case, NOW + DAY, len(listed) + 1)
    listed += records(done, ListRevision)
    assert [one.state for one in listed] == (["published", "withdrawn"] if listed else [])
    assert done.detail["publication_given_up"] is (first == "end")
    assert not any(planned.event is Event.ATTEMPT_PUBLICATION for planned in done.case.plan)
    with pytest.raises(Refusal) as info:
        decide(done.case, cases.command(Publish, cases.OPERATOR), cases.setting(NOW + DAY), cases.NOTHING_ON_RECORD)
    assert info.value.kind is RefusalKind.ALREADY_ENDED


def test_publication_that_is_given_up_in_time_breaches_nothing() -> None:
    """R3: the platform had until the seventh working day."""
    case = cases.in_publishing()
    assert case.publication is not None
    for at, breached in ((case.publication.due_at - DAY, False), (case.publication.due_at, True)):
        after = ended("surrendered", case, at, 1).case
        assert after.publication is not None and after.publication.breached is breached


def test_a_revocation_published_between_proposal_and_approval_still_takes_effect() -> None:
    """E10: what comes of itself does not change what was proposed."""
    case = cases.in_publishing()
    proposed = cases.done(case, cases.command(Revoke, cases.COMPLIANCE, reason="brushing"), NOW, 1).case
    published = publication.published(proposed, cases.setting(NOW, 1)).case
    assert len(published.open_proposals) == 1
    done = cases.done(published, cases.approval(published), NOW, 2)
    assert done.case.standing(NOW) is Standing.REVOKED
    assert [one.state for one in records(done, ListRevision)] == ["withdrawn"]


def test_a_revocation_can_be_appealed_for_fifteen_days_and_nothing_else_can() -> None:
    """Decision 28; the last day rolls on (decision 4): 2026-03-17 is a Tuesday."""
    done = ended("revoked", cases.in_valid())
    assert done.case.appeal_until == end_of_day(date(2026, 3, 17))
    planned = cases.planned_event(done.case, Event.CLOSE_CASE)
    assert planned.at == done.case.appeal_until
    closed = agenda.take(done.case, planned, cases.setting(planned.at)).case
    assert closed.stage is Stage.SETTLING, "marks and settlement are still open"
    for kind in ("surrendered", "dissolved"):
        assert ended(kind, cases.in_valid()).case.appeal_until is None


@pytest.mark.parametrize("name", ["review", "supplement", "deposit", "certifying"])
def test_an_enterprise_that_is_no_more_ends_its_application(name: str) -> None:
    """E49: dissolution before a term."""
    done = ended("dissolved", cases.STAGES[name]())
    assert done.event == "application_dissolved"
    assert done.case.standing(NOW) is Standing.DISSOLVED
    money = cases.STAGES[name]().deposit.held > 0
    assert done.case.stage is (Stage.SETTLING if money else Stage.CLOSED)
    assert [one.kind for one in records(done, Decision)] == ["dissolved"]


@pytest.mark.parametrize(("kind", "days"), [("surrendered", 0), ("dissolved", 0), ("revoked", 365)])
def test_cooling_off_by_how_it_ended(kind: str, days: int) -> None:
    """E47: refused with the earliest date; on that date it is allowed, and waived at once where there is none."""
    case = ended(kind, cases.in_valid()).case
    earliest = midnight(date(2026, 3, 2) + timedelta(days=days + 1 if days else 0))
    opening.require_possible([case], cases.setting(earliest))
    if days:
        with pytest.raises(Refusal) as info:
            opening.require_possible([case], cases.setting(earliest - timedelta(seconds=1)))
        assert info.value.kind is RefusalKind.COOLING_OFF and "2027-03-03" in info.value.message


def test_the_marks_duty_outlives_the_certification_and_is_spot_checked() -> None:
    """E48: deadline, evidence, spot check, escalation, all after the certificate is dead."""
    case = cases.revoked()
    assert case.awaiting is Role.APPLICANT and case.due_at == end_of_day(date(2026, 3, 9))
    check = cases.command(CheckMarks, cases.COMPLIANCE, result="招牌仍在")
    checked = cases.done(case, check, NOW + DAY)
    assert [(one.kind, one.reason, one.by) for one in records(checked, Decision)] == [
        ("marks_checked", "招牌仍在", "he")
    ]
    assert checked.case.tasks == case.tasks, "what was found is on record; the duty goes on"
    escalated = agenda.take(checked.case, cases.planned_event(case, Event.ESCALATE_MARKS), cases.setting(case.due_at))
    assert escalated.event == "marks_escalated"
    confirm = cases.command(ConfirmMarks, cases.APPLICANT, evidence=("0",))
    confirmed = after_ending.confirm_marks(escalated.case, confirm, cases.setting(NOW + 9 * DAY)).case
    assert cases.done(confirmed, check, NOW + 10 * DAY).event == "marks_checked"
    for never in (cases.in_valid(), cases.in_review()):
        with pytest.raises(Refusal):
            cases.done(never, check, NOW)


def test_what_else_is_open_on_the_case_stays() -> None:
    """Rules of the year add to tasks and plan and take from them; money that fits nowhere still waits."""
    case = cases.paid(cases.in_valid(), 700, reference="B9").case
    after = ended("surrendered", case).case
    assert {task.kind for task in after.tasks} == {"unmatched_money", "confirm_marks", "settle_deposit"}


def test_two_measures_never_cancel_each_other() -> None:
    """Suspended for two grounds with a revocation proposed, the base leaves: one standing, all of it closed."""
    case = cases.revocation_proposed()
    held = case.model_copy(update={"holds": (Hold(kind="deposit", since=NOW, reason="r"),), "suspended_since": NOW})
    done = ended("surrendered", held)
    assert done.case.standing(NOW) is Standing.SURRENDERED
    assert [proposal.outcome for proposal in done.case.proposals] == ["overtaken"]
    assert done.detail["proposals_overtaken"] == [case.proposals[0].id]
    with pytest.raises(Refusal) as info:
        cases.done(done.case, cases.approval(case), NOW)
    assert info.value.kind is RefusalKind.PROPOSAL_CHANGED
