"""One attempt at an update, and what its failure means: refused, ended, or worth asking again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from starter.errors import CommandError, refused, unreachable

if TYPE_CHECKING:
    from temporalio.client import Client

    from domain.commands import Command

Given = TypeVar("Given")


class Lost(Exception):
    """No answer this time; the same ids may be sent again."""


class Ended(Exception):
    """No such workflow runs: it has completed (`known`), or this server has never heard of it."""

    def __init__(self, known: bool) -> None:
        super().__init__()
        self.known = known


@dataclass(frozen=True)
class Start:
    """The workflow that is started for an update when none runs under its id; `state` is its input, None for none."""

    workflow: str
    state: Any
    summary: str


async def attempt(
    client: Client, command: Command, sending: str, patience: timedelta, answer: type[Given], start: Start | None
) -> Given:
    """Send the update, with `start` starting the workflow if it does not run, and return its answer.

    `sending` marks the invocation whose attempts are one. Raises `Lost`, `Ended`, or CommandError for what is decided.
    """
    from temporalio.client import (
        WithStartWorkflowOperation,
        WorkflowUpdateFailedError,
        WorkflowUpdateRPCTimeoutOrCancelledError,
    )
    from temporalio.common import WorkflowIDConflictPolicy
    from temporalio.service import RPCError

    from connection.errors import KeyUnknown, PayloadRefused
    from workflows.messages import TASK_QUEUE

    options: dict[str, Any] = {"id": command.update_id(sending), "result_type": answer, "rpc_timeout": patience}
    try:
        if start is None:
            handle = client.get_workflow_handle(command.sent_to)
            updated: Given = await handle.execute_update(command.action, command, **options)
            return updated
        operation: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            start.workflow,
            args=[] if start.state is None else [start.state],
            id=command.sent_to,
            task_queue=TASK_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary=start.summary,
        )
        try:
            started: Given = await client.execute_update_with_start_workflow(
                command.action, command, start_workflow_operation=operation, **options
            )
            return started
        finally:
            # The start's own outcome says nothing the update's does not; unasked, asyncio would complain of it.
            await asyncio.gather(asyncio.wait_for(operation.workflow_handle(), 0.1), return_exceptions=True)
    except WorkflowUpdateFailedError as error:
        raise _failed(error) from error
    except WorkflowUpdateRPCTimeoutOrCancelledError:
        raise Lost from None
    except RPCError as error:
        raise _unanswered(error, client) from error
    except (KeyUnknown, PayloadRefused) as error:
        raise _unreadable(error, command) from error


def _failed(error: Any) -> Exception:
    """The error of an update that failed: a refusal, an end before its answer, or a fault of ours."""
    from temporalio.exceptions import ApplicationError

    from workflows.messages import refusal_from

    cause = error.cause
    if isinstance(cause, ApplicationError):
        refusal = refusal_from(cause)
        if refusal is not None:
            return refused(refusal)
        if cause.type == "AcceptedUpdateCompletedWorkflow":
            return Ended(known=True)
    return CommandError(1, "failed", f"The case could not take it: {cause}", "Look at the case in Temporal Web.")


def _unreadable(error: Exception, command: Command) -> CommandError:
    """An answer came and can't be read; what was asked may be done."""
    hint = f"Get the newest key file (LIVEBASE_PAYLOAD_KEYS), then ask again with: --request-id {command.request_id}"
    return CommandError(7, "no_answer", f"The answer can't be read. {error}", hint)


def _unanswered(error: Any, client: Client) -> Exception:
    """The error of a call the server did not take: whether it is worth asking again."""
    from temporalio.service import RPCStatusCode

    if error.status is RPCStatusCode.NOT_FOUND:
        if any("NamespaceNotFound" in detail.type_url for detail in error.grpc_status.details):
            message = f"The Temporal server has no namespace {client.namespace!r}."
            return unreachable(message, "Check --namespace, TEMPORAL_NAMESPACE or the profile.")
        return Ended(known="already completed" in error.message)
    if error.status in (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED):
        message = "The Temporal server refused the credentials."
        return CommandError(4, "not_permitted", message, "Check the profile's API key or certificate.")
    if error.status in (RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.UNIMPLEMENTED):
        message = f"The Temporal server does not take it: {error.message}"
        return CommandError(1, "failed", message, "Is the server 1.32 or newer? Run: livebase doctor")
    return Lost()  # UNAVAILABLE, RESOURCE_EXHAUSTED, DEADLINE_EXCEEDED, transport errors and their like
