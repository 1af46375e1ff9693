"""The papers of a case: the documents of its application and the evidence since. Works with Temporal down."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from starter import completing
from starter.applying import BaseArgument, Reason, given_reason
from starter.errors import CommandError, not_found
from starter.handed_in import document_bytes, read_submission
from starter.measures import require_typed_number
from starter.options import command, new_app
from starter.output import plain, print_table, word
from starter.phrases import actor
from starter.session import Session

if TYPE_CHECKING:
    from domain.case import Case
    from domain.submission import DocumentRef
    from store.documents import Documents
    from store.papers import Evidence
    from store.queries import FoundCase

_ENDINGS = {"application/pdf": ".pdf", "image/jpeg": ".jpg", "image/png": ".png"}
_HASH = re.compile(r"[0-9a-f]{4,64}")

DocumentArgument = Annotated[str, typer.Argument(autocompletion=completing.documents)]


@dataclass(frozen=True)
class Paper:
    """A document of the application by its path, or evidence: what it belongs to, its entry, and who handed it in."""

    path: str
    sha256: str
    size: int | None
    media_type: str | None
    belongs_to: str = "application"
    sequence: int | None = None
    by: str | None = None


def register(app: typer.Typer) -> None:
    documents = new_app("documents", "The documents handed in.")
    command(documents, "list")(list_documents)
    command(documents, "open")(open_document)
    command(documents, "save")(save_documents)
    command(documents, "erase")(erase)
    app.add_typer(documents)


def list_documents(session: Session, base: BaseArgument) -> None:
    """The newest revision's documents, and all evidence by what it belongs to; an applicant not the reporter's."""
    papers = case_papers(session, session.readable(base))
    session.show([vars(paper) for paper in papers], _documents_table)


def open_document(session: Session, base: BaseArgument, document: DocumentArgument) -> None:
    """Save one document, or a piece of evidence, to a temporary folder and, on a terminal, open it; prints its path."""
    import sys
    import tempfile

    found = session.readable(base)
    (chosen,) = _chosen(session, found, document)
    path = _save(session, found.case, chosen, Path(tempfile.mkdtemp(prefix="livebase-")))
    session.show({"path": str(path)}, lambda view: print(plain(view["path"])))
    if sys.stdout.isatty():
        typer.launch(str(path))


def save_documents(
    session: Session,
    base: BaseArgument,
    document: Annotated[str | None, typer.Argument(autocompletion=completing.documents)] = None,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="The folder to save to.")] = Path(),
) -> None:
    """Save one document, or all of them, evidence too; each is checked against its hash."""
    found = session.readable(base)
    saved = [{"path": str(_save(session, found.case, one, to))} for one in _chosen(session, found, document)]
    session.show(saved, lambda rows: [print(plain(row["path"])) for row in rows])


def erase(session: Session, base: BaseArgument, reason: Reason) -> None:
    """Propose to erase all that was handed in for a closed case, for good; a second person approves it."""
    from domain.commands import EraseDocuments
    from starter.sending import act

    why = given_reason(reason)
    require_typed_number(session, base)
    act(session, base, lambda envelope: EraseDocuments(**envelope, reason=why))


def _documents(session: Session, found: FoundCase, revision: int) -> list[DocumentRef]:
    return list(read_submission(session, found.case, revision, session.clock_date(found)).documents)


def _chosen(session: Session, found: FoundCase, document: str | None) -> list[Paper]:
    """The papers a person means: all there are, or the one of that path or hash (or its beginning).

    A hash, but no path, finds documents of earlier revisions too.
    """
    case = found.case
    papers = case_papers(session, found)
    if document is None:
        return papers
    if not any(document == one.path for one in papers) and _HASH.fullmatch(document):
        for revision in range(case.revision - 1, 0, -1):
            papers += _of_the_application(_documents(session, found, revision))
    exact = [one for one in papers if document in (one.path, one.sha256)]
    begun = [one for one in papers if len(document) >= 4 and one.sha256.startswith(document)]
    chosen = exact[:1] or begun
    if len({one.sha256 for one in chosen}) != 1:
        error = not_found(document)
        error.hint = f"Give a document's path or hash; see: livebase documents list {case.case_number}"
        raise error
    return chosen[:1]


def case_papers(session: Session, found: FoundCase) -> list[Paper]:
    """The documents of the newest revision, then the evidence that who acts may read."""
    from store.papers import evidence_of

    evidence = evidence_of(session.engine, found.case.case_number, staff=session.only_applicant is None)
    documents = _documents(session, found, found.case.revision)
    kept = session.documents_of(found.case.workflow_id)
    return [*_of_the_application(documents), *(_of_the_case(kept, one) for one in evidence)]


def _of_the_application(documents: list[DocumentRef]) -> list[Paper]:
    return [Paper(one.path, one.sha256, one.size, one.media_type) for one in documents]


def _of_the_case(documents: Documents, evidence: Evidence) -> Paper:
    """What evidence is, its bytes tell, for it has no name of its own. What is lost is listed all the same."""
    from starter.document_files import media_type
    from store.documents import DocumentDamaged, DocumentMissing, DocumentsErased

    belongs = (evidence.purpose, evidence.sequence, evidence.by)
    try:
        data = documents.get(evidence.sha256)
    except (DocumentMissing, DocumentDamaged, DocumentsErased):
        return Paper(evidence.name, evidence.sha256, None, None, *belongs)
    return Paper(evidence.name, evidence.sha256, len(data), media_type(data), *belongs)


def _save(session: Session, case: Case, document: Paper, folder: Path) -> Path:
    """Write a document into the folder, under its own name or, where that is taken, with its hash before it.

    The applicant chose the name: it becomes no hidden file, and its ending is what the content is.
    """
    data = document_bytes(session, case, document.sha256)
    name = Path(document.path).stem.lstrip(".") or "document"
    name += _ENDINGS.get(document.media_type or "", "")
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


def _documents_table(rows: list[dict[str, Any]]) -> None:
    print_table(
        ("document", "belongs to", "#", "who", "type", "bytes", "sha256"),
        [
            (
                row["path"],
                _belongs(row["belongs_to"]) if row["sequence"] else "",
                row["sequence"],
                actor(row["by"]) if row["by"] else "",
                row["media_type"] or word("not in the document store"),
                row["size"],
                row["sha256"],
            )
            for row in rows
        ],
    )


def _belongs(purpose: str) -> str:
    ground, space, whose = purpose.partition(" ")
    return f"{word(ground, 'evidence')}{space}{whose}"
