"""The signed record in a certificate's PDF, read by whoever was handed the file: what it is proven to say.

The signature is on the record, not on the page. The text of the page has to be what is printed of that record and
nothing else, so that the record of one certificate is noticed in the PDF of another; what a picture shows nobody can
compare but people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from register.paper import is_said
from register.proof import Keys, NotProven, proven
from register.reading import Read, read_apart


def proven_record(content: bytes, keys: Keys, read: Callable[[bytes], Read] = read_apart) -> tuple[dict[str, Any], str]:
    """The record of a PDF's certificate, and the id of the key it is signed with. NotProven for anything else."""
    found = read(content)
    if found.record is None:
        raise NotProven("it has no signed record of one certificate attached")
    document, key = proven(found.record, keys)
    require_said(found, document, found.record)
    return document, key


def require_said(found: Read, document: Mapping[str, Any], record: bytes | None) -> None:
    """That a PDF says what a `term` document says, and has its record. NotProven names what it does not."""
    try:
        said = is_said(found.text, document, signed=record is not None)
    except (KeyError, TypeError, ValueError, OverflowError):
        raise NotProven("its record is of no certificate") from None
    if not said:
        other = document["certificate"]["number"] not in found.text
        raise NotProven(
            "its record is of another certificate" if other else "its page says something else than its record"
        )
    if found.record != record:
        raise NotProven("it has another record")
