"""Signed commands on a database that is no local server's: who does not sign, or signs wrongly, changes nothing."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from temporalio.client import Client, WithStartWorkflowOperation, WorkflowUpdateFailedError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from domain.actors import ADMINISTRATOR, Change
from domain.commands import (
    Actor,
    ActorAnswer,
    AddNote,
    Approve,
    ApproveProposal,
    ChangeActor,
    Command,
    Reinstate,
    ReturnPayment,
    Suspend,
    actor_workflow_id,
)
from domain.refusals import RefusalKind
from domain.stages import Role, Stage
from starter.proving import prove_database, prove_signatures
from store import tables
from store.actors import ActorStore, installation_name
from store.actors import refusals as refusals_kept
from store.migrate import migrate
from store.signatures import key_id, new_key, public_key, sign
from tests.databases import Place
from tests.office import APPLICANT, CERTIFIER, COMPLIANCE, FINANCE, OPERATOR, REVIEWER, Base, Office, refused, until
from tests.path import acts
from tests.store.tampering import hash_again, unprotected
from workflows.messages import ACTORS_WORKFLOW, refusal_from

ADMIN = Actor(role=Role.OPERATOR, name="zheng")
SECOND = Actor(role=Role.FINANCE, name="tang")
STAFF = (APPLICANT, REVIEWER, FINANCE, SECOND, CERTIFIER, COMPLIANCE, OPERATOR)
NOTED = {"text": "called back"}


@pytest.fixture
async def office(client: Client, tmp_path: Path) -> AsyncIterator[Office]:
    """An office of a cluster's kind, in which everybody has a key and their role; nobody else may act."""
    url = f"sqlite:///{tmp_path / 'livebase.db'}"
    migrate(url, local_server=False)
    office = Office(client, Place(tmp_path, url))
    office.keys = {actor.name: new_key() for actor in (*STAFF, ADMIN)}
    assert ActorStore(office.engine).appoint(ADMIN.name, public_key(office.keys[ADMIN.name]), datetime.now(UTC))
    async with office.worker():
        for actor in STAFF:
            key = public_key(office.keys[actor.name])
            answer = await change(office, ADMIN, "add", actor.name, key=key, roles=(actor.role.value,))
            assert answer.roles == (actor.role.value,)
        yield office
    for name in (*office.keys, "mallory"):  # offices share a server, and a person's workflow has one name there
        with suppress(RPCError):
            await client.get_workflow_handle(actor_workflow_id(name)).terminate()
    office.close()


async def change(office: Office, by: Actor, what: str, name: str, **fields: Any) -> ActorAnswer:
    command = ChangeActor(
        request_id=f"{what}-{name}-{len(fields)}-{datetime.now(UTC).timestamp()}",
        workflow_id=actor_workflow_id(name),
        actor=by,
        change=what,
        name=name,
        **fields,
    )
    return await send_change(office, office.signed(command))


async def send_change(office: Office, command: ChangeActor) -> ActorAnswer:
    start = WithStartWorkflowOperation(
        ACTORS_WORKFLOW,
        id=command.workflow_id,
        task_queue=office.settings.task_queue,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
    try:
        answer: ActorAnswer = await office.client.execute_update_with_start_workflow(
            command.action, command, start_workflow_operation=start, id=command.request_id, result_type=ActorAnswer
        )
    except WorkflowUpdateFailedError as error:
        if isinstance(error.cause, ApplicationError) and (refusal := refusal_from(error.cause)) is not None:
            raise refusal from None
        raise
    return answer


def refusals(office: Office) -> list[tuple[str, str, str]]:
    return [(one["action"], one["actor"], one["kind"]) for one in refusals_kept(office.reading)]


def signatures(base: Base) -> dict[str, str | None]:
    """Event → key id of those entries that a person's command made."""
    with Session(base.office.reading) as session:
        rows = session.scalars(select(tables.AuditRow).where(tables.AuditRow.case_number == base.case.case_number))
        return {row.event: row.detail["signed"] for row in rows if "signed" in row.detail}


async def test_the_path_is_signed_by_everybody_on_it(office: Office) -> None:
    base = await acts.in_valid(office)
    await until(lambda: base.case.stage is Stage.VALID, "published")
    assert all(signatures(base).values())
    assert {"application_received", "application_approved", "deposit_received", "base_certified"} <= set(
        signatures(base)
    )
    assert "base_published" not in signatures(base), "what comes of itself is nobody's"
    assert refusals(office) == []
    acts.check_books(base)

    proven = prove_signatures(office.engine)
    assert proven.ok and (proven.signed, proven.unsigned) == (len(signatures(base)) + len(STAFF), 0)
    assert prove_database(office.engine).ok
    smuggled = Change("mallory", "role_granted", "finance")
    with ActorStore(office.engine).transaction() as tx:
        tx.add((smuggled,), "nobody", datetime.now(UTC))
    (broken,) = prove_database(office.engine).broken
    assert (broken.kind, broken.values) == ("actor", ("mallory",))
    number = base.case.case_number
    unprotected(office.engine)
    with office.engine.begin() as connection:
        approved = tables.AuditRow.event == "application_approved"
        connection.execute(update(tables.AuditRow).where(approved).values(actor="reviewer:tang"))
        hash_again(connection, number)
    (broken,) = prove_signatures(office.engine).broken
    assert (broken.kind, broken.case_number) == ("signed_by_another", number)


def signed_by(office: Office, name: str, command: Command, at: datetime | None = None, key: str | None = None) -> Any:
    private, installation = key or office.keys[name], installation_name(office.engine)
    return command.model_copy(update={"signature": sign(command, private, at or datetime.now(UTC), installation)})


async def test_what_is_not_signed_by_whom_it_says_changes_nothing_and_is_on_record(office: Office) -> None:
    base, other = await office.applied(), await office.applied()
    before = base.case
    plain: AddNote = base.command(AddNote, OPERATOR, **NOTED)
    of_the_other = signed_by(office, OPERATOR.name, other.command(AddNote, OPERATOR, **NOTED))
    good = signed_by(office, OPERATOR.name, plain)
    forged: dict[str, tuple[AddNote, RefusalKind]] = {
        "unsigned": (plain, RefusalKind.NOT_SIGNED),
        "another's key": (signed_by(office, REVIEWER.name, plain), RefusalKind.SIGNATURE_INVALID),
        "a stranger's": (
            signed_by(office, "mallory", plain, key=new_key()),
            RefusalKind.SIGNATURE_INVALID,
        ),
        "no signature at all": (plain.model_copy(update={"signature": "a.b.c"}), RefusalKind.SIGNATURE_INVALID),
        "altered": (good.model_copy(update={"text": "gone"}), RefusalKind.SIGNATURE_INVALID),
        "another request": (good.model_copy(update={"request_id": "taken"}), RefusalKind.SIGNATURE_INVALID),
        "for another case": (
            plain.model_copy(update={"signature": of_the_other.signature}),
            RefusalKind.SIGNATURE_INVALID,
        ),
        "expired": (
            signed_by(office, OPERATOR.name, plain, datetime.now(UTC) - timedelta(minutes=11)),
            RefusalKind.SIGNATURE_EXPIRED,
        ),
    }
    office.keys = {}  # what is sent is sent as it is
    for number, (command, kind) in enumerate(forged.values()):
        async with refused(kind) as info:
            await base.send(command)
        assert info.value.kind.exit_code == 4
        assert refusals(office)[number] == ("add_note", str(OPERATOR), kind.value)
    assert base.case == before and acts.events(base) == ["application_received"]

    answer = await base.send(good)
    assert not answer.repeated
    assert (await base.send(good)).repeated, "the same envelope again is a repeat, without effect"
    assert len(acts.events(base)) == 2 and len(refusals(office)) == len(forged)
    acts.check_books(base)


async def test_a_role_or_a_key_that_was_taken_counts_no_more(office: Office) -> None:
    base = await office.applied()
    approval = {"revision": base.case.revision}
    await change(office, ADMIN, "revoke", REVIEWER.name, roles=("reviewer",))
    async with refused(RefusalKind.ROLE_NOT_GRANTED):
        await base.do(Approve, REVIEWER, **approval)
    await change(office, ADMIN, "grant", REVIEWER.name, roles=("reviewer",))
    old, office.keys[REVIEWER.name] = office.keys[REVIEWER.name], new_key()
    async with refused(RefusalKind.SIGNATURE_INVALID):
        await base.do(Approve, REVIEWER, **approval)
    another = public_key(office.keys[REVIEWER.name])
    async with refused(RefusalKind.ACTOR_KNOWN):
        await change(office, ADMIN, "add", REVIEWER.name, key=another)
    await change(office, ADMIN, "further", REVIEWER.name, key=another)
    answer = await change(office, ADMIN, "revoke", REVIEWER.name, key=kid(old))
    assert list(answer.keys) == [kid(office.keys[REVIEWER.name])]
    new, office.keys[REVIEWER.name] = office.keys[REVIEWER.name], old
    async with refused(RefusalKind.SIGNATURE_INVALID):
        await base.do(Approve, REVIEWER, **approval)
    office.keys[REVIEWER.name] = new
    assert (await base.do(Approve, REVIEWER, **approval)).stage is Stage.DEPOSIT


def kid(private: str) -> str:
    return key_id(public_key(private))


async def test_who_proposed_must_still_have_the_role_when_it_is_approved(office: Office) -> None:
    base = await acts.in_deposit(office)
    await acts.pay(base, 700, payer="somebody else", reference="U-7")
    await base.do(ReturnPayment, FINANCE, reference="U-7", reason="not theirs")
    (proposal,) = base.case.open_proposals
    approval = {"proposal": proposal.id, "content": proposal.content}
    async with refused(RefusalKind.SECOND_PERSON_REQUIRED):
        await base.do(ApproveProposal, FINANCE, **approval)
    await change(office, ADMIN, "revoke", FINANCE.name)
    async with refused(RefusalKind.ROLE_NOT_GRANTED):
        await base.do(ApproveProposal, SECOND, **approval)
    assert base.case.deposit.unmatched == 700 and base.case.refunds == ()
    acts.check_books(base)


async def test_only_administrators_say_who_may_act(office: Office) -> None:
    everybody = ActorStore(office.engine).people()
    key = public_key(new_key())
    async with refused(RefusalKind.ROLE_NOT_GRANTED):
        await change(office, OPERATOR, "add", "mallory", key=key, roles=("finance",))
    async with refused(RefusalKind.SECOND_PERSON_REQUIRED):
        await change(office, ADMIN, "grant", ADMIN.name, roles=("finance",))
    mine = office.keys.pop(ADMIN.name)
    async with refused(RefusalKind.NOT_SIGNED):
        await change(office, ADMIN, "add", "mallory", key=key, roles=("finance",))
    office.keys[ADMIN.name] = mine
    async with refused(RefusalKind.INVALID_VALUE):
        await change(office, ADMIN, "add", "mallory", key=key, roles=("king",))
    async with refused(RefusalKind.INVALID_VALUE):
        await change(office, ADMIN, "add", "mallory", key="ed25519:no")
    assert ActorStore(office.engine).people() == everybody
    assert not ActorStore(office.engine).appoint(OPERATOR.name, key, datetime.now(UTC)), "known already"
    with Session(office.reading) as session:
        rows = list(session.scalars(select(tables.OfficeEntryRow).order_by(tables.OfficeEntryRow.sequence)))
    assert [row.event for row in rows] == ["administrator_appointed", *["change_actor"] * len(STAFF)]
    assert rows[0].detail["name"] == ADMIN.name and all(row.detail["signed"] for row in rows[1:])
    assert ADMINISTRATOR in json.dumps([sorted(person.roles) for person in everybody])


async def test_what_was_refused_once_is_refused_for_good_whoever_sends_it_again(office: Office) -> None:
    base = await acts.in_valid(office)
    await until(lambda: base.case.stage is Stage.VALID, "published")
    early = signed_by(office, COMPLIANCE.name, base.command(Reinstate, COMPLIANCE, reason="it has stopped"))
    async with refused(RefusalKind.WRONG_STAGE):
        await base.send(early)
    await base.do(Suspend, COMPLIANCE, reason="brushing found")
    async with refused(RefusalKind.WRONG_STAGE):
        await base.send(early)
    assert base.case.holds
    await base.do(Reinstate, COMPLIANCE, early.request_id, reason="it has stopped")
    assert not base.case.holds, "signed anew it counts"


async def test_no_signature_stops_a_case(office: Office) -> None:
    """Whatever is sent in the place of one: it is refused, and the case goes on."""
    base = await office.applied()

    def token(*parts: bytes) -> str:
        return ".".join(urlsafe_b64encode(part).decode().rstrip("=") for part in parts)

    header = b'{"alg":"Ed25519","kid":"%s"}'
    for wrong in (
        token(header % rb"\ud800", b"{}", b"x"),
        token(header % b"a\0b", b"{}", b"x"),
        token(header % kid(office.keys[OPERATOR.name]).encode(), b"[" * 1000, b"x"),
        "\0",
        "é.è.ê",
    ):
        note = base.command(AddNote, OPERATOR, **NOTED).model_copy(update={"signature": wrong})
        async with refused(RefusalKind.SIGNATURE_INVALID):
            await base.send(note)
    assert (await base.do(AddNote, OPERATOR, **NOTED)).case_number == base.case.case_number


async def test_the_same_act_is_proposed_once_however_often_it_is_signed(office: Office) -> None:
    base = await acts.in_deposit(office)
    await acts.pay(base, 700, payer="somebody else", reference="U-7")
    give_back = {"reference": "U-7", "reason": "not theirs"}
    await base.do(ReturnPayment, FINANCE, **give_back)
    (proposal,) = base.case.open_proposals
    assert "signature" not in proposal.parameters
    async with refused(RefusalKind.PROPOSAL_PENDING):
        await base.do(ReturnPayment, SECOND, **give_back)


async def test_a_key_is_one_person_s_in_the_database_too(office: Office) -> None:
    mine = public_key(office.keys[FINANCE.name])
    with pytest.raises(ValueError, match=FINANCE.name):
        ActorStore(office.engine).appoint("mallory", mine, datetime.now(UTC))
    with pytest.raises(IntegrityError), ActorStore(office.engine).transaction() as tx:
        tx.add((Change("mallory", "key_added", kid(office.keys[FINANCE.name]), mine),), "nobody", datetime.now(UTC))
