"""The one way a command reaches a case: store first, then Temporal, the same ids again until an answer comes.

Order of judgement (fixed): a request already done is 0 with its first answer, even with Temporal down; a lost
server is 6 before anything is sent; then 3, and what the case itself refuses (4, 8, 5). After that a lost
answer is asked for again for 30 s with the same ids, then 7.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starter.errors import CommandError, no_answer, not_found, unreachable
from starter.output import deadline, print_table, say
from starter.session import Session

if TYPE_CHECKING:
    from temporalio.client import Client

    from domain.commands import Answer, Command
    from domain.refusals import Refusal

PATIENCE = timedelta(seconds=30)
_ONE_TRY = timedelta(seconds=10)
_PAUSE_SECONDS = 0.5


def act(session: Session, base: str, make: Callable[[dict[str, Any]], Command], files: Mapping[str, Path] = {}) -> None:
    """Send the command `make` builds for BASE, and print its answer. `files` are documents by sha256."""
    actor = session.actor
    reader = session.reader
    found = reader.find_case(base)
    if found is not None and session.dry_run:
        _dry_run(session, make({"request_id": "dry-run", "workflow_id": found.case.workflow_id, "actor": actor}))
        return
    if found is None:
        # A lost server comes before an unknown base.
        asyncio.run(_require_server(session))
        raise not_found(base)
    envelope = {"request_id": session.new_request_id(), "workflow_id": found.case.workflow_id, "actor": actor}
    send(session, make(envelope), files=files)


def send(
    session: Session,
    command: Command,
    *,
    files: Mapping[str, Path] = {},
    content: tuple[bytes, ...] = (),
    start: bool = False,
) -> None:
    """Send a command and print its answer; raise CommandError for everything else."""
    answer = _done_before(session, command)
    if answer is None:
        answer = asyncio.run(_send(session, command, files, content, start))
    _print(session, answer)
    link = session.web_link(command.workflow_id)
    if link is not None:
        say(f"Temporal Web: {link}")


def refused(refusal: Refusal) -> CommandError:
    """A refusal as the command line's error."""
    return CommandError(refusal.kind.exit_code, refusal.kind.value, refusal.message, refusal.hint, refusal.problems)


def _done_before(session: Session, command: Command) -> Answer | None:
    from domain.refusals import Refusal, RefusalKind

    done = session.reader.answered(command.request_id)
    if done is None:
        return None
    params_hash, answer = done
    if params_hash != command.params_hash():
        message = f"Request id {command.request_id} was used with other parameters."
        raise refused(Refusal(RefusalKind.REQUEST_ID_REUSED, message, "Use a new request id."))
    return answer.model_copy(update={"repeated": True})


async def _require_server(session: Session) -> Client:
    from connection.client import connect
    from connection.errors import Unreachable

    try:
        return await connect(session.target(), identity=f"livebase:{session.acting_as or 'reader'}")
    except Unreachable as error:
        raise unreachable(error.message, error.hint) from error


async def _send(
    session: Session, command: Command, files: Mapping[str, Path], content: tuple[bytes, ...], start: bool
) -> Answer:
    client = await _require_server(session)
    for path in files.values():
        session.documents.put_file(path)
    for data in content:
        session.documents.put(data)
    deadline_at = asyncio.get_running_loop().time() + PATIENCE.total_seconds()
    reopen = False
    while True:
        try:
            return await _try(client, command, start or reopen, reopened=reopen)
        except _Closed:
            answer = _done_before(session, command)
            if answer is not None:
                return answer
            if command.action != "receive_deposit":
                raise CommandError(
                    5,
                    "already_ended",
                    "The case is closed.",
                    f"See it with: livebase show {command.workflow_id.split(':')[1]}",
                ) from None
            reopen = True  # money that comes to a closed case is still recorded
        except _Lost:
            if asyncio.get_running_loop().time() > deadline_at:
                raise no_answer(command.request_id) from None
            await asyncio.sleep(_PAUSE_SECONDS)


class _Lost(Exception):
    """No answer this time; the same ids may be sent again."""


class _Closed(Exception):
    """The workflow has completed."""


async def _try(client: Client, command: Command, start: bool, *, reopened: bool) -> Answer:
    from temporalio.client import (
        WithStartWorkflowOperation,
        WorkflowUpdateFailedError,
        WorkflowUpdateRPCTimeoutOrCancelledError,
    )
    from temporalio.common import WorkflowIDConflictPolicy
    from temporalio.exceptions import ApplicationError
    from temporalio.service import RPCError, RPCStatusCode

    from domain.commands import Answer
    from workflows.messages import TASK_QUEUE, WORKFLOW, refusal_from
    from workflows.state import CertificationState

    options: dict[str, Any] = {"id": command.update_id(), "result_type": Answer, "rpc_timeout": _ONE_TRY}
    try:
        if start:
            operation: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
                WORKFLOW,
                CertificationState(reopened=reopened),
                id=command.workflow_id,
                task_queue=TASK_QUEUE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                static_summary=f"淘宝直播基地认证 {command.workflow_id.split(':')[1]}",
            )
            answer: Answer = await client.execute_update_with_start_workflow(
                command.action, command, start_workflow_operation=operation, **options
            )
        else:
            handle = client.get_workflow_handle(command.workflow_id)
            answer = await handle.execute_update(command.action, command, **options)
        return answer
    except WorkflowUpdateFailedError as error:
        cause = error.cause
        if isinstance(cause, ApplicationError):
            refusal = refusal_from(cause)
            if refusal is not None:
                raise refused(refusal) from None
            if cause.type == "AcceptedUpdateCompletedWorkflow":
                raise _Closed from None
        raise CommandError(
            1, "failed", f"The case could not take it: {cause}", "Look at the case in Temporal Web."
        ) from error
    except WorkflowUpdateRPCTimeoutOrCancelledError:
        raise _Lost from None
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise _Closed from None
        if error.status in (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED):
            raise CommandError(
                4, "not_permitted", "The Temporal server refused the credentials.", "Check the profile."
            ) from error
        raise _Lost from None


def _dry_run(session: Session, command: Command) -> None:
    from domain.judging import judge
    from domain.refusals import Refusal

    found = session.found(command.workflow_id.split(":")[1])
    try:
        judge(found.case, command)
    except Refusal as refusal:
        raise refused(refusal) from None
    result = {"dry_run": True, "would_be_tried": command.action, "case_number": found.case.case_number}
    session.show(
        result, lambda _: print(f"{command.action} on {found.case.case_number} would be tried; nothing was sent.")
    )


def _print(session: Session, answer: Answer) -> None:
    from store.queries import shown

    due = shown(answer.due_at)
    data = {
        "request_id": answer.request_id,
        "accepted_at": shown(answer.accepted_at),
        "repeated": answer.repeated,
        "case_number": answer.case_number,
        "stage": answer.stage.value,
        "standing": answer.standing.value,
        "revision": answer.revision,
        "awaiting": answer.awaiting.value,
        "due_at": due,
    }

    def table(_: object) -> None:
        rows = [
            ("case", answer.case_number + (" (done before)" if answer.repeated else "")),
            ("stage", answer.stage.value),
            ("standing", answer.standing.value),
            ("awaiting", answer.awaiting.value + (f" by {deadline(due)}" if due else "")),
            ("revision", answer.revision),
        ]
        print_table(("accepted", ""), rows)

    session.show(data, table)
