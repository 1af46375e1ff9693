"""Publication's rules as tables (R3, decisions 18 and 19)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain import agenda, publication
from domain.case import Case
from domain.commands import Publish
from domain.planning import Event
from domain.stages import Stage
from tests.domain import cases

HOUR = timedelta(hours=1)


def due(case: Case) -> Case:
    """The case with what changes it by the deadline's midnight carried out."""
    assert case.publication is not None
    now = case.publication.due_at
    planned = agenda.legally_due(case, now)
    assert planned is not None and planned.event is Event.RECORD_PUBLICATION_BREACH
    return agenda.take(case, planned, cases.setting(now)).case


def test_an_operator_without_evidence_only_asks_the_channel_again() -> None:
    case = cases.in_publishing()
    failed = publication.attempt_failed(
        case, cases.planned_event(case, Event.ATTEMPT_PUBLICATION), "down", cases.setting(cases.OPENED)
    ).case
    retried = publication.publish_by_hand(
        failed, cases.command(Publish, cases.OPERATOR), cases.setting(cases.OPENED + HOUR)
    )
    assert retried.case.stage is Stage.PUBLISHING
    assert retried.case.publication == failed.publication
    assert cases.planned_event(retried.case, Event.ATTEMPT_PUBLICATION).at == cases.OPENED + HOUR
    assert len(retried.case.plan) == len(failed.plan)


def test_an_operator_with_evidence_puts_the_publication_on_record() -> None:
    command = cases.command(Publish, cases.OPERATOR, evidence="e" * 64)
    after = publication.publish_by_hand(cases.in_publishing(), command, cases.setting(cases.OPENED + HOUR)).case
    assert after.stage is Stage.VALID
    assert after.publication is not None and after.publication.state == "published"


def test_a_deadline_missed_stays_on_record_when_the_late_publication_succeeds() -> None:
    breached = due(cases.in_publishing())
    assert breached.publication is not None and breached.publication.breached
    late = publication.published(breached, cases.setting(breached.publication.due_at + HOUR))
    assert late.case.publication is not None and late.case.publication.breached
    assert late.detail["late"] is True


@pytest.mark.parametrize(("before", "breached"), [(timedelta(microseconds=1), False), (timedelta(0), True)])
def test_the_deadline_is_the_midnight_after_the_seventh_working_day(before: timedelta, breached: bool) -> None:
    case = cases.in_publishing()
    assert case.publication is not None
    after = publication.published(case, cases.setting(case.publication.due_at - before)).case
    assert after.publication is not None and after.publication.breached is breached


def test_the_pause_between_attempts_is_not_what_misses_the_deadline() -> None:
    """A channel that comes back in the last hours is asked once more before the deadline."""
    case = cases.in_publishing()
    assert case.publication is not None
    due_at = case.publication.due_at
    many = case.model_copy(update={"publication": case.publication.model_copy(update={"failed_attempts": 9})})
    attempt = cases.planned_event(many, Event.ATTEMPT_PUBLICATION)
    again = publication.attempt_failed(many, attempt, "down", cases.setting(due_at - 7 * HOUR)).case
    assert due_at - HOUR <= cases.planned_event(again, Event.ATTEMPT_PUBLICATION).at < due_at
    after = publication.attempt_failed(many, attempt, "down", cases.setting(due_at + HOUR)).case
    assert cases.planned_event(after, Event.ATTEMPT_PUBLICATION).at == due_at + 25 * HOUR
