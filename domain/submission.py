"""A submission: an application with the documents it names, as it is kept and reviewed.

It travels and is stored as canonical bytes under their sha256; a revision of the application is one of them.
Documents are known by content: the bytes themselves are in the document store under their own sha256.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.application import Application, InvalidApplication, read_application
from domain.fields import DocumentPath, Listed, Text, plain_problems
from domain.refusals import Problem

MediaType = Literal["application/pdf", "image/jpeg", "image/png"]


class DocumentRef(BaseModel):
    """One document: its path in the application, its content's sha256 (hex), its size in bytes, its type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    path: DocumentPath
    sha256: str = Field(pattern=r"\A[0-9a-f]{64}\z")
    size: int = Field(gt=0)
    media_type: MediaType


class Submission(BaseModel):
    """An application and exactly the documents it names, one per path, in the order of their paths."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    application: Application
    documents: Annotated[tuple[DocumentRef, ...], Listed]
    documents_note: Text | None

    def canonical_bytes(self) -> bytes:
        """UTF-8 JSON, keys sorted, no spaces: the same submission always gives the same bytes."""
        data = self.model_dump(mode="json")
        data["documents"].sort(key=lambda document: document["path"])
        return json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()

    @property
    def sha256(self) -> str:
        """The sha256 (hex) of the canonical bytes: what commands and records name the submission by."""
        return hashlib.sha256(self.canonical_bytes()).hexdigest()

    @classmethod
    def from_bytes(cls, data: bytes, *, today: date) -> Submission:
        """The submission in canonical bytes, judged again in full: whoever stored them need not have.

        `today` as in `read_application`. Raises `InvalidApplication` with every problem.
        """
        try:
            content = json.loads(data)
        except (ValueError, RecursionError):
            raise InvalidApplication((Problem("", "is not a submission: no JSON in UTF-8"),)) from None
        if not isinstance(content, dict):
            raise InvalidApplication((Problem("", "must be a mapping of fields"),))
        application = read_application(content.get("application"), today=today)
        try:
            submission = cls.model_validate({**content, "application": application})
        except ValidationError as error:
            raise InvalidApplication(plain_problems(error)) from None
        problems = tuple(document_problems(application, submission.documents))
        if problems:
            raise InvalidApplication(problems)
        return submission


def document_problems(application: Application, documents: tuple[DocumentRef, ...]) -> list[Problem]:
    """Documents named but not there, there but not named, or there twice."""
    named = application.document_paths()
    there = [document.path for document in documents]
    missing = [Problem(fields[0], "has no document") for path, fields in named.items() if path not in there]
    unused = [
        Problem(f"documents[{i}]", "is not named by the application, or twice there")
        for i, path in enumerate(there)
        if path not in named or path in there[:i]
    ]
    return missing + unused
