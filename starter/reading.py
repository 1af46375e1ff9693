"""Reading: show, list, timeline, next, the application and its documents. Works with Temporal down."""

from pathlib import Path
from typing import Annotated, Any

import typer

from starter.applying import BaseArgument
from starter.errors import CommandError, usage
from starter.options import command, new_app
from starter.output import deadline, money, plain, print_table, say, when
from starter.session import Session


def register(app: typer.Typer) -> None:
    command(app, "show")(show)
    command(app, "list")(list_bases)
    command(app, "timeline")(timeline)
    command(app, "next")(next_events)
    application = new_app("application", "The application.")
    command(application, "show")(show_application)
    app.add_typer(application)
    documents = new_app("documents", "The documents handed in.")
    command(documents, "list")(list_documents)
    command(documents, "open")(open_document)
    command(documents, "save")(save_documents)
    app.add_typer(documents)


def show(session: Session, base: BaseArgument) -> None:
    """Everything about a base, now."""
    found = session.readable(base)
    view = session.reader.base_view(found, session.wall)
    view["workflow"]["url"] = session.web_link(found.case.workflow_id, found.run_id)
    session.show(view, _show_table)


def list_bases(
    session: Session,
    standing: Annotated[str | None, typer.Option("--standing")] = None,
    stage: Annotated[str | None, typer.Option("--stage")] = None,
    awaiting: Annotated[str | None, typer.Option("--awaiting", metavar="ROLE")] = None,
    due_before: Annotated[str | None, typer.Option("--due-before", metavar="DATE")] = None,
) -> None:
    """All cases, soonest deadline first."""
    from domain.permissions import same_person
    from domain.shanghai import midnight, parse_date
    from domain.stages import Role, Stage, Standing
    from store.queries import summary

    try:
        due = midnight(parse_date(due_before)) if due_before else None
    except ValueError:
        raise usage("--due-before is a date such as 2026-03-02.", "Dates are Shanghai dates.") from None
    cases = session.reader.list_cases(
        session.wall,
        standing=_one_of(Standing, standing, "--standing"),
        stage=_one_of(Stage, stage, "--stage"),
        awaiting=_one_of(Role, awaiting, "--awaiting"),
        due_before=due,
    )
    if session.acting_as and session.actor.role is Role.APPLICANT:
        cases = [found for found in cases if same_person(found.case.applicant, session.actor.name)]
    session.show([summary(found, session.wall) for found in cases], _list_table)


def timeline(session: Session, base: BaseArgument) -> None:
    """What happened, who did it, when: by law and as observed."""
    session.show(session.reader.timeline(session.readable(base).case.case_number), _timeline_table)


def next_events(session: Session, base: BaseArgument) -> None:
    """What happens next and when, if nobody does anything; which commands are open to whom."""
    from domain.judging import open_to
    from store.queries import shown

    case = session.readable(base).case
    view = {
        "case_number": case.case_number,
        "stage": case.stage.value,
        "awaiting": case.awaiting.value,
        "due_at": shown(case.due_at),
        "events": [
            {"event": p.event.value, "at": shown(p.at), "what": p.what, "provisional": p.provisional}
            for p in sorted(case.plan, key=lambda planned: planned.at)
        ],
        "commands": {action: sorted(roles) for action, roles in open_to(case).items()},
    }
    session.show(view, _next_table)


def show_application(
    session: Session,
    base: BaseArgument,
    revision: Annotated[int | None, typer.Option("--revision", help="Default: the newest.")] = None,
) -> None:
    """The application as handed in, and its findings."""
    found = session.readable(base)
    number = revision or found.case.revision
    submission = _submission(session, found, number)
    view = {
        "case_number": found.case.case_number,
        "revision": number,
        "application": submission.application.model_dump(mode="json"),
        "documents_note": submission.documents_note,
        "documents": [document.model_dump(mode="json") for document in submission.documents],
        "findings": session.reader.findings(found.case.case_number),
    }
    session.show(view, _application_table)


def list_documents(session: Session, base: BaseArgument) -> None:
    """The documents of the newest revision."""
    found = session.readable(base)
    submission = _submission(session, found, found.case.revision)
    documents = [document.model_dump(mode="json") for document in submission.documents]
    session.show(
        documents,
        lambda rows: print_table(
            ("document", "type", "bytes", "sha256"),
            [(d["path"], d["media_type"], d["size"], d["sha256"]) for d in rows],
        ),
    )


def open_document(session: Session, base: BaseArgument, document: Annotated[str, typer.Argument()]) -> None:
    """Save one document to a temporary folder and open it where there is a screen; prints its path."""
    import tempfile

    found = session.readable(base)
    path = _save(session, _chosen(session, found, document), Path(tempfile.mkdtemp(prefix="livebase-")))
    session.show({"path": str(path)}, lambda view: print(view["path"]))
    typer.launch(str(path))


def save_documents(
    session: Session,
    base: BaseArgument,
    document: Annotated[str | None, typer.Argument()] = None,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="The folder to save to.")] = Path(),
) -> None:
    """Save one document, or all of them; each is checked against its hash."""
    found = session.readable(base)
    chosen = _chosen(session, found, document)
    saved = [str(_save(session, [one], to)) for one in chosen]
    session.show([{"path": path} for path in saved], lambda rows: [print(row["path"]) for row in rows])


def _submission(session: Session, found: Any, revision: int) -> Any:
    from domain.submission import Submission
    from store.documents import DocumentDamaged, DocumentMissing

    sha256 = session.reader.submission(found.case.case_number, revision)
    if sha256 is None:
        raise CommandError(3, "not_found", f"There is no revision {revision}.", f"The newest is {found.case.revision}.")
    try:
        return Submission.from_bytes(session.documents.get(sha256), today=session.today)
    except (DocumentMissing, DocumentDamaged) as error:
        raise CommandError(1, "document_damaged", str(error), "Restore the document store from its backup.") from error


def _chosen(session: Session, found: Any, document: str | None) -> list[Any]:
    documents = list(_submission(session, found, found.case.revision).documents)
    if document is None:
        return documents
    chosen = [one for one in documents if document in (one.path, one.sha256) or one.sha256.startswith(document)]
    if not chosen:
        raise CommandError(
            3, "not_found", "There is no such document.", f"See: livebase documents list {found.case.case_number}"
        )
    return chosen[:1]


def _save(session: Session, documents: list[Any], folder: Path) -> Path:
    from store.documents import DocumentDamaged, DocumentMissing

    (document,) = documents
    path = folder / Path(document.path).name
    if path.exists():
        path = folder / f"{document.sha256[:8]}-{path.name}"
    try:
        data = session.documents.get(document.sha256)
    except (DocumentMissing, DocumentDamaged) as error:
        raise CommandError(1, "document_damaged", str(error), "Restore the document store from its backup.") from error
    folder.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def _one_of(kind: Any, value: str | None, option: str) -> Any:
    if value is None:
        return None
    try:
        return kind(value)
    except ValueError:
        raise usage(f"{option} {value[:40]!r} is unknown.", f"One of: {', '.join(kind)}") from None


def _list_table(rows: list[dict[str, Any]]) -> None:
    if not rows:
        say("No cases.")
        return
    columns = ("case", "base", "stage", "standing", "awaiting", "due", "valid until")
    print_table(
        columns,
        [
            (
                r["case_number"],
                r["name"],
                r["stage"],
                r["standing"],
                r["awaiting"],
                deadline(r["due_at"]),
                r["valid_until"],
            )
            for r in rows
        ],
    )


def _timeline_table(rows: list[dict[str, Any]]) -> None:
    print_table(
        ("#", "when (legal)", "observed", "who", "what", "detail"),
        [
            (
                r["sequence"],
                when(r["legal_at"]),
                "" if r["observed_at"] == r["legal_at"] else when(r["observed_at"]),
                r["actor"],
                r["event"],
                _detail(r["detail"]),
            )
            for r in rows
        ],
    )


def _detail(detail: dict[str, Any]) -> str:
    parts = []
    for key, value in detail.items():
        if key in ("submission", "evidence") or value in (None, "", [], {}, False):
            continue
        parts.append(f"{key} {money(value) if isinstance(value, dict) and 'fen' in value else value}")
    return ", ".join(parts)


def _next_table(view: dict[str, Any]) -> None:
    who = view["awaiting"] + (f" by {deadline(view['due_at'])}" if view["due_at"] else "")
    print(f"{view['case_number']}  stage {view['stage']}, awaiting {who}")
    if view["events"]:
        rows = [(when(e["at"]), e["what"], "provisional" if e["provisional"] else "") for e in view["events"]]
        print_table(("if nobody acts", "", ""), rows)
    print_table(("open command", "to"), [(a, ", ".join(roles)) for a, roles in view["commands"].items()])


def _show_table(view: dict[str, Any]) -> None:
    rows: list[tuple[str, object]] = [
        ("base", f"{view['name']}  {view['credit_code']}"),
        ("case", f"{view['case_number']}, revision {view['revision']}, policy {view['policy_version']}"),
        ("stage", view["stage"]),
        ("standing", view["standing"]),
        ("awaiting", view["awaiting"] + (f" by {deadline(view['due_at'])}" if view["due_at"] else "")),
    ]
    if term := view["term"]:
        rows.append(("term", f"{term['certificate_number']}, {when(term['from'])} through {term['last_day']} 24:00"))
    deposit = view["deposit"]
    held = f"{money(deposit['held'])} of {money(deposit['required'])} CNY held"
    extra = f", {money(deposit['unmatched'])} unmatched" if deposit["unmatched"]["fen"] else ""
    rows.append(("deposit", held + extra))
    publication = view["publication"]
    if publication["state"] != "none":
        mark = " (provisional)" if publication["provisional"] else ""
        breached = ", R3 breached" if publication["breached"] else ""
        rows.append(("publication", f"{publication['state']}, due {publication['due_date']}{mark}{breached}"))
    if ending := view["ending"]:
        rows.append(
            ("ending", f"{ending['kind']} ({ending['cause']}) on {when(ending['legal_at'])}: {ending['reason']}")
        )
    for task in view["tasks"]:
        due = f" by {deadline(task['due_at'])}" if task["due_at"] else ""
        mark = " (provisional)" if task["provisional"] else ""
        rows.append(("task", f"{task['kind']} — {task['assignee'] or task['role']}{due}{mark}"))
    if view["benefits"]:
        rows.append(("benefits", "  ".join(f"{b['benefit']} {b['state']}" for b in view["benefits"])))
    if view["workflow"]["url"]:
        rows.append(("Temporal Web", view["workflow"]["url"]))
    print_table(("", ""), rows)
    findings = [(f["condition"], f["outcome"], f["message"]) for f in view["findings"]]
    print_table(("finding", "outcome", "message"), findings)


def _application_table(view: dict[str, Any]) -> None:
    print(f"{view['case_number']}, revision {view['revision']}")
    rows = []
    for section, content in view["application"].items():
        fields = content.items() if isinstance(content, dict) else [("", content)]
        rows += [(f"{section}.{name}" if name else section, _flat(value)) for name, value in fields]
    print_table(("field", "value"), rows)
    print_table(
        ("finding", "outcome", "message"), [(f["condition"], f["outcome"], f["message"]) for f in view["findings"]]
    )


def _flat(value: object) -> str:
    if isinstance(value, list):
        return "; ".join(_flat(one) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_flat(one)}" for key, one in value.items())
    return plain(value)
