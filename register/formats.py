"""The list for machines: the documents of JSON, a table for spreadsheets, and a feed of its changes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from domain.certification import BENEFITS
from domain.listed import Certificate
from domain.shanghai import SHANGHAI, last_day
from register.words import Words
from store.register import Change

FRESH = timedelta(hours=24)
"""For so long a document is good, unless something changes before."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a cell a spreadsheet would compute begins with (OWASP, CSV injection), and its full-width twins."""
_COLUMNS = (
    "number", "status", "authorised", "name", "holder", "credit_code", "place",
    "valid_from", "valid_until", "last_day", "since", "category",
)  # fmt: skip
_NOT_IN_XML = {code: None for code in (*range(32), 127, 0xFFFE, 0xFFFF) if chr(code) not in "\t\n\r"}


def certificate_view(one: Certificate) -> dict[str, Any]:
    """A certificate, as it is in every document. Instants are RFC 3339 with offset, dates Shanghai's."""
    return {
        "number": one.number,
        "status": one.seen.value,
        "authorised": one.certified,
        "name": one.name,
        "holder": one.holder,
        "credit_code": one.credit_code,
        "place": one.place,
        "valid_from": shown(one.valid_from),
        "valid_until": shown(one.valid_until),
        "last_day": last_day(one.valid_until).isoformat(),
        "since": shown(one.since),
        "category": one.category,
        "ending": one.ending,
        "reason": one.reason,
        "succeeded_by": one.succeeded_by,
        "revision": one.revision,
    }


def certificate_document(one: Certificate, about: dict[str, Any]) -> dict[str, Any]:
    """What is signed of one certificate; `about` is `header`."""
    return {"type": "certificate", **about, "certificate": certificate_view(one)}


def term_document(one: Certificate, issuer: str, page: str) -> dict[str, Any]:
    """What is signed of a term for as long as it lasts, and nothing that moves: its paper is the same at every instant.

    It does not say how the certificate stands: `page` does.
    """
    view = certificate_view(one)
    facts = ("number", "name", "holder", "credit_code", "place", "valid_from", "valid_until", "last_day")
    certificate = {**{name: view[name] for name in facts}, "benefits": list(BENEFITS)}
    return {"type": "term", "version": 1, "issuer": issuer, "page": page, "certificate": certificate}


def list_document(certificates: Iterable[Certificate], about: dict[str, Any]) -> dict[str, Any]:
    """What is signed of the whole list: everything on it, in the order of the numbers."""
    listed = [certificate_view(one) for one in certificates]
    return {"type": "list", **about, "count": len(listed), "certificates": listed}


def header(issuer: str, list_revision: int, as_of: datetime, changes_at: datetime | None) -> dict[str, Any]:
    """Whose document it is, of which revision of the list, when it was true, and until when it is good."""
    good_until = as_of + FRESH if changes_at is None else min(as_of + FRESH, changes_at)
    return {
        "version": 1,
        "issuer": issuer,
        "list_revision": list_revision,
        "as_of": shown(as_of),
        "good_until": shown(good_until),
    }


def table(certificates: Iterable[Certificate]) -> Iterator[str]:
    """CSV, a heading and a line for each; no cell is a formula to a spreadsheet, whatever somebody is called."""
    line = io.StringIO()
    writer = csv.writer(line)

    def written(cells: Sequence[object]) -> str:
        writer.writerow(["" if cell is None else defused(str(cell)) for cell in cells])
        text = line.getvalue()
        line.seek(0)
        line.truncate()
        return text

    yield "\ufeff" + written(_COLUMNS)
    for one in certificates:
        view = certificate_view(one)
        view["authorised"] = "yes" if view["authorised"] else "no"
        yield written([view[name] for name in _COLUMNS])


def defused(cell: str) -> str:
    """A cell's text that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.lstrip(" \u3000\u00a0").startswith(_FORMULA) else cell


def feed(changes: Sequence[Change], url: str, words: Words, none_since: datetime) -> str:
    """The newest changes as Atom (RFC 4287); `none_since` is what it was updated at when there is none."""
    updated = max((one.at for one in changes), default=none_since)
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{words.tag}">',
        f"<id>{_xml(url)}/changes.atom</id>",
        f"<title>{_xml(words('site'))} · {_xml(words('feed_title'))}</title>",
        f"<author><name>{_xml(words('site'))}</name></author>",
        f"<updated>{shown(updated)}</updated>",
        f'<link rel="self" type="application/atom+xml" href={quoteattr(f"{url}/changes.atom")}/>',
        f'<link rel="alternate" type="text/html" href={quoteattr(f"{url}/")}/>',
    ]
    for one in changes:
        seen, page = one.certificate, f"{url}/c/{one.certificate.number}"
        lines += [
            "<entry>",
            f"<id>{_xml(page)}#{one.revision}</id>",
            f"<title>{_xml(words('titled', words.status(seen.seen), seen.name, seen.number))}</title>",
            f"<updated>{shown(one.at)}</updated>",
            f'<link rel="alternate" type="text/html" href={quoteattr(page)}/>',
            f"<summary>{_xml(words(f'says_{seen.seen}'))}</summary>",
            "</entry>",
        ]
    return "\n".join([*lines, "</feed>", ""])


def shown(instant: datetime | None) -> str | None:
    """An instant for machines: RFC 3339, Shanghai's offset."""
    return None if instant is None else instant.astimezone(SHANGHAI).isoformat()


def _xml(text: str) -> str:
    return escape(text.translate(_NOT_IN_XML))
