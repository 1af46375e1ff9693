"""The quarterly assessment's commands: import, show, confirm, object, decide (decision 22)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from starter.applying import BaseArgument, FileArgument, Reason, given_reason, invalid_file
from starter.errors import CommandError, refused, unreachable, usage
from starter.options import command, new_app
from starter.output import deadline, loud, money, print_table, say, told, when, word
from starter.session import Session
from starter.updating import Start

if TYPE_CHECKING:
    from domain.assessing import Line
    from domain.commands import ConfirmPeriod, ImportFigures, PeriodAnswer
    from domain.figures import Figures

PeriodArgument = Annotated[str, typer.Argument(metavar="PERIOD", help="A quarter such as 2027Q1.")]


def register(app: typer.Typer) -> None:
    assess = new_app("assess", "The quarterly assessment.")
    command(assess, "import")(import_figures)
    command(assess, "show")(show)
    command(assess, "confirm")(confirm)
    command(assess, "object")(object_to)
    command(assess, "decide")(decide)
    app.add_typer(assess)


def import_figures(
    session: Session,
    file: Annotated[Path, typer.Argument(metavar="METRICS.csv", help="Figures of a quarter, a line for each base.")],
    looked_at: Annotated[
        bool, typer.Option("--looked-at", help="A batch in which many fail has been looked at, and is right.")
    ] = False,
) -> None:
    """Put figures on record for all bases at once; what becomes of each line is told."""
    from domain.commands import ImportFigures, assessment_workflow_id
    from domain.figures import batch_hash, canonical
    from starter.sending import envelope

    session.require_usable_options()
    rows = _read(file)
    quarters = sorted({row.period for row in rows})
    answers: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    for period in quarters:
        of_it = tuple(row for row in rows if row.period == period)
        content = canonical(of_it)
        given = envelope(session, assessment_workflow_id(period))
        if len(quarters) > 1:  # a workflow each, and a request of its own
            given["request_id"] = f"{session.request}:{period}"
        command = ImportFigures(**given, period=period, batch=batch_hash(content), looked_at=looked_at)
        try:
            answer, told_of = _imported(session, command, of_it, content)
        except CommandError as error:
            if answers:
                error.message += f" Recorded before it: {', '.join(one['period'] for one in answers)}."
            raise
        answers.append(answer)
        lines += told_of
    _print_import(session, answers, sorted(lines, key=lambda line: int(line["line"])))


def confirm(session: Session, period: PeriodArgument) -> None:
    """Confirm a quarter's passes and the fails whose time to object is over; a confirmed fail ends a certification."""
    from domain.commands import ConfirmPeriod, PeriodAnswer, assessment_workflow_id
    from starter.office import done_before, send
    from starter.sending import envelope

    session.require_usable_options()
    quarter = given_period(period)
    command = ConfirmPeriod(**envelope(session, assessment_workflow_id(quarter)), period=quarter)
    answer = done_before(session, command, PeriodAnswer)
    if answer is None and session.dry_run:
        _print_confirmation(session, _answered(session, None, command), _foreseen_confirmation(session, command))
        say("Nothing was sent.")
        return
    answer = answer or send(session, command, PeriodAnswer, _period(command))
    _print_confirmation(session, _answered(session, answer, command), _report(session, answer))


def object_to(
    session: Session,
    base: BaseArgument,
    file: FileArgument,
    period: Annotated[str | None, typer.Option("--period", help="Which quarter; the newest provisional fail.")] = None,
) -> None:
    """Object to a provisional fail within its time; compliance decides."""
    from domain.commands import ObjectAssessment
    from domain.statement import InvalidStatement, read_statement
    from domain.written import WrittenStatement
    from starter.paper_file import InvalidFile, read_paper_file
    from starter.sending import act

    quarter = given_period(period) if period is not None else None
    try:
        read = read_paper_file(file, read_statement, InvalidStatement)
    except InvalidFile as error:
        raise invalid_file(error.problems) from None
    written = WrittenStatement(statement=read.paper.statement, salt=session.request)
    fields = {"paper": written.sha256, "evidence": read.hashes, "period": quarter}
    content = written.canonical_bytes()
    act(session, base, lambda envelope: ObjectAssessment(**envelope, **fields), read.document_files, content)


def decide(
    session: Session,
    base: BaseArgument,
    period: Annotated[str, typer.Option("--period", help="The quarter.")],
    outcome: Annotated[Literal["pass", "fail"], typer.Option("--outcome", metavar="pass|fail")],
    reason: Reason,
) -> None:
    """Decide an objection, or a quarter whose figures never came."""
    from domain.commands import DecideAssessment
    from starter.sending import act

    quarter, why = given_period(period), given_reason(reason)
    fields: dict[str, Any] = {"period": quarter, "outcome": outcome, "reason": why}
    act(session, base, lambda envelope: DecideAssessment(**envelope, **fields))


def show(session: Session, base: BaseArgument) -> None:
    """A base's quarters: how each stands, its figures, its limits."""
    from store.assessments import AssessmentStore

    case = session.readable(base).case
    quarters = AssessmentStore(session.engine).history(case)
    session.show({"case_number": case.case_number, "name": case.name, "assessments": quarters}, _print_quarters)


def given_period(text: str) -> str:
    """A quarter somebody typed. CommandError (2) when it is none."""
    from domain.periods import Period

    try:
        return str(Period.parse(text.strip().upper()))
    except ValueError:
        raise usage(f"{text[:20]!r} is not a quarter.", "Write it like 2027Q1.") from None


def _read(file: Path) -> tuple[Figures, ...]:
    from domain.figures import InvalidFigures, read_figures
    from starter.structured_text import InvalidFile, read_text

    try:
        return read_figures(read_text(file))
    except (InvalidFile, InvalidFigures) as error:
        raise invalid_file(error.problems) from None


def _imported(
    session: Session, command: ImportFigures, rows: tuple[Figures, ...], content: bytes
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    from domain.commands import PeriodAnswer
    from starter.office import done_before, send

    answer = done_before(session, command, PeriodAnswer)
    if answer is None and session.dry_run:
        lines = [line.model_dump(mode="json") for line in _foreseen(session, command, rows)]
        return _answered(session, None, command), lines
    answer = answer or send(session, command, PeriodAnswer, _period(command), content)
    return _answered(session, answer, command), _report(session, answer)


def _foreseen(session: Session, command: ImportFigures, rows: tuple[Figures, ...]) -> tuple[Line, ...]:
    """What would become of each line. Nothing is sent."""
    from domain.assessing import assess, require_few_fails
    from domain.refusals import Refusal
    from starter.sending import require_own_request_id
    from store.assessments import AssessmentStore
    from store.reference import policy_book

    require_own_request_id(session, command, None)
    with AssessmentStore(session.engine).reading() as tx:
        bases = tx.bases([row.credit_code for row in rows], command.period, session.wall)
    lines = assess(rows, bases, policy_book())
    try:
        require_few_fails(lines, policy_book().in_force(session.today), looked_at=command.looked_at)
    except Refusal as refusal:
        raise refused(refusal) from None
    return lines


def _foreseen_confirmation(session: Session, command: ConfirmPeriod) -> list[dict[str, Any]]:
    from domain.assessing import confirm
    from domain.refusals import Refusal
    from starter.sending import require_own_request_id
    from store.assessments import AssessmentStore

    require_own_request_id(session, command, None)
    with AssessmentStore(session.engine).reading() as tx:
        bases, importers = tx.assessed(command.period, session.wall), tx.importers(command.period)
    try:
        found = confirm(bases, command.period, command.actor.name, importers)
    except Refusal as refusal:
        raise refused(refusal) from None
    return [one.model_dump(mode="json") for one in found]


def _period(command: ImportFigures | ConfirmPeriod) -> Start:
    from workflows.messages import ASSESSMENT_WORKFLOW
    from workflows.state import PeriodState

    return Start(ASSESSMENT_WORKFLOW, PeriodState(period=command.period), f"运营考核 {command.period}")


def _report(session: Session, answer: PeriodAnswer) -> list[dict[str, Any]]:
    """What became of each line, from the document the answer names."""
    from store.documents import OFFICE, DocumentDamaged, DocumentMissing

    try:
        lines: list[dict[str, Any]] = json.loads(session.documents_of(OFFICE).get(answer.report))
    except (DocumentMissing, DocumentDamaged) as error:
        message = f"It is done; its report can't be read: {error}."
        raise unreachable(message, "Check LIVEBASE_DOCUMENTS; run: livebase doctor") from None
    return lines


def _answered(session: Session, answer: PeriodAnswer | None, command: ImportFigures | ConfirmPeriod) -> dict[str, Any]:
    """An answer as it is printed; None is a dry run's."""
    from store.queries import shown

    return {
        "request_id": answer.request_id if answer else session.request_id,
        "accepted_at": shown(answer.accepted_at) if answer else None,
        "repeated": answer.repeated if answer else False,
        "period": command.period,
    }


def _print_import(session: Session, answers: list[dict[str, Any]], lines: list[dict[str, Any]]) -> None:
    from domain.assessing import DONE

    totals = {outcome: sum(1 for line in lines if line["outcome"] == outcome) for outcome in DONE}
    first = answers[0]
    view = {
        **({"dry_run": True} if session.dry_run and first["accepted_at"] is None else {}),
        "request_id": session.request_id if first["accepted_at"] is None else session.request,
        "accepted_at": first["accepted_at"],
        "repeated": all(answer["repeated"] for answer in answers),
        "periods": [answer["period"] for answer in answers],
        "totals": totals,
        "failing": sum(1 for line in lines if line["result"] == "fail"),
        "rows": lines,
    }

    def table(_: object) -> None:
        rows = [
            (
                line["line"],
                line["credit_code"],
                line["period"],
                word(line["outcome"], "line"),
                line["case_number"],
                _result(line["result"]),
                ", ".join(word(metric) for metric in line["missed"]) or word(line["why"]),
            )
            for line in lines
        ]
        print_table(("line", "credit code", "period", "outcome", "case", "result", "reason"), rows)
        print(", ".join(f"{word(outcome, 'line')} {count}" for outcome, count in totals.items() if count))

    session.show(view, table)
    if view.get("dry_run"):
        say("Nothing was sent.")
        return
    recorded = [line for line in lines if line["outcome"] in ("recorded", "corrected")]
    told_of = {line["result"] for line in recorded if not line["why"]}
    if "fail" in told_of:
        say("Each base that fails is told and may object; then another person confirms: livebase assess confirm PERIOD")
    elif told_of:
        say("Each base is told. Another person confirms: livebase assess confirm PERIOD")
    if any(line["why"] for line in recorded):
        say("What a fail ended, two people set aside: livebase set-aside BASE --decision ID --reason R")


def _print_confirmation(session: Session, answer: dict[str, Any], bases: list[dict[str, Any]]) -> None:
    view = {**({"dry_run": True} if answer["accepted_at"] is None else {}), **answer, "rows": bases}

    def table(_: object) -> None:
        rows = [
            (one["case_number"], one["credit_code"], word(one["outcome"]), _result(one["result"]), word(one["why"]))
            for one in bases
        ]
        print_table(("case", "credit code", "outcome", "result", "reason"), rows, title=answer["period"])

    session.show(view, table)


def _print_quarters(view: dict[str, Any]) -> None:
    print(f"{view['case_number']}  {view['name']}")
    if not view["assessments"]:
        say("No quarter has been assessed.")
        return
    print_table(
        ("period", "result", "state", "may object", "decided by", "confirmed by"),
        [
            (
                one["period"],
                _result(one["result"]),
                word(one["state"], "assessment"),
                told("until {}", deadline(one["objection_until"])) if one["objection_until"] else "",
                one["decided_by"],
                one["confirmed_by"],
            )
            for one in view["assessments"]
        ],
    )
    figures = [
        (
            one["period"],
            row["revision"],
            row["live_merchants"],
            row["active_merchants"],
            money(row["gmv"]),
            _result(row["result"]),
            ", ".join(word(metric) for metric in row["missed"]),
            row["imported_by"],
            when(row["at"]),
        )
        for one in view["assessments"]
        for row in one["figures"]
    ]
    if figures:
        print_table(
            (
                "period",
                "revision",
                "live_merchants",
                "active_merchants",
                "gmv",
                "result",
                "missed",
                "imported by",
                "at",
            ),
            figures,
        )


def _result(result: str | None) -> str:
    text = word(result) if result else ""
    return loud(text) if result == "fail" else text
