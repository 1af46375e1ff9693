"""Proving the audit log: every entry of every chain from the first on. Works with Temporal down.

The proof is `audit`'s, which knows nothing of ours; here it is only handed the records.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import BrokenExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from starter import completing
from starter.errors import CommandError, unreachable, usage
from starter.options import command, new_app
from starter.output import plain, print_table, say, told, when, word
from starter.phrases import actor
from starter.session import Session

if TYPE_CHECKING:
    from audit.report import Record, Report

_TELL_EVERY = 2.0  # seconds

BaseOption = Annotated[
    str | None,
    typer.Argument(metavar="[BASE]", help="One case; else all.", autocompletion=completing.bases),
]
HeadsOption = Annotated[
    str | None,
    typer.Option(
        "--heads", metavar="PATH", help="Copies of the seals kept outside the database: a folder, or the file itself."
    ),
]
FileOption = Annotated[
    str | None, typer.Option("--file", metavar="EXPORT", help="An export (JSON lines) instead of the database.")
]
SignaturesOption = Annotated[
    bool, typer.Option("--signatures", help="Prove who acted too, by each person's own signature; takes longer.")
]
FormatOption = Annotated[Literal["jsonl", "csv"], typer.Option("--format", metavar="jsonl|csv")]
ToOption = Annotated[str | None, typer.Option("--to", metavar="FILE", help="A new file; else it is printed.")]


def register(app: typer.Typer) -> None:
    audit = new_app("audit", "The audit log: every act and every transition, each entry hashed with the one before it.")
    command(audit, "verify")(verify)
    command(audit, "export")(export)
    command(audit, "refused")(refused)
    app.add_typer(audit)


def verify(
    session: Session,
    base: BaseOption = None,
    heads: HeadsOption = None,
    file: FileOption = None,
    signatures: SignaturesOption = False,
) -> None:
    """Prove every chain from its first entry; names the first broken one of each. 1 when one is broken."""
    try:
        report = _proven(session, base, heads) if file is None else _proven_file(base, heads, file)
    except BrokenExecutor:
        raise unreachable(
            "A process of the proof was ended before it was done, so nothing is proven.",
            "Try again with more memory free.",
        ) from None
    if signatures:
        report.add(_signatures(session, base) if file is None else _signatures_of_file(file))
    view = _view(report) | ({"signed": report.signed, "unsigned": report.unsigned} if signatures else {})
    session.show(view, _verified_table)
    if not report.ok:
        raise CommandError(
            1,
            "audit_broken",
            f"The audit log is broken in {len(report.broken)} places.",
            "Keep the database as it is, and compare it with a backup.",
            told=True,
        )


def export(session: Session, base: BaseOption = None, format: FormatOption = "jsonl", to: ToOption = None) -> None:
    """The audit log as JSON lines, which `audit verify --file` proves, or as a table for a spreadsheet."""
    from starter.audit_export import json_lines, opened, table
    from store.auditing import AuditReader

    reader, numbers = AuditReader(session.engine, rows=False), _case_numbers(session, base)
    records = reader.log() if numbers is None else reader.records(numbers)
    with opened(to, bom=format == "csv") as file:
        (table if format == "csv" else json_lines)(_counted(records) if to else records, file)
    if to:
        session.show({"file": to, "format": format}, lambda view: say(view["file"]))


def refused(session: Session, base: BaseOption = None) -> None:
    """The commands that were refused as they were carried out: whose, when, why."""
    from store.actors import refusals

    if base is not None:
        cases: list[str] | None = [session.readable(base).case.workflow_id]
    elif session.only_applicant is None:
        cases = None
    else:
        found = session.reader.list_cases(session.wall)
        cases = [one.case.workflow_id for one in found if session.may_read(one.case)]
    session.show(refusals(session.engine, cases), _refused_table)


def _refused_table(rows: list[dict[str, Any]]) -> None:
    if not rows:
        say("No command was refused.")
        return
    print_table(
        ("when", "who", "command", "sent to", "why"),
        [
            (
                when(one["at"]),
                actor(one["actor"]),
                word(one["action"], "action"),
                one["workflow_id"],
                plain(one["message"]),
            )
            for one in rows
        ],
    )


def _proven(session: Session, base: str | None, heads: str | None) -> Report:
    """What is proven of the database."""
    from starter.proving import prove_database

    numbers = _case_numbers(session, base)
    outside = _copies(session.heads_root, heads)  # before the seals themselves, which may go on meanwhile
    return prove_database(session.engine, numbers, outside, Progress("{} entries so far"))


def _proven_file(base: str | None, heads: str | None, file: str) -> Report:
    """What is proven of an export. CommandError (2) with every line that holds no record."""
    from audit.whole_file import verify_file

    if base is not None:
        raise usage("An export is proven whole.", "Leave out BASE or --file.")
    problems: list[tuple[int, str]] = []
    outside = _copies(None, heads)
    try:
        report = verify_file(Path(file), outside, problems, Progress("{} entries so far"))
    except OSError as error:
        raise usage(
            f"{file} can't be read ({error.strerror}).", "Make one with: livebase audit export --to FILE"
        ) from None
    if problems:
        named = [(f"line {number}", why) for number, why in problems]
        raise CommandError(2, "no_export", f"{file} is no whole export.", "Make it again: livebase audit export", named)
    return report


def _signatures(session: Session, base: str | None) -> Report:
    from starter.proving import prove_signatures

    return prove_signatures(session.engine, _case_numbers(session, base), Progress("{} cases so far"))


def _signatures_of_file(file: str) -> Report:
    """The same of an export, which has been proven to be whole. It is read twice: whose a key is comes last."""
    from audit.files import export as read_export
    from audit.signatures import OFFICE, Keys, Signatures

    keys = Keys()
    for record in read_export(Path(file), []):
        if record["kind"] == "entry" and record["case_number"] == OFFICE:
            keys.take(record)
    found = Signatures(keys)
    found.take(read_export(Path(file), []))
    return found.report()


def _case_numbers(session: Session, base: str | None) -> list[str] | None:
    """The case meant; for an applicant all of their own; None for every case."""
    if base is not None:
        return [session.readable(base).case.case_number]
    if session.only_applicant is None:
        return None
    cases = session.reader.list_cases(session.wall)
    return sorted(found.case.case_number for found in cases if session.may_read(found.case))


def _copies(own: Path | None, heads: str | None) -> Iterator[Record]:
    """The copies named, or this installation's `own` where there are any. CommandError (2) when they can't be read."""
    from audit.files import COPIES, copies

    if heads is None and (own is None or not (own / COPIES).exists()):
        return iter(())
    path = Path(heads) if heads is not None else own
    assert path is not None
    try:
        return copies(path)
    except OSError as error:
        why = f"The copies of seals at {path} can't be read ({error.strerror})."
        raise usage(why, f"--heads is a folder with {COPIES}, or that file.") from None


class Progress:
    """A word on stderr every two seconds of how far it has come."""

    def __init__(self, words: str) -> None:
        self._words = words
        self._next = time.monotonic() + _TELL_EVERY

    def __call__(self, count: int) -> None:
        if time.monotonic() >= self._next:
            say(told(self._words, f"{count:,}"))
            self._next = time.monotonic() + _TELL_EVERY


def _counted(records: Iterable[Record]) -> Iterator[Record]:
    """The records, told of as they go by."""
    tell = Progress("{} records so far")
    for count, record in enumerate(records, 1):
        if count % 1000 == 0:
            tell(count)
        yield record


def _view(report: Report) -> dict[str, Any]:
    return {
        "ok": report.ok,
        "cases": report.cases,
        "entries": report.entries,
        "seals": report.seals,
        "copied": report.outside,
        "broken": [
            {
                "case_number": one.case_number,
                "sequence": one.sequence,
                "kind": one.kind,
                "values": list(one.values),
                "why": one.why,
            }
            for one in report.broken
        ],
    }


def _verified_table(view: dict[str, Any]) -> None:
    if view["broken"]:
        print_table(
            ("case", "entry", "what is wrong"),
            [(one["case_number"], one["sequence"], _why(one)) for one in view["broken"]],
        )
    say(told("{} entries of {} cases proven, under {} seals.", view["entries"], view["cases"], view["seals"]))
    if "signed" in view:
        say(
            told(
                "{} signatures proven; {} entries were taken without, on a local server.",
                view["signed"],
                view["unsigned"],
            )
        )
    if view["copied"]:
        say(told("The copies outside were compared as far as seal {}.", view["copied"]))


def _why(broken: dict[str, Any]) -> str:
    from audit.report import SENTENCES

    return told(SENTENCES[broken["kind"]], *broken["values"])
