"""The applicant's commands: check, apply, supplement, withdraw, marks confirm."""

from pathlib import Path
from typing import Annotated, Any

import typer

from starter.errors import CommandError
from starter.options import command, new_app
from starter.output import print_table
from starter.session import Session

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="YAML or JSON, see examples/.")]
BaseArgument = Annotated[str, typer.Argument(metavar="BASE", help="Credit code, LB-… or LBC-….")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept on record.")]


def register(app: typer.Typer) -> None:
    command(app, "check")(check)
    command(app, "apply")(apply)
    command(app, "supplement")(supplement)
    command(app, "withdraw")(withdraw)
    marks = new_app("marks", "The stop-using-marks duty.")
    command(marks, "confirm")(confirm_marks)
    app.add_typer(marks)


def check(session: Session, file: FileArgument) -> None:
    """Judge an application file against the conditions; nothing is started."""
    from domain.screening import Outcome, screen
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
        raise _Checked(5, "condition_failed", f"Conditions not met: {failed}.", "Amend the file and check again.")


class _Checked(CommandError):
    """`check` has printed its findings; the error says no more on stdout."""

    def as_json(self) -> dict[str, Any]:
        return {}


def apply(session: Session, file: FileArgument) -> None:
    """Start the certification. Documents are handed over first, by hash."""
    from domain.commands import Apply
    from domain.permissions import require_permission
    from domain.refusals import Refusal
    from starter.sending import refused, send
    from workflows.messages import workflow_id

    read = _application(session, file)
    actor = session.actor
    code = read.submission.application.credit_code
    try:
        require_permission("apply", actor, None)
    except Refusal as refusal:
        raise refused(refusal) from None
    ordinal = _ordinal(session, code)
    apply = Apply(
        request_id="dry-run" if session.dry_run else session.new_request_id(),
        workflow_id=workflow_id(code, ordinal),
        actor=actor,
        credit_code=code,
        ordinal=ordinal,
        submission=read.submission.sha256,
    )
    if session.dry_run:
        _dry_apply(session, apply)
        return
    content = (read.submission.canonical_bytes(),)
    send(session, apply, files=read.document_files, content=content, start=True)


def supplement(session: Session, base: BaseArgument, file: FileArgument) -> None:
    """Answer a supplement request: whole sections, each replacing the one handed in before."""
    from domain.commands import Supplement
    from domain.submission import Submission
    from starter.application_file import InvalidFile, read_supplement_file
    from starter.sending import act, send

    actor = session.actor
    found = session.reader.find_case(base)
    if found is None:
        act(session, base, lambda envelope: Supplement(**envelope, submission=""))
        return
    sha256 = session.reader.submission(found.case.case_number, found.case.revision)
    current = Submission.from_bytes(session.documents.get(sha256 or ""), today=found_today(session, found))
    try:
        read = read_supplement_file(file, today=found_today(session, found), current=current)
    except InvalidFile as error:
        raise _invalid(error.problems) from None
    make = {"workflow_id": found.case.workflow_id, "actor": actor, "submission": read.submission.sha256}
    if session.dry_run:
        act(session, base, lambda envelope: Supplement(**{**envelope, **make}))
        return
    sent = Supplement(request_id=session.new_request_id(), **make)
    send(session, sent, files=read.document_files, content=(read.submission.canonical_bytes(),))


def withdraw(session: Session, base: BaseArgument, reason: Reason) -> None:
    """Withdraw the application; possible until certification."""
    from domain.commands import Withdraw
    from starter.sending import act

    act(session, base, lambda envelope: Withdraw(**envelope, reason=given_reason(reason)))


def confirm_marks(
    session: Session, base: BaseArgument, files: Annotated[list[Path], typer.Argument(metavar="FILE...")]
) -> None:
    """Confirm, with evidence, that every sign and mark is out of use."""
    from domain.commands import ConfirmMarks
    from starter.sending import act

    documents = evidence(files)
    act(session, base, lambda envelope: ConfirmMarks(**envelope, evidence=tuple(documents)), documents)


def evidence(files: list[Path]) -> dict[str, Path]:
    """Documents given on the command line, by sha256; CommandError (2) with every problem."""
    from domain.refusals import Problem
    from starter.document_files import read_documents

    documents: dict[str, Path] = {}
    problems: list[Problem] = []
    for file in files:
        read = read_documents(file.parent, {file.name: (str(file),)})
        documents |= read.files
        problems += read.problems
    if problems:
        raise _invalid(tuple(problems))
    return documents


def given_reason(reason: str) -> str:
    """A reason with something in it, at most 2000 characters (2)."""
    if not reason.strip() or len(reason) > 2000:
        raise CommandError(2, "usage", "A reason has 1 to 2000 characters.", "Say why in a sentence: --reason TEXT")
    return reason.strip()


def found_today(session: Session, found: Any) -> Any:
    """The Shanghai date on the case's own clock."""
    from domain.shanghai import shanghai_date

    return shanghai_date(found.clock(session.wall))


def _application(session: Session, file: Path) -> Any:
    from starter.application_file import InvalidFile, read_application_file

    try:
        return read_application_file(file, today=session.today)
    except InvalidFile as error:
        raise _invalid(error.problems) from None


def _ordinal(session: Session, code: str) -> int:
    """The case the application meets: a live one, or the enterprise's next."""
    found = session.reader.find_case(code)
    if found is not None and found.case.ending is None:
        return found.ordinal
    if found is not None and session.request_id and session.reader.answered(session.request_id):
        return found.ordinal
    return session.reader.count_cases(code) + 1


def _dry_apply(session: Session, apply: Any) -> None:
    from domain.judging import judge
    from domain.opening import require_possible
    from domain.refusals import Refusal
    from domain.setting import Setting
    from starter.sending import refused
    from store.reference import policy_book, shipped_calendar

    found = session.reader.find_case(apply.credit_code)
    case = found.case if found else None
    now = found.clock(session.wall) if found else session.wall
    try:
        judge(None, apply)
        live = case if case is not None and case.ending is None else None
        require_possible(live, case, Setting(now, policy_book().in_force(session.today), shipped_calendar()))
    except Refusal as refusal:
        raise refused(refusal) from None
    result = {"dry_run": True, "would_be_tried": "apply", "workflow_id": apply.workflow_id}
    session.show(result, lambda _: print(f"apply would be tried as {apply.workflow_id}; nothing was sent."))


def _invalid(problems: Any) -> CommandError:
    count = len(problems)
    what = "1 problem" if count == 1 else f"{count} problems"
    return CommandError(2, "invalid_file", f"The file has {what}.", "Mend it and try again; see examples/.", problems)


def _print_findings(result: dict[str, Any]) -> None:
    rows = [(f["condition"], f["outcome"], f["message"], f["document"]) for f in result["findings"]]
    print_table(("condition", "outcome", "message", "document"), rows)
