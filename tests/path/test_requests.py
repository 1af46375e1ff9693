"""Every request is one effect, a refusal is none, and what was due comes before what is asked (decisions 7, 32)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from temporalio.client import Client

from domain.commands import Answer, Approve, Certify, ReceiveDeposit, ReleaseReview, Supplement, TakeReview, Withdraw
from domain.refusals import RefusalKind
from domain.stages import Stage, Standing
from tests.databases import Place
from tests.office import APPLICANT, CERTIFIER, FINANCE, REVIEWER, Base, Office, refused
from tests.path import acts

ONLY_ON = "postgresql"
"""How a request is kept is tested on both: tests/store/test_cases.py."""


def same(one: Answer, other: Answer) -> bool:
    """Equal but for `repeated`."""
    return one.model_copy(update={"repeated": False}) == other.model_copy(update={"repeated": False})


async def test_a_request_sent_twice_is_one_effect_and_one_answer(office: Office) -> None:
    base = await acts.in_review(office)
    command = base.command(TakeReview, REVIEWER, "twice-" + base.credit_code)
    first = await base.send(command)
    assert not first.repeated
    sequence = base.case.sequence
    by_workflow = await base.send(command)
    assert by_workflow.repeated and same(by_workflow, first)
    await base.do(ReleaseReview, REVIEWER)
    later = await base.send(command)
    assert later.repeated and same(later, first), "the first answer, not how things stand now"
    assert base.case.sequence == sequence + 1
    assert base.case.review_held_by is None
    assert acts.remembered(base, command.request_id) == 1


async def test_a_request_sent_many_times_at_once_is_one_effect(office: Office) -> None:
    base = await acts.in_deposit(office)
    command = acts.payment(base, 1_000_000)
    answers = await asyncio.gather(*(base.send(command) for _ in range(8)))
    assert sorted(answer.repeated for answer in answers) == [False] + [True] * 7
    assert all(same(answer, answers[0]) for answer in answers)
    assert base.case.deposit.received == 1_000_000
    assert acts.events(base).count("deposit_received") == 1
    acts.check_books(base)


async def test_an_application_sent_twice_opens_one_case(office: Office) -> None:
    base = office.base()
    command = acts.apply_command(base, submission=acts.changed(base))
    first, second = await asyncio.gather(acts.start(base, command), acts.start(base, command))
    assert same(first, second)
    assert base.case.sequence == 1


async def test_a_repeat_is_answered_by_the_next_run_too(office: Office) -> None:
    base = await acts.in_certifying(office)
    described = await base.handle.describe()
    command = base.command(Certify, CERTIFIER)
    first = await base.send(command)
    await base.forward(timedelta(minutes=5))
    assert (await base.handle.describe()).run_id != described.run_id, "a term has a run of its own"
    repeat = await base.send(command)
    assert repeat.repeated and same(repeat, first)
    approval = base.command(Approve, REVIEWER, "other-" + base.credit_code, revision=1)
    async with refused(RefusalKind.ALREADY_DECIDED):
        await base.send(approval)
    assert len(base.case.terms) == 1
    acts.check_books(base)


async def test_a_repeat_is_answered_after_the_case_has_closed(office: Office) -> None:
    base = await acts.in_deposit(office)
    command = base.command(Withdraw, APPLICANT, reason="other plans")
    first = await base.send(command)
    await acts.ended(base)
    assert same(await acts.start(base, command, reopened=True), first), "the server still knows the update"
    repeat = await acts.start(base, command, reopened=True)  # a new run: only the store knows
    assert repeat.repeated and same(repeat, first)
    await acts.ended(base)
    async with refused(RefusalKind.REQUEST_ID_REUSED):
        await acts.start(base, command.model_copy(update={"reason": "another reason"}), reopened=True)
    await acts.ended(base)
    acts.check_books(base)
    assert acts.events(base).count("application_withdrawn") == 1


async def test_a_request_id_used_with_other_parameters_is_refused(office: Office) -> None:
    base = await acts.in_deposit(office)
    command = acts.payment(base, 1_000_000)
    await base.send(command)
    before = base.case
    async with refused(RefusalKind.REQUEST_ID_REUSED) as info:
        await base.send(command.model_copy(update={"amount": 2_000_000}))
    assert info.value.kind.exit_code == 8
    async with refused(RefusalKind.REQUEST_ID_REUSED):  # another act
        await base.do(Withdraw, APPLICANT, command.request_id, reason="other plans")
    async with refused(RefusalKind.REQUEST_ID_REUSED):  # another person
        await base.send(command.model_copy(update={"actor": FINANCE.model_copy(update={"name": "sun"})}))
    other = await acts.in_deposit(office)
    async with refused(RefusalKind.REQUEST_ID_REUSED):  # another case: only the store knows
        await other.send(acts.payment(other, 1_000_000, request_id=command.request_id))
    assert base.case == before
    assert other.case.deposit.received == 0


async def test_a_request_refused_by_the_case_may_be_sent_again(office: Office) -> None:
    base = await acts.in_review(office)
    await base.do(TakeReview, REVIEWER)
    command = base.command(TakeReview, REVIEWER.model_copy(update={"name": "zhou"}))
    async with refused(RefusalKind.REVIEW_HELD):
        await base.send(command)
    assert acts.remembered(base, command.request_id) == 0
    await base.do(ReleaseReview, REVIEWER)
    answer = await base.send(command)
    assert not answer.repeated
    assert base.case.review_held_by == "zhou"


async def test_a_request_refused_by_the_store_may_be_sent_again(office: Office) -> None:
    """Under its first update id the server would give the refusal again without asking anybody."""
    base = await acts.in_deposit(office)
    tomorrow = acts.today(base) + timedelta(days=1)
    command = acts.payment(base, paid_on=tomorrow)
    async with refused(RefusalKind.INVALID_VALUE):
        await base.send(command)
    assert acts.remembered(base, command.request_id) == 0
    await base.forward(timedelta(days=1))
    answer = await base.send(command)
    assert answer.stage is Stage.CERTIFYING and not answer.repeated


async def test_an_accepted_command_is_one_audit_entry_and_a_refused_one_none(office: Office) -> None:
    base = await acts.in_review(office)
    steps = (
        (base.command(TakeReview, REVIEWER), True),
        (base.command(Approve, REVIEWER, revision=2), False),
        (base.command(Certify, CERTIFIER), False),
        (base.command(Approve, REVIEWER, revision=1), True),
        (acts.payment(base, 1, paid_on=acts.today(base) + timedelta(days=9)), False),
        (acts.payment(base, 1), True),
        (acts.payment(base, 2), False),
        (base.command(Supplement, APPLICANT, submission=acts.changed(base)), False),
        (base.command(Withdraw, APPLICANT, reason="other plans"), True),
    )
    for command, accepted in steps:
        before = len(acts.timeline(base))
        if accepted:
            await base.send(command)
        else:
            with pytest.raises(Exception):  # noqa: B017, PT011 - which refusal is tested elsewhere
                await base.send(command)
        assert len(acts.timeline(base)) == before + accepted, command
        assert acts.remembered(base, command.request_id) == accepted
    acts.check_books(base)


async def test_a_command_for_another_case_than_its_own_is_refused(office: Office) -> None:
    base, other = await acts.in_review(office), await acts.in_review(office)
    async with refused(RefusalKind.INVALID_VALUE):
        await base.send(other.command(TakeReview, REVIEWER), to=base.workflow_id)
    assert base.case.sequence == other.case.sequence == 1


async def reach(base: Base, event: str) -> None:
    """Up to a minute before the event, with everything before it carried out."""
    at = next(planned.at for planned in base.case.plan if planned.event == event)
    await base.forward_to(at - timedelta(minutes=1))


async def test_a_supplement_handled_after_its_deadline_finds_the_case_lapsed(client: Client, place: Place) -> None:
    office = Office(client, place)
    async with office.worker():
        base = await acts.in_supplement(office)
        await reach(base, "lapse_supplement")
    due_at = base.case.due_at
    await move_to_next_event(office, base)
    sending = asyncio.create_task(acts.supplement(base))
    await asyncio.sleep(0.3)
    assert base.case.stage is Stage.SUPPLEMENT, "nobody was there"
    async with office.worker():
        async with refused(RefusalKind.TOO_LATE):
            await sending
        case = base.case
        assert case.ending is not None
        assert (case.stage, case.revision, case.ending.kind) == (Stage.CLOSED, 1, Standing.LAPSED)
        assert case.ending.legal_at == due_at
        assert case.ending.observed_at >= case.ending.legal_at
        await acts.ended(base)
        assert acts.events(base)[-1] == "application_lapsed"
        acts.check_books(base)


async def test_a_payment_reported_after_the_grace_comes_after_the_lapse(client: Client, place: Place) -> None:
    office = Office(client, place)
    async with office.worker():
        base = await acts.in_deposit(office)
        await reach(base, "lapse_deposit")
    due_on = base.case.deposit_due_on
    await move_to_next_event(office, base)
    command = acts.payment(base, paid_on=due_on)
    sending = asyncio.create_task(base.send(command))
    await asyncio.sleep(0.3)
    async with office.worker():
        answer = await sending
        assert (answer.stage, answer.standing) == (Stage.CLOSED, Standing.LAPSED)
        assert acts.events(base)[-2:] == ["application_lapsed", "payment_unmatched"]
        assert (base.case.deposit.held, base.case.deposit.unmatched) == (0, acts.FULL)
        await acts.ended(base)
        acts.check_books(base)


async def test_a_command_handled_after_the_term_s_end_finds_the_base_expired(client: Client, place: Place) -> None:
    office = Office(client, place)
    async with office.worker():
        base = await acts.in_valid(office)
        await reach(base, "expire_certification")
    term = base.case.term
    assert term is not None
    await move_to_next_event(office, base)
    command = base.command(ReceiveDeposit, FINANCE, amount=1, reference=f"{base.credit_code}-2", payer=acts.PAYER)
    sending = asyncio.create_task(base.send(command))
    await asyncio.sleep(0.3)
    async with office.worker():
        answer = await sending
        assert (answer.stage, answer.standing) == (Stage.SETTLING, Standing.EXPIRED)
        assert acts.events(base)[-2:] == ["certification_expired", "payment_unmatched"]
        assert acts.list_revisions(base) == [(1, "published"), (2, "withdrawn")]
        acts.check_books(base)


async def move_to_next_event(office: Office, base: Base) -> None:
    """The clock moved to what comes next, with no worker there to carry it out."""
    upcoming = base.case.next_event
    assert upcoming is not None
    await office.clock.fast_forward(base.workflow_id, upcoming.at - await base.now())
