"""Letters that arrive: once each, whatever the mail server and the workers go through (decision 35)."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from domain.commands import ConfirmMarks, ResendLetters, Withdraw
from domain.delivery import message_id
from domain.refusals import RefusalKind
from domain.stages import Role, Stage
from store import tables
from store.letters import list_letters
from tests.databases import Place, only_on
from tests.mail_server import SENDER, STAFF, MailServer
from tests.office import APPLICANT, OPERATOR, Base, Office, refused, until, working_office
from tests.path import acts
from tests.record_histories import all_runs
from workers.schedule import keep_letters_going, schedule_id
from workflows.letters import DELIVERY, DeliverLetters, DeliveryOrders

ONLY_ON = "postgresql"
"""What differs between the databases is tested in tests/store, and by requests and payments at once on both."""

ROOT = Path(__file__).parents[2]
CONTACT = "wang@yunji.example"
PERSONAL = ("yunji", "staff.example", "王芳", "13800000000", "北苑", "义乌", "资质审核", "保证金", "example")


@asynccontextmanager
async def delivering(office: Office, name: str = "1") -> AsyncIterator[WorkflowHandle[Any, Any]]:
    """A shift at work on the office's letters, ended with the block."""
    handle = await office.client.start_workflow(
        DELIVERY,
        DeliveryOrders(),
        id=f"{office.settings.task_queue}-letters-{name}",
        task_queue=office.settings.task_queue,
    )
    try:
        yield handle
    finally:
        await office.client.get_workflow_handle(handle.id).terminate()


def letters(office: Office) -> list[dict[str, Any]]:
    return list_letters(office.reading)


def states(office: Office) -> Counter[str]:
    with office.reading.connect() as connection:
        return Counter(connection.scalars(select(tables.NoticeRow.state)))


def ids(office: Office) -> list[str]:
    """The Message-IDs of all letters written."""
    domain = SENDER.partition("@")[2]
    return [message_id(f"{each['case_number']}/{each['letter']}", each["edition"], domain) for each in letters(office)]


async def all_delivered(office: Office) -> None:
    await until(lambda: set(states(office)) == {"delivered"}, "every letter delivered", seconds=40)


def arrived_once(office: Office, server: MailServer) -> None:
    assert sorted(server.ids()) == sorted(ids(office))
    assert len(set(server.ids())) == len(server.ids())


async def at_rest(handle: WorkflowHandle[Any, Any]) -> None:
    """Wait until the newest run has done what was due and sleeps."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        raw = (await handle.describe()).raw_description
        if not raw.pending_activities and not raw.HasField("pending_workflow_task"):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the delivery does not come to rest")


async def told(office: Office, handle: WorkflowHandle[Any, Any]) -> str:
    """Every run's history as Temporal keeps it, with its payloads read."""
    texts = []
    for history in await all_runs(office.client, handle.id):
        for part in _strings(json.loads(history.to_json())):
            texts.append(part)
            try:
                texts.append(base64.b64decode(part, validate=True).decode())
            except ValueError:
                continue
    return "\n".join(texts)


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [part for each in value.values() for part in _strings(each)]
    if isinstance(value, list):
        return [part for each in value for part in _strings(each)]
    return [value] if isinstance(value, str) else []


def more_letters(office: Office, base: Base, count: int) -> None:
    """Letters beyond what the case wrote, half of them to the applicant."""
    number = base.case.case_number
    with Session(office.engine) as session, session.begin():
        for place in range(100, 100 + count):
            recipient = Role.APPLICANT if place % 2 else Role.OPERATOR
            session.add(
                tables.NoticeRow(
                    case_number=number, sequence=1, place=place, kind="test", recipient=recipient.value,
                    subject=f"第{place}封", body="正文", at=datetime.now(UTC),
                )
            )  # fmt: skip


async def test_every_letter_of_a_first_year_arrives_once_where_it_belongs_and_histories_name_nobody(
    client: Client, place: Place
) -> None:
    async with (
        MailServer() as server,
        working_office(client, place, room=server.room) as office,
        delivering(office) as handle,
    ):
        base = await acts.in_valid(office)
        term = base.case.term
        assert term is not None
        await base.forward_to(term.until)
        evidence = base.documents.put(b"%PDF-1.4 marks removed %%EOF")
        await base.do(ConfirmMarks, APPLICANT, evidence=(evidence,))
        await acts.pay(base, 1, f"{base.credit_code}-3", payer="somebody else")
        await all_delivered(office)
        arrived_once(office, server)
        written = {message: each for message, each in zip(ids(office), letters(office), strict=True)}
        recipients = {each["recipient"] for each in written.values()}
        assert recipients == {"applicant", "finance", "operator", "compliance"}, "nobody sent the quarters' figures"
        for letter in server.arrived:
            there = written[letter.id]
            assert letter.to == (CONTACT if there["recipient"] == "applicant" else STAFF[Role(there["recipient"])])
            assert letter.message["To"] == letter.to and letter.message["Auto-Submitted"] == "auto-generated"
            assert letter.message["Subject"] == there["subject"]
            assert letter.message.get_content().splitlines() == there["body"].splitlines()
        assert max(datetime.fromisoformat(each["written_at"]) for each in written.values()) > datetime.now(
            UTC
        ) + timedelta(days=300), "letters of the case's future do not wait for it"
        history = await told(office, handle)
        assert base.case.case_number in history
        assert [word for word in PERSONAL if word in history] == []
        described = str((await handle.describe()).raw_description)
        assert [word for word in PERSONAL if word in described] == []
        replayer = Replayer(workflows=[DeliverLetters], data_converter=pydantic_data_converter)
        for run in await all_runs(client, handle.id):
            await replayer.replay_workflow(run)


@only_on("postgresql")
async def test_a_mail_server_down_for_three_days_delays_letters_and_nothing_else(client: Client, place: Place) -> None:
    server = MailServer()
    async with AsyncExitStack() as stack:
        slow = replace(server.room, pause_seconds=5000)  # so that no jump aims at its timer itself
        office = await stack.enter_async_context(working_office(client, place, room=slow))
        shift = await stack.enter_async_context(delivering(office))
        handle = client.get_workflow_handle(shift.id)  # whichever run it is at

        async def pass_by(hours: int) -> None:
            for _ in range(hours // 2):  # a longer jump passes over what a run continued as new would do on the way
                await at_rest(handle)
                assert await office.clock.fast_forward(handle.id, timedelta(hours=2))
            await at_rest(handle)

        # Nobody answers at all.
        base = await acts.in_publishing(office)
        await until(lambda: base.case.stage is Stage.VALID, "published")
        await pass_by(24)
        await until(lambda: set(states(office)) == {"failed"}, "all tried")
        assert all("connect" in each["error"].lower() for each in letters(office))
        assert server.arrived == []

        # It answers, but takes nothing from us; and then takes nothing for anybody.
        await stack.enter_async_context(server)
        server.mail = "451 4.3.2 not now"
        await pass_by(24)
        await until(lambda: all("451 4.3.2" in each["error"] for each in letters(office)), "all tried again")
        server.mail, server.rcpt = "", {"*": "452 4.2.2 <{}> mailbox full"}
        await base.forward_to(base.case.plan[-1].at)
        assert base.case.stage is Stage.SETTLING
        acts.check_books(base)
        await pass_by(24)
        await until(lambda: set(states(office)) == {"failed"}, "none given up, none held")
        assert server.arrived == [] and server.tried.total() > len(letters(office))

        # And then each arrives once.
        server.rcpt = {}
        await pass_by(6)
        await all_delivered(office)
        arrived_once(office, server)
        assert await told(office, handle) and "yunji" not in await told(office, handle)


async def test_what_is_refused_for_good_is_told_apart_from_what_is_put_off_and_both_can_be_sent_again(
    client: Client, place: Place
) -> None:
    async with MailServer() as server, working_office(client, place, room=server.room) as office:
        base = await acts.in_deposit(office)
        await acts.pay(base, 1, payer="somebody else")
        server.rcpt = {CONTACT: "550 5.1.1 <{}> no such user here", STAFF[Role.FINANCE]: "450 4.2.0 <{}> greylisted"}
        async with delivering(office) as handle:
            await until(lambda: states(office) == {"undeliverable": 2, "failed": 1}, "each as it was answered")
            there = {each["kind"]: each for each in letters(office)}
            assert there["application_approved"]["error"] == "550 5.1.1 … no such user here"
            assert there["payment_unmatched"]["error"] == "450 4.2.0 … greylisted"
            assert there["payment_unmatched"]["next_try_at"] > there["payment_unmatched"]["written_at"]
            tried = server.tried.copy()
            await office.clock.fast_forward(handle.id, timedelta(seconds=20))
            assert server.tried == tried == {CONTACT: 2, STAFF[Role.FINANCE]: 1}

            server.rcpt = {}
            command = base.command(ResendLetters, OPERATOR)
            answer = await base.send(command)
            assert (answer.stage, answer.repeated) == (Stage.DEPOSIT, False)
            await all_delivered(office)
            arrived_once(office, server)
            assert acts.timeline(base)[-1]["event"] == "letters_resent"
            assert acts.timeline(base)[-1]["detail"]["letters"] == [each["letter"] for each in letters(office)]
            assert (await base.send(command)).repeated
            async with refused(RefusalKind.NOTHING_TO_RESEND):
                await base.do(ResendLetters, OPERATOR)
            assert "yunji" not in await told(office, handle)
            acts.check_books(base)


async def test_a_letter_of_a_closed_case_is_sent_again_as_a_new_edition(client: Client, place: Place) -> None:
    async with MailServer() as server, working_office(client, place, room=server.room) as office:
        base = await acts.in_review(office)
        await base.do(Withdraw, APPLICANT, reason="other plans")
        await acts.ended(base)
        async with delivering(office):
            await all_delivered(office)
            last = letters(office)[-1]
            again = base.command(ResendLetters, OPERATOR, letter=last["letter"])
            assert (await acts.start(base, again, reopened=True)).stage is Stage.CLOSED
            await acts.ended(base)
            await until(lambda: len(server.arrived) == 3, "it came again")
            await all_delivered(office)
        assert server.ids()[2] == server.ids()[1].replace("@", ".r1@")
        acts.check_books(base)


async def test_two_hundred_letters_go_out_in_batches_and_deliveries_at_once_send_none_twice(
    client: Client, place: Place
) -> None:
    async with MailServer() as server, working_office(client, place, room=replace(server.room, batch=20)) as office:
        base = await acts.in_review(office)
        more_letters(office, base, 199)
        async with AsyncExitStack() as stack:
            for name in ("one", "two", "three"):
                await stack.enter_async_context(delivering(office, name))
            await all_delivered(office)
        assert len(server.arrived) == 200
        arrived_once(office, server)
        assert {each["attempts"] for each in letters(office)} == {1}
        assert server.tried == {CONTACT: 100, STAFF[Role.OPERATOR]: 100}


async def test_one_letter_that_can_not_be_sent_keeps_no_other_waiting(client: Client, place: Place) -> None:
    async with MailServer() as server, working_office(client, place, room=server.room) as office:
        base = await acts.in_review(office)
        more_letters(office, base, 5)
        with Session(office.engine) as session, session.begin():
            first, second, *_ = session.scalars(select(tables.NoticeRow).order_by(tables.NoticeRow.at)).all()
            first.subject = "a line\r\nBcc: everybody@else.example"
            second.recipient = "nobody"
        async with delivering(office):
            await until(lambda: states(office) == {"delivered": 4, "failed": 2}, "the others")
        assert server.tried.keys() <= {CONTACT, STAFF[Role.OPERATOR]}
        errors = [each["error"] for each in letters(office) if each["error"]]
        assert errors == [
            "it could not be sent (ValueError)",
            "no address is set for the nobody: set LIVEBASE_MAIL_NOBODY for the workers",
        ]


async def test_the_schedule_is_one_however_many_workers_make_it_and_stays_as_an_operator_left_it(
    client: Client, place: Place
) -> None:
    async with MailServer() as server:
        office = Office(client, place)
        queue = office.settings.task_queue
        await asyncio.gather(*(keep_letters_going(client, queue) for _ in range(5)))
        schedule = client.get_schedule_handle(schedule_id(queue))
        await schedule.pause(note="while the mail server moves")
        await keep_letters_going(client, queue)
        described = await schedule.describe()
        assert described.schedule.state.paused and described.schedule.state.note == "while the mail server moves"
        assert described.info.num_actions == 1, "one shift was started at once"
        async with office.worker(room=server.room):
            await office.applied()
            await all_delivered(office)
        arrived_once(office, server)
        await schedule.delete()
        await client.get_workflow_handle(described.info.recent_actions[-1].action.workflow_id).terminate()
