"""The fonts a certificate is set in: these and no others of the machine, so that it is the same wherever it is made."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from typst import Fonts

FAMILIES = ("Noto Serif CJK SC", "Noto Sans CJK SC")
"""Names are set in the first."""
WEIGHTS = (400, 700)
_NAMES = (FAMILIES[0], WEIGHTS[0])
_SPACES = frozenset(" \u00a0\u3000")
_UNSEEN = frozenset("\u115f\u1160\u3164\uffa0")
"""Letters that show nothing."""


class FontsMissing(Exception):
    """The fonts are not there; the words say which, and the hint what mends it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.hint = "Install them (apt-get install fonts-noto-cjk), or name their folder: LIVEBASE_REGISTER_FONTS"


@dataclass(frozen=True)
class FontSet:
    """Fonts that were found, and the characters names can be set in."""

    fonts: Fonts
    covered: frozenset[int]

    def printable(self, text: str) -> str:
        """The text with a sign for whatever would not be seen: nothing is left out without a trace."""
        return "".join(char if self._seen(char) else f"[U+{ord(char):04X}]" for char in text)

    def _seen(self, char: str) -> bool:
        if unicodedata.category(char)[0] in "CZ":
            return char in _SPACES
        return ord(char) in self.covered and char not in _UNSEEN


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
            covered = frozenset(font.getBestCmap())
    except (OSError, TTLibError) as error:
        raise FontsMissing(f"{of_names.path} can't be read ({type(error).__name__})") from None
    return FontSet(fonts, covered)
