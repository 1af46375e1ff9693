"""A submission is the same bytes every time, and is judged again when it is read from them."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from pydantic import ValidationError

from domain.application import InvalidApplication
from domain.submission import DocumentRef, Submission
from tests.domain.handed_in import TODAY, application


def document(path: str, content: str = "") -> DocumentRef:
    sha256 = hashlib.sha256((content or path).encode()).hexdigest()
    return DocumentRef(path=path, sha256=sha256, size=9, media_type="application/pdf")


def submission(changes: dict[str, Any] | None = None, note: str | None = "附新平面图\n见第二页") -> Submission:
    read = application(changes)
    documents = tuple(document(path) for path in sorted(read.document_paths()))
    return Submission(application=read, documents=documents, documents_note=note)


@pytest.mark.parametrize("note", [None, "附新平面图\n见第二页"])
def test_round_trips(note: str | None) -> None:
    sent = submission({"base.name": "𠀋𠮷基地\U00030000"}, note)
    assert Submission.from_bytes(sent.canonical_bytes(), today=TODAY) == sent


def test_canonical_bytes_do_not_depend_on_the_order_of_documents() -> None:
    sent = submission()
    turned = sent.model_copy(update={"documents": sent.documents[::-1]})
    assert turned.canonical_bytes() == sent.canonical_bytes()
    assert sent.sha256 == hashlib.sha256(sent.canonical_bytes()).hexdigest()


def test_canonical_bytes_are_plain_json() -> None:
    content = submission().canonical_bytes()
    assert content.startswith(b'{"application":{"agreement":{"accepted_on":"2026-01-05"')
    assert "义乌北苑直播基地".encode() in content
    assert b" :" not in content
    assert (
        json.dumps(json.loads(content), sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode() == content
    )


def test_another_value_gives_another_hash() -> None:
    assert submission({"facilities.live_rooms": 13}).sha256 != submission().sha256
    assert submission(note=None).sha256 != submission().sha256


BROKEN: list[tuple[str, Any, str]] = [
    ("no JSON", b"\xff\xfe", ""),
    ("deep", b"[" * 100_000, ""),
    ("a list", b"[]", ""),
    ("a value changed against the rules", {"application": {"base": {"name": ""}}}, "base.name"),
    ("a document missing", {"documents": []}, "entity.taxpayer_evidence"),
    ("a document nobody names", {"documents": [{"path": "extra.pdf"}]}, "documents[9]"),
    ("a hash that is none", {"documents": [{"sha256": "A" * 64}]}, "documents[9].sha256"),
    ("a size of zero", {"documents": [{"size": 0}]}, "documents[9].size"),
    ("another type", {"documents": [{"media_type": "text/html"}]}, "documents[9].media_type"),
    ("an unknown field", {"is_admin": True}, "is_admin"),
    ("a note that is none", {"documents_note": "\u200b"}, "documents_note"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "path"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN])
def test_what_is_no_submission_is_refused(change: Any, path: str) -> None:
    content = change
    if isinstance(change, dict):
        data = json.loads(submission().canonical_bytes())
        extra = change.pop("documents", None)
        if extra is not None:
            whole = {**data["documents"][0], **(extra[0] if extra else {})}
            data["documents"] = [*data["documents"], whole] if extra else []
        for section, fields in change.get("application", {}).items():
            data["application"][section].update(fields)
        data.update({key: value for key, value in change.items() if key != "application"})
        content = json.dumps(data).encode()
    with pytest.raises(InvalidApplication) as refused:
        Submission.from_bytes(content, today=TODAY)
    assert refused.value.problems[0].path == path


def test_two_documents_under_one_path_are_refused() -> None:
    sent = submission()
    twice = sent.model_copy(update={"documents": (*sent.documents, document(sent.documents[0].path, "other"))})
    with pytest.raises(InvalidApplication):
        Submission.from_bytes(twice.canonical_bytes(), today=TODAY)


def test_a_document_is_what_it_says() -> None:
    with pytest.raises(ValidationError):
        document("../secret.pdf")
