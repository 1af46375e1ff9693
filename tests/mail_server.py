"""The outside party letters go to in tests: a real SMTP server (aiosmtpd) that can be away, busy or choosy."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, Self

from aiosmtpd.smtp import SMTP, Envelope

from activities.letters import MailRoom
from activities.smtp import SmtpServer
from connection.server_files import HOST, Ports
from domain.stages import Role

SENDER = "livebase@livebase.example"
STAFF = {role: f"{role}@staff.example" for role in Role if role not in (Role.APPLICANT, Role.NOBODY)}


@dataclass(frozen=True)
class Arrived:
    """A letter the server took."""

    to: str
    message: EmailMessage

    @property
    def id(self) -> str:
        return str(self.message["Message-ID"]).strip()


class MailServer:
    """Listens while it is up, on the same port each time. `mail`, `rcpt` and `data` are answers instead of 250."""

    def __init__(self) -> None:
        self.port = Ports.pick().frontend
        self.arrived: list[Arrived] = []
        self.mail = ""
        self.rcpt: dict[str, str] = {}
        """recipient, or `*` for all → answer; `{}` in it is the recipient"""
        self.data = ""
        self.tried: Counter[str] = Counter()
        """recipient → how many letters were offered for it"""
        self.pause = 0.0
        self._server: asyncio.Server | None = None

    @property
    def room(self) -> MailRoom:
        return MailRoom(SmtpServer(HOST, self.port, "none"), SENDER, STAFF, pause_seconds=1)

    @property
    def environ(self) -> dict[str, str]:
        """A worker's settings for this server."""
        staff = {f"LIVEBASE_MAIL_{role.upper()}": address for role, address in STAFF.items()}
        return staff | {"LIVEBASE_SMTP_URL": f"smtp://{HOST}:{self.port}", "LIVEBASE_MAIL_FROM": SENDER}

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: SMTP(self, hostname="mx.example", loop=loop), HOST, self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    def ids(self) -> list[str]:
        return [letter.id for letter in self.arrived]

    async def handle_MAIL(self, _: SMTP, __: Any, envelope: Envelope, address: str, options: list[str]) -> str:
        if self.mail:
            return self.mail
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, _: SMTP, __: Any, envelope: Envelope, address: str, options: list[str]) -> str:
        self.tried[address] += 1
        answer = self.rcpt.get(address) or self.rcpt.get("*")
        if answer:
            return answer.format(address)
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, _: SMTP, __: Any, envelope: Envelope) -> str:
        await asyncio.sleep(self.pause)
        if self.data:
            return self.data
        message = message_from_bytes(envelope.original_content or b"", policy=default)
        assert isinstance(message, EmailMessage)
        (to,) = envelope.rcpt_tos
        self.arrived.append(Arrived(to, message))
        return "250 OK"
