"""Whether a base is certified, told by what is proven: a signed document, a certificate's PDF, a chain, the records."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starter.errors import CommandError, usage
from starter.list_reading import is_address, read_place
from starter.list_snapshots import Seen, snapshots
from starter.output import print_table, say, told, when, word
from starter.session import Session

if TYPE_CHECKING:
    from domain.listed import Certificate
    from register.proof import Keys
    from register.verdict import Judged

_SAYS = {
    "certified": "certified",
    "suspended": "not currently authorised",
    "ended": "ended: no longer certified",
    "unknown": "not on the list: not certified",
    "older": "older than the newest one seen: ask again",
    "outdated": "no longer good: ask again",
    "whole": "a whole list, as it was signed",
    "issued": "issued as it says; in force only while its page or a list says so",
}


def judged_document(
    session: Session, text: bytes, place: str, keys: Keys, newest: Seen, number: str | None
) -> tuple[Judged, str]:
    """A signed document of a place, judged, and the id of the key it is signed with."""
    from register.verdict import JUST_ANSWERED, judge, judge_issued

    document, key = _proven(text, keys, place)
    if document.get("type") == "term" and number is None and not is_address(place):
        # The record of a certificate, saved from its PDF. Nobody who asks how one stands is answered with it.
        return _tampered_unless(lambda: judge_issued(document, session.wall), place), key
    # Whoever answers an address with a proof of yesterday would keep today's revocation from us.
    oldest = JUST_ANSWERED if is_address(place) else None
    judged: Judged = _tampered_unless(
        lambda: judge(document, session.wall, number=number, newest_seen=newest.of(document), oldest=oldest), place
    )
    newest.remember(document)
    return judged, key


def verify_paper(session: Session, content: bytes, place: str, keys: Keys, list_: str | None, newest: Seen) -> None:
    """A certificate's PDF: that it was issued so; with a list, how it stands."""
    from register.attached import proven_record
    from register.verdict import judge_issued, judge_issued_by

    document, key = _tampered_unless(lambda: proven_record(content, keys), place)
    issued = _tampered_unless(lambda: judge_issued(document, session.wall), place)
    number = str(issued.certificate["number"])
    if list_ is None:
        tell_verdict(session, issued, number, key)
        return
    listed, key = judged_document(session, read_place(list_), list_, keys, newest, number)
    tell_verdict(session, _tampered_unless(lambda: judge_issued_by(issued, listed), place), number, key)


def verify_folder(session: Session, folder: Path, keys: Keys, seen: Seen) -> None:
    """A folder of snapshots: that each follows the one before, and how old the newest is."""
    from register.verdict import require_chain

    files = snapshots(folder)
    if not files:
        raise usage(f"{folder} has no snapshots.", "Make one with: livebase register export --to FOLDER")

    def each() -> Iterator[tuple[bytes, dict[str, Any]]]:
        for file in files:
            content = read_place(str(file))
            yield content, _proven(content, keys, str(file))[0]

    newest = _tampered_unless(lambda: require_chain(each()), str(folder))
    verdict = "whole" if newest["list_revision"] >= seen.of(newest) else "older"
    seen.remember(newest)
    view = {
        "verdict": verdict,
        "snapshots": newest["snapshot"]["number"],
        "as_of": newest["as_of"],
        "list_revision": newest["list_revision"],
        "issuer": newest["issuer"],
    }

    def tell(view: dict[str, Any]) -> None:
        say(told("{} snapshots, each after the other; the newest is of {}.", view["snapshots"], when(view["as_of"])))

    session.show(view, tell)
    _end(verdict, None)


def verify_in_database(session: Session, number: str, at: str | None) -> None:
    """A number by the records: how it stands now, or stood at an instant and was known to."""
    from store.register import ListReader

    reader = ListReader(session.engine)
    if at is None:
        found = reader.certificate(number, session.wall)
        legal = known = found[0] if found else None
        instant = session.wall
    else:
        instant = _instant(at)
        legal, known = reader.certificate_at(number, instant)
    view: dict[str, Any] = {
        "verdict": legal.seen.value if legal else "unknown",
        "number": number,
        "at": _shown(instant),
        "known_then": known.seen.value if known else "unknown",
        "certificate": _view(legal),
    }
    session.show(view, _table_at)
    _end(view["verdict"], number)


def tell_verdict(session: Session, judged: Judged, number: str | None, key: str) -> None:
    """Print a verdict. CommandError (1, 3) for every other than certified."""
    document = judged.document
    view = {
        "verdict": judged.verdict.value,
        "number": number or (judged.certificate or {}).get("number"),
        "as_of": document.get("as_of"),
        "list_revision": document.get("list_revision"),
        "issuer": document["issuer"],
        "key": key,
        "page": document.get("page"),
        "certificate": judged.certificate,
    }
    session.show(view, _table)
    _end(view["verdict"], view["number"])


def _proven(text: bytes, keys: Keys, place: str) -> tuple[dict[str, Any], str]:
    from register.proof import proven

    found: tuple[dict[str, Any], str] = _tampered_unless(lambda: proven(text, keys), place)
    return found


def _tampered_unless(prove: Any, place: str) -> Any:
    from register.proof import NotProven

    try:
        return prove()
    except NotProven as error:
        raise CommandError(
            1,
            "tampered",
            f"{place[:200]} is not proven: {error}.",
            "Trust nothing in it; ask the official list itself.",
        ) from None


def _end(verdict: str, number: str | None) -> None:
    if verdict in ("certified", "whole"):
        return
    code = 3 if verdict == "unknown" else 1
    raise CommandError(code, verdict, f"{number or 'The document'}: {_SAYS[verdict]}.", "", told=True)


def _table(view: dict[str, Any]) -> None:
    certificate = view["certificate"] or {}
    rows = [
        (word("verdict"), word(_SAYS[view["verdict"]])),
        (word("certificate"), view["number"]),
        (word("base"), certificate.get("name")),
        (word("holder"), certificate.get("holder")),
        (word("credit code"), certificate.get("credit_code")),
        (word("place"), certificate.get("place")),
        (word("first day"), _day(certificate.get("valid_from"))),
        (word("last day"), certificate.get("last_day")),
        (word("page"), view["page"]),
        (word("true as of"), view["as_of"] and when(view["as_of"])),
        (word("list revision"), view["list_revision"]),
    ]
    print_table(("", ""), [row for row in rows if row[1] not in (None, "")])


def _day(valid_from: str | None) -> str | None:
    """The first day of a term, as a document has it."""
    from domain.shanghai import shanghai_date
    from register.proof import instant

    try:
        return None if valid_from is None else shanghai_date(instant(valid_from)).isoformat()
    except ValueError:
        return None


def _table_at(view: dict[str, Any]) -> None:
    certificate = view["certificate"] or {}
    rows = [
        (word("verdict"), word(_SAYS[view["verdict"]])),
        (word("known then"), word(_SAYS[view["known_then"]])),
        (word("certificate"), view["number"]),
        (word("base"), certificate.get("name")),
        (word("holder"), certificate.get("holder")),
        (word("credit code"), certificate.get("credit_code")),
        (word("last day"), certificate.get("last_day")),
        (word("at"), when(view["at"])),
    ]
    print_table(("", ""), [row for row in rows if row[1] not in (None, "")])


def _view(one: Certificate | None) -> dict[str, Any] | None:
    from register.formats import certificate_view

    return certificate_view(one) if one else None


def _shown(instant: datetime) -> str | None:
    from register.formats import shown

    return shown(instant)


def _instant(text: str) -> datetime:
    """An instant people type; of a date alone, its first one in Shanghai. CommandError (2)."""
    from domain.shanghai import SHANGHAI, midnight, parse_date

    try:
        if "T" not in text and " " not in text.strip():
            return midnight(parse_date(text))
        instant = datetime.fromisoformat(text.strip())
        return instant if instant.tzinfo else instant.replace(tzinfo=SHANGHAI)
    except (ValueError, OverflowError):
        raise usage(
            "--at is an instant such as 2026-03-02T10:00:00+08:00, or a date.", "Dates are Shanghai's."
        ) from None
