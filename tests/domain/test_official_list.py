"""What the entries of the official list say of a base: all of it for the public, a reason only when it may be."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime, timedelta

from domain import appeal, leaving
from domain.commands import DecideAppeal, Dissolve, FileAppeal, Revoke, Surrender
from domain.dependants import Dependants
from domain.records import ListRevision, Transition
from tests.domain import cases

AT = cases.OPENED + timedelta(days=30)
REASON = "组织刷单"


def listed(transition: Transition) -> list[ListRevision]:
    return [record for record in transition.records if isinstance(record, ListRevision)]


def revoked() -> Transition:
    command = cases.command(Revoke, cases.COMPLIANCE, reason=REASON)
    return leaving.revoke(cases.in_valid(), command, cases.setting(AT, 2), Dependants())


def test_an_entry_says_who_and_where_the_base_is() -> None:
    case = cases.in_valid()
    (entry,) = listed(revoked())
    application = cases.submission().application
    assert (entry.name, entry.place) == (application.base.name, application.base.address)
    assert (entry.holder, entry.credit_code) == (application.enterprise.name, application.credit_code)
    assert (entry.ending, entry.effective_from) == ("revoked", AT)
    assert case.place == application.base.address


def test_the_reason_of_what_can_be_appealed_is_public_when_it_can_t_be_any_more() -> None:
    transition = revoked()
    (entry,) = listed(transition)
    assert (entry.reason, entry.reasons_from) == (REASON, transition.case.appeal_until)
    assert entry.reasons_from is not None and entry.reasons_from > AT


def test_no_other_ending_has_one() -> None:
    surrender = cases.command(Surrender, cases.APPLICANT, reason="私人原因")
    dissolve = cases.command(Dissolve, cases.OPERATOR, reason="注销")
    for transition in (
        leaving.surrender(cases.in_valid(), surrender, cases.setting(AT, 2)),
        leaving.dissolve(cases.in_valid(), dissolve, cases.setting(AT, 2)),
    ):
        (entry,) = listed(transition)
        assert (entry.reason, entry.reasons_from) == (None, None)


def test_an_appeal_keeps_the_reason_back_until_it_is_decided() -> None:
    case = revoked().case
    assert case.ending is not None
    filing = cases.command(
        FileAppeal, cases.APPLICANT, decision=case.ending.decision, statement="不服", evidence=("e" * 64,)
    )
    filed = appeal.file(case, filing, cases.setting(AT + timedelta(days=3), 3))
    (entry,) = listed(filed)
    assert (entry.state, entry.effective_from, entry.ending) == ("withdrawn", AT, "revoked")
    assert (entry.reason, entry.reasons_from) == (None, None)
    assert filed.case.publication is not None and filed.case.publication.register_revision == 3
    decided_at: datetime = AT + timedelta(days=9)
    upholding = cases.command(
        DecideAppeal, cases.CERTIFIER, decision=case.ending.decision, outcome="uphold", reason="维持"
    )
    upheld = appeal.decide(filed.case, upholding, cases.setting(decided_at, 4))
    (entry,) = listed(upheld)
    assert (entry.revision, entry.reason, entry.reasons_from) == (4, REASON, decided_at)


def test_what_was_never_listed_has_no_entry_when_it_is_appealed() -> None:
    assert {field.name for field in fields(ListRevision)} >= {"reason", "reasons_from"}
    command = cases.command(Revoke, cases.COMPLIANCE, reason=REASON)
    transition = leaving.revoke(cases.in_publishing(), command, cases.setting(AT, 1), Dependants())
    assert listed(transition) == []
    case = transition.case
    assert case.ending is not None
    filing = cases.command(
        FileAppeal, cases.APPLICANT, decision=case.ending.decision, statement="不服", evidence=("e" * 64,)
    )
    assert listed(appeal.file(case, filing, cases.setting(AT + timedelta(days=3), 1))) == []
