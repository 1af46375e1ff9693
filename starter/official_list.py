"""The official list: serving it to the public, proving what it says, and taking signed copies. Needs no Temporal."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from starter.channel import reconcile
from starter.errors import CommandError, unreachable, usage
from starter.options import command, new_app
from starter.output import print_table, say, told, when, word
from starter.session import Session

if TYPE_CHECKING:
    from domain.listed import Certificate
    from register.proof import Keys
    from register.settings import RegisterSettings
    from register.verdict import Judged

_SNAPSHOT = re.compile(r"list-(\d{6})\.json")
_PAGE = re.compile(r"/(?:en/)?c/(LBC-\d{4}-\d{6,9})(?:\.json|\.pdf)?")
_MOST = 1 << 28  # bytes
_SECONDS = 20.0
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

PortOption = Annotated[int | None, typer.Option("--port", metavar="PORT", help="Else 8300; 0 is any free one.")]
HostOption = Annotated[str | None, typer.Option("--host", metavar="ADDRESS", help="Else 127.0.0.1: this machine only.")]
WhatArgument = Annotated[
    str,
    typer.Argument(
        metavar="FILE|URL|NUMBER",
        help="A signed document, a certificate's PDF, a folder of snapshots, a certificate's page, or its number.",
    ),
]
KeysOption = Annotated[
    str | None,
    typer.Option(
        "--keys", metavar="FILE", help="The list's public keys (JWKS); else those of this machine's own list."
    ),
]
ListOption = Annotated[
    str | None,
    typer.Option("--list", metavar="FILE|URL", help="Look the number, or that of the PDF, up in this signed list."),
]
AtOption = Annotated[
    str | None,
    typer.Option("--at", metavar="INSTANT", help="Was it certified then? RFC 3339; of a date, its first instant."),
]
SeenOption = Annotated[
    str | None,
    typer.Option("--seen", metavar="FILE", help="Where the newest revision seen is kept; else the user's own place."),
]
ToOption = Annotated[
    str | None,
    typer.Option("--to", metavar="FOLDER", help="Adds a snapshot that names the one before; else it is printed."),
]


def register(app: typer.Typer) -> None:
    group = new_app("register", "The official list: what the public sees, and how it is proven.")
    command(group, "serve")(serve)
    command(group, "verify")(verify)
    command(group, "export")(export)
    command(group, "reconcile")(reconcile)
    app.add_typer(group)


def serve(session: Session, port: PortOption = None, host: HostOption = None) -> None:
    """The list as the public sees it: a web page, and the same for machines. SIGTERM ends it."""
    import gc

    from register.serving import CannotServe
    from register.serving import serve as serving
    from store.engine import open_engine
    from store.migrate import is_current

    if session.dry_run:
        raise usage("--dry-run says nothing about register serve: it changes no case.", "Leave it out.")
    gc.enable()  # it lives long
    settings = _settings(session, port=port, host=host)
    if not is_current(session.engine):
        raise unreachable("The database does not have the present schema.", "Run: python -m workers.prepare")

    def ready(url: str) -> None:
        session.show({"url": url}, lambda view: print_table(("", ""), [(word("official list"), view["url"])]))

    try:
        serving(session.engine, settings, ready, open_engine(session.database_url))
    except CannotServe as error:
        raise usage(error.message, error.hint) from None


def verify(
    session: Session,
    what: WhatArgument,
    keys: KeysOption = None,
    list_: ListOption = None,
    at: AtOption = None,
    seen: SeenOption = None,
) -> None:
    """Whether a base is certified, by a signed document and the list's public keys alone; 1 when it is not, 3 for a
    number that is not on the list. With a NUMBER and no --list, the database is asked. A certificate's PDF alone proves
    that it was issued, never that it is in force: 1 without --list."""
    from register.reading import is_pdf
    from store.register import certificate_number

    number = certificate_number(what)
    if at is not None and (number is None or list_ is not None):
        raise usage("--at goes with a certificate's number, and asks the database.", "Leave out --list, or --at.")
    if number is not None and list_ is None:
        _verify_in_database(session, number, at)
        return
    if number is None and list_ is not None and not what.lower().endswith(".pdf"):
        raise usage(
            f"{what[:120]!r} is no certificate number.", "--list goes with one, such as LBC-2026-000001, or with a PDF."
        )
    public = _public_keys(session, keys)
    if number is None and list_ is not None:
        _verify_paper(session, _read(what, as_it_is=True), what, public, list_, _Seen(seen))
        return
    place = list_ or what
    if Path(place).is_dir() and number is not None:
        raise usage(
            "A folder of snapshots is proven whole.", "Name its newest snapshot after --list, or leave out the number."
        )
    if Path(place).is_dir():
        _verify_folder(session, Path(place), public, _Seen(seen))
        return
    text, number = _read(place), number or _number_of(place)
    newest = _Seen(seen)
    if is_pdf(text):
        if list_ is not None:
            raise usage(
                f"{place[:200]} is a certificate's PDF, no signed list.",
                "Name a list after --list, or verify the PDF: livebase register verify FILE.pdf",
            )
        _verify_paper(session, text, place, public, None, newest)
        return
    judged, key = _judged(session, text, place, public, newest, number)
    _tell(session, judged, number, key)


def export(session: Session, to: ToOption = None) -> None:
    """The whole list, signed; with --to as the next of a chain of snapshots in a folder."""
    from register import formats
    from register.proof import sign
    from register.serving import CannotServe, keys_of
    from store.register import ListReader

    settings = _settings(session)
    if settings.keys is None:
        settings = settings.model_copy(update={"keys": _own_keys(session)})
    try:
        keys = keys_of(settings)
    except CannotServe as error:
        raise usage(error.message, error.hint) from None
    if keys is None:
        raise usage("There is no key to sign with.", "Set LIVEBASE_REGISTER_KEYS to a file with the list's keys.")
    reader = ListReader(session.engine)
    about = formats.header(reader.installation()[0], reader.revision(), session.wall, reader.next_change(session.wall))
    document = formats.list_document(reader.everything(session.wall), about)
    if to is None:
        session.show(sign(document, keys))
        return
    if session.dry_run:
        raise usage("--dry-run says nothing about register export: it changes no case.", "Leave it out.")
    file, number = _next_snapshot(Path(to), document, lambda whole: sign(whole, keys))
    view = {"file": str(file), "snapshot": number, "list_revision": about["list_revision"], "count": document["count"]}
    session.show(view, lambda view: say(view["file"]))


def _settings(session: Session, **given: Any) -> RegisterSettings:
    """The site's settings, from the environment and what is typed. CommandError (2) for what can't be."""
    from pydantic import ValidationError

    from register.settings import RegisterSettings

    try:
        return RegisterSettings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        problems = [
            (
                f"LIVEBASE_REGISTER_{'_'.join(map(str, one['loc'])).upper()}".rstrip("_"),
                one["msg"].replace("Value error, ", ""),
            )
            for one in error.errors()
        ]
        raise CommandError(
            2, "bad_configuration", "The list's settings can't be.", "Mend what is named.", problems
        ) from None


def _own_keys(session: Session) -> Path | None:
    """The key file of the environment, or of `livebase dev` here."""
    from starter.development import register_keys

    if given := os.environ.get("LIVEBASE_REGISTER_KEYS"):
        return Path(given)
    local = register_keys(session.directory)
    return local if local.exists() else None


def _public_keys(session: Session, given: str | None) -> Keys:
    """The keys to prove with. Never those of whoever is to be proven, unless they are named."""
    from register.proof import read_keys

    place = given or _own_keys(session)
    if place is None:
        raise usage(
            "There are no keys to prove with.",
            "Get the list's public keys once, from /.well-known/livebase-keys.json, and name them: --keys FILE",
        )
    try:
        return read_keys(_read(str(place)).decode("utf-8", "replace"))
    except ValueError as error:
        raise usage(f"{place} {error}.", "Name the list's public keys: --keys FILE") from None


def _read(place: str, *, as_it_is: bool = False) -> bytes:
    """A file, or what an address answers: of a certificate's page its document, unless it is wanted as it is.

    CommandError: 2 for no such file, 3 for what the list does not know, 6.
    """
    if not _is_address(place):
        try:
            with open(place, "rb") as file:
                return file.read(_MOST + 1)
        except OSError as error:
            raise usage(f"{place[:200]} can't be read ({error.strerror}).", "Name a file, a URL or a number.") from None
    import asyncio

    import httpx

    number = _number_of(place)
    parts = urlsplit(place)
    url = f"{parts.scheme}://{parts.netloc}/c/{number}.json" if number and not as_it_is else place
    try:
        status, content = asyncio.run(_fetched(url))
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, TimeoutError) as error:
        raise unreachable(f"{url[:200]} does not answer ({type(error).__name__}).", "Try again later.") from None
    if status == 404 and number:
        raise CommandError(3, "unknown", f"{number} is not on the list: not certified.", "Check the number.")
    if status in (403, 410) and number and as_it_is:
        raise unreachable(
            f"{url[:200]} answers {status}: this certificate is not handed out now.",
            f"See how it stands by its number: livebase register verify {number} --list FILE|URL",
        )
    if status != 200:
        raise unreachable(f"{url[:200]} answers {status}.", "Try again later.")
    return content


async def _fetched(url: str) -> tuple[int, bytes]:
    """The status of an answer, and what it says as far as anything is read: not for longer, however slowly it comes."""
    import asyncio

    import httpx

    # Packed, a little of it could unpack to anything.
    headers = {"accept-encoding": "identity"}
    content = bytearray()
    async with (
        asyncio.timeout(_SECONDS),
        httpx.AsyncClient(timeout=_SECONDS, follow_redirects=False, headers=headers) as client,
        client.stream("GET", url) as answer,
    ):
        if answer.status_code == 200:
            async for part in answer.aiter_raw():
                content += part
                if len(content) > _MOST:
                    break
    return answer.status_code, bytes(content)


def _is_address(place: str) -> bool:
    return re.match(r"https?://", place) is not None


def _number_of(place: str) -> str | None:
    """The certificate whose page or document an address is of: what is answered has to be about it."""
    if not _is_address(place):
        return None
    match = _PAGE.fullmatch(urlsplit(place).path)
    return match[1] if match else None


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


def _judged(
    session: Session, text: bytes, place: str, keys: Keys, newest: _Seen, number: str | None
) -> tuple[Judged, str]:
    """A signed document of a place, judged, and the id of the key it is signed with."""
    from register.verdict import JUST_ANSWERED, judge, judge_issued

    document, key = _proven(text, keys, place)
    if document.get("type") == "term" and number is None and not _is_address(place):
        # The record of a certificate, saved from its PDF. Nobody who asks how one stands is answered with it.
        return _tampered_unless(lambda: judge_issued(document, session.wall), place), key
    # Whoever answers an address with a proof of yesterday would keep today's revocation from us.
    oldest = JUST_ANSWERED if _is_address(place) else None
    judged: Judged = _tampered_unless(
        lambda: judge(document, session.wall, number=number, newest_seen=newest.of(document), oldest=oldest), place
    )
    newest.remember(document)
    return judged, key


def _verify_paper(session: Session, content: bytes, place: str, keys: Keys, list_: str | None, newest: _Seen) -> None:
    """A certificate's PDF: that it was issued so; with a list, how it stands."""
    from register.attached import proven_record
    from register.verdict import judge_issued, judge_issued_by

    document, key = _tampered_unless(lambda: proven_record(content, keys), place)
    issued = _tampered_unless(lambda: judge_issued(document, session.wall), place)
    number = str(issued.certificate["number"])
    if list_ is None:
        _tell(session, issued, number, key)
        return
    listed, key = _judged(session, _read(list_), list_, keys, newest, number)
    _tell(session, _tampered_unless(lambda: judge_issued_by(issued, listed), place), number, key)


def _verify_folder(session: Session, folder: Path, keys: Keys, seen: _Seen) -> None:
    from register.verdict import require_chain

    files = _snapshots(folder)
    if not files:
        raise usage(f"{folder} has no snapshots.", "Make one with: livebase register export --to FOLDER")

    def each() -> Iterator[tuple[bytes, dict[str, Any]]]:
        for file in files:
            content = _read(str(file))
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


def _tell(session: Session, judged: Judged, number: str | None, key: str) -> None:
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


def _verify_in_database(session: Session, number: str, at: str | None) -> None:
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


class _Seen:
    """The newest revision of each issuer's list that was ever proven here."""

    def __init__(self, given: str | None) -> None:
        if given is None:
            from platformdirs import user_state_path

            self._file = user_state_path("livebase") / "register-seen.json"
        else:
            self._file = Path(given)
        try:
            found = json.loads(self._file.read_text("utf-8"))
            self._newest = {str(issuer): int(revision) for issuer, revision in found.items()}
        except FileNotFoundError:
            self._newest = {}
        except (OSError, ValueError, TypeError, AttributeError):
            raise usage(
                f"{self._file} does not say what was seen.", "Remove it, or name another: --seen FILE"
            ) from None

    def of(self, document: dict[str, Any]) -> int:
        return self._newest.get(str(document.get("issuer")), 0)

    def remember(self, document: dict[str, Any]) -> None:
        """Keep the revision, if it is the newest; what can't be kept is said, and changes nothing."""
        if document["list_revision"] <= self.of(document):
            return
        self._newest[document["issuer"]] = document["list_revision"]
        part = self._file.with_name(f"{self._file.name}.{os.getpid()}.part")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps(self._newest), "utf-8")
            part.replace(self._file)
        except OSError:
            say("What was seen can't be kept: an older document would not be noticed.")


def _snapshots(folder: Path) -> list[Path]:
    """The snapshots of a folder, first to last."""
    return sorted(file for file in folder.iterdir() if _SNAPSHOT.fullmatch(file.name))


def _next_snapshot(folder: Path, document: dict[str, Any], sign: Any) -> tuple[Path, int]:
    """The document signed as the next snapshot, in a new file that is there only once it is whole."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        before = _snapshots(folder)
        previous = hashlib.sha256(before[-1].read_bytes()).hexdigest() if before else None
        number = len(before) + 1
        file = folder / f"list-{number:06d}.json"
        signed = sign({**document, "snapshot": {"number": number, "previous": previous}})
        part = folder / f".{file.name}.{os.getpid()}"
        with part.open("w", encoding="utf-8") as opened:
            opened.write(json.dumps(signed, ensure_ascii=False, separators=(",", ":")) + "\n")
            opened.flush()
            os.fsync(opened.fileno())
        try:
            os.link(part, file)  # never over one that another export has made meanwhile
        finally:
            part.unlink()
    except OSError as error:
        raise usage(
            f"{folder} can't take a snapshot ({error.strerror}).", "Name another folder, or try again."
        ) from None
    return file, number
