"""The mail server of `livebase dev` and `demo`: it takes every letter and keeps it as a file to open and read."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Self

from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as SmtpSession

HOST = "127.0.0.1"
RECEIVED = "X-Livebase-Received"
"""The header a kept letter begins with: how many times it has come."""
_NAME = re.compile(r"<([A-Za-z0-9][A-Za-z0-9._-]{0,99})@[^<>@\s]+>")


class MailSink:
    """Listens on 127.0.0.1 only, and only while it is entered. Lives in the event loop it is entered in.

    One Message-ID is one file, named after it: a letter that comes twice is still one, and says so.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: SMTP(self, hostname="localhost", loop=loop), HOST, 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    @property
    def address(self) -> str:
        """HOST:PORT."""
        assert self._server is not None
        return f"{HOST}:{self._server.sockets[0].getsockname()[1]}"

    async def handle_DATA(self, server: SMTP, session: SmtpSession, envelope: Envelope) -> str:
        """Keep the letter, whole or not at all; only then it is taken."""
        content = envelope.original_content or b""
        path = self.folder / f"{_file_name(content)}.eml"
        heading = f"{RECEIVED}: {times_received(path) + 1}\r\nDelivered-To: {', '.join(envelope.rcpt_tos)}\r\n"
        unfinished = path.with_suffix(".part")
        unfinished.write_bytes(heading.encode() + content)
        os.replace(unfinished, path)
        return "250 Kept"


def times_received(path: Path) -> int:
    """How many times a letter has come, by the file it is kept in; 0 when it has not."""
    try:
        first = path.read_bytes().partition(b"\r\n")[0].decode("utf-8", "replace")
    except FileNotFoundError:
        return 0
    count = first.removeprefix(f"{RECEIVED}: ")
    return int(count) if count.isdecimal() else 1


def file_of(message_id: str) -> str:
    """The name, without its ending, of the file a Message-ID is kept under."""
    if (match := _NAME.fullmatch(message_id)) is not None:
        return match[1]
    return hashlib.sha256(message_id.encode("utf-8", "surrogateescape")).hexdigest()


def _file_name(content: bytes) -> str:
    given = message_from_bytes(content, policy=default).get("Message-ID")
    return file_of(str(given).strip() if given else hashlib.sha256(content).hexdigest())
