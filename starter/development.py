"""`livebase dev`: everything on this machine, in one data directory, and gone when it ends."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starter.errors import CommandError, unreachable, usage
from starter.output import print_table, say, told, word
from starter.session import Session

if TYPE_CHECKING:
    from connection.guarded_process import GuardedProcess
    from connection.local_server import LocalServer
    from connection.local_state import LocalState
    from starter.bank_sandbox import BankSandbox
    from starter.mail_sink import MailSink
    from starter.verification_sandbox import VerificationSandbox

_READY_SECONDS = 60.0
_TRIES = 3
_DETACHED_SECONDS = 1200.0  # the first start ever builds a server
LONGEST_SILENCE = timedelta(seconds=90)
"""A poll takes a minute at most; who has not asked for tasks for longer is frozen or gone."""
_MAIL_DOMAIN = "livebase.example"
_LETTERS_SECONDS = 3
_REGISTER_PORT = 8300
_REGISTER_CACHE_SECONDS = 2
"""What is done on this machine is to be seen at once."""
_LOOK_SECONDS = 3


async def work(session: Session) -> None:
    """Run a worker until SIGTERM. Raises CommandError: 2 for its settings, 6, and 1 when it could not drain."""
    from store.migrate import is_current
    from workers.logs import configure_logging
    from workers.process import StillAtWork, run_worker
    from workers.settings import WorkerSettings, read_settings
    from workers.telemetry import build_runtime

    settings = read_settings(
        WorkerSettings,
        database_url=session.database_url,
        documents=session.documents_root,
        document_keys=session.document_keys,
    )
    configure_logging(settings)
    if not is_current(session.engine):
        raise unreachable("The database does not have the present schema.", "Run: python -m workers.prepare")
    runtime = build_runtime(settings)
    client = await session.connect(f"worker:{os.getpid()}@{socket.gethostname()}", runtime)
    try:
        await run_worker(client, settings)
    except StillAtWork:
        raise CommandError(
            1,
            "still_at_work",
            f"Something under way did not end within {settings.graceful_seconds} s and was left.",
            "Another worker takes it up; a party outside that hangs shows in Temporal Web as a pending activity.",
        ) from None


async def start_worker(
    server: LocalServer,
    directory: Path,
    mail: MailSink,
    bank: BankSandbox,
    verifier: VerificationSandbox | None = None,
) -> GuardedProcess:
    """A worker process on a local server and local parties outside, data in `directory`; returns when it takes work."""
    from connection.client import connect
    from connection.guarded_process import GuardedProcess
    from connection.key_file import new_key, write_keys
    from domain.key_set import KeySet
    from store.migrate import migrate
    from workflows.messages import TASK_QUEUE

    url = local_database(directory)
    documents = directory / "documents"
    documents.mkdir(parents=True, exist_ok=True)
    migrate(url, local_server=True)
    keys = directory / "document-keys.json"
    if not keys.exists():
        write_keys(keys, KeySet(dict([new_key(datetime.now(UTC))])))
    command = [sys.executable, "-m", "starter.main", "worker", "--address", server.address]
    secret = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
    places = {
        "LIVEBASE_BANK_CALLBACK_SECRETS": secret,
        "LIVEBASE_DATABASE_URL": url,
        "LIVEBASE_DOCUMENTS": str(documents),
        "LIVEBASE_DOCUMENT_KEYS": str(keys),
        "LIVEBASE_HEADS": str(directory / "heads"),
        "LIVEBASE_BANK_URL": bank.url,
    }
    if verifier is not None:
        places |= {"LIVEBASE_VERIFICATION_URL": verifier.url, "LIVEBASE_VERIFICATION_SECONDS": str(_LOOK_SECONDS)}
    environ = own_environment() | _local_mail(mail) | places
    log = directory / "worker.log"
    root = Path(__file__).parent.parent
    client = await connect(server.target, identity="livebase:dev")
    until = time.monotonic() + _READY_SECONDS
    tries = 0
    worker: GuardedProcess | None = None
    while worker is None or not await polled(client, TASK_QUEUE):
        if worker is None or (not worker.running and tries < _TRIES):  # somebody took its port before it did
            port, tries = _free_port(), tries + 1
            told = environ | {"LIVEBASE_BANK_CALLBACK_PORT": str(port)}
            worker = await asyncio.to_thread(GuardedProcess.spawn, command, log=log, cwd=root, environ=told, grace=25.0)
        if not worker.running or time.monotonic() > until:
            raise CommandError(1, "worker_failed", "The worker did not come up.", f"Its log: {log}")
        await asyncio.sleep(0.1)
    bank.telling.to(f"http://127.0.0.1:{port}/bank/events", secret)
    bank.telling.go_on()
    return worker


async def start_register(directory: Path) -> tuple[GuardedProcess, str]:
    """The official list's site on a local server's database, which has to be there, and its address.

    It has its usual port, or a free one where that is taken; its key is made when there is none.
    """
    from connection.guarded_process import GuardedProcess

    keys = register_keys(directory)
    if not keys.exists():
        _make_key(keys)
    own = {
        "LIVEBASE_DATABASE_URL": local_database(directory),
        "LIVEBASE_REGISTER_KEYS": str(keys),
        "LIVEBASE_REGISTER_CACHE_SECONDS": str(_REGISTER_CACHE_SECONDS),
    }
    log = directory / "register.log"
    until = time.monotonic() + _READY_SECONDS
    port, tries, heard = _REGISTER_PORT, 0, 0
    process: GuardedProcess | None = None
    while True:
        if process is None or (not process.running and tries < _TRIES):  # somebody else has its port
            port, tries = (port, 1) if process is None and _is_free(port) else (_free_port(), tries + 1)
            heard = log.stat().st_size if log.exists() else 0
            command = [sys.executable, "-m", "starter.main", "register", "serve", "--port", str(port)]
            process = await asyncio.to_thread(
                GuardedProcess.spawn,
                command,
                log=log,
                cwd=Path(__file__).parent.parent,
                environ=own_environment() | own,
                grace=10.0,
            )
        url = f"http://127.0.0.1:{port}"  # it says so once the port is its own: what answers there is nobody else
        if url.encode() in log.read_bytes()[heard:] and await asyncio.to_thread(_answers, port) and process.running:
            return process, url
        if (not process.running and tries >= _TRIES) or time.monotonic() > until:
            await asyncio.to_thread(process.stop)
            raise CommandError(1, "register_failed", "The official list did not come up.", f"Its log: {log}")
        await asyncio.sleep(0.1)


def register_keys(directory: Path) -> Path:
    """Where the key of a local server's official list is."""
    return directory / "register-keys.json"


def _make_key(file: Path) -> None:
    from connection.private_file import write_private
    from register.proof import new_key_set

    write_private(file, new_key_set(f"local-{secrets.token_hex(4)}"))


def _answers(port: int) -> bool:
    from http.client import HTTPConnection, HTTPException

    asked = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        asked.request("GET", "/readyz")
        return asked.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        asked.close()


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def _free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def local_database(directory: Path) -> str:
    """The URL of a local server's database."""
    return f"sqlite:///{directory / 'livebase.db'}"


def _local_mail(mail: MailSink) -> dict[str, str]:
    """Letters as they are sent on this machine: to the local mail server, looked for every few seconds."""
    from domain.stages import Role

    staff = {f"LIVEBASE_MAIL_{role.upper()}": f"{role}@{_MAIL_DOMAIN}" for role in Role}
    return staff | {
        "LIVEBASE_SMTP_URL": f"smtp://{mail.address}",
        "LIVEBASE_MAIL_FROM": f"livebase@{_MAIL_DOMAIN}",
        "LIVEBASE_LETTERS_SECONDS": str(_LETTERS_SECONDS),
    }


def own_environment() -> dict[str, str]:
    """The environment without anybody's settings of another server or store: `dev` and `demo` have their own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL_", "LIVEBASE_"))}
    cache = {name: os.environ[name] for name in ("LIVEBASE_CACHE_DIR",) if name in os.environ}
    return kept | cache | {"TEMPORAL_CONFIG_FILE": os.devnull}


async def run(session: Session, *, verification: bool = False) -> None:
    """Run server, Temporal Web, worker, official list and local parties outside until SIGTERM or Ctrl-C.

    All of it is cleaned up in reverse order. Who verifies enterprises is among them on demand alone: each application
    waits for its answer then.
    """
    from connection import local_state
    from connection.local_server import LocalServer
    from starter.bank_sandbox import BankSandbox
    from starter.mail_sink import MailSink
    from starter.verification_sandbox import VerificationSandbox

    if session.local is not None:
        _print(session, session.local)
        say("It runs already. End it with: livebase dev --stop")
        return
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(name, stop.set)
    directory = _made_directory(session)
    starting = asyncio.ensure_future(LocalServer.start(directory, progress=say))
    if not await _unless_stopped(starting, stop):
        return
    server = starting.result()
    try:
        async with (
            MailSink(directory / "mail") as mail,
            BankSandbox(directory / "bank.db") as bank,
            AsyncExitStack() as beside,
        ):
            verifier = await beside.enter_async_context(VerificationSandbox()) if verification else None
            worker = await start_worker(server, directory, mail, bank, verifier)
            register: GuardedProcess | None = None
            try:
                register, address = await start_register(directory)
                state = replace(running_here(session, server, mail, bank, verifier), register_url=address)
                local_state.write(directory, state)
                _print(session, state)
                say("Ctrl-C stops all.")
                parts: dict[str, LocalServer | GuardedProcess] = {
                    "Temporal server": server,
                    "worker": worker,
                    "official list": register,
                }
                await _until_stopped(stop, parts)
            finally:
                local_state.clear(directory)
                if register is not None:
                    await asyncio.to_thread(register.stop)
                await asyncio.to_thread(worker.stop)
    finally:
        await server.stop()


def _made_directory(session: Session) -> Path:
    directory = session.directory
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise usage(f"{directory} can't be a data folder ({error.strerror}).", "Name another: --data-dir DIR") from None
    return directory


def running_here(
    session: Session,
    server: LocalServer,
    mail: MailSink,
    bank: BankSandbox,
    verifier: VerificationSandbox | None = None,
) -> LocalState:
    """What other commands must know of servers that this process runs."""
    from connection.local_state import LocalState

    return LocalState(
        pid=os.getpid(),
        address=server.address,
        namespace=server.namespace,
        web_url=server.web_url,
        web_hint=server.web_hint,
        started_at=session.wall.isoformat(),
        mail_address=mail.address,
        mail_folder=str(mail.folder),
        bank_url=bank.url,
        verification_url=verifier.url if verifier else None,
    )


def start_detached(session: Session, *, verification: bool = False) -> None:
    """Start `livebase dev` in the background and return when all is ready."""
    from connection import local_state

    if session.local is not None:
        _print(session, session.local)
        return
    directory = _made_directory(session)
    log = directory / "dev.log"
    heard = log.stat().st_size if log.exists() else 0
    more = ["--verification"] if verification else []
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "starter.main", "dev", "--data-dir", str(directory), *more],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=Path(__file__).parent.parent,
            start_new_session=True,
        )
    until = time.monotonic() + _DETACHED_SECONDS
    while (state := local_state.read(directory)) is None:
        ended = process.poll()
        heard = _relay(log, heard)
        if ended is not None or time.monotonic() > until:
            raise CommandError(ended or 1, "start_failed", "livebase dev did not come up.", f"Its log: {log}")
        time.sleep(0.1)
    _print(session, state)


def stop(session: Session) -> None:
    """End what runs in the data directory, and wait until it has."""
    state = session.local
    if state is None:
        say(f"Nothing runs in {session.directory}.")
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(state.pid, signal.SIGTERM)
    until = time.monotonic() + 60
    while _alive(state.pid):
        if time.monotonic() > until:
            raise CommandError(1, "stop_failed", f"Process {state.pid} does not end.", f"Look at {session.directory}")
        time.sleep(0.1)
    say("Stopped.")


async def _until_stopped(stop: asyncio.Event, parts: Mapping[str, LocalServer | GuardedProcess]) -> None:
    while not stop.is_set():
        if (what := next((name for name, part in parts.items() if not part.running), None)) is not None:
            raise CommandError(1, "ended", f"The {what} has ended by itself.", "Its log is in the data directory.")
        try:
            await asyncio.wait_for(stop.wait(), 1.0)
        except TimeoutError:
            continue


async def _unless_stopped(task: asyncio.Future[Any], stop: asyncio.Event) -> bool:
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if task.done():
        return True
    task.cancel()
    await asyncio.wait({task})
    return False


async def polled(client: Any, task_queue: str) -> bool:
    """Whether somebody takes the cases' workflow and activity tasks, and the activities that go outside."""
    asked = await last_polled(client, task_queue)
    return asked is not None and datetime.now(UTC) - asked < LONGEST_SILENCE


async def last_polled(client: Any, task_queue: str) -> datetime | None:
    """When somebody last asked for such tasks, of the kind asked for longest ago; None: nobody of late for one."""
    from temporalio.api.enums.v1 import TaskQueueType
    from temporalio.api.taskqueue.v1 import TaskQueue
    from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest

    from workflows.messages import outside_task_queue

    asked: list[datetime] = []
    for name, kind in (
        (task_queue, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW),
        (task_queue, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY),
        (outside_task_queue(task_queue), TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY),
    ):
        described = await client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(namespace=client.namespace, task_queue=TaskQueue(name=name), task_queue_type=kind),
            timeout=timedelta(seconds=5),
        )
        if not described.pollers:
            return None
        asked.append(max(poller.last_access_time.ToDatetime(UTC) for poller in described.pollers))
    return min(asked)


def _print(session: Session, state: LocalState) -> None:
    data = {**asdict(state), "data_dir": str(session.directory)}

    def table(_: Any) -> None:
        rows = [
            (word("Temporal server"), told("{} (namespace {})", state.address, state.namespace)),
            ("Temporal Web", state.web_url or state.web_hint),
            (word("letters"), f"{state.mail_folder} (SMTP {state.mail_address})"),
            (word("bank"), state.bank_url),
            *([(word("official list"), state.register_url)] if state.register_url else []),
            *([(word("verification"), state.verification_url)] if state.verification_url else []),
            (word("data"), str(session.directory)),
        ]
        print_table(("", ""), rows)

    session.show(data, table)
    sys.stdout.flush()


def _relay(log: Path, heard: int) -> int:
    """Say what the log has gained since `heard` bytes; returns how many it has now."""
    content = log.read_bytes()
    for line in content[heard:].decode("utf-8", "replace").splitlines():
        say(line)
    return len(content)


def _alive(pid: int) -> bool:
    import psutil

    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
