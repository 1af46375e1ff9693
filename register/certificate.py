"""A term's certificate as a PDF: the same bytes for the same term, wherever and whenever it is made (docs/register.md).

It is PDF/A-3a, which archives keep, and PDF/UA-1, which can be read aloud; its signed record is attached. What a base
is called is handed to the template as data and is never part of it. Nothing here reads a clock or a database.
"""

from __future__ import annotations

import io
import json
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import typst

from domain.shanghai import SHANGHAI
from register.fonts import FontSet, FontsMissing, read_fonts, require_fonts
from register.proof import ATTACHMENT, instant
from register.words import LANGUAGES, Words

_STANDARDS: Any = ["a-3a", "ua-1"]
_KEPT = 200
"""So many certificates are kept, of some 100 kB each."""
_Read = TypeVar("_Read")
_LONG = 16
"""So many characters stay together where a line has no place to end."""
_RUNS = re.compile(r"[^\s\u2e80-\uffef]+|[\s\u2e80-\uffef]+")
_PIECE = re.compile(r"\[U\+[0-9A-F]+\]|.{1,8}?(?=\[U\+)|.{1,8}", re.DOTALL)


class NotMade(Exception):
    """A certificate can't be made here; the words are for who runs the site."""


class CertificateMaker:
    """Makes certificates with a folder's fonts, and keeps the last ones. For threads: no lock is held meanwhile."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: OrderedDict[bytes, bytes] = OrderedDict()
        self._keeping = Lock()

    def made(self, document: Mapping[str, Any], record: bytes | None) -> bytes:
        """The certificate of a `term` document; `record` is that document, signed, where it is. Raises NotMade."""
        key = json.dumps(document).encode() + (record or b"")
        with self._keeping:
            if (kept := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                return kept
        made = certificate_pdf(document, record, self._fonts(read_fonts))
        with self._keeping:
            self._kept[key] = made
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return made

    def ready(self) -> None:
        """Whether the fonts are there. Raises NotMade."""
        self._fonts(require_fonts)

    def _fonts(self, read: Callable[[Path], _Read]) -> _Read:
        try:
            return read(self._folder)
        except FontsMissing as error:
            raise NotMade(f"{error}. {error.hint}") from None


def certificate_pdf(document: Mapping[str, Any], record: bytes | None, found: FontSet) -> bytes:
    """The PDF of a `term` document. NotMade for one that can't be set."""
    content = _content(document, record, found)
    template = files("register").joinpath("templates", "certificate.typ").read_bytes()
    try:
        made = typst.compile(
            template,
            format="pdf",
            font_paths=found.fonts,
            ignore_system_fonts=True,
            sys_inputs={"content": json.dumps(content)},
            pdf_standards=_STANDARDS,
            # All it hears of a clock: the day it was made on is the term's first.
            timestamp=instant(document["certificate"]["valid_from"]),
        )
    except typst.TypstError as error:
        raise NotMade(f"{document['certificate']['number']} can't be set: {str(error)[:200]!r}") from None
    assert isinstance(made, bytes)
    return made


def _content(document: Mapping[str, Any], record: bytes | None, found: FontSet) -> dict[str, Any]:
    """What the template sets: every word of it is here, in pairs of Chinese and English."""
    one, page = document["certificate"], document["page"]
    since, until = instant(one["valid_from"]), instant(one["valid_until"])
    say = [Words(language) for language in LANGUAGES]

    def both(name: str, *values: object) -> list[str]:
        return [words(name, *values) for words in say]

    def fact(name: str, value: str, *, code: bool = False) -> dict[str, Any]:
        return {"label": both(name), "value": _pieces(found.printable(value)), "code": code}

    facts = [
        fact("holder", one["holder"]),
        fact("credit_code", one["credit_code"], code=True),
        fact("place", one["place"]),
    ]
    unseen = any(found.printable(one[name]) != one[name] for name in ("name", "holder", "place"))
    notes = [both("paper_unlisted"), *([both("paper_signed")] if record else [])]
    there = since.astimezone(SHANGHAI)
    return {
        "title": both("paper_title"),
        "site": both("site"),
        "states": both("paper_states"),
        "number": {"label": both("certificate"), "value": one["number"]},
        "name": _pieces(found.printable(one["name"])),
        "plain_name": found.printable(one["name"]),
        "facts": facts,
        "term": {
            "label": both("valid"),
            "value": [words.term(since, until) for words in say],
            "hours": both("paper_hours", f"{there:%H:%M}"),
        },
        "benefits": {
            "label": both("paper_benefits"),
            "value": [[words.one_of("benefit", benefit) for words in say] for benefit in one["benefits"]],
        },
        "standing": both("paper_standing"),
        "scan": both("paper_scan"),
        "address": _pieces(page),
        "notes": [*notes, *([both("paper_glyphs")] if unseen else [])],
        "third_party": both("third_party"),
        "emblem": files("register").joinpath("static", "emblem.svg").read_text("utf-8"),
        "emblem_alt": say[0]("emblem"),
        "code": _code(page),
        "code_alt": say[0]("paper_code", page),
        "record": None if record is None else record.decode(),
        "record_name": ATTACHMENT,
        "record_what": " / ".join(both("paper_record")),
    }


def _pieces(text: str) -> list[str]:
    """A text in pieces between which a line may end."""
    if not text:
        return ["—"]
    return [piece for run in _RUNS.findall(text) for piece in (_PIECE.findall(run) if len(run) > _LONG else [run])]


def _code(page: str) -> str:
    """The QR code of an address as an SVG: a quarter of it may be covered or soiled."""
    import segno  # takes its time, and most of what the site answers has no code

    drawn = io.BytesIO()
    segno.make_qr(page, error="q").save(drawn, kind="svg", xmldecl=False, border=0, dark="#1a2230")
    return drawn.getvalue().decode()
