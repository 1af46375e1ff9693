"""What the site says, in two languages (`words.toml`), and how each writes dates."""

from __future__ import annotations

import tomllib
from datetime import date, datetime
from importlib.resources import files

from domain.listed import Seen
from domain.shanghai import SHANGHAI, last_day, shanghai_date

LANGUAGES = ("zh", "en")
TAGS = {"zh": "zh-CN", "en": "en"}


def _read() -> dict[str, tuple[str, str]]:
    found = tomllib.loads(files("register").joinpath("words.toml").read_text("utf-8"))
    return {name: (one["zh"], one["en"]) for name, one in found.items()}


WORDS = _read()
"""Name → the sentence in Chinese and in English."""


class Words:
    """The words of one language, and how it writes dates."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.tag = TAGS[language]
        self._place = LANGUAGES.index(language)

    def __call__(self, name: str, *values: object) -> str:
        text = WORDS[name][self._place]
        return text.format(*values) if values else text

    def one_of(self, kind: str, value: str | None) -> str:
        """The word for a value of a closed list; what is not on it goes by the list's last word."""
        name = f"{kind}_{value}"
        return self(name if name in WORDS else f"{kind}_other")

    def reason(self, given: str) -> str:
        """A reason as it was given, but for our own sentence, which is said in this language."""
        return self("reason_assessment") if given == _OURS else given

    def day(self, instant: datetime) -> str:
        return self.date(shanghai_date(instant))

    def last_day(self, until: datetime) -> str:
        return self.date(last_day(until))

    def date(self, day: date) -> str:
        if self.language == "zh":
            return f"{day.year}年{day.month}月{day.day}日"
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"

    def instant(self, instant: datetime) -> str:
        there = instant.astimezone(SHANGHAI)
        return f"{self.date(there.date())} {there:%H:%M:%S}"

    def term(self, since: datetime, until: datetime) -> str:
        return self("from_to", self.day(since), self.last_day(until))

    def status(self, seen: Seen) -> str:
        return self(f"seen_{seen}")


_OURS = "the quarterly assessment was failed"
"""What an ending by a failed assessment has for its reason (`domain/assessing.py`)."""
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip
