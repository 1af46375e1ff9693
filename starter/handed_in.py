"""What was handed in: applications, revision by revision, and their documents. Works with Temporal down."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from starter import completing
from starter.applying import BaseArgument
from starter.errors import CommandError, not_found, unreachable
from starter.options import command, new_app
from starter.output import flat, plain, print_table, word
from starter.phrases import findings_table
from starter.session import Session

if TYPE_CHECKING:
    from domain.case import Case
    from domain.submission import DocumentRef, Submission
    from store.queries import FoundCase

_ENDINGS = {"application/pdf": ".pdf", "image/jpeg": ".jpg", "image/png": ".png"}
_HASH = re.compile(r"[0-9a-f]{4,64}")

DocumentArgument = Annotated[str, typer.Argument(autocompletion=completing.documents)]


def register(app: typer.Typer) -> None:
    application = new_app("application", "The application.")
    command(application, "show")(show_application)
    app.add_typer(application)
    documents = new_app("documents", "The documents handed in.")
    command(documents, "list")(list_documents)
    command(documents, "open")(open_document)
    command(documents, "save")(save_documents)
    app.add_typer(documents)


def show_application(
    session: Session,
    base: BaseArgument,
    revision: Annotated[int | None, typer.Option("--revision", min=1, help="Default: the newest.")] = None,
    diff: Annotated[int | None, typer.Option("--diff", min=1, metavar="M", help="What changed since M.")] = None,
) -> None:
    """The application as handed in; with the newest revision its findings."""
    from store.queries import summary
    from store.search import same_overseas_entity

    found = session.readable(base)
    case, today = found.case, session.clock_date(found)
    number = revision or case.revision
    submission = read_submission(session, case, number, today)
    view: dict[str, Any] = {
        "case_number": case.case_number,
        "revision": number,
        "application": submission.application.model_dump(mode="json"),
        "documents_note": submission.documents_note,
        "documents": [document.model_dump(mode="json") for document in submission.documents],
        "findings": session.reader.findings(case.case_number) if number == case.revision else None,
    }
    if session.only_applicant is None:
        view["same_representative"] = session.reader.same_representative(case, session.wall)
        others = same_overseas_entity(session.engine, case)
        view["same_overseas_entity"] = [summary(other, session.wall) for other in others]
    if diff is None:
        session.show(view, _application_table)
        return
    earlier = read_submission(session, case, diff, today)
    changes = _changes(_content(earlier), _content(submission))
    session.show({**view, "diff": {"since": diff, "changes": changes}}, _diff_table)


def list_documents(session: Session, base: BaseArgument) -> None:
    """The documents of the newest revision."""
    found = session.readable(base)
    documents = [document.model_dump(mode="json") for document in _documents(session, found, found.case.revision)]
    session.show(
        documents,
        lambda rows: print_table(
            ("document", "type", "bytes", "sha256"),
            [(d["path"], d["media_type"], d["size"], d["sha256"]) for d in rows],
        ),
    )


def open_document(session: Session, base: BaseArgument, document: DocumentArgument) -> None:
    """Save one document to a temporary folder and, on a terminal, open it; prints its path."""
    import sys
    import tempfile

    (chosen,) = _chosen(session, session.readable(base), document)
    path = _save(session, chosen, Path(tempfile.mkdtemp(prefix="livebase-")))
    session.show({"path": str(path)}, lambda view: print(plain(view["path"])))
    if sys.stdout.isatty():
        typer.launch(str(path))


def save_documents(
    session: Session,
    base: BaseArgument,
    document: Annotated[str | None, typer.Argument(autocompletion=completing.documents)] = None,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="The folder to save to.")] = Path(),
) -> None:
    """Save one document, or all of them; each is checked against its hash."""
    chosen = _chosen(session, session.readable(base), document)
    saved = [{"path": str(_save(session, one, to))} for one in chosen]
    session.show(saved, lambda rows: [print(plain(row["path"])) for row in rows])


def read_submission(session: Session, case: Case, revision: int, today: date) -> Submission:
    """A revision as handed in. CommandError: 3 for no such revision, 1 when its bytes are not what they were."""
    from domain.application import InvalidApplication
    from domain.submission import Submission

    sha256 = session.reader.submission(case.case_number, revision)
    if sha256 is None:
        message = f"Case {case.case_number} has no revision {revision}."
        raise CommandError(3, "not_found", message, f"The newest is {case.revision}.")
    try:
        return Submission.from_bytes(_bytes(session, sha256), today=today)
    except InvalidApplication as error:
        message = f"Revision {revision} of case {case.case_number} can't be read ({len(error.problems)} problems)."
        raise CommandError(
            1, "document_damaged", message, "Restore the document store from its backup.", error.problems
        ) from error


def _bytes(session: Session, sha256: str) -> bytes:
    from store.documents import DocumentDamaged, DocumentMissing

    try:
        return session.documents.get(sha256)
    except (DocumentMissing, DocumentDamaged) as error:
        raise CommandError(1, "document_damaged", f"{error}.", "Restore the document store from its backup.") from error
    except Exception as error:  # obstore has an error for each kind of store
        message = f"The document store can't be read ({type(error).__name__})."
        raise unreachable(message, "Check LIVEBASE_DOCUMENTS and its rights; run: livebase doctor") from error


def _documents(session: Session, found: FoundCase, revision: int) -> list[DocumentRef]:
    return list(read_submission(session, found.case, revision, session.clock_date(found)).documents)


def _chosen(session: Session, found: FoundCase, document: str | None) -> list[DocumentRef]:
    """The documents a person means: the newest revision's, or the one of that path or hash (or its beginning).

    A hash, but no path, finds those of earlier revisions too.
    """
    case = found.case
    documents = _documents(session, found, case.revision)
    if document is None:
        return documents
    if not any(document == one.path for one in documents) and _HASH.fullmatch(document):
        for revision in range(case.revision - 1, 0, -1):
            documents += _documents(session, found, revision)
    exact = [one for one in documents if document in (one.path, one.sha256)]
    begun = [one for one in documents if len(document) >= 4 and one.sha256.startswith(document)]
    chosen = exact[:1] or begun
    if len({one.sha256 for one in chosen}) != 1:
        error = not_found(document)
        error.hint = f"Give a document's path or hash; see: livebase documents list {case.case_number}"
        raise error
    return chosen[:1]


def _save(session: Session, document: DocumentRef, folder: Path) -> Path:
    """Write a document into the folder, under its own name or, where that is taken, with its hash before it.

    The applicant chose the name: it becomes no hidden file, and its ending is what the content is.
    """
    data = _bytes(session, document.sha256)
    name = Path(document.path).stem.lstrip(".") or "document"
    name += _ENDINGS[document.media_type]
    for path in (folder / name, folder / f"{document.sha256[:8]}-{name}"):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:  # never over a file that is there, never through a link
                file.write(data)
            return path
        except FileExistsError:
            if path.is_file() and not path.is_symlink() and path.read_bytes() == data:
                return path
        except OSError as error:
            message = f"{folder} can't be written ({error.strerror})."
            raise CommandError(1, "not_saved", message, "Name another folder: --to DIR") from error
    raise CommandError(
        1, "not_saved", f"{name} is there already, and is another file.", "Name another folder: --to DIR"
    )


def _content(submission: Submission) -> dict[str, Any]:
    """What the applicant wrote, and which content stands behind each document's path."""
    documents = {document.path: document.sha256 for document in submission.documents}
    application = submission.application.model_dump(mode="json")
    return {**application, "documents_note": submission.documents_note, "documents": documents}


def _changes(before: Any, after: Any, path: str = "") -> list[dict[str, Any]]:
    """Each field that differs, by its path in the file; those of a section that was not there have no value there."""
    if before == after:
        return []
    if all(isinstance(one, dict) or one is None for one in (before, after)):
        mark, old, new = f"{path}." if path else "", before or {}, after or {}
        names = list(dict.fromkeys([*old, *new]))
        changes = [change for name in names for change in _changes(old.get(name), new.get(name), f"{mark}{name}")]
        if changes:
            return changes
    return [{"path": path, "before": before, "after": after}]


def _fields(content: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Each field by its path in the file; a list of documents in one line, a list of sections one by one."""
    if isinstance(content, dict):
        for name, value in content.items():
            yield from _fields(value, f"{path}.{name}" if path else name)
    elif isinstance(content, list) and any(isinstance(one, dict) for one in content):
        for number, value in enumerate(content):
            yield from _fields(value, f"{path}[{number}]")
    else:
        yield path, "—" if content in (None, []) else flat(content)


def _application_table(view: dict[str, Any]) -> None:
    print(f"{view['case_number']}, {word('revision')} {view['revision']}")
    rows = [*_fields(view["application"])]
    if view["documents_note"]:
        rows.append(("documents_note", view["documents_note"]))
    print_table(("field", "value"), rows)
    if view["findings"] is not None:
        findings_table(view["findings"])
    if others := view.get("same_representative"):
        print_table(("same legal representative", "base", "standing"), _flagged(others))
    if others := view.get("same_overseas_entity"):
        print_table(("same overseas entity", "base", "standing"), _flagged(others))


def _flagged(others: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    """Cases of other enterprises behind which the same one stands (decision 30)."""
    return [(o["case_number"], o["name"], word(o["standing"], "standing")) for o in others]


def _diff_table(view: dict[str, Any]) -> None:
    print(f"{view['case_number']}, {word('revision')} {view['diff']['since']} → {view['revision']}")
    rows = [(change["path"], flat(change["before"]), flat(change["after"])) for change in view["diff"]["changes"]]
    print_table(("field", "before", "after"), rows)
