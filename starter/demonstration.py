"""`livebase demo`: one base through its whole first year on a real server, driven through the command line itself."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from starter.errors import CommandError
from starter.output import money, print_table, say, speaking, told, waiting, when, word
from starter.phrases import actor
from starter.session import Session

_EXAMPLE = Path(__file__).parent.parent / "examples" / "passes"


async def demonstrate(session: Session, *, keep: bool) -> None:
    """Start servers of its own, walk the path, end with what there is to look at. Exit 1 if anything is off."""
    from connection import local_state
    from connection.local_server import LocalServer
    from starter.development import own_environment, running_here, start_worker
    from starter.mail_sink import MailSink

    begun = time.monotonic()
    kept = own_environment()
    os.environ.clear()  # a configured server or database is for all other commands
    os.environ.update(kept)
    directory = Path(tempfile.mkdtemp(prefix="livebase-demo-"))
    with speaking(session.lang):
        _tell(word("starting a Temporal server"))
    async with (
        await LocalServer.start(directory, web=keep, progress=say) as server,
        MailSink(directory / "mail") as mail,
    ):
        worker = await start_worker(server, directory, mail)
        try:
            local_state.write(directory, running_here(session, server, mail))
            mine = replace(session, data_dir=str(directory), address=None, profile=None, namespace=None)
            with speaking(session.lang):
                problems = await _walk(mine, begun)
            if keep:
                _links(mine, directory)
                await _until_interrupted()
        finally:
            await asyncio.to_thread(worker.stop)
    if keep:
        say(f"The data stays in {directory}; have it up again with: livebase dev --data-dir {directory}")
    else:
        shutil.rmtree(directory, ignore_errors=True)
    if problems:
        raise CommandError(1, "demo_failed", "; ".join(problems), "This is a fault of ours: please report it.")


async def _walk(session: Session, begun: float) -> list[str]:
    """The path, stage by stage; returns what was not as it must be."""
    code, payer = _who(session)
    applicant, reviewer = ("--as", "applicant:wang"), ("--as", "reviewer:li")
    finance, certifier = ("--as", "finance:qian"), ("--as", "certifier:zhao")
    evidence = str(next((_EXAMPLE / "documents").glob("*.pdf")))
    problems: list[str] = []

    async def step(what: str, *words: str) -> dict[str, Any]:
        answer: dict[str, Any] = await _livebase(session, *words)
        who = f", {word('awaiting')} {waiting(answer['awaiting'], answer['due_at'])}" if "awaiting" in answer else ""
        _tell(f"{word(what)}: {word(answer['stage'])} / {word(answer['standing'], 'standing')}{who}")
        return answer

    def expect(what: str, wanted: object, got: object) -> None:
        if wanted != got:
            problems.append(f"{what} is {got}, not {wanted}")

    await step("application received", "apply", str(_EXAMPLE / "application.yaml"), *applicant)
    await step("review taken", "review", "take", code, *reviewer)
    await step("application approved", "review", "approve", code, "--revision", "1", *reviewer)
    await step("first part of the deposit", *_paid(code, payer, "40000.00", "DEMO-1"), *finance)
    await step("rest of the deposit", *_paid(code, payer, "60000.00", "DEMO-2"), *finance)
    await step("certified", "certify", code, *certifier)
    valid = await _published(session, code)
    term = valid["term"]
    _tell(told("published on the official list: {} through {}", term["certificate_number"], term["last_day"]))
    expect("the list while valid", "published", valid["publication"]["state"])

    days = (_last_day(valid) - session.today).days
    before = await step("the year goes by, reminders sent", "fast-forward", code, f"{days}d")
    expect("the standing on the last day", "certified", before["standing"])
    after = await step("the term has ended", "fast-forward", code, "1d")
    expect("the standing after the term", "expired", after["standing"])
    await step("marks out of use", "marks", "confirm", code, evidence, *applicant)
    await step("the settlement falls due", "fast-forward", code, "31d")

    view = await _livebase(session, "show", code)
    expect("the list after the term", "withdrawn", view["publication"]["state"])
    expect("the stage", "settling", view["stage"])
    expect("the deposit held", 10_000_000, view["deposit"]["held"]["fen"])
    problems += await _summary(session, view, begun)
    return problems


async def _summary(session: Session, view: dict[str, Any], begun: float) -> list[str]:
    from store.audit import verify_chain

    entries = await _livebase(session, "timeline", view["case_number"])
    happened = [(e["sequence"], when(e["legal_at"]), actor(e["actor"]), word(e["event"])) for e in entries]
    print_table(("#", "when", "who", "what"), happened, title=f"\n{view['name']}  {view['case_number']}")
    with session.engine.connect() as connection:
        report = verify_chain(connection, view["case_number"])
    events = await _history_events(session, view["workflow"]["id"])
    chain = told("{} entries, verified from the first", report.entries) if report.ok else f"BROKEN: {report.why}"
    listed, counts = view["publication"], " + ".join(str(count) for count in events)
    rows = [
        ("standing", f"{word(view['standing'], 'standing')}, {word(view['ending']['reason'])}"),
        ("official list", f"{word(listed['state'], 'publication')}, {word('revision')} {listed['register_revision']}"),
        ("deposit", told("{} CNY held, to be settled", money(view["deposit"]["held"]))),
        ("audit chain", chain),
        ("history", told("{} events, time-skips not counted", counts)),
        ("took", f"{time.monotonic() - begun:.1f} s"),
    ]
    print_table(("", ""), [(word(name, "heading"), value) for name, value in rows])
    return [] if report.ok else [f"the audit chain is broken: {report.why}"]


async def _history_events(session: Session, workflow_id: str) -> list[int]:
    """Events of each run of the case, first to last, without the moved clock's."""
    from connection.histories import runs

    client = await session.connect("livebase:demo")
    return [len(events) async for events in runs(client, workflow_id)]


async def _published(session: Session, code: str) -> dict[str, Any]:
    until = time.monotonic() + 20
    while True:
        view: dict[str, Any] = await _livebase(session, "show", code)
        if view["publication"]["state"] == "published" or time.monotonic() > until:
            return view
        await asyncio.sleep(0.1)


async def _livebase(session: Session, *words: str) -> Any:
    """One command as a person would type it, through the real command line; its JSON."""
    command = [sys.executable, "-m", "starter.main", *words, "--data-dir", str(session.data_dir), "-o", "json"]
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parent.parent,
    )
    out, err = await process.communicate()
    if process.returncode != 0:
        raise CommandError(
            1, "demo_failed", f"livebase {' '.join(words[:2])} ended with {process.returncode}", err.decode()
        )
    return json.loads(out)


def _who(session: Session) -> tuple[str, str]:
    from starter.application_file import read_application_file

    application = read_application_file(_EXAMPLE / "application.yaml", today=session.today).submission.application
    return application.credit_code, application.entity.name


def _paid(code: str, payer: str, amount: str, reference: str) -> tuple[str, ...]:
    return ("deposit", "receive", code, "--amount", amount, "--reference", reference, "--payer", payer)


def _last_day(view: dict[str, Any]) -> Any:
    from datetime import date

    return date.fromisoformat(view["term"]["last_day"])


def _links(session: Session, directory: Path) -> None:
    from connection import local_state

    state = local_state.read(directory)
    assert state is not None
    if state.web_url:
        print(f"Temporal Web    {state.web_url}/namespaces/{state.namespace}/workflows")
    else:
        print(f"Temporal Web    {state.web_hint}")
    print(f"Letters         {state.mail_folder}")
    print(f"Look around     livebase show LB-{session.today.year}-000001 --data-dir {directory}")
    say("Ctrl-C ends the servers.")
    sys.stdout.flush()


async def _until_interrupted() -> None:
    import signal

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    while not stop.is_set():
        try:
            await asyncio.wait_for(stop.wait(), timedelta(hours=1).total_seconds())
        except TimeoutError:
            continue


def _tell(text: str) -> None:
    print(f"● {text}", flush=True)
