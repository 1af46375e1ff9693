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

from register.attached import require_said
from register.fonts import FontSet, FontsMissing, read_fonts, require_fonts
from register.paper import NAMED, paper_of, text_of
from register.proof import ATTACHMENT, NotProven, instant
from register.reading import read_here
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
        if (kept := self.kept(document, record)) is not None:
            return kept
        made = certificate_pdf(document, record, self._fonts(read_fonts))
        with self._keeping:
            self._kept[_key(document, record)] = made
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return made

    def kept(self, document: Mapping[str, Any], record: bytes | None) -> bytes | None:
        """That certificate, if it was made lately."""
        key = _key(document, record)
        with self._keeping:
            if (kept := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
            return kept

    def ready(self) -> None:
        """Whether the fonts are there. Raises NotMade."""
        self._fonts(require_fonts)

    def _fonts(self, read: Callable[[Path], _Read]) -> _Read:
        try:
            return read(self._folder)
        except FontsMissing as error:
            raise NotMade(f"{error}. {error.hint}") from None


def _key(document: Mapping[str, Any], record: bytes | None) -> bytes:
    return json.dumps(document).encode() + (record or b"")


def certificate_pdf(document: Mapping[str, Any], record: bytes | None, found: FontSet) -> bytes:
    """The PDF of a `term` document. NotMade for one that can't be set, or would not be known again."""
    number = document["certificate"]["number"]
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
            # All it hears of a clock: it was made as the term began. A PDF tells no parts of a second.
            timestamp=instant(document["certificate"]["valid_from"]).replace(microsecond=0),
        )
    except typst.TypstError as error:
        raise NotMade(f"{number} can't be set: {str(error)[:200]!r}") from None
    assert isinstance(made, bytes)
    try:
        require_said(read_here(made), document, record)
    except NotProven as error:  # whoever is handed it would be told that it was tampered with
        raise NotMade(f"{number} would not be proven: {error}") from None
    return made


def _content(document: Mapping[str, Any], record: bytes | None, found: FontSet) -> dict[str, Any]:
    """What the template sets."""
    one, page = document["certificate"], document["page"]
    say = [Words(language) for language in LANGUAGES]
    own = paper_of(document, signed=record is not None, texts=dict.fromkeys(NAMED, ""), signs=True)
    # What is ours keeps its glyphs: of two characters of one glyph, a name's is the one that stands as a sign.
    texts = dict(zip(NAMED, found.printable([one[name] for name in NAMED], beside=text_of(own)), strict=True))
    signs = any(texts[name] != one[name] for name in NAMED)
    paper = paper_of(document, signed=record is not None, texts=texts, signs=signs)
    return {
        **paper,
        "name": _pieces(paper["name"]),
        "plain_name": texts["name"],
        "facts": [{**fact, "value": _pieces(fact["value"])} for fact in paper["facts"]],
        "address": _pieces(page),
        "emblem": files("register").joinpath("static", "emblem.svg").read_text("utf-8"),
        "emblem_alt": say[0]("emblem"),
        "code": _code(page),
        "code_alt": say[0]("paper_code", page),
        "record": None if record is None else record.decode(),
        "record_name": ATTACHMENT,
        "record_what": " / ".join(words("paper_record") for words in say),
    }


def _pieces(text: str) -> list[str]:
    """A text in pieces between which a line may end."""
    return [piece for run in _RUNS.findall(text) for piece in (_PIECE.findall(run) if len(run) > _LONG else [run])]


def _code(page: str) -> str:
    """The QR code of an address as an SVG: a quarter of it may be covered or soiled."""
    import segno  # takes its time, and most of what the site answers has no code

    drawn = io.BytesIO()
    segno.make_qr(page, error="q").save(drawn, kind="svg", xmldecl=False, border=0, dark="#1a2230")
    return drawn.getvalue().decode()
