"""When two names, or two references, are the same: however they were typed."""

from __future__ import annotations

import unicodedata

_FORMS = {"limited": "ltd", "company": "co", "corporation": "corp", "incorporated": "inc"}
"""Legal forms that are written out or abbreviated as it comes; what a company's name ends with in English."""
_BLANK = frozenset("\u034f\u115f\u1160" + "".join(map(chr, range(0xFE00, 0xFE10))))
"""What counts as a letter or a mark and shows nothing; the other such signs are control and format characters."""


def folded(text: str) -> str:
    """Full width folded, without spaces: how references and codes are compared."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def searched(text: str) -> str:
    """A name as it is looked for: a dot or comma counts no more than a space, Ltd. is Ltd."""
    return folded(text).casefold().replace(".", "").replace(",", "")


def same_name(one: str, other: str) -> bool:
    """Names are compared without width, spaces, case and what is not seen: a second spelling is no second person."""
    return person(one) == person(other)


def same_company(one: str, other: str) -> bool:
    """Companies' names are compared without punctuation too, and a legal form may be abbreviated.

    Banks write `CLOUDMARKET HK CO LTD` for Cloudmarket (H.K.) Company Limited: no second payer.
    """
    return company(one) == company(other)


def person(name: str) -> str:
    text = unicodedata.normalize("NFKC", folded(name).casefold())
    return "".join(char for char in text if unicodedata.category(char)[0] != "C" and char not in _BLANK)


def company(name: str) -> str:
    """A company's name as it is compared."""
    text = unicodedata.normalize("NFKC", name).casefold()
    words = "".join(_without_a_dot(char) for char in text).split()
    return "".join(_FORMS.get(word, word) for word in words)


def _without_a_dot(char: str) -> str:
    """Other punctuation parts words; a dot only abbreviates one."""
    if char in ".'’":
        return ""
    return " " if unicodedata.category(char).startswith("P") else char
