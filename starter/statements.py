"""`livebase deposit import`: a bank's statement, each line to the case it is for, or on record as no case's."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from starter.applying import invalid_file
from starter.errors import CommandError
from starter.output import money, print_table, say, word
from starter.session import Session

if TYPE_CHECKING:
    from domain.bank_statement import StatementLine
    from domain.commands import Command
    from domain.records import Reported
    from store.queries import FoundCase

StatementArgument = Annotated[
    Path, typer.Argument(metavar="STATEMENT.csv", help="reference,paid_at,amount,currency,payer,note — any order.")
]
OUTCOMES = ("recorded", "unmatched", "unplaced", "repeated", "refused", "no_answer", "not_sent")
_ON_RECORD = frozenset({"recorded", "unmatched", "unplaced", "repeated"})
_WORST_FIRST = (2, 6, 3, 4, 8, 5, 7, 1)
_AT_ONCE = 20
"""How many cases' lines are under way at once; those of one case go one after the other, as the file has them."""
_LARGEST = 16 * 1024**2

Row = dict[str, Any]


def import_statement(session: Session, file: StatementArgument) -> None:
    """Record every payment of a bank's statement; what becomes of each line is told. Safe to run again."""
    from store.payments import PaymentStore, came_back, returned_again

    session.require_usable_options()
    _require_finance(session)
    lines = read(session, file)
    known = PaymentStore(session.engine).known([line.reference for line in lines])
    rows = {line.line: _row(line) for line in lines}
    new = []
    for line in lines:
        if line.reference in known:
            rows[line.line] |= _known_before(line, known[line.reference])
        elif (number := came_back(session.engine, line.note, line.amount)) is not None or returned_again(
            session.engine, line.note, line.amount
        ):
            rows[line.line] |= {"outcome": "repeated", "case_number": number, "why": "a refund that came back"}
        else:
            new.append(line)
    if new:
        _bring(session, new, rows)
        if not session.dry_run:
            _tell_what_became(session, new, rows)
    _print(session, list(rows.values()))


def read(session: Session, file: Path, *, going_out: bool = False) -> tuple[StatementLine, ...]:
    """The lines of a statement. CommandError (2) with every problem of every line."""
    from domain.bank_statement import InvalidStatement, read_statement
    from domain.shanghai import shanghai_date
    from starter.structured_text import InvalidFile, read_text
    from store.payments import furthest_clock

    try:
        text = read_text(file, _LARGEST)
        latest = session.today
        try:
            return read_statement(text, latest=latest, going_out=going_out)
        except InvalidStatement as error:
            try:
                latest = shanghai_date(session.wall + furthest_clock(session.engine))
            except CommandError:
                raise error from None
            return read_statement(text, latest=latest, going_out=going_out)
    except (InvalidFile, InvalidStatement) as error:
        raise invalid_file(error.problems) from None


def _require_finance(session: Session) -> None:
    """What is on record of a statement's payments is finance's to see (4)."""
    from domain.permissions import require_permission
    from domain.refusals import Refusal
    from starter.errors import refused

    try:
        require_permission("receive_deposit", session.actor, None)
    except Refusal as refusal:
        raise refused(refusal) from None


def _row(line: StatementLine) -> Row:
    return {
        "line": line.line,
        "reference": line.reference,
        "amount": {"fen": line.amount},
        "payer": line.payer,
        "paid_on": line.paid_on.isoformat(),
        "outcome": "not_sent",
        "case_number": None,
        "credited": None,
        "unmatched": None,
        "why": "",
        "kind": None,
        "message": None,
        "request_id": None,
    }


def _known_before(line: StatementLine, known: Reported) -> Row:
    """A line whose reference is on record: the same content is a repeat, whatever has become of it since."""
    payment = known.payment
    if not line.tells_of(payment):
        return _refused(
            CommandError(
                8,
                "reference_reused",
                f"{line.reference} is on record with another amount, payer or date"
                + (", and was taken back." if known.taken_back else "."),
            )
        )
    return {
        "outcome": "repeated",
        "case_number": known.case_number,
        "credited": {"fen": payment.credited},
        "unmatched": {"fen": payment.unmatched},
        "why": "it was taken back" if known.taken_back else payment.why,
    }


def _refused(error: CommandError) -> Row:
    outcome = "no_answer" if error.code in (6, 7) else "refused"
    return {"outcome": outcome, "kind": error.kind, "message": error.message, "code": error.code}


def _bring(session: Session, lines: list[StatementLine], rows: dict[int, Row]) -> None:
    """Find each line's case, and send it there, or as no case's; with --dry-run only foresee it."""
    found, of_case, of_none = _placed(session, lines, rows)
    _require_no_later_day(session, found, of_case, of_none)
    if session.dry_run:
        _foresee(session, found, of_case, rows)
        for line in of_none:
            rows[line.line] |= {"outcome": "unplaced", "unmatched": {"fen": line.amount}}
        return
    asyncio.run(_send(session, found, of_case, of_none, rows))


def _placed(
    session: Session, lines: list[StatementLine], rows: dict[int, Row]
) -> tuple[dict[str, FoundCase], dict[str, list[StatementLine]], list[StatementLine]]:
    """Each case meant, by number; its lines as the file has them; and the lines of no case."""
    from domain.placing import named_in, payers, place
    from store.payments import cases_named, deposits_due

    named = sorted({name for line in lines for name in named_in(line.note)})
    found, due = cases_named(session.engine, named), deposits_due(session.engine)
    by_payer = payers(one.case for one in due)
    cases = {name: one.case for name, one in found.items()}
    found |= {one.case.case_number: one for one in due}
    of_case: dict[str, list[StatementLine]] = {}
    of_none = []
    for line in lines:
        placed = place(line.note, line.payer, cases, by_payer)
        rows[line.line] |= {"case_number": placed.case_number, "why": placed.why}
        if placed.case_number is None:
            of_none.append(line)
        else:
            of_case.setdefault(placed.case_number, []).append(line)
    return found, of_case, of_none


def _require_no_later_day(
    session: Session,
    found: Mapping[str, FoundCase],
    of_case: Mapping[str, list[StatementLine]],
    of_none: Iterable[StatementLine],
) -> None:
    """A value date after the case's own today can't be right (2), and nothing happens."""
    from domain.refusals import Problem

    days = [(line, session.clock_date(found[number])) for number, lines in of_case.items() for line in lines]
    days += [(line, session.today) for line in of_none]
    problems = tuple(
        Problem(f"line {line.line}.paid_at", f"is after today ({today})")
        for line, today in days
        if line.paid_on > today
    )
    if problems:
        raise invalid_file(problems)


def _command(session: Session, kind: Any, workflow_id: str, line: StatementLine, **more: Any) -> Any:
    """A line as a command; the same line for the same case by the same person is the same request."""
    content = [workflow_id, str(session.actor), line.amount, line.payer, line.paid_on.isoformat(), more]
    key = json.dumps([line.reference, content], ensure_ascii=False, sort_keys=True)
    return kind(
        request_id=f"bank-{hashlib.sha256(key.encode()).hexdigest()[:40]}",
        workflow_id=workflow_id,
        actor=session.actor,
        amount=line.amount,
        reference=line.reference,
        payer=line.payer,
        paid_on=line.paid_on,
        **more,
    )


def _received(session: Session, found: FoundCase, line: StatementLine) -> Any:
    from domain.commands import ReceiveDeposit

    return _command(session, ReceiveDeposit, found.case.workflow_id, line)


def _foresee(
    session: Session, found: Mapping[str, FoundCase], of_case: Mapping[str, list[StatementLine]], rows: dict[int, Row]
) -> None:
    from domain.refusals import Refusal
    from starter.dry_run import foresee_payments
    from starter.errors import refused

    for number, lines in of_case.items():
        commands = [_received(session, found[number], line) for line in lines]
        for line, one in zip(lines, foresee_payments(session, found[number], commands), strict=True):
            rows[line.line] |= (
                _refused(refused(one)) if isinstance(one, Refusal) else _became(one.credited, one.unmatched, one.why)
            )


def _became(credited: int, unmatched: int, why: str) -> Row:
    return {
        "outcome": "recorded" if credited else "unmatched",
        "credited": {"fen": credited},
        "unmatched": {"fen": unmatched},
        "why": why,
    }


async def _send(
    session: Session,
    found: Mapping[str, FoundCase],
    of_case: Mapping[str, list[StatementLine]],
    of_none: Iterable[StatementLine],
    rows: dict[int, Row],
) -> None:
    from domain.commands import RecordUnplaced, UnplacedAnswer, payment_workflow_id
    from starter import office
    from starter.returning import payment
    from starter.sending import answer_of, reach

    client = await reach(session)
    free, lost = asyncio.Semaphore(_AT_ONCE), asyncio.Event()

    async def one(line: StatementLine, command: Command, asked: Any) -> None:
        if lost.is_set():  # what was sent is asked for; nothing more is sent into the void
            return
        rows[line.line]["request_id"] = command.request_id
        try:
            answer = await asked(command)
            rows[line.line] |= {"outcome": "repeated" if answer.repeated else "recorded"}
        except CommandError as error:
            rows[line.line] |= _refused(error)
            if error.code in (6, 7):
                lost.set()
        advance()

    async def to_case(number: str, lines: list[StatementLine]) -> None:
        async with free:
            for line in lines:
                await one(
                    line,
                    _received(session, found[number], line),
                    lambda command: answer_of(session, client, command, found[number]),
                )

    async def to_its_own(command: Command) -> UnplacedAnswer:
        return await office.answer_of(session, client, command, UnplacedAnswer, payment())

    async def to_none(line: StatementLine) -> None:
        async with free:
            known = {"why": rows[line.line]["why"], "note": line.note}
            command = _command(session, RecordUnplaced, payment_workflow_id(line.reference), line, **known)
            await one(
                line, command, lambda command: office.answer_of(session, client, command, UnplacedAnswer, payment())
            )

    total = sum(len(lines) for lines in of_case.values()) + len(list(of_none))
    with _progress(total) as advance:
        await asyncio.gather(
            *(to_case(number, lines) for number, lines in of_case.items()), *(to_none(line) for line in of_none)
        )


def _progress(total: int) -> AbstractContextManager[Callable[[], None]]:
    """A bar on stderr while somebody looks at it; what moves it on."""
    if not sys.stderr.isatty():
        return nullcontext(lambda: None)
    from starter.progress import bar

    return bar(total)


def _tell_what_became(session: Session, lines: list[StatementLine], rows: dict[int, Row]) -> None:
    """What the record says of the lines that came to it."""
    from store.payments import PaymentStore

    known = PaymentStore(session.engine).known([line.reference for line in lines])
    for line in lines:
        row, on_record = rows[line.line], known.get(line.reference)
        if row["outcome"] not in _ON_RECORD or on_record is None:
            continue
        payment = on_record.payment
        became = _became(payment.credited, payment.unmatched, payment.why)
        if on_record.case_number is None:
            became["outcome"] = "unplaced"
        if row["outcome"] == "repeated":
            became["outcome"] = "repeated"
        row |= {**became, "case_number": on_record.case_number}


def _print(session: Session, rows: list[Row]) -> None:
    totals: dict[str, dict[str, Any]] = {
        outcome: {"lines": len(those), "amount": {"fen": sum(row["amount"]["fen"] for row in those)}}
        for outcome in OUTCOMES
        if (those := [row for row in rows if row["outcome"] == outcome]) or outcome in _ON_RECORD
    }
    codes = {row.pop("code", 7 if row["outcome"] == "not_sent" else 0) for row in rows}
    view = {
        **({"dry_run": True} if session.dry_run else {}),
        "lines": len(rows),
        "totals": totals,
        "rows": rows,
    }

    def table(_: object) -> None:
        print_table(
            ("line", "reference", "CNY", "payer", "outcome", "case", "reason"),
            [
                (
                    row["line"],
                    row["reference"],
                    money(row["amount"]),
                    row["payer"],
                    word(row["outcome"], "payment"),
                    row["case_number"],
                    row["message"] or _why(row),
                )
                for row in rows
            ],
        )
        counted = (
            f"{word(outcome, 'payment')} {those['lines']} ({money(those['amount'])})"
            for outcome, those in totals.items()
            if those["lines"]
        )
        print(", ".join(counted))

    session.show(view, table)
    if session.dry_run:
        say("Nothing was sent.")
    elif any(row["outcome"] in ("unmatched", "unplaced") or row["unmatched"] not in (None, {"fen": 0}) for row in rows):
        say("What fits nowhere waits for a person: livebase deposit unmatched")
    if worst := next((code for code in _WORST_FIRST if code in codes), 0):
        count = Counter(row["outcome"] in _ON_RECORD for row in rows)[False]
        raise CommandError(
            worst,
            next((row["kind"] for row in rows if row["kind"]), "no_answer"),
            f"{count} of {len(rows)} lines are not on record.",
            "Mend what is told of each, and import the same file again: what is on record is only repeated.",
            told=True,
        )


def _why(row: Row) -> str:
    """Why it fits nowhere, with how much of it does not where some does."""
    credited, unmatched = (row[name] or {"fen": 0} for name in ("credited", "unmatched"))
    part = f"{money(unmatched)} " if credited["fen"] and unmatched["fen"] else ""
    return part + word(row["why"])
