"""What the bank tells unasked: money received, refunds paid, returned or failed (decisions 15, 17).

`POST /bank/events` with an event as JSON, signed (`domain/signing.py`). 200 only when what it says is on record,
however often and in whatever order it is told; any other answer has put nothing on record, and the bank tells it again:

- 401: not signed by the bank, or not now
- 400, 408, 413: nothing that can be an event
- 404, 409, 422: it contradicts what is on record, or speaks of a refund nobody ordered: a person has to look
- 503: could not be recorded just now

Money that fits no case is on record as no case's, and waits for a person.

An event is an update of the case it belongs to, like a person's act, and told from others by its own id.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from pydantic import ValidationError
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from connection.errors import BadConfiguration, KeyUnknown, PayloadRefused
from domain import refund
from domain.bank import BANK_EVENT, BankEvent, PaymentReceived, RefundTold
from domain.commands import (
    Actor,
    Answer,
    Command,
    ReceiveDeposit,
    RecordUnplaced,
    ReportRefund,
    UnplacedAnswer,
    payment_workflow_id,
)
from domain.names import same_company
from domain.refusals import Refusal, RefusalKind
from domain.returning import Unplaced, proposal_of
from domain.shanghai import shanghai_date
from domain.signing import NotSigned, require_signed
from domain.stages import Role, Stage
from store.actors import installation_name, is_local
from store.payments import PaymentStore, came_back, case_of_payment, returned_again, unplaced_named
from store.queries import FoundCase, Reader
from store.signatures import sign
from workers.http import read_body, serving
from workers.settings import WorkerSettings
from workflows.messages import UNPLACED_WORKFLOW, WORKFLOW, refusal_from
from workflows.state import CertificationState, UnplacedState

PATH = "/bank/events"
THE_BANK = Actor(role=Role.BANK, name="callback")
"""No person stands behind it, and the record says so."""
_LARGEST = 64 * 1024
_ONE_TRY = timedelta(seconds=10)
PATIENCE = timedelta(seconds=20)
"""Within this an event is on record, or the bank is asked to tell it again."""
_PAUSE = 0.5
_REST = 30
"""Seconds after which the bank is to tell again what could not be recorded."""
_NOTE = 500
"""So much of a note is kept with money of no case."""
_STATES: dict[str, Any] = {"refund.paid": "paid", "refund.returned": "returned", "refund.failed": "failed"}
_STATUS = {RefusalKind.NOT_FOUND: 404, RefusalKind.REQUEST_ID_REUSED: 409, RefusalKind.REFERENCE_REUSED: 409}
_log = structlog.stdlib.get_logger("livebase.bank")


@dataclass(frozen=True)
class Reply:
    status: int
    content: dict[str, Any]
    rest: int | None = None
    """Seconds the bank should wait before it tells it again."""


@dataclass(frozen=True)
class _To:
    """Where a command goes: what it is answered with, and what is started for it when nothing runs there."""

    answer: type[Any]
    workflow: str
    state: Any
    case: FoundCase | None = None

    @property
    def summary(self) -> str:
        return f"淘宝直播基地认证 {self.case.case.credit_code}" if self.case else "待认领款项"


class _NotNow(Exception):
    """It could not be put on record just now, or it is not known whether it was."""


class BankCallbacks:
    """Takes what the bank tells. `keys` are what it may have signed with; `wall` reads the clock (decision 6).

    `private` is the key of `THE_BANK`, which everywhere but on a local server has to be on record with the role `bank`.
    """

    def __init__(
        self,
        client: Client,
        engine: Engine,
        task_queue: str,
        keys: Sequence[bytes],
        private: str | None = None,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._engine = engine
        self._reader = Reader(engine)
        self._payments = PaymentStore(engine)
        self._task_queue = task_queue
        self._keys = keys
        self._private = private
        self._wall = wall

    @property
    def app(self) -> Starlette:
        return Starlette(routes=[Route(PATH, self._post, methods=["POST"])])

    async def take(self, headers: Mapping[str, str], body: bytes) -> Reply:
        """Put one event on record: what the bank is answered. Never raises but for a fault of ours."""
        try:
            signed_as = require_signed(headers, body, self._keys, self._wall())
        except NotSigned as error:
            _log.warning("a message to the bank's address is not the bank's")
            return Reply(401, {"error": f"not accepted: {error}"})
        try:
            event = BANK_EVENT.validate_json(body)
        except ValidationError as error:
            problems = [f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in error.errors()]
            _log.error("an event of the bank can't be read")
            return Reply(400, {"error": "this is no event", "problems": problems})
        if event.id != signed_as:
            return Reply(400, {"error": "webhook-id is not the event's id"})
        try:
            return await self._recorded(event)
        except Refusal as refusal:
            _log.error("an event of the bank is refused", event_id=event.id, step=event.type, error=refusal.kind.value)
            if refusal.kind.family == "not_permitted":  # our key, role or clock, and no fault of the bank's
                return Reply(503, {"error": "not recorded now; tell it again"}, rest=_REST)
            told = {"kind": refusal.kind.value, "message": refusal.message}
            return Reply(_STATUS.get(refusal.kind, 422), {"error": told})
        except (_NotNow, SQLAlchemyError) as lost:
            why = type(lost.__cause__ or lost).__name__
            _log.warning("an event of the bank can't be recorded now", event_id=event.id, step=event.type, error=why)
            return Reply(503, {"error": "not recorded now; tell it again"}, rest=_REST)

    async def _recorded(self, event: BankEvent) -> Reply:
        if isinstance(event, PaymentReceived) and (before := await asyncio.to_thread(self._known_before, event)):
            return before
        if isinstance(event, RefundTold) and (one := await asyncio.to_thread(self._returned, event)) is not None:
            return await self._of_return(event, one)
        found, why = await asyncio.to_thread(self._case_of, event)
        if found is None:
            assert isinstance(event, PaymentReceived)
            return await self._of_no_case(event, why)
        command = _command(event, found.case.workflow_id)
        answer = await asyncio.to_thread(self._done_before, command, found)
        if answer is None:
            answer = await self._send(command, _To(Answer, WORKFLOW, CertificationState(reopened=True), found))
        return Reply(200, {"case_number": answer.case_number, "repeated": answer.repeated})

    async def _of_no_case(self, event: PaymentReceived, why: str) -> Reply:
        _log.warning("money of no case", event_id=event.id, step=event.type)
        known = await asyncio.to_thread(self._payments.known, [event.reference])
        today = known[event.reference].payment.value_date if known else shanghai_date(self._wall())
        told = _payment(event, payment_workflow_id(event.reference))
        command = RecordUnplaced(**told | {"paid_on": event.paid_at or today}, why=why, note=event.note[:_NOTE])
        answer: UnplacedAnswer = await self._send(command, _To(UnplacedAnswer, UNPLACED_WORKFLOW, UnplacedState()))
        return Reply(200, {"case_number": answer.case_number, "repeated": answer.repeated})

    def _returned(self, event: RefundTold) -> Unplaced | None:
        """The payment of no case whose return a refund's key names."""
        return unplaced_named(self._engine, proposal_of(event.key))

    async def _of_return(self, event: RefundTold, unplaced: Unplaced) -> Reply:
        command = _command(event, payment_workflow_id(unplaced.payment.reference))
        assert isinstance(command, ReportRefund)
        last = unplaced.last[proposal_of(event.key)]
        if command.is_no_news(last.what, last.amount, last.bank_reference):
            return Reply(200, {"case_number": None, "repeated": True})
        answer: UnplacedAnswer = await self._send(command, _To(UnplacedAnswer, UNPLACED_WORKFLOW, UnplacedState()))
        return Reply(200, {"case_number": answer.case_number, "repeated": answer.repeated})

    def _case_of(self, event: BankEvent) -> tuple[FoundCase | None, str]:
        if isinstance(event, PaymentReceived):
            return case_of_payment(self._engine, event.reference, event.note, event.payer)
        found = self._reader.find_case(event.key.rpartition("-R")[0].rpartition("-")[0])
        if found is None:
            raise Refusal(RefusalKind.NOT_FOUND, f"Nobody ordered the refund {event.key}.", "Compare the statement.")
        return found, ""

    def _known_before(self, event: PaymentReceived) -> Reply | None:
        """What is on record under the reference, wherever its money is by now; or a refund of ours that came back."""
        known = self._payments.known([event.reference]).get(event.reference)
        if known is None:
            number = came_back(self._engine, event.note, event.amount)
            back = number is not None or returned_again(self._engine, event.note, event.amount)
            return Reply(200, {"case_number": number, "repeated": True}) if back else None
        payment = known.payment
        same = payment.amount == event.amount and same_company(payment.payer, event.payer)
        if not same or event.paid_at not in (None, payment.value_date):
            return None  # the case says why not
        return Reply(200, {"case_number": known.case_number, "repeated": True})

    def _done_before(self, command: Command, found: FoundCase) -> Answer | None:
        """What was recorded of this event, or of the same refund by another way; a closed case sleeps on then."""
        done = self._reader.answered(command.request_id)
        if done is not None and done[1] is not None and done[0] == command.params_hash():
            return done[1].model_copy(update={"repeated": True})
        if isinstance(command, ReportRefund) and refund.is_on_record(found.case, command):
            case, now = found.case, found.clock(self._wall())
            return Answer(
                request_id=command.request_id,
                accepted_at=now,
                repeated=True,
                case_number=case.case_number,
                stage=case.stage,
                standing=case.standing(now),
                revision=case.revision,
                awaiting=case.awaiting,
                due_at=case.due_at,
            )
        return None

    async def _send(self, command: Command, to: _To) -> Any:
        """One update, the same for all tries. Raises Refusal, and _NotNow without an answer in time."""
        id, starts = command.update_id(uuid.uuid4().hex[:8]), to.case is None or to.case.case.stage is Stage.CLOSED
        now = asyncio.get_running_loop().time
        until = now() + PATIENCE.total_seconds()
        # Counted, not an asyncio.timeout: the SDK makes an answer of its own of a cancellation.
        while (left := timedelta(seconds=until - now())) > timedelta():
            try:
                signed = await asyncio.to_thread(self._signed, command)
                return await self._attempt(signed, id, to, starts, min(_ONE_TRY, left))
            except WorkflowUpdateFailedError as error:
                cause = error.cause
                refusal = refusal_from(cause) if isinstance(cause, ApplicationError) else None
                if refusal is not None:
                    raise refusal from None
                if not (isinstance(cause, ApplicationError) and cause.type == "AcceptedUpdateCompletedWorkflow"):
                    raise _NotNow from error
            except WorkflowUpdateRPCTimeoutOrCancelledError:
                if (task := asyncio.current_task()) is not None and task.cancelling():
                    raise asyncio.CancelledError from None
            except (KeyUnknown, PayloadRefused) as error:  # it may be on record; told again, it is looked up there
                raise _NotNow from error
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND and to.case is not None:
                    starts = await self._has_closed(to.case, error)
            await asyncio.sleep(_PAUSE)
        raise _NotNow

    def _signed(self, command: Command) -> Command:
        if self._private is None:
            return command
        signature = sign(command, self._private, self._wall(), installation_name(self._engine))
        return command.model_copy(update={"signature": signature})

    async def _has_closed(self, found: FoundCase, error: RPCError) -> bool:
        """Whether the case's run is over because the case is. Raises _NotNow for one that should run and does not."""
        now = await asyncio.to_thread(self._reader.find_case, found.case.case_number)
        if now is None or now.case.stage is not Stage.CLOSED:
            _log.error("a case of which the bank tells does not run", workflow_id=found.case.workflow_id)
            raise _NotNow from error
        return True

    async def _attempt(self, command: Command, id: str, to: _To, starts: bool, patience: timedelta) -> Any:
        options: dict[str, Any] = {"id": id, "result_type": to.answer, "rpc_timeout": patience}
        if not starts:
            handle = self._client.get_workflow_handle(command.workflow_id)
            return await handle.execute_update(command.action, command, **options)
        start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            to.workflow,
            to.state,
            id=command.workflow_id,
            task_queue=self._task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary=to.summary,
        )
        try:
            return await self._client.execute_update_with_start_workflow(
                command.action, command, start_workflow_operation=start, **options
            )
        finally:
            # The start's own outcome says nothing the update's does not; unasked, asyncio would complain of it.
            await asyncio.gather(asyncio.wait_for(start.workflow_handle(), 0.1), return_exceptions=True)

    async def _post(self, request: Request) -> Response:
        body = await read_body(request, _LARGEST)
        reply = await self.take(request.headers, body)
        headers = {"cache-control": "no-store"} | ({"retry-after": str(reply.rest)} if reply.rest else {})
        return JSONResponse(reply.content, reply.status, headers)


@asynccontextmanager
async def bank_callbacks(client: Client, engine: Engine, settings: WorkerSettings) -> AsyncIterator[None]:
    """Takes the bank's events on the callback port while the block runs; with port 0 nobody does.

    Raises BadConfiguration when the port can't be opened, or what the bank tells could not be signed.
    """
    if not settings.bank_callback_port:
        yield
        return
    keys, private = settings.bank_callback_keys, settings.bank_callback_private
    if private is None and not await asyncio.to_thread(is_local, engine):
        raise BadConfiguration(
            "LIVEBASE_BANK_CALLBACK_LOGIN is not set: what the bank tells could not be signed.",
            f"Make its key with LIVEBASE_LOGIN=FILE livebase login {THE_BANK.name}; give it the role bank.",
        )
    callbacks = BankCallbacks(client, engine, settings.task_queue, keys, private)
    where = (settings.bank_callback_host, settings.bank_callback_port)
    async with serving(callbacks.app, *where, what="bank callback", variables="LIVEBASE_BANK_CALLBACK"):
        yield


def _command(event: BankEvent, workflow_id: str) -> Command:
    if isinstance(event, PaymentReceived):
        return ReceiveDeposit(**_payment(event, workflow_id))
    told = {"amount": event.amount, "reference": event.reference, "why": event.why}
    return ReportRefund(**_envelope(event, workflow_id), refund=event.key, state=_STATES[event.type], **told)


def _payment(event: PaymentReceived, workflow_id: str) -> dict[str, Any]:
    paid = {"amount": event.amount, "reference": event.reference, "payer": event.payer, "paid_on": event.paid_at}
    return _envelope(event, workflow_id) | paid


def _envelope(event: BankEvent, workflow_id: str) -> dict[str, Any]:
    return {"request_id": f"bank:{event.id}", "workflow_id": workflow_id, "actor": THE_BANK}
