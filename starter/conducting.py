"""Violations of the operating rules: report, respond, decide, show, list; and written authorisations (R5)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from starter.applying import BaseArgument, FileArgument, Reason, evidence, given_reason, invalid_file, readable
from starter.errors import CommandError, not_found, usage
from starter.measures import require_typed_number
from starter.options import command, given_day, new_app
from starter.output import deadline, loud, plain, print_table, say, when, word
from starter.phrases import actor
from starter.session import Session

if TYPE_CHECKING:
    from store.queries import FoundCase

ConductArgument = Annotated[str, typer.Argument(metavar="ID", help="A conduct case such as LB-2026-000001-C1.")]
ComplaintArgument = Annotated[str, typer.Argument(metavar="REF", help="A complaint such as TS-MZXW6YTBOI5A2B3C.")]
_LONGEST_ACTIVITY = 200


def register(app: typer.Typer) -> None:
    conduct = new_app("conduct", "Violations of the operating rules (R2 to R8).")
    command(conduct, "report")(report)
    command(conduct, "respond")(respond)
    command(conduct, "decide")(decide)
    command(conduct, "show")(show)
    command(conduct, "list")(list_conduct)
    command(conduct, "complaints")(list_complaints)
    command(conduct, "dismiss")(dismiss)
    app.add_typer(conduct)
    command(app, "authorise")(authorise)


def report(
    session: Session,
    base: BaseArgument,
    file: FileArgument,
    urgent: Annotated[bool, typer.Option("--urgent", help="Suspend the base at once.")] = False,
    complaint: Annotated[
        str | None, typer.Option("--complaint", metavar="REF", help="The complaint of the public that it takes up.")
    ] = None,
) -> None:
    """Report a violation with evidence; the base is told and may answer."""
    from domain.commands import ReportConduct
    from domain.conduct_report import InvalidReport, read_report
    from domain.written import WrittenLoss, WrittenReport
    from starter.paper_file import InvalidFile, read_paper_file
    from starter.sending import act, envelope, send

    session.require_usable_options()
    taken_up = None if complaint is None else _reference(complaint)
    found = session.meant(base)
    today = session.clock_date(found) if found else session.today
    try:
        read = read_paper_file(file, lambda data: read_report(data, today=today), InvalidReport)
    except InvalidFile as error:
        raise invalid_file(error.problems) from None
    if found is None:
        act(session, base, lambda given: ReportConduct(**given))
        return
    paper = read.paper
    losses = tuple(WrittenLoss(kind=loss.kind, description=loss.description) for loss in paper.losses)
    written = WrittenReport(
        facts=paper.facts, affected_accounts=paper.affected_accounts, losses=losses, salt=session.request
    )
    reported = ReportConduct(
        **envelope(session, found.case.workflow_id),
        conduct=_next_id(session, found),
        rule=paper.rule,
        trigger=paper.trigger,
        severity=paper.severity,
        found_on=paper.found_on,
        evidence=read.hashes,
        urgent=urgent,
        paper=written.sha256,
        complaint=taken_up,
    )
    send(session, reported, found, files=read.document_files, content=written.canonical_bytes())
    if not session.dry_run:
        say(f"{word('Conduct case')}: {reported.conduct}")


def respond(session: Session, conduct: ConductArgument, file: FileArgument) -> None:
    """Answer a report, or tell how a violation was put right; with evidence."""
    from domain.commands import RespondConduct
    from domain.statement import InvalidStatement, read_statement
    from domain.written import WrittenStatement
    from starter.paper_file import InvalidFile, read_paper_file
    from starter.sending import envelope, send

    session.require_usable_options()
    try:
        read = read_paper_file(file, read_statement, InvalidStatement)
    except InvalidFile as error:
        raise invalid_file(error.problems) from None
    found = _found(session, conduct)
    written = WrittenStatement(statement=read.paper.statement, salt=session.request)
    answer = RespondConduct(
        **envelope(session, found.case.workflow_id),
        conduct=_typed(conduct),
        evidence=read.hashes,
        paper=written.sha256,
    )
    send(session, answer, found, files=read.document_files, content=written.canonical_bytes())


def decide(
    session: Session,
    conduct: ConductArgument,
    outcome: Annotated[str, typer.Option("--outcome", metavar="OUTCOME", help="See: livebase conduct show ID")],
    reason: Reason,
) -> None:
    """Decide on a conduct case; a revocation waits for a second person."""
    from domain.commands import DecideConduct
    from domain.conduct import Outcome
    from starter.sending import envelope, send

    if outcome not in set(Outcome):
        raise usage(f"--outcome {outcome[:40]!r} is unknown.", f"One of: {', '.join(Outcome)}")
    why = given_reason(reason)
    session.require_usable_options()
    if outcome == Outcome.REVOCATION:
        require_typed_number(session, _typed(conduct).rpartition("-C")[0])
    found = _found(session, conduct)
    given = envelope(session, found.case.workflow_id)
    send(session, DecideConduct(**given, conduct=_typed(conduct), outcome=Outcome(outcome), reason=why), found)


def show(session: Session, conduct: ConductArgument) -> None:
    """One conduct case: what was reported, answered and decided; on R5 also what was authorised."""
    from store.conduct import conduct_view

    found = _found(session, conduct)
    session.readable(found.case.case_number)
    session.show(
        conduct_view(
            session.engine,
            found.case,
            _typed(conduct),
            found.clock(session.wall),
            staff=session.only_applicant is None,
        ),
        _show_table,
    )


def list_conduct(
    session: Session,
    all_: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
) -> None:
    """Conduct cases, what waits longest first; an applicant's own."""
    from store.conduct import conduct_list

    cases = [found.case for found in session.reader.list_cases(session.wall) if session.may_read(found.case)]
    session.show(conduct_list(cases, closed=all_), _list_table)


def list_complaints(
    session: Session,
    base: Annotated[str | None, typer.Argument(metavar="BASE", help="Else those about every base.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Those decided on too.")] = False,
) -> None:
    """What the public has complained of and nobody has decided on yet, the oldest first."""
    from store.complaints import complaints_about

    session.require_staff("An applicant may not read what the public complains of.")
    number = None if base is None else session.found(base).case.case_number
    session.show(complaints_about(session.engine, session.letterbox, number, every=all_), _complaints_table)


def dismiss(session: Session, complaint: ComplaintArgument, reason: Reason) -> None:
    """Decide that nothing follows from a complaint; one that something follows from: conduct report --complaint."""
    from domain.commands import DismissComplaint
    from starter.sending import act
    from store.complaints import case_of

    reference, why = _reference(complaint), given_reason(reason)
    session.require_usable_options()
    number = case_of(session.engine, reference)
    if number is None:
        raise CommandError(3, "not_found", f"There is no complaint {reference}.", "See: livebase conduct complaints")
    act(session, number, lambda given: DismissComplaint(**given, complaint=reference, reason=why))


def authorise(
    session: Session,
    base: BaseArgument,
    activity: Annotated[str, typer.Option("--activity", metavar="TEXT", help="What is authorised.")],
    until: Annotated[str, typer.Option("--until", metavar="DATE", help="The last day it may be done.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The written authorisation.")],
) -> None:
    """Put a written authorisation on record (R5)."""
    from domain.commands import Authorise
    from starter.sending import act

    if not readable(activity) or len(activity) > _LONGEST_ACTIVITY:
        raise usage(
            f"--activity has 1 to {_LONGEST_ACTIVITY} printable characters.", "For example: --activity 双十一专场"
        )
    day = given_day("--until", until)
    documents = evidence([file])
    act(
        session,
        base,
        lambda given: Authorise(**given, activity=activity.strip(), until=day, evidence=tuple(documents)),
        documents,
    )


def _reference(text: str) -> str:
    """A complaint's reference. CommandError (2) for what can be none."""
    from domain.complaints import complaint_reference

    reference = complaint_reference(text)
    if reference is None:
        raise usage(f"{text[:40]!r} is no complaint's reference.", "See them with: livebase conduct complaints")
    return reference


def _typed(conduct: str) -> str:
    return "".join(conduct.split()).upper()


def _found(session: Session, conduct: str) -> FoundCase:
    """The certification case a conduct case is part of. CommandError (3) when there is none."""
    number, dash, _ = _typed(conduct).rpartition("-C")
    found = session.meant(number) if dash else None
    if found is None or found.case.conduct_case(_typed(conduct)) is None:
        raise not_found(conduct)
    return found


def _next_id(session: Session, found: FoundCase) -> str:
    """The id the report's conduct case is to have: of a repeat the one it got."""
    answer = session.answered_before()
    if answer is not None and answer.conduct is not None and answer.case_number == found.case.case_number:
        return answer.conduct
    return f"{found.case.case_number}-C{len(found.case.conduct) + 1}"


def _show_table(view: dict[str, Any]) -> None:
    rows: list[tuple[str, object]] = [
        ("conduct case", view["id"]),
        ("case", view["case_number"]),
        ("rule", f"{view['rule']} {plain(view['says'])}"),
        ("severity", word(view["severity"])),
        ("found on", view["found_on"]),
        ("reported", f"{when(view['opened_at'])} {actor(view['reported_by'])}"),
        ("facts", plain(view["facts"])),
        ("state", word(view["state"], "conduct")),
    ]
    if view["awaiting"]:
        rows.append(("awaiting", f"{word(view['awaiting'])} {word('by')} {deadline(view['due_at'])}"))
    if view["answer"]:
        rows.append(("answer", plain(view["answer"])))
    if view["outcome"]:
        rows.append(("outcome", word(view["outcome"], "conduct")))
    rows += [("loss", f"{word(loss['kind'], 'loss')}: {plain(loss['description'])}") for loss in view["losses"]]
    rows += [("account", plain(account)) for account in view["affected_accounts"]]
    rows += [("authorised", _authorised(one)) for one in view["authorisations"]]
    if view["possible"]:
        rows.append(("may be decided", ", ".join(view["possible"])))
    print_table(("", ""), rows)


def _authorised(one: dict[str, Any]) -> str:
    """An authorisation, and whether it may be acted on."""
    given = f"{plain(one['activity'])} {word('through')} {one['until']}"
    if one["ended_at"]:
        return f"{given}, {loud(word('ended'))} {deadline(one['ended_at'])}"
    return f"{given}, {word('in force') if one['in_force'] else word('paused')}"


def _complaints_table(rows: list[dict[str, Any]]) -> None:
    if not rows:
        say("No complaints.")
        return
    print_table(
        ("complaint", "when", "base", "facts", "contact", "outcome"),
        [
            (
                row["reference"],
                when(row["received_at"]),
                f"{plain(row['name'])} {row['case_number']} {row['certificate_number']}",
                _told(row),
                plain(row["contact"] or ""),
                f"{word(row['outcome'], 'complaint')} {plain(row['reason'])}".rstrip() if row["outcome"] else "",
            )
            for row in rows
        ],
    )


def _told(complaint: dict[str, Any]) -> str:
    """What was written, with the address it is to be seen at."""
    if not complaint["readable"]:
        return str(loud(word("can't be read any more")))
    return plain("\n".join(filter(None, (complaint["text"], complaint["link"]))))


def _list_table(rows: list[dict[str, Any]]) -> None:
    if not rows:
        say("No conduct cases.")
        return
    print_table(
        ("conduct case", "base", "rule", "severity", "state", "awaiting", "due"),
        [
            (
                row["id"],
                plain(row["name"]),
                row["rule"],
                word(row["severity"]),
                word(row["state"], "conduct"),
                word(row["awaiting"]) if row["awaiting"] else "",
                deadline(row["due_at"]) if row["due_at"] else "",
            )
            for row in rows
        ],
    )
