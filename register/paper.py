"""What a certificate says: every word of it, in the order in which it is set, for who makes it and who reads it again.

A certificate that was handed out has to be known again by its text. What is said here or in the words it uses
(`words.toml`) can only be changed for records of another version. Nothing here needs a font.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from domain.shanghai import SHANGHAI
from register.proof import instant
from register.words import LANGUAGES, Words

NAMED = ("name", "holder", "place")
"""The texts that others have chosen."""
_NOTHING = "—"
_LONGEST = 4000
"""So many characters of one text, at most."""


class _Other(str):
    """A text of others, of which any character may stand as its sign."""


def paper_of(
    document: Mapping[str, Any], *, signed: bool, texts: Mapping[str, str] | None = None, signs: bool = False
) -> dict[str, Any]:
    """What is set of a `term` document, in pairs of Chinese and English. `texts` are the names as they are printed,
    where it is not as they are; `signs` says that they have signs in them.

    KeyError, TypeError or ValueError for what is no such document.
    """
    one, page = document["certificate"], document["page"]
    since, until = instant(one["valid_from"]), instant(one["valid_until"])
    say = [Words(language) for language in LANGUAGES]

    def both(name: str, *values: object) -> list[str]:
        return [words(name, *values) for words in say]

    def fact(name: str, value: str, *, code: bool = False) -> dict[str, Any]:
        return {"label": both(name), "value": value or _NOTHING, "code": code}

    texts = texts or {name: one[name] for name in NAMED}
    notes = [both("paper_unlisted"), *([both("paper_signed")] if signed else [])]
    there = since.astimezone(SHANGHAI)
    return {
        "site": both("site"),
        "title": both("paper_title"),
        "number": {"label": both("certificate"), "value": one["number"]},
        "states": both("paper_states"),
        "name": texts["name"] or _NOTHING,
        "facts": [
            fact("holder", texts["holder"]),
            fact("credit_code", one["credit_code"], code=True),
            fact("place", texts["place"]),
        ],
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
        "address": page,
        "notes": [*notes, *([both("paper_glyphs")] if signs else [])],
        "third_party": both("third_party"),
    }


def is_said(text: str, document: Mapping[str, Any], *, signed: bool) -> bool:
    """Whether a certificate's text is all that is said of a `term` document, and nothing else; space aside.

    A character of a name may be printed as its sign, `[U+…]`, as the fonts of whoever made it had it. KeyError,
    TypeError or ValueError for what is no such document.
    """
    one = document["certificate"]
    given = [document["page"], one["number"], one["credit_code"], *(one[name] for name in NAMED)]
    if not all(isinstance(value, str) and len(value) <= _LONGEST for value in given):
        raise ValueError("no text")
    found = _closed(text)
    if found == _closed(text_of(paper_of(document, signed=signed))):
        return True
    texts = {name: _Other(one[name]) for name in NAMED}
    parts = _set(paper_of(document, signed=signed, texts=texts, signs=True))
    pattern = "".join(_either(part) if isinstance(part, _Other) else re.escape(_closed(part)) for part in parts)
    return re.fullmatch(pattern, found) is not None


def text_of(paper: Mapping[str, Any]) -> str:
    """All that is set, in one text."""
    return "".join(_set(paper))


def _set(paper: Mapping[str, Any]) -> Iterator[str]:
    """All that is set, in the order of the template."""
    for part in ("site", "title", "number", "states", "name", "facts", "term", "benefits", "standing", "scan",
                 "address", "notes", "third_party"):  # fmt: skip
        yield from _texts(paper[part])


def _texts(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, Mapping):
        for one in part.values():
            yield from _texts(one)
    elif isinstance(part, list):
        for one in part:
            yield from _texts(one)


def _closed(text: str) -> str:
    """A text without space: setting and reading it changes that."""
    return "".join(text.split())


def _either(text: str) -> str:
    """A pattern of a text whose characters are printed, or stand as signs."""
    return "".join(rf"(?:{re.escape(_closed(char))}|\[U\+{ord(char):04X}\])" for char in text)
