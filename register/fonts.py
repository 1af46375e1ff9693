"""The fonts a certificate is set in: these and no others of the machine, so that it is the same wherever it is made."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from typst import Fonts

FAMILIES = ("Noto Serif CJK SC", "Noto Sans CJK SC")
"""Names are set in the first."""
WEIGHTS = (400, 700)
_NAMES = (FAMILIES[0], WEIGHTS[0])
_SPACES = frozenset(" \u00a0\u3000")
_UNSEEN = frozenset("\u115f\u1160\u3164\uffa0")
"""Letters that show nothing."""
_JOINING = re.compile("[\u1100-\u11ff\u3031-\u3035\uff9e\uff9f\ua960-\ua97f\ud7b0-\ud7ff]")
"""Letters that are set as one with those before: what is read back of them is not what was written."""


class FontsMissing(Exception):
    """The fonts are not there; the words say which, and the hint what mends it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.hint = "Install them (apt-get install fonts-noto-cjk), or name their folder: LIVEBASE_REGISTER_FONTS"


@dataclass(frozen=True)
class FontSet:
    """Fonts that were found, and the characters names can be set in."""

    fonts: Fonts
    glyphs: Mapping[int, str]
    """Of each character that names can be set in, its glyph."""

    def printable(self, texts: Sequence[str], beside: str = "") -> list[str]:
        """The texts with a sign for whatever would not be seen: nothing is left out without a trace.

        Nor would it be seen which of two characters it is, where both have one glyph: of those that stand in one
        document only the first is printed. `beside` is what else stands in it.
        """
        first: dict[str, str] = {}
        for char in beside:
            if (glyph := self.glyphs.get(ord(char))) is not None:
                first.setdefault(glyph, char)

        def seen(char: str) -> bool:
            if unicodedata.category(char)[0] in "CZ":
                return char in _SPACES
            if unicodedata.category(char)[0] == "M" or char in _UNSEEN or _JOINING.match(char):
                return False
            glyph = self.glyphs.get(ord(char))
            return glyph is not None and first.setdefault(glyph, char) == char

        return ["".join(char if seen(char) else f"[U+{ord(char):04X}]" for char in text) for text in texts]


def require_fonts(folder: Path) -> Fonts:
    """The fonts of a folder. FontsMissing unless all are there."""
    fonts = Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(folder)])
    there = {(one.family, one.weight) for one in fonts.fonts() if one.style == "normal"}
    wanted = [(family, weight) for family in FAMILIES for weight in WEIGHTS]
    if missing := [f"{family} {weight}" for family, weight in wanted if (family, weight) not in there]:
        raise FontsMissing(f"{folder} does not have the fonts of certificates: {', '.join(missing)}")
    return fonts


@cache
def read_fonts(folder: Path) -> FontSet:
    """The fonts of a folder with what they can print, read once in a process. FontsMissing unless all are there."""
    from fontTools.ttLib import TTFont, TTLibError  # takes its time, and most of what the site answers needs none

    fonts = require_fonts(folder)
    of_names = next(one for one in fonts.fonts() if (one.family, one.weight, one.style) == (*_NAMES, "normal"))
    assert of_names.path is not None
    try:
        with TTFont(of_names.path, fontNumber=of_names.index, lazy=True) as font:
            glyphs = MappingProxyType(font.getBestCmap())
    except (OSError, TTLibError) as error:
        raise FontsMissing(f"{of_names.path} can't be read ({type(error).__name__})") from None
    return FontSet(fonts, glyphs)
