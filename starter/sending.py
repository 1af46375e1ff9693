"""The one way a command reaches a case: store first, then Temporal, the same ids again until an answer comes.

Order of judgement (fixed): what is typed or handed in (2); a request already done is 0 with its first answer, even
with Temporal down; a lost server is 6 before anything is sent; then 3, and what the case itself refuses (4, 8, 5).
After that a lost answer is asked for again for 30 s with the same ids, then 7.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starter.errors import CommandError, no_answer, not_found, refused, unreachable
from starter.output import print_table, say, waiting, word
from starter.session import Session
from starter.updating import Ended, Given, Lost, Start, attempt

if TYPE_CHECKING:
    from temporalio.client import Client

    from domain.commands import Answer, Command
    from store.documents import Documents
    from store.queries import FoundCase

PATIENCE = timedelta(seconds=30)
_ONE_TRY = timedelta(seconds=10)
_PAUSE_SECONDS = 0.5

Make = Callable[[dict[str, Any]], "Command"]


def act(session: Session, base: str, make: Make, files: Mapping[str, Path] = {}, content: bytes | None = None) -> None:
    """Send the command `make` builds for BASE, and print its answer. `files` and `content` as in `send`."""
    session.require_usable_options()
    found = session.meant(base)
    if found is None:
        if not session.dry_run:
            asyncio.run(reach(session))  # a lost server comes before an unknown base
        raise not_found(base)
    send(session, make(envelope(session, found.case.workflow_id)), found, files=files, content=content)


def envelope(session: Session, workflow_id: str) -> dict[str, Any]:
    """What every command carries."""
    return {"request_id": session.request, "workflow_id": workflow_id, "actor": session.actor}


def send(
    session: Session,
    command: Command,
    found: FoundCase | None,
    *,
    files: Mapping[str, Path] = {},
    content: bytes | None = None,
    opens_at: datetime | None = None,
) -> None:
    """Send a command to the case `found`, or with None start one, and print its answer; else raise CommandError.

    `opens_at` is the case's instant when its clock starts ahead of the wall clock (local server only).
    `files` and `content` are what the command names by sha256; they are handed over before it.
    """
    answer = _done_before(session, command)
    if answer is None and session.dry_run:
        from starter.dry_run import foresee

        require_own_request_id(session, command, found)
        _print(session, foresee(session, command, found, content, opens_at), foreseen=True)
        return
    if answer is None:
        answer = asyncio.run(_send(session, command, found, files, content, opens_at))
    _print(session, answer)
    after = session.reader.find_case(answer.case_number)
    _tell_what_waits(answer, after)
    own_run = after.run_id if after and command.sent_to == command.workflow_id else None
    link = session.web_link(command.sent_to, own_run)
    if link is not None:
        say(f"Temporal Web: {link}")


def _tell_what_waits(answer: Answer, after: FoundCase | None) -> None:
    """What was asked for waits for a second person: say under which id."""
    for proposal in after.case.open_proposals if after else ():
        if proposal.at == answer.accepted_at:
            say(f"It waits for a second person: livebase approvals show {proposal.id}")


async def reach(session: Session) -> Client:
    """A client of the server to send with. CommandError: 6, or 2 for an address or keys that are none."""
    from connection.payload_keys import HINT, VARIABLE

    if session.keys is None and not (session.installed_locally and session.target.on_this_machine):
        if session.is_local:
            message = "The database is a cluster's, and the Temporal server is this machine's own."
            raise CommandError(2, "bad_configuration", message, "Name the cluster's server: --address HOST:PORT")
        message = f"{VARIABLE} is not set: what is sent to a Temporal server of a cluster, or elsewhere, is encrypted."
        raise CommandError(2, "bad_configuration", message, HINT)
    return await session.connect(f"livebase:{session.acting_as or 'reader'}")


def _done_before(session: Session, command: Command) -> Answer | None:
    """The first answer of a request done with the same parameters."""
    done = session.reader.answered(command.request_id)
    if done is None or done[0] != command.params_hash() or done[1] is None:
        return None
    return done[1].model_copy(update={"repeated": True})


def require_own_request_id(session: Session, command: Command, found: FoundCase | None) -> None:
    """Refuse (8) a request id used with other parameters; whoever may not act at all hears that first (4)."""
    from domain.permissions import require_permission
    from domain.refusals import Refusal, request_id_reused

    try:
        require_permission(command.action, command.actor, found.case if found else None)
        done = session.reader.answered(command.request_id)
        if done is not None and done[0] != command.params_hash():  # the same sent twice at once may be done by now
            raise request_id_reused(command.request_id)
    except Refusal as refusal:
        raise refused(refusal) from None


async def _send(
    session: Session,
    command: Command,
    found: FoundCase | None,
    files: Mapping[str, Path],
    content: bytes | None,
    opens_at: datetime | None,
) -> Answer:
    client = await reach(session)
    require_own_request_id(session, command, found)
    session.announce_request()
    hand_over(session.documents_of(command.workflow_id), files, content)
    return await answer_of(session, client, command, found, opens_at)


async def answer_of(
    session: Session, client: Client, command: Command, found: FoundCase | None, opens_at: datetime | None = None
) -> Answer:
    """The answer of a case to a command, asked for until it comes. Raises CommandError."""
    from connection.clock import CaseClock
    from domain.commands import Answer

    reports = command.action == "report_conduct"
    if reports and found is not None and found.clock_offset:
        opens_at = session.wall + found.clock_offset  # its workflow starts on the base's clock
    start = _start(command, found, opens_at) if found is None or reports else None
    if start is not None and opens_at is not None:
        client = CaseClock(client).ahead(opens_at - session.wall)

    async def once(patience: timedelta) -> Answer:
        return await attempt(client, session.signed(command), session.sending, patience, Answer, start)

    def when_ended(ended: Ended) -> Answer | None:
        nonlocal start
        answer = _done_before(session, command)
        # An application that met one just refused starts again; money that comes to a closed case is recorded.
        if answer is None and found is not None:
            _require_reopening(session, command, found.case.case_number, ended)
            start = _start(command, found, None)
        return answer

    return await until_answered(command.request_id, once, when_ended)


def _start(command: Command, found: FoundCase | None, opens_at: datetime | None) -> Start:
    """The workflow to start for a command: a new case's, a conduct case's, or that of a case taken up again."""
    from domain.commands import ConductCommand
    from workflows.messages import CONDUCT_WORKFLOW, WORKFLOW
    from workflows.state import CertificationState, ConductState

    if isinstance(command, ConductCommand):
        state = ConductState(case_workflow=command.workflow_id, conduct=command.conduct, opens_at=opens_at)
        return Start(CONDUCT_WORKFLOW, state, f"违规案件 {command.conduct}")
    summary = f"淘宝直播基地认证 {command.workflow_id.split(':')[1]}"
    return Start(WORKFLOW, CertificationState(opens_at=opens_at, reopened=found is not None), summary)


async def until_answered(
    request_id: str, once: Callable[[timedelta], Awaitable[Given]], when_ended: Callable[[Ended], Given | None]
) -> Given:
    """Try again with the same ids until an answer comes, at most 30 s or until Ctrl-C, then CommandError (7).

    `when_ended` gives the answer of a request done meanwhile, or None to try once more.
    """
    try:
        return await _ask(request_id, once, when_ended)
    except asyncio.CancelledError:
        raise no_answer(request_id, "Interrupted before an answer came") from None


async def _ask(
    request_id: str, once: Callable[[timedelta], Awaitable[Given]], when_ended: Callable[[Ended], Given | None]
) -> Given:
    now = asyncio.get_running_loop().time
    until = now() + PATIENCE.total_seconds()
    while (left := until - now()) > 0:
        try:
            return await once(min(_ONE_TRY, timedelta(seconds=left)))
        except Ended as ended:
            if (answer := when_ended(ended)) is not None:
                return answer
        except Lost:
            task = asyncio.current_task()
            if task is not None and task.cancelling():  # Ctrl-C; the SDK makes an error of its own of it
                raise asyncio.CancelledError from None
        await asyncio.sleep(_PAUSE_SECONDS)
    raise no_answer(request_id)


def hand_over(documents: Documents, files: Mapping[str, Path], content: bytes | None) -> None:
    """Put the bytes a command names into the document store, each checked against its hash once more."""
    for sha256, path in files.items():
        try:
            data = path.read_bytes()
        except OSError:
            data = b""
        if _put(documents, data) != sha256:
            hint = "Leave the documents alone while they are handed over, and send it again."
            raise CommandError(2, "invalid_file", f"{path.name} was changed since it was checked.", hint)
    if content is not None:
        _put(documents, content)


def _put(documents: Documents, data: bytes) -> str:
    from store.documents import DocumentsErased, KeyUnknown

    try:
        return documents.put(data)
    except DocumentsErased as error:
        raise CommandError(
            5, "already_ended", f"{error}.", "A new application is possible: livebase apply FILE"
        ) from None
    except KeyUnknown as error:
        raise unreachable(f"{error}.", "Set LIVEBASE_DOCUMENT_KEYS to the file that the workers have") from None
    except Exception as error:  # obstore has an error for each kind of store
        message = f"The document store can't be written ({type(error).__name__})."
        raise unreachable(message, "Check LIVEBASE_DOCUMENTS and its rights; run: livebase doctor") from error


def _require_reopening(session: Session, command: Command, number: str, ended: Ended) -> None:
    """Return when the command may still come to the case although its workflow has ended."""
    from domain.judging import judge
    from domain.refusals import Refusal
    from domain.stages import Stage

    case = session.found(number).case
    try:
        judge(case, command)
    except Refusal as refusal:
        raise refused(refusal) from None
    if case.stage is Stage.CLOSED:
        return
    if ended.known:
        say(f"The workflow of case {number} was ended by hand, in stage {case.stage}; it is taken up from the record.")
        return
    message = f"The Temporal server at {session.target.address} does not know the workflow of case {number}."
    raise unreachable(message, "Is it the server and the namespace of this database? Run: livebase doctor")


def _print(session: Session, answer: Answer, *, foreseen: bool = False) -> None:
    from store.queries import shown

    data = {
        "request_id": answer.request_id,
        "accepted_at": shown(answer.accepted_at),
        "repeated": answer.repeated,
        "case_number": answer.case_number,
        "stage": answer.stage.value,
        "standing": answer.standing.value,
        "revision": answer.revision,
        "awaiting": answer.awaiting.value,
        "due_at": shown(answer.due_at),
    }
    if foreseen:
        data = {"dry_run": True, **data, "accepted_at": None, "request_id": session.request_id}

    def table(_: object) -> None:
        rows = [
            ("case", answer.case_number + (f" ({word('done before')})" if answer.repeated else "")),
            ("stage", word(answer.stage.value)),
            ("standing", word(answer.standing.value, "standing")),
            ("awaiting", waiting(answer.awaiting.value, shown(answer.due_at))),
            ("revision", answer.revision),
        ]
        print_table(
            ("would be accepted" if foreseen else "accepted", ""), [(word(name), value) for name, value in rows]
        )

    session.show(data, table)
    if foreseen:
        say("Nothing was sent.")
