"""A case changed beside its own run: what is sent next is judged on the case as stored (decisions 7 and 32)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from temporalio.client import Client

from activities.desk import CaseDesk
from domain.commands import DecideConduct, RespondConduct
from domain.refusals import RefusalKind
from domain.stages import Stage, Standing
from store.reference import policy_book
from tests.databases import Place
from tests.domain import cases
from tests.office import APPLICANT, CERTIFIER, COMPLIANCE, Base, Office
from tests.path import acts
from tests.path.on_record import UNDECIDED, put_on_record
from tests.path.test_conduct import report

ONLY_ON = "sqlite"


def desk_of(office: Office) -> CaseDesk:
    return CaseDesk(office.cases, office.documents, policy_book())


def beside(base: Base, command: Any, now: datetime) -> None:
    """Done in its transaction, and the base's own run is told nothing."""
    outcome = desk_of(base.office).decide(command, now)
    assert outcome.refusal is None, outcome.refusal


async def test_what_its_run_has_not_heard_of_is_not_refused(office: Office) -> None:
    base = await acts.in_valid(office)
    now = await base.now()
    beside(base, report(base, severity="serious"), now)
    conduct = base.case.conduct[-1].id
    beside(base, base.command(RespondConduct, APPLICANT, conduct=conduct, statement="s"), now)
    decide = base.command(DecideConduct, COMPLIANCE, conduct=conduct, outcome="revocation", reason="r")
    beside(base, decide, now)
    assert (await base.send(acts.approval(base, CERTIFIER))).standing is Standing.REVOKED
    acts.check_books(base)


async def test_what_is_due_in_the_case_comes_before_a_decision_on_its_conduct_case(
    client: Client, place: Place
) -> None:
    """No worker runs: the term's end is taken in the transaction of the decision, or of its refusal."""
    base = Office(client, place).base()
    case = put_on_record(base, UNDECIDED, cases.OPENED)
    until = case.terms[-1].until
    decide = base.command(
        DecideConduct, COMPLIANCE, conduct=case.conduct[-1].id, outcome="suspension", reason="not put right"
    )
    beside(base, decide, until + timedelta(seconds=1))
    assert acts.events(base)[-2:] == ["certification_expired", "conduct_suspension"]
    assert base.case.stage is Stage.SETTLING and base.case.holds == ()
    acts.check_books(base)


async def test_what_is_due_stays_when_the_command_is_refused(client: Client, place: Place) -> None:
    base = Office(client, place).base()
    case = put_on_record(base, UNDECIDED, cases.OPENED)
    until = case.terms[-1].until
    decide = base.command(DecideConduct, COMPLIANCE, conduct=case.conduct[-1].id, outcome="rectified", reason="r")
    outcome = desk_of(base.office).decide(decide, until)
    assert outcome.refusal is not None and outcome.refusal.kind is RefusalKind.OUTCOME_NOT_OPEN
    assert outcome.case == base.case and acts.events(base)[-1] == "certification_expired"
