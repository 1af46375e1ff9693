"""Holds: each ground its own, the base suspended while one is open, and what the public sees of it (20, 21, 27)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from domain import agenda, next_term, publication, suspension
from domain.case import Case
from domain.commands import ApproveRenewal, Reinstate, Suspend
from domain.planning import Event
from domain.records import BenefitEffective, BenefitsGranted, BenefitsWithdrawn, ListRevision, Transition
from domain.refusals import Refusal, RefusalKind
from domain.shanghai import midnight
from domain.stages import Stage, Standing
from tests.domain import cases

NOW = cases.OPENED
DAY = timedelta(days=1)
ENTRY = ("revision", "state", "certificate_number", "effective_from", "suspended_since", "category")


def suspend(case: Case, at: datetime = NOW, list_revision: int = 2) -> Transition:
    return cases.done(case, cases.command(Suspend, cases.COMPLIANCE, reason="brushing found"), at, list_revision)


def reinstate(case: Case, at: datetime = NOW, list_revision: int = 3) -> Transition:
    return cases.done(case, cases.command(Reinstate, cases.COMPLIANCE, reason="it has stopped"), at, list_revision)


def placed(case: Case, kind: str, at: datetime = NOW, list_revision: int = 2) -> tuple[Case, list[ListRevision]]:
    records, changes = suspension.place(case, kind, "r", cases.setting(at, list_revision))
    return case.model_copy(update=changes), list(records)


def lifted(case: Case, kind: str, at: datetime = NOW, list_revision: int = 3) -> tuple[Case, list[ListRevision]]:
    records, changes = suspension.lift(case, kind, cases.setting(at, list_revision))
    return case.model_copy(update=changes), list(records)


def entries(transition: Transition) -> list[tuple[object, ...]]:
    listed = [record for record in transition.records if isinstance(record, ListRevision)]
    return [tuple(getattr(entry, name) for name in ENTRY) for entry in listed]


def in_effect(entries: list[ListRevision], at: datetime) -> ListRevision:
    """What the public list has at an instant: of the revisions in effect the highest."""
    return max((one for one in entries if one.effective_from <= at), key=lambda one: one.revision)


def test_a_published_base_stays_listed_as_suspended_with_date_and_category_and_no_details() -> None:
    done = suspend(cases.in_valid(), NOW + DAY)
    assert entries(done) == [(2, "suspended", "LBC-2026-000001", NOW + DAY, NOW + DAY, "compliance")]
    case = done.case
    assert (case.stage, case.standing(NOW + DAY), case.suspended_since) == (
        Stage.VALID,
        Standing.SUSPENDED,
        NOW + DAY,
    )
    assert case.publication is not None and (case.publication.state, case.publication.register_revision) == (
        "published",
        2,
    )
    back = reinstate(case, NOW + 2 * DAY)
    assert entries(back) == [(3, "published", "LBC-2026-000001", NOW + 2 * DAY, None, None)]
    assert back.event == "base_reinstated"
    assert (back.case.standing(NOW + 2 * DAY), back.case.holds, back.case.suspended_since) == (
        Standing.CERTIFIED,
        (),
        None,
    )


@pytest.mark.parametrize("name", ["publishing", "valid", "renewing", "renewal_supplement", "second_term"])
def test_what_else_is_under_way_goes_on_unchanged(name: str) -> None:
    """E22: nor does the year stop."""
    case = cases.STAGES[name]()
    at = case.terms[-1].from_ + DAY
    suspended = suspend(case, at).case
    after = reinstate(suspended, at + DAY).case
    for now in (suspended, after):
        assert (now.tasks, now.plan, now.terms, now.renewal, now.stage) == (
            case.tasks,
            case.plan,
            case.terms,
            case.renewal,
            case.stage,
        )


def test_a_second_hold_by_compliance_is_refused_and_so_is_lifting_none() -> None:
    for act in (lambda: suspend(cases.suspended()), lambda: reinstate(cases.in_valid())):
        with pytest.raises(Refusal) as info:
            act()
        assert (info.value.kind, info.value.kind.exit_code) == (RefusalKind.WRONG_STAGE, 5)
    with pytest.raises(ValueError, match="already"):
        placed(cases.suspended(), suspension.COMPLIANCE)
    with pytest.raises(ValueError, match="no hold"):
        lifted(cases.suspended(), "deposit")


def test_lifting_one_hold_never_lifts_another() -> None:
    """Whichever is lifted first: suspended since the first without a break; the category is the oldest one open."""
    case, listed = placed(cases.suspended(), "conduct:LB-2026-000001-3", NOW + DAY)
    assert listed == [], "the public sees no difference"
    assert case.suspended_since == NOW

    left = reinstate(case, NOW + 2 * DAY)
    assert left.event == "hold_lifted"
    assert entries(left) == [(3, "suspended", "LBC-2026-000001", NOW + 2 * DAY, NOW, "conduct")]
    assert [hold.kind for hold in left.case.holds] == ["conduct:LB-2026-000001-3"]
    assert left.case.standing(NOW + 2 * DAY) is Standing.SUSPENDED
    with pytest.raises(Refusal):
        reinstate(left.case)
    free, listed = lifted(left.case, "conduct:LB-2026-000001-3", NOW + 3 * DAY, 4)
    assert [entry.state for entry in listed] == ["published"] and free.standing(NOW + 3 * DAY) is Standing.CERTIFIED

    other, listed = lifted(case, "conduct:LB-2026-000001-3", NOW + 2 * DAY)
    assert listed == [] and [hold.kind for hold in other.holds] == ["compliance"]
    assert other.standing(NOW + 2 * DAY) is Standing.SUSPENDED


def test_a_hold_found_late_counts_from_its_legal_instant() -> None:
    records, changes = suspension.place(
        cases.in_valid(), "deposit", "r", cases.setting(NOW + 5 * DAY, 2), since=NOW + DAY
    )
    (entry,) = records
    assert changes["suspended_since"] == entry.suspended_since == entry.effective_from == NOW + DAY


@pytest.mark.parametrize("first", ["suspend", "publish"])
def test_published_while_suspended_it_is_listed_as_suspended_in_whatever_order(first: str) -> None:
    """E9: it must not appear as active."""
    case, listed = cases.in_publishing(), []
    if first == "suspend":
        transition = suspend(case, list_revision=1)
        assert entries(transition) == [], "not on the list yet"
        transition = publication.published(transition.case, cases.setting(NOW + DAY, 1))
        assert "暂停" in transition.records[-1].subject  # type: ignore[union-attr]
    else:
        transition = publication.published(case, cases.setting(NOW, 1))
        listed = [record for record in transition.records if isinstance(record, ListRevision)]
        transition = suspend(transition.case, NOW + DAY)
    listed += [record for record in transition.records if isinstance(record, ListRevision)]
    assert in_effect(listed, NOW + DAY).state == "suspended"
    assert transition.case.stage is Stage.VALID
    assert [entry[1] for entry in entries(reinstate(transition.case, NOW + 2 * DAY))] == ["published"]


def test_a_renewal_lifts_nothing() -> None:
    """E20: suspend, renew, the next term begins suspended; reinstated, it is listed without a mark."""
    before = cases.before_end
    filed = cases.renewal_filed(suspend(cases.in_valid(), NOW + DAY).case)
    approved = cases.renewal_approved(filed.case, 20)
    (waiting,) = [record for record in approved.records if isinstance(record, ListRevision)]
    term = approved.case.terms[-1]
    assert (waiting.state, waiting.effective_from, waiting.suspended_since) == ("suspended", term.from_, NOW + DAY)
    assert approved.case.standing(before(filed.case, 20)) is Standing.SUSPENDED

    planned = cases.planned_event(approved.case, Event.BEGIN_TERM)
    begun = agenda.take(approved.case, planned, cases.setting(planned.at, 4))
    assert begun.case.standing(term.from_) is Standing.SUSPENDED
    assert begun.case.suspended_since == NOW + DAY, "without a break"
    back = reinstate(begun.case, term.from_ + DAY, 4)
    assert entries(back) == [(4, "published", term.certificate_number, term.from_ + DAY, None, None)]
    assert back.case.standing(term.from_ + DAY) is Standing.CERTIFIED
    granted = [record for record in approved.records if isinstance(record, BenefitsGranted)]
    assert [one.term for one in granted] == [2]
    assert [record for record in begun.records if isinstance(record, BenefitsWithdrawn)] == [BenefitsWithdrawn(1)]


@pytest.mark.parametrize("back", [False, True], ids=["suspended", "reinstated"])
def test_what_changes_while_a_next_term_waits_holds_in_both_terms(back: bool) -> None:
    case, at = cases.renewed(), midnight(date(2027, 2, 20))
    running, waiting = case.terms
    done = suspend(case, at, 3)
    listed = [record for record in done.records if isinstance(record, ListRevision)]
    if back:
        done = reinstate(done.case, at + DAY, 5)
        listed += [record for record in done.records if isinstance(record, ListRevision)]
    state = "published" if back else "suspended"
    assert [entry.revision for entry in listed] == ([3, 4, 5, 6] if back else [3, 4])
    first, second = in_effect(listed, at + 2 * DAY), in_effect(listed, waiting.from_)
    assert (first.state, first.certificate_number) == (state, running.certificate_number)
    assert (second.state, second.certificate_number) == (state, waiting.certificate_number)
    assert done.case.publication is not None and done.case.publication.register_revision == first.revision
    assert done.case.waiting_term == waiting


def test_published_late_beside_a_next_term_both_are_listed_and_both_have_the_marks() -> None:
    filed = cases.renewal_filed(cases.in_publishing()).case
    at = cases.before_end(filed, 20)
    case = cases.renewal_approved(filed, 20).case
    done = publication.published(case, cases.setting(at + DAY, 1))
    assert [(one[0], one[2], one[3]) for one in entries(done)] == [
        (1, "LBC-2026-000001", at + DAY),
        (2, case.terms[-1].certificate_number, case.terms[-1].from_),
    ]
    effective = [record for record in done.records if isinstance(record, BenefitEffective)]
    assert [(one.term, one.effective_from) for one in effective] == [(1, at + DAY), (2, at + DAY)]


def test_reinstating_after_the_end_is_no_way_back() -> None:
    """E21: the expiry comes first, and then there is nothing to reinstate."""
    expired = cases.ended(cases.suspended())
    assert expired.standing(expired.terms[-1].until) is Standing.EXPIRED
    with pytest.raises(Refusal) as info:
        reinstate(expired, expired.terms[-1].until)
    assert info.value.kind is RefusalKind.ALREADY_ENDED
    until = expired.terms[-1].until
    assert agenda.legally_due(cases.suspended(), until) is not None, "due before any command of that instant"
    assert agenda.legally_due(cases.suspended(), until - timedelta(microseconds=1)) is None


def test_a_late_renewal_does_not_lift_a_hold_either() -> None:
    """E20: the hold outlives the expiry."""
    late = cases.ended(cases.renewal_filed(cases.suspended(), 7).case)
    at = late.terms[-1].until + 3 * DAY
    approve = cases.command(ApproveRenewal, cases.REVIEWER, revision=1)
    begun = next_term.approve(late, approve, cases.submission(), "LBC-2027-000009", cases.setting(at, 4)).case
    assert begun.standing(at) is Standing.SUSPENDED
    published = publication.published(begun, cases.setting(at, 4))
    assert [entry[1] for entry in entries(published)] == ["suspended"]


def test_what_is_due_in_the_year_is_still_due() -> None:
    """E22: the end date is unchanged, reminders go out, the term ends."""
    case = cases.suspended()
    assert [planned.event for planned in case.plan] == [planned.event for planned in cases.in_valid().plan]
    at = cases.setting(case.terms[-1].until, 3)
    assert agenda.take(case, cases.planned_event(case, Event.EXPIRE_CERTIFICATION), at).case.stage is Stage.SETTLING
