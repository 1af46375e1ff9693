"""Documents in tests: keys known to all, and the examples' documents handed over with a submission."""

from __future__ import annotations

import hashlib
from datetime import date
from functools import cache
from pathlib import Path

from domain.key_set import KeySet, written_key_set
from domain.submission import Submission
from starter.application_file import ReadFile, read_application_file
from store.documents import Documents, DocumentStore

EXAMPLES = Path(__file__).parent.parent / "examples"
KEYS = KeySet({"tests": bytes(range(32))})


def document_store(folder: Path) -> DocumentStore:
    """The documents of an office in a folder."""
    return DocumentStore(folder / "documents", KEYS)


def document_keys(folder: Path) -> Path:
    """The file of their keys, made when there is none."""
    file = folder / "document-keys.json"
    file.touch(0o600)
    file.write_text(written_key_set(KEYS))
    return file


def pseudonym(text: str) -> str:
    """What stands for a name where no documents are."""
    return hashlib.sha256(f"tests {text}".encode()).hexdigest()


def hand_over(documents: Documents, submission: Submission) -> str:
    """A submission and the examples' documents it names, put where the command line puts them; its sha256."""
    known = _examples()
    for document in submission.documents:
        documents.put(known[document.sha256])
    return documents.put(submission.canonical_bytes())


@cache
def read_example(name: str, today: date) -> ReadFile:
    return read_application_file(EXAMPLES / name / "application.yaml", today=today)


@cache
def _examples() -> dict[str, bytes]:
    names = ("passes", "seven-months", "limits", "deficient", "overseas")
    files = [read_example(name, date(2026, 11, 24)).document_files for name in names]
    return {sha256: path.read_bytes() for those in files for sha256, path in those.items()}
