"""The signed record in a certificate's PDF, read by whoever was handed the file: what it is proven to say.

The signature is on the record, not on the page. Whatever of the page can be read has to say what the record says, so
that the record of one certificate is noticed in the PDF of another; what a picture shows nobody can compare but people.
"""

from __future__ import annotations

import io
import logging
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from register.proof import ATTACHMENT, Keys, NotProven, proven

_MOST = 8 << 20
"""Bytes of a certificate, at most: ours have a hundred thousand."""
_PAGES = 4
_SIGN = re.compile(r"\[U\+([0-9A-F]{4,6})\]")
_NUMBER = re.compile(r"LBC-[0-9]{4}-[0-9]{6,9}")
_PRINTED = ("number", "name", "holder", "credit_code", "place")


def is_pdf(content: bytes) -> bool:
    return content[:1024].lstrip().startswith(b"%PDF-")


def proven_record(content: bytes, keys: Keys) -> tuple[dict[str, Any], str]:
    """The record of a PDF's certificate, and the id of the key it is signed with. NotProven for anything else."""
    if len(content) > _MOST:
        raise NotProven("it is too long for a certificate")
    record, text = _read(content)
    document, key = proven(record, keys)
    certificate = document.get("certificate")
    if not isinstance(certificate, Mapping):
        raise NotProven("its record is of no certificate")
    if set(_NUMBER.findall(text)) != {certificate.get("number")}:
        raise NotProven("its record is of another certificate")
    printed = _plain(text)
    for name in _PRINTED:
        if _plain(str(certificate.get(name))) not in printed:
            raise NotProven(f"its page has another {name.replace('_', ' ')} than its record")
    return document, key


def _read(content: bytes) -> tuple[bytes, str]:
    """The record, and the text of the pages. NotProven for a file that can't be read or has not one record."""
    from pypdf import PdfReader

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it would complain to whoever types the command
    try:
        reader = PdfReader(io.BytesIO(content))
        found = {name: list(files) for name, files in reader.attachments.items()}
        pages = reader.pages
        text = "\n".join(page.extract_text() for page in pages) if len(pages) <= _PAGES else None
    except Exception as error:  # a hostile file fails in as many ways as there are objects in it
        raise NotProven(f"it can't be read as a PDF ({type(error).__name__})") from None
    records = found.get(ATTACHMENT, [])
    if len(records) != 1 or text is None:
        raise NotProven("it has no signed record of one certificate attached")
    return bytes(records[0]), text


def _plain(text: str) -> str:
    """A text without what setting and reading it change: space, lines, and signs for what can't be printed."""
    whole = _SIGN.sub(lambda sign: chr(min(int(sign[1], 16), 0x10FFFF)), "".join(text.split()))
    return "".join(unicodedata.normalize("NFKC", whole).split())
