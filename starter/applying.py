"""The applicant's commands: check, apply, supplement, withdraw, marks confirm."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from starter import completing
from starter.errors import CommandError
from starter.options import command, new_app
from starter.output import print_table
from starter.phrases import condition, outcome
from starter.session import Session

if TYPE_CHECKING:
    from domain.refusals import Problem
    from starter.application_file import ReadFile
    from starter.sending import Make
    from store.queries import FoundCase

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="YAML or JSON, see examples/.")]
BaseArgument = Annotated[
    str, typer.Argument(metavar="BASE", help="Credit code, LB-… or LBC-….", autocompletion=completing.bases)
]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept on record.")]


def register(app: typer.Typer) -> None:
    command(app, "check")(check)
    command(app, "apply")(apply)
    command(app, "supplement")(supplement)
    command(app, "withdraw")(withdraw)
    marks = new_app("marks", "The stop-using-marks duty.")
    command(marks, "confirm")(confirm_marks)
    command(marks, "check")(check_marks)
    app.add_typer(marks)


def check(session: Session, file: FileArgument) -> None:
    """Judge an application file against the conditions; nothing is started."""
    from domain.findings import Outcome
    from domain.screening import screen
    from store.reference import policy_book

    read = _application(session, file)
    policy = policy_book().in_force(session.today)
    findings = screen(read.submission.application, policy, as_of=session.today)
    outcomes = {finding.outcome for finding in findings}
    result = {
        "passed": not outcomes & {Outcome.FAIL, Outcome.PERSON},
        "needs_person": Outcome.PERSON in outcomes,
        "findings": [finding.model_dump(mode="json") for finding in findings],
    }
    session.show(result, _print_findings)
    if Outcome.FAIL in outcomes:
        failed = ", ".join(finding.condition for finding in findings if finding.outcome is Outcome.FAIL)
        message = f"Conditions not met: {failed}."
        raise CommandError(5, "condition_failed", message, "Amend the file and check again.", told=True)


def apply(session: Session, file: FileArgument) -> None:
    """Start the certification. Documents are handed over first, by hash."""
    from domain.commands import Apply, workflow_id
    from starter.fast_forwarding import carry_offset
    from starter.sending import envelope, send

    session.require_usable_options()
    read = _application(session, file)
    code = read.submission.application.credit_code
    ordinal = _ordinal(session, code)
    last = session.reader.find_case(code)
    ahead = last.clock_offset if last else timedelta()
    apply = Apply(
        **envelope(session, workflow_id(code, ordinal)),
        credit_code=code,
        ordinal=ordinal,
        submission=read.submission.sha256,
    )
    send(
        session,
        apply,
        None,
        files=read.document_files,
        content=read.submission.canonical_bytes(),
        opens_at=session.wall + ahead if ahead else None,
    )
    if ahead and not session.dry_run:
        started = session.found(code)
        if not started.clock_offset:
            carry_offset(session, started.case, ahead)


def supplement(session: Session, base: BaseArgument, file: FileArgument) -> None:
    """Answer a supplement request: whole sections, each replacing the one handed in before."""
    from domain.commands import Supplement

    hand_in_sections(session, base, file, lambda given: Supplement(**given))


def hand_in_sections(session: Session, base: str, file: Path, make: Make) -> None:
    """Send the command `make` builds with a new submission: the newest one, with the file's sections in place."""
    from domain.shanghai import shanghai_date
    from starter.application_file import InvalidFile, read_supplement_file
    from starter.handed_in import read_submission
    from starter.sending import act, envelope, send
    from starter.structured_text import read_structured_file

    session.require_usable_options()
    try:
        read_structured_file(file)  # what can be told of the file before the store is asked
        found = session.meant(base)
        if found is None:
            act(session, base, lambda given: make({**given, "submission": ""}))
            return
        if found.case.documents_erased is not None:
            act(session, base, lambda given: make({**given, "submission": ""}))
            return
        today = shanghai_date(found.clock(session.wall))
        current = read_submission(session, found.case, _supplemented(session, found), today)
        read = read_supplement_file(file, today=today, current=current)
    except InvalidFile as error:
        raise invalid_file(error.problems) from None
    command = make({**envelope(session, found.case.workflow_id), "submission": read.submission.sha256})
    send(session, command, found, files=read.document_files, content=read.submission.canonical_bytes())


def withdraw(session: Session, base: BaseArgument, reason: Reason) -> None:
    """Withdraw the application; possible until certification."""
    from domain.commands import Withdraw
    from starter.sending import act

    why = given_reason(reason)
    act(session, base, lambda envelope: Withdraw(**envelope, reason=why))


def confirm_marks(
    session: Session, base: BaseArgument, files: Annotated[list[Path], typer.Argument(metavar="FILE...")]
) -> None:
    """Confirm, with evidence, that every sign and mark is out of use."""
    from domain.commands import ConfirmMarks
    from starter.sending import act

    documents = evidence(files)
    act(session, base, lambda envelope: ConfirmMarks(**envelope, evidence=tuple(documents)), documents)


def check_marks(
    session: Session, base: BaseArgument, result: Annotated[str, typer.Option("--result", help="What was found.")]
) -> None:
    """Put on record what a spot check found; by compliance or an operator."""
    from domain.commands import CheckMarks
    from starter.errors import usage
    from starter.sending import act

    if not readable(result):
        raise usage("--result has 1 to 2000 readable characters.", "For example: --result 招牌已拆除")
    act(session, base, lambda envelope: CheckMarks(**envelope, result=result.strip()))


def evidence(files: list[Path]) -> dict[str, Path]:
    """Documents given on the command line, by sha256; CommandError (2) with every problem."""
    from domain.refusals import Problem
    from starter.document_files import MAX_DOCUMENTS, MAX_TOTAL_BYTES, MIB, read_documents

    documents: dict[str, Path] = {}
    problems: list[Problem] = []
    total = 0
    for file in files:
        read = read_documents(file.parent, {file.name: (str(file),)})
        documents |= read.files
        problems += read.problems
        total += sum(ref.size for ref in read.refs)
    if len(documents) > MAX_DOCUMENTS:
        problems.append(Problem("", f"{len(documents)} documents are given: {MAX_DOCUMENTS} are possible"))
    if total > MAX_TOTAL_BYTES:
        problems.append(Problem("", f"the documents have more than {MAX_TOTAL_BYTES // MIB} MiB together"))
    if problems:
        raise invalid_file(tuple(problems))
    return documents


def given_reason(reason: str) -> str:
    """A reason with something in it to read, at most 2000 characters (2)."""
    if not readable(reason):
        hint = "Say why in a sentence: --reason TEXT"
        raise CommandError(2, "usage", "A reason has 1 to 2000 readable characters.", hint)
    return reason.strip()


def readable(text: str) -> bool:
    """Whether it is text as files may hold it: letters or digits, nothing invisible, not too long."""
    from pydantic import TypeAdapter, ValidationError

    from domain.fields import Text

    try:
        TypeAdapter(Text).validate_python(text.strip())
    except ValidationError:
        return False
    return True


def invalid_file(problems: tuple[Problem, ...]) -> CommandError:
    """What is wrong with a file people hand in (2), every problem with its path."""
    count = len(problems)
    what = "1 problem" if count == 1 else f"{count} problems"
    return CommandError(2, "invalid_file", f"The file has {what}.", "Mend it and try again; see examples/.", problems)


def _application(session: Session, file: Path) -> ReadFile:
    from starter.application_file import InvalidFile, read_application_file

    try:
        return read_application_file(file, today=session.today)
    except InvalidFile as error:
        raise invalid_file(error.problems) from None


def _ordinal(session: Session, code: str) -> int:
    """Which of the enterprise's applications this is: a repeated one, the live one it meets, or its next."""
    answer = session.answered_before()
    repeated = session.reader.find_case(answer.case_number) if answer else None
    if repeated is not None and repeated.case.credit_code == code:
        return repeated.ordinal
    known = session.reader.count_cases(code)  # before the newest: one that opens meanwhile is met, not passed over
    newest = session.reader.find_case(code)
    if newest is not None and newest.case.ending is None:
        return newest.ordinal
    return known + 1


def _supplemented(session: Session, found: FoundCase) -> int:
    """The revision the supplement is put into: the newest, but for a repeat the one before its answer's."""
    answer = session.answered_before()
    if answer is not None and answer.case_number == found.case.case_number:
        return max(1, answer.revision - 1)
    return found.case.revision


def _print_findings(result: dict[str, Any]) -> None:
    rows = [(condition(f["condition"]), outcome(f["outcome"]), f["message"], f["document"]) for f in result["findings"]]
    print_table(("condition", "outcome", "message", "document"), rows)
