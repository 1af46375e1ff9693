"""The list for people: looked through, page by page."""

from __future__ import annotations

import unicodedata
from collections import OrderedDict
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlencode

from starlette.requests import Request

from domain.regions import REGIONS
from register.answers import Answer, may_be_told
from register.pages import render
from register.source import SOON, Source
from register.words import LANGUAGES, Words
from store.register import Look, Shown, certificate_number

PER_PAGE = 20
_LONGEST = 100
"""So many characters of what is looked for count."""
_SHOWN: tuple[Shown, ...] = ("listed", "suspended", "ended", "all")
_PAGES = 200


class ListPage:
    """What many look at is made once a second; who comes while it is made again gets the one before."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._pages: OrderedDict[tuple[str, str], Answer] = OrderedDict()
        self._being_made: set[tuple[str, str]] = set()

    def __call__(self, request: Request, now: datetime, words: Words) -> Answer:
        asked = words.language, str(request.url.query)
        kept = self._pages.get(asked)
        soon = 2 * SOON if asked in self._being_made else SOON
        if kept is not None and may_be_told(now, kept.now, soon, kept.changes_at):
            return replace(kept, now=now, kept_since=kept.now)
        self._being_made.add(asked)
        try:
            made = self._pages[asked] = self._made(request, now, words)
        finally:
            self._being_made.discard(asked)
        while len(self._pages) > _PAGES:
            self._pages.popitem(last=False)
        return made

    def _made(self, request: Request, now: datetime, words: Words) -> Answer:
        source, look = self._source, look_of(request)
        stands = source.standing(now)
        page = source.reader.page(look, now, PER_PAGE)
        whole = not (page.more_before or page.more_after)
        count = len(page.certificates) if whole else source.count(replace(look, after="", before=""), now, stands)
        numbers = [one.number for one in page.certificates]
        there = "" if words.language == "zh" else f"/{words.language}"
        asked = {"q": look.text, "region": _region(request), "show": _chosen(request)}

        def to(**more: str) -> str:
            wanted = urlencode({name: value for name, value in (asked | more).items() if value})
            return f"{there}/?{wanted}" if wanted else f"{there}/"

        body = render(
            "list.html",
            words,
            certificates=page.certificates,
            count=count,
            look=look,
            asked=asked,
            narrowed=bool(look.text or asked["region"] or asked["show"]),
            older=to(after=numbers[-1]) if page.more_after and numbers else None,
            newer=to(before=numbers[0]) if page.more_before and numbers else None,
            filters=[(shown, to(show=shown), shown == look.shown) for shown in _SHOWN],
            regions=[(code, names[LANGUAGES.index(words.language)]) for code, names in REGIONS.items()],
            **source.frame(now, "/", str(request.url.query)),
        )
        return Answer(body, "text/html", (words.language, look, page, count), now, stands.changes_at)


def look_of(request: Request) -> Look:
    """What is looked for, by the first of each parameter it knows; what it does not know changes nothing."""
    asked = request.query_params.multi_items()
    first = {name: value for name, value in reversed(asked)}
    text = _plain(first.get("q", ""))
    shown = next((one for one in _SHOWN if one == first.get("show")), "all" if text else "listed")
    region = REGIONS.get(first.get("region", ""), ("", ""))[0]
    after, before = (certificate_number(_plain(first.get(name, ""))) or "" for name in ("after", "before"))
    return Look(text, shown, region, after, "" if after else before)


def _region(request: Request) -> str:
    code = next((value for name, value in request.query_params.multi_items() if name == "region"), "")
    return code if code in REGIONS else ""


def _chosen(request: Request) -> str:
    shown = next((value for name, value in request.query_params.multi_items() if name == "show"), "")
    return shown if shown in _SHOWN else ""


def _plain(text: str) -> str:
    """What somebody typed without what is not seen, cut to what counts."""
    seen = "".join(char for char in text[: 4 * _LONGEST] if unicodedata.category(char)[0] != "C")
    return " ".join(seen.split())[:_LONGEST]
