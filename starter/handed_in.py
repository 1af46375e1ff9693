"""Applications as they were handed in, revision by revision. Works with Temporal down."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from starter.applying import BaseArgument
from starter.errors import CommandError, unreachable
from starter.options import command, new_app
from starter.output import flat, print_table, word
from starter.phrases import findings_table
from starter.session import Session

if TYPE_CHECKING:
    from domain.case import Case
    from domain.submission import Submission


def register(app: typer.Typer) -> None:
    application = new_app("application", "The application.")
    command(application, "show")(show_application)
    app.add_typer(application)


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


def read_submission(session: Session, case: Case, revision: int, today: date) -> Submission:
    """A revision as handed in. CommandError: 3 for no such revision, 1 when its bytes are not what they were."""
    from domain.application import InvalidApplication
    from domain.submission import Submission

    sha256 = session.reader.submission(case.case_number, revision)
    if sha256 is None:
        message = f"Case {case.case_number} has no revision {revision}."
        raise CommandError(3, "not_found", message, f"The newest is {case.revision}.")
    try:
        return Submission.from_bytes(document_bytes(session, case, sha256), today=today)
    except InvalidApplication as error:
        message = f"Revision {revision} of case {case.case_number} can't be read ({len(error.problems)} problems)."
        raise CommandError(
            1, "document_damaged", message, "Restore the document store from its backup.", error.problems
        ) from error


def paper_told(session: Session, workflow_id: str, sha256: str, place: str) -> bytes | None:
    """What somebody wrote about a case, for who may read of that case; None when it was erased (`domain.written`)."""
    from domain.written import FOR_THE_STAFF, UNREADABLE
    from store.documents import DocumentsErased

    applicant = session.only_applicant
    if applicant is not None and (
        place.startswith(FOR_THE_STAFF) or not session.reader.is_applicant_of(workflow_id, applicant)
    ):
        return UNREADABLE
    try:
        return session.documents_of(workflow_id).get(sha256)
    except DocumentsErased:
        return None
    except Exception:  # a lost paper hides nothing else that is told
        return UNREADABLE


def document_bytes(session: Session, case: Case, sha256: str) -> bytes:
    """A case's document, checked. CommandError: 1 when it is not what it was, 3 when erased, 6 without the store."""
    from store.documents import DocumentDamaged, DocumentMissing, DocumentsErased, KeyUnknown

    try:
        return session.documents_of(case.workflow_id).get(sha256)
    except CommandError:
        raise
    except DocumentsErased as error:
        hint = f"What is kept: livebase show {case.case_number}, livebase timeline {case.case_number}"
        raise CommandError(3, "not_found", f"{error}.", hint) from None
    except KeyUnknown as error:
        raise unreachable(f"{error}.", "Set LIVEBASE_DOCUMENT_KEYS to the file that the workers have") from None
    except (DocumentMissing, DocumentDamaged) as error:
        raise CommandError(1, "document_damaged", f"{error}.", "Restore the document store from its backup.") from error
    except Exception as error:  # obstore has an error for each kind of store
        message = f"The document store can't be read ({type(error).__name__})."
        raise unreachable(message, "Check LIVEBASE_DOCUMENTS and its rights; run: livebase doctor") from error


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
