"""The doctor's checks beside the server: database, its kind, payload keys, documents, disk, mail server, official
channel, fonts of certificates, calendar."""

from __future__ import annotations

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

from starter.diagnosis import Advice, Broken, Check
from starter.errors import CommandError
from starter.output import told, when
from starter.server_checks import PREPARE
from starter.session import Session

MIB = 1024**2
_FULL, _NEARLY_FULL = 200 * MIB, 1024 * MIB
_COMPARED_WITHIN = timedelta(hours=3)


def of(session: Session) -> list[tuple[str, Check]]:
    """The checks by name, in order."""

    async def database() -> str:
        return _database(session)

    async def kind() -> str:
        return _kind(session)

    async def payload_keys() -> str:
        return _payload_keys(session)

    async def documents() -> str:
        return _documents(session)

    async def room() -> str:
        return room_left(_folders(session))

    async def mail() -> str:
        return await _mail(session)

    async def channel() -> str:
        return _channel(session)

    async def fonts() -> str:
        return _fonts()

    async def calendar() -> str:
        return _calendar(session)

    return [
        ("database", database),
        ("database kind", kind),
        ("payload keys", payload_keys),
        ("documents", documents),
        ("disk", room),
        ("mail server", mail),
        ("official channel", channel),
        ("certificate fonts", fonts),
        ("calendar", calendar),
    ]


def _database(session: Session) -> str:
    from sqlalchemy import make_url

    from store.migrate import is_current

    shown = make_url(session.database_url).render_as_string(hide_password=True)
    if not is_current(session.engine):
        mend = told("restart livebase dev; on a cluster: {}", PREPARE)
        raise Broken(told("{}: the schema is not the newest", shown), mend)
    return shown


def _kind(session: Session) -> str:
    """Commands read this database while the server's worker writes its own: they must be the same pair."""
    from sqlalchemy import select

    from store.tables import Installation

    with session.engine.connect() as connection:
        noted = connection.scalar(select(Installation.local_server))
    if noted is None:
        raise Broken(told("it does not say which kind of server it belongs to"), PREPARE)
    try:
        local = session.is_local
    except CommandError:
        local = noted  # no server is named: nothing to compare with
    if noted and not local:
        mend = told("set LIVEBASE_DATABASE_URL to the database of the server's workers, or leave out its address")
        raise Broken(told("a local server's database, but {} is no local server", session.target.address), mend)
    if local and not noted:
        mend = told("leave out LIVEBASE_DATABASE_URL, or name the server it belongs to with --address")
        raise Broken(told("a cluster's database, but the server is the local one"), mend)
    return told("a local server's: clocks can be moved") if noted else told("a cluster's: clocks run true")


def _payload_keys(session: Session) -> str:
    """Only a local server is sent anything in clear."""
    from connection.payload_keys import HINT

    try:
        keys = session.keys
        local = session.is_local or (session.installed_locally and session.target.on_this_machine)
    except CommandError as error:
        if error.code == 2:
            raise
        return told("none: nothing can be sent")  # no server, or no database: told by other checks
    if keys is not None:
        return told("{} seals, {} are known", keys.newest[0], len(keys.ids))
    if not local:
        raise Broken(told("none, and the server is no local one"), HINT)
    return told("none: local")


def _documents(session: Session) -> str:
    root = session.documents_root
    if "://" not in root and not Path(root).is_dir():
        raise Broken(told("there is no folder {}", root), told("livebase dev makes it; or set LIVEBASE_DOCUMENTS"))
    try:
        from store.documents import OFFICE

        documents = session.documents_of(OFFICE)
        if not documents.begun:
            raise Broken(
                told("no worker has made its key yet"), told("start a worker: livebase dev, or livebase worker")
            )
        documents.get(documents.put(b"livebase doctor"))  # the same every time: one document
        if "://" not in root:
            with tempfile.TemporaryFile(dir=root):
                pass
    except Broken:
        raise
    except CommandError as error:
        raise Broken(error.message, told("livebase dev makes it; or set LIVEBASE_DOCUMENT_KEYS")) from None
    except Exception as error:
        mend = told("make it a folder that can be written, or name another with LIVEBASE_DOCUMENTS")
        raise Broken(told("{} can't be used ({})", root, type(error).__name__), mend) from error
    return root


def room_left(folders: list[Path], *, full: int = _FULL, nearly_full: int = _NEARLY_FULL) -> str:
    """The room, in bytes, where the least is left; `full` and `nearly_full` say from when on it is too little."""
    if not folders:
        return told("nothing is kept on this machine")
    left = {folder: shutil.disk_usage(folder).free for folder in folders}
    folder = min(left, key=lambda one: left[one])
    found = told("{} MiB left at {}", f"{left[folder] // MIB:,}", folder)
    if left[folder] < full:
        raise Broken(found, told("make room: the database can't be written on a full disk"))
    if left[folder] < nearly_full:
        raise Advice(found, told("make room soon"))
    return found


def _folders(session: Session) -> list[Path]:
    """The folders on this machine that fill: the database's and the documents', as far as they are there."""
    url, root = session.database_url, session.documents_root
    kept = [Path(url.removeprefix("sqlite:///")).parent] if url.startswith("sqlite:///") else []
    kept += [Path(root)] if "://" not in root else []
    return [next(folder for folder in (path, *path.parents) if folder.exists()) for path in map(Path.absolute, kept)]


async def _mail(session: Session) -> str:
    """The mail server answers: the local one, or that of the environment, which the workers share."""
    from activities.letters import MailServerAway
    from activities.smtp import NoMailServer, SmtpServer
    from workers.mail import MailSettings
    from workers.settings import read_settings

    local = session.local
    if local is not None and local.mail_address is not None and session.is_local:
        host, _, port = local.mail_address.rpartition(":")
        server: SmtpServer | NoMailServer = SmtpServer(host, int(port), "none")
    else:
        server = read_settings(MailSettings).server()
    if isinstance(server, NoMailServer):
        mend = told("set LIVEBASE_SMTP_URL and LIVEBASE_MAIL_FROM, for the workers too")
        raise Advice(told("none is set: letters wait"), mend)
    address = f"{server.host}:{server.port}"
    try:
        async with server.session():
            return address
    except MailServerAway as away:
        mend = told("letters wait until it answers; check LIVEBASE_SMTP_URL and the server")
        raise Broken(told("{} takes no letters: {}", address, away), mend) from away


def _channel(session: Session) -> str:
    """What the workers found when they last compared it with the list."""
    from starter.channel import open_channel
    from store.channel import ChannelStore
    from store.queries import shown

    channel = open_channel()
    if channel is None:
        return told("none is set: our own list is the channel")
    store = ChannelStore(session.engine)
    last = store.last_comparison()
    if last is None:
        mend = told("a worker compares them once an hour: livebase worker")
        raise Advice(told("{} was not compared with the list yet", channel.name), mend)
    at, found = when(shown(last.at)), last.compared
    if session.wall - last.at > _COMPARED_WITHIN:
        mend = told("look at the schedule that ends in -comparison in Temporal Web")
        raise Broken(told("{} was last compared with the list at {}", channel.name, at), mend)
    if found.fault:
        mend = told("entries wait until it answers; check LIVEBASE_CHANNEL_URL and the channel")
        raise Broken(told("{} could not be compared: {}, at {}", channel.name, found.fault, at), mend)
    if (left := found.missing + found.extra + found.different - found.sent_again) > 0:
        raise Broken(
            told("{} differs from the list in {} places, at {}", channel.name, left, at), "livebase register reconcile"
        )
    waiting = store.waiting(session.wall, 1).waiting
    return told("{} takes entries, {} wait; compared with the list at {}", channel.name, waiting, at)


def _fonts() -> str:
    """Those of certificates, which the official list makes where it is served."""
    from register.fonts import FontsMissing, require_fonts
    from register.settings import RegisterSettings

    folder = RegisterSettings().fonts
    try:
        require_fonts(folder)
    except FontsMissing:
        mend = told("where the official list is served: apt-get install fonts-noto-cjk, or set LIVEBASE_REGISTER_FONTS")
        raise Advice(told("{} lacks some: no certificate can be downloaded", folder), mend) from None
    return told("all there")


def _calendar(session: Session) -> str:
    from starter.reference import provisional_from
    from store.reference import shipped_calendar

    calendar = session.recorded_calendar or shipped_calendar()  # that the database is away has a check of its own
    mend = told("import the State Council's notice: livebase calendar import NOTICE.json")
    if session.today.year not in calendar.years:
        raise Broken(told("no notice for {}: every deadline is provisional", session.today.year), mend)
    since = provisional_from(calendar, session.today)
    if since <= session.today:
        raise Advice(told("notice for {} known, provisional from {} on", session.today.year, since), mend)
    return told("notice for {} known, provisional from {} on ({})", session.today.year, since, calendar.version)
