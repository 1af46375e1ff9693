"""Every state a workflow waits in: how it is brought there, and how it goes on from there to its end.

A wait is a generator that yields once, the id of the workflow when it waits; what follows is how it goes on. Histories
are recorded at the yield; between builds, the old one's worker ends and the new one's begins there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from activities.letters import MailRoom
from domain.commands import Approve, ApproveRenewal, Certify, ConfirmMarks, Renew, Withdraw, import_workflow_id
from domain.stages import Stage
from tests.mail_server import MailServer
from tests.office import APPLICANT, CERTIFIER, REVIEWER, Base, Office, until
from tests.path import acts, imports
from tests.path.test_conduct import accused
from workers.schedule import keep_letters_going, schedule_id
from workflows.messages import WORKFLOW
from workflows.state import CertificationState

REST = timedelta(minutes=10)
"""How long the delivery of letters rests: longer than any test, moved on by hand."""
_SHORT = timedelta(seconds=1)


@dataclass(frozen=True)
class Wait:
    """`channel_down`: until the yield the official channel takes nothing. `mail`: the worker has a mail server."""

    live: Callable[[Office], AsyncIterator[str]]
    channel_down: bool = False
    mail: bool = False


def room(server: MailServer) -> MailRoom:
    return replace(server.room, pause_seconds=int(REST.total_seconds()))


def environ(server: MailServer) -> dict[str, str]:
    """The same for a worker's process."""
    return server.environ | {"LIVEBASE_LETTERS_SECONDS": str(int(REST.total_seconds()))}


async def armed(client: Client, workflow_id: str, timers: int = 1) -> None:
    """Wait until the newest run has started so many timers and waits on the last one."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        newest = client.get_workflow_handle(workflow_id).fetch_history_events()
        kinds = [event.event_type async for event in newest]
        started = kinds.count(EventType.EVENT_TYPE_TIMER_STARTED)
        over = kinds.count(EventType.EVENT_TYPE_TIMER_FIRED) + kinds.count(EventType.EVENT_TYPE_TIMER_CANCELED)
        if started >= timers and started > over:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{workflow_id} does not come to wait")


def a_case(reach: Callable[[Office], Awaitable[Base]]) -> Callable[[Office], AsyncIterator[str]]:
    async def live(office: Office) -> AsyncIterator[str]:
        base = await reach(office)
        await armed(office.client, base.workflow_id)
        yield base.workflow_id
        await live_on(base)

    return live


async def live_on(base: Base) -> None:
    """What people do next and what comes of itself, stage by stage, until no more than a settlement is left."""
    if base.case.stage is Stage.SUPPLEMENT:
        await acts.supplement(base)
    if base.case.stage is Stage.REVIEW:
        await base.do(Approve, REVIEWER, revision=base.case.revision)
    if base.case.stage is Stage.DEPOSIT:
        await acts.pay(base, acts.FULL - base.case.deposit.held, f"{base.credit_code}-rest")
    if base.case.stage is Stage.CERTIFYING:
        await base.do(Certify, CERTIFIER)
    elif base.case.stage is Stage.PUBLISHING:  # the channel was down and is asked again
        attempt = base.case.next_event
        assert attempt is not None
        await base.forward_to(attempt.at)
    if base.case.renewal is not None:
        if base.case.renewal.awaits == "supplement":
            await acts.supplement(base)
        await base.do(ApproveRenewal, REVIEWER, revision=base.case.revision)
    if base.case.ending is None:
        await until(lambda: base.case.stage is Stage.VALID, "published")
        await armed(base.office.client, base.workflow_id)
        term = base.case.term
        assert term is not None
        await base.forward_to(term.until)
    if base.case.marks is not None and base.case.marks.confirmed_at is None:
        await confirm_marks(base)
    last = base.case.next_event
    assert last is not None
    await base.forward_to(last.at)
    assert acts.events(base)[-1] in ("settlement_escalated", "appeal_window_ended")
    if base.case.stage is Stage.CLOSED:
        await base.handle.result()
    else:
        await armed(base.office.client, base.workflow_id)


async def confirm_marks(base: Base) -> None:
    evidence = base.documents.put(b"%PDF-1.4 marks removed %%EOF")
    await base.do(ConfirmMarks, APPLICANT, evidence=(evidence,))


async def in_part_paid(office: Office) -> Base:
    base = await acts.in_deposit(office)
    await acts.pay(base, 4_000_000)
    return base


async def in_settling(office: Office) -> Base:
    base = await acts.in_valid(office)
    await armed(office.client, base.workflow_id)
    term = base.case.term
    assert term is not None
    await base.forward_to(term.until)
    return base


async def in_settling_without_marks(office: Office) -> Base:
    base = await in_settling(office)
    await confirm_marks(base)
    return base


async def in_renewal(office: Office) -> Base:
    """Filed in good time, waiting for the reviewer."""
    base = await acts.in_valid(office)
    await armed(office.client, base.workflow_id)
    await base.forward_to(base.case.terms[-1].until - timedelta(days=45))
    await base.do(Renew, APPLICANT, from_last_day=base.case.terms[-1].last_day)
    return base


async def in_late_renewal(office: Office) -> Base:
    """Undecided at the end."""
    base = await in_renewal(office)
    await base.forward_to(base.case.terms[-1].until)
    return base


async def in_renewed(office: Office) -> Base:
    """The next term waits for its day."""
    base = await in_renewal(office)
    await base.do(ApproveRenewal, REVIEWER, revision=1)
    return base


async def opening(office: Office) -> AsyncIterator[str]:
    """A run without the application it came for."""
    base = office.base()
    await office.client.start_workflow(
        WORKFLOW, CertificationState(), id=base.workflow_id, task_queue=office.settings.task_queue
    )
    await armed(office.client, base.workflow_id)
    yield base.workflow_id
    await base.apply()
    await armed(office.client, base.workflow_id)


async def letters(office: Office) -> AsyncIterator[str]:
    """A shift that has delivered and rests."""
    await keep_letters_going(office.client, office.settings.task_queue)
    schedule = office.client.get_schedule_handle(schedule_id(office.settings.task_queue))
    shift = (await schedule.describe()).info.recent_actions[-1].action.workflow_id
    await armed(office.client, shift)
    base = await office.applied()

    async def next_round(number: int) -> None:
        await office.clock.fast_forward(shift, REST - _SHORT)
        await armed(office.client, shift, number)

    try:
        await next_round(2)
        yield shift
        await base.do(Withdraw, APPLICANT, reason="another town")
        await next_round(3)
    finally:
        await schedule.delete()
        await office.client.get_workflow_handle(shift).terminate()


async def calendar(office: Office) -> AsyncIterator[str]:
    """An import that waits for a case to count again whose workflow was ended by hand."""
    base = await acts.in_review(office)
    await base.handle.terminate()
    notice = imports.days_off(60)
    await imports.send(office, imports.command(notice, "import"))
    importing = import_workflow_id(notice.reference)
    await armed(office.client, importing)
    # Into the pauses of a minute, so that it is in the same one whenever it goes on.
    await office.clock.fast_forward(importing, timedelta(seconds=80))
    await armed(office.client, importing)
    yield importing
    state = CertificationState(case=base.case, notices={notice.sha256: notice.reference})
    counted = base.case.sequence
    await office.client.start_workflow(WORKFLOW, state, id=base.workflow_id, task_queue=office.settings.task_queue)
    await until(lambda: base.case.sequence > counted, "the case has counted again")
    await office.clock.fast_forward(importing, timedelta(minutes=1))
    result = await imports.result(office, notice)
    assert (result.moved, result.left) == (1, 0)


async def conduct(office: Office) -> AsyncIterator[str]:
    """A conduct case that waits for the base's answer."""
    base = await acts.in_valid(office)
    case = await accused(base)
    await armed(office.client, case.workflow_id)
    yield case.workflow_id
    await case.respond()
    await case.decide("dismissed")
    await case.handle.result()


WAITS: dict[str, Wait] = {
    "opening": Wait(opening),
    "review": Wait(a_case(acts.in_review)),
    "supplement": Wait(a_case(acts.in_supplement)),
    "deposit": Wait(a_case(in_part_paid)),
    "certifying": Wait(a_case(acts.in_certifying)),
    "publishing": Wait(a_case(acts.in_failing_publication), channel_down=True),
    "valid": Wait(a_case(acts.in_valid)),
    "renewal": Wait(a_case(in_renewal)),
    "renewed": Wait(a_case(in_renewed)),
    "renewal_late": Wait(a_case(in_late_renewal)),
    "settling": Wait(a_case(in_settling)),
    "settling_marks_confirmed": Wait(a_case(in_settling_without_marks)),
    "appeal_window": Wait(a_case(acts.in_appeal_window)),
    "conduct": Wait(conduct),
    "letters": Wait(letters, mail=True),
    "calendar": Wait(calendar),
}
"""Name → wait, in process order."""
