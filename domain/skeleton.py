"""What is left of a name to the eye: two names with one skeleton are taken for each other.

Nothing rests on it but that a person looks (`domain/look_alike.py`): a base is known by its credit code. So it is made
wide rather than narrow. Tables are libraries': OpenCC's of traditional characters, Unicode's confusables (UTS 39), read
when the first name is looked at, which commands that look at none never do.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opencc import OpenCC

TITLES = ("淘宝直播", "taobaolive")
"""The scheme's own name, with what stands for the base behind it: what a certified base may call itself (P1)."""

_COMPANIES = (
    "股份有限公司", "有限责任公司", "有限公司", "分公司", "公司", "集团", "工作室", "商行", "coltd", "companylimited",
    "companyltd", "colimited", "limited", "ltd", "incorporated", "inc", "corporation", "corp", "llc", "company",
)  # fmt: skip
_PLACES = (
    "直播基地", "直播产业园", "直播产业基地", "直播电商基地", "直播中心", "产业园", "园区", "基地", "livestreamingbase",
    "livestreambase", "livebase", "base",
)  # fmt: skip
"""What a base is."""
_BASES = (*_PLACES, "直播", "电子商务", "电商", "官方", "认证")
_MARKS = ("淘宝", "taobao", "官方")
_BLANK = frozenset("\u115f\u1160\u3164\uffa0")
"""Letters that show nothing."""
_ROUNDS = 3
"""What stands for one sign may be another table's sign; after so many rounds nothing changes any more."""
_REMEMBERED = 10_000
"""So many names and signs: visitors type what they like."""


@lru_cache(_REMEMBERED)
def skeleton(name: str) -> str:
    """The name without width, case, spaces, punctuation, invisible signs, kind of characters, legal form and generic
    words; characters that look alike are one. Not empty for a name with a letter, a digit or a character in it."""
    bare = plain(name)
    while (less := _less(bare)) != bare:
        bare = less
    return bare


@lru_cache(_REMEMBERED)
def plain(text: str) -> str:
    """As `skeleton`, with every word left in: how words are looked for within a name."""
    seen = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text))
    kept = "".join(char for char in seen if unicodedata.category(char)[0] in "LN" or char in _strokes())
    bare = "".join(char for char in kept if char not in _BLANK)
    for _ in range(_ROUNDS):
        bare = "".join(map(_one_of_many, bare))
    return "".join(char for char in bare if char not in _strokes()) or bare


def own_part(name: str) -> str:
    """The name as `plain`, without the title that a certified base may carry at its end: 北苑 of 北苑淘宝直播基地."""
    bare = plain(name)
    for title in _plain_words(TITLES):
        for ending in ("", *_plain_words(_PLACES)):
            if bare.endswith(title + ending):
                return bare.removesuffix(title + ending)
    return bare


def words_in(text: str, words: Iterable[str], written: str) -> tuple[str, ...]:
    """Which of the words are in a text that is `plain` already; as `written`, those of which too little is left."""
    seen = "".join(unicodedata.normalize("NFKC", written).split()).casefold()
    return tuple(word for word in words if (plain(word) in text if len(plain(word)) >= len(word) else word in seen))


def mixes_scripts(name: str) -> bool:
    """Whether a single word has letters of several alphabets that look alike: Latin, Cyrillic, Greek."""
    words = re.split(r"[\W_]+", unicodedata.normalize("NFKC", name))
    return any(len({_alphabet(char) for char in word} - {""}) > 1 for word in words)


def _alphabet(char: str) -> str:
    script = unicodedata.name(char, "").partition(" ")[0]
    return script if script in ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC") else ""


def _less(bare: str) -> str:
    """Without one word that says nothing of its own, as long as something is left."""
    for word in _plain_words((*_COMPANIES, *_BASES, *TITLES, *_MARKS)):
        if len(bare) > len(word) and bare.endswith(word):
            return bare.removesuffix(word)
    for word in _plain_words((*TITLES, *_MARKS)):
        if len(bare) > len(word) and bare.startswith(word):
            return bare.removeprefix(word)
    return bare


@cache
def _plain_words(words: tuple[str, ...]) -> tuple[str, ...]:
    """The longest first, so that none is cut in the middle."""
    return tuple(sorted(map(plain, words), key=len, reverse=True))


@lru_cache(_REMEMBERED)
def _one_of_many(char: str) -> str:
    """What stands for a character and all that look like it. One by one: what is beside it changes no look.

    Capital I and small l are one to the table, and small letters are capital ones here: so i is l.
    """
    alike = char if char.isascii() and char.isalpha() else _alike().get(char, char)
    folded = "".join(_alike().get(one, one) for one in alike.casefold())
    return "".join(_converter().convert(one) for one in folded.casefold()).replace("i", "l")


@cache
def _converter() -> OpenCC:
    from opencc import OpenCC

    return OpenCC("t2s")


@cache
def _strokes() -> frozenset[str]:
    """A dash to the eye and the character one: each is taken for the other, and both go, as punctuation does."""
    return frozenset(sign for sign, alike in _alike().items() if alike == _alike()["一"]) | {_alike()["一"]}


@cache
def _alike() -> dict[str, str]:
    """Character → the one, or the letters, that it is taken for (UTS 39, section 4).

    The table pairs every sign with those it is confused with: one of each group with all the others, and these with it.
    """
    table = json.loads(files("confusable_homoglyphs").joinpath("confusables.json").read_text("utf-8"))
    others = {_unmarked(sign): [_unmarked(one["c"]) for one in found] for sign, found in table.items()}
    return {
        sign: other
        for sign, (other, *more) in others.items()
        if len(sign) == 1 and not more and (len(other), len(others[other]), sign) > (1, 1, other)
    }


def _unmarked(sign: str) -> str:
    """The table has marks of direction around what is written from right to left."""
    return sign.strip("\u200e")
