"""`livebase demo`: one base through two years on a real server, driven through the command line itself."""

from __future__ import annotations

import asyncio
import io
import json
import os
import shutil
import sys
import tempfile
import threading
import time
from concurrent.futures import Future
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starter.errors import CommandError
from starter.output import money, print_table, say, speaking, told, waiting, when, word
from starter.phrases import actor
from starter.session import Session

if TYPE_CHECKING:
    from domain.periods import Period

_IMPORTED = timedelta(days=3)
"""How long after a quarter's end its figures are there."""
_RENEWED = timedelta(days=30)
"""How long before a term's end it is renewed."""
_EXAMPLE = Path(__file__).parent.parent / "examples" / "passes"


async def demonstrate(session: Session, *, keep: bool) -> None:
    """Start servers of its own, walk the path, end with what there is to look at. Exit 1 if anything is off."""
    from connection import local_state
    from connection.local_server import LocalServer
    from starter.bank_sandbox import BankSandbox
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
        BankSandbox(directory / "bank.db") as bank,
    ):
        worker = await start_worker(server, directory, mail, bank)
        try:
            local_state.write(directory, running_here(session, server, mail, bank))
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

    compliance, second = ("--as", "compliance:he"), ("--as", "compliance:feng")
    papers = _Papers(Path(str(session.data_dir)), code, term["from"][:10])

    today = session.today

    async def forward_to(what: str, day: date) -> dict[str, Any]:
        nonlocal today
        days, today = (day - today).days, day
        return await step(what, "fast-forward", code, f"{days}d")

    for quarter in _quarters(term):
        await forward_to(told("the quarter {} is over", quarter), quarter.last_day + _IMPORTED)
        await _livebase(session, "assess", "import", papers.figures(quarter), "--as", "operator:sun")
        await _livebase(session, "assess", "confirm", str(quarter), *compliance)
    await forward_to("the year goes by", _last_day(valid) - _RENEWED)
    await step("renewal filed", "renew", code, "--from", term["last_day"], *applicant)
    await step("renewal approved", "renewal", "approve", code, "--revision", "1", *reviewer)
    second_year = await forward_to("the second year has begun", _last_day(valid) + timedelta(days=2))
    expect("the standing in the second year", "certified", second_year["standing"])

    await step("a violation is reported", "conduct", "report", code, papers.report("minor"), *compliance)
    case = (await _livebase(session, "show", code))["conduct"][0]["id"]
    await step("the base answers", "conduct", "respond", case, papers.statement(), *applicant)
    await step("to be put right", *_decided(case, "rectification"), *compliance)
    await step("put right", "conduct", "respond", case, papers.statement(), *applicant)
    await step("checked and closed", *_decided(case, "rectified"), *compliance)

    await step(
        "a serious one, suspended at once", "conduct", "report", code, papers.report("serious"), "--urgent", *compliance
    )
    serious = (await _livebase(session, "show", code))["conduct"][1]["id"]
    await step("the base answers", "conduct", "respond", serious, papers.statement(), *applicant)
    await step("revocation proposed", *_decided(serious, "revocation"), "--yes", *compliance)
    (proposal,) = (await _livebase(session, "show", code))["proposals"]
    revoked = await step("a second person approves", "approvals", "approve", proposal["id"], *second)
    expect("the standing after two people", "revoked", revoked["standing"])
    decision = (await _livebase(session, "show", code))["ending"]["decision"]
    await step("the base appeals", "appeal", "file", code, papers.appeal(decision), *applicant)
    upheld = ("appeal", "decide", code, "--outcome", "uphold", "--reason", "证据充分")
    await step("the appeal is decided", *upheld, *certifier)
    await step("marks out of use", "marks", "confirm", code, evidence, *applicant)
    await step("the settlement falls due", "fast-forward", code, "31d")

    view = await _livebase(session, "show", code)
    expect("the list after the revocation", "withdrawn", view["publication"]["state"])
    expect("the stage", "settling", view["stage"])
    expect("the deposit held", 10_000_000, view["deposit"]["held"]["fen"])
    problems += await _summary(session, view, begun)
    return problems


async def _summary(session: Session, view: dict[str, Any], begun: float) -> list[str]:
    from audit.verifier import verify
    from store.auditing import AuditReader

    entries = await _livebase(session, "timeline", view["case_number"])
    happened = [(e["sequence"], when(e["legal_at"]), actor(e["actor"]), word(e["event"])) for e in entries]
    print_table(("#", "when", "who", "what"), happened, title=f"\n{view['name']}  {view['case_number']}")
    report = verify(AuditReader(session.engine).records([view["case_number"]]))
    broken = "; ".join(one.why for one in report.broken)
    events = await _history_events(session, view["workflow"]["id"])
    chain = told("{} entries, verified from the first", report.entries) if report.ok else f"BROKEN: {broken}"
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
    return [] if report.ok else [f"the audit chain is broken: {broken}"]


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
    """One command as a person would type it, through the real command line; its JSON.

    In a thread of its own, not a process: that would take longer to start than for what it does, forty times. Nobody
    waits for the thread when the demo is interrupted.
    """
    from starter.main import run

    out, err = io.StringIO(), io.StringIO()
    ended: Future[int] = Future()

    def type_it() -> None:
        with redirect_stdout(out), redirect_stderr(err):
            code = run([*words, "--data-dir", str(session.data_dir), "-o", "json"])
        ended.set_result(code)

    threading.Thread(target=type_it, daemon=True).start()
    code = await asyncio.wrap_future(ended)
    if code != 0:
        raise CommandError(1, "demo_failed", f"livebase {' '.join(words[:2])} ended with {code}", err.getvalue())
    return json.loads(out.getvalue())


def _who(session: Session) -> tuple[str, str]:
    from starter.application_file import read_application_file

    application = read_application_file(_EXAMPLE / "application.yaml", today=session.today).submission.application
    return application.credit_code, application.entity.name


def _paid(code: str, payer: str, amount: str, reference: str) -> tuple[str, ...]:
    return ("deposit", "receive", code, "--amount", amount, "--reference", reference, "--payer", payer)


def _decided(case: str, outcome: str) -> tuple[str, ...]:
    return ("conduct", "decide", case, "--outcome", outcome, "--reason", "证据充分")


class _Papers:
    """The papers people hand in, written where the demo keeps its own."""

    def __init__(self, folder: Path, code: str, found_on: str) -> None:
        self.found_on = found_on
        self._folder = folder / "papers"
        self._code = code
        shutil.copytree(_EXAMPLE / "documents", self._folder / "documents")
        self._proof = next(path.name for path in (_EXAMPLE / "documents").glob("*.pdf"))

    def figures(self, quarter: Period) -> str:
        header = "credit_code,period,live_merchants,active_merchants,gmv"
        return self._written("metrics.csv", f"{header}\n{self._code},{quarter},60,45,8600000.00\n")

    def report(self, severity: str) -> str:
        fields = {
            "rule": "R6",
            "trigger": "breach",
            "severity": severity,
            "found_on": self.found_on,
            "facts": "组织刷单,见截图",
            "affected_accounts": [],
            "losses": [],
        }
        return self._with_proof("report.json", fields)

    def statement(self) -> str:
        return self._with_proof("statement.json", {"statement": "已经停止,并处分了责任人"})

    def appeal(self, decision: str) -> str:
        return self._with_proof("appeal.json", {"decision": decision, "statement": "情节没有这样严重"})

    def _with_proof(self, name: str, fields: dict[str, Any]) -> str:
        evidence = {"evidence": [f"documents/{self._proof}"]}
        return self._written(name, json.dumps(fields | evidence, ensure_ascii=False))

    def _written(self, name: str, text: str) -> str:
        path = self._folder / name
        path.write_text(text, "utf-8")
        return str(path)


def _quarters(term: dict[str, Any]) -> list[Period]:
    """The quarters of the term of `show` that are assessed before it is renewed."""
    from domain.periods import Period

    first = Period.of(date.fromisoformat(term["from"][:10])).next
    found = []
    while first.last_day + _IMPORTED < date.fromisoformat(term["last_day"]) - _RENEWED:
        found.append(first)
        first = first.next
    return found


def _last_day(view: dict[str, Any]) -> date:
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
