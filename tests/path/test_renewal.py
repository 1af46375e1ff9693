"""Renewal on the real server: into the next year, late, and beside a new application (decisions 23 to 25)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.commands import Answer, ApproveRenewal, RejectRenewal, Renew, RequestRenewalSupplement
from domain.planning import Event
from domain.refusals import Refusal, RefusalKind
from domain.stages import Role, Stage, Standing
from store.queries import Reader
from tests.office import APPLICANT, REVIEWER, Base, Office, refused, until
from tests.path import acts

ONLY_ON = "postgresql"
"""What differs between the databases is tested in tests/store, and by requests and payments at once on both."""


async def near_its_end(office: Office, days: float = 45) -> Base:
    """A base in its first year, so many days before the end."""
    base = await acts.in_valid(office)
    await base.forward_to(end(base) - timedelta(days=days))
    return base


async def renewing(office: Office, days: float = 45) -> Base:
    base = await near_its_end(office, days)
    await file(base)
    return base


def end(base: Base) -> datetime:
    return base.case.terms[-1].until


async def file(base: Base) -> Answer:
    return await base.do(Renew, APPLICANT, from_last_day=base.case.terms[-1].last_day)


async def approve(base: Base) -> Answer:
    return await base.do(ApproveRenewal, REVIEWER, revision=base.case.revision)


def benefits(base: Base, at: datetime) -> set[tuple[str, str]]:
    return {(one["benefit"], one["state"]) for one in Reader(base.office.reading).benefits(base.case, at)}


GRANTED = {(f"P{number}", "granted") for number in range(1, 7)}


async def test_a_base_is_renewed_into_its_second_year(office: Office) -> None:
    base = await near_its_end(office)
    filed = await file(base)
    assert (filed.stage, filed.standing, filed.awaiting) == (Stage.VALID, Standing.CERTIFIED, Role.REVIEWER)
    async with refused(RefusalKind.RENEWAL_PENDING):
        await file(base)
    asked = await base.do(RequestRenewalSupplement, REVIEWER, revision=1, items=acts.FLOOR_PLAN)
    assert asked.awaiting is Role.APPLICANT
    answered = await acts.supplement(base)
    assert (answered.revision, answered.awaiting) == (2, Role.REVIEWER)
    approved = await approve(base)
    # The figures of its quarters never came: compliance decides on them, which bars no renewal (decision 22).
    assert (approved.stage, approved.awaiting, approved.due_at) == (Stage.VALID, Role.COMPLIANCE, None)

    first, second = base.case.terms
    assert second.from_ == first.until and second.certificate_number != first.certificate_number
    await base.forward_to(second.from_ + timedelta(hours=1))
    assert base.case.running_term == second and base.case.stage is Stage.VALID
    assert base.case.standing(second.from_) is Standing.CERTIFIED
    assert benefits(base, second.from_) == GRANTED
    assert acts.list_revisions(base) == [(1, "published"), (2, "published")]
    assert acts.events(base)[-1] == "term_begun"
    assert "certification_expired" not in acts.events(base)
    acts.check_books(base)
    assert await acts.known_to_workflow(base) == base.case


async def test_a_rejected_renewal_lets_the_term_run_out(office: Office) -> None:
    base = await renewing(office)
    rejected = await base.do(RejectRenewal, REVIEWER, revision=1, reason="the rooms are given up")
    assert (rejected.stage, rejected.standing) == (Stage.VALID, Standing.CERTIFIED)
    await base.forward_to(end(base))
    assert (base.case.stage, base.case.standing(end(base))) == (Stage.SETTLING, Standing.EXPIRED)


async def test_filed_in_good_time_and_undecided_it_is_approved_late_with_a_gap(office: Office) -> None:
    base = await renewing(office)
    await base.forward_to(end(base))
    case = base.case
    assert (case.stage, case.awaiting) == (Stage.RENEWAL_LATE, Role.REVIEWER)
    assert case.ending is not None and case.ending.cause == "platform_delay" and case.marks is None
    await base.forward(timedelta(days=40))
    approved = await approve(base)
    assert (approved.stage, approved.standing) == (Stage.PUBLISHING, Standing.CERTIFIED)
    await until(lambda: base.case.stage is Stage.VALID, "on the list again")
    assert acts.list_revisions(base) == [(1, "published"), (2, "withdrawn"), (3, "published")]
    first, second = base.case.terms
    assert second.from_ > first.until + timedelta(days=39)
    gap = next(entry for entry in acts.timeline(base) if entry["event"] == "renewal_approved_late")["detail"]["gap"]
    assert gap == {"from": first.until.isoformat(), "until": second.from_.isoformat()}
    assert benefits(base, second.from_) == GRANTED
    acts.check_books(base)


async def test_filed_late_and_never_decided_only_a_new_application_leads_back(office: Office) -> None:
    base = await acts.in_valid(office)
    await base.forward_to(end(base) + timedelta(days=5))
    assert base.case.stage is Stage.SETTLING
    filed = await file(base)
    assert filed.stage is Stage.RENEWAL_LATE
    await base.forward_to(end(base) + timedelta(days=30))
    assert base.case.stage is Stage.SETTLING and base.case.renewal is None
    async with refused(RefusalKind.TOO_LATE):
        await file(base)


async def test_a_renewal_of_what_was_applied_for_anew_is_refused(office: Office) -> None:
    """One case without an ending per enterprise (decision 8), whichever way back is taken first."""
    base = await acts.resumed(office, datetime.now(UTC) - timedelta(days=380), published=True)
    await until(lambda: base.case.stage is Stage.SETTLING, "expired")
    await file(base)
    again = office.base(ordinal=2, credit_code=base.credit_code)
    await again.apply()
    with pytest.raises(Refusal) as info:
        await approve(base)
    assert info.value.kind is RefusalKind.CASE_EXISTS
    assert base.case.ending is not None and Event.BEGIN_TERM not in {planned.event for planned in base.case.plan}
